"""The Runtime API's sockets: a small HTTP/1.1 server on loopback, one listening port per worker, and the worker's channel.

The port is the worker's identity. Its only clients are AWS's runtime clients, so it knows no more HTTP than they speak:
keep-alive, one request at a time, bodies with a length or chunked. Not here: what the endpoints do (runtime_api), how
messages look on the channel (channel).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, cast

import httptools

from tidegate.functions.channel import Channel
from tidegate.functions.runtime_api import BAD_REQUEST, MAX_RESPONSE, RuntimeApi, Told, render_next
from tidegate.functions.streaming import Flow, Sink

if TYPE_CHECKING:
    from tidegate.functions.invocation import Invocation

_MODE = b"lambda-runtime-function-response-mode"
_ERROR_BODY = b"lambda-runtime-function-error-body"
_ASKING: Final = (b"N", b"R", b"E")
"""Messages of the channel that ask for an invocation."""


class RuntimeOwner(Protocol):
    """Whoever owns the worker process."""

    def told(self, what: Told, body: bytes, /) -> None: ...

    def streams(self, content_type: str, flow: Flow, /) -> Sink:
        """The response to the invocation that runs comes in chunks: where they go."""
        ...

    def poll_lost(self) -> None:
        """The idle worker's connection broke: nothing can be handed to it now."""
        ...

    def connections_closed(self) -> None:
        """The last open connection of the worker is gone."""
        ...


class RuntimeServer:
    """A worker's port and its connections."""

    __slots__ = ("_connections", "_polling", "_server", "address", "api", "owner")

    def __init__(self, owner: RuntimeOwner) -> None:
        self.owner = owner
        self.api = RuntimeApi()
        self.address = ""
        """`127.0.0.1:port`, once it listens."""
        self._connections: set[_Connection | Channel] = set()
        self._polling: _Connection | Channel | None = None
        self._server: asyncio.Server | None = None

    async def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def open_channel(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        """Gives back the runtime's end. Raises OSError."""
        ours, theirs = socket.socketpair()
        try:
            await loop.create_unix_connection(lambda: Channel(self), sock=ours)
        except BaseException:  # cancelled, too: nobody else knows these descriptors
            ours.close()
            theirs.close()
            raise
        return theirs

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.abort()

    @property
    def connected(self) -> bool:
        return bool(self._connections)

    def hand_over(self, invocation: Invocation, deadline_ms: int) -> None:
        """Give it to the runtime that waits. `deadline_ms`: of the wall clock that the runtime sees."""
        waiting = self._polling
        if waiting is None:
            raise RuntimeError("no runtime is waiting")
        self.api.begin(invocation.request_id)
        self._polling = None
        waiting.hand(invocation, deadline_ms)

    def opened(self, connection: _Connection | Channel) -> None:
        self._connections.add(connection)

    def closed(self, connection: _Connection | Channel) -> None:
        self._connections.discard(connection)
        if connection is self._polling:
            self._polling = None
            self.api.lost()
            self.owner.poll_lost()
        if not self._connections:
            self.owner.connections_closed()

    def heard(self, channel: Channel, letter: bytes, body: bytes, *, too_large: bool) -> None:
        told = self.api.hear(letter, too_large=too_large)
        if told is Told.NOTHING:
            channel.abort()
            return
        if told is not Told.READY:
            self.owner.told(told, body)
            if letter not in _ASKING:
                return
            self.api.hear(b"N", too_large=False)
        self._polling = channel
        self.owner.told(Told.READY, b"")

    def stream(self, connection: _Connection, method: bytes, target: bytes, *, content_type: bytes) -> Sink | None:
        if connection is self._polling or not self.api.open_stream(method, target):
            return None
        return self.owner.streams(content_type.decode("latin-1"), connection)

    def asked(self, connection: _Connection, method: bytes, target: bytes, *, body: bytes, too_large: bool) -> None:
        if connection is self._polling:
            connection.abort()  # a second request before the first is answered: no runtime client does that
            return
        verdict = self.api.ask(method, target, too_large=too_large)
        if verdict.reply is None:
            self._polling = connection
        else:
            connection.write(verdict.reply)
        if verdict.told is not Told.NOTHING:
            self.owner.told(verdict.told, body)


class _Connection(asyncio.Protocol):
    __slots__ = (
        "_body", "_content_type", "_error", "_parser", "_server", "_sink", "_size", "_streaming", "_target", "_transport",
        "write",
    )  # fmt: skip

    write: Callable[[bytes], None]

    def __init__(self, server: RuntimeServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._body: list[bytes] = []
        self._size = 0
        self._streaming = False
        self._content_type = b""
        self._error = b""
        """From the trailer of a stream that broke off: the error, base64."""
        self._sink: Sink | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods, but are no subclass.
        self._transport = cast(asyncio.Transport, transport)
        self.write = self._transport.write
        self._server.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.closed(self)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def hand(self, invocation: Invocation, deadline_ms: int) -> None:
        self.write(
            render_next(
                request_id=invocation.request_id,
                payload=invocation.payload,
                function_arn=invocation.function_arn,
                deadline_ms=deadline_ms,
                trace_header=invocation.trace_header,
                client_context=invocation.client_context,
            )
        )

    def pause(self) -> None:
        if self._transport is not None:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            if self._transport is not None:
                self._transport.write(BAD_REQUEST)
                self._transport.close()

    def on_message_begin(self) -> None:
        self._target = b""
        self._size = 0
        self._error = b""
        if self._body:
            self._body = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        size = len(name)  # looked at first: this is called for every field of every request
        if size == len(_MODE) and name.lower() == _MODE:
            self._streaming = value.lower() == b"streaming"
        elif size == len(_ERROR_BODY) and name.lower() == _ERROR_BODY:
            self._error = value
        elif size == 12 and name.lower() == b"content-type":
            self._content_type = value

    def on_headers_complete(self) -> None:
        if self._streaming:
            self._streaming = False
            method, kind = self._parser.get_method(), self._content_type
            self._sink = self._server.stream(self, method, self._target, content_type=kind)

    def on_body(self, body: bytes) -> None:
        if self._sink is not None:
            self._sink.feed(body)
            return
        self._size += len(body)
        if self._size <= MAX_RESPONSE:
            self._body.append(body)
        else:
            self._body.clear()  # read to its end, so that the client sees the 413, but not kept

    def on_message_complete(self) -> None:
        parts = self._body
        if self._sink is not None:
            parts = [self._error]
            self._sink = None
        self._server.asked(
            self,
            self._parser.get_method(),
            self._target,
            body=parts[0] if len(parts) == 1 else b"".join(parts),
            too_large=self._size > MAX_RESPONSE,
        )
