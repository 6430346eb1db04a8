"""One module per kind of integration. Each has three moves: request → outbound, outbound → inbound, inbound → response."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Protocol

from tidegate.core.message import Response
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.execution_log import Received, Sent


class IntegrationKind(Protocol):
    """What the pipeline asks of an integration. The types of `plan`, outbound and inbound are the kind's own."""

    def outbound(self, exchange: Exchange, plan: Any) -> Any:
        """Integration request. Raises GatewayError."""
        ...

    def send(self, exchange: Exchange, plan: Any, outbound: Any) -> Awaitable[Any]:
        """Call the backend. Raises GatewayError or UpstreamError."""
        ...

    def response(self, exchange: Exchange, plan: Any, inbound: Any) -> Response:
        """Integration response. Raises GatewayError."""
        ...

    def sent(self, exchange: Exchange, plan: Any, outbound: Any) -> Sent | None:
        """What `send` sends, for the execution log; None: there is no backend."""
        ...

    def received(self, inbound: Any) -> Received | None:
        """What came back, for the execution log."""
        ...
