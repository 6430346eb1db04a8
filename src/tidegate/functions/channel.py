"""The channel: what a runtime client of ours speaks with the gateway instead of HTTP, over a socket that its process inherits.

It says what the Runtime API says, in one message each way for an invocation where HTTP needs four. AWS's client for Python
runs over it unchanged, by a module `runtime_client` of ours (python/runtime_client.py); so does our client for Node.js
(node/channel.cjs). Whoever speaks HTTP to the worker's port is answered all the same.

A message of the runtime is a letter, the length of its body in four bytes, the body:

    N  asks for an invocation
    R  the result of the one that runs, and asks for the next
    E  the error that it ends with, and asks for the next
    F  the error that it ends with; the process is about to exit
    I  the error that the init ends with; the process is about to exit

An invocation is HEAD (the lengths of what follows, and the deadline), request id, function ARN, trace header, client context,
payload. Numbers are big-endian.

Not here: what a message means (runtime_api), what becomes of it (worker).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING, Final, Protocol, cast

from tidegate.functions.runtime_api import MAX_RESPONSE

if TYPE_CHECKING:
    from tidegate.functions.invocation import Invocation

HEAD: Final = Struct(">IQHHHI")
"""Of an invocation: bytes of the payload; deadline, in milliseconds of the wall clock; bytes of request id, of ARN, of trace
header, of client context, of which NO_CONTEXT says that there is none.
"""
NO_CONTEXT: Final = 0xFFFFFFFF

_LETTER = Struct(">cI")
_PREFIX = _LETTER.size
_ANSWERS = (b"R", b"E", b"F")
_JOINED = 65536
"""Bytes of a payload up to which copying it is cheaper than a second buffer to write."""


class ChannelServer(Protocol):
    """The worker's end of the Runtime API."""

    def opened(self, channel: Channel, /) -> None: ...

    def closed(self, channel: Channel, /) -> None: ...

    def heard(self, channel: Channel, letter: bytes, body: bytes, /, *, too_large: bool) -> None:
        """`too_large`: the body was longer than MAX_RESPONSE and has been thrown away."""
        ...


class Channel(asyncio.Protocol):
    __slots__ = ("_letter", "_missing", "_parts", "_server", "_skipping", "_transport", "_write")

    _write: Callable[[bytes], None]

    def __init__(self, server: ChannelServer) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        """Of a message that has not come whole."""
        self._missing = 0
        """Bytes of it that are still to come, as far as is known."""
        self._letter = b""
        """Of a message that is too long."""
        self._skipping = 0
        """Bytes of it that are still to come."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods, but are no subclass.
        self._transport = cast(asyncio.Transport, transport)
        self._write = self._transport.write
        self._server.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._server.closed(self)

    def abort(self) -> None:
        """Nothing more is heard from it."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def hand(self, invocation: Invocation, deadline_ms: int) -> None:
        payload, context = invocation.payload, invocation.client_context
        request_id = invocation.request_id.encode()
        arn = invocation.function_arn.encode()
        trace = invocation.trace_header.encode()
        size = NO_CONTEXT if context is None else len(context)
        head = HEAD.pack(len(payload), deadline_ms, len(request_id), len(arn), len(trace), size)
        parts = (head, request_id, arn, trace, context or b"")
        if len(payload) <= _JOINED:
            self._write(b"".join((*parts, payload)))
        else:
            self._write(b"".join(parts))
            self._write(payload)

    def data_received(self, data: bytes) -> None:
        if self._skipping:
            data = self._skip(data)
        elif self._parts:
            self._parts.append(data)
            self._missing -= len(data)
            if self._missing > 0:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        while len(data) >= _PREFIX and self._transport is not None:
            letter, size = _LETTER.unpack_from(data)
            end = _PREFIX + size
            if size > MAX_RESPONSE:
                if letter not in _ANSWERS:
                    self.abort()
                    return
                self._letter, self._skipping = letter, end
                data = self._skip(data)
                continue
            if len(data) < end:
                self._missing = end - len(data)
                break
            self._server.heard(self, letter, data[_PREFIX:end], too_large=False)
            data = data[end:]
        if data:
            self._parts.append(data)

    def _skip(self, data: bytes) -> bytes:
        """Throw away what belongs to the message that is too long; gives back what follows it."""
        if len(data) < self._skipping:
            self._skipping -= len(data)
            return b""
        rest = data[self._skipping :]
        self._skipping = 0
        self._server.heard(self, self._letter, b"", too_large=True)
        return rest
