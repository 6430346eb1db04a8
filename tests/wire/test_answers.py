"""What goes back: framing, keep-alive, HEAD, order under pipelining, streams, and handlers that fail."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import pytest

from tests.wire.support import GET, answers, endpoint, get, run, served, tls_server, until
from tidegate.core.message import Headers, Request, Response


def fixed(response: Response):
    async def handle(request: Request) -> Response:
        return response

    return endpoint(handle)


def test_framing_fields_are_the_wires_own() -> None:
    async def scenario() -> None:
        own = [
            (b"content-length", b"99"),
            (b"Connection", b"upgrade"),
            (b"TRANSFER-ENCODING", b"chunked"),
            (b"A", b"b"),
        ]
        async with served(fixed(Response(201, own, b"xyz"))) as app:
            raw = await app.ask(GET, eof=True)
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        assert lines[0] == b"HTTP/1.1 201 Created"
        assert lines[1].startswith(b"Date: ")
        assert (
            lines[2:] == [b"Connection: keep-alive", b"A: b", b"Content-Length: 3"] or lines[2] == b"Connection: close"
        )
        assert body == b"xyz"

    run(scenario())


@pytest.mark.parametrize(
    ("fields", "version", "kept"),
    [
        ((), "1.1", True),
        (("Connection: close",), "1.1", False),
        (("Connection: x, Close",), "1.1", False),
        (("Connection: keep-alive",), "1.1", True),
        (("Connection: keep-alive", "Connection: close"), "1.1", False),
        ((), "1.0", False),
        (("Connection: Keep-Alive",), "1.0", True),
        (("Connection: Keep-Alive, close",), "1.0", False),
    ],
)
def test_keep_alive(fields: tuple[str, ...], version: str, kept: bool) -> None:
    async def scenario() -> None:
        raw = get("/", *fields).replace(b"HTTP/1.1", f"HTTP/{version}".encode())
        async with served() as app:
            reader, writer = await app.connect()
            writer.write(raw)
            head = await reader.readuntil(b"\r\n\r\n")
            (answer,) = answers(head + await reader.readexactly(6))
            assert answer.headers["connection"] == ("keep-alive" if kept else "close")
            if not kept:
                assert await reader.read() == b""
            else:
                writer.write(raw)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            writer.close()

    run(scenario())


def test_a_handler_may_close() -> None:
    async def scenario() -> None:
        async with served(fixed(Response(200, [], b"x", close=True))) as app:
            (answer,) = answers(await app.ask(GET))
            assert answer.headers["connection"] == "close"

    run(scenario())


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_body(status: int) -> None:
    async def scenario() -> None:
        async with served(fixed(Response(status, [], b"never sent"))) as app:
            raw = await app.ask(GET + GET, eof=True)
            assert raw.count(b"HTTP/1.1 %d" % status) == 2
            assert b"Content-Length" not in raw
            assert b"never" not in raw

    run(scenario())


def test_head_is_get_without_body() -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"streamed"

    async def handle(request: Request) -> Response:
        if request.path == "/stream":
            return Response(200, [(b"Content-Length", b"8")], body())
        if request.path == "/proxied":
            return Response(200, [(b"Content-Length", b"77")], b"")
        return Response(200, [], b"hello")

    async def scenario() -> None:
        async with served(endpoint(handle)) as app:
            asked = b"".join(get(path).replace(b"GET", b"HEAD") for path in ("/", "/stream", "/proxied"))
            raw = await app.ask(asked + get("/"), eof=True)
            heads = raw.split(b"\r\n\r\n")
            assert [head.rpartition(b": ")[2] for head in heads[:4]] == [b"5", b"8", b"77", b"5"]
            assert heads[4] == b"hello"
            assert b"streamed" not in raw

    run(scenario())


def test_pipelined_requests_are_answered_in_order_one_at_a_time() -> None:
    running = 0

    async def handle(request: Request) -> Response:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.002 if request.path == "/0" else 0)
        running -= 1
        return Response(200, [], request.path.encode() + request.body)

    async def scenario() -> None:
        async with served(endpoint(handle)) as app:
            asked = b"".join(
                get(f"/{n}") if n % 2 else b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n:%d" % (n, n)
                for n in range(10)
            )
            found = answers(await app.ask(asked, eof=True))
            assert [answer.body.decode() for answer in found] == [f"/{n}" if n % 2 else f"/{n}:{n}" for n in range(10)]

    run(scenario())


def test_a_flood_of_pipelined_requests_stops_the_reading() -> None:
    gate = asyncio.Event()

    async def handle(request: Request) -> Response:
        await gate.wait()
        return Response(200, [], b"x")

    async def scenario() -> None:
        async with served(endpoint(handle)) as app:
            reader, writer = await app.connect()
            number = 30_000
            writer.write(GET * number)
            (connection,) = await _members(app)
            await until(lambda: connection._reading_paused)
            assert sum(map(len, connection._rest)) < 600_000
            gate.set()
            writer.write_eof()
            raw = await reader.read()
            assert raw.count(b"HTTP/1.1 200 OK") == number
            writer.close()

    run(scenario())


async def _members(app):
    await until(lambda: app.server.connections > 0)
    return list(app.server._hub.members)


def test_streamed_answers() -> None:
    async def body() -> AsyncIterator[bytes]:
        for piece in (b"a", b"", b"bc"):
            await asyncio.sleep(0)
            yield piece

    async def handle(request: Request) -> Response:
        return Response(200, [(b"Content-Length", b"3")] if request.path == "/length" else [], body())

    async def scenario() -> None:
        async with served(endpoint(handle)) as app:
            raw = await app.ask(get("/length") + get("/"), eof=True)
            assert b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n" in raw
            first, second = answers(raw)
            assert (first.headers["content-length"], first.body) == ("3", b"abc")
            assert (second.headers["transfer-encoding"], second.body) == ("chunked", b"abc")
            old = await app.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert b"Connection: close" in old
            assert b"chunked" not in old
            assert old.endswith(b"\r\n\r\nabc")

    run(scenario())


@pytest.mark.parametrize("length", [2, 4])
def test_a_stream_that_breaks_its_length_breaks_the_connection(length: int) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"abc"

    async def scenario() -> None:
        async with served(fixed(Response(200, [(b"Content-Length", b"%d" % length)], body()))) as app:
            reader, writer = await app.connect()
            writer.write(GET + GET)
            raw = b""
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(1000):
                    raw += data
            # Fewer bytes than said and then the end: the client knows that this is not all, and gets no second answer.
            assert len(raw.partition(b"\r\n\r\n")[2]) < length
            await until(lambda: app.server.connections == 0)
            writer.close()

    run(scenario())


def test_a_stream_that_fails_is_cut_off_and_closed() -> None:
    closed = []

    class Body:
        def __aiter__(self):
            return self

        async def __anext__(self) -> bytes:
            if closed == []:
                closed.append("yielded")
                return b"abc"
            raise RuntimeError("backend gone")

        async def aclose(self) -> None:
            closed.append("closed")

    async def scenario() -> None:
        async with served(fixed(Response(200, [], Body()))) as app:
            try:
                raw = await app.ask(GET)
            except ConnectionError:
                raw = b""
            assert b"0\r\n\r\n" not in raw
            await until(lambda: closed == ["yielded", "closed"])

    run(scenario())


@pytest.mark.parametrize("where", ["raises", "status", "value", "name", "split", "type", "door"])
def test_failures_answer_a_bare_500(where: str, caplog: pytest.LogCaptureFixture) -> None:
    async def handle(request: Request) -> Response:
        if where == "raises":
            raise RuntimeError("secret")
        return {
            "status": Response(101, [], b""),
            "value": Response(200, [(b"A", b"b\nSet-Cookie: x")], b"secret"),
            "name": Response(200, [(b"A b", b"c")], b"secret"),
            "split": Response(200, [(b"A", b"b\r\n\r\nHTTP/1.1 200 OK")], b"secret"),
            "type": Response(200, [(b"A", "str")], b"secret"),  # type: ignore[list-item]
        }[where]

    def door(request: Request):
        if where == "door":
            raise RuntimeError("secret")
        return endpoint(handle)

    async def scenario() -> None:
        async with served(door) as app:
            with caplog.at_level(logging.ERROR, "tidegate.wire"):
                (answer,) = answers(await app.ask(GET))
        assert (answer.status, answer.body) == (500, b'{"message": "Internal server error"}')
        assert caplog.records

    run(scenario())


def test_a_handler_that_cancels_itself_does_not_leave_the_client_waiting() -> None:
    async def handle(request: Request) -> Response:
        raise asyncio.CancelledError

    async def scenario() -> None:
        async with served(endpoint(handle)) as app:
            with contextlib.suppress(ConnectionError):
                assert await app.ask(GET) == b""
            await until(lambda: app.server.connections == 0)

    run(scenario())


def test_upgrade_is_ignored_and_its_body_is_a_body() -> None:
    async def scenario() -> None:
        up = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__")
        asked = [
            get("/1", *up),
            get("/2", *up, "Content-Length: 21").replace(b"GET", b"POST") + b"GET /evil HTTP/1.1\r\n\r\n"[:21],
            get("/3", *up, "Transfer-Encoding: chunked").replace(b"GET", b"POST") + b"3\r\nabc\r\n0\r\n\r\n",
            get("/4"),
        ]
        async with served() as app:
            found = answers(await app.ask(b"".join(asked), eof=True))
            assert [answer.body for answer in found] == [
                b"GET /1 ",
                b"POST /2 GET /evil HTTP/1.1\r\n\r",
                b"POST /3 abc",
                b"GET /4 ",
            ]

    run(scenario())


def test_what_a_handler_is_told() -> None:
    async def scenario() -> None:
        seen: list[Request] = []

        def door(request: Request):
            seen.append(request)
            return endpoint()

        async with served(door) as app:
            await app.ask(b"PATCH /a%20b?c=%41&d HTTP/1.1\r\nHost: a\r\nX: 1\r\nx: 2\r\n\r\n", eof=True)
        (request,) = seen
        assert (request.method, request.path, request.query) == ("PATCH", "/a%20b", "c=%41&d")
        assert (request.peer, request.scheme, request.http_version) == ("127.0.0.1", "http", "1.1")
        assert isinstance(request.headers, Headers)
        assert request.headers.get(b"x") == b"1"
        assert request.headers.get_all(b"x") == [b"1", b"2"]
        assert request.received_ns > 0

    run(scenario())


def test_tls_and_ipv6() -> None:
    import trustme

    async def scenario() -> None:
        authority = trustme.CA()
        async with served(tls=tls_server(authority, "localhost")) as app:
            import ssl

            context = ssl.create_default_context()
            authority.configure_trust(context)
            reader, writer = await app.connect(ssl=context, server_hostname="localhost")
            writer.write(get("/s", "Connection: close"))
            (answer,) = answers(await reader.read())
            assert answer.status == 200
            writer.close()
            try:
                port = await app.server.start("::1", 0)
            except OSError:
                return
            reader, writer = await asyncio.open_connection("::1", port)
            writer.write(get("/6", "Connection: close"))
            assert b"GET /6" in await reader.read()
            writer.close()

    run(scenario())
