"""TLS on a port that also speaks plain HTTP: who begins with a TLS record gets a handshake, and then a connection as any other.

A `Connection` sees the first byte and hands its socket over; a plain request never comes here. The handshake itself is the
event loop's (`start_tls`); its end makes a `Connection` of scheme https, which does not know the difference.

Not here: certificates (`local_certificates`), TLS towards backends (`upstream`).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from typing import Final, Protocol, cast

from tidegate.wire.hub import Hub

log = logging.getLogger("tidegate.wire")

HELLO: Final = 0x16
"""RFC 8446 §5.1: the type of the record that a client hello comes in. No HTTP method begins with it."""

_FOREVER = 24 * 3600.0
"""Seconds. How long a closing may take is the connection's to say, which knows whether the client still reads."""


class Secured(Protocol):
    """What takes over when the handshake is done: a connection."""

    def connection_made(self, transport: asyncio.BaseTransport, /) -> None: ...
    def data_received(self, data: bytes, /) -> None: ...
    def eof_received(self) -> bool | None: ...
    def drain(self) -> None: ...


class Handshake(asyncio.Protocol):
    """A member of the hub from a connection's first byte to the end of its handshake, or of the connection."""

    __slots__ = ("_early", "_eof", "_hub", "_lost", "_make", "_task", "_transport")

    def __init__(
        self, hub: Hub, transport: asyncio.Transport, hello: bytes, make: Callable[[asyncio.Transport], Secured]
    ) -> None:
        """`hello`: what has been read. `make`: gets the socket's own transport, beneath the one that encrypts."""
        self._hub = hub
        self._transport = transport
        self._make = make
        self._early: list[bytes] = []
        """Decrypted before the connection is there to take it."""
        self._eof = self._lost = False
        transport.pause_reading()
        transport.set_protocol(self)
        hub.members.add(self)
        self._task = hub.loop.create_task(self._run(hello))

    def data_received(self, data: bytes) -> None:
        self._early.append(data)

    def eof_received(self) -> None:
        self._eof = True

    def connection_lost(self, _exc: Exception | None) -> None:
        self._lost = True

    def drain(self) -> None:
        """A handshake under way is finished, as a request would be; it has a deadline."""

    def abort(self) -> None:
        self._transport.abort()
        self._task.cancel()

    async def _run(self, hello: bytes) -> None:
        secured = None
        try:
            secured = await self._secured(hello)
        except Exception:
            log.exception("no certificate can be shown")
        finally:
            if secured is None or self._lost:
                self._transport.abort()
            else:
                self._hand_over(secured)
            self._hub.leave(self)

    async def _secured(self, hello: bytes) -> asyncio.Transport | None:
        """None: the client does not know better (garbage, no common version, nothing in time), or has gone."""
        context = self._context()
        try:
            return await self._shake(context, hello)
        except (OSError, RuntimeError) as error:
            log.debug("no TLS: %r", error)
            return None

    def _context(self) -> ssl.SSLContext:
        secure = self._hub.secure
        assert secure is not None
        local = self._transport.get_extra_info("sockname")
        return secure(local[0] if isinstance(local, tuple) else "")

    async def _shake(self, context: ssl.SSLContext, hello: bytes) -> asyncio.Transport:
        hub = self._hub
        beginning = hub.loop.create_task(
            hub.loop.start_tls(
                self._transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=hub.limits.handshake_timeout,
                ssl_shutdown_timeout=_FOREVER,
            )
        )
        try:
            # Two turns of the loop: in the first `start_tls` puts its protocol in place, in the second that gets its socket.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            _feed(self._transport, hello)
            return cast(asyncio.Transport, await beginning)
        finally:
            beginning.cancel()

    def _hand_over(self, secured: asyncio.Transport) -> None:
        hub = self._hub
        connection = self._make(self._transport)
        secured.set_protocol(cast(asyncio.BaseProtocol, connection))
        hub.members.discard(self)
        connection.connection_made(secured)
        for data in self._early:
            connection.data_received(data)
        if self._eof:
            connection.eof_received()
        if hub.draining:
            connection.drain()


def _feed(transport: asyncio.Transport, data: bytes) -> None:
    """Give a transport's protocol what has been read already, as the event loop would."""
    protocol = cast(asyncio.BufferedProtocol, transport.get_protocol())
    view = memoryview(data)
    while view and not transport.is_closing():
        buffer = memoryview(cast(bytearray, protocol.get_buffer(len(view))))
        size = min(len(buffer), len(view))
        buffer[:size] = view[:size]
        protocol.buffer_updated(size)
        view = view[size:]
