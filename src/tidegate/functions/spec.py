"""What the function service knows of a function, and what an invocation gives back. Made by the plan room from records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from tidegate.core.arns import function_arn

LATEST: Final = "$LATEST"
STORAGE: Final = 512
"""MB of /tmp that AWS gives unless asked for another size."""


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
    url_auth_type: str | None = None
    """Only for calls of a function URL with this authorization."""
    via_url: bool | None = None
    """Only for calls of a function URL (or for all others)."""
    unmet: bool = False
    """It asks for what none of our invokers carries: an event source token, an organization."""


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
    storage: int = STORAGE
    """MB of /tmp."""
    layers: tuple[str, ...] = ()
    """Code hashes, as `code_sha256`, in the order in which they are laid over each other."""
    folder: str | None = None
    """A directory with the code, in place of a package; what is saved there runs from the next invocation on."""
    libraries: tuple[str, ...] = ()
    """Directories with what the code in a folder needs and does not hold; searched by Python after the folder."""

    @property
    def arn(self) -> str:
        return function_arn(self.region, self.account, self.name)


@dataclass(frozen=True, slots=True)
class EventPolicy:
    """What becomes of asynchronous invocations."""

    retries: int = 2
    max_age: int = 21_600
    """Seconds."""
    on_success: str | None = None
    """ARN of a destination."""
    on_failure: str | None = None
    dead_letter: str | None = None
    """ARN of a queue or topic. `$LATEST`'s or a version's own; an alias takes that of the version it runs."""


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """`$LATEST` or a version as it can be invoked now: its code and its resource policy change independently."""

    spec: FunctionSpec
    permissions: tuple[Permission, ...] = ()
    events: EventPolicy = EventPolicy()
    reserved_concurrency: int | None = None
    """How many invocations of all versions may run at once. Only `$LATEST`'s entry says it, for the whole function."""
    provisioned: int = 0
    """How many workers are kept warm."""

    @property
    def arn(self) -> str:
        """What it is invoked by: without a qualifier for `$LATEST`."""
        spec = self.spec
        return spec.arn if spec.version == LATEST else f"{spec.arn}:{spec.version}"


@dataclass(frozen=True, slots=True)
class AliasEntry:
    """A name for one version, or for two by weight."""

    arn: str
    """With the alias."""
    routes: tuple[tuple[str, float], ...]
    """ARN of a version → its share in percent; they add up to 100."""
    permissions: tuple[Permission, ...] = ()
    events: EventPolicy = EventPolicy()
    provisioned: int = 0
    """How many workers are kept warm, of the version that it leads to."""


@dataclass(frozen=True, slots=True)
class Provisioned:
    """How far it is with the workers that are kept warm."""

    up: int
    failed: bool
    """The last one that was started could not begin to work."""


@dataclass(slots=True)  # made for each invocation: to be frozen would cost as much as the call
class InvokeResult:
    payload: bytes
    function_error: str | None
    """`Unhandled` or None: the value of `X-Amz-Function-Error`."""
    executed_version: str
    request_id: str
    log_tail: bytes = b""
    """The last 4 KB of the invocation's log, only when asked for."""


class StreamedResult(Protocol):
    """What a streamed invocation gives: chunks as they come. Everything but `content_type` and the ids is settled when
    they have ended. Who does not want the rest has to `close`.
    """

    request_id: str
    executed_version: str
    content_type: str
    """`prelude.HTTP_INTEGRATION`: the chunks begin with status and headers. `application/json`: not streamed, one chunk."""
    error: bytes | None
    """The payload of the function's error, if it has failed; chunks before it were sent all the same."""
    log_tail: bytes

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Invoker:
    """Who invokes through a resource policy: a service on behalf of one of its resources."""

    principal: str
    """E.g. `apigateway.amazonaws.com`; `*` is anybody at a function URL."""
    source_arn: str
    source_account: str
    url_auth_type: str | None = None
    """Of the function URL that is called; None: another way."""


class InvokeError(Exception):
    """The service refuses an invocation; the function's own failures are results, not errors. `code` as in the Lambda API."""

    def __init__(self, code: str, message: str, status: int, *, reason: str | None = None) -> None:
        """`reason`: of a throttle, as `Reason` gives it."""
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.reason = reason


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
        timeout: float | None = None,
    ) -> InvokeResult:
        """Run a function and wait. `arn`: full function ARN, with a qualifier or without. `invoker`: check the resource
        policy for it; None: the caller has been authorized otherwise. `timeout`: seconds to wait, some hundredths more or
        less; none while a debugger is attached. Raises InvokeError (ResourceNotFoundException 404, AccessDeniedException
        403, TooManyRequestsException 429, RequestTooLargeException 413), TimeoutError.
        """
        ...

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
    ) -> StreamedResult:
        """As `invoke`, but returns when the response has begun; raises InvokeError only before that."""
        ...

    def patience(self, arn: str, seconds: float) -> float:
        """How long to wait for an answer: so many seconds, or as good as for ever while a debugger holds the function."""
        ...


class Provisioning(Protocol):
    """What the management API asks about provisioned concurrency."""

    provisionable: int
    """How many workers one function may keep, as this machine is set up."""

    def provisioned(self, arn: str) -> Provisioned:
        """`arn`: with the version or alias."""
        ...


class Machine(Protocol):
    """What the management API asks about what can be run here."""

    async def limits_storage(self) -> bool:
        """Whether a function's /tmp can have a size here."""
        ...

    async def why_not(self, runtime: str) -> str | None:
        """What keeps the machine from running it; None: nothing does."""
        ...


class ManagedFunctions(Functions, Provisioning, Machine, Protocol):
    """What the Lambda API needs of the function service."""


class Events(Protocol):
    """Asynchronous invocation, as the gateway and the management API use it."""

    async def submit(
        self,
        arn: str,
        payload: bytes,
        *,
        invoker: Invoker | None = None,
        trace_header: str | None = None,
        client_context: bytes | None = None,
    ) -> str:
        """Invoke asynchronously: when this returns the request id, the event is kept and outlives the process. Raises
        InvokeError as `invoke` does; the function's own throttles are retried later and refuse nothing.
        """
        ...
