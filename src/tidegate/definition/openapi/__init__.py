"""OpenAPI files (Swagger 2.0 and OpenAPI 3.0) with API Gateway's extensions: reading them, and writing a deployment as one."""

from __future__ import annotations

from tidegate.definition.openapi.imported import ImportedApi, OpenApiError, failure
from tidegate.definition.openapi.reader import examine_openapi, read_document, read_openapi

__all__ = ["ImportedApi", "OpenApiError", "examine_openapi", "failure", "read_document", "read_openapi"]
