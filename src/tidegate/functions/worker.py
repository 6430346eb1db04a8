"""One worker: a child process under AWS's runtime client, its Runtime API, and the log of what it runs.

Not here: when a worker is started or ended, and what becomes of an invocation (pool).

AWS: "Lambda execution environment": init, invoke, and their ends.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tidegate.core.clock import Clock
from tidegate.functions.debugging import DebugPort
from tidegate.functions.environment import Place, worker_environment, wrapper
from tidegate.functions.invocation import Invocation, Outcome, exit_text, failure, too_large_failure
from tidegate.functions.isolation import Isolation
from tidegate.functions.logs import FunctionLog, LineSplitter, end_line, report_line, start_line
from tidegate.functions.process import ChildProcess, exit_reason
from tidegate.functions.runtime_api import Told
from tidegate.functions.runtime_server import RuntimeServer
from tidegate.functions.runtimes import Runtime
from tidegate.functions.scratch import clear
from tidegate.functions.slots import Slot
from tidegate.functions.spec import FunctionSpec
from tidegate.functions.streaming import Collector, Flow, Sink

_LAST_WORDS = 0.5
"""Seconds that bytes already sent by a dead process may take to be read."""
_MEMORY_SAMPLE = 0.25
"""Seconds between two looks at /proc: one per invocation would cost as much as the invocation."""


class WorkerOwner(Protocol):
    """The pool. Every call is made at most once per event; after `exited` no other comes."""

    def ready(self, worker: Worker, /) -> None: ...

    def answered(self, worker: Worker, outcome: Outcome, /) -> None: ...

    def init_failed(self, worker: Worker, payload: bytes, /) -> None: ...

    def unready(self, worker: Worker, /) -> None: ...

    def exited(self, worker: Worker, code: int, /) -> None: ...

    def expired(self, worker: Worker, /) -> None: ...


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What a worker is made of."""

    spec: FunctionSpec
    task_root: Path
    scratch: Path
    """Made by the worker, and removed when it has ended."""
    log_stream: str
    base_environment: Mapping[str, str]
    initialization: str = "on-demand"
    """Or `provisioned-concurrency`, for one that is kept warm."""
    debug: DebugPort | None = None
    """None: it is not debugged."""

    @property
    def attached(self) -> bool:
        """Whether a debugger holds it: then no time runs."""
        return self.debug is not None and self.debug.attached


class Worker:
    """Owns the process, the port and the descriptors; gives all back when the process has ended."""

    def __init__(
        self,
        plan: WorkerPlan,
        slot: Slot[Invocation],
        *,
        owner: WorkerOwner,
        log: FunctionLog,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
    ) -> None:
        self.plan = plan
        self.slot = slot
        self.deadline = 0.0
        """Loop time: of the init, of the invocation, of the idling; `expired` is told when it is past."""
        self.second_try = False
        """True: its init is bound by the function's timeout, since another worker's init took too long."""
        self.running = False
        """True from the start of the process to its end."""
        self._owner = owner
        self._loop = loop
        self._clock = clock
        self._lines = LineSplitter(log, plan.log_stream)
        self._server = RuntimeServer(self)
        self._process = ChildProcess(loop, on_output=self._lines.feed, on_exit=self._exited)
        self._born_ns = clock.ticks_ns()
        self._init_ms: float | None = None
        """Of the init, until the first REPORT has told it."""
        self._initialised = False
        self._invocation: Invocation | None = None
        self._sink: Sink | None = None
        """Where the chunks of a streamed response go, from its head to its end."""
        self._memory = 0
        self._memory_due = 0.0
        self._exit_code: int | None = None
        self._debug_port = 0

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return (self._clock.ticks_ns() - self._born_ns) / 1e9

    async def start(self, runtime: Runtime, opt: Path, isolation: Isolation | None = None) -> None:
        """`opt`: where its layers are. `isolation`: None: the process sees the machine as it is.

        Raises OSError, UnsupportedRuntime or InvalidEntrypoint; then nothing is left behind.
        """
        plan = self.plan
        channel: socket.socket | None = None
        try:
            await self._server.listen(self._loop)
            if runtime.has_channel:
                channel = await self._server.open_channel(self._loop)
            plan.scratch.mkdir(parents=True)
            place = self._place(runtime, opt, channel)
            if plan.debug is not None:
                self._debug_port = plan.debug.next_target()
            command = runtime.command(plan.spec, place.task_root, place.opt, self._debug_port)
            prefix: tuple[str, ...] = ()
            if isolation is not None:
                cell = isolation.cell(place, runtime, plan.spec)
                place, prefix, command = cell.place, cell.prefix, [cell.inside(word) for word in command]
            environment = worker_environment(plan.spec, plan.base_environment, place)
            self._process.start(
                [*prefix, *wrapper(environment, place), *command],
                cwd=plan.task_root,
                environment=environment,
                storage=plan.spec.storage,
                inherits=channel,
            )
            self.running = True
        except ValueError as error:  # a NUL byte in a variable or in the handler's name
            raise OSError(str(error)) from error
        finally:
            if channel is not None:
                channel.close()
            if not self.running:
                self._release()

    def _place(self, runtime: Runtime, opt: Path, channel: socket.socket | None) -> Place:
        plan, node = self.plan, runtime.declared.family == "nodejs"
        return Place(
            runtime_api=self._server.address,
            channel=-1 if channel is None else channel.fileno(),
            task_root=str(plan.task_root),
            scratch=str(plan.scratch),
            log_stream=plan.log_stream,
            opt=str(opt),
            runtime_dir=runtime.directory,
            binaries=runtime.binaries,
            node=runtime.interpreter.version[0] if node and runtime.interpreter is not None else 0,
            initialization=plan.initialization,
        )

    def run(self, invocation: Invocation) -> None:
        """Hand an invocation to the waiting runtime."""
        spec = self.plan.spec
        self._invocation = invocation
        invocation.started_ns = self._clock.ticks_ns()
        self._lines.begin(start_line(invocation.request_id, spec.version), tail=invocation.tail)
        # The child lives in real time, wherever our clock has been moved to.
        self._server.hand_over(invocation, int((time.time() + spec.timeout) * 1000))

    def timed_out(self) -> bytes:
        """The invocation has run out of time: end its log. Gives back the tail."""
        self._process.drain()
        invocation, spec = self._invocation, self.plan.spec
        self._invocation = None
        if invocation is None:
            return b""
        moment = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        text = f"{moment} {invocation.request_id} Task timed out after {spec.timeout:.2f} seconds"
        return self._close_log(invocation, after=text.encode())

    def crashed(self, code: int) -> bytes:
        """The process has ended in the middle of its invocation: end its log. Gives back the tail."""
        invocation = self._invocation
        self._invocation = None
        if invocation is None:
            return b""
        text = f"RequestId: {invocation.request_id} Error: {exit_text(code, exit_reason(code))}\nRuntime.ExitError"
        return self._close_log(invocation, before=text.encode())

    def init_ended(self, status: str, kind: str = "") -> None:
        """Say in the log that the init did not succeed. AWS: INIT_REPORT."""
        self._process.drain()
        error = f"\tError Type: {kind}" if kind else ""
        self._lines.end(
            f"INIT_REPORT Init Duration: {self._milliseconds(self._born_ns):.2f} ms\tPhase: init"
            f"\tStatus: {status}{error}".encode()
        )

    def kill(self) -> None:
        """End the process group; `exited` follows."""
        self._server.close()
        self._lose_debugger()
        self._process.kill()

    def expire(self) -> None:
        self._owner.expired(self)

    # What the Runtime API's server tells.

    def told(self, what: Told, body: bytes) -> None:
        if what is Told.READY:
            if not self._initialised:
                self._initialised = True
                self._init_ms = self._milliseconds(self._born_ns)
            self._owner.ready(self)
        elif what is Told.INIT_FAILED:
            self._owner.init_failed(self, body)
        elif self._invocation is not None:
            invocation, self._invocation = self._invocation, None
            self._process.drain()  # what the handler printed is in the pipe by now; it belongs to this invocation
            tail = self._close_log(invocation)
            failed = what is not Told.ANSWERED
            if what is Told.TOO_LARGE:
                body = too_large_failure()
            elif what is Told.STREAMED:
                body, failed = self._streamed(body)
            self._owner.answered(self, Outcome(body, failed, tail))

    def streams(self, content_type: str, flow: Flow) -> Sink:
        invocation = self._invocation
        self._sink = Collector() if invocation is None or invocation.sink is None else invocation.sink
        self._sink.begin(content_type, flow)
        return self._sink

    def _streamed(self, error: bytes) -> tuple[bytes, bool]:
        """The end of a streamed response: the outcome's payload, and whether it has failed. `error`: base64."""
        sink, self._sink = self._sink, None
        assert sink is not None
        if error:
            try:
                return base64.b64decode(error, validate=True), True
            except binascii.Error:
                return failure("Runtime.Unknown", "The error of the response stream could not be read."), True
        if sink.too_large:
            return too_large_failure(), True
        return sink.whole(), False

    def poll_lost(self) -> None:
        self._owner.unready(self)

    def connections_closed(self) -> None:
        if self._exit_code is not None:
            self._end()

    def _exited(self, code: int) -> None:
        """Its answer may still be in the socket: wait for the end of the connections, which the kernel closes after it."""
        self._exit_code = code
        if self._server.connected:
            self._loop.call_later(_LAST_WORDS, self._end)
        else:
            self._end()

    def _end(self) -> None:
        if not self.running or self._exit_code is None:
            return
        self.running = False
        self._lines.finish_line()
        self._release()
        self._owner.exited(self, self._exit_code)

    def _lose_debugger(self) -> None:
        if self.plan.debug is not None:
            self.plan.debug.lose_target(self._debug_port)

    def _release(self) -> None:
        self._server.close()
        self._lose_debugger()
        self._loop.run_in_executor(None, clear, self.plan.scratch)

    def _close_log(self, invocation: Invocation, *, before: bytes = b"", after: bytes = b"") -> bytes:
        spec = self.plan.spec
        report = report_line(
            invocation.request_id,
            milliseconds=min(self._milliseconds(invocation.started_ns), spec.timeout * 1000.0),
            memory_size=spec.memory,
            memory_used=self._memory_used(),
            init_milliseconds=self._init_ms,
        )
        self._init_ms = None
        end = end_line(invocation.request_id)
        if not (before or after):
            return self._lines.end(end, report)
        return self._lines.end(*filter(None, (before, end, report, after)))

    def over_memory(self) -> bool:
        """Whether the process holds more than the function's memory size now; a debugger's share is not the function's."""
        return self.plan.debug is None and self._process.resident_memory() > self.plan.spec.memory

    def _memory_used(self) -> int:
        now = self._loop.time()
        if now >= self._memory_due:
            self._memory_due = now + _MEMORY_SAMPLE
            self._memory = max(self._memory, self._process.peak_memory())
        return self._memory

    def _milliseconds(self, since_ns: int) -> float:
        return (self._clock.ticks_ns() - since_ns) / 1e6
