"""Layers, and code in S3, through boto3."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import Server, make_function, zip_of

_ROLE = "arn:aws:iam::000000000000:role/r"
_USES = "import shared\ndef handler(event, context):\n    return shared.NAME\n"


def _publish(client: Any, name: str, text: str, **options: Any) -> Any:
    files = {"python/shared.py": f"NAME = {text!r}\n"}
    return client.publish_layer_version(LayerName=name, Content={"ZipFile": zip_of(files)}, **options)


def _result(client: Any, name: str) -> Any:
    return json.loads(client.invoke(FunctionName=name)["Payload"].read())


def test_life_of_a_layer(server: Server) -> None:
    client = server.client("lambda")
    first = _publish(client, "lived", "one", Description="d", CompatibleRuntimes=["python3.11"], LicenseInfo="MIT")
    arn = "arn:aws:lambda:us-east-1:000000000000:layer:lived"
    assert (first["LayerArn"], first["LayerVersionArn"], first["Version"]) == (arn, f"{arn}:1", 1)
    second = _publish(client, "lived", "two")
    assert second["Version"] == 2
    make_function(server, "uses", _USES, Layers=[first["LayerVersionArn"]])
    assert _result(client, "uses") == "one"
    changed = client.update_function_configuration(FunctionName="uses", Layers=[second["LayerVersionArn"]])
    assert changed["Layers"] == [{"Arn": f"{arn}:2", "CodeSize": second["Content"]["CodeSize"]}]
    assert _result(client, "uses") == "two"
    listed = client.list_layer_versions(LayerName="lived")["LayerVersions"]
    assert [version["Version"] for version in listed] == [2, 1]
    suiting = client.list_layer_versions(LayerName=arn, CompatibleRuntime="python3.11")["LayerVersions"]
    assert [version["Version"] for version in suiting] == [1]
    newest = {one["LayerName"]: one["LatestMatchingVersion"]["Version"] for one in client.list_layers()["Layers"]}
    assert newest["lived"] == 2
    for found in (
        client.get_layer_version(LayerName="lived", VersionNumber=1),
        client.get_layer_version_by_arn(Arn=f"{arn}:1"),
    ):
        assert (found["Description"], found["LicenseInfo"]) == ("d", "MIT")
        with urllib.request.urlopen(found["Content"]["Location"]) as answer:
            data = answer.read()
        assert zipfile.ZipFile(io.BytesIO(data)).namelist() == ["python/shared.py"]
        assert base64.b64encode(hashlib.sha256(data).digest()).decode() == found["Content"]["CodeSha256"]
    client.delete_layer_version(LayerName="lived", VersionNumber=2)
    client.delete_layer_version(LayerName="lived", VersionNumber=2)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_layer_version(LayerName="lived", VersionNumber=2)
    client.update_function_configuration(FunctionName="uses", Timeout=4)
    assert _result(client, "uses") == "two", "a function keeps a layer that is deleted"
    assert _publish(client, "lived", "three")["Version"] == 3
    client.update_function_configuration(FunctionName="uses", Layers=[])
    assert "Layers" not in client.get_function_configuration(FunctionName="uses")
    assert "No module named 'shared'" in _result(client, "uses")["errorMessage"]


def test_the_later_layer_lies_on_top(server: Server) -> None:
    client = server.client("lambda")
    arns = [_publish(client, f"stacked{number}", str(number))["LayerVersionArn"] for number in range(2)]
    make_function(server, "stacked", _USES, Layers=arns)
    assert _result(client, "stacked") == "1"


def test_a_version_keeps_its_layers(server: Server) -> None:
    client = server.client("lambda")
    arns = [_publish(client, "versioned", str(number))["LayerVersionArn"] for number in range(2)]
    make_function(server, "versioned", _USES, Layers=arns[:1])
    client.publish_version(FunctionName="versioned")
    client.update_function_configuration(FunctionName="versioned", Layers=arns[1:])
    assert (_result(client, "versioned:1"), _result(client, "versioned")) == ("0", "1")


def test_policy_of_a_layer(server: Server) -> None:
    client = server.client("lambda")
    _publish(client, "shared", "x")
    at = {"LayerName": "shared", "VersionNumber": 1}
    statement = {"StatementId": "all", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    made = client.add_layer_version_permission(**at, **statement)
    assert json.loads(made["Statement"])["Resource"] == "arn:aws:lambda:us-east-1:000000000000:layer:shared:1"
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.add_layer_version_permission(**at, **statement)
    policy = client.get_layer_version_policy(**at)
    assert policy["RevisionId"] == made["RevisionId"]
    assert [one["Sid"] for one in json.loads(policy["Policy"])["Statement"]] == ["all"]
    with pytest.raises(client.exceptions.PreconditionFailedException):
        client.remove_layer_version_permission(**at, StatementId="all", RevisionId="wrong")
    client.remove_layer_version_permission(**at, StatementId="all")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_layer_version_policy(**at)


def test_lambda_insights_is_left_out(server: Server) -> None:
    arn = "arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension:38"
    make_function(server, "insights", "def handler(event, context):\n    return 1\n", Layers=[arn])
    assert _result(server.client("lambda"), "insights") == 1
    server.wait_for(f"the layer {arn} is left out")


def test_code_in_s3(server: Server) -> None:
    client, s3 = server.client("lambda"), server.client("s3")
    s3.create_bucket(Bucket="code")
    for name in ("one", "two"):
        body = zip_of({"app.py": f"def handler(event, context):\n    return {name!r}\n"})
        s3.put_object(Bucket="code", Key=f"builds/{name} a.zip", Body=body)
    s3.put_object(Bucket="code", Key="layer.zip", Body=zip_of({"python/shared.py": "NAME = 's3'\n"}))
    client.create_function(
        FunctionName="s3", Runtime="python3.11", Handler="app.handler", Role=_ROLE,
        Code={"S3Bucket": "code", "S3Key": "builds/one a.zip"},
    )  # fmt: skip
    assert _result(client, "s3") == "one"
    client.update_function_code(FunctionName="s3", S3Bucket="code", S3Key="builds/two a.zip")
    assert _result(client, "s3") == "two"
    layer = client.publish_layer_version(LayerName="s3", Content={"S3Bucket": "code", "S3Key": "layer.zip"})
    make_function(server, "s3layer", _USES, Layers=[layer["LayerVersionArn"]])
    assert _result(client, "s3layer") == "s3"
    with pytest.raises(client.exceptions.InvalidParameterValueException) as caught:
        client.update_function_code(FunctionName="s3", S3Bucket="code", S3Key="missing.zip")
    assert "S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist." in str(caught.value)


_LAYER = "arn:aws:lambda:us-east-1:000000000000:layer"
_CASES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "missing": (
        lambda c: c.update_function_configuration(FunctionName="wrong", Layers=[f"{_LAYER}:nosuch:1"]),
        f"Layer version {_LAYER}:nosuch:1 does not exist.",
    ),
    "too many": (
        lambda c: c.update_function_configuration(
            FunctionName="wrong", Layers=[f"{_LAYER}:l{number}:1" for number in range(6)]
        ),
        "You cannot reference more than 5 layers.",
    ),
    "twice": (
        lambda c: c.update_function_configuration(FunctionName="wrong", Layers=[f"{_LAYER}:l:1", f"{_LAYER}:l:2"]),
        "Two different versions of the same layer are not allowed to be referenced in the same function.",
    ),
    "corrupt": (
        lambda c: c.publish_layer_version(LayerName="corrupt", Content={"ZipFile": b"x"}),
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    ),
    "version zero": (
        lambda c: c.get_layer_version(LayerName="x", VersionNumber=0),
        "Layer Version Cannot be less than 1.",
    ),
}


@pytest.fixture(scope="module")
def wrong(server: Server) -> None:
    make_function(server, "wrong", "def handler(event, context):\n    return 1\n")


@pytest.mark.parametrize("case", _CASES)
@pytest.mark.usefixtures("wrong")
def test_errors(server: Server, case: str) -> None:
    call, message = _CASES[case]
    with pytest.raises(ClientError) as caught:
        call(server.client("lambda"))
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert message in caught.value.response["Error"]["Message"]
