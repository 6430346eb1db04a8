"""Bodies of requests: framing, limits, 100-continue, streams with back-pressure, slow and vanishing senders."""

from __future__ import annotations

import asyncio

import pytest

from tests.wire.support import GET, answers, endpoint, get, run, served, until
from tidegate.core.message import Request, Response
from tidegate.wire.body_stream import HIGH_WATER
from tidegate.wire.server import Limits

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
QUICK = Limits(tick=0.005, linger=0.05, header_timeout=0.02, idle_timeout=0.02, body_timeout=0.03, write_stall=0.03)


def post(length: int, *fields: str) -> bytes:
    return get("/", f"Content-Length: {length}", *fields).replace(b"GET", b"POST")


async def drain_stream(request: Request) -> Response:
    assert request.stream is not None
    return Response(200, [], b"".join([chunk async for chunk in request.stream]))


@pytest.mark.parametrize("streams", [False, True])
def test_chunked_and_plain(streams: bool) -> None:
    async def handle(request: Request) -> Response:
        return await drain_stream(request) if streams else Response(200, [], request.body)

    async def scenario() -> None:
        async with served(endpoint(handle, streams=streams)) as app:
            asked = post(3) + b"abc" + CHUNKED + b"1;x=y\r\na\r\n4\r\n\r\n\r\n\r\n0\r\nT: u\r\n\r\n" + post(0) + GET
            found = answers(await app.ask(asked, eof=True))
            assert [answer.body for answer in found] == [b"abc", b"a\r\n\r\n", b"", b""]

    run(scenario())


def test_too_large_is_answered_at_once() -> None:
    async def scenario() -> None:
        calls: list[Request] = []

        async def handle(request: Request) -> Response:
            calls.append(request)
            return Response(200, [], b"")

        async with served(endpoint(handle, max_body=10)) as app:
            for asked in (
                post(11),
                post(11) + b"x" * 11 + GET,
                post(10**12),
                post(11, "Expect: 100-continue"),
                CHUNKED + b"5\r\nabcde\r\n6\r\nabcdef\r\n0\r\n\r\n" + GET,
                CHUNKED + b"ffffff\r\nabcdefghijklm",
            ):
                (answer,) = answers(await app.ask(asked))
                assert (answer.status, answer.body) == (413, b'{"message":"Request Too Long"}')
                assert answer.headers["connection"] == "close"
            assert calls == []
            found = answers(await app.ask(post(10) + b"x" * 10 + CHUNKED + b"a\r\nabcdefghij\r\n0\r\n\r\n", eof=True))
            assert [answer.status for answer in found] == [200, 200]

    run(scenario())


def test_a_client_that_goes_on_sending_can_still_read_the_answer() -> None:
    async def scenario() -> None:
        async with served(endpoint(max_body=10)) as app:
            reader, writer = await app.connect()
            writer.write(post(3_000_000) + b"x" * 3_000_000)
            (answer,) = answers(await reader.read())
            assert answer.status == 413
            writer.close()

    run(scenario())


def test_continue_is_sent_only_to_whom_will_be_read() -> None:
    async def scenario() -> None:
        async with served(endpoint(max_body=10)) as app:
            reader, writer = await app.connect()
            writer.write(post(3, "Expect: 100-Continue"))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"abc")
            assert (await reader.readuntil(b"abc")).startswith(b"HTTP/1.1 200 OK")
            writer.write(post(0, "Expect: 100-continue"))
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK")
            writer.close()
            old = post(3, "Expect: 100-continue").replace(b"HTTP/1.1", b"HTTP/1.0") + b"abc"
            assert b"100 Continue" not in await app.ask(old)

    run(scenario())


def test_continue_waits_for_a_streaming_handler_to_read() -> None:
    async def handle(request: Request) -> Response:
        return await drain_stream(request) if request.path == "/" else Response(403, [], b"no")

    async def scenario() -> None:
        async with served(endpoint(handle, streams=True)) as app:
            reader, writer = await app.connect()
            writer.write(post(3, "Expect: 100-continue"))
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(b"abc")
            assert (await reader.readuntil(b"abc")).startswith(b"HTTP/1.1 200 OK")
            writer.close()
            (answer,) = answers(await app.ask(post(3, "Expect: 100-continue").replace(b" / ", b" /no ")))
            assert (answer.status, answer.headers["connection"]) == (403, "close")

    run(scenario())


def test_a_stream_holds_the_sender_back() -> None:
    go = asyncio.Event()
    total = 20_000_000

    async def handle(request: Request) -> Response:
        await go.wait()
        assert request.stream is not None
        size = most = 0
        async for chunk in request.stream:
            size += len(chunk)
            most = max(most, request.stream.buffered)  # type: ignore[attr-defined]
        return Response(200, [], b"%d %d" % (size, most))

    async def scenario() -> None:
        async with served(endpoint(handle, streams=True)) as app:
            reader, writer = await app.connect()
            writer.write(post(total) + b"x" * total)
            await until(lambda: any(member._reading_paused for member in app.server._hub.members))
            go.set()
            writer.write_eof()
            (answer,) = answers(await reader.read())
            size, most = map(int, answer.body.split())
            assert size == total
            assert most < 3 * HIGH_WATER
            writer.close()

    run(scenario())


def test_a_stream_breaks_when_its_sender_goes_or_errs() -> None:
    errors: list[Exception] = []

    async def handle(request: Request) -> Response:
        try:
            return await drain_stream(request)
        except ConnectionResetError as error:
            errors.append(error)
            return Response(502, [], b"broken")

    async def scenario() -> None:
        async with served(endpoint(handle, streams=True), limits=QUICK) as app:
            assert b" 502 " in await app.ask(CHUNKED + b"3\r\nabcXX")
            assert b" 502 " in await app.ask(post(5) + b"abc", eof=True)
            assert b" 502 " in await app.ask(CHUNKED + b"3\r\nab", eof=True)
            _, writer = await app.connect()
            writer.write(post(5) + b"abc")
            await until(lambda: app.server.connections == 1)
            writer.transport.abort()
            await until(lambda: len(errors) == 4)
            await until(lambda: app.server.connections == 0)

    run(scenario())


def test_a_stream_that_nobody_reads() -> None:
    async def handle(request: Request) -> Response:
        return Response(200, [], b"unread")

    async def scenario() -> None:
        async with served(endpoint(handle, streams=True)) as app:
            found = answers(await app.ask(post(3) + b"abc" + GET, eof=True))
            assert found[0].body == b"unread"
            (answer,) = answers(await app.ask(post(3)))
            assert answer.headers["connection"] == "close"

    run(scenario())


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HT", 408),
        (GET[:-2], 408),
        (post(5) + b"abc", 408),
        (CHUNKED + b"3\r\nab", 408),
        (b"", None),
        (b"\r\n\r\n", None),
        (GET, 200),
    ],
)
def test_slow_senders_are_given_up(sent: bytes, status: int | None) -> None:
    async def scenario() -> None:
        async with served(limits=QUICK) as app:
            found = answers(await app.ask(sent))
            assert [answer.status for answer in found] == ([status] if status else [])

    run(scenario())


def test_a_trickling_body_is_given_up() -> None:
    limits = Limits(tick=0.005, linger=0.05, body_progress_seconds=0.02, body_progress_bytes=50)

    async def scenario() -> None:
        async with served(limits=limits) as app:
            reader, writer = await app.connect()
            writer.write(post(500))

            async def trickle() -> None:
                while True:
                    writer.write(b"x")
                    await asyncio.sleep(0.002)

            task = asyncio.get_running_loop().create_task(trickle())
            (answer,) = answers(await reader.read())
            task.cancel()
            assert answer.status == 408
            writer.close()

    run(scenario())


def test_endless_framing_around_nothing_is_refused() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(head_bytes=1000, tick=0.005, linger=0.05)) as app:
            for asked in (CHUNKED + b"1;" + b"x" * 5000, CHUNKED + b"0\r\n" + b"T: u\r\n" * 1000):
                (answer,) = answers(await app.ask(asked))
                assert answer.status == 400

    run(scenario())


def test_a_client_that_does_not_read_is_cut_off() -> None:
    closed: list[bool] = []

    async def body():
        try:
            while True:
                yield b"x" * 100_000
        finally:
            closed.append(True)

    async def handle(request: Request) -> Response:
        return Response(200, [], body() if request.path == "/stream" else b"x" * 30_000_000)

    async def scenario() -> None:
        async with served(endpoint(handle), limits=QUICK) as app:
            for path in ("/stream", "/whole"):
                reader, writer = await app.connect(limit=1)
                writer.write(get(path))
                await until(lambda: app.server.connections == 1)
                await until(lambda: app.server.connections == 0)
                del reader
                writer.transport.abort()
            assert closed == [True]

    run(scenario())


def test_an_early_disconnect_lets_the_handler_finish_and_closes_streams() -> None:
    events: list[str] = []
    gate = asyncio.Event()

    async def endless():
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            events.append("closed")

    async def handle(request: Request) -> Response:
        if request.path == "/endless":
            return Response(200, [], endless())
        events.append("begun")
        await gate.wait()
        events.append("ended")
        return Response(200, [], b"x")

    async def scenario() -> None:
        async with served(endpoint(handle), limits=Limits(tick=0.005, half_closed=0.02)) as app:
            _, writer = await app.connect()
            writer.write(get("/plain"))
            await until(lambda: events == ["begun"])
            writer.transport.abort()
            await asyncio.sleep(0.01)
            assert app.server.connections == 1
            gate.set()
            await until(lambda: app.server.connections == 0)
            assert events == ["begun", "ended"]
            reader, writer = await app.connect()
            writer.write(get("/endless"))
            await reader.readuntil(b"first")
            writer.transport.abort()
            await until(lambda: events[-1] == "closed")
            await until(lambda: app.server.connections == 0)

    run(scenario())


def test_too_many_connections() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(connections=2, tick=0.005, linger=0.05)) as app:
            kept = [await app.connect() for _ in range(2)]
            await until(lambda: app.server.connections == 2)
            (answer,) = answers(await app.ask(GET))
            assert (answer.status, answer.headers["connection"]) == (503, "close")
            for reader, writer in kept:
                writer.write(GET)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
                writer.close()
            await until(lambda: app.server.connections == 0)
            assert b"200 OK" in await app.ask(GET, eof=True)

    run(scenario())
