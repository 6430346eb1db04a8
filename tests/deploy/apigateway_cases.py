"""For every type of API Gateway: how one is made, changed and replaced, what boto3 then shows, what Ref and Fn::GetAtt give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ID = r"[a-z0-9]{6}"
LONG_ID = r"[a-z0-9]{10}"
ACM = "arn:aws:acm:us-east-1:000000000000:certificate"
AUTHORIZER = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:us-east-1:000000000000:function:%s/invocations"
)
POOL = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/%s/50dc6c495c0c9188"

HEAD = """
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties: {Name: parts}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      Integration: {Type: MOCK, RequestTemplates: {application/json: '{"statusCode": 200}'}}
  Deployment:
    Type: AWS::ApiGateway::Deployment
    Properties: {RestApiId: !Ref Api}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Deployment, StageName: prod}
"""
OUTPUTS = """
Outputs:
  Api: {Value: !Ref Api}
  Ref: {Value: !Ref It}
"""

Read = Callable[[Any, Mapping[str, str]], dict[str, Any]]
"""An entity as boto3 shows it; given the client and the stack's outputs."""


@dataclass(frozen=True)
class Case:
    """`first`, `second`, `third`: properties, of which the third replace the resource."""

    type: str
    read: Read
    first: str
    made: dict[str, Any]
    second: str
    changed: dict[str, Any]
    third: str | None
    """None: no property replaces it."""
    ref: str
    """A regular expression; `{Api}` stands for the API's id."""
    attributes: dict[str, str] = field(default_factory=dict)
    """Those that differ from Ref, as regular expressions."""
    more: str = ""
    """Other resources that it needs."""


CASES = [
    Case(
        type="Model",
        read=lambda client, out: client.get_model(restApiId=out["Api"], modelName=out["Ref"]),
        first="{RestApiId: !Ref Api, Name: Pet, Description: a pet, ContentType: application/json, "
        "Schema: {type: object, properties: {name: {type: string}}}}",
        made={
            "name": "Pet",
            "description": "a pet",
            "contentType": "application/json",
            "schema": '{"type": "object", "properties": {"name": {"type": "string"}}}',
        },
        second='{RestApiId: !Ref Api, Name: Pet, ContentType: application/json, Schema: \'{"type": "object"}\'}',
        changed={"name": "Pet", "schema": '{"type": "object"}'},
        third="{RestApiId: !Ref Api, Name: Cat, Schema: {type: object}}",
        ref=r"Pet",
    ),
    Case(
        type="RequestValidator",
        read=lambda client, out: client.get_request_validator(restApiId=out["Api"], requestValidatorId=out["Ref"]),
        first="{RestApiId: !Ref Api, Name: both, ValidateRequestBody: true, ValidateRequestParameters: 'true'}",
        made={"name": "both", "validateRequestBody": True, "validateRequestParameters": True},
        second="{RestApiId: !Ref Api, Name: both, ValidateRequestParameters: true}",
        changed={"validateRequestBody": False, "validateRequestParameters": True},
        third="{RestApiId: !Ref Api, Name: none}",
        ref=ID,
    ),
    Case(
        type="Authorizer",
        read=lambda client, out: client.get_authorizer(restApiId=out["Api"], authorizerId=out["Ref"]),
        first=f"{{RestApiId: !Ref Api, Name: first, Type: TOKEN, AuthorizerUri: '{AUTHORIZER % 'a'}', IdentitySource: "
        "method.request.header.Auth, IdentityValidationExpression: x+, AuthorizerResultTtlInSeconds: '60', "
        "AuthorizerCredentials: 'arn:aws:iam::000000000000:role/r'}",
        made={
            "name": "first",
            "type": "TOKEN",
            "authorizerUri": AUTHORIZER % "a",
            "identitySource": "method.request.header.Auth",
            "identityValidationExpression": "x+",
            "authorizerResultTtlInSeconds": 60,
            "authorizerCredentials": "arn:aws:iam::000000000000:role/r",
            "authType": "custom",
        },
        second=f"{{RestApiId: !Ref Api, Name: second, Type: REQUEST, AuthorizerUri: '{AUTHORIZER % 'b'}', "
        "IdentitySource: 'method.request.header.A, method.request.querystring.b'}",
        changed={
            "name": "second",
            "type": "REQUEST",
            "authorizerUri": AUTHORIZER % "b",
            "identitySource": "method.request.header.A, method.request.querystring.b",
            "authorizerResultTtlInSeconds": 300,
        },
        third=None,
        ref=ID,
    ),
    Case(
        type="GatewayResponse",
        read=lambda client, out: client.get_gateway_response(
            restApiId=out["Api"], responseType=out["Ref"].partition("|")[2]
        ),
        first="{RestApiId: !Ref Api, ResponseType: UNAUTHORIZED, StatusCode: 419, "
        "ResponseParameters: {gatewayresponse.header.X-A: \"'a'\"}, ResponseTemplates: {application/json: '{}'}}",
        made={
            "statusCode": "419",
            "responseParameters": {"gatewayresponse.header.X-A": "'a'"},
            "responseTemplates": {"application/json": "{}"},
        },
        second="{RestApiId: !Ref Api, ResponseType: UNAUTHORIZED}",
        changed={"statusCode": "401", "responseParameters": {}},
        third="{RestApiId: !Ref Api, ResponseType: ACCESS_DENIED}",
        ref=r"{Api}\|UNAUTHORIZED",
    ),
    Case(
        type="DocumentationPart",
        read=lambda client, out: client.get_documentation_part(restApiId=out["Api"], documentationPartId=out["Ref"]),
        first="{RestApiId: !Ref Api, Location: {Type: METHOD, Path: /, Method: GET}, "
        'Properties: \'{"description": "one"}\'}',
        made={
            "location": {"type": "METHOD", "path": "/", "method": "GET"},
            "properties": '{"description": "one"}',
        },
        second="{RestApiId: !Ref Api, Location: {Type: METHOD, Path: /, Method: GET}, "
        'Properties: \'{"description": "two"}\'}',
        changed={"properties": '{"description": "two"}'},
        third='{RestApiId: !Ref Api, Location: {Type: API}, Properties: \'{"description": "two"}\'}',
        ref=ID,
    ),
    Case(
        type="DocumentationVersion",
        read=lambda client, out: client.get_documentation_version(
            restApiId=out["Api"], documentationVersion=out["Ref"]
        ),
        first="{RestApiId: !Ref Api, DocumentationVersion: '1.0', Description: first}",
        made={"version": "1.0", "description": "first"},
        second="{RestApiId: !Ref Api, DocumentationVersion: '1.0', Description: second}",
        changed={"version": "1.0", "description": "second"},
        third="{RestApiId: !Ref Api, DocumentationVersion: '2.0', Description: second}",
        ref=r"1\.0",
        more="""
  Part:
    Type: AWS::ApiGateway::DocumentationPart
    Properties: {RestApiId: !Ref Api, Location: {Type: API}, Properties: '{"description": "all"}'}
""",
    ),
    Case(
        type="ApiKey",
        read=lambda client, out: client.get_api_key(apiKey=out["Ref"], includeValue=True),
        first="{Name: key, Description: first, Enabled: 'true', CustomerId: c1, Value: abcdefghijklmnopqrstuvwx, "
        "StageKeys: [{RestApiId: !Ref Api, StageName: prod}], Tags: [{Key: a, Value: b}]}",
        made={
            "name": "key",
            "description": "first",
            "enabled": True,
            "customerId": "c1",
            "value": "abcdefghijklmnopqrstuvwx",
            "tags": {"a": "b"},
        },
        second="{Name: key, Description: second, Value: abcdefghijklmnopqrstuvwx, Tags: [{Key: c, Value: d}]}",
        changed={"description": "second", "enabled": False, "stageKeys": [], "tags": {"c": "d"}},
        third="{Name: other}",
        ref=LONG_ID,
    ),
    Case(
        type="UsagePlan",
        read=lambda client, out: client.get_usage_plan(usagePlanId=out["Ref"]),
        first="{UsagePlanName: basic, Description: first, Quota: {Limit: '100', Period: WEEK, Offset: 2}, "
        "Throttle: {RateLimit: 5, BurstLimit: 10}, Tags: [{Key: a, Value: b}], ApiStages: [{ApiId: !Ref Api, "
        "Stage: prod, Throttle: {//GET: {RateLimit: 1, BurstLimit: 2}}}]}",
        made={
            "name": "basic",
            "description": "first",
            "quota": {"limit": 100, "period": "WEEK", "offset": 2},
            "throttle": {"rateLimit": 5.0, "burstLimit": 10},
            "tags": {"a": "b"},
        },
        second="{UsagePlanName: better, Quota: {Limit: 7, Period: DAY}, ApiStages: [{ApiId: !Ref Api, Stage: prod, "
        "Throttle: {//GET: {RateLimit: 3, BurstLimit: 4}}}]}",
        changed={
            "name": "better",
            "quota": {"limit": 7, "period": "DAY", "offset": 0},
            "throttle": None,
            "tags": {},
        },
        third=None,
        ref=ID,
    ),
    Case(
        type="UsagePlanKey",
        read=lambda client, out: client.get_usage_plan_key(
            keyId=out["Ref"].partition(":")[0], usagePlanId=out["Ref"].partition(":")[2]
        ),
        first="{KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref One}",
        made={"type": "API_KEY", "name": "member"},
        second="{KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref One}",
        changed={"type": "API_KEY"},
        third="{KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Two}",
        ref=f"{LONG_ID}:{ID}",
        more="""
  One: {Type: AWS::ApiGateway::UsagePlan}
  Two: {Type: AWS::ApiGateway::UsagePlan}
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Name: member, Enabled: true}}
""",
    ),
    Case(
        type="VpcLink",
        read=lambda client, out: client.get_vpc_link(vpcLinkId=out["Ref"]),
        first=f"{{Name: one, Description: d, TargetArns: ['{BALANCER % 'a'}'], Tags: [{{Key: a, Value: b}}]}}",
        made={"name": "one", "description": "d", "targetArns": [BALANCER % "a"], "status": "AVAILABLE"},
        second=f"{{Name: two, TargetArns: ['{BALANCER % 'a'}']}}",
        changed={"name": "two", "tags": {}},
        third=f"{{Name: two, TargetArns: ['{BALANCER % 'b'}']}}",
        ref=ID,
    ),
    Case(
        type="ClientCertificate",
        read=lambda client, out: client.get_client_certificate(clientCertificateId=out["Ref"]),
        first="{Description: first, Tags: [{Key: a, Value: b}]}",
        made={"description": "first", "tags": {"a": "b"}},
        second="{Description: second}",
        changed={"description": "second", "tags": {}},
        third=None,
        ref=ID,
    ),
    Case(
        type="DomainName",
        read=lambda client, out: client.get_domain_name(domainName=out["Ref"]),
        first=f"{{DomainName: one.example.com, RegionalCertificateArn: '{ACM}/1', SecurityPolicy: TLS_1_2, "
        "EndpointConfiguration: {Types: [REGIONAL]}, Tags: [{Key: a, Value: b}]}",
        made={
            "domainName": "one.example.com",
            "regionalCertificateArn": f"{ACM}/1",
            "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
            "securityPolicy": "TLS_1_2",
            "tags": {"a": "b"},
        },
        second=f"{{DomainName: one.example.com, RegionalCertificateArn: '{ACM}/2', SecurityPolicy: TLS_1_0, "
        "EndpointConfiguration: {Types: [REGIONAL], IpAddressType: dualstack}}",
        changed={
            "regionalCertificateArn": f"{ACM}/2",
            "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "dualstack"},
            "securityPolicy": "TLS_1_0",
            "tags": {},
        },
        third=f"{{DomainName: two.example.com, RegionalCertificateArn: '{ACM}/2', "
        "EndpointConfiguration: {Types: [REGIONAL]}}",
        ref=r"one\.example\.com",
        attributes={
            "DomainNameArn": r"arn:aws:apigateway:us-east-1::/domainnames/one\.example\.com",
            "RegionalDomainName": r"d-[a-z0-9]{10}\.execute-api\.us-east-1\.amazonaws\.com",
            "RegionalHostedZoneId": r"Z[A-Z0-9]+",
        },
    ),
    Case(
        type="DomainNameV2",
        read=lambda client, out: client.get_domain_name(
            domainName="private.example.com", domainNameId=out["Ref"].partition("+")[2]
        ),
        first=f"{{DomainName: private.example.com, CertificateArn: '{ACM}/1', Policy: {{Version: 2012-10-17, Statement: "
        "[{Effect: Allow, Principal: '*', Action: 'execute-api:Invoke', Resource: 'execute-api:/*'}]}, "
        "Tags: [{Key: a, Value: b}]}",
        made={
            "certificateArn": f"{ACM}/1",
            "endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "dualstack"},
            "tags": {"a": "b"},
        },
        second=f"{{DomainName: private.example.com, CertificateArn: '{ACM}/2'}}",
        changed={"certificateArn": f"{ACM}/2", "policy": None, "tags": {}},
        third=f"{{DomainName: private.example.com, CertificateArn: '{ACM}/2', SecurityPolicy: TLS_1_2}}",
        ref=rf"arn:aws:apigateway:us-east-1:000000000000:/domainnames/private\.example\.com\+{LONG_ID}",
        attributes={"DomainNameId": LONG_ID},
    ),
    Case(
        type="DomainNameAccessAssociation",
        read=lambda client, out: next(
            iter(
                item
                for item in client.get_domain_name_access_associations()["items"]
                if item["domainNameAccessAssociationArn"] == out["Ref"]
            ),
            {},
        ),
        first="{AccessAssociationSourceType: VPCE, AccessAssociationSource: vpce-1, DomainNameArn: !Ref Private, "
        "Tags: [{Key: a, Value: b}]}",
        made={"accessAssociationSource": "vpce-1", "tags": {"a": "b"}},
        second="{AccessAssociationSourceType: VPCE, AccessAssociationSource: vpce-1, DomainNameArn: !Ref Private, "
        "Tags: [{Key: a, Value: b}]}",
        changed={"accessAssociationSource": "vpce-1"},
        third="{AccessAssociationSourceType: VPCE, AccessAssociationSource: vpce-2, DomainNameArn: !Ref Private}",
        ref=r"arn:aws:apigateway:us-east-1:000000000000:/domainnameaccessassociations/domainname/"
        rf"shared\.example\.com\+{LONG_ID}/vpcesource/vpce-1",
        more=f"""
  Private:
    Type: AWS::ApiGateway::DomainNameV2
    Properties: {{DomainName: shared.example.com, CertificateArn: '{ACM}/1'}}
""",
    ),
    Case(
        type="BasePathMapping",
        read=lambda client, out: client.get_base_path_mapping(
            domainName="mapped.example.com", basePath=out["Ref"].partition("|")[2] or "(none)"
        ),
        first="{DomainName: mapped.example.com, BasePath: v1, RestApiId: !Ref Api, Stage: prod}",
        made={"basePath": "v1", "stage": "prod"},
        second="{DomainName: mapped.example.com, BasePath: v1, RestApiId: !Ref Api}",
        changed={"basePath": "v1", "stage": None},
        third="{DomainName: mapped.example.com, RestApiId: !Ref Api, Stage: prod}",
        ref=r"mapped\.example\.com\|v1",
        more=f"""
  ZDomain:
    Type: AWS::ApiGateway::DomainName
    Properties:
      DomainName: mapped.example.com
      RegionalCertificateArn: {ACM}/1
      EndpointConfiguration: {{Types: [REGIONAL]}}
""",
    ),
    Case(
        type="Account",
        read=lambda client, out: client.get_account(),
        first="{CloudWatchRoleArn: 'arn:aws:iam::000000000000:role/one'}",
        made={"cloudwatchRoleArn": "arn:aws:iam::000000000000:role/one"},
        second="{CloudWatchRoleArn: 'arn:aws:iam::000000000000:role/two'}",
        changed={"cloudwatchRoleArn": "arn:aws:iam::000000000000:role/two"},
        third=None,
        ref=r"types-account-It-[A-Z0-9]{12}",
    ),
]
