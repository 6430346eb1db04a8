"""The records: one frozen dataclass per AWS entity, as declared. Fields are AWS's members in snake_case.

A record is only ever replaced, never changed. None means "not set" and is not shown; defaults that AWS shows are values.
Not here: what an entity means when a request comes (plan), how it looks on the wire (aws.model).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Something the store keeps. `KEY` names the fields that identify it below its account and region."""

    KEY: ClassVar[tuple[str, ...]] = ()

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(str(getattr(self, name)) for name in self.KEY)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Record):
    KEY = ("api_id", "id")

    api_id: str
    id: str
    created_date: float
    document: str
    """SHA-256 of the deployment document in the store."""
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodSetting:
    """Filled with AWS's defaults the first time that a setting of a method is touched."""

    metrics_enabled: bool = False
    logging_level: str | None = None
    data_trace_enabled: bool = False
    throttling_burst_limit: int = 5000
    throttling_rate_limit: float = 10000.0
    caching_enabled: bool = False
    cache_ttl_in_seconds: int = 300
    cache_data_encrypted: bool = False
    require_authorization_for_cache_control: bool = True
    unauthorized_cache_control_header_strategy: str = "SUCCEED_WITH_RESPONSE_HEADER"


def setting_key(path: str, verb: str) -> str:
    """Under which a stage keeps a method's settings: `pets~1{id}/GET`; for the root `~1/GET`."""
    return f"{path.removeprefix('/').replace('/', '~1') or '~1'}/{verb}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessLogSettings:
    format: str | None = None
    destination_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CanarySettings:
    percent_traffic: float = 0.0
    deployment_id: str | None = None
    stage_variable_overrides: dict[str, str] | None = None
    use_stage_cache: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Record):
    KEY = ("api_id", "stage_name")

    api_id: str
    stage_name: str
    deployment_id: str
    created_date: float
    last_updated_date: float
    description: str | None = None
    variables: dict[str, str] | None = None
    documentation_version: str | None = None
    cache_cluster_enabled: bool = False
    cache_cluster_size: str | None = None
    cache_cluster_status: str = "NOT_AVAILABLE"
    client_certificate_id: str | None = None
    method_settings: dict[str, MethodSetting] = field(default_factory=dict)
    access_log_settings: AccessLogSettings | None = None
    canary_settings: CanarySettings | None = None
    tracing_enabled: bool = False
    web_acl_arn: str | None = None
    tags: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Record):
    """A Lambda function's `$LATEST`. Field names are the Lambda API's in snake_case."""

    KEY = ("function_name",)

    function_name: str
    function_arn: str
    role: str
    runtime: str
    handler: str
    code_sha256: str
    code_size: int
    last_modified: str
    revision_id: str
    description: str = ""
    timeout: int = 3
    memory_size: int = 128
    environment: dict[str, str] | None = None
    architectures: list[str] = field(default_factory=lambda: ["x86_64"])
    tracing_mode: str = "PassThrough"
    tags: dict[str, str] | None = None
    policy: list[dict[str, Any]] = field(default_factory=list)
    """Statements of the resource policy, in the policy language."""
    policy_revision_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack(Record):
    """What `tidegate run` keeps of a template that it deployed; its shape is the deploy room's own."""

    KEY = ("name",)

    name: str
    state: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentDocument:
    """Everything of an API that a deployment freezes."""

    api: RestApi
    resources: list[Resource]
    methods: list[Method]
