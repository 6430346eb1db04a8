"""What runs: deployments, the document that one freezes, and stages."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.definition.records.base import Record
from tidegate.definition.records.parts import Authorizer, GatewayResponse, Model, RequestValidator
from tidegate.definition.records.rest_api import Method, Resource, RestApi


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

    @property
    def deployments(self) -> tuple[str, ...]:
        """The ids of all that it serves: its own deployment and the canary's."""
        canary = self.canary_settings
        return (self.deployment_id,) if canary is None else (self.deployment_id, canary.deployment_id or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentDocument:
    """Everything of an API that a deployment freezes."""

    api: RestApi
    resources: list[Resource]
    methods: list[Method]
    models: list[Model] = field(default_factory=list)
    request_validators: list[RequestValidator] = field(default_factory=list)
    authorizers: list[Authorizer] = field(default_factory=list)
    gateway_responses: list[GatewayResponse] = field(default_factory=list)
