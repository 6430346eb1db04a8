"""Workers at work are held to their memory size.

AWS: a function that takes more than its memory size is killed; its exit is the answer (`signal: killed`). Not here: what one
holds (process), its end (pool).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tidegate.functions.invocation import Invocation
from tidegate.functions.slots import Phase, Slot
from tidegate.functions.worker import Worker

_TICK = 0.25
"""Seconds between two looks at what busy workers hold."""


class MemoryWatch:
    """Looks while there are busy workers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, workers: Mapping[Slot[Invocation], Worker]) -> None:
        self._loop = loop
        self._workers = workers
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def watch(self) -> None:
        """A worker has begun to work."""
        if self._timer is None and not self._closed:
            self._timer = self._loop.call_later(_TICK, self._look)

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        busy = [worker for slot, worker in self._workers.items() if slot.phase is Phase.BUSY]
        for worker in busy:
            if worker.over_memory():
                worker.kill()
        if busy:
            self.watch()
