"""The management API of API Gateway REST APIs (service `apigateway`, 2015-07-09)."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.control.apigateway import deployments, imports, integrations, methods, resources, rest_apis, stages, tags
from tidegate.control.context import Operation

OPERATIONS: Mapping[str, Operation] = {
    **rest_apis.OPERATIONS,
    **resources.OPERATIONS,
    **methods.OPERATIONS,
    **integrations.OPERATIONS,
    **deployments.OPERATIONS,
    **stages.OPERATIONS,
    **tags.OPERATIONS,
    **imports.OPERATIONS,
}
