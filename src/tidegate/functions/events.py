"""One asynchronous invocation, where it is kept, and the record that tells of its end. No I/O.

AWS: "Asynchronous invocation", "Retaining records of asynchronous invocations".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from tidegate.functions.spec import LATEST, InvokeResult

MAX_EVENT: Final = 1024 * 1024
"""Bytes. AWS: 1 MB since late 2025."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """As it is kept: what has happened to it so far is part of it."""

    id: str
    """The request id, the same for every attempt."""
    arn: str
    """As it was invoked, with its qualifier."""
    payload: bytes
    accepted: float
    """Seconds since the epoch, as are all times here."""
    due: float
    trace_header: str | None = None
    client_context: bytes | None = None
    failures: int = 0
    """Attempts that ended in a function error."""
    throttles: int = 0
    """Attempts that the service refused."""
    origin: tuple[str, ...] = ()
    """The functions whose destinations led here, the nearest last."""


def encode(event: Event) -> bytes:
    return msgspec.msgpack.encode(event)


def decode(data: bytes) -> Event:
    """Raises msgspec.MsgspecError."""
    return msgspec.msgpack.decode(data, type=Event)


class EventStoreError(Exception):
    """Events can't be kept; the message says why."""


class EventStore(Protocol):
    """Keeps events beyond the life of the process."""

    async def load(self) -> Mapping[str, bytes]:
        """By id, the oldest first. Raises EventStoreError."""
        ...

    async def write(self, puts: Mapping[str, bytes], removes: Sequence[str]) -> None:
        """All or nothing, durable when it returns. Raises EventStoreError."""
        ...


def invocation_record(event: Event, condition: str, result: InvokeResult | None, now: float) -> dict[str, Any]:
    """What destinations get. `condition`: Success, RetriesExhausted or EventAgeExceeded."""
    arn = event.arn if event.arn.count(":") > 6 else f"{event.arn}:{LATEST}"
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": event.id,
            "functionArn": arn,
            "condition": condition,
            "approximateInvokeCount": event.failures + event.throttles + (condition == "Success"),
        },
        "requestPayload": _document(event.payload),
    }
    if result is not None:
        record["responseContext"] = {"statusCode": 200, "executedVersion": result.executed_version}
        if result.function_error is not None:
            record["responseContext"]["functionError"] = result.function_error
        record["responsePayload"] = _document(result.payload)
    return record


def _document(payload: bytes) -> Any:
    """A runtime may answer with what is no JSON: it is told as text."""
    try:
        return json.loads(payload or b"null")
    except ValueError:
        return payload.decode("utf-8", "replace")


def error_message(result: InvokeResult | None, condition: str) -> str:
    """For a dead-letter queue. AWS: the first kilobyte."""
    if result is None:
        return condition
    try:
        document = json.loads(result.payload)
    except ValueError:
        document = None
    text = document.get("errorMessage") if isinstance(document, dict) else None
    return str(text if text is not None else result.payload.decode("utf-8", "replace"))[:1024]
