"""What authorizers answered, kept for a while: bounded by time, number and size, and asked for once at a time.

Source: shared facts, access §4.5. Not here: what an answer is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeAlias, TypeVar

A = TypeVar("A")
Key: TypeAlias = tuple[Hashable, ...]

_MOST = 10_000
_MOST_BYTES = 32 * 1024 * 1024


class AnswerCache(Generic[A]):
    """Keys are tuples that begin with the stage (API id, stage name). `now`: seconds of the wall clock, which tests can move;
    `size`: bytes of an answer."""

    def __init__(
        self,
        now: Callable[[], float],
        size: Callable[[A], int] = lambda _answer: 0,
        *,
        most: int = _MOST,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._now = now
        self._size = size
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: dict[Key, tuple[float, A]] = {}
        self._asked: dict[Key, asyncio.Task[A]] = {}

    async def get(self, key: Key, ask: Callable[[], Awaitable[tuple[float, A]]]) -> A:
        """The answer that is kept, or a new one: `ask` gives it with the time until which it holds. What `ask` raises reaches
        everybody who waits, and is not kept."""
        kept = self._kept.get(key)
        if kept is not None:
            if kept[0] > self._now():
                return kept[1]
            self._forget(key)
        task = self._asked.get(key)
        if task is None:
            # One call per key however many requests wait for it; it goes on when the first of them is gone.
            task = self._asked[key] = asyncio.ensure_future(self._ask(key, ask))
            task.add_done_callback(lambda done: self._answered(key, done))
        return await asyncio.shield(task)

    async def _ask(self, key: Key, ask: Callable[[], Awaitable[tuple[float, A]]]) -> A:
        until, answer = await ask()
        # A flush forgets what was asked before it, too.
        if until > self._now() and self._asked.get(key) is asyncio.current_task():
            self._keep(key, until, answer)
        return answer

    def _answered(self, key: Key, task: asyncio.Task[A]) -> None:
        if self._asked.get(key) is task:
            del self._asked[key]
        if not task.cancelled():
            # Nobody may be left to hear of a failure.
            task.exception()

    def _keep(self, key: Key, until: float, answer: A) -> None:
        """The oldest goes when there is no room, whoever it is of: a flood of new keys costs others no more than a call."""
        self._kept[key] = (until, answer)
        self._bytes += self._weight(key, answer)
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Key) -> None:
        _, answer = self._kept.pop(key)
        self._bytes -= self._weight(key, answer)

    def _weight(self, key: Key, answer: A) -> int:
        """Keys hold what clients sent, so they count as well."""
        return self._size(answer) + _length(key)

    def flush(self, stage: tuple[str, str]) -> None:
        """Forget a stage's answers, and those that are on their way."""
        for key in [key for key in self._kept if key[0] == stage]:
            self._forget(key)
        for key in [key for key in self._asked if key[0] == stage]:
            del self._asked[key]


def _length(part: Hashable) -> int:
    if isinstance(part, tuple):
        return sum(map(_length, part))
    return len(part) if isinstance(part, str) else 0
