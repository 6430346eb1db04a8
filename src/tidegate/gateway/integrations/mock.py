"""MOCK: the answer that the plan has ready. Source: *Set up mock integrations in API Gateway*."""

from __future__ import annotations

from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Response
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.headers import field_value
from tidegate.gateway.responses import configuration_error
from tidegate.mapping.media import mime
from tidegate.plan.nodes import BrokenPlan, MockAnswer, MockPlan


class Mock:
    def outbound(self, exchange: Exchange, plan: MockPlan) -> MockAnswer:
        """The answer for the request's media type. AWS: a request without Content-Type counts as application/json."""
        media_type = mime(exchange.request.headers.get(b"content-type")) or "application/json"
        chosen = plan.by_type.get(media_type, plan.otherwise)
        if chosen is None:
            raise GatewayError("UNSUPPORTED_MEDIA_TYPE", Fault.CLIENT, f"no template for {media_type}")
        if isinstance(chosen, BrokenPlan):
            raise configuration_error(f"Execution failed due to configuration error: {chosen.detail}")
        return chosen

    async def send(self, exchange: Exchange, plan: MockPlan, outbound: MockAnswer) -> MockAnswer:
        exchange.integration_status = outbound.status
        return outbound

    def response(self, exchange: Exchange, plan: MockPlan, inbound: MockAnswer) -> Response:
        headers = []
        for name, source in inbound.headers:
            value = source(exchange)
            if value is not None:
                headers.append((name, field_value(value)))
        return Response(inbound.status, headers, _body(exchange, inbound))

    def sent(self, exchange: Exchange, plan: MockPlan, outbound: MockAnswer) -> None:
        """AWS: the log of a MOCK has no endpoint."""

    def received(self, inbound: MockAnswer) -> None:
        """As in `sent`."""


def _body(exchange: Exchange, answer: MockAnswer) -> bytes:
    """AWS: the template of the first type in Accept, else the first that is declared."""
    bodies = answer.bodies
    if not bodies:
        return b""
    if len(bodies) > 1:
        wanted = mime(exchange.request.headers.get(b"accept")) or "application/json"
        for media_type, body in bodies:
            if media_type == wanted:
                return body
    return bodies[0][1]
