"""Response streaming: chunks as they come, in bounded memory; how streams end; status and headers before the body."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.functions.harness import lab, run
from tidegate.functions import streaming
from tidegate.functions.invocation import Outcome
from tidegate.functions.prelude import HTTP_INTEGRATION, Prelude, PreludeError, PreludeParser
from tidegate.functions.spec import InvokeError, StreamedResult
from tidegate.functions.streaming import ResponseStream

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")

NODE = """
const {pipeline} = require('stream/promises');
const {Readable} = require('stream');
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  if (event.http) stream = awslambda.HttpResponseStream.from(stream, event.http);
  switch (event.kind) {
    case 'steps':
      for (let i = 0; i < event.count; i += 1) { stream.write(`step ${i};`); await sleep(5); }
      stream.end(); return;
    case 'pipeline': await pipeline(Readable.from(['a', 'b', 'ü']), stream); return;
    case 'large': {
      const chunk = Buffer.alloc(65536, 'x');
      for (let i = 0; i < event.count; i += 1)
        if (!stream.write(chunk)) await new Promise((done) => stream.once('drain', done));
      stream.end(); return;
    }
    case 'empty': stream.end(); return;
    case 'type': stream.setContentType('text/event-stream'); stream.write('x'); stream.end(); return;
    case 'early': throw new RangeError('before');
    case 'late': stream.write('begun;'); await sleep(20); throw new RangeError('after ü');
    case 'exit': stream.write('begun;'); await sleep(20); process.exit(3);
    case 'uncaught': stream.write('begun;'); setTimeout(() => { throw new Error('timer') }, 10); await sleep(5000); return;
    case 'hang': stream.write('begun;'); await sleep(60000); return;
    case 'open': stream.write('begun;'); return;
    case 'pid': stream.end(String(process.pid)); return;
    case 'context': stream.end(JSON.stringify([context.awsRequestId, context.functionName])); return;
  }
});
exports.sync = awslambda.streamifyResponse((event, stream) => { stream.end('x'); });
exports.plain = async () => ({plain: true});
"""


async def chunks_of(stream: StreamedResult) -> bytes:
    return b"".join([chunk async for chunk in stream])


async def streamed(room: Any, arn: str, event: object, **options: Any) -> tuple[bytes, Any, StreamedResult]:
    stream = await room.service.invoke_stream(arn, orjson.dumps(event), **options)
    data = await chunks_of(stream)
    return data, None if stream.error is None else orjson.loads(stream.error), stream


@needs_node
def test_streams_and_their_ends(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add({"app.js": NODE}, runtime="nodejs20.x", timeout=1)
            first = await room.service.invoke_stream(arn, b'{"kind": "steps", "count": 20}', tail=True)
            pieces = [chunk async for chunk in first]
            assert b"".join(pieces) == b"".join(b"step %d;" % i for i in range(20))
            assert len(pieces) > 1, "they come as they are written"
            assert (first.content_type, first.error) == ("application/octet-stream", None)
            assert b"REPORT RequestId: " + first.request_id.encode() in first.log_tail

            assert (await streamed(room, arn, {"kind": "pipeline"}))[:2] == ("abü".encode(), None)
            assert (await streamed(room, arn, {"kind": "empty"}))[:2] == (b"", None)
            data, _, stream = await streamed(room, arn, {"kind": "type"})
            assert (data, stream.content_type) == (b"x", "text/event-stream")
            data, _, stream = await streamed(room, arn, {"kind": "context"})
            assert orjson.loads(data) == [stream.request_id, "f"]

            data, error, _ = await streamed(room, arn, {"kind": "early"})
            assert (data, error["errorType"], error["errorMessage"]) == (b"", "RangeError", "before")
            data, error, _ = await streamed(room, arn, {"kind": "late"})
            assert (data, error["errorType"], error["errorMessage"]) == (b"begun;", "RangeError", "after ü")
            assert error["trace"][0] == "RangeError: after ü"
            assert room.service.stats().cold_starts == 1, "all in one process so far"
            data, error, _ = await streamed(room, arn, {"kind": "uncaught"})
            assert (data, error["errorMessage"]) == (b"begun;", "timer")
            data, error, _ = await streamed(room, arn, {"kind": "exit"})
            assert (data, error["errorType"]) == (b"begun;", "Runtime.ExitError")
            data, error, _ = await streamed(room, arn, {"kind": "open"})
            assert (data, error["errorMessage"]) == (b"begun;", "Response stream is not finished.")
            data, error, _ = await streamed(room, arn, {"kind": "hang"})
            assert (data, error["errorType"]) == (b"begun;", "Sandbox.Timedout")

            sync = room.add({"app.js": NODE}, runtime="nodejs20.x", handler="app.sync", name="sync")
            _, error, _ = await streamed(room, sync, {})
            assert error["errorMessage"] == "Streaming does not support non-async handlers."
            plain = room.add({"app.js": NODE}, runtime="nodejs20.x", handler="app.plain", name="plain")
            data, error, stream = await streamed(room, plain, {})
            assert (data, error, stream.content_type) == (b'{"plain":true}', None, "application/json")

    run(work())


@needs_node
def test_a_caller_that_does_not_stream_gets_the_whole(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add({"app.js": NODE}, runtime="nodejs20.x")
            assert (await room.call(arn, {"kind": "pipeline"})).payload == "abü".encode()
            assert (await room.error(arn, {"kind": "late"}))["errorMessage"] == "after ü"
            assert (await room.error(arn, {"kind": "large", "count": 100}))["errorType"] == (
                "Function.ResponseSizeTooLarge"
            )
            assert len((await room.call(arn, {"kind": "large", "count": 90})).payload) == 90 * 65536
            assert room.service.stats().cold_starts == 1

    run(work())


@needs_node
def test_status_and_headers_before_the_body(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add({"app.js": NODE}, runtime="nodejs20.x")
            http = {"statusCode": 201, "headers": {"X-Number": 7, "X-Yes": True}, "cookies": ["a=b"]}
            stream = await room.service.invoke_stream(arn, orjson.dumps({"kind": "steps", "count": 3, "http": http}))
            assert stream.content_type == HTTP_INTEGRATION
            parser = PreludeParser()
            body = b"".join([parser.feed(chunk) async for chunk in stream])
            assert body == b"step 0;step 1;step 2;"
            assert parser.end() == Prelude(201, (("X-Number", "7"), ("X-Yes", "true")), ("a=b",))

    run(work())


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@needs_node
def test_a_slow_caller_holds_the_function_back_not_the_memory(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add({"app.js": NODE}, runtime="nodejs20.x", timeout=60, memory=512)
            stream = await room.service.invoke_stream(arn, b'{"kind": "large", "count": 1600}')
            assert isinstance(stream, ResponseStream)
            before, total = resident(), 0
            async for chunk in stream:
                total += len(chunk)
                assert stream._held <= 1024 * 1024
                if total < 20_000_000:
                    await asyncio.sleep(0.001)
            assert (total, stream.error) == (1600 * 65536, None)
            assert resident() - before < 30_000_000

    run(work())


@needs_node
def test_a_caller_that_goes_away_in_the_middle(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, workers_per_function=1) as room:
            arn = room.add({"app.js": NODE}, runtime="nodejs20.x")
            stream = await room.service.invoke_stream(arn, b'{"kind": "large", "count": 200}')
            async for _ in stream:
                break
            stream.close()
            assert (await streamed(room, arn, {"kind": "pid"}))[1] is None, "the worker has ended its invocation"
            waiting = asyncio.ensure_future(room.service.invoke_stream(arn, b'{"kind": "hang"}'))
            queued = asyncio.ensure_future(room.service.invoke_stream(arn, b'{"kind": "pid"}'))
            await waiting
            queued.cancel()
            with pytest.raises(asyncio.CancelledError):
                await queued

    run(work())


@needs_node
def test_more_than_may_be_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MAX_STREAM", 1_000_000)

    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add({"app.js": NODE}, runtime="nodejs20.x")
            data, error, _ = await streamed(room, arn, {"kind": "large", "count": 100})
            assert len(data) <= 1_000_000
            assert error["errorType"] == "Function.ResponseSizeTooLarge"
            assert (await streamed(room, arn, {"kind": "empty"}))[:2] == (b"", None)

    run(work())


SHELL = r"""#!/bin/bash
exec 3<>/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\/}
base=/2018-06-01/runtime/invocation
head() { while IFS= read -r line <&3 && [ "$line" != $'\r' ]; do
  case "$line" in *Request-Id:*) id=${line#*: }; id=${id%$'\r'};; Content-Length:*) size=${line#*: }; size=${size%$'\r'};; esac
done; read -rN "$size" body <&3; }
while :; do
  printf 'GET %s/next HTTP/1.1\r\nHost: x\r\n\r\n' $base >&3; head
  printf 'POST %s/%s/response HTTP/1.1\r\nHost: x\r\nLambda-Runtime-Function-Response-Mode: Streaming\r\n' $base $id >&3
  printf 'Transfer-Encoding: chunked\r\nTrailer: Lambda-Runtime-Function-Error-Body\r\n\r\n3\r\nabc\r\n' >&3
  printf '0\r\nLambda-Runtime-Function-Error-Type: Shell.Error\r\nLambda-Runtime-Function-Error-Body: %s\r\n\r\n' $body >&3
  head
done
"""


def test_custom_runtimes_stream_too(tmp_path: Path) -> None:
    """The event is what the runtime sends as its error, base64."""

    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add({}, executables={"bootstrap": SHELL}, runtime="provided.al2023")
            stream = await room.service.invoke_stream(arn, b"eyJlcnJvclR5cGUiOiJTaGVsbC5FcnJvciJ9")
            assert await chunks_of(stream) == b"abc"
            assert stream.error == b'{"errorType":"Shell.Error"}'
            stream = await room.service.invoke_stream(arn, b"not-base64")
            assert await chunks_of(stream) == b"abc"
            assert stream.error is not None
            assert b"Runtime.Unknown" in stream.error

    run(work())


def test_refusals_come_before_the_stream(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            with pytest.raises(InvokeError, match="Function not found"):
                await room.service.invoke_stream("arn:x", b"{}")
            with pytest.raises(InvokeError, match="InvalidRuntimeException"):
                await room.service.invoke_stream(room.add("", runtime="ruby3.3"), b"{}")

    run(work())


def test_python_gives_one_chunk(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add("def handler(e, c):\n    return 1 / e")
            assert (await streamed(room, arn, 2))[:2] == (b"0.5", None)
            data, error, _ = await streamed(room, arn, 0)
            assert (data, error["errorType"]) == (b"", "ZeroDivisionError")

    run(work())


class Counting:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")


def test_flow_is_held_and_let_go() -> None:
    async def work() -> None:
        flow, stream = Counting(), ResponseStream("id", "$LATEST")
        stream.begin("text/plain", flow)
        for _ in range(5):
            stream.feed(b"x" * 65536)
        assert flow.calls == ["pause"]
        seen = 0
        async for chunk in stream:
            seen += len(chunk)
            if seen == 5 * 65536:
                assert flow.calls == ["pause", "resume"]
                stream.settle(Outcome(b"", failed=False))
        assert seen == 5 * 65536
        stream.feed(b"late")
        assert not stream._chunks

    run(work())


PRELUDE = json.dumps(
    {"statusCode": "404", "headers": {"A": "b"}, "multiValueHeaders": {"C": ["d", 1], "E": "f"}}
).encode()


@given(st.binary(max_size=40), st.data())
def test_a_prelude_in_any_pieces(body: bytes, data: st.DataObject) -> None:
    whole = PRELUDE + b"\0" * 8 + body
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=6)))
    parser = PreludeParser()
    seen = b"".join(parser.feed(whole[start:end]) for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True))
    assert seen == body
    assert parser.end() == Prelude(404, (("A", "b"), ("C", "d"), ("C", "1"), ("E", "f")), ())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"x", "the prelude is not JSON"),
        (b"[]", "the prelude is not a JSON object"),
        (b'{"statusCode": 42}', "not a status code: 42"),
        (b'{"statusCode": true}', "not a status code: True"),
        (b'{"headers": []}', None),
        (b'{"headers": [1]}', "headers are not an object"),
        (b'{"headers": {"a": {}}}', "not the value of a header"),
        (b'{"cookies": "a"}', "cookies are not a list"),
    ],
)
def test_bad_preludes(text: bytes, reason: str | None) -> None:
    parser = PreludeParser()
    if reason is None:
        parser.feed(text + b"\0" * 8)
        assert parser.end() == Prelude(200, (), ())
        return
    with pytest.raises(PreludeError, match=re.escape(reason)):
        parser.feed(text + b"\0" * 8)


def test_a_prelude_without_end() -> None:
    parser = PreludeParser()
    parser.feed(b"{}")
    with pytest.raises(PreludeError, match="ended within the prelude"):
        parser.end()
    with pytest.raises(PreludeError, match="no end of the prelude"):
        parser.feed(b"x" * 2_000_000)
