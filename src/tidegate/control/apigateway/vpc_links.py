"""VpcLink. Source: shared facts, rest-control-plane §4 and §6."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
