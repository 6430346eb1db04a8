"""What fits one part of the program to another: small classes that only the composition root needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any, TypeVar

from tidegate.control.neighbours import Neighbours
from tidegate.core.message import Origin
from tidegate.definition.store import SqlStore, StoreError
from tidegate.functions.events import EventStoreError
from tidegate.functions.logs import LogLine
from tidegate.functions.service import FunctionService
from tidegate.gateway.simulation import Simulator
from tidegate.gateway.stories import Stories

T = TypeVar("T")


class StoredEvents:
    """The queue's events in the store, whose calls all come from its one thread."""

    def __init__(self, store: SqlStore, thread: Executor) -> None:
        self._store = store
        self._thread = thread

    async def load(self) -> Mapping[str, bytes]:
        return await self._run(self._store.load_events)

    async def write(self, puts: Mapping[str, bytes], removes: Sequence[str]) -> None:
        await self._run(self._store.write_events, puts, removes)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except StoreError as error:
            raise EventStoreError(str(error)) from error


class ServicesOfAws:
    """Where integrations reach AWS's services: our own here, all others at the neighbours."""

    def __init__(self, neighbours: Neighbours) -> None:
        self.own: Mapping[str, Origin] = {}
        """By signing name; known once the server listens."""
        self._neighbours = neighbours

    async def origin(self, service: str, region: str) -> Origin:
        return self.own.get(service) or await self._neighbours.origin(service)


class Requests:
    """What operators ask about."""

    def __init__(self, stories: Stories, simulator: Simulator) -> None:
        self.find = stories.find
        self.simulate = simulator


class FrontDoor:
    """Where integrations reach AWS's services when permissions are real: all of them here."""

    def __init__(self, own: Callable[[], Origin]) -> None:
        self._own = own

    async def origin(self, service: str, region: str) -> Origin:
        return self._own()


class TextLogs:
    """Function logs as lines of text."""

    def __init__(self, functions: FunctionService) -> None:
        self._functions = functions

    def tail(self, arn: str, lines: int) -> list[str]:
        return [_text(line) for line in self._functions.tail(arn, lines)]

    async def follow(self, arn: str) -> AsyncIterator[str]:
        async for line in self._functions.follow(arn):
            yield _text(line)


def _text(line: LogLine) -> str:
    return line.render().decode("utf-8", "replace").rstrip("\n")


def reachable(host: str) -> str:
    """An address that a function on this machine can connect to."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
