"""Functions on Node.js: kinds of modules and handlers, what they see, and how they fail. Whatever `node` is on PATH."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.functions.harness import Lab, lab, run

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")

ID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
MODULE = '{"type": "module"}'


def add(room: Lab, source: str | Mapping[str, str | bytes], **spec: Any) -> str:
    files = {"app.js": source} if isinstance(source, str) else source
    return room.add(files, **{"runtime": "nodejs20.x", **spec})


FORMS: dict[str, tuple[dict[str, str], str]] = {
    "commonjs": ({"app.js": "exports.handler = async (e) => [e]"}, "app.handler"),
    "cjs": ({"app.cjs": "exports.handler = async (e) => [e]", "package.json": MODULE}, "app.handler"),
    "mjs": ({"app.mjs": "export const handler = async (e) => [e]"}, "app.handler"),
    "module": ({"app.js": "export const handler = async (e) => [e]", "package.json": MODULE}, "app.handler"),
    "top-level await": ({"app.mjs": "const one = await 1; export const handler = async (e) => [e]"}, "app.handler"),
    "nested": ({"src/deep/app.js": "exports.a = {b: {c: async (e) => [e]}}"}, "src/deep/app.a.b.c"),
    "callback": (
        {"app.js": "exports.handler = (e, c, done) => { setTimeout(() => done(null, [e]), 5) }"},
        "app.handler",
    ),
    "callback now": ({"app.js": "exports.handler = (e, c, done) => done(null, [e])"}, "app.handler"),
    "async callback": (
        {"app.js": "exports.handler = async (e, c, done) => { done(null, [e]); return [e] }"},
        "app.handler",
    ),
    "promise": ({"app.js": "exports.handler = (e) => new Promise(r => setTimeout(r, 5, [e]))"}, "app.handler"),
    "succeed": ({"app.js": "exports.handler = (e, c) => c.succeed([e])"}, "app.handler"),
    "done": ({"app.js": "exports.handler = (e, c) => { c.done(null, [e]) }"}, "app.handler"),
    "own dependency": (
        {
            "app.js": "const dep = require('dep'); exports.handler = async (e) => dep(e)",
            "node_modules/dep/index.js": "module.exports = (e) => [e]",
        },
        "app.handler",
    ),
}


def test_every_form_of_a_handler(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            for name, (files, handler) in FORMS.items():
                arn = add(room, files, handler=handler, name=name.replace(" ", "-"))
                for event in ("Grüße ☃ 🚀", None, {"a": [1, 2.5]}):
                    assert await room.value(arn, event) == [event], name

    run(work())


MANY = """
let calls = 0;
const forever = new Promise(() => {});
exports.handler = (event, context, callback) => {
  calls += 1;
  switch (event.kind) {
    case 'large': return Promise.resolve('x'.repeat(event.size - 2));
    case 'undefined': return Promise.resolve(undefined);
    case 'never': return;
    case 'print':
      console.log('said', event.value, {deep: [1]}); console.error('two\\nlines'); console.warn('w');
      process.stdout.write('raw\\n');
      return Promise.resolve(null);
    case 'context':
      return Promise.resolve({
        ...context, left: context.getRemainingTimeInMillis(), waits: context.callbackWaitsForEmptyEventLoop,
        functions: Object.keys(context).filter((name) => typeof context[name] === 'function').sort(),
        trace: process.env._X_AMZN_TRACE_ID, root: process.env.LAMBDA_TASK_ROOT, cwd: process.cwd(),
      });
    case 'calls': return Promise.resolve(calls);
    case 'waits': {
      let late = 'early';
      setTimeout(() => { late = 'late'; }, 30);
      context.callbackWaitsForEmptyEventLoop = event.value;
      callback(null, {get late() { return late; }});
      return;
    }
    case 'eval': return eval(event.code);
  }
};
"""


def test_what_the_handler_sees(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = add(room, MANY, memory=256, timeout=7)
            result = await room.call(
                arn + ":$LATEST",
                {"kind": "context"},
                request_id="11111111-2222-4333-8444-555555555555",
                trace_header="Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
                client_context='{"custom": {"a": "ü"}}'.encode(),
            )
            seen = orjson.loads(result.payload)
            assert 5000 < seen.pop("left") <= 7000
            assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", seen.pop("logStreamName"))
            assert seen.pop("cwd") == seen.pop("root")
            assert seen == {
                "callbackWaitsForEmptyEventLoop": True,
                "waits": True,
                "functions": ["done", "fail", "getRemainingTimeInMillis", "succeed"],
                "functionVersion": "$LATEST",
                "functionName": "f",
                "memoryLimitInMB": "256",
                "logGroupName": "/aws/lambda/f",
                "clientContext": {"custom": {"a": "ü"}},
                "invokedFunctionArn": arn + ":$LATEST",
                "awsRequestId": "11111111-2222-4333-8444-555555555555",
                "trace": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
            }
            assert await room.value(arn, {"kind": "undefined"}) is None
            assert await room.value(arn, {"kind": "never"}) is None, "AWS: whoever never calls back has succeeded"
            assert await room.value(arn, {"kind": "waits", "value": True}) == {"late": "late"}
            assert await room.value(arn, {"kind": "waits", "value": False}) == {"late": "early"}
            assert await room.value(arn, {"kind": "large", "size": 6_291_556}) == "x" * 6_291_554
            assert (await room.error(arn, {"kind": "large", "size": 7_000_000}))["errorType"] == (
                "Function.ResponseSizeTooLarge"
            )
            assert await room.value(arn, {"kind": "calls"}) == 8, "all of it in one process"

    run(work())


def test_console(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = add(room, "console.log('loading');" + MANY)
            result = await room.call(arn, {"kind": "print", "value": 1}, tail=True)
            moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
            lines = result.log_tail.decode().split("\n")
            assert lines[0] == f"START RequestId: {result.request_id} Version: $LATEST"
            for line, expected in zip(
                lines[1:6],
                (r"INFO\tsaid 1 \{ deep: \[ 1 \] \}", r"ERROR\ttwo", "lines", r"WARN\tw", "raw"),
                strict=True,
            ):
                prefix = "" if expected in ("lines", "raw") else rf"{moment}\t{result.request_id}\t"
                assert re.fullmatch(prefix + expected, line)
            assert lines[6] == f"END RequestId: {result.request_id}"
            assert re.search(rf"(?m)^{moment}\tundefined\tINFO\tloading$", room.text())

            structured = add(room, MANY, name="json", environment={"AWS_LAMBDA_LOG_FORMAT": "JSON"})
            result = await room.call(structured, {"kind": "eval", "code": "console.log({a: 1}); console.info('x', 2)"})
            one, two = [orjson.loads(line) for line in room.text("json").split("\n")[1:3]]
            assert (one["message"], one["level"], one["requestId"]) == ({"a": 1}, "INFO", result.request_id)
            assert two["message"] == "x 2"

    run(work())


FAILURES: dict[str, tuple[str, str, str, str | None]] = {
    "throw": ("throw new RangeError('no luck')", "RangeError", "no luck", "RangeError: no luck"),
    "reject": ("Promise.reject(new TypeError('later'))", "TypeError", "later", "TypeError: later"),
    "callback": ("callback(new Error('called'))", "Error", "called", "Error: called"),
    "string": ("callback('Unauthorized')", "string", "Unauthorized", None),
    "reject string": ("Promise.reject('Unauthorized')", "string", "Unauthorized", None),
    "reject nothing": ("Promise.reject()", "string", "handled", None),
    "object": ("Promise.reject({a: 1})", "object", "[object Object]", None),
    "fail": ("context.fail('gone')", "string", "gone", None),
    "own class": (
        "class NotFound extends Error { constructor(m) { super(m); this.name = 'NotFound' } }; throw new NotFound('x')",
        "NotFound",
        "x",
        "NotFound: x",
    ),
    "circular": (
        "const o = {}; o.o = o; Promise.resolve(o)",
        "Runtime.MarshalError",
        "Unable to stringify response body: TypeError: Converting circular structure to JSON",
        "Runtime.MarshalError: Unable to stringify",
    ),
    "uncaught": ("setTimeout(() => { throw new Error('late') }, 1); forever", "Error", "late", "Error: late"),
    "unhandled": (
        "Promise.reject(new Error('nobody')); forever",
        "Runtime.UnhandledPromiseRejection",
        "Error: nobody",
        "Runtime.UnhandledPromiseRejection: Error: nobody",
    ),
    "bigint": (
        "Promise.resolve(1n)",
        "Runtime.MarshalError",
        "Unable to stringify response body: TypeError: Do not",
        "",
    ),
}


def test_failures(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = add(room, MANY)
            for name, (code, kind, message, trace) in FAILURES.items():
                error = await room.error(arn, {"kind": "eval", "code": code})
                assert list(error) == ["errorType", "errorMessage", "trace"], name
                assert error["errorType"] == kind, name
                assert error["errorMessage"].startswith(message), name
                if trace is None:
                    assert error["trace"] == [], name
                else:
                    assert error["trace"][0].startswith(trace), name
                    assert any(line.startswith("    at ") for line in error["trace"][1:]), name
                assert isinstance(await room.value(arn, {"kind": "calls"}), int), name
            assert re.search(
                rf'\t{ID}\tERROR\tInvoke Error \t{{"errorType":"RangeError","errorMessage":"no luck","stack":\[',
                room.text(),
            )

    run(work())


def test_exits(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = add(room, MANY)
            for code, reason in (
                ("process.exit(5)", "Runtime exited with error: exit status 5"),
                ("process.exit(0)", "Runtime exited without providing a reason"),
                ("process.kill(process.pid, 'SIGKILL'); forever", "Runtime exited with error: signal: killed"),
            ):
                error = await room.error(arn, {"kind": "eval", "code": code})
                assert error["errorType"] == "Runtime.ExitError"
                assert re.fullmatch(f"RequestId: {ID} Error: {reason}", error["errorMessage"])
            never = add(room, "exports.handler = async () => new Promise(() => {})", name="never")
            error = await room.error(never)
            assert error["errorType"] == "Runtime.NodeJsExit"
            assert "a Promise that was never settled" in error["errorMessage"]
            spin = add(room, "exports.handler = async () => { for (;;); }", name="spin", timeout=1)
            assert (await room.error(spin))["errorType"] == "Sandbox.Timedout"

    run(work())


INIT_FAILURES: dict[str, tuple[dict[str, str], str, str, str]] = {
    "no module": (
        {"app.js": ""},
        "nope.handler",
        "Runtime.ImportModuleError",
        "Error: Cannot find module 'nope'\nRequire stack:",
    ),
    "no dependency": (
        {"app.js": "require('missing')"},
        "app.handler",
        "Runtime.ImportModuleError",
        "Error: Cannot find module 'missing'\nRequire stack:",
    ),
    "no es dependency": ({"app.mjs": "import 'missing'"}, "app.handler", "Error", "Cannot find package 'missing'"),
    "no handler": (
        {"app.js": "exports.other = 1"},
        "app.handler",
        "Runtime.HandlerNotFound",
        "app.handler is undefined or not exported",
    ),
    "no function": ({"app.js": "exports.x = 1"}, "app.x", "Runtime.HandlerNotFound", "app.x is not a function"),
    "bad name": ({"app.js": ""}, "handler", "Runtime.MalformedHandlerName", "Bad handler"),
    "outside": ({"app.js": ""}, "../app.handler", "Runtime.MalformedHandlerName", "'../app.handler' is not a valid"),
    "syntax": ({"app.js": "exports.handler = ("}, "app.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
    "es syntax": ({"app.mjs": "export const = ("}, "app.handler", "Runtime.UserCodeSyntaxError", "SyntaxError: "),
    "throws": ({"app.js": "throw new RangeError('early')"}, "app.handler", "RangeError", "early"),
    "rejects": (
        {"app.js": "Promise.reject(new Error('e')); exports.handler = 1; while (false);"},
        "app.handler",
        "Runtime.HandlerNotFound",
        "app.handler is not a function",
    ),
    "exit": ({"app.js": "process.exit(3)"}, "app.handler", "Runtime.ExitError", "RequestId: "),
}


def test_init_failures(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            for name, (files, handler, kind, message) in INIT_FAILURES.items():
                error = await room.error(add(room, files, handler=handler, name=name.replace(" ", "-")))
                assert error["errorType"] == kind, (name, error)
                assert error["errorMessage"].startswith(message), (name, error)
            assert room.service.stats().workers == 0

    run(work())


def test_node_path_serves_both_kinds_of_modules(tmp_path: Path) -> None:
    """The runtime's own node_modules, where the SDKs are, come after the layers'; AWS has them in /var/runtime."""
    modules = tmp_path / "runtimes/nodejs/node_modules/@aws-sdk/thing"
    modules.mkdir(parents=True)
    (modules / "index.js").write_text("exports.name = 'sdk'")
    (modules / "package.json").write_text('{"main": "index.js"}')

    async def work() -> None:
        async with lab(tmp_path) as room:
            for number, files in enumerate(
                (
                    {"app.js": "const {name} = require('@aws-sdk/thing'); exports.handler = async () => name"},
                    {"app.mjs": "import {name} from '@aws-sdk/thing'; export const handler = async () => name"},
                    {"app.mjs": "export const handler = async () => (await import('@aws-sdk/thing')).name"},
                )
            ):
                assert await room.value(add(room, files, name=f"f{number}")) == "sdk"

    run(work())


def test_large_events_fit_into_a_small_function(tmp_path: Path) -> None:
    """V8 is told its memory size, and pages of Node's own files are nobody's."""

    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = add(room, "exports.handler = async (e) => e.text.length", memory=128)
            event = {"text": "x" * 1_000_000}
            for _ in range(60):
                answer = await room.call(arn, event)
                assert (answer.function_error, answer.payload) == (None, b"1000000")

    run(work())
