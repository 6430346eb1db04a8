"""The connections to one origin: who may open one, who gets a free one, and who waits."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable

from tidegate.core.deadlines import Deadlines
from tidegate.core.message import Origin, UpstreamError, UpstreamTimeout
from tidegate.wire.certificates import problem_of
from tidegate.wire.upstream_connection import GONE, IDLE, UpstreamConnection
from tidegate.wire.upstream_limits import UpstreamLimits


class Waiter:
    """Somebody who waits for a connection, or (None) for leave to open one."""

    __slots__ = ("deadline", "future")

    def __init__(self, deadline: float, future: asyncio.Future[UpstreamConnection | None]) -> None:
        self.deadline = deadline
        self.future = future

    def expire(self) -> None:
        if not self.future.done():
            self.future.set_exception(UpstreamTimeout("no connection became free in time"))


class OriginPool:
    """`total` counts open connections and those being opened. Whenever somebody waits, nothing is idle."""

    __slots__ = (
        "_closed",
        "_context",
        "_deadlines",
        "_idle",
        "_limits",
        "_origin",
        "_place",
        "_waiters",
        "connections",
        "label",
        "loop",
        "total",
    )

    def __init__(
        self,
        origin: Origin,
        limits: UpstreamLimits,
        *,
        deadlines: Deadlines,
        context: Callable[[], ssl.SSLContext | None],
        place: Callable[[], tuple[str, int]],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._closed = False
        self._origin = origin
        self._limits = limits
        self._deadlines = deadlines
        self._context = context
        self._place = place
        self.loop = loop
        self.label = f"{origin.scheme}://{origin.host}:{origin.port}"
        self.total = 0
        self.connections: set[UpstreamConnection] = set()
        # A dict as a stack from whose middle can be removed. Last in, first out: the others get old and are closed.
        self._idle: dict[UpstreamConnection, None] = {}
        self._waiters: deque[Waiter] = deque()

    @property
    def idle(self) -> int:
        return len(self._idle)

    def take(self) -> UpstreamConnection | None:
        """The connection that became free last. The hot path."""
        return self._idle.popitem()[0] if self._idle else None

    async def acquire(self, deadline: float, *, fresh: bool = False) -> UpstreamConnection:
        """Open a connection, or wait for one: first come, first served. `fresh`: not one that was kept."""
        while True:
            if fresh and self._idle and self.total >= self._limits.connections:
                next(iter(self._idle)).drop()
            if self.total < self._limits.connections:
                self.total += 1
                return await self._open(deadline)
            connection = await self._wait(deadline)
            if connection is None:
                return await self._open(deadline)
            if not fresh and connection.phase == IDLE:  # it may have died since it was handed over
                return connection
            connection.drop()

    async def _wait(self, deadline: float) -> UpstreamConnection | None:
        """None: leave to open a connection, which is counted already."""
        waiter = Waiter(deadline, self.loop.create_future())
        self._waiters.append(waiter)
        self._deadlines.watch(waiter)
        try:
            return await waiter.future
        except UpstreamTimeout as error:
            raise UpstreamTimeout(f"{self.label}: {error}") from None
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled() and waiter.future.exception() is None:
                self._give_back(waiter.future.result())
            raise
        finally:
            self._deadlines.forget(waiter)
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _give_back(self, connection: UpstreamConnection | None) -> None:
        if connection is None:
            self._vacate()
        elif connection.phase == IDLE:
            self.release(connection)

    def _next_waiter(self) -> Waiter | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.future.done():
                return waiter
        return None

    async def _open(self, deadline: float) -> UpstreamConnection:
        connection = UpstreamConnection(self)
        try:
            await self._connect(connection, deadline)
        except BaseException:
            if connection in self.connections:
                connection.drop()
            else:
                connection.phase = GONE
                self._vacate()
            raise
        if self._closed or connection.phase == GONE:
            connection.drop()
            raise UpstreamError(f"{self.label}: closed as soon as it was connected")
        return connection

    async def _connect(self, connection: UpstreamConnection, deadline: float) -> None:
        origin = self._origin
        name = origin.server_name or origin.host
        seconds = min(deadline - self.loop.time(), self._limits.connect_timeout)
        try:
            context = self._context()
            host, port = self._place()
            async with asyncio.timeout(seconds) as limit:
                transport, _ = await self.loop.create_connection(
                    lambda: connection, host, port, ssl=context, server_hostname=name if context else None
                )
        except (OSError, ValueError) as error:  # TLS and name resolution fail with OSErrors; bad names with ValueError
            if isinstance(error, TimeoutError) and limit.expired():
                raise UpstreamTimeout(f"{self.label}: not connected within {seconds:g} s") from None
            raise UpstreamError(f"{self.label}: {_reason(error)}") from error
        if context is not None and not origin.verify:
            certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
            if problem := problem_of(certificate or b"", name):
                raise UpstreamError(f"{self.label}: {problem}")

    # told by connections

    def opened(self, connection: UpstreamConnection) -> None:
        self.connections.add(connection)
        connection.deadline = self.loop.time() + self._limits.idle_timeout
        self._deadlines.watch(connection)

    def release(self, connection: UpstreamConnection) -> None:
        waiter = self._next_waiter() if self._waiters else None
        if waiter is not None:
            waiter.future.set_result(connection)
        elif len(self._idle) >= self._limits.idle:
            connection.drop()
        else:
            connection.deadline = self.loop.time() + self._limits.idle_timeout
            self._idle[connection] = None

    def lost(self, connection: UpstreamConnection) -> None:
        self._idle.pop(connection, None)
        self.connections.discard(connection)
        self._deadlines.forget(connection)
        self._vacate()

    def _vacate(self) -> None:
        """One connection fewer: the first who waits may open another."""
        waiter = self._next_waiter()
        if waiter is None:
            self.total -= 1
        else:
            waiter.future.set_result(None)

    def close(self) -> None:
        self._closed = True
        for waiter in self._waiters:
            if not waiter.future.done():
                waiter.future.set_exception(UpstreamError(f"{self.label}: the pool is closed"))
        self._waiters.clear()
        for connection in list(self.connections):
            connection.fail(UpstreamError(f"{self.label}: the pool is closed"))


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {error.reason or error}"
    return f"not connected: {error or type(error).__name__}"
