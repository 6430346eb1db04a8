"""What authorizers answered, kept for a while: bounded, by time and by number, and asked for once at a time.

Source: shared facts, access §4.5. Not here: what an answer is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

A = TypeVar("A")

_MOST = 10_000


class AnswerCache(Generic[A]):
    """Keys are tuples that begin with the stage (API id, stage name). `now`: seconds of the wall clock, which tests can move."""

    def __init__(self, now: Callable[[], float], most: int = _MOST) -> None:
        self._now = now
        self._most = most
        self._kept: dict[tuple[Hashable, ...], tuple[float, A]] = {}
        self._asked: dict[tuple[Hashable, ...], asyncio.Task[A]] = {}

    async def get(self, key: tuple[Hashable, ...], ask: Callable[[], Awaitable[tuple[float, A]]]) -> A:
        """The answer that is kept, or a new one: `ask` gives it with the time until which it holds. What `ask` raises reaches
        everybody who waits, and is not kept."""
        kept = self._kept.get(key)
        if kept is not None:
            if kept[0] > self._now():
                return kept[1]
            del self._kept[key]
        task = self._asked.get(key)
        if task is None:
            # One call per key however many requests wait for it; it goes on when the first of them is gone.
            task = self._asked[key] = asyncio.ensure_future(self._ask(key, ask))
            task.add_done_callback(lambda _done: self._asked.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, key: tuple[Hashable, ...], ask: Callable[[], Awaitable[tuple[float, A]]]) -> A:
        until, answer = await ask()
        if until > self._now():
            if len(self._kept) >= self._most:
                # The oldest goes, whoever it is of: a flood of new keys costs others no more than a call.
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (until, answer)
        return answer

    def flush(self, stage: tuple[str, str]) -> None:
        """Forget a stage's answers."""
        for key in [key for key in self._kept if key[0] == stage]:
            del self._kept[key]
