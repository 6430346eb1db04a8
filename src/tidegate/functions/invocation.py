"""One invocation on its way through the pool, and the ways in which it can end.

Not here: who may invoke (permissions), the wire (runtime_api).

AWS: "Lambda function errors"; the payloads of failures are those that the service sends in 2026.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidegate.functions.runtime_api import MAX_RESPONSE

if TYPE_CHECKING:
    from tidegate.functions.streaming import Sink


@dataclass(slots=True)  # made for each invocation: to be frozen would cost as much as the call
class Outcome:
    """How a function ended: `failed` is what `X-Amz-Function-Error: Unhandled` says."""

    payload: bytes
    failed: bool
    log_tail: bytes = b""


class Invocation:
    """Waits for a worker, then for its end. Compared by identity: the scheduler's ticket."""

    __slots__ = (
        "client_context",
        "deadline",
        "function_arn",
        "future",
        "payload",
        "released",
        "request_id",
        "sink",
        "started_ns",
        "tail",
        "trace_header",
    )

    def __init__(
        self,
        *,
        request_id: str,
        payload: bytes,
        function_arn: str,
        trace_header: str,
        client_context: bytes | None,
        tail: bool,
        future: asyncio.Future[Outcome],
        sink: Sink | None = None,
        released: Callable[[], None] | None = None,
    ) -> None:
        """`released`: called once, when it neither waits nor runs any more."""
        self.request_id = request_id
        self.payload = payload
        self.function_arn = function_arn
        self.trace_header = trace_header
        self.client_context = client_context
        self.tail = tail
        self.future = future
        self.released = released
        self.sink = sink
        """Where a streamed response goes; None: it is collected, and is the outcome's payload."""
        self.deadline = 0.0
        """Loop time: until when its caller waits, if it is watched (core.deadlines)."""
        self.started_ns = 0
        """`Clock.ticks_ns` when a worker got it."""

    def end(self, outcome: Outcome) -> None:
        """The caller may have gone in the meantime; the function runs to its end all the same, as on AWS."""
        self.release()
        if not self.future.done():
            self.future.set_result(outcome)

    def expire(self) -> None:
        """Its caller waits no longer."""
        if not self.future.done():
            self.future.set_exception(TimeoutError())

    def release(self) -> None:
        released, self.released = self.released, None
        if released is not None:
            released()

    def refuse(self, error: Exception) -> None:
        self.release()
        if not self.future.done():
            self.future.set_exception(error)


def failure(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":")).encode()


def exit_failure(request_id: str, code: int, reason: str) -> bytes:
    return failure("Runtime.ExitError", f"RequestId: {request_id} Error: {exit_text(code, reason)}")


def entrypoint_failure(request_id: str, reason: str) -> bytes:
    return failure("Runtime.InvalidEntrypoint", f"RequestId: {request_id} Error: {reason}")


def exit_text(code: int, reason: str) -> str:
    return f"Runtime exited with error: {reason}" if code else "Runtime exited without providing a reason"


def timeout_failure(request_id: str, seconds: int) -> bytes:
    return failure("Sandbox.Timedout", f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds")


def too_large_failure() -> bytes:
    return failure(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE} bytes).",
    )
