"""Coarse deadlines for many things at once: one timer, however many wait.

A timer of the event loop for every request would cost more than the request's routing; deadlines of seconds do not need
its precision. Whatever waits is an object with two attributes, and is swept when its time is past.
"""

from __future__ import annotations

import asyncio
from typing import Protocol


class Expiring(Protocol):
    deadline: float
    """In the event loop's time; may be moved while it waits."""

    def expire(self) -> None:
        """Called once, when the deadline is past; the object is then no longer watched."""


class Deadlines:
    """Watches objects; sweeps every `tick` seconds while there are any."""

    __slots__ = ("_handle", "_loop", "_tick", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop, tick: float) -> None:
        self._loop = loop
        self._tick = tick
        self._waiting: set[Expiring] = set()
        self._handle: asyncio.TimerHandle | None = None

    def watch(self, item: Expiring) -> None:
        self._waiting.add(item)
        if self._handle is None:
            self._handle = self._loop.call_later(self._tick, self._sweep)

    def forget(self, item: Expiring) -> None:
        self._waiting.discard(item)

    def _sweep(self) -> None:
        now = self._loop.time()
        self._handle = None
        for item in [item for item in self._waiting if item.deadline <= now]:
            self._waiting.discard(item)
            item.expire()
        if self._waiting:
            self._handle = self._loop.call_later(self._tick, self._sweep)
