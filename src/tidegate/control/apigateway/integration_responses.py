"""IntegrationResponse: what becomes of a backend's answer, chosen by a pattern.

Source: *PutIntegrationResponse* … *DeleteIntegrationResponse*; shared facts, rest-control-plane §4 to §6.
"""

from __future__ import annotations

from dataclasses import replace

from tidegate.aws.model import Params
from tidegate.control.apigateway.integration_rules import CONTENT_HANDLING, check_integration_response
from tidegate.control.apigateway.lookup import get_integration, get_method, not_found
from tidegate.control.apigateway.methods import invalid_parameter
from tidegate.control.context import Context
from tidegate.control.patch import CONTENT_TYPE, choice, entry, given, patch, rule, table, text
from tidegate.definition.records import IntegrationResponse, Method

RULES = table(
    rule("/contentHandling", "replace", choice("content_handling", *CONTENT_HANDLING, optional=True)),
    rule("/selectionPattern", "replace", text("selection_pattern")),
    rule("/responseParameters/{name}", "add replace remove", entry("response_parameters", given, replaces_only=True)),
    rule(
        "/responseTemplates/{type}",
        "add replace remove",
        # AWS: a template without a value is one that passes the body through.
        entry("response_templates", lambda op: op.value, missing=CONTENT_TYPE, replaces_only=True),
    ),
)


def _method(context: Context, params: Params) -> Method:
    return get_method(context, params["rest_api_id"], params["resource_id"], params["http_method"])


def put_integration_response(context: Context, params: Params) -> IntegrationResponse:
    method = _method(context, params)
    status = params["status_code"]
    if status not in (method.method_responses or {}):
        raise not_found("Invalid Response status code specified")
    response = IntegrationResponse(
        status_code=status,
        selection_pattern=params.get("selection_pattern") or None,
        response_parameters=params.get("response_parameters") or None,
        response_templates=params.get("response_templates") or None,
        content_handling=params.get("content_handling"),
    )
    _store_response(context, method, response)
    return response


def _store_response(context: Context, method: Method, response: IntegrationResponse) -> None:
    """Checked against the method response that it feeds."""
    answer = (method.method_responses or {}).get(response.status_code)
    declared = (answer.response_parameters if answer else None) or {}
    for target in response.response_parameters or {}:
        if target not in declared:
            raise invalid_parameter(target)
    check_integration_response(response)
    integration = get_integration(method)
    responses = {**(integration.integration_responses or {}), response.status_code: response}
    context.tx.put(replace(method, method_integration=replace(integration, integration_responses=responses)))


def get_integration_response(context: Context, params: Params) -> IntegrationResponse:
    integration = get_integration(_method(context, params))
    found = (integration.integration_responses or {}).get(params["status_code"])
    if found is None:
        raise not_found("Invalid Response status code specified")
    return found


def update_integration_response(context: Context, params: Params) -> IntegrationResponse:
    response = patch(get_integration_response(context, params), params.get("patch_operations"), RULES)
    _store_response(context, _method(context, params), response)
    return response


def delete_integration_response(context: Context, params: Params) -> None:
    method = _method(context, params)
    gone = get_integration_response(context, params).status_code
    integration = get_integration(method)
    rest = {status: kept for status, kept in (integration.integration_responses or {}).items() if status != gone}
    context.tx.put(replace(method, method_integration=replace(integration, integration_responses=rest or None)))


OPERATIONS = {
    "PutIntegrationResponse": put_integration_response,
    "GetIntegrationResponse": get_integration_response,
    "UpdateIntegrationResponse": update_integration_response,
    "DeleteIntegrationResponse": delete_integration_response,
}
