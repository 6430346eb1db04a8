"""The socket of one client connection: making and losing it, back-pressure in both directions, deadlines, draining.

What the bytes mean is the subclasses' affair: `Responder` writes answers, `Connection` reads requests.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

from tidegate.wire.body_stream import BodyStream
from tidegate.wire.hub import Hub

IDLE, HEAD, BODY, BUSY, CLOSING = range(5)
FOREVER = float("inf")


class ClientSocket(asyncio.Protocol):
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
        """Go on with what was received behind the last request."""
        raise NotImplementedError

    def expire_reading(self) -> None:
        """What the client was to send did not come in time."""
        raise NotImplementedError

    def refuse(self, status: int) -> None:
        """Answer without a handler, and close."""
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
            self.refuse(503)

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

    # the end of an exchange

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
