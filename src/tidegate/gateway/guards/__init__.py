"""Who may call: one module per authorization type. A guard returns when the request may go on, and raises GatewayError otherwise.

Source: *Controlling and managing access to a REST API*; shared facts, access. Policies are decided by `aws.policy`.
"""

from __future__ import annotations

from typing import Any, Protocol

from tidegate.gateway.exchange import Exchange


class GuardKind(Protocol):
    """What the pipeline asks of a guard. The type of `plan` is the guard's own."""

    async def authorize(self, exchange: Exchange, plan: Any) -> None:
        """Raises GatewayError."""
        ...
