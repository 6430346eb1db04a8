"""An integration that is declared so that no call can succeed. AWS accepts it, and answers every request with 500."""

from __future__ import annotations

from tidegate.core.message import Response
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.responses import configuration_error
from tidegate.plan.nodes import BrokenPlan


class Broken:
    def outbound(self, exchange: Exchange, plan: BrokenPlan) -> None:
        raise configuration_error(f"Execution failed due to configuration error: {plan.detail}")

    async def send(self, exchange: Exchange, plan: BrokenPlan, outbound: None) -> None:
        """Never reached: `outbound` raises."""

    def response(self, exchange: Exchange, plan: BrokenPlan, inbound: None) -> Response:
        raise configuration_error(plan.detail)

    def sent(self, exchange: Exchange, plan: BrokenPlan, outbound: None) -> None:
        return None

    def received(self, inbound: None) -> None:
        return None
