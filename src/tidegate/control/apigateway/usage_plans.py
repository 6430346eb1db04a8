"""UsagePlan, its keys, and their usage. Source: shared facts, rest-control-plane §4 to §7."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
