"""What the function service knows of a function, and what an invocation gives back. Made by the plan room from records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tidegate.core.arns import function_arn


@dataclass(frozen=True, slots=True)
class Permission:
    """One statement of a function's resource policy, as far as invoking it goes."""

    effect: str
    principals: tuple[str, ...]
    """Service names, account ids or ARNs; `*` is anybody."""
    actions: tuple[str, ...]
    source_arn: str | None = None
    """ArnLike pattern; None: any source."""
    source_account: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function version, ready to run. Two specs that are equal may share workers."""

    name: str
    account: str
    region: str
    version: str
    runtime: str
    handler: str
    code_sha256: str
    """Base64, as in `CodeSha256`; names the unpacked package."""
    role: str
    timeout: int
    """Seconds."""
    memory: int
    """MB."""
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return function_arn(self.region, self.account, self.name)


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A function as it can be invoked now: its code and its resource policy change independently."""

    spec: FunctionSpec
    permissions: tuple[Permission, ...] = ()


@dataclass(frozen=True, slots=True)
class InvokeResult:
    payload: bytes
    function_error: str | None
    """`Unhandled` or None: the value of `X-Amz-Function-Error`."""
    executed_version: str
    request_id: str
    log_tail: bytes = b""
    """The last 4 KB of the invocation's log, only when asked for."""


@dataclass(frozen=True, slots=True)
class Invoker:
    """Who invokes through a resource policy: a service on behalf of one of its resources."""

    principal: str
    """E.g. `apigateway.amazonaws.com`."""
    source_arn: str
    source_account: str


class InvokeError(Exception):
    """The service refuses an invocation; the function's own failures are results, not errors. `code` as in the Lambda API."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class Functions(Protocol):
    """The function service, as the gateway and the management API use it."""

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
        """Run a function and wait. `arn`: full function ARN, with a qualifier or without. `invoker`: check the resource
        policy for it; None: the caller has been authorized otherwise. Raises InvokeError (ResourceNotFoundException 404,
        AccessDeniedException 403, TooManyRequestsException 429, RequestTooLargeException 413).
        """
        ...
