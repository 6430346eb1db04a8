"""The pool of client connections to backends: implements `core.message.Upstream`.

Not here: the bytes of one connection (`upstream_connection`), who gets which (`origin_pool`), what a request says (its
callers encode head and framing), redirects, proxies, cookies.
"""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

from tidegate.core.deadlines import Deadlines
from tidegate.core.message import ClientIdentity, Origin, UpstreamError, UpstreamResponse
from tidegate.core.tasks import TaskSet
from tidegate.wire.origin_pool import OriginPool
from tidegate.wire.upstream_connection import Stale
from tidegate.wire.upstream_limits import UpstreamLimits

__all__ = ["UpstreamLimits", "UpstreamPool"]


Whereabouts: TypeAlias = Callable[[Origin], "tuple[str, int] | None"]
"""Where connections to an origin go; None: to its own host and port."""


class UpstreamPool:
    """Make it inside a running event loop. `ca_file`, and `trusted` as text: PEM certificates trusted besides the system's."""

    __slots__ = (
        *("_ca_file", "_closed", "_contexts", "_deadlines", "_limits", "_loop", "_pools", "_tasks", "_trusted"),
        "whereabouts",
    )

    def __init__(
        self,
        *,
        limits: UpstreamLimits = UpstreamLimits(),  # noqa: B008
        ca_file: Path | str | None = None,
        trusted: str | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._limits = limits
        self._ca_file = ca_file
        self._trusted = trusted
        self.whereabouts: Whereabouts = lambda _origin: None
        self._deadlines = Deadlines(self._loop, limits.tick)
        self._pools: dict[Origin, OriginPool] = {}
        self._contexts: dict[tuple[bool, ClientIdentity | None], ssl.SSLContext] = {}
        self._tasks = TaskSet()
        self._closed = False

    def counts(self, origin: Origin) -> tuple[int, int]:
        """Connections to an origin: (open or being opened, idle). For metrics and tests."""
        pool = self._pools.get(origin)
        return (0, 0) if pool is None else (pool.total, pool.idle)

    async def send(
        self,
        origin: Origin,
        head: bytes,
        body: bytes | AsyncIterator[bytes],
        *,
        timeout: float,
        head_only: bool = False,
        max_body: int = 10 * 1024 * 1024,
        stream: bool = False,
        retry: bool = True,
    ) -> UpstreamResponse:
        """See `core.message.Upstream`. `max_body` is not looked at when `stream` is set."""
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pool(origin)
        deadline = self._loop.time() + timeout
        connection = pool.take()
        if connection is None:
            connection = await pool.acquire(deadline)
        again = retry and isinstance(body, bytes)
        while True:
            future = connection.begin(deadline, timeout, max_body=max_body, head_only=head_only, stream=stream)
            if isinstance(body, bytes):
                connection.send(head, body)
            else:
                connection.send_stream(head, body, self._tasks)
            try:
                return await future
            except Stale:
                if not again:
                    raise
            except asyncio.CancelledError:
                connection.abandon(future)
                raise
            again = False
            connection = await pool.acquire(deadline, fresh=True)

    def _pool(self, origin: Origin) -> OriginPool:
        if self._closed:
            raise UpstreamError("the pool is closed")

        def context() -> ssl.SSLContext | None:
            return self._context(origin.verify, origin.identity) if origin.scheme == "https" else None

        def place() -> tuple[str, int]:
            return self.whereabouts(origin) or (origin.host, origin.port)

        pool = OriginPool(
            origin, self._limits, deadlines=self._deadlines, context=context, place=place, loop=self._loop
        )
        self._pools[origin] = pool
        return pool

    def _context(self, verify: bool, identity: ClientIdentity | None) -> ssl.SSLContext:
        key = (verify, identity)
        context = self._contexts.get(key)
        if context is None:
            context = ssl.create_default_context()
            if self._ca_file is not None:
                context.load_verify_locations(self._ca_file)
            if self._trusted is not None:
                context.load_verify_locations(cadata=self._trusted)
            if not verify:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            if identity is not None:
                _load(context, identity)
            context.set_alpn_protocols(["http/1.1"])
            self._contexts[key] = context
        return context

    async def aclose(self) -> None:
        """Close every connection; what is under way fails with UpstreamError."""
        self._closed = True
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()
        await self._tasks.cancel()


def _load(context: ssl.SSLContext, identity: ClientIdentity) -> None:
    """The ssl module reads keys from files only: this one is readable by nobody else, and gone at once."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(identity.private_key + identity.certificate)
        file.flush()
        context.load_cert_chain(file.name)
