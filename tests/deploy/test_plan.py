"""What is found out before anything is created: SAM's ids, order, refusals and warnings by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.conftest import Bench
from tidegate.deploy.errors import DeployError
from tidegate.deploy.graph import CycleError, topological
from tidegate.deploy.parameters import Target
from tidegate.deploy.plan import Plan, make_plan

SAM = "Transform: AWS::Serverless-2016-10-31\n"
INLINE = "Runtime: python3.11, Handler: index.handler, InlineCode: 'x'"
HELLO = f"""{SAM}
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: x
      Events: {{Get: {{Type: Api, Properties: {{Path: /hello, Method: get}}}}}}
"""


def plan(folder: Path, text: str, **given: str) -> Plan:
    path = folder / "t.yaml"
    path.write_text(text)
    target = Target("demo", "000000000000", "us-east-1")
    return make_plan(path, target=target, given=given, exports={"shared": "v"}, cache=folder)


def problems(folder: Path, text: str, **given: str) -> list[str]:
    with pytest.raises(DeployError) as caught:
        plan(folder, text, **given)
    return [str(problem) for problem in caught.value.problems]


def order(made: Plan) -> list[str]:
    return [resource.logical_id for resource in made.resources]


def test_ids_that_only_sam_makes(tmp_path: Path) -> None:
    outputs = """
  My:
    Type: AWS::Serverless::Api
    Properties: {StageName: dev}
  Other:
    Type: AWS::Serverless::Function
    DependsOn: ServerlessRestApi
    Properties:
      Runtime: python3.11
      Handler: index.handler
      InlineCode: x
      Events: {Any: {Type: Api, Properties: {RestApiId: !Ref My, Path: '/{proxy+}', Method: any}}}
Outputs:
  A: {Value: !Sub 'https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod/'}
  B: {Value: !GetAtt HelloRole.Arn}
  C: {Value: !Ref My.Stage}
  D: {Value: !Ref My.Deployment}
  E: {Value: !Ref ServerlessRestApiProdStage}
  F: {Value: !Ref MydevStage}
  G: {Value: !Sub '${Hello.Arn} ${My.RootResourceId} ${ServerlessRestApi.Deployment}'}
"""
    made = plan(tmp_path, HELLO + outputs)
    assert {"ServerlessRestApi", "HelloRole", "ServerlessRestApiProdStage", "MydevStage"} <= {*order(made)}


def test_policies_in_every_form(tmp_path: Path) -> None:
    policies = """
        - AWSLambdaExecute
        - arn:aws:iam::aws:policy/Own
        - SomethingThatIsNew
        - DynamoDBCrudPolicy: {TableName: !Ref Table}
        - Version: 2012-10-17
          Statement: [{Effect: Allow, Action: 's3:*', Resource: '*'}]
"""
    text = f"{HELLO}      Policies:{policies}  Table: {{Type: AWS::Serverless::SimpleTable}}\n"
    (role,) = (resource for resource in plan(tmp_path, text).resources if resource.logical_id == "HelloRole")
    assert role.properties["ManagedPolicyArns"][1:] == [
        "arn:aws:iam::aws:policy/AWSLambdaExecute",
        "arn:aws:iam::aws:policy/Own",
        "arn:aws:iam::aws:policy/SomethingThatIsNew",
    ]
    assert len(role.properties["Policies"]) == 2


def test_policies_as_a_map(tmp_path: Path) -> None:
    policies = "      Policies: {DynamoDBReadPolicy: {TableName: !Ref Table}}\n"
    text = f"{HELLO}{policies}  Table: {{Type: AWS::Serverless::SimpleTable}}\n"
    assert "HelloRole" in order(plan(tmp_path, text))


def test_connectors_are_done(tmp_path: Path) -> None:
    connector = "    Connectors: {Use: {Properties: {Destination: {Id: Table}, Permissions: [Read, Write]}}}\n"
    made = plan(tmp_path, f"{HELLO}{connector}  Table: {{Type: AWS::Serverless::SimpleTable}}\n")
    assert "HelloUsePolicy" in order(made)
    assert not any(line.startswith("HelloUsePolicy") for line in made.warnings)


def test_all_errors_of_sam_at_once(tmp_path: Path) -> None:
    text = SAM + "Resources:\n"
    for name in ("A", "B"):
        text += f"  {name}: {{Type: AWS::Serverless::Function, Properties: {{{INLINE}, Tracing: 5, Nope: 1}}}}\n"
    found = problems(tmp_path, text + "  Net: {Type: AWS::EC2::VPC}\n")
    assert [line.split(":")[0] for line in found] == ["A", "B", "Net"]


RAW = """
Resources:
  Stage: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref Api, DeploymentId: !Ref Dep, StageName: v1}}
  Dep: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api}}
  Post: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref Api, ResourceId: !Ref Path, HttpMethod: POST}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties: {RestApiId: !Ref Api, ResourceId: !GetAtt Api.RootResourceId, HttpMethod: GET}
  Path:
    Type: AWS::ApiGateway::Resource
    Properties: {RestApiId: !Ref Api, ParentId: !GetAtt Api.RootResourceId, PathPart: x}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: raw}}
"""


def test_all_methods_come_before_a_deployment(tmp_path: Path) -> None:
    made = plan(tmp_path, RAW)
    assert order(made) == ["Api", "Get", "Path", "Post", "Dep", "Stage"]
    assert made.snapshots == {"Dep": frozenset({"Api", "Get", "Path", "Post"})}


def test_a_method_that_needs_the_deployment_makes_no_cycle(tmp_path: Path) -> None:
    text = RAW.replace("HttpMethod: POST}}", "HttpMethod: POST}, DependsOn: Dep}")
    assert {*order(plan(tmp_path, text))[-2:]} == {"Post", "Stage"}


@pytest.mark.parametrize(
    ("dependencies", "result"),
    [
        ({"a": {"b"}, "b": set(), "c": set()}, ["b", "a", "c"]),
        ({"a": set(), "b": {"a"}, "c": {"a", "b"}}, ["a", "b", "c"]),
    ],
)
def test_order(dependencies: dict[str, set[str]], result: list[str]) -> None:
    assert topological(dependencies) == result


def test_a_cycle_names_its_members_only() -> None:
    with pytest.raises(CycleError, match=r"Circular dependency between resources: \[a, b\]"):
        topological({"start": set(), "a": {"b", "start"}, "b": {"a"}, "after": {"a"}})


def test_a_cycle_in_a_template(tmp_path: Path) -> None:
    role = "{Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {}, Description: !Ref %s}}"
    found = problems(tmp_path, f"Resources:\n  A: {role % 'B'}\n  B: {role % 'A'}\n")
    assert found == ["Resources: Circular dependency between resources: [A, B]"]


def test_refused_types_are_all_named_at_once(tmp_path: Path) -> None:
    text = """
Resources:
  Net: {Type: AWS::EC2::VPC}
  Mine: {Type: 'Custom::Thing'}
  Table: {Type: AWS::DynamoDB::Table, Properties: {KeySchema: []}}
  Off: {Type: AWS::EC2::Subnet, Condition: Never}
Conditions: {Never: !Equals [a, b]}
"""
    assert problems(tmp_path, text) == [
        "Net: the resource type AWS::EC2::VPC is not supported",
        "Mine: custom resources (Custom::Thing) are not supported",
    ]


def test_refused_types_that_sam_makes(tmp_path: Path) -> None:
    gradual = "AutoPublishAlias: live, DeploymentPreference: {Type: Canary10Percent5Minutes}"
    text = SAM + f"Resources: {{Fn: {{Type: AWS::Serverless::Function, Properties: {{{INLINE}, {gradual}}}}}}}"
    found = problems(tmp_path, text)
    assert any(
        "AWS::CodeDeploy::Application, which the SAM transform makes, is not supported" in line for line in found
    )


@pytest.mark.parametrize(
    ("event", "refusal"),
    [
        ("{Type: Schedule, Properties: {Schedule: rate(1 hour)}}", "FnIt.ScheduleExpression: nothing happens on"),
        ("{Type: EventBridgeRule, Properties: {Pattern: {source: [s]}}}", "FnIt.Targets: AWS::Lambda::Function: rules"),
        ("{Type: SNS, Properties: {Topic: !Ref Topic}}", "FnIt.Protocol: functions are not called by topics"),
        ("{Type: S3, Properties: {Bucket: !Ref Bucket, Events: s3:ObjectCreated:*}}", "Bucket.NotificationConf"),
    ],
)
def test_what_would_never_call_a_function_is_refused(tmp_path: Path, event: str, refusal: str) -> None:
    function = f"{{Type: AWS::Serverless::Function, Properties: {{{INLINE}, Events: {{It: {event}}}}}}}"
    sources = "  Topic: {Type: AWS::SNS::Topic}\n  Bucket: {Type: AWS::S3::Bucket}\n"
    found = problems(tmp_path, SAM + f"Resources:\n  Fn: {function}\n{sources}")
    assert any(line.startswith(refusal) for line in found), found


def test_other_transforms_are_refused(tmp_path: Path) -> None:
    text = "Transform: [AWS::LanguageExtensions, Mine]\nResources: {A: {Type: AWS::CDK::Metadata}}"
    assert problems(tmp_path, text) == [
        "Transform: the transform AWS::LanguageExtensions is not supported",
        "Transform: the transform Mine is not supported",
    ]


def test_everything_wrong_with_properties_at_once(tmp_path: Path) -> None:
    text = """
Resources:
  Fn:
    Type: AWS::Lambda::Function
    UpdatePolicy: {}
    DeletionPolicy: Snapshot
    Properties: {Code: {ZipFile: x}, TenancyConfig: {a: b}, Memory: 5, Timeout: !Select [3, [a]]}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: !GetAtt Fn.Name, CloneFrom: !Ref AWS::NoValue}}
"""
    assert problems(tmp_path, text) == [
        "Fn.UpdatePolicy: the resource attribute UpdatePolicy is not supported",
        "Fn.DeletionPolicy: the policy Snapshot is not supported",
        "Fn.TenancyConfig: is not supported",
        "Fn: Encountered unsupported property Memory",
        "Fn.Timeout: Template error: Fn::Select cannot select nonexistent value at index 3",
        "Fn: Property Role cannot be empty.",
        "Api.Name: Template error: resource Fn does not support attribute type Name in Fn::GetAtt",
    ]


def test_unresolved_references_are_told_once_for_each_block(tmp_path: Path) -> None:
    text = """
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, DependsOn: Gone, Properties: {Name: !Sub '${A}-${B.Arn}'}}
Outputs: {O: {Value: !Ref C}}
"""
    assert problems(tmp_path, text) == [
        "Resources: Template format error: Unresolved resource dependencies [A, B, Gone] in the Resources block of the "
        "template",
        "Outputs: Template format error: Unresolved resource dependencies [C] in the Outputs block of the template",
    ]


def test_a_resource_whose_condition_is_false_is_unresolved(tmp_path: Path) -> None:
    text = """
Parameters: {Make: {Type: String, Default: 'no'}}
Conditions: {Made: !Not [{Condition: Unmade}], Unmade: !Equals [!Ref Make, 'no']}
Resources:
  Role: {Type: AWS::IAM::Role, Condition: Made, Properties: {AssumeRolePolicyDocument: {}}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: !If [Made, !Ref Role, plain]}}
Outputs:
  R: {Condition: Made, Value: !Ref Role}
"""
    assert order(plan(tmp_path, text)) == ["Api"]
    assert order(plan(tmp_path, text, Make="yes")) == ["Role", "Api"]
    broken = text.replace("!If [Made, !Ref Role, plain]", "!Ref Role")
    assert "[Role] in the Resources block" in problems(tmp_path, broken)[0]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ("{A: !Not [{Condition: B}], B: !Not [{Condition: A}]}", "circular dependency between conditions: [A, B]"),
        ("{A: !Not [{Condition: Z}]}", "Conditions.A: Template format error: Unresolved condition dependency Z"),
        ("{A: !Equals [!Ref Api, x]}", "Conditions.A: Template format error: Unresolved resource dependencies [Api]"),
    ],
)
def test_conditions_that_cannot_be_decided(tmp_path: Path, conditions: str, message: str) -> None:
    text = f"Conditions: {conditions}\nResources: {{Api: {{Type: AWS::ApiGateway::RestApi}}}}"
    assert message in problems(tmp_path, text)[0]


def test_properties_without_effect_are_named(tmp_path: Path) -> None:
    text = HELLO.replace("InlineCode: x", "InlineCode: x\n      Tracing: Active\n      Architectures: [riscv]") + (
        "Globals: {Api: {TracingEnabled: true, MethodSettings: [{HttpMethod: '*', ResourcePath: '/*', "
        "LoggingLevel: INFO}]}}\n"
    )
    warnings = plan(tmp_path, text).warnings
    assert [line.split(":")[0] for line in warnings] == [
        "Hello.Architectures",
        "Hello.TracingConfig",
    ]


def test_what_asks_for_nothing_is_not_warned_of(tmp_path: Path) -> None:
    text = HELLO + "Globals: {Api: {TracingEnabled: false}, Function: {Tracing: PassThrough}}\n"
    assert [line.split(":")[0] for line in plan(tmp_path, text).warnings] == []


def test_nothing_is_touched_when_something_is_wrong(bench: Bench) -> None:
    with pytest.raises(DeployError):
        bench.deploy(RAW + "  Net: {Type: AWS::EC2::VPC}\n")
    assert (bench.world.calls, bench.stacks, bench.lines) == ([], {}, [])
