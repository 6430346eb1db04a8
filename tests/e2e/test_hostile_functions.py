"""Functions of every family that crash, eat, spin, flood and fork while others are called, through boto3 and through an API."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.functions.test_hostile import ENDS, KINDS
from tests.support.running import ApiBuilder, Server

FAMILIES = {kind: KINDS[kind] for kind in ("python", "node", "custom")}
ROLE = "arn:aws:iam::000000000000:role/r"
PROXY = {
    "app.py": """

def handler(event, context, inner=handler):
    mark = inner(__import__("json").loads(event["body"]), context)
    return {"statusCode": 200, "body": mark}
""",
    "app.js": """
const inner = exports.handler;
exports.handler = async (event) => ({ statusCode: 200, body: await inner(JSON.parse(event.body)) });
""",
}
ENVIRONMENT = """
import os
def handler(event, context):
    return dict(os.environ)
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    secrets = {
        "SECRET_OF_THE_SERVER": "s",
        "AWS_PROFILE": "p",
        "PYTHONSTARTUP": "/x",
        "TIDEGATE_WORKERS_PER_FUNCTION": "3",
    }
    running = Server(tmp_path_factory.mktemp("hostile"), environment=secrets).start()
    yield running
    running.stop()


def zipped(files: dict[str, Any], executables: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in {**files, **executables}.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (0o755 if name in executables else 0o644) << 16
            archive.writestr(info, text)
    return buffer.getvalue()


def test_nothing_hangs_and_every_answer_is_right(alone: Server) -> None:
    builder = ApiBuilder(alone, "hostile")
    for kind, (runtime, files, executables) in FAMILIES.items():
        for name, suffix in ((kind, {}), (f"{kind}-api", PROXY)):
            code = {file: text + suffix.get(file, "") for file, text in files.items()}
            made = alone.client("lambda").create_function(
                FunctionName=name,
                Runtime=runtime,
                Handler="app.handler",
                Role=ROLE,
                Timeout=3,
                MemorySize=256,
                Code={"ZipFile": zipped(code, dict(executables))},
            )
        arn = made["FunctionArn"]
        alone.client("lambda").add_permission(
            FunctionName=arn, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
        )
        builder.function(f"/{kind}", "POST", arn)
    api = builder.deploy()
    plans = [
        (kind, way, do, f"{kind} {way} {do} {number}")
        for kind in FAMILIES
        for way in ("sdk", "api")
        for do, times in (("exit", 2), ("kill", 2), ("eat", 1), ("spin", 1), ("flood", 1), ("fork", 2), ("echo", 30))
        for number in range(times)
        if (way, do) != ("sdk", "spin")  # each takes a processor for three seconds
    ]
    random.Random(7).shuffle(plans)
    clients = [alone.client("lambda") for _ in range(16)]

    def one(number: int) -> None:
        kind, way, do, mark = plans[number]
        event = json.dumps({"do": do, "mark": mark})
        if way == "api":
            answer = alone.call(api, f"/prod/{kind}", method="POST", body=event.encode())
            expected = (502, b'{"message": "Internal server error"}') if do in ENDS else (200, mark.encode())
            assert (answer.status, answer.body) == expected, mark
            return
        result = clients[number % len(clients)].invoke(FunctionName=kind, Payload=event)
        payload = json.loads(result["Payload"].read())
        if do in ENDS:
            assert (result["FunctionError"], payload["errorType"]) == ("Unhandled", ENDS[do][0]), mark
        else:
            assert ("FunctionError" in result, payload) == (False, mark)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(one, range(len(plans))))
    assert not [line for line in alone.messages if "Traceback" in line]


def test_what_of_the_environment_a_function_sees(alone: Server) -> None:
    alone.client("lambda").create_function(
        FunctionName="environment",
        Runtime="python3.11",
        Handler="app.handler",
        Role=ROLE,
        Code={"ZipFile": zipped({"app.py": ENVIRONMENT}, {})},
        Environment={"Variables": {"OWN": "1"}},
    )
    seen = json.loads(alone.client("lambda").invoke(FunctionName="environment")["Payload"].read())
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "OWN"):
        assert seen[name]
    ours = {name for name in seen if not name.startswith(("AWS_", "LAMBDA_"))}
    assert ours <= {
        *("OWN", "_HANDLER", "HOME", "LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ"),
        *("_X_AMZN_TRACE_ID", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    }
    assert "AWS_PROFILE" not in seen
