"""The function service: finds a function, checks who invokes it, and runs it in the pool.

Not here: records and their management API (definition, control), processes (pool, worker).

AWS: "Invoke" (Lambda API reference), "Using resource-based policies for Lambda".
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tidegate.core.clock import Clock
from tidegate.core.ids import Ids
from tidegate.functions.folders import stamp
from tidegate.functions.invocation import Invocation, Outcome, failure
from tidegate.functions.isolation import Isolation
from tidegate.functions.layers import Layers
from tidegate.functions.logs import LogLine, Logs, LogSettings
from tidegate.functions.packages import PackageStore
from tidegate.functions.pool import Counters, FunctionGroup, Pool, PoolSettings
from tidegate.functions.runtimes import Runtimes
from tidegate.functions.scheduler import Limits
from tidegate.functions.scratch import Scratch
from tidegate.functions.spec import (
    LATEST,
    AliasEntry,
    CatalogEntry,
    EventPolicy,
    FunctionSpec,
    InvokeError,
    Invoker,
    InvokeResult,
)
from tidegate.functions.streaming import ResponseStream
from tidegate.functions.targets import Alias, Function, Policy, Quota

MAX_REQUEST: Final = 6_291_456
"""Bytes. AWS: 6 MB for a synchronous invocation."""


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    scratch: Path
    """Directory for the workers' temporary files; several gateways may share it."""
    log_directory: Path | None = None
    """None: logs are kept in memory only."""
    runtimes: Path | None = None
    """Where the homes of interpreters are made (None: beside `scratch`); several gateways may share it."""
    hidden: tuple[Path, ...] = ()
    """Directories that no function may see, such as the gateway's data."""
    isolated: bool = True
    """Whether functions get namespaces of their own, where the system lets us make any."""
    base_environment: Mapping[str, str] = field(default_factory=dict)
    """What every function's environment holds beside AWS's own: AWS_ENDPOINT_URL, credentials."""
    workers_per_function: int = 64
    workers: int = 256
    """In all."""
    starting: int = field(default_factory=lambda: os.cpu_count() or 1)
    """How many workers may be starting at once."""
    queue: int = 1000
    """Invocations of one function that may wait; the next is answered 429."""
    patience: float = 0.02
    """Seconds that an invocation waits before a further worker is started for it."""
    eager: int = field(default_factory=lambda: 4 * (os.cpu_count() or 1))
    """Up to so many workers, a function whose queue does not get empty gets more, however briefly each waits."""
    init_seconds: float = 10.0
    idle_seconds: float = 600.0
    """How long a worker is kept without work."""


@dataclass(frozen=True, slots=True)
class FunctionStats:
    """Totals since the start; `workers` and `busy` are of now."""

    workers: int
    busy: int
    invocations: int
    errors: int
    throttles: int
    cold_starts: int
    crashes: int
    timeouts: int


class FunctionService:
    """Implements `spec.Functions`. Belongs to one event loop; every method but `packages` is to be called on it."""

    def __init__(
        self,
        catalog: Mapping[str, CatalogEntry | AliasEntry],
        packages: PackageStore,
        settings: FunctionSettings,
        *,
        clock: Clock,
        ids: Ids,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """`catalog`: function ARN, with a qualifier for versions and aliases → what it is."""
        self._clock = clock
        self._ids = ids
        self._loop = loop
        self._logs = Logs(LogSettings(directory=settings.log_directory), clock, loop)
        self._scratch = Scratch(settings.scratch)
        self._pool = Pool(
            _pool_settings(settings, self._scratch.own),
            code=packages.path,
            opt=Layers(packages).opt,
            runtimes=Runtimes(settings.runtimes or settings.scratch.parent / "runtimes"),
            isolation=Isolation(settings.hidden, wanted=settings.isolated),
            clock=clock,
            ids=ids,
            loop=loop,
        )
        self._functions: dict[str, Function] = {}
        """By ARN: of `$LATEST` without a qualifier, of versions with their number."""
        self._aliases: dict[str, Alias] = {}
        self._quotas: dict[str, Quota] = {}
        """By ARN without a qualifier."""
        self._looks = 0
        """How often a folder was looked at."""
        for entry in catalog.values():
            self.replace(entry)

    async def start(self) -> None:
        """Nothing runs until a function is invoked."""
        await self._loop.run_in_executor(None, self._scratch.open)
        self._logs.start()

    async def aclose(self) -> None:
        """Ends all workers. Invocations that run or wait are answered ServiceException."""
        await self._pool.aclose()
        self._logs.close()
        await self._loop.run_in_executor(None, self._scratch.close)

    def replace(self, entry: CatalogEntry | AliasEntry) -> None:
        """Add a function, or put another version of it in place. Workers stay when only the permissions differ."""
        if isinstance(entry, AliasEntry):
            self._aliases[entry.arn] = Alias(entry)
            return
        quota = self._quotas.setdefault(entry.spec.arn, Quota())
        if entry.spec.version == LATEST:
            quota.limit = entry.reserved_concurrency
        old = self._functions.get(entry.arn)
        if old is not None and old.entry.spec == entry.spec:
            self._functions[entry.arn] = Function(entry, old.group, quota)
            return
        group = self._group(entry.spec)
        self._functions[entry.arn] = Function(entry, group, quota)
        if old is not None:
            self._pool.retire(old.group, group)

    def remove(self, arn: str) -> None:
        """The function is not found from now on; what it runs is finished. Removing what is not there is nothing."""
        self._aliases.pop(arn, None)
        old = self._functions.pop(arn, None)
        if old is not None:
            self._pool.retire(old.group, None)
            if old.entry.spec.version == LATEST:
                self._quotas.pop(arn, None)

    async def invoke(
        self,
        arn: str,
        payload: bytes,
        *,
        invoker: Invoker | None = None,
        request_id: str | None = None,
        trace_header: str | None = None,
        client_context: bytes | None = None,
        tail: bool = False,
    ) -> InvokeResult:
        """See `spec.Functions`. `payload` is JSON as the caller has checked; empty counts as `{}`."""
        function = self._admitted(arn, payload, invoker)
        if function.entry.spec.folder is not None:
            function = await self._reloaded(function, function.entry.spec.folder)
        function.quota.take()
        invocation = Invocation(
            request_id=request_id or self._ids.request_id(),
            payload=payload or b"{}",
            function_arn=arn,
            trace_header=trace_header or self._trace_header(),
            client_context=client_context,
            tail=tail,
            future=self._loop.create_future(),
            released=function.quota.give_back,
        )
        self._submit(function, invocation)
        try:
            outcome = await invocation.future
        except asyncio.CancelledError:
            self._withdraw(function, invocation)
            raise
        return InvokeResult(
            payload=outcome.payload,
            function_error="Unhandled" if outcome.failed else None,
            executed_version=function.entry.spec.version,
            request_id=invocation.request_id,
            log_tail=outcome.log_tail,
        )

    async def invoke_stream(
        self,
        arn: str,
        payload: bytes,
        *,
        invoker: Invoker | None = None,
        request_id: str | None = None,
        trace_header: str | None = None,
        client_context: bytes | None = None,
        tail: bool = False,
    ) -> ResponseStream:
        """See `spec.Functions`."""
        function = self._admitted(arn, payload, invoker)
        if function.entry.spec.folder is not None:
            function = await self._reloaded(function, function.entry.spec.folder)
        function.quota.take()
        stream = ResponseStream(request_id or self._ids.request_id(), function.entry.spec.version)
        invocation = Invocation(
            request_id=stream.request_id,
            payload=payload or b"{}",
            function_arn=arn,
            trace_header=trace_header or self._trace_header(),
            client_context=client_context,
            tail=tail,
            future=self._loop.create_future(),
            released=function.quota.give_back,
            sink=stream,
        )
        invocation.future.add_done_callback(lambda ended: _settle(stream, ended))
        self._submit(function, invocation)
        try:
            await stream.opened()
        except asyncio.CancelledError:
            stream.close()
            self._withdraw(function, invocation)
            raise
        if not stream.begun and (error := invocation.future.exception()) is not None:
            raise error
        return stream

    def admit(self, arn: str, invoker: Invoker | None) -> None:
        """Raises InvokeError unless there is such a function, and the invoker may invoke it."""
        self._admitted(arn, b"", invoker)

    def event_policy(self, arn: str) -> tuple[EventPolicy, int | None] | None:
        """What becomes of a function's events, and its reserved concurrency; None: there is no such function."""
        try:
            function, _ = self._find(arn)
        except InvokeError:
            return None
        own = function.entry.events
        alias = self._aliases.get(arn)
        policy = own if alias is None else replace(alias.entry.events, dead_letter=own.dead_letter)
        return policy, function.quota.limit

    def tail(self, name: str, count: int) -> list[LogLine]:
        """The last lines of a function's log, oldest first."""
        return self._logs.tail(name, count)

    def forget_log(self, name: str) -> None:
        """What is kept of a function's log in memory."""
        self._logs.forget(name)

    def follow(self, name: str) -> AsyncIterator[LogLine]:
        """Every line from now on, without end."""
        return self._logs.follow(name)

    def stats(self) -> FunctionStats:
        counters: Counters = self._pool.counters
        return FunctionStats(
            workers=self._pool.workers,
            busy=self._pool.busy,
            invocations=counters.invocations,
            errors=counters.errors,
            throttles=counters.throttles,
            cold_starts=counters.cold_starts,
            crashes=counters.crashes,
            timeouts=counters.timeouts,
        )

    def _group(self, spec: FunctionSpec) -> FunctionGroup:
        return FunctionGroup(spec, self._logs.of(spec.name))

    def _admitted(self, arn: str, payload: bytes, invoker: Invoker | None) -> Function:
        """What is to run. Raises InvokeError when it may not be invoked so."""
        function, policy = self._find(arn)
        if invoker is not None and not policy.allows(invoker):
            raise _denied(arn, invoker)
        if len(payload) > MAX_REQUEST:
            raise _too_large()
        return function

    def _submit(self, function: Function, invocation: Invocation) -> None:
        try:
            self._pool.submit(function.group, invocation)
        except InvokeError:
            invocation.release()
            raise

    async def _reloaded(self, function: Function, folder: str) -> Function:
        """The function, with a new group if its folder has changed; workers of the old one end when they have answered.

        Looks may end in another order than they began: what a later one has seen stands.
        """
        self._looks += 1
        look = self._looks
        seen = await self._loop.run_in_executor(None, stamp, Path(folder))
        current = self._functions.get(function.entry.arn)
        if current is None:
            raise InvokeError("ResourceNotFoundException", f"Function not found: {function.entry.arn}", 404)
        group = current.group
        if look > group.look and current.entry.spec.folder == folder:
            if group.stamp not in (None, seen):
                current.group = self._group(current.entry.spec)
                self._pool.retire(group, current.group)
            current.group.stamp, current.group.look = seen, look
        return current

    def _find(self, arn: str) -> tuple[Function, Policy]:
        """What runs, and whose policy decides. Raises InvokeError."""
        function = self._functions.get(arn)
        if function is not None:
            return function, function.policy
        alias = self._aliases.get(arn)
        if alias is not None:
            function = self._functions.get(self._route(alias.entry))
            if function is not None:
                return function, alias.policy
        unqualified, _, qualifier = arn.rpartition(":")
        function = self._functions.get(unqualified)
        if function is None or qualifier != LATEST:
            raise InvokeError("ResourceNotFoundException", f"Function not found: {arn}", 404)
        return function, function.policy

    def _route(self, alias: AliasEntry) -> str:
        """One of the versions, by their weights."""
        drawn = self._ids.percent() if len(alias.routes) > 1 else 0.0
        for arn, share in alias.routes:
            if drawn < share:
                return arn
            drawn -= share
        return alias.routes[-1][0]

    def _withdraw(self, function: Function, invocation: Invocation) -> None:
        """The caller has gone. While it waited, another version may have taken the queue over."""
        current = self._functions.get(function.entry.arn, function)
        for group in (function.group, current.group):
            if self._pool.cancel(group, invocation):
                invocation.release()

    def _trace_header(self) -> str:
        root = f"1-{int(self._clock.time()):08x}-{self._ids.token_hex(24)}"
        return f"Root={root};Parent={self._ids.span_id()};Sampled=0"


def _settle(stream: ResponseStream, ended: asyncio.Future[Outcome]) -> None:
    error = ended.exception()
    if error is None:
        stream.settle(ended.result())
    else:
        code = error.code if isinstance(error, InvokeError) else "ServiceException"
        stream.settle(Outcome(failure(code, str(error)), failed=True))


def _pool_settings(settings: FunctionSettings, scratch: Path) -> PoolSettings:
    return PoolSettings(
        limits=Limits(
            per_group=settings.workers_per_function,
            total=settings.workers,
            starting=settings.starting,
            queue=settings.queue,
            patience=settings.patience,
            eager=settings.eager,
        ),
        init_seconds=settings.init_seconds,
        idle_seconds=settings.idle_seconds,
        base_environment=settings.base_environment,
        scratch=scratch,
    )


def _denied(arn: str, invoker: Invoker) -> InvokeError:
    return InvokeError(
        "AccessDeniedException",
        f"User: {invoker.principal} is not authorized to perform: lambda:InvokeFunction on resource: {arn} "
        "because no resource-based policy allows the lambda:InvokeFunction action",
        403,
    )


def _too_large() -> InvokeError:
    return InvokeError(
        "RequestTooLargeException",
        f"Request must be smaller than {MAX_REQUEST} bytes for the InvokeFunction operation",
        413,
    )
