"""Account: the settings of the account in a region. Source: shared facts, rest-control-plane §5."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
