"""Whole stacks of API Gateway through the running program: what belongs together comes and goes in the right order, stages and
deployments with everything that they describe, what is refused and by whom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.apigateway_cases import ACM, HEAD
from tests.deploy.conftest import LiveBench, failures
from tests.deploy.test_apigateway_types import actions, holds

MOCK = "{Type: MOCK, RequestTemplates: {application/json: '{\"statusCode\": 200}'}}"
API = HEAD[: HEAD.index("  Deployment:")]


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
