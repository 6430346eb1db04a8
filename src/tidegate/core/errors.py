"""The two errors that reach a caller: GatewayError on the request path, ControlError in the management APIs.

Everything foreign is translated into one of them once, at the boundary where it arises.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Fault(Enum):
    """Whose fault it is that a request was not served."""

    CLIENT = "client"
    INTEGRATION = "integration"
    CONFIGURATION = "configuration"
    INTERNAL = "internal"


class GatewayError(Exception):
    """Stops a request. Rendered in exactly one place: `gateway.responses`.

    `kind`: a gateway response type (ACCESS_DENIED, THROTTLED, …). `message`: the text for the client where it differs from
    the type's default. `detail`: for the log only, never for the client. `started`: the error arose after execution had
    started (the service writes those bodies with a blank after the colon).
    """

    def __init__(
        self,
        kind: str,
        fault: Fault,
        detail: str,
        *,
        message: str | None = None,
        status: int | None = None,
        started: bool = False,
    ) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.fault = fault
        self.detail = detail
        self.message = message
        self.status = status
        self.started = started


class ControlError(Exception):
    """A management API's error: `code` from the service model, `status` its HTTP status, `extra` further members of the body,
    `headers` those that the REST protocol adds.
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int = 400,
        *,
        extra: dict[str, Any] | None = None,
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra or {}
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a definition: where (a JSON pointer into it) and what."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.pointer}: {self.message}"


class DefinitionError(Exception):
    """A definition cannot be compiled; carries all problems, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems
