"""MOCK: the request template gives a status, and an integration response makes the answer. No backend.

Source: *Set up mock integrations in API Gateway*; shared facts, rest-data-plane §12.2.
"""

from __future__ import annotations

from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Headers, Response
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.outbound import Inbound
from tidegate.gateway.responses import configuration_error
from tidegate.gateway.transform import render_request, respond
from tidegate.mapping.media import mime
from tidegate.mapping.mock_status import mock_status
from tidegate.plan.nodes import MockPlan

_NO_HEADERS = Headers()


class Mock:
    def outbound(self, exchange: Exchange, plan: MockPlan) -> str | None:
        """The status that the template gives; None: the body is passed through, which chooses the default response."""
        content_type = exchange.request.headers.get(b"content-type")
        media_type = mime(content_type) or "application/json"
        template = plan.request.templates.get(media_type)
        if template is None:
            if not plan.request.passes:
                raise GatewayError("UNSUPPORTED_MEDIA_TYPE", Fault.CLIENT, f"no request template for {media_type}")
            return None
        if media_type in plan.constant:
            status = plan.constant[media_type]
        else:
            binary = exchange.stage.binary.match(content_type)
            status = mock_status(render_request(exchange, template, binary=binary))
        if status is None:
            raise configuration_error(
                "Execution failed due to configuration error: Unable to parse statusCode. It should be an integer that is "
                "defined in the request template"
            )
        return status

    async def send(self, exchange: Exchange, plan: MockPlan, outbound: str | None) -> str | None:
        return outbound

    def response(self, exchange: Exchange, plan: MockPlan, inbound: str | None) -> Response:
        # AWS: the client's body is not there for the response template.
        status = int(inbound) if inbound is not None and inbound.isdecimal() else 200
        response = respond(exchange, plan.answer, inbound, Inbound(status, _NO_HEADERS, b""))
        exchange.integration_status = response.status
        return response

    def sent(self, exchange: Exchange, plan: MockPlan, outbound: str | None) -> None:
        """AWS: the log of a MOCK has no endpoint."""

    def received(self, inbound: str | None) -> None:
        """As in `sent`."""
