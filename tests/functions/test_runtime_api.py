"""The Runtime API: the state machine as a table, the server and the channel under any chunking of a client's bytes."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import httptools
import pytest

from tests.functions.harness import run
from tidegate.functions.channel import HEAD, NO_CONTEXT
from tidegate.functions.invocation import Invocation
from tidegate.functions.runtime_api import MAX_RESPONSE, RuntimeApi, State, Told, render_next
from tidegate.functions.runtime_server import RuntimeServer
from tidegate.functions.streaming import Collector, Flow, Sink

BASE = b"/2018-06-01/runtime/"
NEXT = (b"GET", BASE + b"invocation/next")
ANSWER = (b"POST", BASE + b"invocation/id-1/response")
ERROR = (b"POST", BASE + b"invocation/id-1/error")
OTHER = (b"POST", BASE + b"invocation/id-0/response")
INIT_ERROR = (b"POST", BASE + b"init/error")
BEGIN = (b"", b"begin")
STREAM = (b"POST", b"stream")

Step = tuple[bytes, bytes]
MODE = b"Lambda-Runtime-Function-Response-Mode: streaming\r\n"


@pytest.mark.parametrize(
    ("before", "request_", "status", "told", "state"),
    [
        ([], NEXT, None, Told.READY, State.READY),
        ([], INIT_ERROR, 202, Told.INIT_FAILED, State.FAILED),
        ([], ANSWER, 400, Told.NOTHING, State.INIT),
        ([INIT_ERROR], INIT_ERROR, 403, Told.NOTHING, State.FAILED),
        ([INIT_ERROR], NEXT, 403, Told.NOTHING, State.FAILED),
        ([NEXT], NEXT, 403, Told.NOTHING, State.READY),
        ([NEXT], INIT_ERROR, 403, Told.NOTHING, State.READY),
        ([NEXT, BEGIN], ANSWER, 202, Told.ANSWERED, State.DONE),
        ([NEXT, BEGIN], ERROR, 202, Told.FAILED, State.DONE),
        ([NEXT, BEGIN], OTHER, 400, Told.NOTHING, State.BUSY),
        ([NEXT, BEGIN], NEXT, 403, Told.NOTHING, State.BUSY),
        ([NEXT, BEGIN], INIT_ERROR, 403, Told.NOTHING, State.BUSY),
        ([NEXT, BEGIN, ANSWER], ANSWER, 403, Told.NOTHING, State.DONE),
        ([NEXT, BEGIN, ANSWER], ERROR, 403, Told.NOTHING, State.DONE),
        ([NEXT, BEGIN, ANSWER], NEXT, None, Told.READY, State.READY),
        ([NEXT, BEGIN, STREAM], ANSWER, 202, Told.STREAMED, State.DONE),
        ([NEXT, BEGIN, STREAM], ERROR, 403, Told.NOTHING, State.STREAMING),
        ([NEXT, BEGIN, STREAM], NEXT, 403, Told.NOTHING, State.STREAMING),
        ([NEXT, BEGIN, STREAM, ANSWER], NEXT, None, Told.READY, State.READY),
        ([], (b"GET", b"/"), 404, Told.NOTHING, State.INIT),
        ([], (b"POST", BASE + b"invocation/next"), 404, Told.NOTHING, State.INIT),
        ([], (b"GET", BASE + b"restore/next"), 404, Told.NOTHING, State.INIT),
    ],
)
def test_states(before: list[Step], request_: Step, status: int | None, told: Told, state: State) -> None:
    api = RuntimeApi()
    for step in before:
        if step == BEGIN:
            api.begin("id-1")
        elif step == STREAM:
            assert api.open_stream(*ANSWER)
            assert not api.open_stream(*ANSWER)
        else:
            api.ask(*step)
    verdict = api.ask(*request_)
    assert (None if verdict.reply is None else int(verdict.reply[9:12])) == status
    assert (verdict.told, api.state) == (told, state)


def test_a_result_that_is_too_large_ends_the_invocation() -> None:
    api = RuntimeApi()
    api.ask(*NEXT)
    api.begin("id-1")
    verdict = api.ask(*ANSWER, too_large=True)
    assert verdict.reply is not None
    assert verdict.reply.startswith(b"HTTP/1.1 413 ")
    assert b"RequestEntityTooLarge" in verdict.reply
    assert verdict.told is Told.TOO_LARGE
    assert api.ask(*NEXT).told is Told.READY


def test_a_lost_poll_can_be_made_again() -> None:
    api = RuntimeApi()
    api.ask(*NEXT)
    api.lost()
    with pytest.raises(RuntimeError):
        api.begin("id-1")
    assert api.ask(*NEXT).told is Told.READY


def test_header_fields_cannot_be_smuggled_in() -> None:
    reply = render_next(
        request_id="id",
        payload=b"{}",
        function_arn="arn",
        deadline_ms=1,
        trace_header="Root=1\r\nEvil: 1",
        client_context=b'{\r\n"a": "\xc3\xbc"}',
    )
    assert reply.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"Content-Type: application/json",
        b"Lambda-Runtime-Aws-Request-Id: id",
        b"Lambda-Runtime-Deadline-Ms: 1",
        b"Lambda-Runtime-Invoked-Function-Arn: arn",
        b"Lambda-Runtime-Trace-Id: Root=1Evil: 1",
        b"Content-Length: 2",
        b'Lambda-Runtime-Client-Context: {  "a": "\xc3\xbc"}',
        b"",
        b"{}",
    ]


def invocation(payload: bytes = b"{}", client_context: bytes | None = None) -> Invocation:
    return Invocation(
        request_id="id-1",
        payload=payload,
        function_arn="arn",
        trace_header="Root=1",
        client_context=client_context,
        tail=False,
        future=asyncio.get_running_loop().create_future(),
    )


class Owner:
    def __init__(self) -> None:
        self.events: list[tuple[str, bytes]] = []
        self.closed = asyncio.Event()
        self.sink = Collector()

    def told(self, what: Told, body: bytes) -> None:
        self.events.append((what.name, body))

    def streams(self, content_type: str, flow: Flow) -> Sink:
        self.events.append(("STREAM", content_type.encode()))
        self.sink.begin(content_type, flow)
        return self.sink

    def poll_lost(self) -> None:
        self.events.append(("LOST", b""))

    def connections_closed(self) -> None:
        self.closed.set()


async def listening() -> tuple[RuntimeServer, Owner, Any, Any]:
    owner = Owner()
    server = RuntimeServer(owner)
    await server.listen(asyncio.get_running_loop())
    host, port = server.address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    return server, owner, reader, writer


async def status_of(reader: asyncio.StreamReader) -> int:
    status = 0

    class Parsed:
        done = False

        def on_message_complete(self) -> None:
            self.done = True

    parsed = Parsed()
    parser = httptools.HttpResponseParser(parsed)
    while not parsed.done:
        parser.feed_data(await reader.read(65536))
        status = parser.get_status_code()
    return status


def request(step: Step, body: bytes | None = None, fields: bytes = b"") -> bytes:
    length = b"" if body is None else b"Content-Length: %d\r\n" % len(body)
    return b"%b %b HTTP/1.1\r\nHost: x\r\n%b%b\r\n%b" % (*step, length, fields, body or b"")


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_one_connection_however_its_bytes_arrive(size: int) -> None:
    async def talk() -> None:
        server, owner, reader, writer = await listening()

        async def send(data: bytes) -> None:
            for start in range(0, len(data), size):
                writer.write(data[start : start + size])
                await writer.drain()

        async def event(count: int) -> None:
            while len(owner.events) < count:
                await asyncio.sleep(0)

        for turn in range(2):
            await send(request(NEXT))
            await event(2 * turn + 1)
            server.hand_over(invocation(), 1)
            assert await status_of(reader) == 200
            await send(request(ANSWER, b'"abc"'))
            assert await status_of(reader) == 202
        await send(request(NEXT))
        await event(5)
        server.hand_over(invocation(), 1)
        assert await status_of(reader) == 200
        await send(request(ANSWER, None, b"Transfer-Encoding: chunked\r\n") + b'3\r\n"ab\r\n2\r\nc"\r\n0\r\n\r\n')
        assert await status_of(reader) == 202
        assert owner.events == [("READY", b""), ("ANSWERED", b'"abc"')] * 3
        writer.close()
        await owner.closed.wait()
        server.close()

    run(talk())


def test_a_body_beyond_the_limit_is_read_but_not_kept() -> None:
    async def talk() -> None:
        server, owner, reader, writer = await listening()
        writer.write(request(NEXT))
        while not owner.events:
            await asyncio.sleep(0)
        server.hand_over(invocation(), 1)
        await status_of(reader)
        writer.write(request(ANSWER, b"x" * (MAX_RESPONSE + 1)))
        assert await status_of(reader) == 413
        assert owner.events[1:] == [("TOO_LARGE", b"")]
        writer.close()
        server.close()

    run(talk())


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_a_stream_however_its_bytes_arrive(size: int) -> None:
    async def talk() -> None:
        server, owner, reader, writer = await listening()
        for turn in range(2):
            writer.write(request(NEXT))
            while len(owner.events) < 3 * turn + 1:
                await asyncio.sleep(0)
            server.hand_over(invocation(), 1)
            await status_of(reader)
            head = request(ANSWER, None, b"Content-Type: a/b\r\nTransfer-Encoding: chunked\r\n" + MODE)
            data = head + b"3\r\nabc\r\n2\r\nde\r\n0\r\nLambda-Runtime-Function-Error-Body: e30=\r\n\r\n"
            for start in range(0, len(data), size):
                writer.write(data[start : start + size])
                await writer.drain()
            assert await status_of(reader) == 202
        assert owner.events == [("READY", b""), ("STREAM", b"a/b"), ("STREAMED", b"e30=")] * 2
        assert owner.sink.whole() == b"abcde" * 2
        writer.write(request(ANSWER, b"x", MODE))
        assert await status_of(reader) == 403
        assert len(owner.events) == 6
        writer.close()
        server.close()

    run(talk())


def test_a_poll_that_breaks_is_told() -> None:
    async def talk() -> None:
        server, owner, _, writer = await listening()
        writer.write(request(NEXT))
        while not owner.events:
            await asyncio.sleep(0)
        writer.transport.abort()
        await owner.closed.wait()
        assert owner.events == [("READY", b""), ("LOST", b"")]
        server.close()

    run(talk())


def test_what_is_not_http_is_answered_400_and_closed() -> None:
    async def talk() -> None:
        server, _, reader, writer = await listening()
        writer.write(b"hello\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()
        server.close()

    run(talk())


def test_the_port_closes_with_the_server(tmp_path: Path) -> None:
    async def talk() -> None:
        server, _, reader, _ = await listening()
        host, port = server.address.split(":")
        server.close()
        assert await reader.read() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection(host, int(port))

    run(talk())


async def channel_of() -> tuple[RuntimeServer, Owner, socket.socket]:
    owner = Owner()
    server = RuntimeServer(owner)
    theirs = await server.open_channel(asyncio.get_running_loop())
    theirs.setblocking(False)
    return server, owner, theirs


async def events(owner: Owner, count: int) -> list[tuple[str, bytes]]:
    while len(owner.events) < count:
        await asyncio.sleep(0)
    return owner.events


def message(letter: bytes, body: bytes = b"") -> bytes:
    return letter + len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize("size", [1, 4, 7, 100_000])
def test_a_channel_however_its_bytes_arrive(size: int) -> None:
    async def talk() -> None:
        server, owner, theirs = await channel_of()
        loop = asyncio.get_running_loop()

        async def send(data: bytes) -> None:
            for start in range(0, len(data), size):
                await loop.sock_sendall(theirs, data[start : start + size])
                await asyncio.sleep(0)

        async def receive(wanted: int) -> bytes:
            data = b""
            while len(data) < wanted:
                data += await loop.sock_recv(theirs, wanted - len(data))
            return data

        await send(message(b"N"))
        await events(owner, 1)
        for payload, context in ((b"{}", None), (b"[" + b" " * 200_000 + b"]", b'{"a": 1}')):
            before = len(owner.events)
            server.hand_over(invocation(payload, context), 5_000_000_000)
            head = HEAD.unpack(await receive(HEAD.size))
            assert head == (len(payload), 5_000_000_000, 4, 3, 6, NO_CONTEXT if context is None else len(context))
            assert await receive(13) == b"id-1arnRoot=1"
            assert await receive(len(context or b"") + len(payload)) == (context or b"") + payload
            await send(message(b"R", b'"abc"'))
            assert (await events(owner, before + 2))[before:] == [("ANSWERED", b'"abc"'), ("READY", b"")]
        server.hand_over(invocation(), 1)
        await send(message(b"E", b"{}"))
        assert (await events(owner, 7))[5:] == [("FAILED", b"{}"), ("READY", b"")]
        theirs.close()
        await owner.closed.wait()
        assert owner.events[7:] == [("LOST", b"")]
        server.close()

    run(talk())


@pytest.mark.parametrize("letter", [b"R", b"E"])
def test_a_message_beyond_the_limit_is_not_kept(letter: bytes) -> None:
    async def talk() -> None:
        server, owner, theirs = await channel_of()
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(theirs, message(b"N"))
        await events(owner, 1)
        server.hand_over(invocation(), 1)
        await loop.sock_sendall(theirs, message(letter, b"x" * (MAX_RESPONSE + 1)))
        assert (await events(owner, 3))[1:] == [("TOO_LARGE", b""), ("READY", b"")]
        server.hand_over(invocation(), 1)
        await loop.sock_sendall(theirs, message(b"R", b"1"))
        assert (await events(owner, 5))[3:] == [("ANSWERED", b"1"), ("READY", b"")]
        theirs.close()
        await owner.closed.wait()
        server.close()

    run(talk())


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([b"I"], ["INIT_FAILED"]),
        ([b"R"], []),
        ([b"E"], []),
        ([b"?"], []),
        ([b"N", b"N"], ["READY", "LOST"]),
        ([b"N", b"R"], ["READY", "LOST"]),
        ([b"N", b"I"], ["READY", "LOST"]),
        ([b"I", b"N"], ["INIT_FAILED"]),
        ([b"N", b"begin", b"F", b"N"], ["READY", "FAILED", "READY", "LOST"]),
        ([b"N", b"begin", b"F", b"R"], ["READY", "FAILED"]),
        ([b"N", b"begin", b"N"], ["READY"]),
        ([b"N", b"begin", b"I"], ["READY"]),
    ],
)
def test_a_channel_out_of_turn_is_closed(said: list[bytes], told: list[str]) -> None:
    async def talk() -> None:
        server, owner, theirs = await channel_of()
        loop = asyncio.get_running_loop()
        for letter in said:
            if letter == b"begin":
                await events(owner, 1)
                server.hand_over(invocation(), 1)
                await loop.sock_recv(theirs, 1000)
            else:
                await loop.sock_sendall(theirs, message(letter))
        if told[-1:] == ["INIT_FAILED"] or said[-1] == b"N":
            theirs.shutdown(socket.SHUT_WR)
        await owner.closed.wait()
        assert [name for name, _ in owner.events] == told
        theirs.close()
        server.close()

    run(talk())


def test_http_and_the_channel_are_one_conversation() -> None:
    """A runtime may ask through the one and answer through the other, as our client for Node.js does with streams."""

    async def talk() -> None:
        server, owner, reader, writer = await listening()
        theirs = await server.open_channel(asyncio.get_running_loop())
        theirs.sendall(message(b"N"))
        await events(owner, 1)
        writer.write(request(NEXT))
        assert await status_of(reader) == 403
        server.hand_over(invocation(), 1)
        writer.write(request(ANSWER, b"1"))
        assert await status_of(reader) == 202
        theirs.sendall(message(b"N"))
        assert await events(owner, 3) == [("READY", b""), ("ANSWERED", b"1"), ("READY", b"")]
        theirs.close()
        writer.close()
        await owner.closed.wait()
        server.close()

    run(talk())
