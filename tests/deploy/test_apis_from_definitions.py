"""APIs out of definitions, through the running program: in S3, included from a file, cloned, and what SAM makes."""

from __future__ import annotations

import json

from tests.deploy.apigateway_cases import HEAD
from tests.deploy.conftest import LiveBench, failures
from tests.deploy.test_apigateway_types import holds

API = HEAD[: HEAD.index("  Deployment:")]
OPENAPI = {
    "openapi": "3.0.1",
    "info": {"title": "From S3", "version": "1"},
    "paths": {"/x": {"get": {"x-amazon-apigateway-integration": {"type": "mock"}}}},
}


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


def test_authorization_that_sam_declares_guards_the_api(live: LiveBench) -> None:
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
"""
    template = auth + SAM_FUNCTION % ("", ", Auth: {Authorizer: Pool}")
    api = live.deploy(template, "sam-auth").outputs["Api"]
    for verb in ("GET", "POST"):
        answer = live.server.call(api, "/prod/pets", method=verb)
        assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    # The function is no authorizer: what it answers is no policy.
    broken = live.server.call(api, "/prod/pets", headers={"Authorization": "token"})
    assert (broken.status, broken.json) == (500, {"message": None})
    live.remove("sam-auth")
