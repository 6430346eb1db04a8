"""The one clock. Everything that reads time gets it passed in, so that tests (and `POST /_tidegate/clock`) can move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Real time. `shift` seconds are added to wall-clock time only; intervals are not disturbed."""

    __slots__ = ("shift", "ticks_ns")

    def __init__(self) -> None:
        self.shift = 0.0
        self.ticks_ns = time.perf_counter_ns
        """Nanoseconds of a monotonic counter; for durations."""

    def time(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.shift

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)


class ManualClock(Clock):
    """Time that stands still until it is moved."""

    __slots__ = ("_now",)

    def __init__(self, now: float = 1_767_225_600.0) -> None:
        super().__init__()
        self._now = now
        self.ticks_ns = lambda: int(self._now * 1e9)

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds
