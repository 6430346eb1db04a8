"""DocumentationPart and DocumentationVersion. Source: shared facts, rest-control-plane §5 and §6."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
