"""InvokeWithResponseStream through boto3, whose own decoder checks every checksum."""

from __future__ import annotations

import base64
import json
import shutil
from typing import Any

import pytest

from tests.support.running import Server, make_function, zip_of


def _read(answer: Any) -> tuple[list[bytes], dict[str, Any]]:
    """The chunks, and how it ended."""
    *chunks, end = list(answer["EventStream"])
    return [chunk["PayloadChunk"]["Payload"] for chunk in chunks], end["InvokeComplete"]


def test_a_function_that_does_not_stream(server: Server) -> None:
    client = server.client("lambda")
    make_function(server, "whole", "def handler(event, context):\n    print('said')\n    return event\n")
    answer = client.invoke_with_response_stream(FunctionName="whole", Payload=b'{"a": 1}', LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    chunks, end = _read(answer)
    assert json.loads(b"".join(chunks)) == {"a": 1}
    assert "said" in base64.b64decode(end["LogResult"]).decode()
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke_with_response_stream(FunctionName="nosuch")
    with pytest.raises(client.exceptions.InvalidRequestContentException):
        client.invoke_with_response_stream(FunctionName="whole", Payload=b"{")


def test_a_failure(server: Server) -> None:
    make_function(server, "fails-streaming", "def handler(event, context):\n    raise ValueError('no')\n")
    _, end = _read(server.client("lambda").invoke_with_response_stream(FunctionName="fails-streaming"))
    assert end["ErrorCode"] == "Unhandled"
    assert json.loads(end["ErrorDetails"])["errorMessage"] == "no"


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")
def test_a_function_that_streams(server: Server) -> None:
    client = server.client("lambda")
    code = (
        "exports.handler = awslambda.streamifyResponse(async (event, stream) => {\n"
        "  for (let i = 0; i < event.n; i++) stream.write('x'.repeat(100000));\n"
        "  stream.end();\n"
        "});\n"
    )
    client.create_function(
        FunctionName="streams-chunks",
        Runtime="nodejs22.x",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": zip_of({"index.js": code})},
    )
    chunks, end = _read(client.invoke_with_response_stream(FunctionName="streams-chunks", Payload=b'{"n": 100}'))
    assert b"".join(chunks) == b"x" * 10_000_000
    assert len(chunks) > 1
    assert "ErrorCode" not in end
