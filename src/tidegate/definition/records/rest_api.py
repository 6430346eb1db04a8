"""A REST API and its tree: resources, methods, integrations and their responses."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.definition.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfiguration:
    types: list[str] = field(default_factory=lambda: ["EDGE"])
    vpc_endpoint_ids: list[str] | None = None
    ip_address_type: str | None = "ipv4"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestApi(Record):
    KEY = ("id",)

    id: str
    name: str
    root_resource_id: str
    created_date: float
    description: str | None = None
    version: str | None = None
    warnings: list[str] | None = None
    binary_media_types: list[str] | None = None
    minimum_compression_size: int | None = None
    api_key_source: str = "HEADER"
    endpoint_configuration: EndpointConfiguration = field(default_factory=EndpointConfiguration)
    policy: str | None = None
    disable_execute_api_endpoint: bool = False
    security_policy: str | None = None
    endpoint_access_mode: str | None = None
    api_status: str | None = None
    tags: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource(Record):
    KEY = ("api_id", "id")

    api_id: str
    id: str
    path: str
    parent_id: str | None = None
    path_part: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodResponse:
    status_code: str
    response_parameters: dict[str, bool] | None = None
    response_models: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationResponse:
    status_code: str
    selection_pattern: str | None = None
    response_parameters: dict[str, str] | None = None
    response_templates: dict[str, str | None] | None = None
    content_handling: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsConfig:
    insecure_skip_verification: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    type: str
    http_method: str | None = None
    uri: str | None = None
    connection_type: str | None = None
    connection_id: str | None = None
    credentials: str | None = None
    request_parameters: dict[str, str] | None = None
    request_templates: dict[str, str | None] | None = None
    passthrough_behavior: str = "WHEN_NO_MATCH"
    content_handling: str | None = None
    timeout_in_millis: int = 29000
    cache_namespace: str | None = None
    cache_key_parameters: list[str] = field(default_factory=list)
    integration_responses: dict[str, IntegrationResponse] | None = None
    tls_config: TlsConfig | None = None
    response_transfer_mode: str | None = None
    integration_target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Method(Record):
    KEY = ("api_id", "resource_id", "http_method")

    api_id: str
    resource_id: str
    http_method: str
    authorization_type: str = "NONE"
    authorizer_id: str | None = None
    api_key_required: bool = False
    request_validator_id: str | None = None
    operation_name: str | None = None
    request_parameters: dict[str, bool] | None = None
    request_models: dict[str, str] | None = None
    authorization_scopes: list[str] | None = None
    method_responses: dict[str, MethodResponse] | None = None
    method_integration: Integration | None = None
