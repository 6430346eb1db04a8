"""The queue of asynchronous invocations: an event is kept before it is acknowledged, and leaves when it has met its end.

    add ─▶ kept ─▶ run ─▶ success ─▶ destination ─▶ gone
                    │ function error: again after one minute, then after two (`EventPolicy.retries`)
                    │ throttled, or an error of the service: again after 1 s, 2 s … 5 min, until the event is too old
                    └ no attempts left, or too old ─▶ destination and dead-letter queue ─▶ gone

Times are the clock's, so that moving it moves the retries. An event may run twice when the process is killed at the wrong
moment, as it may on AWS. Not here: who may invoke (service), how results are sent (`Deliveries`).

AWS: "Asynchronous invocation", "How Lambda handles errors and retries".
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from itertools import count
from typing import Final, Protocol

import msgspec

from tidegate.core.clock import Clock
from tidegate.core.ids import Ids
from tidegate.core.tasks import TaskSet
from tidegate.functions.events import MAX_EVENT, Event, EventStore, EventStoreError, decode, encode
from tidegate.functions.spec import EventPolicy, Functions, InvokeError, Invoker, InvokeResult

log = logging.getLogger("tidegate.functions")

_RETRY_DELAY: Final = 60.0
"""Seconds; twice that before the second retry."""
_LONGEST_PAUSE: Final = 300.0
_LOOK: Final = 0.25
"""Seconds between two looks at the clock while something is put off: it may be moved at any time."""
_AT_ONCE: Final = 64
"""Events of one function that run at the same time; the others wait their turn here."""
_LONGEST_CHAIN: Final = 16
_CAPACITY: Final = 512 * 1024 * 1024
"""Bytes of payload that may wait in all."""


class Deliveries(Protocol):
    """Sends what has become of an event to where its function wants it."""

    async def tell(self, event: Event, policy: EventPolicy, condition: str, result: InvokeResult | None) -> None:
        """`condition`: Success, RetriesExhausted or EventAgeExceeded. Failures are logged, not raised."""
        ...


class EventFunctions(Functions, Protocol):
    """The function service, as the queue uses it."""

    def admit(self, arn: str, invoker: Invoker | None) -> None:
        """Raises InvokeError unless there is such a function, and the invoker may invoke it."""
        ...

    def event_policy(self, arn: str) -> tuple[EventPolicy, int | None] | None:
        """What becomes of a function's events, and its reserved concurrency; None: there is no such function."""
        ...


class EventQueue:
    """Implements `spec.Events`. Belongs to one event loop."""

    def __init__(
        self,
        store: EventStore,
        deliveries: Deliveries,
        functions: EventFunctions,
        *,
        clock: Clock,
        ids: Ids,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._store = store
        self._deliveries = deliveries
        self._functions = functions
        self._clock = clock
        self._ids = ids
        self._loop = loop
        self._tasks = TaskSet()
        self._later: list[tuple[float, int, Event]] = []
        self._order = count()
        self._ready: dict[str, deque[Event]] = {}
        self._running: dict[str, int] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._size = 0
        self._unwritten: dict[str, bytes | None] = {}
        """By id; None: to be removed."""
        self._waiters: list[asyncio.Future[None]] = []
        self._writer: asyncio.Task[None] | None = None

    async def load(self) -> None:
        """Take up what an earlier process has left; before anything is submitted. Raises EventStoreError."""
        for event_id, data in (await self._store.load()).items():
            try:
                event = decode(data)
            except msgspec.MsgspecError as error:
                log.error("the event %s cannot be read and is dropped: %s", event_id, error)
                self._save(event_id, None)
                continue
            self._size += len(event.payload)
            heapq.heappush(self._later, (event.due, next(self._order), event))

    def start(self) -> None:
        """Run what was taken up, now that functions can reach the gateway."""
        self._look()

    async def submit(
        self,
        arn: str,
        payload: bytes,
        *,
        invoker: Invoker | None = None,
        trace_header: str | None = None,
        client_context: bytes | None = None,
        origin: tuple[str, ...] = (),
    ) -> str:
        """See `spec.Events`. `origin`: the functions whose destinations led here."""
        self._functions.admit(arn, invoker)
        if len(payload) > MAX_EVENT:
            message = f"Request must be smaller than {MAX_EVENT} bytes for the InvokeFunction operation"
            raise InvokeError("RequestTooLargeException", message, 413)
        if len(origin) >= _LONGEST_CHAIN:
            # AWS: recursive loop detection stops a chain of functions after about sixteen.
            raise InvokeError("RecursiveInvocationException", f"stopped after {len(origin)} functions in a row", 400)
        now = self._clock.time()
        event = Event(
            id=self._ids.request_id(),
            arn=arn,
            payload=payload or b"{}",
            accepted=now,
            due=now,
            trace_header=trace_header,
            client_context=client_context,
            origin=origin,
        )
        await self._add(event)
        return event.id

    async def _add(self, event: Event) -> None:
        """Returns when the event is kept. Raises InvokeError."""
        if self._size + len(event.payload) > _CAPACITY:
            raise InvokeError("TooManyRequestsException", "Rate Exceeded.", 429, reason="CallerRateLimitExceeded")
        self._size += len(event.payload)
        kept = self._saved(event)
        # A caller that goes away now has been given nothing, but the event may be in the store already.
        kept.add_done_callback(lambda kept: self._kept(event, kept))
        try:
            await asyncio.shield(kept)
        except EventStoreError as error:
            raise InvokeError("ServiceException", "The event could not be kept.", 500) from error

    def _kept(self, event: Event, kept: asyncio.Future[None]) -> None:
        if kept.exception() is None:
            self._put_off(event)
        else:
            self._size -= len(event.payload)

    async def aclose(self) -> None:
        """What runs is broken off, and runs again with the next start."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await self._tasks.cancel()
        if self._writer is not None:
            await self._writer

    def forget(self) -> None:
        """Everything that waits, at a reset."""
        waiting = [event for _, _, event in self._later]
        for events in self._ready.values():
            waiting.extend(events)
            events.clear()
        self._later.clear()
        for event in waiting:
            self._leave(event)

    # Running.

    def _put_off(self, event: Event) -> None:
        heapq.heappush(self._later, (event.due, next(self._order), event))
        self._look()

    def _look(self) -> None:
        """Let run what is due."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.time()
        while self._later and self._later[0][0] <= now:
            event = heapq.heappop(self._later)[2]
            self._ready.setdefault(event.arn, deque()).append(event)
            self._advance(event.arn)
        if self._later and not self._closed:
            self._timer = self._loop.call_later(min(self._later[0][0] - now, _LOOK), self._look)

    def _advance(self, arn: str) -> None:
        waiting = self._ready.get(arn)
        _, reserved = self._functions.event_policy(arn) or (None, None)
        # Where little is reserved, waiting here is better than being throttled; what is switched off fails at once.
        most = min(reserved or _AT_ONCE, _AT_ONCE)
        while waiting and not self._closed and self._running.get(arn, 0) < most:
            self._running[arn] = self._running.get(arn, 0) + 1
            self._tasks.start(self._attempt(waiting.popleft()), name=f"asynchronous invocation of {arn}")
        if not waiting:
            self._ready.pop(arn, None)

    async def _attempt(self, event: Event) -> None:
        try:
            await self._attempted(event)
        finally:
            left = self._running[event.arn] - 1
            if left:
                self._running[event.arn] = left
            else:
                del self._running[event.arn]
            self._advance(event.arn)

    async def _attempted(self, event: Event) -> None:
        known = self._functions.event_policy(event.arn)
        if known is None:
            log.warning("an asynchronous invocation of %s is dropped: there is no such function any more", event.arn)
            self._leave(event)
            return
        policy, reserved = known
        if self._clock.time() - event.accepted > policy.max_age:
            await self._end(event, policy, "EventAgeExceeded", None)
            return
        try:
            result = await self._functions.invoke(
                event.arn,
                event.payload,
                request_id=event.id,
                trace_header=event.trace_header,
                client_context=event.client_context,
            )
        except InvokeError as error:
            await self._refused(event, policy, error, switched_off=reserved == 0)
            return
        if result.function_error is None:
            await self._end(event, policy, "Success", result)
            return
        event = msgspec.structs.replace(event, failures=event.failures + 1)
        if event.failures > policy.retries:
            await self._end(event, policy, "RetriesExhausted", result)
        else:
            self._again(event, _RETRY_DELAY * event.failures)

    async def _refused(self, event: Event, policy: EventPolicy, error: InvokeError, *, switched_off: bool) -> None:
        if error.status == 429 and switched_off:
            # AWS: a function whose reserved concurrency is zero retries nothing.
            await self._end(event, policy, "RetriesExhausted", None)
        elif error.status == 429 or error.status >= 500:
            throttles = event.throttles + 1
            pause = min(2.0 ** (throttles - 1), _LONGEST_PAUSE)
            self._again(msgspec.structs.replace(event, throttles=throttles), pause)
        else:
            log.warning("an asynchronous invocation of %s is dropped: %s", event.arn, error)
            self._leave(event)

    def _again(self, event: Event, delay: float) -> None:
        event = msgspec.structs.replace(event, due=self._clock.time() + delay)
        self._save(event.id, encode(event))
        self._put_off(event)

    async def _end(self, event: Event, policy: EventPolicy, condition: str, result: InvokeResult | None) -> None:
        await self._deliveries.tell(event, policy, condition, result)
        self._leave(event)

    def _leave(self, event: Event) -> None:
        self._size -= len(event.payload)
        self._save(event.id, None)

    # Keeping. What comes while the store writes is written together, next.

    def _saved(self, event: Event) -> asyncio.Future[None]:
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(waiter)
        self._save(event.id, encode(event))
        return waiter

    def _save(self, event_id: str, data: bytes | None) -> None:
        self._unwritten[event_id] = data
        if self._writer is None:
            self._writer = self._loop.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._unwritten:
                batch, self._unwritten = self._unwritten, {}
                waiters, self._waiters = self._waiters, []
                puts = {event_id: data for event_id, data in batch.items() if data is not None}
                removes = [event_id for event_id, data in batch.items() if data is None]
                error = await self._try_to_write(puts, removes)
                for waiter in waiters:
                    if error is None:
                        waiter.set_result(None)
                    else:
                        waiter.set_exception(error)
        finally:
            self._writer = None

    async def _try_to_write(self, puts: dict[str, bytes], removes: list[str]) -> EventStoreError | None:
        try:
            await self._store.write(puts, removes)
        except EventStoreError as error:
            log.error("%d changes of asynchronous invocations could not be kept: %s", len(puts) + len(removes), error)
            return error
        return None
