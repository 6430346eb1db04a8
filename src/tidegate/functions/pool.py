"""The worker pool: carries out what the scheduler decides, keeps the deadlines, and gives every invocation its end.

Not here: the decisions (scheduler), what a start needs (starter), one worker's life (worker), who may invoke (service).

AWS: "Lambda execution environment"; after a crash or a timeout the environment is thrown away, the next call gets another.
"""

from __future__ import annotations

import asyncio
import logging

from tidegate.core.clock import Clock
from tidegate.core.deadlines import Deadlines
from tidegate.core.tasks import TaskSet
from tidegate.functions.counters import Counters
from tidegate.functions.group import FunctionGroup
from tidegate.functions.invocation import Invocation, Outcome, entrypoint_failure, exit_failure, timeout_failure
from tidegate.functions.memory import MemoryWatch
from tidegate.functions.options import PoolSettings
from tidegate.functions.process import exit_reason
from tidegate.functions.processors import Processors
from tidegate.functions.runtimes import InvalidEntrypoint, UnsupportedRuntime
from tidegate.functions.scheduler import Scheduler
from tidegate.functions.slots import Phase, QueueFull, Slot
from tidegate.functions.spec import InvokeError
from tidegate.functions.starter import Starter
from tidegate.functions.worker import Worker

log = logging.getLogger("tidegate.functions")

_TICK = 0.05
"""Seconds: how late a deadline may be noticed."""
_SETTLING_SECONDS = 10.0
"""A runtime client asks for more within microseconds of its answer; one that does not is stuck."""
_GOODBYE_SECONDS = 5.0
_FAILED_START_SECONDS = 10.0
"""Until a worker that is to be kept warm, and could not begin to work, is tried again."""
_CRASH_SECONDS = 1.0
"""The same after one that had begun."""
_OLDEST = 39_600.0
"""Seconds, after which a worker takes no further work. AWS: environments are replaced every few hours; and the credentials that
it was started with are good for twelve."""


class Pool:
    def __init__(
        self, settings: PoolSettings, starter: Starter, *, clock: Clock, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.counters = Counters()
        self._settings = settings
        self._starter = starter
        self._clock = clock
        self._loop = loop
        self._scheduler: Scheduler[Invocation] = Scheduler(settings.limits)
        self._scheduler.provisioning = False
        self._processors = Processors()
        self._deadlines = Deadlines(loop, _TICK)
        self._workers: dict[Slot[Invocation], Worker] = {}
        self._leaving: set[Worker] = set()
        """Killed, but not yet seen to have ended."""
        self._tasks = TaskSet()
        self._timer: asyncio.TimerHandle | None = None
        self._memory = MemoryWatch(loop, self._workers)
        self._closed = False
        self._empty = asyncio.Event()

    @property
    def workers(self) -> int:
        return self._scheduler.total

    @property
    def busy(self) -> int:
        return sum(slot.phase is Phase.BUSY for slot in self._workers)

    def submit(self, group: FunctionGroup, invocation: Invocation) -> None:
        """Run it at once or as soon as may be; its future tells the end. Raises InvokeError when too many wait."""
        if self._closed:
            raise _shut_down()
        try:
            slot = self._scheduler.acquire(group, invocation, self._loop.time())
        except QueueFull:
            self.counters.throttles += 1
            raise InvokeError("TooManyRequestsException", "Rate Exceeded.", 429) from None
        if slot is not None:
            self._run(self._workers[slot], invocation)
        elif not group.slots:
            self._pump()
        else:
            self._keep_watch()

    def warm(self) -> None:
        """From now on workers are started ahead of invocations, for groups that are to keep some."""
        self._scheduler.provisioning = True
        self._pump()

    def provision(self, group: FunctionGroup, keep: int) -> None:
        """Keep so many workers of it warm."""
        if keep == group.keep:
            return
        group.failed = False
        for slot in self._scheduler.provision(group, keep):
            self._stop(slot)
        self._pump()

    def cancel(self, group: FunctionGroup, invocation: Invocation) -> bool:
        """Its caller has gone; when it is running already (False), it runs on."""
        return self._scheduler.cancel(group, invocation)

    def retire(self, group: FunctionGroup, successor: FunctionGroup | None) -> None:
        """New invocations go to the successor, and those that wait; workers end when they have answered."""
        stop, orphans = self._scheduler.retire(group, successor, self._loop.time())
        for slot in stop:
            self._stop(slot)
        for invocation in orphans:
            arn = invocation.function_arn
            invocation.refuse(InvokeError("ResourceNotFoundException", f"Function not found: {arn}", 404))
        self._pump()

    async def aclose(self) -> None:
        """End every process, and wait until all have ended."""
        self._closed = True
        self._memory.close()
        if self._timer is not None:
            self._timer.cancel()
        for waiter in self._scheduler.cancel_all():
            waiter.refuse(_shut_down())
        await self._tasks.cancel()
        for slot in list(self._workers):
            if (invocation := self._scheduler.gone(slot)) is not None:
                invocation.refuse(_shut_down())
            self._stop(slot)
        if self._leaving:
            self._empty.clear()
            try:
                await asyncio.wait_for(self._empty.wait(), _GOODBYE_SECONDS)
            except TimeoutError:
                log.error("%d function processes were killed, but have not ended", len(self._leaving))

    # What workers tell.

    def ready(self, worker: Worker) -> None:
        slot = worker.slot
        if slot.gone:
            return
        if slot.phase is Phase.STARTING:
            self.counters.cold_starts += 1
        elif worker.age > _OLDEST:
            self._scheduler.gone(slot)
            self._stop(slot)
            self._pump()
            return
        if slot.kept:
            group_of(slot).failed = False
        invocation = self._scheduler.ready(slot, self._loop.time())
        if invocation is not None:
            self._run(worker, invocation)
        elif slot.gone:
            self._stop(slot)
        elif slot.kept:
            self._expect(worker, max(0.0, _OLDEST - worker.age))
        else:
            self._expect(worker, self._settings.idle_seconds)
        if self._scheduler.short or (invocation is None and self._scheduler.hungry):
            self._pump()

    def answered(self, worker: Worker, outcome: Outcome) -> None:
        invocation = self._scheduler.answered(worker.slot)
        self._expect(worker, _SETTLING_SECONDS)
        if invocation is not None:
            self._end(invocation, outcome)

    def init_failed(self, worker: Worker, payload: bytes) -> None:
        if worker.slot.phase is not Phase.STARTING:
            return
        worker.init_ended("error")
        self._answer_start(worker.slot, Outcome(payload, failed=True))

    def unready(self, worker: Worker) -> None:
        if worker.slot.phase is Phase.IDLE:
            self._scheduler.unready(worker.slot)
            self._expect(worker, _SETTLING_SECONDS)

    def exited(self, worker: Worker, code: int) -> None:
        slot = worker.slot
        if slot.phase is Phase.STARTING:
            self.counters.crashes += 1
            worker.init_ended("error", "Runtime.ExitError")
            self._answer_start(slot, code)
        elif slot.phase is not Phase.GONE:
            self._hold_back(slot, _CRASH_SECONDS)
            tail = worker.crashed(code)
            invocation = self._scheduler.gone(slot)
            if invocation is not None:
                self.counters.crashes += 1
                payload = exit_failure(invocation.request_id, code, exit_reason(code))
                self._end(invocation, Outcome(payload, True, tail))
        self._forget(worker)
        self._pump()

    def expired(self, worker: Worker) -> None:
        slot = worker.slot
        if worker.plan.attached:
            self._expect(worker, worker.plan.spec.timeout)
        elif slot.phase is Phase.BUSY:
            self._invocation_expired(worker)
        elif slot.phase is Phase.STARTING:
            self._init_expired(worker)
        elif slot.phase is not Phase.GONE:
            self._scheduler.gone(slot)
            self._stop(slot)
        self._pump()

    def _invocation_expired(self, worker: Worker) -> None:
        self.counters.timeouts += 1
        tail = worker.timed_out()
        invocation = self._scheduler.gone(worker.slot)
        self._stop(worker.slot)
        if invocation is not None:
            payload = timeout_failure(invocation.request_id, worker.plan.spec.timeout)
            self._end(invocation, Outcome(payload, True, tail))

    def _init_expired(self, worker: Worker) -> None:
        """AWS: an init that takes longer than 10 s is tried again inside the invocation, bound by the function's timeout."""
        slot = worker.slot
        worker.init_ended("timeout")
        self._hold_back(slot, _FAILED_START_SECONDS)
        if worker.second_try:
            self.counters.timeouts += 1
            invocation = self._scheduler.start_failed(slot)
            if invocation is not None:
                payload = timeout_failure(invocation.request_id, worker.plan.spec.timeout)
                self._end(invocation, Outcome(payload, failed=True))
        elif slot.group.waiting:
            self._launch(self._scheduler.start_again(slot), second_try=True)
        else:
            self._scheduler.gone(slot)
        self._stop(slot)

    def _answer_start(self, slot: Slot[Invocation], why: Outcome | int | InvalidEntrypoint) -> None:
        """A start has failed; `why`: the runtime's own error, the return code of the process, or nothing to be started."""
        self._hold_back(slot, _FAILED_START_SECONDS)
        invocation = self._scheduler.start_failed(slot)
        if slot in self._workers:
            self._stop(slot)
        if invocation is None:
            return
        if isinstance(why, int):
            why = Outcome(exit_failure(invocation.request_id, why, exit_reason(why)), failed=True)
        elif isinstance(why, InvalidEntrypoint):
            why = Outcome(entrypoint_failure(invocation.request_id, str(why)), failed=True)
        self._end(invocation, why)

    def _hold_back(self, slot: Slot[Invocation], seconds: float) -> None:
        """One that is kept warm has failed: the next one waits, unless an invocation needs it."""
        if slot.kept:
            slot.group.resume_at = self._loop.time() + seconds
            group_of(slot).failed = slot.phase is Phase.STARTING
            self._loop.call_later(seconds, self._pump)

    # What is done.

    def _run(self, worker: Worker, invocation: Invocation) -> None:
        self._expect(worker, worker.plan.spec.timeout)
        worker.run(invocation)
        self._memory.watch()

    def _end(self, invocation: Invocation, outcome: Outcome) -> None:
        self.counters.invocations += 1
        if outcome.failed:
            self.counters.errors += 1
        invocation.end(outcome)

    def _expect(self, worker: Worker, seconds: float) -> None:
        if worker.slot.phase is Phase.GONE:
            return
        worker.deadline = self._loop.time() + seconds
        self._deadlines.watch(worker)

    def _pump(self) -> None:
        """Let the scheduler start what it wants to start now."""
        if self._closed:
            return
        now = self._loop.time()
        orders = self._scheduler.starts(now, saturated=self._scheduler.hungry and self._processors.saturated(now))
        for slot in orders.stop:
            self._stop(slot)
        for slot in orders.start:
            self._launch(slot)
        self._keep_watch()

    def _keep_watch(self) -> None:
        if self._timer is None and self._scheduler.hungry:
            self._timer = self._loop.call_later(self._settings.limits.patience, self._look)

    def _look(self) -> None:
        self._timer = None
        self._pump()

    def _launch(self, slot: Slot[Invocation], *, second_try: bool = False) -> None:
        group = group_of(slot)
        worker = Worker(
            self._starter.plan(group.spec, kept=slot.kept),
            slot,
            owner=self,
            log=group.log,
            loop=self._loop,
            clock=self._clock,
        )
        worker.second_try = second_try
        self._workers[slot] = worker
        self._tasks.start(self._start(worker), name=f"start a worker of {group.spec.name}")

    async def _start(self, worker: Worker) -> None:
        slot, spec = worker.slot, worker.plan.spec
        try:
            await self._starter.start(worker, lambda: slot.phase is Phase.STARTING)
        except UnsupportedRuntime as error:
            self._starter.say(spec, str(error), logging.ERROR)
            self._refuse_start(worker, InvokeError("InvalidRuntimeException", str(error), 502))
        except InvalidEntrypoint as error:
            self._discard(worker)
            if slot.phase is Phase.STARTING:
                self._answer_start(slot, error)
            self._pump()
        except OSError as error:
            log.error("cannot start a worker of %s: %s", spec.name, error)
            self._refuse_start(worker, InvokeError("ServiceException", "The function could not be started.", 500))
        else:
            if slot.phase is Phase.STARTING:
                self._expect(worker, spec.timeout if worker.second_try else self._settings.init_seconds)
            else:  # it was retired while it started
                self._discard(worker)

    def _refuse_start(self, worker: Worker, error: InvokeError) -> None:
        self._discard(worker)
        if worker.slot.phase is Phase.STARTING:
            self._hold_back(worker.slot, _FAILED_START_SECONDS)
            invocation = self._scheduler.start_failed(worker.slot)
            if invocation is not None:
                invocation.refuse(error)
        self._pump()

    def _stop(self, slot: Slot[Invocation]) -> None:
        """End the worker of a slot that is gone. Where it is only about to start, `_start` sees to it."""
        worker = self._workers.pop(slot)
        self._deadlines.forget(worker)
        if worker.running:
            self._leaving.add(worker)
            worker.kill()

    def _discard(self, worker: Worker) -> None:
        """A worker that is not wanted any more, or could not be started."""
        self._workers.pop(worker.slot, None)
        if worker.running:
            self._leaving.add(worker)
            worker.kill()

    def _forget(self, worker: Worker) -> None:
        self._workers.pop(worker.slot, None)
        self._deadlines.forget(worker)
        self._leaving.discard(worker)
        if not self._leaving:
            self._empty.set()


def group_of(slot: Slot[Invocation]) -> FunctionGroup:
    assert isinstance(slot.group, FunctionGroup)
    return slot.group


def _shut_down() -> InvokeError:
    return InvokeError("ServiceException", "The service is shutting down.", 500)
