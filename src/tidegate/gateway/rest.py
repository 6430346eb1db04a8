"""The life of a REST request, whole, on one screen: read `serve_rest` from top to bottom.

Each step is one line; whatever stops the request raises GatewayError, rendered in one place. The order is AWS's (shared
facts, rest-data-plane §1). `docs/life-of-a-request.md` tells it in prose; a test holds the two together.
"""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from tidegate.aws.policy.api_gateway import ApiRules
from tidegate.core.clock import Clock
from tidegate.core.errors import Fault, GatewayError
from tidegate.core.ids import Ids
from tidegate.core.message import Pairs, Request, Response, UpstreamError
from tidegate.gateway.coding import compress_answer, decompressed
from tidegate.gateway.exchange import Exchange, Host
from tidegate.gateway.execution_log import Line, cut, execution_log
from tidegate.gateway.guards import GuardKind
from tidegate.gateway.guards.access import policy_request, readings, require
from tidegate.gateway.headers import is_signature
from tidegate.gateway.integrations import IntegrationKind
from tidegate.gateway.metrics import GatewayMetrics
from tidegate.gateway.responses import backend_error, message_of, render, render_for, too_large
from tidegate.gateway.stories import Refusal, Stories
from tidegate.gateway.streaming import StreamedBody
from tidegate.gateway.validation import validate
from tidegate.plan.nodes import NO_VALIDATION, Guard, LambdaGuard, MethodPlan, StagePlan
from tidegate.state.keys import Client

log = logging.getLogger("tidegate.gateway")
execution = logging.getLogger("tidegate.execution")

_VERBS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
"""AWS: those that ANY stands for. The verb is a part of the method ARN, so it is no free text."""
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TRACE_ROOT = re.compile(rb"Root=(1-[0-9a-f]{8}-[0-9a-f]{24})")


class Limiter(Protocol):
    def take(self, key: str, rate: float, burst: int) -> bool: ...


class Keys(Protocol):
    def find(self, value: bytes, stage: tuple[str, str]) -> Client | None: ...


@dataclass(frozen=True, slots=True)
class Services:
    """What the steps need of the rest of the program."""

    clock: Clock
    ids: Ids
    limiter: Limiter
    keys: Keys
    metrics: GatewayMetrics
    stories: Stories
    write_access_log: Callable[[str], None]
    integrations: dict[type, IntegrationKind]
    """By the class of the plan's node."""
    guards: dict[type, GuardKind]
    """By the class of the plan's node."""


class RestPipeline:
    """Serves requests of REST API stages."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._second = 0
        self._time_text = ""

    def exchange(self, request: Request, stage: StagePlan, host: Host, *, path: str, full_path: str) -> Exchange:
        """A request's exchange, with its ids. A client may give the request id (a UUID) and the root of the trace."""
        services = self._services
        ex = Exchange(request, stage, host, path=path, full_path=full_path, ticks_ns=services.clock.ticks_ns)
        ex.arrived = now = services.clock.time()
        second = int(now)
        request_id, ex.extended_request_id, root = services.ids.for_request(second)
        get = request.headers.get
        given = get(b"x-amzn-requestid")
        ex.request_id = given.decode() if given is not None and _UUID.fullmatch(given) else request_id
        traced = get(b"x-amzn-trace-id")
        if traced is not None and (found := _TRACE_ROOT.search(traced)):
            root = found[1].decode()
        ex.trace_id = f"Root={root};Sampled=1" if stage.sampled else f"Root={root}"
        if second != self._second:
            self._second = second
            self._time_text = services.clock.now().strftime("%d/%b/%Y:%H:%M:%S +0000")
        ex.request_time = self._time_text
        return ex

    def choose(self, stage: StagePlan) -> StagePlan:
        """The stage itself, or its canary for a part of the requests. AWS: at random for each."""
        canary = stage.canary
        if canary is None or self._services.ids.percent() >= canary.percent:
            return stage
        return canary.stage

    def refuse(self, error: GatewayError) -> Response:
        """An error before the stage is known: nobody's access log, nobody's gateway responses."""
        response = render(error)
        ids = self._services.ids
        refusal = Refusal(ids.request_id(), ids.extended_request_id(), error, response.status)
        self._services.stories.add_refusal(refusal)
        response.headers += id_fields(refusal.request_id, refusal.extended_request_id)
        return response

    def too_large(self) -> Response:
        """A body beyond the payload limit."""
        ids = self._services.ids
        return too_large(id_fields(ids.request_id(), ids.extended_request_id()))

    async def serve_rest(self, ex: Exchange) -> Response:
        try:
            # fmt: off
            ex.at("route");                method = self._route(ex)
            ex.at("resource_policy")
            if (rules := ex.stage.rules) is not None: self._resource_policy(ex, method, rules)
            ex.at("authorize")
            if method.guard is not None:   await self._authorize(ex, method.guard)
            ex.at("api_key");              client = self._api_key(ex, method)
            ex.at("throttle");             self._throttle(method, client)
            ex.at("decompress")
            if ex.stage.min_compression is not None: self._decompress(ex)
            ex.at("validate")
            if method.validation is not NO_VALIDATION: validate(ex, method.validation)
            ex.at("integration_request");  kind, outbound = self._integration_request(ex, method)
            ex.at("integration");          ex.inbound = inbound = await kind.send(ex, method.integration, outbound)
            ex.at("integration_response"); response = kind.response(ex, method.integration, inbound)
        # fmt: on
        except GatewayError as error:
            response = self._stopped(ex, error)
        except UpstreamError as error:
            response = self._stopped(ex, backend_error(error))
        except Exception as error:  # The one catch-all: nothing of ours may reach a client.
            log.exception("request %s failed inside the gateway", ex.request_id)
            response = self._stopped(ex, GatewayError("DEFAULT_5XX", Fault.INTERNAL, repr(error), started=True))
        return self._finish(ex, response)

    @staticmethod
    def _route(ex: Exchange) -> MethodPlan:
        """The method that serves. AWS: X-HTTP-Method-Override replaces the verb for routing."""
        override = ex.request.headers.get(b"x-http-method-override")
        if override is not None:
            ex.verb = override.decode("latin-1")
        verb = ex.verb
        found = ex.stage.router.match(verb, ex.path) if verb in _VERBS else None
        if found is None:
            raise _no_method(ex.request, f"no method for {verb} {ex.path}")
        ex.method, ex.raw_labels = found
        return ex.method

    @staticmethod
    def _resource_policy(ex: Exchange, method: MethodPlan, rules: ApiRules) -> None:
        """AWS: of anonymous callers it decides alone; before an authorizer is asked, only its denials count."""
        if method.guard is None:
            require(ex, policy_request(ex), rules.open)
        elif isinstance(method.guard, LambdaGuard):
            for request, _ in readings(ex, policy_request(ex)):
                if rules.before_authorizer(request) is not None:
                    require(ex, request, rules.open)

    async def _authorize(self, ex: Exchange, guard: Guard) -> None:
        await self._services.guards[type(guard)].authorize(ex, guard)

    def _api_key(self, ex: Exchange, method: MethodPlan) -> Client | None:
        """Whose API key a request brings. AWS: a missing, unknown or disabled one, and one of another stage's plan: Forbidden."""
        stage = ex.stage
        value = ex.usage_key if stage.keys_by_authorizer else ex.request.headers.get(b"x-api-key")
        if value is None and not method.key_required:
            return None
        client = None if value is None else self._services.keys.find(value, stage.key)
        if client is None:
            if method.key_required:
                raise GatewayError("INVALID_API_KEY", Fault.CLIENT, "API key is missing, or of no plan of this stage")
            return None
        ex.api_key, ex.api_key_id = value, client.key_id
        return client if method.key_required else None

    def _throttle(self, method: MethodPlan, client: Client | None) -> None:
        """AWS: a client's own limits by its usage plan, of the method and in all, stand before the stage's."""
        take = self._services.limiter.take
        if client is not None:
            for place, rate in (
                (method.path_and_verb, client.methods.get(method.path_and_verb)),
                ("", client.plan.throttle),
            ):
                if rate is not None and not take(
                    f"plan/{client.plan.id}/{client.key_id}{place}", rate.rate, rate.burst
                ):
                    detail = f"key {client.key_id}: more than usage plan {client.plan.id} allows"
                    raise GatewayError("THROTTLED", Fault.CLIENT, detail)
        throttle = method.throttle
        if throttle.rate is not None and not take(throttle.key, throttle.rate, throttle.burst):
            detail = f"more than {throttle.rate} requests a second at {throttle.key}"
            raise GatewayError("THROTTLED", Fault.CLIENT, detail)

    @staticmethod
    def _decompress(ex: Exchange) -> None:
        """AWS: where compression is enabled, bodies are mapped and validated as they were before their Content-Encoding."""
        if not ex.request.body:
            return
        coding = ex.request.headers.get(b"content-encoding")
        if coding is not None:
            ex.request.body = decompressed(ex.request.body, coding)

    def _integration_request(self, ex: Exchange, method: MethodPlan) -> tuple[IntegrationKind, Any]:
        kind = self._services.integrations[type(method.integration)]
        ex.outbound = outbound = kind.outbound(ex, method.integration)
        return kind, outbound

    @staticmethod
    def _stopped(ex: Exchange, error: GatewayError) -> Response:
        ex.error_type = error.kind
        ex.error_message = message_of(error)
        response = render_for(error, ex)
        ex.failure = error.detail
        if error.fault is not Fault.CLIENT:
            ex.integration_error = error.detail
            log.warning("(%s) %s", ex.request_id, error.detail)
        return response

    def _finish(self, ex: Exchange, response: Response) -> Response:
        """The headers that every answer has; the log and the figures, of a stream when it has ended."""
        ex.at("done")
        ex.close()
        headers = response.headers
        if not response.encoded:
            _default_content_type(headers)
        # Ids are ours, or have been held against a pattern: no line break can be in them.
        ids = f"\r\nx-amzn-RequestId: {ex.request_id}\r\nx-amz-apigw-id: {ex.extended_request_id}"
        if ex.method.traced:
            ids = f"{ids}\r\nX-Amzn-Trace-Id: {ex.trace_id}"
        response.encoded += ids.encode()
        ex.status = response.status
        if ex.stage.min_compression is not None:
            compress_answer(response, ex)
        body = response.body
        if isinstance(body, StreamedBody):
            body.when_ended = lambda ended: self._streamed(ex, response, ended.length)
        else:
            assert isinstance(body, bytes)
            ex.response_length = len(body)
            self._account(ex, response)
        return response

    def _streamed(self, ex: Exchange, response: Response, length: int) -> None:
        ex.streamed(length)
        self._account(ex, response)

    def _account(self, ex: Exchange, response: Response) -> None:
        """The access log, the figures, and the execution log where it is asked for."""
        services = self._services
        stage = ex.stage
        services.write_access_log(stage.access_log.render(ex))
        services.stories.add(ex)
        services.metrics.of(stage.key).record(response.status, ex.response_latency, ex.integration_latency or 0)
        wanted = ex.method.logging
        if wanted is not None and (wanted.all or ex.failure is not None):
            for line in self.execution_log(ex, response, bodies=wanted.bodies):
                execution.info("(%s) %s", ex.request_id, cut(line.text))

    def execution_log(self, ex: Exchange, response: Response, *, bodies: bool) -> Iterator[Line]:
        """What happened to a request that has been answered."""
        integration = ex.method.integration
        kind = self._services.integrations[type(integration)]
        sent = None if ex.outbound is None else kind.sent(ex, integration, ex.outbound)
        received = None if ex.inbound is None else kind.received(ex.inbound)
        return execution_log(ex, response, sent, received, bodies=bodies)


def id_fields(request_id: str, extended_request_id: str) -> Pairs:
    return [(b"x-amzn-RequestId", request_id.encode()), (b"x-amz-apigw-id", extended_request_id.encode())]


def _no_method(request: Request, detail: str) -> GatewayError:
    """AWS: what is addressed to no method is taken for a call of a service; one with a foreign Authorization is told so."""
    given = request.headers.get(b"authorization")
    if given is None or is_signature(given) or b"=" in given:
        return GatewayError("MISSING_AUTHENTICATION_TOKEN", Fault.CLIENT, detail)
    digest = b64encode(sha256(given).digest()).decode()
    text = (
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): "
        f"'{digest}'."
    )
    return GatewayError("INCOMPLETE_SIGNATURE", Fault.CLIENT, detail, message=text)


def _default_content_type(headers: Pairs) -> None:
    for name, _ in headers:
        if name in _CONTENT_TYPE or name.lower() == b"content-type":
            return
    headers.append((b"Content-Type", b"application/json"))


_CONTENT_TYPE = frozenset({b"Content-Type", b"content-type"})
