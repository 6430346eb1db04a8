"""A streamed response on its way from the runtime to the caller, never more of it in memory than `_HIGH` and one read.

The runtime's connection puts chunks in; when the caller is slower, the connection is told to pause, and the function's
own writes wait. A function that does not stream gives its whole result as one chunk.

Not here: the Runtime API's side of it (runtime_server), the event stream of InvokeWithResponseStream (control).
AWS: "Response streaming for Lambda functions".
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Protocol

from tidegate.functions.invocation import Outcome
from tidegate.functions.runtime_api import MAX_RESPONSE

MAX_STREAM: Final = 200 * 1024 * 1024
"""Bytes. AWS: the default limit of a streamed response (2025)."""
_HIGH = 128 * 1024
_LOW = 32 * 1024
WHOLE_RESULT: Final = "application/json"
"""The content type of a result that was not streamed."""


class Flow(Protocol):
    """Whatever chunks come from."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Sink(Protocol):
    """Whatever chunks go to."""

    too_large: bool
    """More came than may; the rest was thrown away."""

    def begin(self, content_type: str, flow: Flow) -> None: ...

    def feed(self, data: bytes) -> None: ...

    def whole(self) -> bytes:
        """At the end: what was collected for a caller that takes the result in one piece."""
        ...


class Collector:
    """For a caller that does not stream: the whole response, with the limit of one."""

    __slots__ = ("_data", "too_large")

    def __init__(self) -> None:
        self._data = bytearray()
        self.too_large = False

    def begin(self, content_type: str, flow: Flow) -> None:
        """What comes is collected, as fast as it comes."""

    def feed(self, data: bytes) -> None:
        if len(self._data) + len(data) > MAX_RESPONSE:
            self.too_large = True
            self._data.clear()
        if not self.too_large:
            self._data += data

    def whole(self) -> bytes:
        return bytes(self._data)


class ResponseStream:
    """For a caller that streams: an asynchronous iterator over chunks. When it has ended, `error` tells how."""

    __slots__ = ("_arrived", "_chunks", "_closed", "_done", "_flow", "_held", "_paused", "_total", "begun",
                 "content_type", "error", "executed_version", "log_tail", "request_id", "too_large")  # fmt: skip

    def __init__(self, request_id: str, executed_version: str) -> None:
        self.request_id = request_id
        self.executed_version = executed_version
        self.content_type = WHOLE_RESULT
        self.error: bytes | None = None
        """The payload of the function's error; chunks before it were sent all the same."""
        self.log_tail = b""
        self.begun = False
        """True: the function streams."""
        self.too_large = False
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._total = 0
        self._arrived = asyncio.Event()
        self._done = False
        self._closed = False
        self._flow: Flow | None = None
        self._paused = False

    # The caller's side.

    async def opened(self) -> None:
        """Returns when the response has begun, or has ended."""
        while not (self.begun or self._done):
            self._arrived.clear()
            await self._arrived.wait()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                while self._chunks:
                    chunk = self._chunks.popleft()
                    self._held -= len(chunk)
                    if self._held <= _LOW:
                        self._resume()
                    yield chunk
                if self._done:
                    return
                self._arrived.clear()
                await self._arrived.wait()
        finally:
            self.close()

    def close(self) -> None:
        """The caller has gone: what still comes is thrown away, and the function runs to its end."""
        self._closed = True
        self._chunks.clear()
        self._held = 0
        self._resume()

    # The runtime's side.

    def begin(self, content_type: str, flow: Flow) -> None:
        self.begun = True
        self.content_type = content_type
        self._flow = flow
        self._arrived.set()

    def feed(self, data: bytes) -> None:
        self._total += len(data)
        self.too_large = self._total > MAX_STREAM
        if self._closed or self.too_large:
            return
        self._chunks.append(data)
        self._held += len(data)
        if self._held > _HIGH and self._flow is not None and not self._paused:
            self._paused = True
            self._flow.pause()
        self._arrived.set()

    def whole(self) -> bytes:
        return b""

    def settle(self, outcome: Outcome) -> None:
        """The invocation has ended."""
        self.log_tail = outcome.log_tail
        if outcome.failed:
            self.error = outcome.payload
        elif not self.begun and not self._closed:
            self._chunks.append(outcome.payload)
        self._flow = None
        self._done = True
        self._arrived.set()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            if self._flow is not None:
                self._flow.resume()
