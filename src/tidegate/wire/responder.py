"""The writing side of one client connection: runs handlers, writes their answers, and ends the connection properly.

Also whatever belongs to the socket as such: making and losing it, back-pressure in both directions, deadlines, draining.
What the bytes mean is the subclass's affair (`Connection`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import cast

from tidegate.core.message import Handler, Pairs, Request, Response
from tidegate.wire.body_stream import BodyStream, close_body
from tidegate.wire.hub import Hub

log = logging.getLogger("tidegate.wire")

IDLE, HEAD, BODY, BUSY, CLOSING = range(5)
FOREVER = float("inf")

_BODILESS = frozenset((204, 304))
_JOIN_MAX = 65_536
"""Up to here head and body go out as one copy; larger bodies are not worth copying."""


def bare(status: int) -> Response:
    """What is answered where nobody else can: AWS's form of an error's body (its 500 has a blank after the colon)."""
    text = b'"message": "Internal server error"' if status == 500 else b'"message":"%b"' % _phrase(status)
    return Response(status, [(b"Content-Type", b"application/json")], b"{%b}" % text, close=True)


def _phrase(status: int) -> bytes:
    return HTTPStatus(status).phrase.encode()


def declared_length(headers: Pairs) -> int | None:
    """The Content-Length that a handler set. Raises ValueError when it is not a number."""
    for name, value in headers:
        if len(name) == 14 and name.lower() == b"content-length":
            return int(value)
    return None


class Responder(asyncio.Protocol):
    """State shared by both sides of the connection; one request at a time."""

    __slots__ = (
        "_complete",
        "_continue",
        "_copied",
        "_eof",
        "_head_only",
        "_hub",
        "_keep",
        "_noted",
        "_reading_paused",
        "_rest",
        "_socket",
        "_stalled_at",
        "_state",
        "_stream",
        "_streaming",
        "_task",
        "_transport",
        "_waiter",
        "_write_paused",
        "deadline",
        "peer",
        "scheme",
    )

    def __init__(self, hub: Hub, scheme: str, socket: asyncio.Transport | None = None) -> None:
        self._hub = hub
        self.scheme = scheme
        self._socket = socket
        """What is beneath a transport that encrypts; None: the transport is the socket's own."""
        self.peer = ""
        self.deadline = FOREVER
        self._state = IDLE
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._stream: BodyStream | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._rest: deque[bytes] = deque()
        """Received behind the current request, in order."""
        self._stalled_at = 0
        self._copied = self._noted = 0
        """Chunks of streamed answers written; and how many they were when the deadline was set."""
        self._complete = True
        """The current request has been read to its last byte."""
        self._keep = False
        """The client wants the connection kept."""
        self._continue = False
        """The client waits for `100 Continue`."""
        self._head_only = False
        self._streaming = False
        self._eof = False
        self._reading_paused = False
        self._write_paused = False

    def resume(self) -> None:
        raise NotImplementedError

    def expire_reading(self) -> None:
        raise NotImplementedError

    # the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        hub = self._hub
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if isinstance(peer, tuple) else ""
        hub.members.add(self)
        self.deadline = hub.loop.time() + hub.limits.header_timeout
        hub.deadlines.watch(self)
        if len(hub.members) > hub.limits.connections:
            self.answer_now(bare(503))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._state = CLOSING
        self._hub.deadlines.forget(self)
        if self._stream is not None and not self._complete:
            self._stream.fail(ConnectionResetError("the client went away before its body was complete"))
        self._wake_writer()
        if self._task is None:
            self._hub.leave(self)
        elif self._streaming:
            # An endless stream would not notice that nobody listens.
            self._task.cancel()

    def eof_received(self) -> bool:
        """A client may shut down its side once it has asked; True keeps ours open for the answer."""
        self._eof = True
        if self._task is None:
            return False
        if self._stream is not None and not self._complete:
            self._body_broken("the client's body ended early")
        elif self._streaming:
            self._gain_time()
        # TLS has no half-closed connections here: its transport is closing already.
        return self.scheme == "http"

    def _body_broken(self, why: str) -> None:
        """No more of the body will come; the handler learns it, and its answer is the last one."""
        assert self._stream is not None
        self._stream.fail(ConnectionResetError(why))
        self._state = CLOSING
        self._gain_time()

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._reading_paused and not self._transport.is_closing():
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._transport is not None and self._reading_paused and not self._transport.is_closing():
            self._reading_paused = False
            self._transport.resume_reading()

    def stream_wanted(self) -> None:
        """Somebody reads the body: the moment for `100 Continue`."""
        if self._continue and self._transport is not None:
            self._continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def stream_full(self) -> None:
        self._pause_reading()

    def stream_drained(self) -> None:
        self._gain_time()
        self._resume_reading()

    def stream_abandoned(self) -> None:
        """The rest of the body is thrown away when the answer is out."""

    # writing

    def pause_writing(self) -> None:
        assert self._transport is not None
        self._write_paused = True
        self._stalled_at = self._unsent()
        self.deadline = self._hub.loop.time() + self._hub.limits.write_stall

    def resume_writing(self) -> None:
        self._write_paused = False
        if self._task is not None:
            self._gain_time()
        self._wake_writer()

    def _unsent(self) -> int:
        """Bytes that the kernel has not taken yet."""
        assert self._transport is not None
        size = self._transport.get_write_buffer_size()
        return size if self._socket is None else size + self._socket.get_write_buffer_size()

    def _gain_time(self) -> None:
        """While a handler runs only two things are waited for: more of the body, and a sign that the client still listens."""
        now, limits = self._hub.loop.time(), self._hub.limits
        if self._state == BODY:
            self.deadline = now + limits.body_progress_seconds
        elif self._streaming and self._eof:
            self._noted = self._copied
            self.deadline = now + limits.half_closed
        else:
            self.deadline = FOREVER

    def _wake_writer(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def _writable(self) -> None:
        if self._transport is not None and self._write_paused:
            self._waiter = self._hub.loop.create_future()
            await self._waiter

    def start(self, request: Request, handle: Handler) -> None:
        """Run the handler; the answer, and what comes after it, happens in its task."""
        self._state = BUSY
        self.deadline = FOREVER
        self._task = self._hub.loop.create_task(self._serve(request, handle))

    async def _serve(self, request: Request, handle: Handler) -> None:
        keep = False
        try:
            try:
                response = await handle(request)
            except Exception:
                log.exception("no answer for %s %s", request.method, request.path)
                response = bare(500)
            body = response.body
            if not isinstance(body, bytes):
                keep = await self._write_stream(request, response, body)
            elif self._transport is not None:
                keep = self._write_whole(response)
            if self._write_paused:
                await self._writable()
        except BaseException:
            # Cancelled, or worse: the client must not wait for ever.
            self._drop()
            raise
        finally:
            self._task = None
        self._answered(keep)

    def _drop(self) -> None:
        if self._transport is None:
            self._hub.leave(self)
        else:
            self._transport.abort()

    def _may_keep(self, response: Response) -> bool:
        if not self._keep or not self._complete or response.close or self._state == CLOSING:
            return False
        # The last answer says so: to a client that shut down its side, and when the server drains.
        return bool(self._rest) or not (self._eof or self._hub.draining)

    def _write_whole(self, response: Response) -> bool:
        easy = self._keep and self._complete and not (response.close or self._eof or self._hub.draining)
        keep = easy or self._may_keep(response)
        try:
            self._send(response, keep)
        except Exception:
            log.exception("an answer could not be encoded")
            keep = False
            self._send(bare(500), keep)
        return keep

    def _send(self, response: Response, keep: bool) -> None:
        """Raises before anything is written when the answer cannot be encoded."""
        body, status = response.body, response.status
        assert isinstance(body, bytes) and self._transport is not None
        if self._head_only or status < 200 or status in _BODILESS:
            tail = self._tail_alone(response)
            body = b""
        else:
            tail = b"\r\nContent-Length: %d\r\n\r\n" % len(body)
        head = self._hub.heads.build(status, response.headers, keep, tail, response.encoded)
        if len(body) <= _JOIN_MAX:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)

    def _tail_alone(self, response: Response) -> bytes:
        """The framing fields of an answer that is a head only."""
        if response.status < 200:
            raise ValueError(f"not a final answer: {response.status}")
        if response.status in _BODILESS:
            return b"\r\n\r\n"
        body = response.body
        length = len(body) if isinstance(body, bytes) and body else declared_length(response.headers) or 0
        return b"\r\nContent-Length: %d\r\n\r\n" % length

    async def _write_stream(self, request: Request, response: Response, body: AsyncIterator[bytes]) -> bool:
        """Whether the connection can be kept. Closes `body` in any case."""
        try:
            self._streaming = True
            if self._eof:
                self._gain_time()
            return await self._pump(request, response, body)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._transport is not None or task is None:
                raise
            task.uncancel()
            return False
        except Exception:
            log.exception("the answer to %s %s broke off", request.method, request.path)
            if self._transport is not None:
                # The only way to tell the client that what it has is not all.
                self._transport.abort()
            return False
        finally:
            self._streaming = False
            await close_body(body)

    async def _pump(self, request: Request, response: Response, body: AsyncIterator[bytes]) -> bool:
        transport = self._transport
        if transport is None:
            return False
        length = declared_length(response.headers)
        silent = self._head_only or response.status in _BODILESS
        chunked = length is None and request.http_version == "1.1" and response.status not in _BODILESS
        keep = self._may_keep(response) and (chunked or length is not None or silent)
        try:
            tail = _tail(length, chunked=chunked)
            head = self._hub.heads.build(response.status, response.headers, keep, tail, response.encoded)
        except ValueError:
            log.exception("an answer could not be encoded")
            self._send(bare(500), False)
            return False
        transport.write(head)
        if not silent:
            await self._copy(body, length, chunked=chunked)
        return keep

    async def _copy(self, body: AsyncIterator[bytes], length: int | None, *, chunked: bool) -> None:
        sent = 0
        async for chunk in body:
            if self._transport is None:
                return
            if not chunk:
                continue
            sent += len(chunk)
            self._copied += 1
            if length is not None and sent > length:
                raise ValueError(f"a body longer than its Content-Length of {length}")
            self._transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
            if self._write_paused:
                await self._writable()
        if length is not None and sent != length:
            raise ValueError(f"a body of {sent} bytes, shorter than its Content-Length of {length}")
        if chunked and self._transport is not None:
            self._transport.write(b"0\r\n\r\n")

    # after an answer

    def _answered(self, keep: bool) -> None:
        hub = self._hub
        self._stream = None
        self._head_only = False
        if self._transport is None:
            hub.leave(self)
        elif not keep or self._state == CLOSING or ((hub.draining or self._eof) and not self._rest):
            self._finish()
        else:
            self._state = IDLE
            self.deadline = hub.loop.time() + hub.limits.idle_timeout
            if self._rest or self._reading_paused:
                self.resume()

    def answer_now(self, response: Response) -> None:
        """Answer without a handler, and close. Raises ValueError when the answer cannot be encoded."""
        if self._transport is not None:
            self._complete = False
            self._send(response, False)
            self._finish()

    def refuse(self, status: int) -> None:
        self.answer_now(bare(status))

    def _finish(self) -> None:
        """Close once everything is written; when the client may still be sending, only after it had time to read."""
        transport = self._transport
        assert transport is not None
        limits = self._hub.limits
        self._state = CLOSING
        self._stalled_at = self._unsent()
        if transport.is_closing() or (self._complete and not self._rest) or self._eof:
            self._close()
            return
        self.deadline = self._hub.loop.time() + limits.linger
        self._rest.clear()
        self._resume_reading()
        if transport.can_write_eof():
            transport.write_eof()

    def _close(self) -> None:
        """Close once everything is written."""
        transport, socket = self._transport, self._socket
        if transport is None:
            return
        self.deadline = self._hub.loop.time() + self._hub.limits.write_stall
        if not transport.is_closing():
            transport.close()
        if socket is not None and not transport.get_write_buffer_size():
            # TLS has said goodbye by now. It would wait for the client's, which an idle client does not send.
            socket.close()

    # time

    def expire(self) -> None:
        """Called by Deadlines: whatever this connection waited for did not come."""
        transport = self._transport
        if transport is None:
            return
        self._hub.deadlines.watch(self)
        waiting = self._unsent()
        if waiting and (self._write_paused or self._state == CLOSING) and waiting < self._stalled_at:
            self._stalled_at = waiting
            self.deadline = self._hub.loop.time() + self._hub.limits.write_stall
        elif self._streaming and not self._write_paused and self._state != BODY and self._copied != self._noted:
            self._gain_time()
        elif self._state in (HEAD, BODY) and not self._write_paused:
            self.expire_reading()
        elif self._leaves_in_peace(waiting):
            self._close()
        else:
            transport.abort()

    def _leaves_in_peace(self, waiting: int) -> bool:
        """An idle connection; and, where the client could not be told yet that no more will come, one that lingered."""
        assert self._transport is not None
        at_its_end = self._state == IDLE or (self._state == CLOSING and self._socket is not None)
        return at_its_end and not waiting and not self._transport.is_closing()

    # the end of the server

    def drain(self) -> None:
        if self._state == IDLE and self._transport is not None:
            self._complete = True
            self._finish()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        if self._task is not None:
            self._task.cancel()


def _tail(length: int | None, *, chunked: bool) -> bytes:
    if chunked:
        return b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    return b"\r\n\r\n" if length is None else b"\r\nContent-Length: %d\r\n\r\n" % length
