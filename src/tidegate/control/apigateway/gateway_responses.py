"""GatewayResponse: the customised ones and AWS's defaults. Source: shared facts, rest-control-plane §4 to §6."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
