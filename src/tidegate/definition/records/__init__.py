"""The records: one frozen dataclass per AWS entity, as declared. Fields are AWS's members in snake_case.

A record is only ever replaced, never changed. None means "not set" and is not shown; defaults that AWS shows are values.
Not here: what an entity means when a request comes (plan), how it looks on the wire (aws.model).
"""

from __future__ import annotations

from tidegate.definition.records.account import Account, ClientCertificate, VpcLink
from tidegate.definition.records.base import Record
from tidegate.definition.records.deployment import (
    AccessLogSettings,
    CanarySettings,
    Deployment,
    DeploymentDocument,
    MethodSetting,
    Stage,
    setting_key,
)
from tidegate.definition.records.domains import (
    BasePathMapping,
    DomainName,
    DomainNameAccessAssociation,
    MappedApi,
    MutualTls,
)
from tidegate.definition.records.functions import (
    LATEST,
    Configured,
    EventInvoke,
    Function,
    FunctionAlias,
    FunctionLayer,
    FunctionUrl,
    FunctionVersion,
    Invocable,
    Layer,
    LayerVersion,
    UrlCors,
)
from tidegate.definition.records.keys import (
    ApiKey,
    ApiKeyOrder,
    ApiKeyValue,
    ApiStage,
    QuotaSettings,
    ThrottleSettings,
    UsageExtension,
    UsagePlan,
    UsagePlanKey,
    UsagePlanStage,
)
from tidegate.definition.records.logs import LogGroup
from tidegate.definition.records.parts import (
    Authorizer,
    DocumentationLocation,
    DocumentationPart,
    DocumentationVersion,
    GatewayResponse,
    Model,
    RequestValidator,
)
from tidegate.definition.records.rest_api import (
    EndpointConfiguration,
    Integration,
    IntegrationResponse,
    Method,
    MethodResponse,
    Resource,
    RestApi,
    TlsConfig,
)
from tidegate.definition.records.stack import Stack

__all__ = [
    "LATEST",
    "AccessLogSettings",
    "Account",
    "ApiKey",
    "ApiKeyOrder",
    "ApiKeyValue",
    "ApiStage",
    "Authorizer",
    "BasePathMapping",
    "CanarySettings",
    "ClientCertificate",
    "Configured",
    "Deployment",
    "DeploymentDocument",
    "DocumentationLocation",
    "DocumentationPart",
    "DocumentationVersion",
    "DomainName",
    "DomainNameAccessAssociation",
    "EndpointConfiguration",
    "EventInvoke",
    "Function",
    "FunctionAlias",
    "FunctionLayer",
    "FunctionUrl",
    "FunctionVersion",
    "GatewayResponse",
    "Integration",
    "IntegrationResponse",
    "Invocable",
    "Layer",
    "LayerVersion",
    "LogGroup",
    "MappedApi",
    "Method",
    "MethodResponse",
    "MethodSetting",
    "Model",
    "MutualTls",
    "QuotaSettings",
    "Record",
    "RequestValidator",
    "Resource",
    "RestApi",
    "Stack",
    "Stage",
    "ThrottleSettings",
    "TlsConfig",
    "UrlCors",
    "UsageExtension",
    "UsagePlan",
    "UsagePlanKey",
    "UsagePlanStage",
    "VpcLink",
    "setting_key",
]

API_PARTS: tuple[type[Record], ...] = (
    Resource,
    Method,
    Model,
    RequestValidator,
    Authorizer,
    GatewayResponse,
    DocumentationPart,
    DocumentationVersion,
    Deployment,
    Stage,
)
"""What goes with its REST API: every kind whose key begins with the API's id."""
