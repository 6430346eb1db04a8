"""DomainNameAccessAssociation. Source: shared facts, endpoints-domains §10."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
