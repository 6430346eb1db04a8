"""What an OpenAPI file declares, before it is laid over an API: parts know each other by name, as ids come only then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
    """The file cannot be imported; the message is AWS's, with everything that is wrong."""


class Malformed(ValueError):
    """One value has the wrong type; stops the reading of the part that it is in, and of no other."""


def failure(errors: Sequence[str], warnings: Sequence[str]) -> str:
    """AWS's message for an import that fails [rec; the second part widely reported]."""
    text = "Errors found during import:\n\t" + "\n\t".join(errors)
    return text + ("\nAdditionally, these warnings were found:\n\t" + "\n\t".join(warnings) if warnings else "")


@dataclass(slots=True)
class ImportedApi:
    """Ids and API ids of all records are empty."""

    name: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    """Fields of the RestApi record."""
    vpc_endpoint_ids: list[str] | None = None
    operations: dict[str, dict[str, Method]] = field(default_factory=dict)
    """By path and verb. `authorizer_id` and `request_validator_id` hold names."""
    models: dict[str, Model] = field(default_factory=dict)
    """By name; schemas refer to each other with `extensions.model_url(UNKNOWN_API, name)`."""
    request_validators: dict[str, RequestValidator] = field(default_factory=dict)
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    gateway_responses: dict[str, GatewayResponse] = field(default_factory=dict)
    documentation: list[DocumentationPart] = field(default_factory=list)
    documentation_version: str | None = None
    reads_documentation: bool = True
    """False: the caller has asked to leave documentation alone."""
    errors: list[str] = field(default_factory=list)
    """Why it must not be imported."""
    warnings: list[str] = field(default_factory=list)
    """What the file asks for and an import does not do."""
    notes: list[str] = field(default_factory=list)
    """What API Gateway ignores without a word: for `tidegate check` alone, as a warning could fail an import that AWS takes."""

    def error(self, text: str) -> None:
        _once(self.errors, text)

    def warn(self, text: str) -> None:
        _once(self.warnings, text)

    def note(self, text: str) -> None:
        _once(self.notes, text)

    @contextmanager
    def part(self) -> Iterator[None]:
        """A part of the file: a malformed value in it is an error, and the reading goes on behind the part."""
        try:
            yield
        except Malformed as error:
            self.error(str(error))

    def paths(self) -> set[str]:
        """Every path that the file needs, those in between included."""
        needed = set()
        for path in self.operations:
            parts = path.strip("/").split("/")
            needed |= {"/" + "/".join(parts[:end]) for end in range(1, len(parts) + 1)}
        return needed


UNKNOWN_API = "API-ID"
"""Stands in references between models until the API's id is known."""


def _once(lines: list[str], text: str) -> None:
    if text not in lines:
        lines.append(text)
