"""Response streaming through an AWS_PROXY method: a function's bytes reach the client as they come, or not at all."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.test_lambda_proxy import allow
from tests.support.backend import Backend
from tests.support.running import ApiBuilder, Server, make_function, zip_of

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")

CODE = r"""
const http = require("http");
const told = (url) => new Promise((done) => http.get(url, (answer) => { answer.resume(); answer.on("end", done); }));
const META = {
  statusCode: 201,
  headers: {"Content-Type": "text/event-stream", "X-One": "1"},
  multiValueHeaders: {"X-Many": ["a", "b"]},
  cookies: ["a=1; Secure", "b=2"],
};
const ways = {
  event: async (stream, event) => { stream.write(JSON.stringify(event)); stream.end(); },
  waits: async (stream, event) => {
    stream.write("first\n");
    await told(event.headers["X-Go"]);
    stream.end("second\n");
  },
  fails: async (stream) => {
    stream.write("x".repeat(100000));
    await new Promise((done) => setTimeout(done, 50));
    throw new Error("midway");
  },
  large: async (stream) => {
    const piece = "y".repeat(1 << 20);
    for (let i = 0; i < 195; i++) if (!stream.write(piece)) await new Promise((go) => stream.once("drain", go));
    stream.end();
  },
  endless: async (stream, event) => {
    const timer = setInterval(() => stream.write("z".repeat(1000)), 5);
    await told(event.headers["X-Go"]);
    clearInterval(timer);
    stream.end();
  },
  slow: async (stream, event) => { await told(event.headers["X-Go"]); stream.end(); },
};
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  const way = event.pathParameters.way;
  if (way === "bare") { stream.write("no prelude at all"); return stream.end(); }
  if (way === "bad") { stream.write('{"statusCode": "x"}' + "\0".repeat(8)); return stream.end(); }
  if (way === "throws") throw new Error("early");
  if (way === "raw") { stream.write('{"statusCode": 299}'); stream.write("\0".repeat(8) + "body"); return stream.end(); }
  if (way === "empty") { awslambda.HttpResponseStream.from(stream, {statusCode: 204}).end(); return; }
  await ways[way](awslambda.HttpResponseStream.from(stream, META), event);
});
"""


def stream_uri(arn: str) -> str:
    path = f"lambda:path/2021-11-15/functions/{arn}/response-streaming-invocations"
    return f"arn:aws:apigateway:us-east-1:{path}"


def streams(arn: str, **options: Any) -> dict[str, Any]:
    return {
        "type": "AWS_PROXY",
        "integrationHttpMethod": "POST",
        "uri": stream_uri(arn),
        "responseTransferMode": "STREAM",
        **options,
    }


@pytest.fixture(scope="module")
def api(server: Server) -> str:
    arn = server.client("lambda").create_function(
        FunctionName="rest-streams",
        Runtime="nodejs22.x",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Timeout=60,
        Code={"ZipFile": zip_of({"index.js": CODE})},
    )["FunctionArn"]
    allow(server, "rest-streams")
    whole = make_function(server, "rest-whole", "def handler(e, c):\n    return {'statusCode': 200, 'body': 'whole'}\n")
    allow(server, "rest-whole")
    builder = ApiBuilder(server, minimumCompressionSize=0)
    builder.method("/s/{way}", "ANY", streams(arn, timeoutInMillis=900000))
    builder.method("/short/{way}", "GET", streams(arn, timeoutInMillis=400))
    builder.method("/whole", "GET", streams(whole))
    made = builder.deploy("prod")
    log = "$context.requestId $context.status $context.integration.responseTransferMode $context.responseLength"
    server.client("apigateway").update_stage(
        restApiId=made,
        stageName="prod",
        patchOperations=[{"op": "replace", "path": "/accessLogSettings/format", "value": f"stream {log}"}],
    )
    return made


def open_stream(
    server: Server, api: str, target: str, **headers: str
) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", target, headers={"Host": f"{api}.execute-api.us-east-1.amazonaws.com", **headers})
    return connection, connection.getresponse()


def test_status_headers_and_event(server: Server, api: str) -> None:
    answer = server.call(api, "/prod/s/event?q=1", method="POST", body=b"sent", headers={"Accept-Encoding": "gzip"})
    assert answer.status == 201
    assert (answer.header("Content-Type"), answer.header("X-One")) == ("text/event-stream", "1")
    assert answer.all("X-Many") == ["a", "b"]
    assert answer.all("Set-Cookie") == ["a=1; Secure", "b=2"]
    assert answer.header("Content-Encoding") is None
    assert answer.header("x-amzn-RequestId")
    event = answer.json
    assert (event["httpMethod"], event["body"], event["queryStringParameters"]) == ("POST", "sent", {"q": "1"})
    assert event["requestContext"]["resourcePath"] == "/s/{way}"
    line = server.wait_for(f"stream {answer.header('x-amzn-RequestId')} ", among=server.access_log)
    assert line.split(" ")[2:] == ["201", "STREAMED", str(len(answer.body))]


def test_the_prelude_without_its_content_type(server: Server, api: str) -> None:
    answer = server.call(api, "/prod/s/raw")
    assert (answer.status, answer.body, answer.header("Content-Type")) == (299, b"body", "application/json")


def test_no_body(server: Server, api: str) -> None:
    assert (server.call(api, "/prod/s/empty").status, server.call(api, "/prod/s/empty").body) == (204, b"")
    head = server.call(api, "/prod/s/event", method="HEAD")
    assert (head.status, head.body) == (201, b"")


def test_the_first_bytes_do_not_wait_for_the_last(server: Server, api: str, backend: Backend) -> None:
    go = threading.Event()
    backend.answer = lambda _: (200, [], b"go") if go.wait(20) else (500, [], b"")
    connection, answer = open_stream(server, api, "/prod/s/waits", **{"X-Go": backend.url})
    assert answer.readline() == b"first\n"
    go.set()
    assert answer.read() == b"second\n"
    connection.close()


@pytest.mark.parametrize("way", ["bare", "bad", "throws"])
def test_malformed(server: Server, api: str, way: str) -> None:
    answer = server.call(api, f"/prod/s/{way}")
    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})


def test_a_result_that_is_not_streamed(server: Server, api: str) -> None:
    answer = server.call(api, "/prod/whole")
    assert (answer.status, answer.json) == (502, {"message": "Internal server error"})


def test_a_failure_midway_cuts_the_connection(server: Server, api: str) -> None:
    connection, answer = open_stream(server, api, "/prod/s/fails")
    assert answer.status == 201
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()
    server.wait_for("the function failed while it streamed")


def test_timeout(server: Server, api: str, backend: Backend) -> None:
    """Before the prelude it is an answer; after that the connection is cut."""
    go = threading.Event()
    backend.answer = lambda _: (200, [], b"go") if go.wait(20) else (500, [], b"")
    silent = server.call(api, "/prod/short/slow", headers={"X-Go": backend.url})
    assert (silent.status, silent.json) == (504, {"message": "Endpoint request timed out"})
    connection, answer = open_stream(server, api, "/prod/short/endless", **{"X-Go": backend.url})
    assert answer.status == 201
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()
    go.set()
    connection.close()


def resident(server: Server) -> int:
    """Kilobytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_a_large_answer_in_bounded_memory(server: Server, api: str) -> None:
    connection, answer = open_stream(server, api, "/prod/s/large")
    before, most, length = resident(server), 0, 0
    while piece := answer.read(1 << 20):
        length += len(piece)
        most = max(most, resident(server))
    connection.close()
    assert length == 195 << 20
    assert most - before < 40_000


def test_a_client_that_leaves_frees_the_function(server: Server, api: str, backend: Backend) -> None:
    left = threading.Event()
    backend.answer = lambda _: (200, [], b"go") if left.wait(20) else (500, [], b"")
    connection, answer = open_stream(server, api, "/prod/s/endless", **{"X-Go": backend.url})
    request_id = answer.getheader("x-amzn-RequestId")
    assert answer.read(1000)
    connection.sock.close()
    answer.close()
    server.wait_for(f"stream {request_id} ", among=server.access_log)
    left.set()
    assert server.call(api, "/prod/s/raw").status == 299


def refusal(server: Server, **integration: Any) -> str:
    builder = ApiBuilder(server)
    client = server.client("apigateway")
    with pytest.raises(client.exceptions.BadRequestException) as caught:
        builder.method("/x", "GET", integration).deploy()
    return str(caught.value)


def test_what_is_refused(server: Server, api: str) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:rest-streams"
    buffered = streams(arn) | {"responseTransferMode": "BUFFERED"}
    assert "needs the response transfer mode STREAM" in refusal(server, **buffered)
    wrong = streams(arn) | {
        "uri": stream_uri(arn).replace("2021-11-15", "2015-03-31").replace("response-streaming-", "")
    }
    assert "response-streaming-invocations" in refusal(server, **wrong)
    assert "Timeout should be between 50 ms and 29000 ms" in refusal(server, **buffered | {"timeoutInMillis": 30000})
    assert "Timeout should be between 50 ms and 900000 ms" in refusal(server, **streams(arn, timeoutInMillis=900001))
    assert "STREAM is only supported for" in refusal(
        server, type="MOCK", responseTransferMode="STREAM", requestTemplates={"application/json": json.dumps({})}
    )
