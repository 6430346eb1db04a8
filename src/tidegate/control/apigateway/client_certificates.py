"""ClientCertificate: a real key pair and a self-signed certificate. Source: shared facts, rest-control-plane §5."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
