"""Heads that come again byte for byte are not parsed again: nothing may get in, or be mixed up, by that way."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from tests.wire.support import run
from tidegate.core.clock import Clock
from tidegate.core.message import Endpoint, Origin, Request, Response
from tidegate.wire.server import HttpServer
from tidegate.wire.upstream import UpstreamPool

BLOCK = b"Host: a.example\r\nX-One: 1\r\n\r\n"


async def told(request: Request) -> Response:
    fields = b" ".join(name + b"=" + value for name, _, value in request.headers.entries)
    line = request.method.encode() + b" " + request.target + b" " + fields + b" " + request.body
    return Response(200, [], line)


def too_large(_: Request) -> Response:
    return Response(413, [], close=True)


async def exchange(*messages: bytes) -> list[bytes]:
    """Send each message when the answer to the one before is complete; gives the answers, b"" for a closed connection."""
    server = HttpServer(lambda _: Endpoint(told, 1000, too_large), clock=Clock())
    port = await server.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for message in messages:
        writer.write(message)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            answers.append(b"")
            continue
        size = next(int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
        only_head = message.startswith(b"HEAD ")
        answers.append(head.split(b"\r\n")[0] + b"|" + (b"" if only_head else await reader.readexactly(size)))
    writer.close()
    await server.drain(1)
    return answers


def test_the_line_is_always_read() -> None:
    first = b"GET /1 HTTP/1.1\r\n" + BLOCK
    answers = run(exchange(first, b"DELETE /2?x=y HTTP/1.1\r\n" + BLOCK, b"HEAD /3 HTTP/1.1\r\n" + BLOCK, first))
    assert answers == [
        b"HTTP/1.1 200 OK|GET /1 host=a.example x-one=1 ",
        b"HTTP/1.1 200 OK|DELETE /2?x=y host=a.example x-one=1 ",
        b"HTTP/1.1 200 OK|",
        b"HTTP/1.1 200 OK|GET /1 host=a.example x-one=1 ",
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"GET  / HTTP/1.1\r\n",
        b"GET /a\x01 HTTP/1.1\r\n",
        b"GET /\xff HTTP/1.1\r\n",
        b"GET /a#b HTTP/1.1\r\n",
        b"GET * HTTP/1.1\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n",
        b"GET / HTTP/2.0\r\n",
        b"FETCH / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\n",
        b"GET /\r HTTP/1.1\r\n",
    ],
)
def test_a_bad_line_before_known_fields_is_refused(line: bytes) -> None:
    first = b"GET /1 HTTP/1.1\r\n" + BLOCK
    _, answer = run(exchange(first, line + BLOCK))
    assert answer == b"" or answer.split(b"|")[0].split()[1] in (b"400", b"405")


def test_fields_that_frame_a_body_are_never_remembered() -> None:
    body = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 3\r\n\r\n"
    chunked = b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    plain = b"POST / HTTP/1.1\r\n" + BLOCK
    answers = run(
        exchange(
            plain, body + b"one", body + b"two", plain, chunked + b"1\r\nx\r\n0\r\n\r\n", chunked + b"0\r\n\r\n", plain
        )
    )
    assert [answer.rsplit(b" ", 1)[1] for answer in answers] == [b"", b"one", b"two", b"", b"x", b"", b""]


def test_a_close_is_never_forgotten() -> None:
    closing = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    first, second = run(exchange(closing, closing))
    assert first.startswith(b"HTTP/1.1 200")
    assert second == b""


async def proxied(*answers: bytes, head_only: tuple[bool, ...] = ()) -> list[tuple[int, bytes]]:
    """What the pool makes of a backend's answers, each written as one piece to its own request."""
    left = list(answers)

    async def backend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while left:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(left.pop(0))
            await reader.read()
        writer.close()

    server = await asyncio.start_server(backend, "127.0.0.1", 0)
    pool = UpstreamPool()
    origin = Origin("http", "127.0.0.1", server.sockets[0].getsockname()[1])
    got = []
    for index in range(len(answers)):
        only = bool(head_only and head_only[index])
        answer = await pool.send(origin, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"", timeout=5, head_only=only)
        got.append((answer.status, answer.body))
    await pool.aclose()
    server.close()
    return got


def test_answers_with_the_same_head() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: 1\r\n\r\n"
    other = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\n"
    answers = (head + b"one", head + b"two", other + b"four", head + b"six", head + b"ten", head)
    assert run(proxied(*answers, head_only=(False, False, False, False, False, True))) == [
        (200, b"one"),
        (200, b"two"),
        (201, b"four"),
        (200, b"six"),
        (200, b"ten"),
        (200, b""),
    ]


def test_more_bytes_than_a_known_head_declares_end_the_connection() -> None:
    """The second answer hides a third one (response splitting): it must not reach the next caller."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
    evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
    assert run(proxied(head + b"one", head + b"two" + evil, head + b"six")) == [
        (200, b"one"),
        (200, b"two"),
        (200, b"six"),
    ]


def test_a_body_with_blank_lines_is_no_head() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
    assert run(proxied(head + b"a\r\n\r\nbcd", head + b"\r\n\r\n\r\n\r\n", head + b"a\r\n\r\nbcd")) == [
        (200, b"a\r\n\r\nbcd"),
        (200, b"\r\n\r\n\r\n\r\n"),
        (200, b"a\r\n\r\nbcd"),
    ]
