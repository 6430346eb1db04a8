"""Which resource types there are. A type that is not here is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tidegate.deploy.resources.apigateway import Resource, RestApi
from tidegate.deploy.resources.apigateway_domains import (
    BasePathMapping,
    BasePathMappingV2,
    DomainName,
    DomainNameAccessAssociation,
    DomainNameV2,
)
from tidegate.deploy.resources.apigateway_keys import (
    Account,
    ApiKey,
    ClientCertificate,
    UsagePlan,
    UsagePlanKey,
    VpcLink,
)
from tidegate.deploy.resources.apigateway_parts import (
    Authorizer,
    DocumentationPart,
    DocumentationVersion,
    GatewayResponse,
    Model,
    RequestValidator,
)
from tidegate.deploy.resources.base import Provider
from tidegate.deploy.resources.deployment import Deployment
from tidegate.deploy.resources.function import Function, Permission
from tidegate.deploy.resources.function_parts import (
    Alias,
    EventInvokeConfig,
    LayerVersion,
    LayerVersionPermission,
    Url,
    Version,
)
from tidegate.deploy.resources.method import Method
from tidegate.deploy.resources.recorded import RECORDED
from tidegate.deploy.resources.stage import Stage
from tidegate.deploy.resources.table import DynamoTable
from tidegate.deploy.resources.user_pools import USER_POOL_TYPES

_MADE: Final[tuple[Provider, ...]] = (
    Account(),
    Alias(),
    ApiKey(),
    Authorizer(),
    BasePathMapping(),
    BasePathMappingV2(),
    ClientCertificate(),
    Deployment(),
    DocumentationPart(),
    DocumentationVersion(),
    DomainName(),
    DomainNameAccessAssociation(),
    DomainNameV2(),
    DynamoTable(),
    EventInvokeConfig(),
    Function(),
    GatewayResponse(),
    LayerVersion(),
    LayerVersionPermission(),
    Method(),
    Model(),
    Permission(),
    RequestValidator(),
    Resource(),
    RestApi(),
    Stage(),
    Url(),
    UsagePlan(),
    UsagePlanKey(),
    Version(),
    VpcLink(),
    *USER_POOL_TYPES,
)

PROVIDERS: Final[Mapping[str, Provider]] = {provider.type: provider for provider in _MADE} | dict(RECORDED)
"""Providers keep no state: one of each is enough."""
