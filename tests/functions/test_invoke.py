"""Functions that really run: results, payloads of failures, environment, logs, permissions, replacement."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.functions.harness import lab, run
from tidegate.functions.spec import InvokeError, Invoker, Permission

HELLO = "def handler(event, context):\n    return 'hello'\n"

MANY = """
import os, sys, json, tempfile, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    kind = event["kind"]
    if kind == "echo":
        return event["value"]
    if kind == "raise":
        raise ValueError("no " + event["value"])
    if kind == "unserialisable":
        return {1, 2}
    if kind == "large":
        return "x" * (event["size"] - 2)
    if kind == "print":
        print("said", event["value"])
        print("to stderr", file=sys.stderr)
        sys.stdout.write("no line end")
        return None
    if kind == "context":
        return {
            "id": context.aws_request_id, "arn": context.invoked_function_arn, "name": context.function_name,
            "version": context.function_version, "memory": context.memory_limit_in_mb,
            "left": context.get_remaining_time_in_millis(), "stream": context.log_stream_name,
            "trace": os.environ["_X_AMZN_TRACE_ID"],
            "client": context.client_context and context.client_context.custom,
        }
    if kind == "world":
        with tempfile.TemporaryFile() as file:
            fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))
        return {
            "env": dict(os.environ), "cwd": os.getcwd(), "tmp": tempfile.gettempdir(), "fds": len(fds),
            "leader": os.getsid(0) == os.getpid(), "calls": calls, "encoding": sys.stdout.encoding,
        }
"""


def test_results(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(MANY)
            for value in ["text", "Grüße ☃ 🚀", None, [1, 2.5, {"a": None}], "x" * 200_000]:
                assert await room.value(arn, {"kind": "echo", "value": value}) == value
            assert await room.value(arn, {"kind": "large", "size": 6_291_556}) == "x" * 6_291_554
            assert room.service.stats().cold_starts == 1

            error = await room.error(arn, {"kind": "raise", "value": "luck"})
            (line,) = error.pop("stackTrace")
            assert re.fullmatch(
                r'  File "(/var/task|.*/code)/app.py", line 11, in handler\n    raise ValueError\(.*\)\n', line
            )
            assert set(error) == {"errorMessage", "errorType", "requestId"}
            assert (error["errorMessage"], error["errorType"]) == ("no luck", "ValueError")

            error = await room.error(arn, {"kind": "unserialisable"})
            assert error["errorType"] == "Runtime.MarshalError"
            assert error["errorMessage"].startswith("Unable to marshal response: Object of type set is not JSON")

            assert await room.error(arn, {"kind": "large", "size": 7_000_000}) == {
                "errorType": "Function.ResponseSizeTooLarge",
                "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            }
            assert await room.value(arn, {"kind": "echo", "value": 1}) == 1

    run(work())


def test_what_the_handler_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_SECRET", "secret")
    leaked = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(leaked, True)

    async def work() -> None:
        async with lab(tmp_path, base_environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}) as room:
            arn = room.add(MANY, environment={"TABLE": "pets"}, memory=256, timeout=7)
            result = await room.call(
                arn + ":$LATEST",
                {"kind": "context"},
                request_id="11111111-2222-4333-8444-555555555555",
                trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
                client_context=b'{"custom": {"a": "b"}}',
            )
            seen = orjson.loads(result.payload)
            assert 5000 < seen.pop("left") <= 7000
            stream = seen.pop("stream")
            assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
            assert seen == {
                "id": "11111111-2222-4333-8444-555555555555",
                "arn": arn + ":$LATEST",
                "name": "f",
                "version": "$LATEST",
                "memory": "256",
                "trace": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
                "client": {"a": "b"},
            }
            assert (result.executed_version, result.request_id) == ("$LATEST", seen["id"])

            world = await room.value(arn, {"kind": "world"})
            env = world["env"]
            assert (env["TABLE"], env["AWS_ENDPOINT_URL"]) == ("pets", "http://127.0.0.1:4566")
            assert "GATEWAY_SECRET" not in env
            assert world["cwd"] == env["LAMBDA_TASK_ROOT"]
            assert world["tmp"] == env["TMPDIR"]
            assert world["tmp"] == "/tmp" or Path(world["tmp"]).is_relative_to(tmp_path / "scratch")
            assert world["leader"]
            assert world["encoding"] == "utf-8"
            # 0, 1, 2, the runtime's connection, the open file, the directory that is listed; libcurl's wake-up pair
            assert world["fds"] <= 8
        assert list((tmp_path / "scratch").iterdir()) == []

    run(work())
    os.close(leaked)


def test_logs_and_tail(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, log_directory=tmp_path / "logs") as room:
            arn = room.add(MANY)
            results = [await room.call(arn, {"kind": "print", "value": n}, tail=True) for n in range(2)]
            for number, result in enumerate(results):
                lines = result.log_tail.decode().split("\n")
                assert lines[:5] == [
                    f"START RequestId: {result.request_id} Version: $LATEST",
                    f"said {number}",
                    "to stderr",
                    "no line end",
                    f"END RequestId: {result.request_id}",
                ]
                pattern = (
                    rf"REPORT RequestId: {result.request_id}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
                    r"Memory Size: 128 MB\tMax Memory Used: [1-9]\d* MB\t"
                ) + (r"Init Duration: \d+\.\d\d ms\t" if number == 0 else "")
                assert re.fullmatch(pattern, lines[5])
                assert lines[6:] == [""]
            assert (await room.call(arn, {"kind": "echo", "value": 1})).log_tail == b""
            assert room.text().count("START RequestId") == 3
        assert (tmp_path / "logs/000000000000/us-east-1/f.log").read_text().count("Z said ") == 2

    run(work())


INIT_FAILURES: dict[str, tuple[str, str, str, str]] = {
    "missing module": (
        "x = 1",
        "nope.handler",
        "Runtime.ImportModuleError",
        "Unable to import module 'nope': No module",
    ),
    "failing import": (
        "import missing_thing",
        "app.handler",
        "Runtime.ImportModuleError",
        "Unable to import module 'app'",
    ),
    "missing handler": (HELLO, "app.other", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'app'"),
    "bad handler": (HELLO, "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler': not enough values to"),
    "syntax": ("def handler(:", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app': "),
    "exception": ("1 / 0", "app.handler", "ZeroDivisionError", "division by zero"),
}


def test_init_failures(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arns = {
                name: room.add(source, handler=handler, name=name.replace(" ", "-"))
                for name, (source, handler, _, _) in INIT_FAILURES.items()
            }
            arns["exit"] = room.add("import sys\nsys.exit(3)", name="exit")
            errors = dict(zip(arns, await asyncio.gather(*map(room.error, arns.values())), strict=True))
            for name, (_, _, kind, message) in INIT_FAILURES.items():
                assert errors[name]["errorType"] == kind
                assert errors[name]["errorMessage"].startswith(message)
            assert errors["exit"]["errorType"] == "Runtime.ExitError"
            assert re.fullmatch(
                r"RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 3",
                errors["exit"]["errorMessage"],
            )
            assert "Status: error" in room.text("syntax")
            assert room.service.stats().workers == 0

    run(work())


def test_permissions_and_refusals(tmp_path: Path) -> None:
    allow = Permission(
        "Allow", ("apigateway.amazonaws.com",), ("lambda:InvokeFunction",), "arn:aws:execute-api:*:*:a/*"
    )

    def invoker(api: str) -> Invoker:
        return Invoker("apigateway.amazonaws.com", f"arn:aws:execute-api:us-east-1:0:{api}/s/GET/", "0")

    async def refused(work: Any) -> tuple[str, str, int]:
        with pytest.raises(InvokeError) as caught:
            await work
        return caught.value.code, caught.value.message, caught.value.status

    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(HELLO, permissions=(allow,))
            assert (await room.call(arn, {}, invoker=invoker("a"))).payload == b'"hello"'
            code, message, status = await refused(room.call(arn, {}, invoker=invoker("b")))
            assert (code, status) == ("AccessDeniedException", 403)
            assert "is not authorized to perform: lambda:InvokeFunction on resource: " + arn in message
            room.add(HELLO)  # the same code without the permission: decided anew, on the same worker
            assert (await refused(room.call(arn, {}, invoker=invoker("a"))))[0] == "AccessDeniedException"
            assert (await room.call(arn, {})).payload == b'"hello"'
            assert room.service.stats().cold_starts == 1

            for unknown in (arn + "x", arn + ":prod", arn + ":1", "nonsense", ""):
                assert await refused(room.call(unknown)) == (
                    "ResourceNotFoundException",
                    f"Function not found: {unknown}",
                    404,
                )
            assert await refused(room.service.invoke(arn, b"x" * 6_291_457)) == (
                "RequestTooLargeException",
                "Request must be smaller than 6291456 bytes for the InvokeFunction operation",
                413,
            )
            assert (await refused(room.call(room.add(HELLO, name="ruby", runtime="ruby3.3"))))[::2] == (
                "InvalidRuntimeException",
                502,
            )
            missing = room.add(HELLO, name="missing", code_sha256="A" * 43 + "=")
            assert (await refused(room.call(missing)))[::2] == ("ServiceException", 500)
            room.service.remove(arn)
            assert (await refused(room.call(arn)))[0] == "ResourceNotFoundException"

    run(work())


def test_replacement(tmp_path: Path) -> None:
    slow = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return '{}'\n"

    async def work() -> None:
        async with lab(tmp_path, workers_per_function=1) as room:
            arn = room.add(slow.format("old"))
            assert await room.value(arn, 0) == "old"
            held = asyncio.ensure_future(room.value(arn, 0.3))
            waits = asyncio.ensure_future(room.value(arn, 0))
            await asyncio.sleep(0.05)
            room.add(slow.format("new"))
            assert await room.value(arn, 0) == "new", "the very next call"
            assert (await held, await waits) == ("old", "new")
            room.add(slow.format("new"), environment={"AB": "C"})
            assert await room.value(arn, 0) == "new"
            assert room.service.stats().cold_starts == 3

            held = asyncio.ensure_future(room.value(arn, 0.2))
            waits = asyncio.ensure_future(room.value(arn, 0))
            await asyncio.sleep(0.05)
            room.service.remove(arn)
            assert await held == "new"
            with pytest.raises(InvokeError, match="Function not found"):
                await waits

    run(work())


def test_an_empty_payload_is_an_empty_object(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add("def handler(event, context):\n    return [event]\n")
            assert (await room.service.invoke(arn, b"")).payload == b"[{}]"

    run(work())
