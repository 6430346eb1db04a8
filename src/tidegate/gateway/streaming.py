"""The body of a streamed answer on its way to the client: bounded in time, counted, let go when nobody reads on.

Source: *Stream the integration response for your proxy integrations in API Gateway*; shared facts, rest-data-plane §18.
Not here: AWS's bandwidth limit beyond 10 MB, which is a limit of its own network and none of Tidegate's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Final

from tidegate.core.message import UpstreamError, UpstreamTimeout
from tidegate.functions.spec import StreamedResult

LONGEST: Final = 900.0
"""Seconds. AWS: how long a function may stream."""


class StreamedBody:
    """Chunks from a backend. Raises UpstreamTimeout when they take too long; whoever sends the answer then cuts it off."""

    __slots__ = ("_chunks", "_close", "_deadline", "_ended", "_first", "_idle", "length", "when_ended")

    def __init__(
        self,
        chunks: AsyncIterator[bytes],
        close: Callable[[], Awaitable[None]],
        *,
        deadline: float,
        idle: float,
        first: bytes = b"",
    ) -> None:
        """`deadline`: in the loop's time, for the whole; `idle`: seconds between two chunks; `first`: what came already."""
        self._chunks = chunks
        self._close = close
        self._deadline = deadline
        self._idle = idle
        self._first = first
        self._ended = False
        self.length = 0
        """Bytes that were given out."""
        self.when_ended: Callable[[StreamedBody], None] | None = None
        """Told once, however it ends."""

    def __aiter__(self) -> StreamedBody:
        return self

    async def __anext__(self) -> bytes:
        if self._first:
            chunk, self._first = self._first, b""
        else:
            chunk = await self._next()
        self.length += len(chunk)
        return chunk

    async def _next(self) -> bytes:
        until = min(self._deadline, asyncio.get_running_loop().time() + self._idle)
        try:
            async with asyncio.timeout_at(until):
                return await anext(self._chunks)
        except TimeoutError:
            raise UpstreamTimeout("the backend's stream took too long") from None

    async def aclose(self) -> None:
        """No more is wanted, or there is no more."""
        if self._ended:
            return
        self._ended = True
        try:
            await self._close()
        finally:
            if self.when_ended is not None:
                self.when_ended(self)


def function_body(
    chunks: AsyncIterator[bytes], stream: StreamedResult, first: bytes, *, deadline: float, idle: float
) -> StreamedBody:
    """What is left of a function's stream. When the function fails on the way, the answer is cut off."""

    async def checked() -> AsyncGenerator[bytes, None]:
        async for chunk in chunks:
            yield chunk
        if stream.error is not None:
            raise UpstreamError(
                f"the function failed while it streamed: {stream.error[:1024].decode('utf-8', 'replace')}"
            )

    rest = checked()

    async def close() -> None:
        # In this order: a generator that never began has nothing of its own to clean up.
        await rest.aclose()
        stream.close()

    return StreamedBody(rest, close, deadline=deadline, idle=idle, first=first)
