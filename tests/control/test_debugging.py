"""`--debug`: functions under a real debugger, spoken to as editors do: the Debug Adapter Protocol, the inspector's websocket."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import ApiBuilder, Server, lambda_uri, zip_of

ROLE = "arn:aws:iam::000000000000:role/r"
PYTHON = """import time
def handler(event, context):
    answer = {"got": event} if "sleep" in event else {"statusCode": 200}
    time.sleep(event.get("sleep", 0.6))
    return answer
"""
NODE = """exports.handler = async (event) => {
  const answer = { got: event };
  await new Promise((done) => setTimeout(done, event.sleep * 1000));
  return answer;
};
"""


needs_debugpy = pytest.mark.skipif(find_spec("debugpy") is None, reason="debugpy is not installed (the extra `debug`)")


@pytest.fixture(scope="module")
def debugged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    names = ("--debug", "py", "--debug", "js:0", "--debug", "sh")
    running = Server(tmp_path_factory.mktemp("debugged"), names).start()
    yield running
    running.stop()


def make(server: Server, name: str, runtime: str, code: dict[str, Any], **options: Any) -> None:
    server.client("lambda").create_function(
        FunctionName=name, Runtime=runtime, Handler="app.handler", Role=ROLE, Code=code, **{"Timeout": 1, **options}
    )


def port_of(server: Server, name: str) -> int:
    line = server.wait_for(f"function {name}: debugger (")
    return int(re.search(r"listens on 127\.0\.0\.1:(\d+)", line)[1])  # type: ignore[index]


class Call(threading.Thread):
    """An invocation that goes on while the test talks to the debugger."""

    def __init__(self, server: Server, name: str, event: object) -> None:
        super().__init__(daemon=True)
        self.client, self.name_, self.event = server.client("lambda"), name, event
        self.start()

    def run(self) -> None:
        self.answer = self.client.invoke(FunctionName=self.name_, Payload=json.dumps(self.event))

    def value(self) -> Any:
        self.join(30)
        return json.loads(self.answer["Payload"].read())


class Adapter:
    """As much of an editor's side of the Debug Adapter Protocol as a breakpoint takes."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.file = self.socket.makefile("rb")
        self.number = 0

    def send(self, command: str, **arguments: Any) -> int:
        self.number += 1
        message = {"seq": self.number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self.socket.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        return self.number

    def receive(self, **wanted: Any) -> dict[str, Any]:
        """The next message with these members."""
        while True:
            length = 0
            while (line := self.file.readline().strip()) != b"":
                length = int(line.partition(b":")[2])
            assert length, "the debugger has gone"
            message: dict[str, Any] = json.loads(self.file.read(length))
            if wanted.items() <= message.items():
                return message

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        answer = self.receive(type="response", request_seq=self.send(command, **arguments))
        assert answer["success"], answer
        return dict(answer.get("body") or {})

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@needs_debugpy
def test_python_stops_at_a_breakpoint_and_no_timeout_runs(debugged: Server, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PYTHON)
    make(debugged, "py", "python3.11", {"S3Bucket": "hot-reload", "S3Key": str(tmp_path)})
    adapter = Adapter(port_of(debugged, "py"))
    adapter.ask("initialize", adapterID="test", pathFormat="path")
    attach = adapter.send("attach", justMyCode=False)
    adapter.receive(event="initialized")
    source = {"path": str(tmp_path / "app.py")}
    found = adapter.ask("setBreakpoints", source=source, breakpoints=[{"line": 4}])
    assert found["breakpoints"][0]["verified"]
    adapter.ask("configurationDone")
    adapter.receive(type="response", request_seq=attach)
    call = Call(debugged, "py", {"sleep": 1.2})
    stopped = adapter.receive(event="stopped")["body"]
    assert stopped["reason"] == "breakpoint"
    frame = adapter.ask("stackTrace", threadId=stopped["threadId"])["stackFrames"][0]
    assert (frame["line"], frame["name"]) == (4, "handler")
    assert adapter.ask("evaluate", expression="answer['got']", frameId=frame["id"])["result"] == "{'sleep': 1.2}"
    adapter.ask("evaluate", expression="answer.update(seen=True)", frameId=frame["id"], context="repl")
    adapter.ask("continue", threadId=stopped["threadId"])
    assert call.value() == {"got": {"sleep": 1.2}, "seen": True}, "its timeout is one second"
    adapter.ask("setBreakpoints", source=source, breakpoints=[])
    arn = "arn:aws:lambda:us-east-1:000000000000:function:py"
    hasty = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": lambda_uri(arn), "timeoutInMillis": 300}
    api = ApiBuilder(debugged, "hasty").method("/", "GET", hasty).deploy()
    debugged.client("lambda").add_permission(
        FunctionName="py", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    assert debugged.call(api, "/prod/").status == 200, "no integration's time runs either"
    adapter.ask("disconnect")
    adapter.close()
    # That it has gone is known a little later.
    assert any(debugged.call(api, "/prod/").status == 504 for _ in range(20))
    assert Call(debugged, "py", {"sleep": 3}).value()["errorType"] == "Sandbox.Timedout", "nobody is attached any more"
    # The next worker's debugger is behind the same port.
    again = Adapter(port_of(debugged, "py"))
    again.ask("initialize", adapterID="test")
    again.close()


class Inspector:
    """As much of a websocket client as the inspector needs (RFC 6455)."""

    def __init__(self, url: str) -> None:
        host, _, path = url.removeprefix("ws://").partition("/")
        name, port = host.split(":")
        self.socket = socket.create_connection((name, int(port)), timeout=30)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        assert b" 101 " in self.file.readline()
        while self.file.readline() != b"\r\n":
            pass
        self.number = 0

    def send(self, method: str, **parameters: Any) -> int:
        self.number += 1
        text = json.dumps({"id": self.number, "method": method, "params": parameters}).encode()
        assert len(text) < 65536
        head = bytes([0x81, 0x80 | 126]) + len(text).to_bytes(2, "big") + bytes(4)  # masked with zeros
        self.socket.sendall(head + text)
        return self.number

    def receive(self, **wanted: Any) -> dict[str, Any]:
        while True:
            first, size = self.file.read(2)
            if size >= 126:
                size = int.from_bytes(self.file.read(2 if size == 126 else 8), "big")
            message: dict[str, Any] = json.loads(self.file.read(size))
            assert first == 0x81
            if wanted.items() <= message.items():
                return message

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return dict(self.receive(id=self.send(method, **parameters))["result"])

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_node_stops_at_a_breakpoint_and_no_timeout_runs(debugged: Server) -> None:
    make(debugged, "js", "nodejs20.x", {"ZipFile": zip_of({"app.js": NODE})})
    assert Call(debugged, "js", {"sleep": 0}).value() == {"got": {"sleep": 0}}
    port = port_of(debugged, "js")
    listed = subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/json/list"], capture_output=True, check=True)
    (target,) = json.loads(listed.stdout)
    assert target["webSocketDebuggerUrl"].startswith(f"ws://127.0.0.1:{port}/")
    inspector = Inspector(target["webSocketDebuggerUrl"])
    inspector.ask("Debugger.enable")
    found = inspector.ask("Debugger.setBreakpointByUrl", urlRegex=r"app\.js$", lineNumber=2)
    assert len(found["locations"]) == 1
    call = Call(debugged, "js", {"sleep": 1.2})
    frame = inspector.receive(method="Debugger.paused")["params"]["callFrames"][0]
    assert frame["location"]["lineNumber"] == 2
    at = {"callFrameId": frame["callFrameId"], "expression": "answer.seen = true"}
    assert inspector.ask("Debugger.evaluateOnCallFrame", **at)["result"]["value"] is True
    inspector.ask("Debugger.resume")
    assert call.value() == {"got": {"sleep": 1.2}, "seen": True}
    inspector.close()
    assert Call(debugged, "js", {"sleep": 3}).value()["errorType"] == "Sandbox.Timedout"


@needs_debugpy
def test_one_worker_serves_a_function_that_is_debugged(debugged: Server) -> None:
    source = "import os, time\ndef handler(event, context):\n    time.sleep(0.05)\n    return os.getpid()\n"
    code = {"ZipFile": zip_of({"app.py": source})}
    make(debugged, "py-many", "python3.11", code)
    make(debugged, "s-py-X", "python3.11", code, Timeout=20)  # as a stack's function of the logical id `py` is called
    port_of(debugged, "s-py-X")
    calls = [Call(debugged, "s-py-X", {}) for _ in range(8)]
    assert len({call.value() for call in calls}) == 1
    assert not any("py-many: debugger" in line for line in debugged.messages)


def test_a_runtime_without_a_debugger_is_said(debugged: Server) -> None:
    make(debugged, "sh", "provided.al2023", {"ZipFile": zip_of({"bootstrap": "#!/bin/sh\n"})})
    with pytest.raises(ClientError, match="there is no debugger for the runtime provided"):
        debugged.client("lambda").invoke(FunctionName="sh")
    debugged.wait_for("there is no debugger for the runtime provided.al2023")


def test_names_that_cannot_be_debugged(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        f"Resources: {{ F: {{ Type: AWS::Lambda::Function, Properties: {{ Code: ., Handler: a.b, Runtime: python3.11,"
        f" Role: '{ROLE}' }} }} }}"
    )
    unknown = ("run", str(template), "--port", "0", "--debug", "Other")
    for arguments, told in (
        (("start", "--debug", "a b"), "debug a b is no function's name"),
        (unknown, f"--debug Other: {template} has no function of that name"),
    ):
        command = [sys.executable, "-m", "tidegate.cli", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode != 0
        assert told in done.stderr
