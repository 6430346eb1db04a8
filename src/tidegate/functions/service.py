"""The function service: finds a function, checks who invokes it, and runs it in the pool.

Not here: records and their management API (definition, control), what there is to be invoked (catalog), processes (pool,
worker).

AWS: "Invoke" (Lambda API reference), "Using resource-based policies for Lambda".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final

from tidegate.core.arns import Arn
from tidegate.core.clock import Clock
from tidegate.core.deadlines import Deadlines
from tidegate.core.ids import Ids
from tidegate.functions.catalog import Catalog
from tidegate.functions.counters import Counters, FunctionStats
from tidegate.functions.debugging import Debuggers
from tidegate.functions.group import FunctionGroup
from tidegate.functions.hot_reload import HotReload
from tidegate.functions.invocation import Invocation, Outcome, failure
from tidegate.functions.isolation import Isolation
from tidegate.functions.layers import Layers
from tidegate.functions.logs import LogLine, Logs, LogSettings
from tidegate.functions.options import FunctionSettings, pool_settings
from tidegate.functions.packages import PackageStore
from tidegate.functions.pool import Pool
from tidegate.functions.runtimes import Runtimes
from tidegate.functions.scratch import Scratch
from tidegate.functions.slots import Phase
from tidegate.functions.spec import (
    AliasEntry,
    CatalogEntry,
    EventPolicy,
    FunctionSpec,
    InvokeError,
    Invoker,
    InvokeResult,
    Provisioned,
)
from tidegate.functions.starter import Starter
from tidegate.functions.streaming import ResponseStream
from tidegate.functions.targets import Function

MAX_REQUEST: Final = 6_291_456
"""Bytes. AWS: 6 MB for a synchronous invocation."""
_FOR_EVER = 86_400.0
_TICK = 0.05
"""Seconds: how late a caller's timeout may be noticed."""


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
        self._deadlines = Deadlines(loop, _TICK)
        self._logs = Logs(LogSettings(directory=settings.log_directory), clock, loop)
        self._scratch = Scratch(settings.scratch)
        self._debuggers = Debuggers(settings.debug)
        self.provisionable = max(0, min(settings.workers_per_function, settings.workers - 1))
        """See `spec.Provisioning`."""
        options = pool_settings(settings, self._scratch.own)
        self._starter = Starter(
            options,
            code=packages.path,
            opt=Layers(packages).opt,
            runtimes=Runtimes(settings.runtimes or settings.scratch.parent / "runtimes"),
            isolation=Isolation(settings.hidden, trust=settings.trust, wanted=settings.isolated),
            debuggers=self._debuggers,
            clock=clock,
            ids=ids,
            loop=loop,
        )
        self._pool = Pool(options, self._starter, clock=clock, loop=loop)
        self._catalog = Catalog(self._pool, ids, self._group)
        self._hot_reload = HotReload(self._catalog, loop)
        for entry in catalog.values():
            self.replace(entry)

    async def start(self) -> None:
        """Nothing runs until a function is invoked."""
        await self._loop.run_in_executor(None, self._scratch.open)
        self._logs.start()

    def warm(self) -> None:
        """Start what is to be kept warm, from now on: what workers need to know of us is settled."""
        self._pool.warm()

    async def aclose(self) -> None:
        """Ends all workers. Invocations that run or wait are answered ServiceException."""
        await self._pool.aclose()
        await self._debuggers.aclose()
        self._logs.close()
        await self._loop.run_in_executor(None, self._scratch.close)

    def replace(self, entry: CatalogEntry | AliasEntry) -> None:
        """Add a function, or put another version of it in place. Workers stay when only the permissions differ."""
        self._catalog.replace(entry)

    def remove(self, arn: str) -> None:
        """The function is not found from now on; what it runs is finished. Removing what is not there is nothing."""
        if (spec := self._catalog.remove(arn)) is not None:
            self._debuggers.close(spec)

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
        timeout: float | None = None,
    ) -> InvokeResult:
        """See `spec.Functions`. `payload` is JSON as the caller has checked; empty counts as `{}`."""
        function = self._admitted(arn, payload, invoker)
        if function.entry.spec.folder is not None:
            function = await self._hot_reload.fresh(function, function.entry.spec.folder)
        function.quota.take()
        invocation = Invocation(
            request_id=request_id or self._ids.request_id(),
            payload=payload or b"{}",
            function_arn=arn,
            trace_header=trace_header or self._ids.trace(int(self._clock.time())),
            client_context=client_context,
            tail=tail,
            future=self._loop.create_future(),
            released=function.quota.give_back,
        )
        self._submit(function, invocation)
        if timeout is not None:
            invocation.deadline = self._loop.time() + self.patience(arn, timeout)
            self._deadlines.watch(invocation)
        try:
            outcome = await invocation.future
        except (asyncio.CancelledError, TimeoutError):
            self._withdraw(function, invocation)
            raise
        finally:
            self._deadlines.forget(invocation)
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
            function = await self._hot_reload.fresh(function, function.entry.spec.folder)
        function.quota.take()
        stream = ResponseStream(request_id or self._ids.request_id(), function.entry.spec.version)
        invocation = Invocation(
            request_id=stream.request_id,
            payload=payload or b"{}",
            function_arn=arn,
            trace_header=trace_header or self._ids.trace(int(self._clock.time())),
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

    def patience(self, arn: str, seconds: float) -> float:
        """See `spec.Functions`."""
        if not self._debuggers:
            return seconds
        try:
            port = self._debuggers.port(self._catalog.find(arn)[0].entry.spec)
        except InvokeError:  # as the invocation itself will tell
            return seconds
        return _FOR_EVER if port is not None and port.attached else seconds

    def admit(self, arn: str, invoker: Invoker | None) -> None:
        """Raises InvokeError unless there is such a function, and the invoker may invoke it."""
        self._admitted(arn, b"", invoker)

    def event_policy(self, arn: str) -> tuple[EventPolicy, int | None] | None:
        """What becomes of a function's events, and its reserved concurrency; None: there is no such function."""
        try:
            function, _ = self._catalog.find(arn)
        except InvokeError:
            return None
        own = function.entry.events
        alias = self._catalog.alias(arn)
        policy = own if alias is None else replace(alias.events, dead_letter=own.dead_letter)
        return policy, function.quota.limit

    async def limits_storage(self) -> bool:
        """See `spec.Machine`."""
        return await self._starter.isolates()

    async def why_not(self, runtime: str) -> str | None:
        """See `spec.Machine`."""
        return await self._starter.why_not(runtime)

    def provisioned(self, arn: str) -> Provisioned:
        """See `spec.Provisioning`."""
        try:
            group = self._catalog.find(arn)[0].group
        except InvokeError:  # removed meanwhile
            return Provisioned(0, failed=False)
        up = sum(slot.kept and slot.phase is not Phase.STARTING for slot in group.slots)
        return Provisioned(up, group.failed)

    def tail(self, arn: str, count: int) -> list[LogLine]:
        """The last lines of a function's log, oldest first. `arn`: without a qualifier, here and below."""
        return self._logs.tail(_log_key(arn), count)

    def forget_log(self, arn: str) -> None:
        """What is kept of a function's log in memory."""
        self._logs.forget(_log_key(arn))

    def forget_logs(self) -> None:
        """The same of every function."""
        self._logs.clear()

    def follow(self, arn: str) -> AsyncIterator[LogLine]:
        """Every line from now on, without end."""
        return self._logs.follow(_log_key(arn))

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
        group = FunctionGroup(spec, self._logs.of(_log_key(spec.arn)))
        if self._debuggers.wants(spec):
            group.most = 1
        return group

    def _admitted(self, arn: str, payload: bytes, invoker: Invoker | None) -> Function:
        """What is to run. Raises InvokeError when it may not be invoked so."""
        function, policy = self._catalog.find(arn)
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

    def _withdraw(self, function: Function, invocation: Invocation) -> None:
        """The caller has gone. While it waited, another version may have taken the queue over."""
        current = self._catalog.current(function) or function
        for group in (function.group, current.group):
            if self._pool.cancel(group, invocation):
                invocation.release()


def _log_key(arn: str) -> str:
    found = Arn.parse(arn)
    return f"{found.account}/{found.region}/{found.resource.removeprefix('function:')}"


def _settle(stream: ResponseStream, ended: asyncio.Future[Outcome]) -> None:
    error = ended.exception()
    if error is None:
        stream.settle(ended.result())
    else:
        code = error.code if isinstance(error, InvokeError) else "ServiceException"
        stream.settle(Outcome(failure(code, str(error)), failed=True))


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
