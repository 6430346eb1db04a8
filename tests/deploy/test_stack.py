"""Applying: create, update, replace, remove, fail, go on; the state is true after every step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deploy.conftest import Bench
from tidegate.deploy.errors import DeployError

TABLE = """
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]%s
"""
MOCK = """
Parameters: {Message: {Type: String, Default: hello}, Timeout: {Type: Number, Default: 5000}}
Resources:
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: mock
      EndpointConfiguration: {Types: [REGIONAL]}
      BinaryMediaTypes: [image~1png, text/x]
      Tags: [{Key: _custom_id_, Value: mymock}]
  Hello:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: '{name}'}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !Ref Hello
      HttpMethod: GET
      ApiKeyRequired: 'false'
      AuthorizationType: NONE
      RequestParameters: {method.request.path.name: true}
      Integration:
        Type: MOCK
        TimeoutInMillis: !Ref Timeout
        RequestTemplates: {application/json: '{"statusCode": 200}'}
        IntegrationResponses:
          - StatusCode: 200
            ResponseTemplates: {application/json: !Sub '{"say": "${Message}"}'}
            ResponseParameters: {method.response.header.X-A: "'b'"}
      MethodResponses:
        - StatusCode: 200
          ResponseParameters: {method.response.header.X-A: true}
          ResponseModels: {application/json: Empty}
  Dep1: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Dep1, StageName: v1, Variables: {a: 1}}
Outputs:
  Url:
    Value: !Sub 'https://${Api}.execute-api.${AWS::Region}.amazonaws.com/${Stage}/x'
    Export: {Name: !Sub '${AWS::StackName}-url'}
"""
FUNCTION = """
Parameters: {Memory: {Type: Number, Default: 128}, Code: {Type: String, Default: 'x = 1'}}
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Code: {ZipFile: !Ref Code}
      Handler: index.handler
      Runtime: python3.11
      Role: arn:aws:iam::000000000000:role/r
      MemorySize: !Ref Memory
      Timeout: '10'
      Environment: {Variables: {LEVEL: 5, ON: true}}
      Tags: [{Key: team, Value: a}]%s
  Allow:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Fn, Principal: apigateway.amazonaws.com}
"""


def actions(bench: Bench) -> dict[str, str]:
    lines = [line.split() for line in bench.lines]
    return {words[2]: words[0] for words in lines if len(words) > 3 and words[1].startswith("AWS::")}


def test_a_mock_api(bench: Bench) -> None:
    result = bench.deploy(MOCK)
    world = bench.world
    assert world.params("CreateRestApi") == [
        {
            "name": "mock",
            "endpointConfiguration": {"types": ["REGIONAL"]},
            "binaryMediaTypes": ["image/png", "text/x"],
            "tags": {"_custom_id_": "mymock"},
        }
    ]
    key = {"restApiId": "api1", "resourceId": "res2", "httpMethod": "GET"}
    assert world.params("PutMethod") == [
        {
            **key,
            "authorizationType": "NONE",
            "apiKeyRequired": False,
            "requestParameters": {"method.request.path.name": True},
        }
    ]
    (integration,) = world.params("PutIntegration")
    assert integration["type"] == "MOCK"
    assert integration["timeoutInMillis"] == 5000
    (answer,) = world.params("PutIntegrationResponse")
    assert answer["responseTemplates"] == {"application/json": '{"say": "hello"}'}
    assert world.params("PutMethodResponse")[0]["statusCode"] == "200"
    assert world.params("CreateStage")[0]["variables"] == {"a": "1"}
    assert [op for op in world.operations() if op.startswith("Create")] == [
        "CreateRestApi",
        "CreateResource",
        "CreateDeployment",
        "CreateStage",
    ]
    assert result.outputs == {"Url": "https://api1.execute-api.us-east-1.amazonaws.com/v1/x"}
    assert result.urls == ("http://127.0.0.1:4566/_aws/execute-api/api1/v1",)
    assert bench.stacks["demo"]["Exports"] == {"demo-url": result.outputs["Url"]}


def test_nothing_changes_when_nothing_changed(bench: Bench) -> None:
    bench.deploy(MOCK)
    bench.world.calls.clear()
    bench.deploy(MOCK)
    assert bench.world.operations() == []
    assert {*actions(bench).values()} == {"unchanged"}


def test_a_method_is_changed_and_the_stale_deployment_told(bench: Bench) -> None:
    bench.deploy(MOCK)
    bench.world.calls.clear()
    result = bench.deploy(MOCK, Message="bye")
    assert bench.world.operations("Put", "Delete", "Create") == [
        "DeleteMethod",
        "PutMethod",
        "PutMethodResponse",
        "PutIntegration",
        "PutIntegrationResponse",
    ]
    assert [
        line for line in result.warnings if line.startswith("Dep1: the API has changed and this deployment has not")
    ]


def test_a_new_deployment_repoints_the_stage_and_the_old_one_goes(bench: Bench) -> None:
    bench.deploy(MOCK)
    bench.world.calls.clear()
    result = bench.deploy(MOCK.replace("Dep1", "Dep2"), Message="bye")
    (patch,) = bench.world.params("UpdateStage")
    assert patch["patchOperations"] == [{"op": "replace", "path": "/deploymentId", "value": "dep4"}]
    assert bench.world.operations()[-1] == "DeleteDeployment"
    assert not any("stale" in line or "has changed" in line for line in result.warnings)
    assert "Dep1" not in bench.state()


def test_an_api_from_a_definition(bench: Bench) -> None:
    body = "{info: {title: Pets}, paths: {/: {get: {x: !Sub '${AWS::Region}'}}}}"
    text = "Resources: {Api: {Type: AWS::ApiGateway::RestApi, Properties: {Body: %s, Description: pets%s}}}"
    result = bench.deploy(
        text % (body, ", FailOnWarnings: 'true', Parameters: {endpointConfigurationTypes: EDGE, basepath: ignore}")
    )
    (put,) = bench.world.params("PutRestApi")
    assert (put["mode"], put["failOnWarnings"], put["parameters"]) == ("overwrite", True, {"basepath": "ignore"})
    assert json.loads(put["body"])["paths"] == {"/": {"get": {"x": "us-east-1"}}}
    assert bench.world.params("CreateRestApi")[0]["name"] == "Pets"
    assert "Api.Body: something is not known" in result.warnings
    assert bench.world.params("UpdateRestApi")[0]["patchOperations"][0]["path"] == "/description"
    bench.world.calls.clear()
    bench.deploy(text % (body.replace("get", "post"), ""))
    assert bench.world.operations() == ["PutRestApi", "UpdateRestApi"]


def test_an_api_without_a_name_is_refused(bench: Bench) -> None:
    with pytest.raises(DeployError, match="Api: Name is required"):
        bench.deploy("Resources: {Api: {Type: AWS::ApiGateway::RestApi}}")


def test_a_function(bench: Bench) -> None:
    result = bench.deploy(FUNCTION % "")
    (made,) = bench.world.params("CreateFunction")
    assert made["FunctionName"].startswith("demo-Fn-")
    assert len(made["FunctionName"]) == len("demo-Fn-") + 12
    assert made["Environment"] == {"Variables": {"LEVEL": "5", "ON": "true"}}
    assert (made["MemorySize"], made["Timeout"], made["Tags"]) == (128, 10, {"team": "a"})
    (permission,) = bench.world.params("AddPermission")
    assert permission["FunctionName"] == made["FunctionName"] == result.physical_ids["Fn"]


@pytest.mark.parametrize(
    ("change", "operations"),
    [
        ({"Memory": "256"}, ["UpdateFunctionConfiguration"]),
        ({"Code": "x = 2"}, ["UpdateFunctionCode"]),
    ],
)
def test_a_function_changes_in_place(bench: Bench, change: dict[str, str], operations: list[str]) -> None:
    bench.deploy(FUNCTION % "")
    bench.world.calls.clear()
    bench.deploy(FUNCTION % "", **change)
    assert bench.world.operations() == operations


def test_what_is_no_longer_given_goes_back_to_its_default(bench: Bench) -> None:
    bench.deploy(FUNCTION % "")
    lines = (FUNCTION % "").splitlines()
    bench.deploy(
        "\n".join(line for line in lines if "Timeout" not in line and "Environment" not in line and "Tags" not in line)
    )
    (change,) = bench.world.params("UpdateFunctionConfiguration")
    assert (change["Timeout"], change["Environment"]) == (3, {"Variables": {}})
    assert bench.world.params("UntagResource")[-1]["TagKeys"] == ["team"]


def test_tags_that_the_server_cannot_change_are_told(bench: Bench) -> None:
    bench.deploy(FUNCTION % "")
    bench.world.failing["TagResource"] = "TagResource is not supported"
    bench.world.codes["TagResource"] = "UnsupportedOperationException"
    result = bench.deploy((FUNCTION % "").replace("Value: a", "Value: b"))
    assert [line for line in result.warnings if line.startswith("Fn.Tags: TagResource: Unsupported")]


def test_a_new_name_replaces_a_function_and_what_names_it(bench: Bench) -> None:
    bench.deploy(FUNCTION % "\n      FunctionName: one")
    bench.world.calls.clear()
    bench.deploy(FUNCTION % "\n      FunctionName: two")
    assert bench.world.operations() == ["CreateFunction", "AddPermission", "RemovePermission", "DeleteFunction"]
    assert bench.world.params("RemovePermission")[0]["FunctionName"] == "one"
    old, new = bench.world.params("RemovePermission")[0]["StatementId"], bench.state()["Allow"]["PhysicalId"]
    assert old != new
    assert bench.stacks["demo"]["Retired"] == []


def test_what_the_neighbour_forgot_is_made_again(bench: Bench) -> None:
    bench.deploy(FUNCTION % "")
    bench.world.calls.clear()
    bench.world.gone.add("GetFunction")
    bench.deploy(FUNCTION % "")
    assert actions(bench) == {"Fn": "restored", "Allow": "unchanged"}
    assert bench.world.operations() == ["CreateFunction"]


def test_a_table(bench: Bench) -> None:
    more = """
      StreamSpecification: {StreamViewType: NEW_IMAGE}
      TimeToLiveSpecification: {AttributeName: until, Enabled: 'true'}
      Tags: [{Key: a, Value: b}]
      SSESpecification: {SSEEnabled: true}"""
    text = (
        f"Resources:{TABLE % more}Outputs: {{S: {{Value: !GetAtt Table.StreamArn}}, A: {{Value: !GetAtt Table.Arn}}}}"
    )
    result = bench.deploy(text)
    (made,) = bench.world.params("CreateTable")
    assert made["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    assert bench.world.params("UpdateTimeToLive")[0]["TimeToLiveSpecification"]["Enabled"] is True
    assert result.outputs["S"] == result.outputs["A"] + "/stream/1"
    assert [line for line in result.warnings if line.startswith("Table.SSESpecification: ")]
    bench.world.calls.clear()
    bench.deploy(text.replace("      TimeToLiveSpecification: {AttributeName: until, Enabled: 'true'}\n", ""))
    (expiry,) = bench.world.params("UpdateTimeToLive")
    assert expiry["TimeToLiveSpecification"] == {"AttributeName": "until", "Enabled": False}


def test_indexes_are_made_and_removed_one_at_a_time(bench: Bench) -> None:
    def indexes(*names: str) -> str:
        key = "KeySchema: [{AttributeName: id, KeyType: HASH}], Projection: {ProjectionType: ALL}"
        listed = ", ".join(f"{{IndexName: {name}, {key}}}" for name in names)
        return f"Resources:{TABLE % f'{chr(10)}      GlobalSecondaryIndexes: [{listed}]'}"

    bench.deploy(indexes("one"))
    bench.world.calls.clear()
    bench.deploy(indexes("two", "three"))
    changes = [params["GlobalSecondaryIndexUpdates"] for params in bench.world.params("UpdateTable")]
    assert [[*change[0]] for change in changes] == [["Delete"], ["Create"], ["Create"]]


def test_a_key_that_changes_replaces_a_table(bench: Bench) -> None:
    bench.deploy(f"Resources:{TABLE % ''}")
    first = bench.state()["Table"]["PhysicalId"]
    bench.deploy(f"Resources:{TABLE % ''}".replace("id,", "pk,"))
    assert bench.state()["Table"]["PhysicalId"] != first
    assert bench.world.params("DeleteTable") == [{"TableName": first}]


def test_a_named_table_is_not_replaced(bench: Bench) -> None:
    bench.deploy(f"Resources:{TABLE % ''}      TableName: mine")
    with pytest.raises(DeployError, match="Rename mine and update the stack again"):
        bench.deploy(f"Resources:{TABLE % ''}      TableName: mine".replace("id,", "pk,"))
    assert bench.world.params("DeleteTable") == []


def test_what_is_gone_is_removed_and_retained_things_stay(bench: Bench) -> None:
    keep = "    DeletionPolicy: Retain\n"
    bench.deploy(MOCK)
    bench.deploy(f"Resources:{TABLE % ''}{keep}")
    assert bench.world.operations("Delete") == [
        "DeleteStage",
        "DeleteDeployment",
        "DeleteMethod",
        "DeleteResource",
        "DeleteRestApi",
    ]
    bench.deploy("Resources: {Meta: {Type: AWS::CDK::Metadata}}")
    assert actions(bench)["Table"] == "retained"
    assert bench.world.params("DeleteTable") == []
    assert [*bench.state()] == ["Meta"]


def test_a_first_creation_that_fails_is_taken_back(bench: Bench) -> None:
    bench.world.failing["CreateStage"] = "no stage today"
    with pytest.raises(DeployError) as caught:
        bench.deploy(MOCK)
    assert str(caught.value) == "Stage: CreateStage: BadRequestException: no stage today"
    assert bench.world.operations("Delete") == ["DeleteDeployment", "DeleteMethod", "DeleteResource", "DeleteRestApi"]
    assert bench.state() == {}
    bench.world.failing.clear()
    bench.deploy(MOCK)
    assert len(bench.state()) == 5


def test_a_method_that_fails_half_way_leaves_nothing(bench: Bench) -> None:
    bench.world.failing["PutIntegration"] = "no"
    with pytest.raises(DeployError, match="Get: PutIntegration"):
        bench.deploy(MOCK)
    assert bench.world.operations("Delete") == ["DeleteMethod", "DeleteResource", "DeleteRestApi"]


def test_all_failures_are_told_and_what_waits_is_skipped(bench: Bench) -> None:
    bench.world.failing = {"CreateFunction": "no function", "CreateTable": "no table"}
    with pytest.raises(DeployError) as caught:
        bench.deploy(FUNCTION % "" + TABLE % "")
    assert [problem.pointer for problem in caught.value.problems] == ["Fn", "Table"]
    assert actions(bench) == {"Fn": "failed", "Allow": "skipped", "Table": "failed"}


def test_an_update_that_fails_goes_on_at_the_next_run(bench: Bench) -> None:
    bench.deploy(MOCK)
    bench.world.failing["CreateTable"] = "not now"
    with pytest.raises(DeployError, match="Table: CreateTable"):
        bench.deploy(MOCK.replace("Outputs:", TABLE % "" + "Outputs:"), Message="bye")
    assert actions(bench)["Get"] == "updated"
    assert "Table" not in bench.state()
    bench.world.failing.clear()
    bench.world.calls.clear()
    bench.deploy(MOCK.replace("Outputs:", TABLE % "" + "Outputs:"), Message="bye")
    assert bench.world.operations() == ["CreateTable"]


def test_a_removal_that_fails_is_tried_again(bench: Bench) -> None:
    bench.deploy(f"Resources:{TABLE % ''}  Meta: {{Type: AWS::CDK::Metadata}}")
    bench.world.failing["DeleteTable"] = "busy"
    with pytest.raises(DeployError, match="Table: DeleteTable"):
        bench.deploy("Resources: {Meta: {Type: AWS::CDK::Metadata}}")
    assert "Table" in bench.state()
    bench.world.failing.clear()
    bench.deploy("Resources: {Meta: {Type: AWS::CDK::Metadata}}")
    assert [*bench.state()] == ["Meta"]


def test_a_type_does_not_change(bench: Bench) -> None:
    bench.deploy("Resources: {A: {Type: AWS::CDK::Metadata}}")
    with pytest.raises(DeployError, match="Update of resource type is not permitted"):
        bench.deploy("Resources: {A: {Type: AWS::Logs::LogGroup}}")


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ("Timeout: soon", "Timeout: a number is expected, not 'soon'"),
        ("Environment: {Vars: {}}", "Encountered unsupported property Environment.Vars"),
        ("Environment: text", "Environment: an object is expected"),
        ("Description: [a]", "Description: text is expected, not list"),
    ],
)
def test_values_that_do_not_fit_are_told_by_name(bench: Bench, properties: str, message: str) -> None:
    code = "{ZipFile: x}, Runtime: python3.11, Role: r"
    text = f"Resources: {{F: {{Type: AWS::Lambda::Function, Properties: {{Code: {code}, {properties}}}}}}}"
    with pytest.raises(DeployError) as caught:
        bench.deploy(text)
    assert str(caught.value) == f"F: {message}"


def test_exports_reach_other_stacks_and_are_unique(bench: Bench) -> None:
    bench.deploy(MOCK, name="one")
    imported = "Resources: {Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: !ImportValue one-url}}}"
    bench.deploy(imported, name="two")
    assert bench.world.params("CreateRestApi")[-1]["name"].startswith("https://api1.")
    with pytest.raises(DeployError, match="No export named one-url found"):
        bench.deploy(imported, name="one")
    again = "Resources: {M: {Type: AWS::CDK::Metadata}}\nOutputs: {O: {Value: x, Export: {Name: one-url}}}"
    with pytest.raises(DeployError, match="Export with name one-url is already exported by another stack"):
        bench.deploy(again, name="three")


def test_the_report(bench: Bench) -> None:
    bench.deploy(MOCK)
    report = "\n".join(bench.lines)
    assert "  Url = https://api1.execute-api.us-east-1.amazonaws.com/v1/x" in report
    assert "here: http://127.0.0.1:4566/_aws/execute-api/api1/v1/x" in report
    assert "http://api1.execute-api.localhost:4566/v1" in report
    base = "http://127.0.0.1:4566/_aws/execute-api/api1/v1/hello/{id}"
    assert f"  GET     {base}" in bench.lines
    assert f"  POST    {base}" in bench.lines


def test_a_stage_that_only_a_deployment_names(bench: Bench) -> None:
    text = MOCK[: MOCK.index("  Dep1")] + (
        "  Dep: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref Api, StageName: live, "
        "StageDescription: {Variables: {v: 1}, TracingEnabled: true}}}\n"
    )
    result = bench.deploy(text)
    assert result.urls == ("http://127.0.0.1:4566/_aws/execute-api/api1/live",)
    assert bench.world.params("CreateDeployment")[0]["variables"] == {"v": "1"}
    assert any(line.startswith("Dep.StageDescription.TracingEnabled: requests are marked") for line in result.warnings)


def test_names_that_are_too_long_are_cut(bench: Bench) -> None:
    result = bench.deploy((FUNCTION % "").replace("Fn", "F" * 80), name="s" * 100)
    name = result.physical_ids["F" * 80]
    assert len(name) == 64
    assert name.startswith("sss")


@pytest.mark.parametrize("name", ["", "1a", "a b", "a_b", "a" * 129])
def test_stack_names(bench: Bench, name: str) -> None:
    with pytest.raises(DeployError, match="stack name"):
        bench.deploy("Resources: {A: {Type: AWS::CDK::Metadata}}", name=name)


def test_recorded_types(bench: Bench) -> None:
    text = """
Resources:
  Logs: {Type: AWS::Logs::LogGroup, Properties: {LogGroupName: /a/b, RetentionInDays: 3}}
Outputs: {L: {Value: !GetAtt Logs.Arn}}
"""
    result = bench.deploy(text)
    assert bench.world.calls == []
    assert result.outputs["L"] == "arn:aws:logs:us-east-1:000000000000:log-group:/a/b:*"
    said = {line.split(":")[0] for line in result.warnings}
    assert said == {"Logs"}


def test_the_state_is_saved_after_every_step(bench: Bench) -> None:
    saved: list[Any] = []
    put = bench.stacks.put
    bench.stacks.put = lambda name, state: (saved.append(len(state["Resources"])), put(name, state))  # type: ignore[method-assign]
    bench.deploy(MOCK)
    assert saved == [1, 2, 3, 4, 5, 5]
