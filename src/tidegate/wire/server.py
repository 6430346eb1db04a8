"""The HTTP/1.1 server: listeners, and the orderly end of a server (SIGTERM). Connections are `connection.Connection`.

Not here: HTTP/2 and WebSocket; who answers a request (`FrontDoor`).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable

from tidegate.core.clock import Clock
from tidegate.core.message import FrontDoor
from tidegate.wire.connection import Connection
from tidegate.wire.hub import Certificates, Hub
from tidegate.wire.limits import Limits

__all__ = ["HttpServer", "Limits"]

log = logging.getLogger("tidegate.wire")

_BACKLOG = 2048
_ABORT_GRACE = 2.0
"""Seconds that cancelled handlers get to clean up before the server is called down."""


class HttpServer:
    """Make it inside a running event loop; `start` it on one address or several; `drain` it once."""

    def __init__(
        self,
        front_door: FrontDoor,
        *,
        clock: Clock,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        secure: Certificates | None = None,
    ) -> None:
        """`secure`: with it, ports that answer http answer https too."""
        self._hub = Hub(front_door, clock, limits, asyncio.get_running_loop(), secure)
        self._servers: list[asyncio.Server] = []

    @property
    def connections(self) -> int:
        """Open sockets, and handlers that still run for sockets already gone."""
        return len(self._hub.members)

    async def start(self, host: str | None, port: int, *, tls: ssl.SSLContext | None = None) -> int:
        """Listen, and return the bound port. `host`: a name or address of either family, or None for all. Raises OSError."""
        server = await self._hub.loop.create_server(
            self._factory("http" if tls is None else "https"),
            host,
            port,
            backlog=_BACKLOG,
            reuse_address=True,
            ssl=tls,
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    def _factory(self, scheme: str) -> Callable[[], Connection]:
        hub = self._hub
        return lambda: Connection(hub, scheme)

    async def drain(self, timeout: float) -> bool:
        """Stop accepting; answer what has been received; then close. False when `timeout` seconds did not suffice."""
        hub = self._hub
        hub.draining = True
        for server in self._servers:
            server.close()
        # Bytes that already lie in a socket are requests received: let the loop read them before idle ones are closed.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for member in list(hub.members):
            member.drain()
        if await hub.emptied(timeout):
            return True
        log.warning("%d connections were cut off at the end of draining", len(hub.members))
        for member in list(hub.members):
            member.abort()
        await hub.emptied(_ABORT_GRACE)
        return False
