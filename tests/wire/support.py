"""What the tests of the wire share: running coroutines on uvloop, a served application, raw clients and scripted backends."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httptools
import uvloop

from tidegate.core.clock import Clock
from tidegate.core.message import Endpoint, Handler, Origin, Request, Response
from tidegate.wire.hub import Certificates
from tidegate.wire.server import HttpServer, Limits
from tidegate.wire.upstream import UpstreamLimits, UpstreamPool


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run on uvloop; whatever hangs fails after ten seconds."""

    async def bounded() -> Any:
        async with asyncio.timeout(10):
            return await work

    return uvloop.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another task of this loop is about to bring about."""
    while not condition():
        await asyncio.sleep(0.001)


async def echo(request: Request) -> Response:
    """Answers with what was asked: the request line and the body."""
    text = f"{request.method} {request.target.decode()} ".encode() + request.body
    return Response(200, [(b"Content-Type", b"text/plain")], text)


def too_large(request: Request) -> Response:
    return Response(413, [(b"Content-Type", b"application/json")], b'{"message":"Request Too Long"}')


def endpoint(handle: Handler = echo, *, max_body: int = 1000, streams: bool = False) -> Endpoint:
    return Endpoint(handle, max_body, too_large, streams)


@dataclass
class Answer:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class _Reader:
    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.now = Answer()
        self.parser = httptools.HttpResponseParser(self)

    def on_message_begin(self) -> None:
        self.now = Answer()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.now.headers[name.decode().lower()] = value.decode()

    def on_body(self, chunk: bytes) -> None:
        self.now.body += chunk

    def on_message_complete(self) -> None:
        self.now.status = self.parser.get_status_code()
        self.answers.append(self.now)


def answers(raw: bytes) -> list[Answer]:
    """Split what a client received (no answers to HEAD) into answers; what is no answer fails."""
    reader = _Reader()
    reader.parser.feed_data(raw)
    return reader.answers


@dataclass
class Served:
    server: HttpServer
    port: int

    async def connect(self, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, **options)

    async def ask(self, *pieces: bytes, eof: bool = False) -> bytes:
        """Send the pieces, each in a packet of its own, and read until the server closes."""
        reader, writer = await self.connect()
        try:
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0.001 if len(pieces) > 1 else 0)
            if eof:
                writer.write_eof()
            return await reader.read()
        finally:
            writer.close()


@asynccontextmanager
async def served(
    door: Callable[[Request], Endpoint] | Endpoint | None = None,
    *,
    limits: Limits | None = None,
    secure: Certificates | None = None,
    **start: Any,
) -> AsyncIterator[Served]:
    target = door if door is not None else endpoint()
    choose = (lambda _: target) if isinstance(target, Endpoint) else target
    server = HttpServer(choose, clock=Clock(), limits=limits or Limits(tick=0.005, linger=0.1), secure=secure)
    port = await server.start("127.0.0.1", 0, **start)
    try:
        yield Served(server, port)
    finally:
        await server.drain(0.05)


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def backend(script: Script, **options: Any) -> AsyncIterator[Origin]:
    """A backend that says exactly what a test wants it to say."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, **options)
    try:
        scheme = "https" if "ssl" in options else "http"
        yield Origin(scheme, "127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def read_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


def saying(*said: bytes, close: bool = False) -> Script:
    """A backend that answers each request with the bytes given, in turn; then it closes, or waits."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for data in said:
            await read_head(reader)
            writer.write(data)
        if not close:
            await reader.read()

    return script


@asynccontextmanager
async def pool(*, ca_file: str | None = None, **limits: Any) -> AsyncIterator[UpstreamPool]:
    upstream = UpstreamPool(limits=UpstreamLimits(tick=0.005, **limits), ca_file=ca_file)
    try:
        yield upstream
    finally:
        await upstream.aclose()


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: a", *fields, "", ""]).encode()


def tls_server(authority: Any, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context
