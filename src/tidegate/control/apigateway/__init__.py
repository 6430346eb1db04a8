"""The management API of API Gateway REST APIs (service `apigateway`, 2015-07-09)."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.control.apigateway import (
    access_associations,
    account,
    api_key_imports,
    api_keys,
    authorizers,
    base_path_mappings,
    client_certificates,
    deployments,
    documentation,
    domain_names,
    exports,
    gateway_responses,
    imports,
    integrations,
    methods,
    models,
    request_validators,
    resources,
    rest_apis,
    stages,
    tags,
    usage,
    usage_plan_keys,
    usage_plans,
    vpc_links,
)
from tidegate.control.context import Operation

OPERATIONS: Mapping[str, Operation] = {
    **access_associations.OPERATIONS,
    **account.OPERATIONS,
    **api_key_imports.OPERATIONS,
    **api_keys.OPERATIONS,
    **authorizers.OPERATIONS,
    **base_path_mappings.OPERATIONS,
    **client_certificates.OPERATIONS,
    **deployments.OPERATIONS,
    **documentation.OPERATIONS,
    **domain_names.OPERATIONS,
    **exports.OPERATIONS,
    **gateway_responses.OPERATIONS,
    **imports.OPERATIONS,
    **integrations.OPERATIONS,
    **methods.OPERATIONS,
    **models.OPERATIONS,
    **request_validators.OPERATIONS,
    **resources.OPERATIONS,
    **rest_apis.OPERATIONS,
    **stages.OPERATIONS,
    **tags.OPERATIONS,
    **usage.OPERATIONS,
    **usage_plan_keys.OPERATIONS,
    **usage_plans.OPERATIONS,
    **vpc_links.OPERATIONS,
}
