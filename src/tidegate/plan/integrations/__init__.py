"""Compiling integrations: from the declaration to the node that the gateway runs. One module per family of types.

Source: *Choose an API Gateway API integration type*; shared facts, rest-data-plane §12.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tidegate.definition.records import Integration, Method
from tidegate.plan.integrations.aws import service_plan
from tidegate.plan.integrations.common import MissingVariable, Surroundings, is_the_callers
from tidegate.plan.integrations.functions import function_plan, function_proxy_plan, names_function
from tidegate.plan.integrations.http import http_plan, http_proxy_plan
from tidegate.plan.integrations.mock import mock_plan
from tidegate.plan.nodes import BrokenPlan, IntegrationPlan

__all__ = ["Surroundings", "compile_integration"]

# AWS: headers that a mapping may not set; such a request fails with 500 (shared facts, rest-data-plane §5).
_FORBIDDEN = frozenset({"content-length", "transfer-encoding"})
_FORBIDDEN_AWS = _FORBIDDEN | {"authorization", "connection", "expect", "proxy-authenticate", "te"}

_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/\S+", re.ASCII)


def compile_integration(method: Method, resource_path: str, around: Surroundings, pointer: str) -> IntegrationPlan:
    """What is wrong with it is added to the surroundings' problems."""
    integration = method.method_integration
    if integration is None:
        around.problem(pointer, "No integration defined for method")
        return BrokenPlan("no integration")
    if forbidden := _forbidden_target(integration):
        return BrokenPlan(f"the header {forbidden} can not be mapped")
    if is_the_callers(integration.credentials) and method.authorization_type != "AWS_IAM":
        return BrokenPlan("only methods with the authorization type AWS_IAM have credentials of the caller to pass on")
    if integration.type == "MOCK":
        return mock_plan(method, integration, around, pointer)
    try:
        uri = around.substituted(integration.uri or "")
        integration = _with_credentials(integration, around)
    except MissingVariable as missing:
        return BrokenPlan(str(missing))
    if integration.type == "HTTP_PROXY":
        return http_proxy_plan(integration, uri, around, pointer)
    if integration.type == "HTTP":
        return http_plan(method, integration, uri, around, pointer)
    if integration.type == "AWS_PROXY":
        return function_proxy_plan(integration, uri, resource_path, around, pointer)
    if names_function(uri):
        return function_plan(method, integration, uri, resource_path, around, pointer)
    return service_plan(method, integration, uri, around, pointer)


def _with_credentials(integration: Integration, around: Surroundings) -> Integration:
    """With the stage's variables in the role's ARN. Raises MissingVariable, also for what is then no role."""
    given = integration.credentials
    if given is None or "${" not in given:
        return integration
    role = around.substituted(given)
    if not _ROLE.fullmatch(role):
        raise MissingVariable(f"Invalid credentials: {role}")
    return replace(integration, credentials=role)


def _forbidden_target(integration: Integration) -> str | None:
    forbidden = _FORBIDDEN_AWS if integration.type.startswith("AWS") else _FORBIDDEN
    for target in integration.request_parameters or {}:
        name = target.removeprefix("integration.request.header.")
        if name != target and name.lower() in forbidden:
            return name
    return None
