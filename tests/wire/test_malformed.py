"""Requests that must be refused, and how; requests that look odd and must not be."""

from __future__ import annotations

import pytest

from tests.wire.support import answers, endpoint, get, run, served
from tidegate.core.message import Request
from tidegate.wire.server import Limits

H = b"Host: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

REFUSED = {
    # request line
    "two blanks": (b"GET  / HTTP/1.1\r\n" + H + b"\r\n", 400),
    "two blanks before the version": (b"GET /  HTTP/1.1\r\n" + H + b"\r\n", 400),
    "tab": (b"GET\t/ HTTP/1.1\r\n" + H + b"\r\n", 400),
    "blank in target": (b"GET /a b HTTP/1.1\r\n" + H + b"\r\n", 400),
    "leading blank": (b" GET / HTTP/1.1\r\n" + H + b"\r\n", 400),
    "trailing blank": (b"GET / HTTP/1.1 \r\n" + H + b"\r\n", 400),
    "http/0.9": (b"GET /\r\n\r\n", 400),
    "http/2.0": (b"GET / HTTP/2.0\r\n" + H + b"\r\n", 400),
    "http/1.2": (b"GET / HTTP/1.2\r\n" + H + b"\r\n", 400),
    "rtsp": (b"GET / RTSP/1.0\r\n" + H + b"\r\n", 400),
    "lower-case version": (b"GET / http/1.1\r\n" + H + b"\r\n", 400),
    "h2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "unknown method": (b"FOO / HTTP/1.1\r\n" + H + b"\r\n", 400),
    "lower-case method": (b"get / HTTP/1.1\r\n" + H + b"\r\n", 400),
    "tls on a plain port": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "connect": (b"CONNECT a:443 HTTP/1.1\r\n" + H + b"\r\n", 405),
    # target
    "fragment": (b"GET /a#b HTTP/1.1\r\n" + H + b"\r\n", 400),
    "non-ascii target": (b"GET /\xc3\xa9 HTTP/1.1\r\n" + H + b"\r\n", 400),
    "control in target": (b"GET /\x01 HTTP/1.1\r\n" + H + b"\r\n", 400),
    "nul in target": (b"GET /\x00 HTTP/1.1\r\n" + H + b"\r\n", 400),
    "del in target": (b"GET /\x7f HTTP/1.1\r\n" + H + b"\r\n", 400),
    "asterisk": (b"OPTIONS * HTTP/1.1\r\n" + H + b"\r\n", 400),
    "no slash": (b"GET a HTTP/1.1\r\n" + H + b"\r\n", 400),
    "absolute without host": (b"GET http:///a HTTP/1.1\r\n" + H + b"\r\n", 400),
    "absolute with user": (b"GET http://u@b/ HTTP/1.1\r\n" + H + b"\r\n", 400),
    "other scheme": (b"GET ftp://b/ HTTP/1.1\r\n" + H + b"\r\n", 400),
    # Host
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\n" + H + b"Host: b\r\n\r\n", 400),
    "one host twice": (b"GET / HTTP/1.1\r\n" + H + H + b"\r\n", 400),
    "two hosts, other case": (b"GET / HTTP/1.1\r\n" + H + b"hOST: b\r\n\r\n", 400),
    "two hosts in 1.0": (b"GET / HTTP/1.0\r\n" + H + H + b"\r\n", 400),
    "host list": (b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    "host with path": (b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    "host with user": (b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    "host with blank": (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    # fields
    "bare lf": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "bare lf in fields": (b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400),
    "bare cr": (b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n", 400),
    "obs-fold": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
    "folded first field": (b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    "nul in value": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400),
    "control in value": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n", 400),
    "blank before colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    "no colon": (b"GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400),
    "empty name": (b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400),
    "odd name": (b"GET / HTTP/1.1\r\nHost: a\r\nX(y): x\r\n\r\n", 400),
    "expectation": (POST + b"Expect: 200-ok\r\nContent-Length: 0\r\n\r\n", 417),
    # framing: every way to make two readers disagree about where the request ends
    "cl and te": (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "te and cl": (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "two lengths": (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", 400),
    "one length twice": (POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", 400),
    "length list": (POST + b"Content-Length: 5, 5\r\n\r\nabcde", 400),
    "signed length": (POST + b"Content-Length: +5\r\n\r\nabcde", 400),
    "negative length": (POST + b"Content-Length: -5\r\n\r\nabcde", 400),
    "hexadecimal length": (POST + b"Content-Length: 0x5\r\n\r\nabcde", 400),
    "empty length": (POST + b"Content-Length:\r\n\r\nabcde", 400),
    "length with blank": (POST + b"Content-Length: 1 2\r\n\r\nabcde", 400),
    "huge length": (POST + b"Content-Length: 99999999999999999999\r\n\r\nabcde", 400),
    "blank before colon of te": (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "unknown te": (POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "te not last": (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "te twice": (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "te and another te": (
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n" + SMUGGLED,
        400,
    ),
    "te quoted": (POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n' + SMUGGLED, 400),
    "te with vertical tab": (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + SMUGGLED, 400),
    "te in 1.0 and cl": (b"POST / HTTP/1.0\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "te behind upgrade and cl": (
        POST
        + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "chunk size with sign": (POST + b"Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", 400),
    "chunk size with blank": (POST + b"Transfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n", 400),
    "chunk size with 0x": (POST + b"Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400),
    "chunk size overflow": (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc", 400),
    "chunk with bare lf": (POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 400),
    "chunk longer than said": (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
    "chunk extension with lf": (POST + b"Transfer-Encoding: chunked\r\n\r\n3;a\nb\r\nabc\r\n0\r\n\r\n", 400),
    "empty chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\n\r\nabc\r\n0\r\n\r\n", 400),
    "trailer with bare lf": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\nC: d\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused_and_the_connection_closed(name: str) -> None:
    raw, status = REFUSED[name]

    async def scenario() -> None:
        seen: list[Request] = []

        async def note(request: Request):
            seen.append(request)

        async with served(endpoint(note)) as app:
            (answer,) = answers(await app.ask(raw))
            assert answer.status == status
            assert answer.headers["connection"] == "close"
            assert seen == []
            if status == 400:
                assert answer.body == b'{"message":"Bad Request"}'

    run(scenario())


ACCEPTED = {
    "empty lines first": (b"\r\n\r\n" + get("/x"), "/x", b"a"),
    "double slash": (get("//x"), "//x", b"a"),
    "odd but legal characters": (get('/{a}|b<>[]^`"\\%zz'), '/{a}|b<>[]^`"\\%zz', b"a"),
    "absolute form": (b"GET http://b:80/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "/x", b"b:80"),
    "absolute form, no path": (b"GET HTTP://b HTTP/1.1\r\nHost: a\r\n\r\n", "/", b"b"),
    "absolute form, only a query": (b"GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n", "/", b"b"),
    "absolute form in 1.0": (b"GET http://b/x HTTP/1.0\r\n\r\n", "/x", b"b"),
    "ipv6 host": (b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "/", b"[::1]:80"),
    "host in 1.0": (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "/", b"a"),
    "no host in 1.0": (b"GET / HTTP/1.0\r\n\r\n", "/", None),
    "blanks around a value": (b"GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n", "/", b"a"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_is_accepted(name: str) -> None:
    raw, path, host = ACCEPTED[name]

    async def scenario() -> None:
        seen: list[Request] = []

        def door(request: Request):
            seen.append(request)
            return endpoint()

        async with served(door) as app:
            (answer,) = answers(await app.ask(raw, eof=True))
            assert answer.status == 200
            assert seen[0].path == path
            assert seen[0].headers.get(b"host") == host
            assert [value for low, _, value in seen[0].headers.entries if low == b"host"] == ([host] if host else [])

    run(scenario())


def test_head_too_long_or_with_too_many_fields() -> None:
    async def scenario() -> None:
        async with served(limits=Limits(head_bytes=200, head_fields=5, tick=0.005, linger=0.1)) as app:
            for raw in (
                get("/" + "x" * 200),
                get("/", "X: " + "y" * 200),
                b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 300,
                get("/", *["X: y"] * 5),
                get("/", *[f"X{n}: y" for n in range(5)]),
            ):
                (answer,) = answers(await app.ask(raw))
                assert answer.status == 431

    run(scenario())


def test_head_size_counts_the_fields() -> None:
    async def scenario() -> None:
        sizes: list[int] = []

        def door(request: Request):
            sizes.append(request.head_size)
            return endpoint()

        async with served(door) as app:
            await app.ask(get("/x", "Ab: c"), eof=True)
            await app.ask(*[bytes([byte]) for byte in get("/x", "Ab: c")], eof=True)
            await app.ask(b"GET http://b/x HTTP/1.1\r\nHost: a\r\nAb: c\r\n\r\n", eof=True)
        assert sizes == [len(b"Host: a\r\nAb: c\r\n")] * 3

    run(scenario())
