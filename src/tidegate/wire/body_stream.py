"""A message body on its way: chunks that a protocol feeds in and one consumer iterates over, with back-pressure.

Used in both directions (a request's body at the server, an answer's body in the pool). Knows no sockets: whoever owns the
socket learns through `StreamOwner` when to pause and resume reading.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import NoReturn, Protocol

log = logging.getLogger("tidegate.wire")

HIGH_WATER = 256 * 1024
LOW_WATER = 64 * 1024


class StreamOwner(Protocol):
    """The side that feeds a stream."""

    def stream_wanted(self) -> None:
        """The consumer asks for its first chunk."""

    def stream_full(self) -> None:
        """More than HIGH_WATER bytes wait: stop reading."""

    def stream_drained(self) -> None:
        """Less than LOW_WATER bytes wait: read again."""

    def stream_abandoned(self) -> None:
        """The consumer closed the stream before its end."""


class BodyStream:
    """An async iterator of non-empty chunks. Ends, or raises what `fail` was given once the chunks before it are read."""

    __slots__ = ("_chunks", "_ended", "_error", "_full", "_owner", "_size", "_waiter", "_wanted")

    def __init__(self, owner: StreamOwner) -> None:
        self._owner = owner
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._full = False
        self._wanted = False

    @property
    def buffered(self) -> int:
        """Bytes that wait for the consumer."""
        return self._size

    def feed(self, chunk: bytes) -> None:
        if self._ended:
            return
        self._chunks.append(chunk)
        self._size += len(chunk)
        if self._size > HIGH_WATER and not self._full:
            self._full = True
            self._owner.stream_full()
        self._wake()

    def end(self) -> None:
        self._ended = True
        self._wake()

    def fail(self, error: Exception) -> None:
        if not self._ended:
            self._error = error
            self.end()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def __aiter__(self) -> BodyStream:
        return self

    async def __anext__(self) -> bytes:
        if not self._wanted:
            self._wanted = True
            self._owner.stream_wanted()
        while not self._chunks:
            if self._ended:
                self._finish()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        chunk = self._chunks.popleft()
        self._size -= len(chunk)
        if self._full and self._size < LOW_WATER:
            self._full = False
            if not self._ended:  # else the connection may serve another exchange by now
                self._owner.stream_drained()
        return chunk

    def _finish(self) -> NoReturn:
        error, self._error = self._error, None
        raise error if error is not None else StopAsyncIteration

    async def aclose(self) -> None:
        """Wants no more. Before the end, the connection behind the stream is given up."""
        ended, self._ended = self._ended, True
        self._chunks.clear()
        self._size = 0
        self._wake()
        if not ended:
            self._owner.stream_abandoned()


async def close_body(body: object) -> None:
    """Let a stream go that nobody reads to its end."""
    aclose = getattr(body, "aclose", None)
    if aclose is not None:
        try:
            await aclose()
        except Exception:
            log.exception("a streamed body could not be closed")
