"""GatewayResponse: the answers to requests that API Gateway itself stops, customised by type. Rendering them is not here.

Source: *Gateway response types for API Gateway*; shared facts, rest-control-plane §4 to §6, rest-data-plane §7.
"""

from __future__ import annotations

import re
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_api, not_found
from tidegate.control.apigateway.methods import check_status
from tidegate.control.apigateway.models import check_content_type
from tidegate.control.context import Context
from tidegate.control.patch import Apply, Draft, PatchOp, bad_request, patch, rule, table, text
from tidegate.core.errors import ControlError
from tidegate.definition.json_text import decode_object
from tidegate.definition.records import GatewayResponse

DEFAULT_STATUS: dict[str, str | None] = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}
"""Every type and its status; None: that of the response which it stands in for."""

_DEFAULT_TEMPLATES = {"application/json": '{"message":$context.error.messageString}'}
_PARAMETER = re.compile(r"gatewayresponse\.(?:header|path|querystring)\.[a-zA-Z0-9._$-]+")
_EXPRESSION = re.compile(
    r"'[^'\r\n]*'|method\.request\.(?:path|querystring|header|multivaluequerystring|multivalueheader)\.[a-zA-Z0-9._$-]+"
    r"|stageVariables\.[A-Za-z0-9_]+|context\.[A-Za-z0-9_.-]+"
)


def default_response(api_id: str, kind: str) -> GatewayResponse:
    """What AWS shows of a type that nobody has customised."""
    return GatewayResponse(
        api_id=api_id,
        response_type=kind,
        status_code=DEFAULT_STATUS[kind],
        response_templates=_DEFAULT_TEMPLATES,
        default_response=True,
    )


def custom_response(
    api_id: str,
    kind: str,
    status_code: str | None,
    parameters: dict[str, str] | None,
    templates: dict[str, str] | None,
) -> GatewayResponse:
    """A customised one: what is not given is as in the default. Raises ControlError for an unknown type."""
    if kind not in DEFAULT_STATUS:
        raise bad_request(f"Invalid gateway response type specified: {kind}")
    return GatewayResponse(
        api_id=api_id,
        response_type=kind,
        status_code=status_code or DEFAULT_STATUS[kind],
        response_parameters=parameters or {},
        response_templates=templates or _DEFAULT_TEMPLATES,
    )


def check_gateway_response(response: GatewayResponse) -> None:
    """Raises ControlError for what AWS refuses."""
    if response.response_type not in DEFAULT_STATUS:
        raise bad_request(f"Invalid gateway response type specified: {response.response_type}")
    if response.status_code is not None:
        check_status(response.status_code)
    for parameter, expression in response.response_parameters.items():
        _require("responseParameters", expression)
        for wanted, given in ((_PARAMETER, parameter), (_EXPRESSION, expression)):
            if not wanted.fullmatch(given):
                raise bad_request(
                    "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
                    f"[Invalid mapping expression specified: {given}]"
                )
    for content_type, template in response.response_templates.items():
        check_content_type(content_type)
        _require("responseTemplates", template)


def _require(member: str, value: str | None) -> None:
    if not value:
        raise bad_request(f"Invalid null or empty value in {member}")


# --- patch rules -----------------------------------------------------------------------------------------------------


def _whole(field: str, member: str) -> Apply:
    """The map: its value is a JSON object; add keeps the entries that it does not name."""

    def apply(draft: Draft, op: PatchOp) -> None:
        if op.op == "remove":
            draft[field] = {}
            return
        _require(member, op.value)
        given = decode_object(op.value)
        if given is None or not all(isinstance(value, str) for value in given.values()):
            raise bad_request(f"Invalid patch value specified for path {op.path}: {op.value}")
        draft[field] = {**draft[field], **given} if op.op == "add" else given

    return apply


def _entry(field: str, member: str, missing: str) -> Apply:
    """One entry, named by the path."""

    def apply(draft: Draft, op: PatchOp) -> None:
        name = op.names[0]
        if op.op != "add" and name not in draft[field]:
            raise not_found(missing)
        if op.op == "remove":
            draft[field] = {key: value for key, value in draft[field].items() if key != name}
        else:
            _require(member, op.value)
            draft[field] = {**draft[field], name: op.value}

    return apply


RULES = table(
    rule("/statusCode", "replace", text("status_code")),
    rule("/responseParameters", "add replace remove", _whole("response_parameters", "responseParameters")),
    rule(
        "/responseParameters/{name}",
        "add replace remove",
        _entry("response_parameters", "responseParameters", "Invalid parameter name specified"),
    ),
    rule("/responseTemplates", "add replace remove", _whole("response_templates", "responseTemplates")),
    rule(
        "/responseTemplates/{type}",
        "add replace remove",
        _entry("response_templates", "responseTemplates", "Content-Type specified was not found"),
    ),
)


# --- operations ------------------------------------------------------------------------------------------------------


def put_gateway_response(context: Context, params: Params) -> GatewayResponse:
    api = get_api(context, params["rest_api_id"])
    parameters, templates = params.get("response_parameters"), params.get("response_templates")
    response = custom_response(api.id, params["response_type"], params.get("status_code"), parameters, templates)
    return _put(context, response)


def _put(context: Context, response: GatewayResponse) -> GatewayResponse:
    check_gateway_response(response)
    context.tx.put(response)
    return response


def _get(context: Context, params: Params) -> GatewayResponse:
    api = get_api(context, params["rest_api_id"])
    kind = params["response_type"]
    return context.tx.get(GatewayResponse, api.id, kind) or default_response(api.id, kind)


def get_gateway_responses(context: Context, params: Params) -> dict[str, Any]:
    """All types, whatever the limit. AWS: this collection has no pages."""
    api = get_api(context, params["rest_api_id"])
    custom = {response.response_type: response for response in context.tx.list(GatewayResponse, api.id)}
    return {"items": [custom.get(kind) or default_response(api.id, kind) for kind in DEFAULT_STATUS]}


def update_gateway_response(context: Context, params: Params) -> GatewayResponse:
    before = _get(context, params)
    after = patch(before, params.get("patch_operations"), RULES)
    return _put(
        context,
        custom_response(
            before.api_id,
            before.response_type,
            after.status_code,
            after.response_parameters,
            after.response_templates,
        ),
    )


def delete_gateway_response(context: Context, params: Params) -> None:
    api = get_api(context, params["rest_api_id"])
    if context.tx.get(GatewayResponse, api.id, params["response_type"]) is None:
        raise ControlError("NotFoundException", "Gateway response type not defined on api", 404)
    context.tx.delete(GatewayResponse, api.id, params["response_type"])


OPERATIONS = {
    "PutGatewayResponse": put_gateway_response,
    "GetGatewayResponse": _get,
    "GetGatewayResponses": get_gateway_responses,
    "UpdateGatewayResponse": update_gateway_response,
    "DeleteGatewayResponse": delete_gateway_response,
}
