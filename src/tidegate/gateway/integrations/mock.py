"""MOCK: the answer that the plan has ready. Source: *Set up mock integrations in API Gateway*."""

from __future__ import annotations

from tidegate.core.message import Response
from tidegate.gateway.exchange import Exchange
from tidegate.mapping.media import mime
from tidegate.plan.nodes import MockPlan


class Mock:
    def outbound(self, exchange: Exchange, plan: MockPlan) -> None:
        """There is no backend."""

    async def send(self, exchange: Exchange, plan: MockPlan, outbound: None) -> None:
        exchange.integration_status = plan.status

    def response(self, exchange: Exchange, plan: MockPlan, inbound: None) -> Response:
        headers = []
        for name, source in plan.headers:
            value = source(exchange)
            if value is not None:
                headers.append((name, value.encode()))
        return Response(plan.status, headers, _body(exchange, plan))


def _body(exchange: Exchange, plan: MockPlan) -> bytes:
    """AWS: the template of the first type in Accept, else the first that is declared."""
    bodies = plan.bodies
    if not bodies:
        return b""
    if len(bodies) > 1:
        wanted = mime(exchange.request.headers.get(b"accept")) or "application/json"
        for media_type, body in bodies:
            if media_type == wanted:
                return body
    return bodies[0][1]
