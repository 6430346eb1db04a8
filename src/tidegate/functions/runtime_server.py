"""The Runtime API's sockets: a small HTTP/1.1 server on loopback, one listening port per worker.

The port is the worker's identity. Its only clients are AWS's runtime clients, so it knows no more HTTP than they speak:
keep-alive, one request at a time, bodies with a length or chunked. Not here: what the endpoints do (runtime_api).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

import httptools

from tidegate.functions.runtime_api import BAD_REQUEST, MAX_RESPONSE, RuntimeApi, Told


class RuntimeOwner(Protocol):
    """Whoever owns the worker process."""

    def told(self, what: Told, body: bytes, /) -> None: ...

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
        self._connections: set[_Connection] = set()
        self._polling: _Connection | None = None
        self._server: asyncio.Server | None = None

    async def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in list(self._connections):
            connection.abort()

    @property
    def connected(self) -> bool:
        return bool(self._connections)

    def hand_over(self, request_id: str, reply: bytes) -> None:
        """Answer the request that is held on `next`."""
        connection = self._polling
        if connection is None:
            raise RuntimeError("no runtime is waiting")
        self.api.begin(request_id)
        self._polling = None
        connection.write(reply)

    def opened(self, connection: _Connection) -> None:
        self._connections.add(connection)

    def closed(self, connection: _Connection) -> None:
        self._connections.discard(connection)
        if connection is self._polling:
            self._polling = None
            self.api.lost()
            self.owner.poll_lost()
        if not self._connections:
            self.owner.connections_closed()

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
    __slots__ = ("_body", "_parser", "_server", "_size", "_target", "_transport", "write")

    write: Callable[[bytes], None]

    def __init__(self, server: RuntimeServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._body: list[bytes] = []
        self._size = 0

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
        if self._body:
            self._body = []

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size <= MAX_RESPONSE:
            self._body.append(body)
        else:
            self._body.clear()  # read to its end, so that the client sees the 413, but not kept

    def on_message_complete(self) -> None:
        parts = self._body
        self._server.asked(
            self,
            self._parser.get_method(),
            self._target,
            body=parts[0] if len(parts) == 1 else b"".join(parts),
            too_large=self._size > MAX_RESPONSE,
        )
