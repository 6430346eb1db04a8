"""Whole stacks of API Gateway through the running program: what belongs together comes and goes in the right order, stages and
deployments with everything that they describe, what is refused and by whom."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deploy.conftest import LiveBench
from tests.deploy.test_apigateway_types import ACM, HEAD, actions, holds
from tidegate.deploy.errors import DeployError
from tidegate.deploy.resources.apigateway_domains import DomainName

MOCK = "{Type: MOCK, RequestTemplates: {application/json: '{\"statusCode\": 200}'}}"
API = HEAD[: HEAD.index("  Deployment:")]
OPENAPI = {
    "openapi": "3.0.1",
    "info": {"title": "From S3", "version": "1"},
    "paths": {"/x": {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}},
}


def failures(live: LiveBench, template: str, name: str) -> list[str]:
    with pytest.raises(DeployError) as caught:
        live.deploy(template, name)
    return [str(problem) for problem in caught.value.problems]


def order(live: LiveBench, action: str) -> list[str]:
    return [line.split()[2] for line in live.lines if line.split()[:1] == [action]]


def test_everything_of_an_api_comes_before_its_deployment(live: LiveBench) -> None:
    """Written upside down, and no resource says what it depends on."""
    template = f"""
Resources:
  AMapping: {{Type: AWS::ApiGateway::BasePathMapping, Properties: {{DomainName: !Ref Domain, RestApiId: !Ref Api, Stage: v1}}}}
  AMember: {{Type: AWS::ApiGateway::UsagePlanKey, Properties: {{KeyId: !Ref Key, UsagePlanId: !Ref Plan, KeyType: API_KEY}}}}
  Plan: {{Type: AWS::ApiGateway::UsagePlan, Properties: {{ApiStages: [{{ApiId: !Ref Api, Stage: v1}}]}}}}
  Key: {{Type: AWS::ApiGateway::ApiKey, Properties: {{StageKeys: [{{RestApiId: !Ref Api, StageName: v1}}]}}}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {{RestApiId: !Ref Api, DeploymentId: !Ref Dep, StageName: v1, DocumentationVersion: '7'}}
  Dep: {{Type: AWS::ApiGateway::Deployment, Properties: {{RestApiId: !GetAtt Api.RestApiId}}}}
  Version: {{Type: AWS::ApiGateway::DocumentationVersion, Properties: {{RestApiId: !Ref Api, DocumentationVersion: '7'}}}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: POST
      RequestModels: {{application/json: Pet}}
      Integration: {MOCK}
      MethodResponses: [{{StatusCode: 200, ResponseModels: {{application/json: Pet}}}}]
  Part:
    Type: AWS::ApiGateway::DocumentationPart
    Properties: {{RestApiId: !Ref Api, Location: {{Type: API}}, Properties: '{{"description": "d"}}'}}
  Denied: {{Type: AWS::ApiGateway::GatewayResponse, Properties: {{RestApiId: !Ref Api, ResponseType: ACCESS_DENIED}}}}
  Model: {{Type: AWS::ApiGateway::Model, Properties: {{RestApiId: !Ref Api, Name: Pet, Schema: {{type: object}}}}}}
  Domain:
    Type: AWS::ApiGateway::DomainName
    Properties:
      DomainName: order.example.com
      RegionalCertificateArn: {ACM}/1
      EndpointConfiguration: {{Types: [REGIONAL]}}
  Api: {{Type: AWS::ApiGateway::RestApi, Properties: {{Name: order}}}}
Outputs: {{Api: {{Value: !Ref Api}}, Plan: {{Value: !Ref Plan}}}}
"""
    made = live.deploy(template, "order")
    created = order(live, "created")
    for first, then in (
        ("Model", "Get"),
        ("Get", "Dep"),
        ("Denied", "Dep"),
        ("Part", "Version"),
        ("Version", "Stage"),
        ("Stage", "Plan"),
        ("Stage", "Key"),
        ("Stage", "AMapping"),
        ("Domain", "AMapping"),
    ):
        assert created.index(first) < created.index(then), (first, then)
    version = live.apigateway.get_stage(restApiId=made.outputs["Api"], stageName="v1")["documentationVersion"]
    assert version == "7"
    plan = live.apigateway.get_usage_plan(usagePlanId=made.outputs["Plan"])
    assert plan["apiStages"] == [{"apiId": made.outputs["Api"], "stage": "v1"}]
    live.remove("order")
    assert order(live, "deleted") == created[::-1]


def test_the_throttles_of_a_plans_methods(live: LiveBench) -> None:
    plan = "  Plan: {{Type: AWS::ApiGateway::UsagePlan, Properties: {{ApiStages: [{{ApiId: !Ref Api, Stage: prod{0}}}]}}}}\n"
    outputs = "Outputs: {Plan: {Value: !Ref Plan}}\n"

    def deployed(throttle: str) -> Any:
        made = live.deploy(HEAD + plan.format(throttle) + outputs, "throttles")
        return live.apigateway.get_usage_plan(usagePlanId=made.outputs["Plan"])["apiStages"][0].get("throttle")

    assert deployed(", Throttle: {//GET: {RateLimit: '1', BurstLimit: 2}}") == {
        "//GET": {"rateLimit": 1.0, "burstLimit": 2}
    }
    assert deployed(", Throttle: {//POST: {RateLimit: 3, BurstLimit: 4}}") == {
        "//POST": {"rateLimit": 3.0, "burstLimit": 4}
    }
    assert deployed("") is None
    live.remove("throttles")


STAGE = """
  Other: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api}}
  Certificate: {Type: AWS::ApiGateway::ClientCertificate}
  Version: {Type: AWS::ApiGateway::DocumentationVersion, Properties: {RestApiId: !Ref Api, DocumentationVersion: '1'}}
  It:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref Api
      DeploymentId: !Ref Deployment
      StageName: full
%s
Outputs: {Api: {Value: !Ref Api}, Other: {Value: !Ref Other}, Cert: {Value: !Ref Certificate}, Ref: {Value: !Ref It}}
"""
FULL = """
      Description: everything
      Variables: {a: 1}
      ClientCertificateId: !Ref Certificate
      DocumentationVersion: !Ref Version
      CacheClusterEnabled: false
      CacheClusterSize: '1.6'
      TracingEnabled: true
      CanarySetting: {DeploymentId: !Ref Other, PercentTraffic: 5, StageVariableOverrides: {a: 2}, UseStageCache: true}
      AccessLogSetting: {Format: $context.requestId, DestinationArn: 'arn:aws:logs:us-east-1:0:log-group:x'}
      MethodSettings: [{ResourcePath: /, HttpMethod: GET, LoggingLevel: INFO, DataTraceEnabled: true}]
      Tags: [{Key: a, Value: b}]
"""
LESS = """
      Variables: {b: 1}
      CanarySetting: {DeploymentId: !Ref Other, PercentTraffic: 7}
      MethodSettings: [{ResourcePath: /, HttpMethod: GET, MetricsEnabled: true}]
"""


def test_a_stage_with_everything(live: LiveBench) -> None:
    made = live.deploy(HEAD + STAGE % FULL, "full-stage")
    place = {"restApiId": made.outputs["Api"], "stageName": made.outputs["Ref"]}
    stage = live.apigateway.get_stage(**place)
    holds(
        {
            "description": "everything",
            "variables": {"a": "1"},
            "clientCertificateId": made.outputs["Cert"],
            "documentationVersion": "1",
            "cacheClusterSize": "1.6",
            "tracingEnabled": True,
            "canarySettings": {
                "deploymentId": made.outputs["Other"],
                "percentTraffic": 5.0,
                "stageVariableOverrides": {"a": "2"},
                "useStageCache": True,
            },
            "accessLogSettings": {
                "format": "$context.requestId",
                "destinationArn": "arn:aws:logs:us-east-1:0:log-group:x",
            },
            "tags": {"a": "b"},
        },
        stage,
    )
    holds({"loggingLevel": "INFO", "dataTraceEnabled": True}, stage["methodSettings"]["~1/GET"])

    live.deploy(HEAD + STAGE % LESS, "full-stage")
    assert actions(live)["It"] == "updated"
    stage = live.apigateway.get_stage(**place)
    canary = {"deploymentId": made.outputs["Other"], "percentTraffic": 7.0, "useStageCache": False}
    holds({"variables": {"b": "1"}, "canarySettings": canary, "tracingEnabled": False}, stage)
    assert not {"clientCertificateId", "accessLogSettings"} & stage.keys()
    holds({"metricsEnabled": True, "dataTraceEnabled": False}, stage["methodSettings"]["~1/GET"])
    assert "loggingLevel" not in stage["methodSettings"]["~1/GET"]

    live.deploy(HEAD + STAGE % "", "full-stage")
    assert "canarySettings" not in live.apigateway.get_stage(**place)
    live.remove("full-stage")
    assert actions(live)["It"] == "deleted"


def test_a_stage_that_cannot_be_settled_is_not_left_behind(live: LiveBench) -> None:
    settings = "      MethodSettings: [{ResourcePath: /, HttpMethod: GET, LoggingLevel: LOUD}]\n"
    live.deploy(HEAD, "half-stage")
    (found,) = failures(live, HEAD + STAGE % settings, "half-stage")
    assert found.startswith("It: UpdateStage: BadRequestException: Invalid method setting value: LOUD")
    api = live.deploy(HEAD + STAGE % "", "half-stage").outputs["Api"]
    stages = live.apigateway.get_stages(restApiId=api)["item"]
    assert {stage["stageName"] for stage in stages} == {"prod", "full"}
    live.remove("half-stage")


DESCRIBED = """
  Dep:
    Type: AWS::ApiGateway::Deployment
    Properties:
      RestApiId: !Ref Api
      %s
Outputs: {Api: {Value: !Ref Api}, Dep: {Value: !Ref Dep}}
"""


def test_a_deployment_describes_its_stage(live: LiveBench) -> None:
    def deployed(properties: str) -> dict[str, Any]:
        outputs = live.deploy(API + DESCRIBED % properties, "described").outputs
        stages = live.apigateway.get_stages(restApiId=outputs["Api"], deploymentId=outputs["Dep"])["item"]
        return {stage["stageName"]: stage for stage in stages} | {"id": outputs["Dep"]}

    first = deployed(
        "StageName: one\n      Description: d\n      StageDescription: {Description: s, Variables: {a: 1}, "
        "LoggingLevel: INFO, MethodSettings: [{ResourcePath: /, HttpMethod: GET, MetricsEnabled: true}], "
        "Tags: [{Key: k, Value: v}], AccessLogSetting: {Format: $context.requestId}}"
    )
    holds(
        {
            "description": "s",
            "variables": {"a": "1"},
            "tags": {"k": "v"},
            "accessLogSettings": {"format": "$context.requestId"},
        },
        first["one"],
    )
    assert first["one"]["methodSettings"]["*/*"]["loggingLevel"] == "INFO"
    assert first["one"]["methodSettings"]["~1/GET"]["metricsEnabled"] is True

    second = deployed("StageName: one\n      StageDescription: {Variables: {a: 2}, ThrottlingRateLimit: 9}")
    assert second["id"] == first["id"]
    holds({"variables": {"a": "2"}, "tags": {}}, second["one"])
    assert second["one"]["methodSettings"].keys() == {"*/*"}
    assert second["one"]["methodSettings"]["*/*"]["throttlingRateLimit"] == 9.0

    third = deployed("StageName: two\n      StageDescription: {Variables: {a: 3}, CacheClusterSize: '0.5'}")
    assert third["id"] == first["id"]
    assert third.keys() == {"two", "id"}
    assert third["two"]["variables"] == {"a": "3"}

    assert deployed("Description: none").keys() == {"id"}
    live.remove("described")
    assert actions(live)["Dep"] == "deleted"


def test_a_deployment_that_is_a_canary(live: LiveBench) -> None:
    canary = """
  ACanary:
    Type: AWS::ApiGateway::Deployment
    Properties:
      RestApiId: !Ref Api
      StageName: prod
      DeploymentCanarySettings: {PercentTraffic: 20, StageVariableOverrides: {a: 1}, UseStageCache: 'false'}
Outputs: {Api: {Value: !Ref Api}, Main: {Value: !Ref Deployment}, Canary: {Value: !GetAtt ACanary.DeploymentId}}
"""
    outputs = live.deploy(HEAD + canary, "canary").outputs
    stage = live.apigateway.get_stage(restApiId=outputs["Api"], stageName="prod")
    assert stage["deploymentId"] == outputs["Main"]
    holds(
        {"deploymentId": outputs["Canary"], "percentTraffic": 20.0, "stageVariableOverrides": {"a": "1"}},
        stage["canarySettings"],
    )
    live.deploy(HEAD, "canary")
    assert actions(live)["ACanary"] == "deleted"
    assert "canarySettings" not in live.apigateway.get_stage(restApiId=outputs["Api"], stageName="prod")
    live.remove("canary")


def test_unknown_members_of_a_description_are_refused(live: LiveBench) -> None:
    template = API + DESCRIBED % "StageName: x\n      StageDescription: {Colour: red}"
    assert failures(live, template, "colour") == ["Dep: Encountered unsupported property StageDescription.Colour"]


def test_a_method_with_everything(live: LiveBench) -> None:
    template = f"""
Resources:
  Api: {{Type: AWS::ApiGateway::RestApi, Properties: {{Name: method}}}}
  Pool:
    Type: AWS::ApiGateway::Authorizer
    Properties:
      RestApiId: !Ref Api
      Name: pool
      Type: COGNITO_USER_POOLS
      IdentitySource: method.request.header.Authorization
      ProviderARNs: ['arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_%s']
  Validator: {{Type: AWS::ApiGateway::RequestValidator, Properties: {{RestApiId: !Ref Api, Name: v}}}}
  Model: {{Type: AWS::ApiGateway::Model, Properties: {{RestApiId: !Ref Api, Schema: {{type: object}}}}}}
  It:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: PUT
      ApiKeyRequired: true
      AuthorizationType: COGNITO_USER_POOLS
      AuthorizationScopes: [a/b]
      AuthorizerId: !Ref Pool
      OperationName: putIt
      RequestModels: {{application/json: !Ref Model}}
      RequestParameters: {{method.request.querystring.q: true}}
      RequestValidatorId: !Ref Validator
      MethodResponses: [{{StatusCode: 201, ResponseModels: {{application/json: Error}}}}]
      Integration: {MOCK}
Outputs:
  Api: {{Value: !Ref Api}}
  Root: {{Value: !GetAtt Api.RootResourceId}}
  Pool: {{Value: !Ref Pool}}
  Model: {{Value: !Ref Model}}
  Validator: {{Value: !Ref Validator}}
"""
    outputs = live.deploy(template % "one", "method").outputs
    method = live.apigateway.get_method(restApiId=outputs["Api"], resourceId=outputs["Root"], httpMethod="PUT")
    holds(
        {
            "apiKeyRequired": True,
            "authorizationType": "COGNITO_USER_POOLS",
            "authorizationScopes": ["a/b"],
            "authorizerId": outputs["Pool"],
            "operationName": "putIt",
            "requestModels": {"application/json": outputs["Model"]},
            "requestParameters": {"method.request.querystring.q": True},
            "requestValidatorId": outputs["Validator"],
        },
        method,
    )
    assert method["methodResponses"]["201"]["responseModels"] == {"application/json": "Error"}
    assert outputs["Model"].startswith("methodModel")
    live.deploy(template % "two", "method")
    assert actions(live)["Pool"] == "updated"
    pool = live.apigateway.get_authorizer(restApiId=outputs["Api"], authorizerId=outputs["Pool"])
    assert pool["providerARNs"] == ["arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_two"]
    live.remove("method")


def test_a_domain_moves_to_another_endpoint_type(live: LiveBench) -> None:
    domain = "Resources: {It: {Type: AWS::ApiGateway::DomainName, Properties: {DomainName: moving.example.com, %s}}}\n"
    outputs = (
        "Outputs: {D: {Value: !GetAtt It.DistributionDomainName}, Z: {Value: !GetAtt It.DistributionHostedZoneId}}"
    )
    made = live.deploy(domain % f"CertificateArn: '{ACM}/1'" + outputs, "moving").outputs
    assert made["D"].endswith(".cloudfront.net")
    assert made["Z"] == "Z2FDTNDATAQYW2"
    regional = f"RegionalCertificateArn: '{ACM}/2', EndpointConfiguration: {{Types: [REGIONAL]}}"
    moved = live.deploy(domain % regional + "Outputs: {R: {Value: !GetAtt It.RegionalDomainName}}", "moving")
    assert actions(live)["It"] == "updated"
    found = live.apigateway.get_domain_name(domainName="moving.example.com")
    assert found["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert found["regionalDomainName"] == moved.outputs["R"]
    assert "certificateArn" not in found
    live.remove("moving")


def test_mutual_tls_of_a_domain() -> None:
    """The server refuses it so far, so the patches alone are looked at."""

    def steps(new: dict[str, str], old: dict[str, str]) -> list[list[str]]:
        given = ({"MutualTlsAuthentication": settings} if settings else {} for settings in (new, old))
        return [[f"{patch['op']} {patch['path']}" for patch in step] for step in DomainName().steps(*given)]

    store, version = "/mutualTlsAuthentication/truststoreUri", "/mutualTlsAuthentication/truststoreVersion"
    both = {"TruststoreUri": "s3://b/k", "TruststoreVersion": "1"}
    assert steps(both, {}) == [[f"add {store}", f"add {version}"]]
    assert steps({"TruststoreUri": "s3://b/l"}, both) == [[f"replace {store}", f"remove {version}"]]
    assert steps({}, both) == [[f"remove {store}", f"remove {version}"]]


def test_a_stage_that_a_domain_serves_is_renamed(live: LiveBench) -> None:
    domain = f"""
  Domain:
    Type: AWS::ApiGateway::DomainName
    Properties:
      DomainName: renamed.example.com
      RegionalCertificateArn: {ACM}/1
      EndpointConfiguration: {{Types: [REGIONAL]}}
  Mapping:
    Type: AWS::ApiGateway::BasePathMapping
    Properties: {{DomainName: !Ref Domain, RestApiId: !Ref Api, Stage: !Ref Stage}}
"""
    live.deploy(HEAD + domain, "renamed")
    live.deploy(HEAD.replace("StageName: prod", "StageName: live") + domain, "renamed")
    assert actions(live)["Mapping"] == "updated"
    mapping = live.apigateway.get_base_path_mapping(domainName="renamed.example.com", basePath="(none)")
    assert mapping["stage"] == "live"
    live.remove("renamed")


def test_what_the_management_api_refuses_names_the_resource(live: LiveBench) -> None:
    found = failures(
        live,
        HEAD
        + f"""
  Private:
    Type: AWS::ApiGateway::DomainNameV2
    Properties: {{DomainName: refused.example.com, CertificateArn: '{ACM}/1'}}
  Mapping:
    Type: AWS::ApiGateway::BasePathMappingV2
    Properties: {{DomainNameArn: !Ref Private, RestApiId: !Ref Api}}
  Wrong:
    Type: AWS::ApiGateway::BasePathMappingV2
    Properties: {{DomainNameArn: renamed.example.com, RestApiId: !Ref Api}}
  Link: {{Type: AWS::ApiGateway::VpcLink, Properties: {{Name: l, TargetArns: ['arn:aws:s3:::bucket']}}}}
""",
        "refused",
    )
    assert sorted(found) == [
        "Link: the VPC link has failed: NLB ARN is malformed.",
        "Mapping: CreateBasePathMapping: BadRequestException: Tidegate does not support base path mappings of private "
        "domain names yet",
        "Wrong: DomainNameArn: not an ARN: renamed.example.com",
    ]
    assert live.apigateway.get_vpc_links()["items"] == []


@pytest.mark.parametrize(
    ("kind", "good", "bad", "message"),
    [
        ("UsagePlan", "{Quota: {Limit: 1, Period: DAY}}", "{Quota: {Limit: 1, Hours: 1}}", "property Quota.Hours"),
        ("UsagePlan", "{Throttle: {RateLimit: 1, BurstLimit: 1}}", "{Throttle: 1}", "Throttle: an object is expected"),
        ("ClientCertificate", "{Description: a}", "{Description: {a: b}}", "description: text is expected, not dict"),
    ],
)
def test_an_update_is_held_to_the_same_shapes(live: LiveBench, kind: str, good: str, bad: str, message: str) -> None:
    template = f"Resources: {{It: {{Type: AWS::ApiGateway::{kind}, Properties: %s}}}}"
    live.deploy(template % good, "shapes")
    (failure,) = failures(live, template % bad, "shapes")
    assert message.lower() in failure.lower()
    live.remove("shapes")


def test_a_definition_in_s3(live: LiveBench) -> None:
    s3 = live.client("s3")
    s3.create_bucket(Bucket="definitions")
    s3.put_object(Bucket="definitions", Key="api.json", Body=json.dumps(OPENAPI).encode())
    template = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      BodyS3Location: {Bucket: definitions, Key: api.json}
      Parameters: {endpointConfigurationTypes: REGIONAL}
  Sam: {Type: AWS::Serverless::Api, Properties: {StageName: v1, DefinitionUri: s3://definitions/api.json}}
Outputs: {Api: {Value: !Ref Api}, Sam: {Value: !Ref Sam}}
"""
    outputs = live.deploy(template, "from-s3").outputs
    for api in outputs.values():
        paths = [resource["path"] for resource in live.apigateway.get_resources(restApiId=api)["items"]]
        assert sorted(paths) == ["/", "/x"]
    found = live.apigateway.get_rest_api(restApiId=outputs["Api"])
    holds({"name": "From S3", "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"}}, found)
    s3.put_bucket_versioning(Bucket="definitions", VersioningConfiguration={"Status": "Enabled"})
    body = json.dumps(OPENAPI | {"info": {"title": "Second", "version": "1"}}).encode()
    second = s3.put_object(Bucket="definitions", Key="api.json", Body=body)
    s3.put_object(Bucket="definitions", Key="api.json", Body=b"{}")
    place = f"Key: api.json, Version: {second['VersionId']}, ETag: '{second['ETag']}'"
    live.deploy(template.replace("Key: api.json", place), "from-s3")
    assert live.apigateway.get_rest_api(restApiId=outputs["Api"])["name"] == "Second"
    (failure,) = failures(live, template.replace("Key: api.json", "Key: none.json"), "from-s3")
    assert failure.startswith("Api: GetObject: NoSuchKey: ")
    live.remove("from-s3")


def test_warnings_of_an_import_can_fail_it(live: LiveBench) -> None:
    body = json.dumps(OPENAPI | {"strange": {}})
    template = (
        f"Resources: {{Api: {{Type: AWS::ApiGateway::RestApi, Properties: {{FailOnWarnings: %s, Body: {body}}}}}}}"
    )
    assert any(line.startswith("Api.Body: ") for line in live.deploy(template % "false", "warned").warnings)
    (failure,) = failures(live, template % "true", "warned")
    assert failure.startswith("Api: PutRestApi: BadRequestException: Warnings found during import:")
    live.remove("warned")


def test_a_clone(live: LiveBench) -> None:
    template = API + (
        "  ACopy: {Type: AWS::ApiGateway::RestApi, Properties: {Name: copy, CloneFrom: !Ref Api}}\n"
        "Outputs: {Api: {Value: !Ref ACopy}}\n"
    )
    api = live.deploy(template, "clone").outputs["Api"]
    (root,) = live.apigateway.get_resources(restApiId=api)["items"]
    assert [*root["resourceMethods"]] == ["GET"]
    live.remove("clone")


INCLUDED = """
openapi: 3.0.1
info: {title: !Sub '${AWS::StackName}-api', version: '1'}
paths:
  /pets:
    get:
      x-amazon-apigateway-integration:
        type: aws_proxy
        httpMethod: POST
        uri: !Sub 'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Fn.Arn}/invocations'
"""


def test_an_included_definition_with_functions_in_it(live: LiveBench) -> None:
    live.write("api.yaml", INCLUDED)
    template = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      DefinitionBody: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: "def handler(event, context): return {'statusCode': 200, 'body': event['resource']}"
      Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /pets, Method: get}}}
Outputs: {Api: {Value: !Ref Api}}
"""
    api = live.deploy(template, "included").outputs["Api"]
    assert live.apigateway.get_rest_api(restApiId=api)["name"] == "included-api"
    answer = live.server.call(api, "/v1/pets")
    assert (answer.status, answer.body) == (200, b"/pets")
    live.remove("included")


SAM_FUNCTION = """
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: "def handler(event, context): return {'statusCode': 200, 'body': event['resource']}"
      Events:
        Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /pets, Method: get%s}}
        Post: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /pets, Method: post%s}}
Outputs: {Api: {Value: !Ref Api}}
"""
SAM = (
    """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Cors: {AllowOrigin: "'*'", AllowHeaders: "'X-A'"}
      Models: {Pet: {type: object, required: [name]}}
      GatewayResponses: {DEFAULT_4XX: {StatusCode: 418, ResponseParameters: {Headers: {X-A: "'a'"}}}}
      Domain:
        DomainName: sam.example.com
        CertificateArn: !Ref Certificate
        EndpointConfiguration: REGIONAL
        BasePath: [v1, v2]
        Route53: {HostedZoneId: Z1}
      Auth: {UsagePlan: {CreateUsagePlan: PER_API, Quota: {Limit: 10, Period: DAY}}}
  Certificate: {Type: AWS::CertificateManager::Certificate, Properties: {DomainName: sam.example.com}}
"""
    + SAM_FUNCTION % ("", ", RequestModel: {Model: Pet, Required: true}")
)


def test_what_sam_makes_of_an_api(live: LiveBench) -> None:
    made = live.deploy(SAM, "sam-parts")
    client, api = live.apigateway, made.outputs["Api"]
    assert client.get_model(restApiId=api, modelName="pet")["contentType"] == "application/json"
    response = client.get_gateway_response(restApiId=api, responseType="DEFAULT_4XX")
    holds({"statusCode": "418", "responseParameters": {"gatewayresponse.header.X-A": "'a'"}}, response)
    mappings = client.get_base_path_mappings(domainName="sam.example.com")["items"]
    assert [(item["basePath"], item["restApiId"], item["stage"]) for item in mappings] == [
        ("v1", api, "prod"),
        ("v2", api, "prod"),
    ]
    plan = client.get_usage_plan(usagePlanId=made.physical_ids["ApiUsagePlan"])
    assert plan["quota"] == {"limit": 10, "offset": 0, "period": "DAY"}
    (key,) = client.get_usage_plan_keys(usagePlanId=plan["id"])["items"]
    assert client.get_api_key(apiKey=key["id"])["enabled"] is True
    domain = client.get_domain_name(domainName="sam.example.com")
    assert domain["regionalCertificateArn"] == made.physical_ids["Certificate"]
    assert any("AWS::Route53::RecordSetGroup is recorded; that the name leads" in line for line in made.warnings)
    preflight = live.server.call(api, "/prod/pets", method="OPTIONS")
    assert preflight.header("Access-Control-Allow-Headers") == "X-A"
    assert live.server.call(api, "/prod/pets").body == b"/pets"
    assert live.server.call(api, "/prod/nothing").header("X-A") == "a"
    live.remove("sam-parts")


def test_authorization_that_sam_declares_reaches_the_api(live: LiveBench) -> None:
    """Its methods cannot be deployed yet: the gateway's own words, at the deployment that SAM makes."""
    auth = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: prod
      Auth:
        DefaultAuthorizer: Token
        Authorizers:
          Token: {FunctionArn: !GetAtt Fn.Arn}
          Pool: {UserPoolArn: 'arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_a'}
        ApiKeyRequired: true
"""
    template = auth + SAM_FUNCTION % ("", ", Auth: {Authorizer: Pool}")
    (failure,) = failures(live, template, "sam-auth")
    assert failure.startswith("ApiDeployment")
    assert ": CreateDeployment: BadRequestException: Invalid API: Tidegate does not support " in failure
    assert "authorization type CUSTOM yet: /paths/~1pets/GET/authorizationType" in failure
    assert "authorization type COGNITO_USER_POOLS yet: /paths/~1pets/POST/authorizationType" in failure
    assert "sam-auth" not in {api["name"] for api in live.apigateway.get_rest_apis(limit=500)["items"]}


def test_an_update_that_failed_half_way_is_finished_by_the_next(live: LiveBench) -> None:
    def stage(rest: str) -> str:
        return HEAD.replace("StageName: prod}", f"StageName: prod, {rest}}}")

    live.deploy(stage("Variables: {a: 1}") + "Outputs: {Api: {Value: !Ref Api}}", "half-update")
    (failure,) = failures(live, stage("Tags: [{Key: 'aws:x', Value: y}]"), "half-update")
    assert failure.startswith("Stage: TagResource: BadRequestException: ")
    made = live.deploy(stage("Tags: [{Key: x, Value: y}]") + "Outputs: {Api: {Value: !Ref Api}}", "half-update")
    found = live.apigateway.get_stage(restApiId=made.outputs["Api"], stageName="prod")
    assert (found.get("variables"), found["tags"]) == (None, {"x": "y"})
    live.remove("half-update")
