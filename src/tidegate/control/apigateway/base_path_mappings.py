"""BasePathMapping. Source: shared facts, endpoints-domains §8."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
