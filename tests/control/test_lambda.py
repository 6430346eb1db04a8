"""The Lambda management API through boto3: functions, configuration, Invoke, errors."""

from __future__ import annotations

import base64
import io
import json
import platform
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import Server, make_function, zip_of
from tidegate.functions.isolation import Isolation

HELLO = (
    "def handler(event, context):\n    print('said', event)\n    return {'got': event, 'name': context.function_name}\n"
)
ROLE = "arn:aws:iam::000000000000:role/r"


def test_life_of_a_function(server: Server) -> None:
    client = server.client("lambda")
    arn = make_function(server, "life", HELLO, Environment={"Variables": {"KEY": "v"}}, Timeout=5, Description="d")
    assert arn == "arn:aws:lambda:us-east-1:000000000000:function:life"
    found = client.get_function(FunctionName="life")
    configuration = found["Configuration"]
    assert (configuration["Timeout"], configuration["MemorySize"], configuration["State"]) == (5, 128, "Active")
    assert configuration["Environment"] == {"Variables": {"KEY": "v"}}
    with urllib.request.urlopen(found["Code"]["Location"]) as answer:
        assert zipfile.ZipFile(io.BytesIO(answer.read())).namelist() == ["app.py"]
    invoked = client.invoke(FunctionName=arn, Payload=json.dumps({"a": 1}), LogType="Tail")
    assert json.loads(invoked["Payload"].read()) == {"got": {"a": 1}, "name": "life"}
    assert invoked["ExecutedVersion"] == "$LATEST"
    assert "said {'a': 1}" in base64.b64decode(invoked["LogResult"]).decode()
    client.update_function_code(
        FunctionName="life", ZipFile=zip_of({"app.py": "def handler(event, context):\n    return 2\n"})
    )
    assert client.invoke(FunctionName="life")["Payload"].read() == b"2"
    client.update_function_configuration(FunctionName="life", Timeout=7, Environment={"Variables": {}})
    assert client.get_function_configuration(FunctionName="life:$LATEST")["Timeout"] == 7
    if Isolation().available():
        changed = client.update_function_configuration(FunctionName="life", EphemeralStorage={"Size": 1024})
        assert (changed["Timeout"], changed["EphemeralStorage"]) == (7, {"Size": 1024})
    assert "life" in [
        f["FunctionName"] for p in client.get_paginator("list_functions").paginate() for f in p["Functions"]
    ]
    assert client.get_waiter("function_active_v2").wait(FunctionName="life") is None
    client.tag_resource(Resource=arn, Tags={"a": "1", "b": "2"})
    client.untag_resource(Resource=arn, TagKeys=["a"])
    assert client.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    client.delete_function(FunctionName="life")
    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.invoke(FunctionName="life")
    assert caught.value.response["Error"]["Message"] == f"Function not found: {arn}"


def test_function_errors(server: Server) -> None:
    make_function(server, "raises", "def handler(event, context):\n    raise KeyError('k')\n")
    answer = server.client("lambda").invoke(FunctionName="raises", Payload="{}")
    assert answer["FunctionError"] == "Unhandled"
    payload = json.loads(answer["Payload"].read())
    assert (payload["errorType"], payload["errorMessage"]) == ("KeyError", "'k'")


def test_one_id_for_call_and_invocation(server: Server) -> None:
    client = server.client("lambda")
    make_function(server, "named", "def handler(event, context):\n    return context.aws_request_id\n")
    answer = client.invoke(FunctionName="named")
    assert json.loads(answer["Payload"].read()) == answer["ResponseMetadata"]["RequestId"]
    streamed = client.invoke_with_response_stream(FunctionName="named")
    (chunk, _) = streamed["EventStream"]
    assert json.loads(chunk["PayloadChunk"]["Payload"]) == streamed["ResponseMetadata"]["RequestId"]


def test_a_trace_goes_on_in_the_function(server: Server) -> None:
    client = server.client("lambda")
    make_function(
        server, "traced", "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"
    )
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    sent = {"given": trace}
    client.meta.events.register(
        "before-sign.lambda.Invoke", lambda request, **_: request.headers.add_header("X-Amzn-Trace-Id", sent["given"])
    )
    assert json.loads(client.invoke(FunctionName="traced")["Payload"].read()) == trace
    sent["given"] = "anything"
    begun = client.invoke(FunctionName="traced")
    assert begun["ResponseMetadata"]["HTTPHeaders"]["x-amzn-trace-id"].startswith("Root=1-")
    assert json.loads(begun["Payload"].read()) == begun["ResponseMetadata"]["HTTPHeaders"]["x-amzn-trace-id"]


CASES: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "unknown": (
        lambda c: c.get_function(FunctionName="nosuch"),
        "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nosuch",
    ),
    "qualifier": (
        lambda c: c.get_function(FunctionName="there", Qualifier="prod"),
        "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:there:prod",
    ),
    "twice": (
        lambda c: c.create_function(
            FunctionName="there", Runtime="python3.11", Handler="a.b", Role=ROLE, Code={"ZipFile": b"x"}
        ),
        "ResourceConflictException",
        "Function already exist: there",
    ),
    "corrupt zip": (
        lambda c: c.create_function(
            FunctionName="corrupt", Runtime="python3.11", Handler="a.b", Role=ROLE, Code={"ZipFile": b"x"}
        ),
        "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    ),
    "runtime": (
        lambda c: c.create_function(
            FunctionName="ruby", Runtime="ruby3.3", Handler="a.b", Role=ROLE, Code={"ZipFile": zip_of({"a.rb": ""})}
        ),
        "InvalidParameterValueException",
        "runtime ruby3.3 is not supported: pack a bootstrap that starts aws_lambda_ric, and declare provided.al2023",
    ),
    "layers": (
        lambda c: c.update_function_configuration(
            FunctionName="there", Layers=["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]
        ),
        "InvalidParameterValueException",
        "Tidegate does not support layers of other accounts or regions",
    ),
    "another account": (
        lambda c: c.delete_function(FunctionName="arn:aws:lambda:us-east-1:999999999999:function:there"),
        "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:999999999999:function:there",
    ),
    "revision of the policy": (
        lambda c: c.add_permission(
            FunctionName="there", StatementId="s", Action="lambda:*", Principal="x.amazonaws.com", RevisionId="wrong"
        ),
        "PreconditionFailedException",
        "The RevisionId provided does not match",
    ),
    "architecture": (
        lambda c: (
            c.update_function_code(FunctionName="there", ZipFile=zip_of({"app.py": ""}), Architectures=["arm64"])
            if platform.machine() == "x86_64"
            else c.update_function_code(FunctionName="there", ZipFile=zip_of({"app.py": ""}), Architectures=["x86_64"])
        ),
        "InvalidParameterValueException",
        "Functions run on this machine's architecture",
    ),
    "tracing": (
        lambda c: c.update_function_configuration(FunctionName="there", TracingConfig={"Mode": "Active"}),
        "InvalidParameterValueException",
        "Tidegate does not support X-Ray tracing of functions yet",
    ),
    "log group": (
        lambda c: c.update_function_configuration(FunctionName="there", LoggingConfig={"LogGroup": "other"}),
        "InvalidParameterValueException",
        "Tidegate does not support log groups of other names yet",
    ),
    "timeout": (
        lambda c: c.update_function_configuration(FunctionName="there", Timeout=901),
        "ValidationException",
        "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value less "
        "than or equal to 900",
    ),
    "memory": (
        lambda c: c.update_function_configuration(FunctionName="there", MemorySize=10_241),
        "ValidationException",
        "1 validation error detected: Value '10241' at 'memorySize' failed to satisfy constraint: Member must have value "
        "less than or equal to 10240",
    ),
    "reserved variable": (
        lambda c: c.update_function_configuration(FunctionName="there", Environment={"Variables": {"AWS_REGION": "x"}}),
        "InvalidParameterValueException",
        "Reserved keys used in this request: AWS_REGION",
    ),
    "variables' bytes": (
        lambda c: c.update_function_configuration(FunctionName="there", Environment={"Variables": {"AB": "é" * 2048}}),
        "InvalidParameterValueException",
        "exceeded the 4096 bytes limit",
    ),
    "tags": (
        lambda c: c.create_function(
            FunctionName="tagged",
            Runtime="python3.11",
            Handler="a.b",
            Role=ROLE,
            Code={"ZipFile": zip_of({"app.py": ""})},
            Tags={f"k{n}": "v" for n in range(51)},
        ),
        "InvalidParameterValueException",
        "Exceeded the maximum number of tags (50) on the resource",
    ),
    "dead letters in a FIFO queue": (
        lambda c: c.update_function_configuration(
            FunctionName="there", DeadLetterConfig={"TargetArn": "arn:aws:sqs:us-east-1:000000000000:q.fifo"}
        ),
        "InvalidParameterValueException",
        "a FIFO queue or topic takes no failed events",
    ),
    "results in a FIFO queue": (
        lambda c: c.put_function_event_invoke_config(
            FunctionName="there",
            DestinationConfig={"OnSuccess": {"Destination": "arn:aws:sqs:us-east-1:000000000000:q.fifo"}},
        ),
        "InvalidParameterValueException",
        "FIFO queues and topics take no results",
    ),
    "principal": (
        lambda c: c.add_permission(
            FunctionName="there", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway"
        ),
        "InvalidParameterValueException",
        "The provided principal was invalid. Please check the principal and try again.",
    ),
    "payload": (
        lambda c: c.invoke(FunctionName="there", Payload=b"{"),
        "InvalidRequestContentException",
        "Could not parse request body into json",
    ),
    "not done": (
        lambda c: c.put_function_recursion_config(FunctionName="there", RecursiveLoop="Allow"),
        "UnsupportedOperationException",
        "Tidegate does not support the operation PutFunctionRecursionConfig yet",
    ),
}


@pytest.fixture(scope="module")
def there(server: Server) -> None:
    make_function(server, "there", HELLO)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("there")
def test_errors(server: Server, case: str) -> None:
    call, code, message = CASES[case]
    with pytest.raises(ClientError) as caught:
        call(server.client("lambda"))
    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"]["Message"]
