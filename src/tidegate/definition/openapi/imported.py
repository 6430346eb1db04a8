"""What an OpenAPI file declares, before it is laid over an API: parts know each other by name, as ids come only then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tidegate.definition.records import (
    Authorizer,
    DocumentationPart,
    GatewayResponse,
    Method,
    Model,
    RequestValidator,
)


class OpenApiError(ValueError):
    """The file cannot be imported at all."""


@dataclass(slots=True)
class ImportedApi:
    """Ids and API ids of all records are empty."""

    name: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    """Fields of the RestApi record."""
    operations: dict[str, dict[str, Method]] = field(default_factory=dict)
    """By path and verb. `authorizer_id` and `request_validator_id` hold names."""
    models: dict[str, Model] = field(default_factory=dict)
    """By name; references between schemas are `#/definitions/NAME` or `#/components/schemas/NAME`, as in the file."""
    request_validators: dict[str, RequestValidator] = field(default_factory=dict)
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    gateway_responses: dict[str, GatewayResponse] = field(default_factory=dict)
    documentation: list[DocumentationPart] = field(default_factory=list)
    documentation_version: str | None = None
    warnings: list[str] = field(default_factory=list)

    def paths(self) -> set[str]:
        """Every path that the file needs, those in between included."""
        needed = set()
        for path in self.operations:
            parts = path.strip("/").split("/")
            needed |= {"/" + "/".join(parts[:end]) for end in range(1, len(parts) + 1)}
        return needed
