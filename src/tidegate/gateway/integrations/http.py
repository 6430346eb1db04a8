"""HTTP with templates: only what the method maps goes to the backend, and an integration response makes the answer.

Source: *Set up HTTP integrations in API Gateway*; shared facts, rest-data-plane §4 and §12.3.
"""

from __future__ import annotations

from collections.abc import Awaitable

from tidegate.core.message import Headers, Response, Upstream, UpstreamResponse
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.execution_log import Received, Sent
from tidegate.gateway.outbound import Inbound, Outbound, headers_of, path_of, query_of
from tidegate.gateway.transform import outbound_body, respond
from tidegate.mapping.header_names import NOT_SENT
from tidegate.plan.nodes import HttpPlan

_JSON = "application/json"


class Http:
    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def outbound(self, exchange: Exchange, plan: HttpPlan) -> Outbound:
        body = outbound_body(exchange, plan.request)
        fixed = [*plan.headers, ("X-Amzn-Trace-Id", exchange.trace_id)]
        if body:
            # AWS: the client's type, or JSON.
            given = exchange.request.headers.get(b"content-type")
            fixed.append(("Content-Type", _JSON if given is None else given.decode("latin-1")))
        return Outbound(
            verb=exchange.verb if plan.verb is None else plan.verb.decode(),
            path=path_of(exchange, plan.path),
            query=query_of(exchange, plan.query, plan.query_sources),
            headers=headers_of(exchange, fixed, plan.header_sources, NOT_SENT),
            body=body,
        )

    def send(self, exchange: Exchange, plan: HttpPlan, outbound: Outbound) -> Awaitable[UpstreamResponse]:
        head_only = outbound.verb == "HEAD"
        return self._upstream.send(
            plan.origin, outbound.head(), outbound.body, timeout=plan.timeout, head_only=head_only
        )

    def response(self, exchange: Exchange, plan: HttpPlan, inbound: UpstreamResponse) -> Response:
        exchange.integration_status = inbound.status
        answer = Inbound(inbound.status, Headers.of(inbound.headers), inbound.body)
        return respond(exchange, plan.answer, str(inbound.status), answer)

    def sent(self, exchange: Exchange, plan: HttpPlan, outbound: Outbound) -> Sent:
        uri = f"{plan.origin.scheme}://{plan.origin.authority}{outbound.target}"
        return Sent(uri, [(n.encode(), v.encode()) for n, v in outbound.headers.items()], outbound.body)

    def received(self, inbound: UpstreamResponse) -> Received:
        return Received(inbound.status, inbound.headers, inbound.body)
