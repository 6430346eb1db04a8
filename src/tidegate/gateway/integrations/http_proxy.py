"""HTTP_PROXY: the client's request goes on to a backend, and the backend's answer comes back, by AWS's table of headers.

Source: *Set up HTTP integrations in API Gateway*, *Amazon API Gateway important notes* (header table); shared facts,
rest-data-plane §4, §5 and §12.4. This is the hot path: per request it only joins bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from urllib.parse import quote

from tidegate.core.message import Response, Upstream, UpstreamResponse
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.execution_log import Received, Sent
from tidegate.gateway.headers import answer, field_value, is_signature
from tidegate.gateway.outbound import mapped_values
from tidegate.gateway.streaming import StreamedBody
from tidegate.plan.nodes import HttpProxyPlan, RawLabel

_NOT_FORWARDED = frozenset(
    # Dropped by AWS's table, column "http_proxy", and what the gateway writes itself.
    (
        b"content-md5 expect host max-forwards proxy-authenticate proxy-authorization server te trailer transfer-encoding "
        b"upgrade via www-authenticate content-encoding content-length connection keep-alive x-forwarded-for "
        b"x-forwarded-port x-forwarded-proto x-amzn-trace-id x-amzn-apigateway-api-id proxy-connection x-http-method-override"
    ).split()
)
_FORM_SAFE = "/:@!$&'()*+,;=-._~%"
"""A path parameter goes on as it came: what the client encoded stays encoded."""


class HttpProxy:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def outbound(self, exchange: Exchange, plan: HttpProxyPlan) -> bytes:
        """The head of the request to the backend."""
        request = exchange.request
        parts = [plan.verb or exchange.verb.encode(), b" "]
        path = plan.path
        if len(path) == 1 and type(path[0]) is bytes:
            parts.append(path[0])
        else:
            parts.append(_path(exchange, plan))
        query = _query(exchange, plan)
        if query:
            parts += (b"?", query)
        parts.append(plan.head)
        memo = request.headers.memo
        if memo is None:
            parts.append(_forwarded(exchange, plan))
        else:
            # One entry, for the method called last: a memory per method would grow with every deployment that comes.
            known = memo.get(_forwarded)
            if known is None or known[0] is not plan:
                known = memo[_forwarded] = (plan, _forwarded(exchange, plan))
            parts.append(known[1])
        if plan.traced:
            parts += (b"X-Amzn-Trace-Id: ", exchange.trace_id.encode(), b"\r\n")
        if plan.header_sources:
            _mapped_headers(exchange, plan, parts)
        body = request.body
        if body or exchange.verb in _WITH_BODY:
            parts.append(b"Content-Length: %d\r\n" % len(body))
        parts.append(b"\r\n")
        return b"".join(parts)

    def send(self, exchange: Exchange, plan: HttpProxyPlan, outbound: bytes) -> Awaitable[UpstreamResponse]:
        request = exchange.request
        stream = plan.idle is not None
        head_only = plan.verb == b"HEAD" or (plan.verb is None and exchange.verb == "HEAD")
        return self._upstream.send(
            plan.origin, outbound, request.body, timeout=plan.timeout, head_only=head_only, stream=stream
        )

    def response(self, exchange: Exchange, plan: HttpProxyPlan, inbound: UpstreamResponse) -> Response:
        exchange.integration_status = inbound.status
        response = answer(inbound)
        if inbound.stream is not None and plan.idle is not None:
            exchange.transfer_mode = "STREAMED"
            deadline = asyncio.get_running_loop().time() + plan.timeout - exchange.waited
            response.body = StreamedBody(inbound.stream, inbound.stream.aclose, deadline=deadline, idle=plan.idle)
        return response

    def sent(self, exchange: Exchange, plan: HttpProxyPlan, outbound: bytes) -> Sent:
        line, *fields = outbound.rstrip(b"\r\n").split(b"\r\n")
        target = line.split(b" ")[1].decode("latin-1")
        headers = [(name, value) for name, _, value in (field.partition(b": ") for field in fields)]
        return Sent(f"{plan.origin.scheme}://{plan.origin.authority}{target}", headers, exchange.request.body)

    def received(self, inbound: UpstreamResponse) -> Received:
        return Received(inbound.status, inbound.headers, inbound.body)


_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def _path(exchange: Exchange, plan: HttpProxyPlan) -> bytes:
    parts = []
    for part in plan.path:
        if isinstance(part, bytes):
            parts.append(part)
        elif isinstance(part.source, RawLabel):
            # Decoding and encoding again would turn an escaped slash into a real one.
            parts.append(quote(exchange.raw_labels.get(part.source.name, ""), safe=_FORM_SAFE).encode())
        else:
            parts.append(quote(part.source(exchange) or "", safe="/:@!$&'()*+,;=-._~", errors="replace").encode())
    return b"".join(parts)


def _query(exchange: Exchange, plan: HttpProxyPlan) -> bytes:
    query = exchange.request.query
    if not plan.query and not plan.query_sources:
        return query.encode("latin-1") if query else b""
    parts = [plan.query] if plan.query else []
    mapped = set()
    for name, value in mapped_values(exchange, plan.query_sources):
        mapped.add(name)
        parts.append(quote(name, safe="").encode() + b"=" + quote(value, safe="", errors="replace").encode())
    sent = query.encode("latin-1").split(b"&") if query else []
    parts += [argument for argument in sent if argument.partition(b"=")[0] not in mapped]
    return b"&".join(parts)


def _mapped_headers(exchange: Exchange, plan: HttpProxyPlan, parts: list[bytes]) -> None:
    for name, value in mapped_values(exchange, plan.header_sources):
        parts += (name, b": ", field_value(value), b"\r\n")


def _forwarded(exchange: Exchange, plan: HttpProxyPlan) -> bytes:
    """The client's own fields that go on, and those that tell of the client: the same for every request with this head."""
    parts: list[bytes] = []
    agent = plan.maps_user_agent
    client = exchange.source_ip.encode()
    for lower, name, value in exchange.request.headers.entries:
        if lower == b"x-forwarded-for":
            client = value + b", " + client
        elif lower == b"authorization" and is_signature(value):
            continue
        elif lower not in _NOT_FORWARDED and lower not in plan.overridden:
            parts += (name, b": ", value, b"\r\n")
            if lower == b"user-agent":
                agent = True
    if not agent:
        parts.append(plan.user_agent)
    for line in (b"X-Forwarded-For: " + client + b"\r\n", *exchange.host.forwarded):
        if line.partition(b":")[0].lower() not in plan.overridden:
            parts.append(line)
    return b"".join(parts)
