"""Which resource types there are. A type that is not here is refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tidegate.deploy.resources.apigateway import Account, Resource, RestApi
from tidegate.deploy.resources.base import Provider
from tidegate.deploy.resources.function import Function, Permission
from tidegate.deploy.resources.method import Method
from tidegate.deploy.resources.recorded import RECORDED
from tidegate.deploy.resources.stage import Deployment, Stage
from tidegate.deploy.resources.table import DynamoTable

_MADE: Final[tuple[Provider, ...]] = (
    Account(),
    Deployment(),
    DynamoTable(),
    Function(),
    Method(),
    Permission(),
    Resource(),
    RestApi(),
    Stage(),
)

PROVIDERS: Final[Mapping[str, Provider]] = {provider.type: provider for provider in _MADE} | dict(RECORDED)
"""Providers keep no state: one of each is enough."""
