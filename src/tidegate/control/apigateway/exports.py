"""GetExport: a deployed stage as an OpenAPI file, written by `definition.openapi`. Source: rest-control-plane §12."""

from __future__ import annotations

from tidegate.control.context import Operation

OPERATIONS: dict[str, Operation] = {}
