"""One HTTP/1.1 connection to a backend: one exchange at a time, and the verdict whether it may serve another.

A connection is reused only when its answer ended exactly where its framing said, the request had been sent to its end, and
not one byte came beyond: a backend that says more than it was asked (response splitting, request smuggling behind us) would
otherwise answer the next caller. Not here: whom the connection is given to (`upstream`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol, cast

import httptools

from tidegate.core.message import Pairs, UpstreamError, UpstreamResponse, UpstreamTimeout, UpstreamTooLarge
from tidegate.core.tasks import TaskSet
from tidegate.wire.body_stream import BodyStream, close_body

IDLE, HEAD, BODY, GONE = range(4)
FOREVER = float("inf")

_HEAD_MAX = 256 * 1024
"""Bytes received without a complete head (interim answers included). One read may overshoot it."""
_INTERIM_MAX = 16
_OVERHEAD_FACTOR = 16
"""Framing bytes per byte of content: bounds chunk extensions and trailers."""
_JOIN_MAX = 65_536


class Stale(UpstreamError):
    """A kept connection turned out dead before the first byte of an answer."""


class Keeper(Protocol):
    """The pool of one origin."""

    @property
    def label(self) -> str:
        """For error texts."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...

    def opened(self, connection: UpstreamConnection) -> None: ...

    def release(self, connection: UpstreamConnection) -> None:
        """The exchange has ended well; the connection is free."""

    def lost(self, connection: UpstreamConnection) -> None:
        """The connection must not be used any more. Told once."""


class UpstreamConnection(asyncio.Protocol):
    """Watched by Deadlines for its whole life: the exchange's deadline, or the idle one."""

    __slots__ = (
        "_chunks",
        "_complete",
        "_failure",
        "_fed",
        "_head_only",
        "_interims",
        "_keep",
        "_keeper",
        "_known",
        "_known_head",
        "_loop",
        "_max_body",
        "_pairs",
        "_parser",
        "_poisoned",
        "_pump",
        "_reading_paused",
        "_sending",
        "_served",
        "_size",
        "_status",
        "_stream",
        "_streams",
        "_timeout",
        "_transport",
        "_waiter",
        "_write_paused",
        "deadline",
        "future",
        "phase",
    )

    _transport: asyncio.Transport

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._loop = keeper.loop
        self._parser = httptools.HttpResponseParser(self)
        self.phase = IDLE
        self.deadline = FOREVER
        self.future: asyncio.Future[UpstreamResponse] | None = None
        self._stream: BodyStream | None = None
        self._failure: UpstreamError | None = None
        self._pump: asyncio.Task[None] | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._chunks: list[bytes] = []
        self._pairs: Pairs = []
        self._served = self._fed = self._size = self._status = self._interims = self._max_body = 0
        self._timeout = 0.0
        self._complete = self._keep = self._poisoned = self._sending = self._write_paused = False
        self._head_only = self._streams = self._reading_paused = False
        self._known_head = b""
        """The head of the last answer, when it came in one read with its body. Most backends send the same head many times
        (but for Date, once a second), and what llhttp made of it then holds again."""
        self._known: UpstreamResponse | None = None

    # an exchange, from the pool's side

    def begin(
        self, deadline: float, timeout: float, *, max_body: int, head_only: bool, stream: bool
    ) -> asyncio.Future[UpstreamResponse]:
        """Expect one answer. The connection must be idle, and the request be written next."""
        self.phase = HEAD
        self.deadline = deadline
        self._timeout = timeout
        self._max_body = max_body
        self._head_only = head_only
        self._streams = stream
        self._fed = 0
        future = self.future = self._loop.create_future()
        return future

    def _clear(self) -> None:
        """As a new connection, for the next exchange; a connection that ended badly is never asked again."""
        self._pairs = []
        self._chunks = []
        self._size = self._interims = 0
        self._complete = self._poisoned = self._sending = False

    def send(self, head: bytes, body: bytes) -> None:
        transport = self._transport
        if len(body) <= _JOIN_MAX:
            transport.write(head + body)
        else:
            self._sending = True
            transport.write(head)
            transport.write(body)

    def send_stream(self, head: bytes, body: AsyncIterator[bytes], tasks: TaskSet) -> None:
        """Send a request whose body comes piece by piece. What `body` raises ends the exchange as it is."""
        self._sending = True
        self._transport.write(head)
        self._pump = tasks.start(self._copy(body))

    async def _copy(self, body: AsyncIterator[bytes]) -> None:
        try:
            async for chunk in body:
                if self.phase == GONE:
                    return
                self._transport.write(chunk)
                if self._write_paused:
                    self._waiter = self._loop.create_future()
                    await self._waiter
            self._sending = False
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits the answer
            self.fail(error)
        finally:
            self._pump = None
            await close_body(body)

    def abandon(self, future: asyncio.Future[UpstreamResponse]) -> None:
        """The caller of this exchange was cancelled; what the connection does for another caller by now is not touched."""
        mine = self.future is future
        if future.done() and not future.cancelled() and future.exception() is None:
            mine = self._stream is not None and future.result().stream is self._stream
        if mine:
            self.fail(UpstreamError("cancelled"))

    def fail(self, error: Exception) -> None:
        """End the exchange, and the connection."""
        future, self.future = self.future, None
        if future is not None and not future.done():
            future.set_exception(error)
        if self._stream is not None:
            self._stream.fail(error)
        self.drop()

    def drop(self) -> None:
        """Close at once."""
        if self.phase == GONE:
            return
        self.phase = GONE
        self._stream = None
        self._transport.abort()
        if self._pump is not None and self._pump is not asyncio.current_task(self._loop):
            self._pump.cancel()
        self._wake_writer()
        self._keeper.lost(self)

    @property
    def reused(self) -> bool:
        """Whether an earlier exchange ended well here."""
        return self._served > 0

    # the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if self.phase == GONE:  # whoever wanted it was cancelled while it connected
            self._transport.abort()
            return
        self._keeper.opened(self)

    def data_received(self, data: bytes) -> None:
        if self.phase == IDLE:
            self.drop()  # an answer that nobody asked for
            return
        if self.phase == GONE:
            return
        if self._known_head and self._fed == 0 and data.startswith(self._known_head):
            self._known_answer(data)
            return
        self._fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._poisoned = True
        except httptools.HttpParserError as error:
            self._poisoned = True
            if not self._complete:
                self.fail(self._failure or UpstreamError(f"{self._keeper.label}: not an HTTP answer: {error}"))
                return
        if self._head_only and self.phase == BODY:
            self._head_answered(data)
        elif self._complete:
            reusable = self._keep and not self._poisoned
            self._answered(reusable=reusable, read=data if self._fed == len(data) else b"")
        elif self._poisoned:
            self.fail(UpstreamError(f"{self._keeper.label}: switched protocols without being asked"))
        elif self._fed > _HEAD_MAX + _OVERHEAD_FACTOR * self._size:
            self.fail(UpstreamError(f"{self._keeper.label}: an answer's head or framing is too long"))

    def _known_answer(self, data: bytes) -> None:
        """The head is byte for byte the last one's, blank line included."""
        known, size = self._known, len(self._known_head)
        assert known is not None
        if len(data) - size == len(known.body) and not (self._head_only or self._streams or self._sending):
            answer = UpstreamResponse(known.status, known.headers, data[size:])
            if known.memo is None:
                known.memo = {}
            answer.memo = known.memo
            self._resolve(answer)
            self._served += 1
            self.phase = IDLE
            self._keeper.release(self)
            return
        # A body in pieces, or for another kind of request: llhttp reads it like any other.
        self._known_head = b""
        self.data_received(data)

    def _remember(self, data: bytes, answer: UpstreamResponse) -> None:
        """Keep an answer's head if the read was exactly this head and a body of the length that it declares."""
        head = data[: len(data) - len(answer.body)]
        plain = head.endswith(b"\r\n\r\n") and head.count(b"\r\n\r\n") == 1 and answer.status not in (204, 304)
        if plain and any(name.lower() == b"content-length" for name, _ in answer.headers):
            self._known_head, self._known = head, answer

    def eof_received(self) -> bool:
        self._ended(None)
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended(exc)

    def _ended(self, exc: Exception | None) -> None:
        """The backend closed: the end of an answer without a length, or of everything."""
        if self.phase in (IDLE, GONE):
            self.drop()
        elif self.phase == BODY and exc is None and not self._framed():
            self._answered(reusable=False)
        elif self._fed == 0 and self.reused:
            self.fail(Stale(f"{self._keeper.label}: closed a kept connection"))
        else:
            reason = f": {exc}" if exc is not None else ""
            self.fail(
                UpstreamError(f"{self._keeper.label}: closed the connection before its answer was complete{reason}")
            )

    def _framed(self) -> bool:
        names = {name.lower() for name, _ in self._pairs}
        return b"content-length" in names or b"transfer-encoding" in names

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake_writer()

    def _wake_writer(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def expire(self) -> None:
        """Called by Deadlines."""
        if self.phase == IDLE:
            self.drop()
        else:
            self.fail(UpstreamTimeout(f"{self._keeper.label}: no answer within {self._timeout:g} s"))

    # llhttp's callbacks

    def on_message_begin(self) -> None:
        if self._complete:
            self._poisoned = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.phase == HEAD:  # else a trailer
            self._pairs.append((name, value.rstrip()))

    def on_headers_complete(self) -> None:
        if self._complete:
            return
        parser = self._parser
        status = self._status = parser.get_status_code()
        if status < 200:
            self._interim(status)
            return
        self.phase = BODY
        self._keep = parser.should_keep_alive()
        if not self._keep and parser.get_http_version() not in ("1.1", "1.0"):
            raise self._refusal("an unknown version of HTTP")
        for name, value in self._pairs:
            if len(name) == 17 and name.lower() == b"transfer-encoding" and value.lower() != b"chunked":
                raise self._refusal("an unknown transfer coding")
        if self._streams and not self._head_only:
            self._stream = BodyStream(self)
            self._resolve(UpstreamResponse(status, self._pairs, b"", self._stream))

    def _interim(self, status: int) -> None:
        self._pairs = []
        self._interims += 1
        if status < 100 or status == 101 or self._interims > _INTERIM_MAX:
            raise self._refusal(f"an interim answer {status}")

    def _refusal(self, what: str) -> UpstreamError:
        self._failure = UpstreamError(f"{self._keeper.label}: {what}")
        return self._failure

    def on_body(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._head_only or self._complete:
            self._poisoned = True
        elif self._stream is not None:
            self.deadline = self._loop.time() + self._timeout
            self._stream.feed(chunk)
        elif self._streams:
            self._poisoned = True  # the caller has closed the stream
        elif self._size > self._max_body:
            self._failure = UpstreamTooLarge(f"{self._keeper.label}: a body of more than {self._max_body} bytes")
            raise self._failure
        else:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        if self._status >= 200:
            self._complete = True

    # the end of an exchange

    def _head_answered(self, data: bytes) -> None:
        """HEAD. llhttp cannot be told that no body follows, so a fresh parser takes over."""
        self._parser = httptools.HttpResponseParser(self)
        closing = any(n.lower() == b"connection" and b"close" in v.lower() for n, v in self._pairs)
        # Reused only when the read was exactly one head: a body in spite of HEAD would become the next answer.
        exact = self._fed == len(data) and data.find(b"\r\n\r\n") == len(data) - 4 and data.startswith(b"HTTP/1.1")
        self._answered(reusable=exact and not closing)

    def _answered(self, *, reusable: bool, read: bytes = b"") -> None:
        """`read`: the whole answer as it came, if it came in one piece."""
        if self._sending and (self._pump is not None or self._transport.get_write_buffer_size()):
            reusable = False  # the answer came before the request was sent to its end
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.end()
        else:
            chunks = self._chunks
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            answer = UpstreamResponse(self._status, self._pairs, body, self._no_stream() if self._streams else None)
            if read and reusable and not self._streams:
                self._remember(read, answer)
            self._resolve(answer)
        if not reusable:
            self.drop()
            return
        self._clear()
        self._served += 1
        self.phase = IDLE
        if self._reading_paused:
            self._reading_paused = False
            self._transport.resume_reading()
        self._keeper.release(self)

    def _no_stream(self) -> BodyStream:
        stream = BodyStream(self)
        stream.end()
        return stream

    def _resolve(self, response: UpstreamResponse) -> None:
        future, self.future = self.future, None
        if future is not None and not future.done():
            future.set_result(response)

    # back-pressure of a streamed answer

    def stream_wanted(self) -> None:
        """Reading goes on by itself."""

    def stream_full(self) -> None:
        # The caller is slow, not the backend: no deadline.
        self._reading_paused = True
        self.deadline = FOREVER
        self._transport.pause_reading()

    def stream_drained(self) -> None:
        if self.phase == BODY and self._reading_paused:
            self._reading_paused = False
            self.deadline = self._loop.time() + self._timeout
            self._transport.resume_reading()

    def stream_abandoned(self) -> None:
        self.drop()
