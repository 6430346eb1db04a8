"""One request on its way through the gateway: what is known of it, and the trace of its steps.

`at` is called once per step; the access log, the latency metrics and the execution log are all rendered from that trace.
What only some requests need (decoded arguments, the user agent) is worked out when it is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from tidegate.aws.policy import Judgement
from tidegate.aws.sigv4 import Credentials
from tidegate.core.message import Request
from tidegate.mapping.documents import body_document
from tidegate.mapping.overrides import NO_OVERRIDES, Overrides, reopen, response_overrides
from tidegate.mapping.query import decoded_query
from tidegate.mapping.velocity import context_map
from tidegate.plan.nodes import NO_METHOD, MethodPlan, StagePlan


@dataclass(frozen=True, slots=True)
class Host:
    """What a Host header says; worked out once per distinct value, not per request."""

    domain_name: str
    domain_prefix: str
    port: str
    """As given, else the scheme's own."""
    forwarded: tuple[bytes, bytes]
    """The X-Forwarded-Port and -Proto lines for a backend."""

    @classmethod
    def of(cls, header: bytes | None, scheme: str) -> Host:
        text = (header or b"").decode("latin-1")
        name, _, port = text.rpartition(":")
        if not port.isdigit() or not name:
            name, port = text, "443" if scheme == "https" else "80"
        forwarded = (f"X-Forwarded-Port: {port}\r\n".encode(), f"X-Forwarded-Proto: {scheme}\r\n".encode())
        return cls(name, name.partition(".")[0], port, forwarded)

    def of_api(self, api_id: str, region: str) -> Host:
        """For a request that names its API in the path: with the API's own domain, as functions expect it."""
        return replace(self, domain_name=f"{api_id}.execute-api.{region}.amazonaws.com", domain_prefix=api_id)


_UNREAD = object()


class Exchange:
    """What most requests never set has its default here in the class, so that making an exchange stays cheap."""

    absent: None = None
    """What a known but never set variable is read from."""
    method: MethodPlan = NO_METHOD
    error_message: str | None = None
    error_type: str | None = None
    integration_error: str | None = None
    integration_status: int | None = None
    integration_latency: int | None = None
    """Milliseconds that the integration took; None when it was not called."""
    response_latency = 0
    """Milliseconds from the complete head to the answer."""
    response_length = 0
    transfer_mode = "BUFFERED"
    """`$context.integration.responseTransferMode`: STREAMED when the backend's body went on as it came."""
    status = 0
    outbound: Any = None
    """What went to the integration, in the integration's own form; None: it was not reached."""
    inbound: Any = None
    """What came back from it."""
    answer: Any = None
    """The backend's answer as integration responses see it (`gateway.outbound.Inbound`)."""
    overrides: Overrides = NO_OVERRIDES
    """What the request template overrides of the backend's request."""
    searched = 0.0
    """Seconds that mapped parameters have looked through bodies."""
    validation_error: str | None = None
    """`$context.error.validationErrorString`."""
    authorizer: dict[str, Any] | None = None
    """What the authorizer gave: `requestContext.authorizer` of events, `$context.authorizer`."""
    identity: dict[str, str | None] | None = None
    """Of a signed caller: accountId, accessKey, caller, user, userArn."""
    signer: Credentials | None = None
    """The keys of a signed caller, for integrations that are called with them."""
    caller_may: Callable[[str, str], bool] | None = None
    """Whether a signed caller's policies allow an action on a resource; None: the caller has not signed."""
    denial: str | None = None
    """Why a policy denied the request: for operators, never for clients."""
    judgements: tuple[Judgement, ...] = ()
    """What policies were asked, in turn."""
    usage_key: bytes | None = None
    """The API key that the authorizer gave (usageIdentifierKey)."""
    api_key: bytes | None = None
    """The API key that the request was known by."""
    api_key_id: str | None = None
    failure: str | None = None
    """The log's line on what stopped the request."""
    base_path = ""
    """Of a custom domain, with its leading slash; it is no part of `path`."""
    _document: object = _UNREAD
    _template_context: dict[str, object] | None = None
    _template_parameters: dict[str, dict[str, str]] | None = None
    _arguments: dict[str, list[str]] | None = None
    _labels: dict[str, str] | None = None
    raw_labels: Mapping[str, str] = MappingProxyType({})
    """Path parameters as sent, percent-encoding untouched; none until the request has been routed."""

    def __init__(
        self,
        request: Request,
        stage: StagePlan,
        host: Host,
        *,
        path: str,
        full_path: str,
        ticks_ns: Callable[[], int],
    ) -> None:
        self.request = request
        self.stage = stage
        self.host = host
        self.path = path
        """The request's path without the stage, as sent."""
        self.full_path = full_path
        """`$context.path`: with the stage, on the default endpoint."""
        self.verb = request.method
        """That the request is routed by, and goes on with: the client's, or that of X-HTTP-Method-Override."""
        self.source_ip = request.peer
        self.trace: list[tuple[str, int]] = []
        self._ticks_ns = ticks_ns

    # Set by the pipeline as soon as the exchange is made.
    arrived: float
    """Seconds since the epoch."""
    request_id: str
    extended_request_id: str
    trace_id: str
    request_time: str

    def at(self, step: str) -> None:
        """A step begins."""
        self.trace.append((step, self._ticks_ns()))

    @property
    def waited(self) -> float:
        """Seconds that the last step took, whose successor has begun."""
        (_, begun), (_, ended) = self.trace[-2:]
        return (ended - begun) / 1e9

    @property
    def arguments(self) -> dict[str, list[str]]:
        """The decoded query, in order."""
        arguments = self._arguments
        if arguments is None:
            arguments = self._arguments = decoded_query(self.request.query)
        return arguments

    @property
    def path_parameters(self) -> dict[str, str]:
        labels = self._labels
        if labels is None:
            labels = self._labels = {
                name: unquote(value) if "%" in value else value for name, value in self.raw_labels.items()
            }
        return labels

    @property
    def event_path(self) -> str:
        """A Lambda event's `path`: decoded, leading slashes folded into one. AWS: a custom domain's base path is kept."""
        return unquote(f"{self.base_path}/{self.path.lstrip('/')}")

    @property
    def base_path_matched(self) -> str | None:
        return self.base_path[1:] or None

    @property
    def json_body(self) -> object:
        """The request's body as a JSON document. AWS: an empty body counts as an empty object; one that is no JSON is null."""
        document = self._document
        if document is _UNREAD:
            document = self._document = body_document(self.request.body)
        return document

    @property
    def template_context(self) -> dict[str, object]:
        """`$context` of mapping templates. AWS: one for request and response, what the former sets the latter sees."""
        context = self._template_context
        if context is None:
            context = self._template_context = context_map(self)
        return context

    @property
    def template_parameters(self) -> dict[str, dict[str, str]]:
        """`$input.params()`: the last value of each, by place. AWS: names as the client sent them."""
        places = self._template_parameters
        if places is None:
            places = self._template_parameters = {
                "path": dict(self.path_parameters),
                "querystring": {name: values[-1] for name, values in self.arguments.items()},
                "header": {
                    name.decode("latin-1"): value.decode("utf-8", "replace")
                    for _, name, value in self.request.headers.entries
                },
            }
        return places

    def take_overrides(self) -> None:
        """The request template has been rendered: note what it overrides."""
        if self._template_context is not None:
            self.overrides = Overrides.of(self._template_context.get("requestOverride"))
            reopen(self._template_context)

    def response_overrides(self) -> tuple[str | None, dict[str, str]] | None:
        """Status and headers that templates override; None: no template has named `$context`."""
        if self._template_context is None:
            return None
        return response_overrides(self._template_context.get("responseOverride"))

    @property
    def user_agent(self) -> str | None:
        return self._header(b"user-agent")

    def authorizer_value(self, name: str) -> str | None:
        """`$context.authorizer.{name}`; for user pools `claims.{claim}`. AWS: the map of claims itself is null."""
        given: Any = self.authorizer
        if given is None:
            return None
        if name.startswith("claims."):
            given, name = given.get("claims") or {}, name.removeprefix("claims.")
        value = given.get(name)
        return None if value is None or isinstance(value, dict) else str(value)

    def identity_value(self, name: str) -> str | None:
        return None if self.identity is None else self.identity.get(name)

    @property
    def api_key_text(self) -> str | None:
        return None if self.api_key is None else self.api_key.decode("utf-8", "replace")

    @property
    def protocol(self) -> str:
        return f"HTTP/{self.request.http_version}"

    @property
    def error_message_string(self) -> str | None:
        return None if self.error_message is None else json.dumps(self.error_message)

    def _header(self, lower_name: bytes) -> str | None:
        value = self.request.headers.get(lower_name)
        return None if value is None else value.decode("utf-8", "replace")

    def proxy_headers(self) -> list[tuple[str, str]]:
        """What the gateway adds to the headers that a function sees."""
        request = self.request
        forwarded = self._header(b"x-forwarded-for")
        return [
            ("X-Amzn-Trace-Id", self.trace_id),
            ("X-Forwarded-For", f"{forwarded}, {self.source_ip}" if forwarded else self.source_ip),
            ("X-Forwarded-Port", self.host.port),
            ("X-Forwarded-Proto", request.scheme),
        ]

    @property
    def request_time_epoch(self) -> int:
        """Milliseconds since the epoch, of the request's arrival."""
        return int(self.arrived * 1000)

    def close(self) -> None:
        """The last step has ended: work the latencies out of the trace."""
        trace = self.trace
        self.response_latency = (trace[-1][1] - self.request.received_ns) // 1_000_000
        # It is the last step but one before "done", or the last when it failed.
        for begun, ended in ((-3, -2), (-2, -1)):
            if len(trace) >= -begun and trace[begun][0] == "integration":
                self.integration_latency = (trace[ended][1] - trace[begun][1]) // 1_000_000

    def streamed(self, length: int) -> None:
        """The body's last byte has gone, or the answer was cut off."""
        self.response_length = length
        self.response_latency = (self._ticks_ns() - self.request.received_ns) // 1_000_000
