"""Kept answers: how long, how many, how large, and one call for all who wait."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tidegate.core.clock import ManualClock
from tidegate.state.answers import AnswerCache

STAGE = ("api", "prod")


class World:
    def __init__(self, **limits: int) -> None:
        self.clock = ManualClock()
        self.cache: AnswerCache[bytes] = AnswerCache(self.clock.time, len, **limits)
        self.asked: list[str] = []

    async def get(self, name: str, size: int = 1, stage: tuple[str, str] = STAGE) -> bytes:
        async def ask() -> tuple[float, bytes]:
            self.asked.append(name)
            return self.clock.time() + 10, b"x" * size

        return await self.cache.get((stage, name), ask)


def test_as_long_as_it_holds() -> None:
    async def run() -> None:
        world = World()
        for seconds, calls in ((0, 1), (9, 1), (2, 2), (9, 2)):
            world.clock.advance(seconds)
            await world.get("a")
            assert len(world.asked) == calls

    asyncio.run(run())


def test_the_oldest_makes_room() -> None:
    async def run() -> None:
        few = World(most=2)
        for name in "abc":
            await few.get(name)
        for name in "cb":
            await few.get(name)
        assert few.asked == ["a", "b", "c"]
        await few.get("a")
        assert few.asked == ["a", "b", "c", "a"]
        # Of bytes: answers, and what clients sent to get them. What is larger than all the room is not kept.
        small = World(most_bytes=100)
        for name, size in (("a", 40), ("b", 40), ("c" * 50, 1), ("d", 1000)):
            await small.get(name, size)
        assert len(small.cache._kept) == 0
        await small.get("a", 40)
        await small.get("a", 40)
        assert small.asked == ["a", "b", "c" * 50, "d", "a"]

    asyncio.run(run())


def test_a_flood_of_names_does_not_grow_it() -> None:
    async def run() -> None:
        world = World(most=100, most_bytes=5000)
        for number in range(1000):
            await world.get(f"{number:0100}", 10)
            assert len(world.cache._kept) * 117 <= 5000
        assert world.cache._bytes == len(world.cache._kept) * 117

    asyncio.run(run())


class Gate:
    """Answers when it is opened."""

    def __init__(self) -> None:
        self.calls = 0
        self.open = asyncio.Event()
        self.error: Exception | None = None

    def asking(self, clock: ManualClock) -> Callable[[], Awaitable[tuple[float, bytes]]]:
        async def ask() -> tuple[float, bytes]:
            self.calls += 1
            await self.open.wait()
            if self.error is not None:
                raise self.error
            return clock.time() + 10, b"%d" % self.calls

        return ask


def test_one_call_for_all_who_wait() -> None:
    async def run() -> None:
        world, gate = World(), Gate()
        waiting = [asyncio.ensure_future(world.cache.get((STAGE, "k"), gate.asking(world.clock))) for _ in range(50)]
        await asyncio.sleep(0)
        # Who asked first may leave: the others get their answer all the same.
        waiting[0].cancel()
        await asyncio.sleep(0)
        gate.open.set()
        assert set(await asyncio.gather(*waiting[1:])) == {b"1"}
        assert gate.calls == 1

    asyncio.run(run())


def test_failures_reach_all_and_are_not_kept() -> None:
    async def run() -> None:
        world, gate = World(), Gate()
        gate.error = ValueError("no")
        waiting = [asyncio.ensure_future(world.cache.get((STAGE, "k"), gate.asking(world.clock))) for _ in range(5)]
        await asyncio.sleep(0)
        gate.open.set()
        assert all(isinstance(one, ValueError) for one in await asyncio.gather(*waiting, return_exceptions=True))
        gate.error = None
        assert await world.cache.get((STAGE, "k"), gate.asking(world.clock)) == b"2"

    asyncio.run(run())


def test_a_flush_forgets_one_stage_and_what_is_on_its_way() -> None:
    async def run() -> None:
        world, gate = World(), Gate()
        await world.get("a")
        await world.get("a", stage=("api", "dev"))
        late = asyncio.ensure_future(world.cache.get((STAGE, "k"), gate.asking(world.clock)))
        await asyncio.sleep(0)
        world.cache.flush(STAGE)
        gate.open.set()
        assert await late == b"1"
        # What was asked before the flush is nobody's answer after it.
        assert await world.cache.get((STAGE, "k"), gate.asking(world.clock)) == b"2"
        await world.get("a")
        await world.get("a", stage=("api", "dev"))
        assert world.asked == ["a", "a", "a"]

    asyncio.run(run())


@pytest.mark.parametrize("until", [-1, 0])
def test_what_holds_no_longer_is_not_kept(until: int) -> None:
    async def run() -> None:
        world = World()
        calls = 0

        async def ask() -> tuple[float, bytes]:
            nonlocal calls
            calls += 1
            return world.clock.time() + until, b""

        for _ in range(2):
            await world.cache.get((STAGE, "k"), ask)
        assert calls == 2

    asyncio.run(run())
