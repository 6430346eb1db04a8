"""What a worker's start needs: its plan, then the interpreter, the layers and the way into its own world.

Not here: when a worker is started, and what becomes of a start that fails (pool); the process (worker).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from tidegate.core.clock import Clock
from tidegate.core.ids import Ids
from tidegate.functions.debugging import Debuggers
from tidegate.functions.environment import log_stream_name
from tidegate.functions.folders import stamp
from tidegate.functions.group import FunctionGroup
from tidegate.functions.isolation import Isolation
from tidegate.functions.options import PoolSettings
from tidegate.functions.runtimes import Runtime, Runtimes, UnsupportedRuntime
from tidegate.functions.spec import FunctionSpec
from tidegate.functions.worker import Worker, WorkerPlan

log = logging.getLogger("tidegate.functions")

_NO_LAYERS = Path("/opt")


class Starter:
    def __init__(
        self,
        settings: PoolSettings,
        *,
        code: Callable[[str], Path],
        opt: Callable[[tuple[str, ...]], Path],
        runtimes: Runtimes,
        isolation: Isolation,
        debuggers: Debuggers,
        clock: Clock,
        ids: Ids,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`code`: CodeSha256 → the unpacked package. `opt`: those of layers → the directory for /opt; may block."""
        self._settings = settings
        self._code = code
        self._opt = opt
        self._runtimes = runtimes
        self._isolation = isolation
        self._debuggers = debuggers
        self._clock = clock
        self._ids = ids
        self._loop = loop
        self._announced: set[tuple[str, str]] = set()
        """Functions and what was said of them."""

    def plan(self, spec: FunctionSpec, *, kept: bool) -> WorkerPlan:
        """`kept`: it is kept warm."""
        unique = self._ids.token_hex(32)
        return WorkerPlan(
            spec=spec,
            task_root=self._code(spec.code_sha256) if spec.folder is None else Path(spec.folder),
            scratch=self._settings.scratch / unique,
            log_stream=log_stream_name(self._clock.now().strftime("%Y/%m/%d"), spec.version, unique),
            base_environment={**self._settings.base_environment, **self._settings.own_environment(spec)},
            initialization="provisioned-concurrency" if kept and not self._debuggers.wants(spec) else "on-demand",
            debug=self._debuggers.port(spec),
        )

    async def start(self, worker: Worker, wanted: Callable[[], bool]) -> None:
        """`wanted`: asked right before the process is started. Raises UnsupportedRuntime, InvalidEntrypoint, OSError."""
        spec, group = worker.plan.spec, worker.slot.group
        assert isinstance(group, FunctionGroup)
        if spec.folder is not None and group.stamp is None:  # no invocation has looked at the folder yet
            seen = await self._loop.run_in_executor(None, stamp, Path(spec.folder))
            group.stamp = group.stamp or seen
        runtime = await self._runtimes.find(spec.runtime)
        opt = await self._loop.run_in_executor(None, self._opt, spec.layers) if spec.layers else _NO_LAYERS
        self._announce(spec, runtime, opt)
        isolated = await self.isolates()
        if wanted():
            await worker.start(runtime, opt, self._isolation if isolated else None)

    async def why_not(self, runtime: str) -> str | None:
        """What keeps the machine from running it; None: nothing does."""
        try:
            await self._runtimes.find(runtime)
        except (UnsupportedRuntime, OSError) as error:
            return str(error)
        return None

    async def isolates(self) -> bool:
        """Whether workers get namespaces of their own."""
        return await self._loop.run_in_executor(None, self._isolation.available)

    def _announce(self, spec: FunctionSpec, runtime: Runtime, opt: Path) -> None:
        """What is not as on AWS: once per function, whatever else of it changes."""
        if runtime.substitute is not None:
            self.say(spec, f"{spec.runtime} is not here, running on {runtime.substitute}")
        if spec.layers and (opt / "extensions").is_dir():
            self.say(spec, "extensions in layers are not run")

    def say(self, spec: FunctionSpec, text: str, level: int = logging.WARNING) -> None:
        """In the gateway's log, once for each function."""
        if (spec.arn, text) not in self._announced:
            self._announced.add((spec.arn, text))
            log.log(level, "function %s: %s", spec.name, text)
