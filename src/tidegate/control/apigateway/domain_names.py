"""DomainName. Source: shared facts, endpoints-domains §6 and §7."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
