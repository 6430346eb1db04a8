"""Debuggers of functions that are to be debugged: one port each, which stays the same however often the worker changes.

A connection to the port is passed on to the debugger inside the worker: debugpy's adapter (Python), the inspector (Node.js),
JDWP (Java). While a debugger is attached, the function's timeouts do not run. Not here: starting a worker with a debugger
inside (runtimes, python/launch.py), timeouts (pool).

Sources: debugpy's Debug Adapter Protocol; Node.js, "Debugging guide".
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
from collections.abc import Iterator, Mapping
from typing import Final

from tidegate.core.tasks import TaskSet
from tidegate.functions.spec import LATEST, FunctionSpec

log = logging.getLogger("tidegate.functions")

HOST: Final = "127.0.0.1"
"""A debugger can run anything: it is for this machine only."""
_USUAL_PORTS = {"python": 5678, "nodejs": 9229, "java": 5005}
"""Those that editors try first."""
_WHAT = {"python": "debugpy", "nodejs": "inspector", "java": "JDWP"}
_PATIENCE = 20.0
_RETRY = 0.05
"""Seconds that a debugger waits for a worker which is just starting, and between two tries."""
_CHUNK = 64 * 1024
_UPGRADE = re.compile(rb"\r\nupgrade: *websocket", re.IGNORECASE)


class DebugPort:
    """What a debugger connects to."""

    def __init__(self) -> None:
        self._target = 0
        self._sessions = 0
        self._server: asyncio.Server | None = None
        self._tasks = TaskSet()

    @property
    def attached(self) -> bool:
        return self._sessions > 0

    def next_target(self) -> int:
        """A free port for the debugger inside the next worker; connections go there from now on."""
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self._target = probe.getsockname()[1]
        return self._target

    def lose_target(self, target: int) -> None:
        """The worker behind that port is ending; its debugger may listen a moment longer than it can be of use."""
        if target == self._target:
            self._target = 0

    async def open(self, wanted: int, usual: int) -> int:
        """Listen, and give back where. `wanted`: 0: the usual one, or any if that is taken. Raises OSError."""
        for port in (wanted,) if wanted else (usual, 0):
            try:
                self._server = await asyncio.start_server(self._accept, HOST, port)
                break
            except OSError:
                if wanted or port == 0:
                    raise
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def aclose(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._tasks.cancel()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.start(self._serve(reader, writer), name="a debugger's connection")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            first = await reader.read(_CHUNK)
            inner_reader, inner_writer = await self._connect()
            with contextlib.closing(inner_writer), self._session(first):
                inner_writer.write(first)
                ways = [_pass_on(reader, inner_writer), _pass_on(inner_reader, writer)]
                tasks = [asyncio.ensure_future(way) for way in ways]
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()

    @contextlib.contextmanager
    def _session(self, first: bytes) -> Iterator[None]:
        """An inspector's list of targets is asked for by HTTP: that is nobody debugging yet."""
        session = not first.startswith(b"GET ") or _UPGRADE.search(first) is not None
        self._sessions += session
        try:
            yield
        finally:
            self._sessions -= session

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises OSError when there is no worker for too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE
        while True:
            if self._target:
                with contextlib.suppress(OSError):
                    return await asyncio.open_connection(HOST, self._target)
            if loop.time() > until:
                raise ConnectionRefusedError
            await asyncio.sleep(_RETRY)


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(_CHUNK):
            target.write(data)
            await target.drain()


class Debuggers:
    """Which functions are debugged, and their ports: one for each version that is run."""

    def __init__(self, names: Mapping[str, int]) -> None:
        """`names`: of functions, or their logical ids in a template → the port that is wanted, 0: any."""
        self._names = names
        self._ports: dict[tuple[str, str], DebugPort] = {}
        self._tasks = TaskSet()

    def __bool__(self) -> bool:
        return bool(self._names)

    def wants(self, spec: FunctionSpec) -> bool:
        return self._wanted(spec) is not None

    def port(self, spec: FunctionSpec) -> DebugPort | None:
        """Opened when it is first asked for; None: the function is not debugged."""
        wanted = self._wanted(spec)
        if wanted is None:
            return None
        key = (spec.arn, spec.version)
        if key not in self._ports:
            self._ports[key] = DebugPort()
            self._tasks.start(self._open(self._ports[key], spec, wanted), name=f"the debug port of {spec.name}")
        return self._ports[key]

    def close(self, spec: FunctionSpec) -> None:
        port = self._ports.pop((spec.arn, spec.version), None)
        if port is not None:
            self._tasks.start(port.aclose())

    async def aclose(self) -> None:
        await self._tasks.cancel()
        for port in self._ports.values():
            await port.aclose()

    def _wanted(self, spec: FunctionSpec) -> int | None:
        if spec.name in self._names:
            return self._names[spec.name]
        # A template's function without a name of its own is called <stack>-<logical id>-<random>.
        return next((port for name, port in self._names.items() if f"-{name}-" in spec.name), None)

    async def _open(self, port: DebugPort, spec: FunctionSpec, wanted: int) -> None:
        family = next((family for family in _WHAT if spec.runtime.startswith(family)), None)
        if family is None:
            log.error("function %s: there is no debugger for the runtime %s", spec.name, spec.runtime)
            return
        qualified = spec.name if spec.version == LATEST else f"{spec.name}:{spec.version}"
        try:
            number = await port.open(wanted, _USUAL_PORTS[family])
        except OSError as error:
            log.error("function %s: no debugger can listen on port %d: %s", qualified, wanted, error)
        else:
            log.info("function %s: debugger (%s) listens on %s:%d", qualified, _WHAT[family], HOST, number)
