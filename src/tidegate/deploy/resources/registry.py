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
from tidegate.deploy.resources.buckets import Bucket, BucketPolicy
from tidegate.deploy.resources.configuration import Parameter, Secret
from tidegate.deploy.resources.deployment import Deployment
from tidegate.deploy.resources.encryption_keys import Key, KeyAlias
from tidegate.deploy.resources.event_buses import EventBus, Rule
from tidegate.deploy.resources.function import Function, Permission
from tidegate.deploy.resources.function_parts import (
    Alias,
    EventInvokeConfig,
    LayerVersion,
    LayerVersionPermission,
    Url,
    Version,
)
from tidegate.deploy.resources.iam import Group, ManagedPolicy, Policy, Role, User
from tidegate.deploy.resources.method import Method
from tidegate.deploy.resources.queues import Queue, QueuePolicy
from tidegate.deploy.resources.recorded import RECORDED
from tidegate.deploy.resources.stage import Stage
from tidegate.deploy.resources.state_machine import StateMachine
from tidegate.deploy.resources.streams import Stream
from tidegate.deploy.resources.table import DynamoTable
from tidegate.deploy.resources.topics import Subscription, Topic, TopicPolicy
from tidegate.deploy.resources.user_pools import USER_POOL_TYPES

_MADE: Final[tuple[Provider, ...]] = (
    *USER_POOL_TYPES,
    Account(),
    Alias(),
    ApiKey(),
    Authorizer(),
    BasePathMapping(),
    BasePathMappingV2(),
    Bucket(),
    BucketPolicy(),
    ClientCertificate(),
    Deployment(),
    DocumentationPart(),
    DocumentationVersion(),
    DomainName(),
    DomainNameAccessAssociation(),
    DomainNameV2(),
    DynamoTable(),
    EventBus(),
    EventInvokeConfig(),
    Function(),
    GatewayResponse(),
    Group(),
    Key(),
    KeyAlias(),
    LayerVersion(),
    LayerVersionPermission(),
    ManagedPolicy(),
    Method(),
    Model(),
    Parameter(),
    Permission(),
    Policy(),
    Queue(),
    QueuePolicy(),
    RequestValidator(),
    Resource(),
    RestApi(),
    Role(),
    Rule(),
    Secret(),
    Stage(),
    StateMachine(),
    Stream(),
    Subscription(),
    Topic(),
    TopicPolicy(),
    Url(),
    UsagePlan(),
    UsagePlanKey(),
    User(),
    Version(),
    VpcLink(),
)

PROVIDERS: Final[Mapping[str, Provider]] = {provider.type: provider for provider in _MADE} | dict(RECORDED)
"""Providers keep no state: one of each is enough."""
