"""However the bytes of a sequence of requests are cut into packets, the same requests and the same answers come out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.support import Answer, answers, endpoint, run
from tidegate.core.clock import ManualClock
from tidegate.core.message import Request, Response
from tidegate.wire.connection import Connection
from tidegate.wire.hub import Hub
from tidegate.wire.limits import Limits

END = b"\r\n\r\n"
_bodies = st.lists(st.sampled_from([b"a", b"\r\n", END, b"0\r\n\r\n", b"x" * 50, b"GET / HTTP/1.1"]), max_size=5)
_fields = st.lists(st.sampled_from([b"X: y", b"Empty:", b"Pad: \t z \t", b"X: other", b"Upgrade: h2c"]), max_size=4)


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    """One valid request with any of the framings."""
    target = draw(st.sampled_from([b"/", b"/a?b=c", b"//", b"http://h:1/x", b"/%zz"]))
    fields = [b"Host: a", *draw(_fields)]
    if b"Upgrade: h2c" in fields:
        fields.append(b"Connection: Upgrade")
    pieces = draw(_bodies)
    framing = draw(st.sampled_from(["none", "length", "chunked"]))
    if framing == "none":
        return b"\r\n".join([b"GET " + target + b" HTTP/1.1", *fields]) + END
    if framing == "length":
        body = b"".join(pieces)
        fields.append(b"Content-Length: %d" % len(body))
    else:
        chunks = [b"%x%b\r\n%b\r\n" % (len(piece), draw(st.sampled_from([b"", b";e=f"])), piece) for piece in pieces]
        trailer = draw(st.sampled_from([b"", b"T: u\r\n", b"T: u\r\nV:\r\n"]))
        body = b"".join(chunks) + b"0\r\n" + trailer + b"\r\n"
        fields.append(b"Transfer-Encoding: chunked")
    return b"\r\n".join([b"POST " + target + b" HTTP/1.1", *fields]) + END + body


class Wire(asyncio.Transport):
    """A socket that only remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.sent += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


Seen = list[tuple[object, ...]]


async def _serve(pieces: Iterator[bytes], *, streams: bool, settle: bool) -> tuple[Seen, list[Answer], bool]:
    seen: Seen = []

    async def note(request: Request) -> Response:
        body = request.body
        if request.stream is not None:
            body = b"".join([chunk async for chunk in request.stream])
        seen.append((request.method, request.target, request.headers.entries, request.head_size, body))
        return Response(200, [], b"%d" % len(seen))

    target = endpoint(note, streams=streams)
    hub = Hub(lambda _: target, ManualClock(), Limits(), asyncio.get_running_loop())
    connection, wire = Connection(hub, "http"), Wire()
    connection.connection_made(wire)
    for piece in pieces:
        if not wire.closed:
            connection.data_received(piece)
        if settle:
            await _settle()
    await _settle()
    connection.connection_lost(None)
    return seen, answers(wire.sent), wire.closed


async def _settle() -> None:
    for _ in range(30):
        await asyncio.sleep(0)


def _cut(raw: bytes, places: list[int]) -> Iterator[bytes]:
    edges = [0, *sorted({place % (len(raw) + 1) for place in places}), len(raw)]
    return (raw[start:end] for start, end in pairwise(edges) if end > start)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(_requests(), min_size=1, max_size=4),
    st.lists(st.integers(0, 5000), max_size=12),
    st.booleans(),
    st.booleans(),
)
def test_any_cutting_gives_the_same_requests(
    sequence: list[bytes], places: list[int], streams: bool, settle: bool
) -> None:
    raw = b"".join(sequence)

    async def scenario() -> None:
        one_by_one = await _serve(iter(sequence), streams=streams, settle=True)
        assert len(one_by_one[0]) == len(sequence)
        assert [answer.status for answer in one_by_one[1]] == [200] * len(sequence)
        assert not one_by_one[2]
        assert await _serve(_cut(raw, places), streams=streams, settle=settle) == one_by_one

    run(scenario())


@settings(max_examples=30, deadline=None)
@given(_requests(), _requests(), st.booleans())
def test_byte_by_byte(first: bytes, second: bytes, streams: bool) -> None:
    async def scenario() -> None:
        whole = await _serve(iter([first + second]), streams=streams, settle=False)
        assert len(whole[0]) == 2
        assert await _serve((bytes([byte]) for byte in first + second), streams=streams, settle=False) == whole

    run(scenario())


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nHost: a\r\n", b"GET "])
)
def test_garbage_never_raises_and_never_hangs_on(garbage: bytes, prefix: bytes) -> None:
    async def scenario() -> None:
        await _serve(iter([prefix + garbage, garbage + b"\n"]), streams=False, settle=False)

    run(scenario())
