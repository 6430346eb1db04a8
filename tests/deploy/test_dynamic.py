"""Dynamic references: looked up when a resource is made, never kept in the stack's record."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.deploy.conftest import LiveBench, failures
from tidegate.deploy.state import HttpStackStore


@pytest.fixture
def held(live: LiveBench) -> Iterator[str]:
    """A parameter and a secret; gives the secret's ARN."""
    live.client("ssm").put_parameter(Name="/dynamic/host", Value="first.example", Type="String")
    secrets = live.client("secretsmanager")
    arn = secrets.create_secret(Name="dynamic", SecretString='{"password": "hunter2", "port": 5}')["ARN"]
    yield str(arn)
    live.client("ssm").delete_parameter(Name="/dynamic/host")
    secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    live.remove("dynamic")


TEMPLATE = """
Parameters:
  Host: {Type: AWS::SSM::Parameter::Value<String>, Default: /dynamic/host}
  Secret: {Type: String}
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      Role: arn:aws:iam::000000000000:role/r
      Runtime: python3.11
      Handler: index.handler
      Code: {ZipFile: "def handler(event, context): pass"}
      Environment:
        Variables:
          PLAIN: '{{resolve:ssm:/dynamic/host}}'
          VERSION: '{{resolve:ssm:/dynamic/host:1}}'
          URL: !Sub 'https://${Host}:{{resolve:secretsmanager:dynamic:SecretString:port}}/'
          WHOLE: '{{resolve:secretsmanager:dynamic}}'
          BY_ARN: !Sub '{{resolve:secretsmanager:${Secret}:SecretString:password::}}'
Outputs:
  Fn: {Value: !Ref Fn}
  Host: {Value: !Ref Host}
"""


def test_values_are_looked_up(live: LiveBench, held: str) -> None:
    def variables() -> dict[str, str]:
        settings = live.client("lambda").get_function_configuration(FunctionName=outputs["Fn"])
        return dict(settings["Environment"]["Variables"])

    outputs = live.deploy(TEMPLATE, "dynamic", Secret=held).outputs
    assert outputs["Host"] == "first.example"
    assert variables() == {
        "PLAIN": "first.example",
        "VERSION": "first.example",
        "URL": "https://first.example:5/",
        "WHOLE": '{"password": "hunter2", "port": 5}',
        "BY_ARN": "hunter2",
    }
    assert "hunter2" not in json.dumps(HttpStackStore(live.server.url).get("dynamic"))

    # AWS: a value that has changed by itself is taken with the next change of the resource.
    live.client("ssm").put_parameter(Name="/dynamic/host", Value="second.example", Overwrite=True)
    live.deploy(TEMPLATE, "dynamic", Secret=held)
    assert variables()["PLAIN"] == "first.example"
    live.deploy(TEMPLATE.replace("python3.11", "python3.12"), "dynamic", Secret=held)
    assert (variables()["PLAIN"], variables()["VERSION"]) == ("second.example", "first.example")


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("{{resolve:ssm:/none}}", "GetParameter: ParameterNotFound"),
        ("{{resolve:secretsmanager:none}}", "GetSecretValue: ResourceNotFoundException"),
        ("{{resolve:secretsmanager:dynamic:SecretString:user}}", "the secret dynamic has no member user"),
        ("{{resolve:secretsmanager:dynamic:SecretBinary}}", "SecretBinary of a secret"),
        ("{{resolve:ssm-secure:/dynamic/host}}", "the dynamic reference {{resolve:ssm-secure:/dynamic/host}} is not"),
        ("{{resolve:ssm}}", "the dynamic reference {{resolve:ssm}} is not supported"),
    ],
)
def test_what_cannot_be_looked_up(live: LiveBench, held: str, reference: str, message: str) -> None:
    role = f"{{Type: AWS::SSM::Parameter, Properties: {{Type: String, Value: '{reference}'}}}}"
    (failure,) = failures(live, f"Resources: {{It: {role}}}", "dynamic")
    assert message in failure


def test_secrets_are_not_shown_in_outputs(live: LiveBench) -> None:
    template = (
        "Resources: {It: {Type: AWS::CDK::Metadata}}\nOutputs: {It: {Value: '{{resolve:secretsmanager:dynamic}}'}}"
    )
    assert failures(live, template, "dynamic") == ["Outputs.It: secrets are not shown in outputs"]
