"""MethodResponse: the status codes of a method, with the headers and models that go with each.

Source: *PutMethodResponse* … *DeleteMethodResponse*; shared facts, rest-control-plane §4 to §6.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_method, not_found
from tidegate.control.apigateway.methods import check_models, check_status, invalid_parameter
from tidegate.control.context import Context
from tidegate.control.patch import CONTENT_TYPE, entry, flag, given, patch, rule, table
from tidegate.core.errors import ControlError
from tidegate.definition.records import Method, MethodResponse

HEADER = re.compile(r"method\.response\.header\.[a-zA-Z0-9._$-]+")

RULES = table(
    rule("/responseParameters/{name}", "add replace remove", entry("response_parameters", flag, replaces_only=True)),
    rule(
        "/responseModels/{type}",
        "add replace remove",
        entry("response_models", given, missing=CONTENT_TYPE, replaces_only=True),
    ),
)


def _method(context: Context, params: Params) -> Method:
    return get_method(context, params["rest_api_id"], params["resource_id"], params["http_method"])


def check_method_response(context: Context, api_id: str, response: MethodResponse) -> None:
    """Raises ControlError."""
    check_status(response.status_code)
    for name in response.response_parameters or {}:
        if not HEADER.fullmatch(name):
            raise invalid_parameter(name)
    check_models(context, api_id, response.response_models)


def put_method_response(context: Context, params: Params) -> MethodResponse:
    method = _method(context, params)
    status = params["status_code"]
    responses = dict(method.method_responses or {})
    if status in responses:
        raise ControlError("ConflictException", "Response already exists for this resource", 409)
    responses[status] = MethodResponse(
        status_code=status,
        response_parameters=params.get("response_parameters") or None,
        response_models=params.get("response_models") or None,
    )
    check_method_response(context, method.api_id, responses[status])
    context.tx.put(replace(method, method_responses=responses))
    return responses[status]


def get_method_response(context: Context, params: Params) -> MethodResponse:
    found = (_method(context, params).method_responses or {}).get(params["status_code"])
    if found is None:
        raise not_found("Invalid Response status code specified")
    return found


def update_method_response(context: Context, params: Params) -> MethodResponse:
    method = _method(context, params)
    changed = patch(get_method_response(context, params), params.get("patch_operations"), RULES)
    check_method_response(context, method.api_id, changed)
    context.tx.put(replace(method, method_responses={**(method.method_responses or {}), changed.status_code: changed}))
    return changed


def delete_method_response(context: Context, params: Params) -> None:
    method = _method(context, params)
    gone = get_method_response(context, params).status_code
    rest = {status: kept for status, kept in (method.method_responses or {}).items() if status != gone}
    context.tx.put(replace(method, method_responses=rest or None))


OPERATIONS = {
    "PutMethodResponse": put_method_response,
    "GetMethodResponse": get_method_response,
    "UpdateMethodResponse": update_method_response,
    "DeleteMethodResponse": delete_method_response,
}
