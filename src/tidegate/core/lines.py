"""Lines to a file descriptor from a thread of its own: a reader that is slow or gone never stops the event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading

log = logging.getLogger("tidegate.lines")

_FLUSH_SECONDS = 0.1
_MAX_PENDING = 64
"""Batches that wait for a slow reader; what comes after them is dropped, and counted."""


class LineSink:
    """Collects lines and hands them over in batches."""

    def __init__(self, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        self._descriptor = descriptor
        self._loop = loop
        self._lines: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._batches: queue.Queue[bytes | None] = queue.Queue(_MAX_PENDING)
        self.dropped = 0
        """Lines that were lost because nobody read."""
        self._thread = threading.Thread(target=self._write_all, name="lines", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """`line`: with its line end."""
        self._lines.append(line)
        if self._timer is None:
            self._timer = self._loop.call_later(_FLUSH_SECONDS, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._batches.put_nowait("".join(lines).encode("utf-8", "replace"))
        except queue.Full:
            if not self.dropped:
                log.error("nobody reads the access log: lines are dropped")
            self.dropped += len(lines)

    def close(self, timeout: float = 2.0) -> None:
        """Write what is pending, unless the reader takes longer than `timeout` seconds."""
        self.flush()
        try:
            self._batches.put(None, timeout=timeout)
        except queue.Full:
            return
        self._thread.join(timeout)

    def _write_all(self) -> None:
        failed = False
        while (batch := self._batches.get()) is not None:
            view = memoryview(batch)
            try:
                while view:
                    view = view[os.write(self._descriptor, view) :]
                failed = False
            except OSError as error:
                if not failed:
                    log.error("cannot write the access log: %s", error)
                failed = True
