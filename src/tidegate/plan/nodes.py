"""The plan: frozen nodes that the gateway runs. Made by `plan.compile`, replaced whole, never changed.

Not here: anything that changes while it runs (state), nor where it came from (definition).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from botocore.model import ServiceModel

from tidegate.aws.policy.api_gateway import ApiRules
from tidegate.core.message import Origin
from tidegate.mapping.logformat import LogFormat
from tidegate.mapping.media import BinaryTypes
from tidegate.mapping.parameters import Source
from tidegate.mapping.schema import Validator
from tidegate.mapping.substitution import Render
from tidegate.plan.routing import Router
from tidegate.vtl import JavaPattern, Template


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
class Placeholder:
    """`{name}` in an integration's URI."""

    name: str
    source: RawLabel | Source


@dataclass(frozen=True, slots=True)
class RequestTransform:
    """What a non-proxy integration makes of a request's body."""

    templates: Mapping[str, Template]
    """By the request's media type."""
    passes: bool
    """Whether a body that no template is for goes on as it is; else 415."""
    handling: str | None
    """CONVERT_TO_BINARY, CONVERT_TO_TEXT or None."""


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """One integration response."""

    status: int
    declared: bool
    """False: the method declares no such response; AWS answers 500 when it is chosen."""
    pattern: JavaPattern | None
    headers: tuple[tuple[bytes, Source], ...]
    templates: tuple[tuple[str, Template], ...]
    """(media type, template) in order of declaration; the first serves an Accept that matches none."""
    handling: str | None


@dataclass(frozen=True, slots=True)
class ResponseTransform:
    """What a non-proxy integration makes of its backend's answer."""

    patterned: tuple[ResponsePlan, ...]
    """In the order in which they are asked."""
    default: ResponsePlan | None


@dataclass(frozen=True, slots=True)
class MockPlan:
    """MOCK."""

    request: RequestTransform
    answer: ResponseTransform
    constant: Mapping[str, str | None]
    """The statusCode of request templates without variables, by media type."""


@dataclass(frozen=True, slots=True, eq=False)
class HttpPlan:
    """HTTP with templates: only what is mapped goes on."""

    origin: Origin
    verb: bytes | None
    """None: the client's own (httpMethod ANY)."""
    path: tuple[bytes | Placeholder, ...]
    query: bytes
    query_sources: tuple[tuple[bytes, Source], ...]
    header_sources: tuple[tuple[str, Source], ...]
    headers: tuple[tuple[str, str], ...]
    """Sent unless the method maps them."""
    request: RequestTransform
    answer: ResponseTransform
    timeout: float


@dataclass(frozen=True, slots=True, eq=False)
class AwsPlan:
    """AWS with any service but Lambda."""

    service: str
    """The signing name."""
    region: str
    verb: bytes
    path: tuple[bytes | Placeholder, ...]
    query: bytes
    query_sources: tuple[tuple[bytes, Source], ...]
    header_sources: tuple[tuple[str, Source], ...]
    headers: tuple[tuple[str, str], ...]
    answers_xml: ServiceModel | None
    """Of services of the query protocol, whose answers the integration response is to see as JSON."""
    arguments_in_query: bool
    """Whether such a service is called by arguments of the URL alone."""
    credentials: str | None
    """ARN of the role that calls."""
    by_caller: bool
    """Whether it is called with the keys that the request was signed with."""
    request: RequestTransform
    answer: ResponseTransform
    timeout: float


@dataclass(frozen=True, slots=True)
class LambdaPlan:
    """AWS with a function: the transformed body is its event, its result goes through an integration response."""

    function_arn: str
    source_arn: tuple[str, str]
    by_policy: bool
    headers: tuple[tuple[str, Source], ...]
    """What is mapped of the headers that Invoke reads, by lower-case name."""
    qualifier: Source | None
    """A version or alias by the query parameter `Qualifier`; None: as the URI names it."""
    request: RequestTransform
    answer: ResponseTransform
    timeout: float
    by_caller: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class HttpProxyPlan:
    """HTTP_PROXY, with everything of the outbound request that does not depend on the request."""

    origin: Origin
    verb: bytes | None
    """None: the client's own (httpMethod ANY)."""
    path: tuple[bytes | Placeholder, ...]
    """Of the URI: literal bytes and its placeholders."""
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
    idle: float | None = None
    """Where the answer's body is passed on as it comes (responseTransferMode STREAM): seconds between two chunks."""


@dataclass(frozen=True, slots=True)
class LambdaProxyPlan:
    """AWS_PROXY to a function."""

    function_arn: str
    source_arn: tuple[str, str]
    """What stands before and after the request's verb in the ARN that the function's resource policy is asked about."""
    by_policy: bool
    """Whether the function's resource policy decides; not so when the integration names credentials."""
    timeout: float
    by_caller: bool = False
    """Whether the caller's own policies decide: the integration is called with the caller's credentials."""


@dataclass(frozen=True, slots=True)
class LambdaStreamPlan:
    """AWS_PROXY to a function that streams its answer."""

    function_arn: str
    source_arn: tuple[str, str]
    by_policy: bool
    timeout: float
    """Seconds for the whole answer."""
    idle: float
    """Seconds between two chunks."""
    by_caller: bool = False


@dataclass(frozen=True, slots=True)
class BrokenPlan:
    """An integration that AWS accepts and that fails on every call, e.g. a stage variable in its URI that is not set."""

    detail: str


IntegrationPlan: TypeAlias = (
    MockPlan | HttpProxyPlan | HttpPlan | LambdaProxyPlan | LambdaStreamPlan | LambdaPlan | AwsPlan | BrokenPlan
)


@dataclass(frozen=True, slots=True)
class IamGuard:
    """AWS_IAM: the request has to be signed, and the caller's policies have to allow it."""


Values: TypeAlias = Callable[[Any], tuple[str, ...]]
"""From an exchange to all values of an identity source; none: it is missing."""


@dataclass(frozen=True, slots=True)
class LambdaGuard:
    """CUSTOM: a function says who the caller is, and what it may do."""

    id: str
    kind: str
    """TOKEN or REQUEST."""
    function_arn: str
    source_arn: str
    by_policy: bool
    """Whether the function's resource policy decides about the call; not so when the authorizer names credentials."""
    identity: tuple[Values, ...]
    pattern: JavaPattern | None
    """What a token has to match."""
    ttl: float
    """Seconds that an answer is kept; 0: not at all."""
    kept_as: str
    """What an answer is kept under besides stage and identity: methods share it as far as they ask the same question."""


@dataclass(frozen=True, slots=True)
class UserPool:
    id: str
    region: str
    issuer: str
    foreign: bool = False
    """Whether the issuer is another OpenID provider, which stands in for the pool."""


@dataclass(frozen=True, slots=True)
class UserPoolGuard:
    """COGNITO_USER_POOLS: a token of one of these pools."""

    pools: Mapping[str, UserPool]
    """By issuer."""
    token: Source
    pattern: JavaPattern | None
    """What the audience of an identity token has to match."""
    scopes: frozenset[str]
    """When there are any, an access token with one of them is needed, else an identity token."""
    ttl: float
    kept_as: str
    """As of Lambda authorizers: what was verified for other pools is not verified for these."""


Guard: TypeAlias = IamGuard | LambdaGuard | UserPoolGuard


@dataclass(frozen=True, slots=True)
class ValidationPlan:
    """What a request has to bring before its integration is called."""

    required: tuple[tuple[str, Source], ...] = ()
    """Names of parameters, and where they are."""
    models: Mapping[str, Validator] = field(default_factory=dict)
    """By the media type of the body; `$default` for all others."""


NO_VALIDATION = ValidationPlan()


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
    guard: Guard | None = None
    """None: authorization NONE."""
    key_required: bool = False
    path_and_verb: str = ""
    """`/path/VERB`, by which usage plans limit single methods."""
    validation: ValidationPlan = NO_VALIDATION
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
    rules: ApiRules | None = None
    """The resource policy; None: there is none."""
    keys_by_authorizer: bool = False
    """Whether a request's API key comes from its authorizer (apiKeySource AUTHORIZER) and not from the header."""
    min_compression: int | None = None
    """Bytes from which answers are compressed; None: never, and no request is decompressed."""
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
