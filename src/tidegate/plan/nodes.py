"""The plan: frozen nodes that the gateway runs. Made by `plan.compile`, replaced whole, never changed.

Not here: anything that changes while it runs (state), nor where it came from (definition).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from tidegate.core.message import Origin
from tidegate.mapping.logformat import LogFormat
from tidegate.mapping.media import BinaryTypes
from tidegate.mapping.parameters import Source
from tidegate.mapping.substitution import Render
from tidegate.plan.routing import Router


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket's settings. `key` names the bucket over all reloads; rate None: not limited."""

    key: str
    rate: float | None = None
    """Requests per second."""
    burst: int = 0


UNLIMITED = Throttle("")


@dataclass(frozen=True, slots=True)
class RawLabel:
    """A path parameter as the client sent it: what it had encoded stays encoded on the way to a backend."""

    name: str


@dataclass(frozen=True, slots=True)
class MockAnswer:
    """One integration response of a MOCK."""

    status: int
    headers: tuple[tuple[bytes, Source], ...]
    bodies: tuple[tuple[str, bytes], ...]
    """(media type, body) in order of declaration; the first serves an Accept that matches none."""


@dataclass(frozen=True, slots=True)
class MockPlan:
    """MOCK: the integration response is chosen when the plan is compiled, because the request templates are constant."""

    by_type: Mapping[str, MockAnswer | BrokenPlan]
    """By the request's media type, where there is a template for it."""
    otherwise: MockAnswer | BrokenPlan | None
    """For every other media type; None: 415."""


@dataclass(frozen=True, slots=True, eq=False)
class HttpProxyPlan:
    """HTTP_PROXY, with everything of the outbound request that does not depend on the request."""

    origin: Origin
    verb: bytes | None
    """None: the client's own (httpMethod ANY)."""
    path: tuple[bytes | RawLabel | Source, ...]
    """Of the URI: literal bytes and the sources of its placeholders."""
    query: bytes
    """Of the URI, without the question mark."""
    query_sources: tuple[tuple[bytes, Source], ...]
    header_sources: tuple[tuple[bytes, Source], ...]
    overridden: frozenset[bytes]
    """Lower-case names of the client's headers that the method maps, and hence replaces."""
    head: bytes
    """` HTTP/1.1`, Host and the headers that never change, each with its line end; without those that the method maps."""
    traced: bool
    """Whether the trace header is ours to send; not so where the method maps it."""
    user_agent: bytes
    maps_user_agent: bool
    timeout: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class LambdaProxyPlan:
    """AWS_PROXY to a function."""

    function_arn: str
    source_arn: tuple[str, str]
    """What stands before and after the request's verb in the ARN that the function's resource policy is asked about."""
    by_policy: bool
    """Whether the function's resource policy decides; not so when the integration names credentials."""
    timeout: float


@dataclass(frozen=True, slots=True)
class BrokenPlan:
    """An integration that AWS accepts and that fails on every call, e.g. a stage variable in its URI that is not set."""

    detail: str


IntegrationPlan: TypeAlias = MockPlan | HttpProxyPlan | LambdaProxyPlan | BrokenPlan


@dataclass(frozen=True, slots=True)
class ExecutionLogging:
    """What of a method's requests goes into the execution log."""

    all: bool
    """False: only those that failed (log level ERROR)."""
    bodies: bool
    """With headers and bodies (data tracing)."""


@dataclass(frozen=True, slots=True)
class MethodPlan:
    resource_id: str | None
    resource_path: str | None
    http_method: str
    operation_name: str | None
    integration: IntegrationPlan
    throttle: Throttle = UNLIMITED
    logging: ExecutionLogging | None = None
    """None: the stage's settings ask for no execution log."""
    traced: bool = False
    """Whether answers carry X-Amzn-Trace-Id. AWS: all but those of MOCK."""


NO_METHOD = MethodPlan(None, None, "", None, BrokenPlan("no method was matched"))
"""Stands in an exchange until its request has been routed."""


@dataclass(frozen=True, slots=True)
class GatewayResponsePlan:
    """A customised answer to requests that the gateway stops."""

    status: int | None
    """None: that of the type which stopped the request."""
    headers: tuple[tuple[bytes, Source], ...]
    templates: tuple[tuple[str, Render], ...]
    """(media type, body) in order of declaration."""


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One deployed stage of one API."""

    account: str
    region: str
    api_id: str
    name: str
    deployment_id: str
    router: Router[MethodPlan]
    variables: Mapping[str, str]
    binary: BinaryTypes
    access_log: LogFormat
    sampled: bool
    """Whether X-Ray tracing is enabled: shown as `Sampled=1` in the trace header."""
    open: bool
    """False: the default endpoint (`…execute-api…`) is disabled."""
    key: tuple[str, str]
    """API id and stage name."""
    gateway_responses: Mapping[str, GatewayResponsePlan] = field(default_factory=dict)
    """The customised ones by type, DEFAULT_4XX and DEFAULT_5XX among them."""
    canary: Canary | None = None
    is_canary: str | None = None
    """`$context.isCanaryRequest`: `true` or `false` on a stage that has a canary."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A part of the stage's requests goes to another deployment."""

    percent: float
    stage: StagePlan


@dataclass(frozen=True, slots=True)
class MappingPlan:
    """One base path of a custom domain."""

    base_path: str
    """Without slashes at its ends; empty for the domain's root."""
    api_id: str
    stage: str | None
    """None: the first segment of the path after the base path names it."""


@dataclass(frozen=True, slots=True)
class DomainPlan:
    depths: tuple[int, ...]
    """How many segments the base paths have, the longest first."""
    mappings: Mapping[tuple[str, ...], MappingPlan]
    """By the segments of the base path."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every stage, by API id and stage name, and every custom domain; the one reference that a reload swaps."""

    stages: Mapping[tuple[str, str], StagePlan] = field(default_factory=dict)
    domains: Mapping[str, DomainPlan] = field(default_factory=dict)
    """Custom domains by host name, in lower case."""
