"""Stacks with everything that belongs to functions, through the running program: SAM's aliases, layers, URLs, events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.deploy.conftest import LiveBench
from tests.support.running import zip_of
from tidegate.deploy.errors import DeployError

SAM = "Transform: AWS::Serverless-2016-10-31\n"


def _invoke(live: LiveBench, name: str, **options: Any) -> Any:
    answer = live.client("lambda").invoke(FunctionName=name, **options)
    return json.loads(answer["Payload"].read())


def _code(live: LiveBench, name: str, text: str) -> None:
    (live.folder / name).mkdir(exist_ok=True)
    (live.folder / name / "app.py").write_text(text)


def test_auto_publish_alias(live: LiveBench) -> None:
    """Every change of the code is a version of its own; the alias, which the API calls, moves on."""
    template = f"""{SAM}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: auto
      Runtime: python3.11
      Handler: app.handler
      CodeUri: code/
      AutoPublishAlias: live
      Events: {{Get: {{Type: Api, Properties: {{Path: /, Method: GET}}}}}}
Outputs:
  Version: {{Value: !Ref Fn.Version}}
  Alias: {{Value: !Ref Fn.Alias}}
  Api: {{Value: !Ref ServerlessRestApi}}
"""
    answer = "def handler(event, context):\n    return {'statusCode': 200, 'body': context.function_version + ' %s'}\n"
    _code(live, "code", answer % "one")
    outputs = live.deploy(template, "auto").outputs
    assert outputs["Alias"].endswith(":function:auto:live")
    assert live.server.call(outputs["Api"], "/Prod/").body == b"1 one"
    _code(live, "code", answer % "two")
    live.deploy(template, "auto")
    assert live.server.call(outputs["Api"], "/Prod/").body == b"2 two"
    # SAM keeps the old versions.
    assert _invoke(live, "auto:1")["body"] == "1 one"
    live.remove("auto")
    client = live.client("lambda")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="auto")


def test_provisioned_concurrency(live: LiveBench) -> None:
    """A stack is done when the workers are up; an init that fails fails the stack."""
    template = f"""{SAM}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: kept
      Runtime: python3.11
      Handler: app.handler
      CodeUri: code/
      AutoPublishAlias: live
      ProvisionedConcurrencyConfig: {{ProvisionedConcurrentExecutions: 1}}
"""
    code = "import os\n%s\nhandler = lambda event, context: os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']\n"
    _code(live, "code", code % "")
    live.deploy(template, "kept")
    found = live.client("lambda").get_provisioned_concurrency_config(FunctionName="kept", Qualifier="live")
    assert (found["Status"], found["AvailableProvisionedConcurrentExecutions"]) == ("READY", 1)
    assert _invoke(live, "kept:live") == "provisioned-concurrency"
    _code(live, "code", code % "raise ValueError")
    with pytest.raises(DeployError, match="FUNCTION_ERROR_INIT_FAILURE"):
        live.deploy(template, "kept")
    _code(live, "code", code % "")
    live.deploy("\n".join(line for line in template.splitlines() if "Provisioned" not in line), "kept")
    assert (
        live.client("lambda").list_provisioned_concurrency_configs(FunctionName="kept")["ProvisionedConcurrencyConfigs"]
        == []
    )


def test_layers(live: LiveBench) -> None:
    (live.folder / "layer" / "python").mkdir(parents=True)
    shared = live.folder / "layer" / "python" / "shared.py"
    shared.write_text("NAME = 'one'\n")
    _code(live, "code", "import shared\ndef handler(event, context):\n    return shared.NAME\n")
    template = f"""{SAM}
Resources:
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties: {{LayerName: stack-shared, ContentUri: layer/, CompatibleRuntimes: [python3.11]}}
  Open:
    Type: AWS::Lambda::LayerVersionPermission
    Properties: {{Action: lambda:GetLayerVersion, LayerVersionArn: !Ref Shared, Principal: '*'}}
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      {{FunctionName: layered, Runtime: python3.11, Handler: app.handler, CodeUri: code/, Layers: [!Ref Shared]}}
"""
    live.deploy(template, "layered")
    assert _invoke(live, "layered") == "one"
    assert live.client("lambda").get_layer_version_policy(LayerName="stack-shared", VersionNumber=1)["Policy"]
    shared.write_text("NAME = 'two'\n")
    live.deploy(template, "layered")
    assert _invoke(live, "layered") == "two"
    live.deploy(template.replace(", Layers: [!Ref Shared]", ""), "layered")
    assert "Layers" not in live.client("lambda").get_function_configuration(FunctionName="layered")
    live.remove("layered")


PLAIN = """
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: plain-parts
      Runtime: python3.11
      Handler: index.handler
      Role: arn:aws:iam::000000000000:role/r
      Code: {ZipFile: "def handler(event, context): return {'statusCode': 200, 'body': context.function_version}"}
      DeadLetterConfig: {TargetArn: 'arn:aws:sqs:us-east-1:000000000000:dead'}
      ReservedConcurrentExecutions: %(reserved)s
  Version: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Fn}}
  Alias:
    Type: AWS::Lambda::Alias
    Properties: {FunctionName: !Ref Fn, FunctionVersion: !GetAtt Version.Version, Name: live, Description: %(text)s}
  Events:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: {FunctionName: !Ref Fn, Qualifier: !GetAtt Version.Version, MaximumRetryAttempts: %(retries)s}
  Url:
    Type: AWS::Lambda::Url
    Properties: {TargetFunctionArn: !Ref Fn, Qualifier: live, AuthType: NONE, Cors: {AllowOrigins: ['*']}}
    DependsOn: Alias
  CallUrl:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Alias, Action: lambda:InvokeFunctionUrl, Principal: '*', FunctionUrlAuthType: NONE}
  Call:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Alias, Action: lambda:InvokeFunction, Principal: '*', InvokedViaFunctionUrl: true}
Outputs: {Url: {Value: !GetAtt Url.FunctionUrl}, Version: {Value: !Ref Version}}
"""


def test_parts_of_plain_cloudformation(live: LiveBench) -> None:
    client = live.client("lambda")
    outputs = live.deploy(PLAIN % {"reserved": 5, "text": "d", "retries": 1}, "parts").outputs
    assert outputs["Version"].endswith(":function:plain-parts:1")
    host = outputs["Url"].removeprefix("http://").rstrip("/")
    assert live.server.request("GET", "/", headers={"Host": host}).body == b"1"
    assert client.get_function_concurrency(FunctionName="plain-parts")["ReservedConcurrentExecutions"] == 5
    settings = client.get_function_event_invoke_config(FunctionName="plain-parts", Qualifier="1")
    assert settings["MaximumRetryAttempts"] == 1
    dead = client.get_function_configuration(FunctionName="plain-parts")["DeadLetterConfig"]["TargetArn"]
    assert dead == "arn:aws:sqs:us-east-1:000000000000:dead"
    live.deploy(PLAIN % {"reserved": 7, "text": "e", "retries": 0}, "parts")
    assert client.get_function_concurrency(FunctionName="plain-parts")["ReservedConcurrentExecutions"] == 7
    assert client.get_alias(FunctionName="plain-parts", Name="live")["Description"] == "e"
    settings = client.get_function_event_invoke_config(FunctionName="plain-parts", Qualifier="1")
    assert settings["MaximumRetryAttempts"] == 0
    live.remove("parts")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function(FunctionName="plain-parts")
    assert live.server.request("GET", "/", headers={"Host": host}).status == 403


def test_sam_function_url(live: LiveBench) -> None:
    _code(live, "code", "def handler(event, context):\n    return event['rawPath']\n")
    template = f"""{SAM}
Resources:
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      {{Runtime: python3.11, Handler: app.handler, CodeUri: code/, FunctionUrlConfig: {{AuthType: NONE}}}}
Outputs: {{Url: {{Value: !GetAtt FnUrl.FunctionUrl}}}}
"""
    url = live.deploy(template, "sam-url").outputs["Url"]
    host = url.removeprefix("http://").rstrip("/")
    assert live.server.request("GET", "/a/b", headers={"Host": host}).body == b"/a/b"
    live.remove("sam-url")


def test_code_in_s3(live: LiveBench) -> None:
    s3 = live.client("s3")
    s3.create_bucket(Bucket="stack-code")
    s3.put_object(
        Bucket="stack-code", Key="a.zip", Body=zip_of({"app.py": "def handler(event, context):\n    return 1\n"})
    )
    template = """
Resources:
  Fn:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: stack-s3
      Runtime: python3.11
      Handler: app.handler
      Role: arn:aws:iam::000000000000:role/r
      Code: {S3Bucket: stack-code, S3Key: a.zip}
"""
    live.deploy(template, "stack-s3")
    assert _invoke(live, "stack-s3") == 1
    live.remove("stack-s3")
