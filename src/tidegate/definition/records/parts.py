"""What a REST API has beside its tree: models, validators, authorizers, gateway responses, documentation."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.definition.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Record):
    """A JSON schema, known by its name."""

    KEY = ("api_id", "name")

    api_id: str
    id: str
    name: str
    content_type: str
    schema: str | None = None
    """The schema as text."""
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestValidator(Record):
    KEY = ("api_id", "id")

    api_id: str
    id: str
    name: str
    validate_request_body: bool = False
    validate_request_parameters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer(Record):
    KEY = ("api_id", "id")

    api_id: str
    id: str
    name: str
    type: str
    """TOKEN, REQUEST or COGNITO_USER_POOLS."""
    provider_arns: list[str] | None = None
    auth_type: str | None = None
    authorizer_uri: str | None = None
    authorizer_credentials: str | None = None
    identity_source: str | None = None
    identity_validation_expression: str | None = None
    authorizer_result_ttl_in_seconds: int | None = None
    """None: AWS's default of 300 seconds, which is not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse(Record):
    """A customised gateway response; types that have none are not stored."""

    KEY = ("api_id", "response_type")

    api_id: str
    response_type: str
    status_code: str | None = None
    response_parameters: dict[str, str] = field(default_factory=dict)
    response_templates: dict[str, str] = field(default_factory=dict)
    default_response: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentationLocation:
    type: str
    path: str | None = None
    method: str | None = None
    status_code: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentationPart(Record):
    KEY = ("api_id", "id")

    api_id: str
    id: str
    location: DocumentationLocation
    properties: str
    """A JSON object as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentationVersion(Record):
    """A snapshot of an API's documentation parts."""

    KEY = ("api_id", "version")

    api_id: str
    version: str
    created_date: float
    description: str | None = None
    parts: list[DocumentationPart] = field(default_factory=list)
