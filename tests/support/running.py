"""The program itself, as a child process, and the clients that drive it."""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ADDRESS = re.compile(r"listens on http://127\.0\.0\.1:(\d+)")


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Server:
    """`tidegate start` (or another `command`) on a free port. `access_log` gathers what it writes to standard output."""

    data: Path
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ("start",)
    port: int = 0
    access_log: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def start(self) -> Server:
        command = [
            sys.executable,
            "-m",
            "tidegate.cli",
            *self.command,
            "--port",
            "0",
            "--data",
            str(self.data),
            *self.options,
        ]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **self.environment},
            start_new_session=True,
        )
        threading.Thread(target=self._gather, args=(self.process.stdout, self.access_log), daemon=True).start()
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.messages.append(line.rstrip("\n"))
            if found := ADDRESS.search(line):
                self.port = int(found[1])
            if line.strip() == "Ready.":
                break
        else:
            raise AssertionError("the server did not start:\n" + "\n".join(self.messages))
        threading.Thread(target=self._gather, args=(self.process.stderr, self.messages), daemon=True).start()
        return self

    @staticmethod
    def _gather(stream: Any, lines: list[str]) -> None:
        for line in stream:
            lines.append(line.rstrip("\n"))

    def wait_for(self, text: str, *, among: list[str] | None = None) -> str:
        """The line that holds a text, as soon as it is there: logs come some tenths of a second late."""
        lines = self.messages if among is None else among
        for _ in range(250):
            found = next((line for line in list(lines) if text in line), None)
            if found is not None:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not written")

    def processes(self, function: str) -> list[int]:
        """The workers of a function."""
        mark = f"AWS_LAMBDA_FUNCTION_NAME={function}".encode()
        found = []
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            for pid in (thread / "children").read_text().split():
                with contextlib.suppress(OSError):  # it has ended
                    if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                        found.append(int(pid))
        return found

    def until(self, condition: Callable[[], bool]) -> None:
        """Returns when something has come to be so."""
        for _ in range(500):
            if condition():
                return
            time.sleep(0.02)
        raise AssertionError("it has not come to be so")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, timeout: float = 20) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, *, key: str = "test", region: str = "us-east-1") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=key,
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}, read_timeout=60),
        )

    def request(
        self, method: str, target: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def call(self, api: str, target: str, *, method: str = "GET", **options: Any) -> Answer:
        """Invoke an API by its host name."""
        headers = {"Host": f"{api}.execute-api.us-east-1.amazonaws.com", **options.pop("headers", {})}
        return self.request(method, target, headers=headers, **options)


def zip_of(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def make_function(server: Server, name: str, code: str, **options: Any) -> str:
    """Create a Python function out of its source; returns the ARN."""
    settings = {
        "Runtime": "python3.11",
        "Handler": "app.handler",
        "Role": "arn:aws:iam::000000000000:role/r",
        **options,
    }
    made = server.client("lambda").create_function(
        FunctionName=name, Code={"ZipFile": zip_of({"app.py": code})}, **settings
    )
    return str(made["FunctionArn"])


def lambda_uri(arn: str) -> str:
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


class ApiBuilder:
    """Builds a REST API by hand, as a boto3 script does."""

    def __init__(self, server: Server, name: str = "test", **options: Any) -> None:
        self.client = server.client("apigateway")
        made = self.client.create_rest_api(name=name, **options)
        self.id = made["id"]
        self.resources = {"/": made["rootResourceId"]}

    def resource(self, path: str) -> str:
        if path not in self.resources:
            above, _, part = path.rpartition("/")
            parent = self.resource(above or "/")
            made = self.client.create_resource(restApiId=self.id, parentId=parent, pathPart=part)
            self.resources[path] = made["id"]
        return str(self.resources[path])

    def method(self, path: str, verb: str, integration: Mapping[str, Any], **options: Any) -> ApiBuilder:
        at = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        self.client.put_method(**at, authorizationType=options.pop("authorizationType", "NONE"), **options)
        self.client.put_integration(**at, **integration)
        return self

    def answers(self, path: str, verb: str, responses: Mapping[str, Mapping[str, Any]]) -> ApiBuilder:
        """Integration responses by status, and the method responses that they need."""
        at = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        for status, given in responses.items():
            declared = dict.fromkeys(given.get("responseParameters", {}), False)
            self.client.put_method_response(**at, statusCode=status, responseParameters=declared)
            self.client.put_integration_response(**at, statusCode=status, **given)
        return self

    def mock(self, path: str, verb: str, body: str = "", status: str = "200", **parameters: str) -> ApiBuilder:
        at = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        template = {"application/json": '{"statusCode": ' + status + "}"}
        self.method(path, verb, {"type": "MOCK", "requestTemplates": template})
        names = {f"method.response.header.{name}": value for name, value in parameters.items()}
        self.client.put_method_response(**at, statusCode=status, responseParameters=dict.fromkeys(names, False))
        self.client.put_integration_response(
            **at, statusCode=status, responseParameters=names, responseTemplates={"application/json": body}
        )
        return self

    def proxy_to(self, path: str, verb: str, uri: str, **options: Any) -> ApiBuilder:
        integration = {"type": "HTTP_PROXY", "integrationHttpMethod": options.pop("backend_verb", verb), "uri": uri}
        method_options = {"requestParameters": options.pop("declare")} if "declare" in options else {}
        return self.method(path, verb, {**integration, **options}, **method_options)

    def function(self, path: str, verb: str, arn: str) -> ApiBuilder:
        return self.method(path, verb, {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": lambda_uri(arn)})

    def deploy(self, stage: str = "prod", **options: Any) -> str:
        self.client.create_deployment(restApiId=self.id, stageName=stage, **options)
        return str(self.id)
