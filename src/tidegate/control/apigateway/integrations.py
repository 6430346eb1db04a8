"""Integration and IntegrationResponse. Source: shared facts, rest-control-plane §4 to §6."""

from __future__ import annotations

import re
from dataclasses import replace

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_integration, get_method, not_found
from tidegate.control.apigateway.methods import VERBS, check_status
from tidegate.control.context import Context
from tidegate.control.patch import (
    Apply,
    Draft,
    PatchOp,
    bad_request,
    boolean,
    choice,
    entry,
    integer,
    member,
    patch,
    rule,
    table,
    text,
)
from tidegate.definition.records import Integration, IntegrationResponse, Method, TlsConfig

_HTTP_TYPES = ("HTTP", "HTTP_PROXY")
_EXPRESSION = re.compile(
    r"'[^'\r\n]*'|method\.request\.(?:path|querystring|header|multivaluequerystring|multivalueheader)\.[a-zA-Z0-9._$-]+"
    r"|method\.request\.body(?:\..+)?|stageVariables\.[A-Za-z0-9_]+|context\.[A-Za-z0-9_.-]+"
)
_RESPONSE_EXPRESSION = re.compile(
    r"'[^'\r\n]*'|integration\.response\.(?:header|multivalueheader)\.[a-zA-Z0-9._$-]+|integration\.response\.body(?:\..+)?"
    r"|stageVariables\.[A-Za-z0-9_]+|context\.[A-Za-z0-9_.-]+"
)
_RESPONSE_TARGET = re.compile(r"method\.response\.header\.[a-zA-Z0-9._$-]+")
_NOT_IN_URI = re.compile(r"[\x00-\x20\x7f#]")
_CONTENT_HANDLING = ("CONVERT_TO_BINARY", "CONVERT_TO_TEXT")
_CHOICES = {
    "passthrough_behavior": ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"),
    "content_handling": _CONTENT_HANDLING,
    "connection_type": ("INTERNET", "VPC_LINK"),
    "response_transfer_mode": ("BUFFERED", "STREAM"),
}
_TARGET = re.compile(r"integration\.request\.(?:path|querystring|header)\.[a-zA-Z0-9._$-]+")
_URI_ARN = re.compile(r"arn:aws[\w-]*:apigateway:[\w-]+:[\w.-]+:(?:path|action)/.+", re.DOTALL)


def _timeout_complaint(milliseconds: int) -> str | None:
    return None if 50 <= milliseconds <= 29000 else "Timeout should be between 50 ms and 29000 ms"


def _not_mock(field: str) -> Apply:
    def apply(draft: Draft, op: PatchOp) -> None:
        if draft["type"] == "MOCK":
            raise bad_request(f"Invalid patch path {op.path}")
        draft[field] = op.value

    return apply


def _skip_verification(draft: Draft, op: PatchOp) -> None:
    draft["tls_config"] = draft.get("tls_config") or {}
    boolean("insecure_skip_verification")(draft["tls_config"], op)


RULES = table(
    rule("/httpMethod", "replace", _not_mock("http_method")),
    rule("/uri", "replace", _not_mock("uri")),
    rule("/credentials", "replace", text("credentials")),
    rule("/cacheKeyParameters", "add replace remove", member("cache_key_parameters")),
    rule("/cacheNamespace", "replace", text("cache_namespace")),
    rule("/connectionId", "replace", text("connection_id")),
    rule("/connectionType", "replace", choice("connection_type", "INTERNET", "VPC_LINK")),
    rule("/contentHandling", "replace", text("content_handling")),
    rule("/integrationTarget", "replace", text("integration_target")),
    rule(
        "/passthroughBehavior",
        "replace",
        choice("passthrough_behavior", "WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"),
    ),
    rule("/responseTransferMode", "replace", choice("response_transfer_mode", "BUFFERED", "STREAM")),
    rule("/timeoutInMillis", "replace", integer("timeout_in_millis", _timeout_complaint)),
    rule("/tlsConfig/insecureSkipVerification", "replace", _skip_verification),
    rule("/requestParameters/{name}", "add replace remove", entry("request_parameters")),
    rule("/requestTemplates/{type}", "add replace remove", entry("request_templates")),
)
RESPONSE_RULES = table(
    rule("/contentHandling", "replace", text("content_handling")),
    rule("/selectionPattern", "replace", text("selection_pattern")),
    rule("/responseParameters/{name}", "add replace remove", entry("response_parameters")),
    rule("/responseTemplates/{type}", "add replace remove", entry("response_templates")),
)


def put_integration(context: Context, params: Params) -> Integration:
    method = _method(context, params)
    kind = params["type"]
    tls = params.get("tls_config")
    integration = Integration(
        type=kind,
        http_method=params.get("integration_http_method") if kind != "MOCK" else None,
        uri=params.get("uri"),
        connection_type=params.get("connection_type") or ("INTERNET" if kind in _HTTP_TYPES else None),
        connection_id=params.get("connection_id"),
        credentials=params.get("credentials"),
        request_parameters=params.get("request_parameters") or None,
        request_templates=params.get("request_templates") or None,
        passthrough_behavior=params.get("passthrough_behavior") or "WHEN_NO_MATCH",
        content_handling=params.get("content_handling"),
        timeout_in_millis=29000 if params.get("timeout_in_millis") is None else params["timeout_in_millis"],
        cache_namespace=params.get("cache_namespace") or method.resource_id,
        cache_key_parameters=params.get("cache_key_parameters") or [],
        tls_config=None
        if tls is None
        else TlsConfig(insecure_skip_verification=bool(tls.get("insecure_skip_verification"))),
        response_transfer_mode=params.get("response_transfer_mode") or "BUFFERED",
        integration_target=params.get("integration_target"),
    )
    check_integration(integration)
    context.tx.put(replace(method, method_integration=integration))
    return integration


def check_integration(integration: Integration) -> None:
    """Raises ControlError for what AWS refuses whatever else the API holds."""
    kind, uri = integration.type, integration.uri or ""
    if kind != "MOCK" and not integration.http_method:
        raise bad_request("Enumeration value for HttpMethod must be non-empty")
    if integration.http_method and integration.http_method not in VERBS:
        raise bad_request(f"Invalid HttpMethod specified. Valid options are {','.join(VERBS)}")
    # A blank or a line break would end the request line that goes to the backend; a fragment is no part of it.
    if _NOT_IN_URI.search(uri) or "@" in uri.partition("://")[2].partition("/")[0]:
        raise bad_request("Invalid HTTP endpoint specified for URI")
    for name, allowed in _CHOICES.items():
        value = getattr(integration, name)
        if value is not None and value not in allowed:
            raise bad_request(
                f"Invalid {name.replace('_', ' ')} specified: {value}. Must be one of: [{', '.join(allowed)}]"
            )
    if kind in _HTTP_TYPES and not (uri.startswith(("http://", "https://")) or "${stageVariables." in uri):
        raise bad_request("Invalid HTTP endpoint specified for URI")
    if kind in ("AWS", "AWS_PROXY"):
        _check_arn(kind, uri)
    if complaint := _timeout_complaint(integration.timeout_in_millis):
        raise bad_request(complaint)
    for target, expression in (integration.request_parameters or {}).items():
        if not _TARGET.fullmatch(target):
            raise _mapping_error(target)
        if not _EXPRESSION.fullmatch(expression):
            raise _mapping_error(expression)
    _check_content_types(integration.request_templates)
    for response in (integration.integration_responses or {}).values():
        check_integration_response(response)


def check_integration_response(response: IntegrationResponse) -> None:
    """Raises ControlError."""
    check_status(response.status_code)
    if response.selection_pattern is not None:
        try:
            re.compile(response.selection_pattern)
        except re.error:
            raise bad_request("Invalid selection pattern specified in the request") from None
    for target, expression in (response.response_parameters or {}).items():
        if not _RESPONSE_TARGET.fullmatch(target):
            raise _mapping_error(target)
        if not _RESPONSE_EXPRESSION.fullmatch(expression):
            raise _mapping_error(expression)
    if response.content_handling not in (None, *_CONTENT_HANDLING):
        raise bad_request(f"Invalid content handling specified: {response.content_handling}")
    _check_content_types(response.response_templates)


def _check_arn(kind: str, uri: str) -> None:
    if not uri.startswith("arn:") or uri.count(":") < 5:
        raise bad_request("Invalid ARN specified in the request")
    if not _URI_ARN.fullmatch(uri):
        raise bad_request("AWS ARN for integration must contain path or action")
    if kind == "AWS_PROXY" and ":lambda:path/" not in uri and ":firehose:" not in uri:
        raise bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations."
        )


def _mapping_error(expression: str) -> Exception:
    return bad_request(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
        f"[Invalid mapping expression specified: {expression}]"
    )


def _check_content_types(templates: dict[str, str | None] | None) -> None:
    for name in templates or {}:
        if "/" not in name and name != "$default":
            raise bad_request(f"Validation Result: warnings : [], errors : [Invalid content type specified: {name}]")


def _method(context: Context, params: Params) -> Method:
    return get_method(context, params["rest_api_id"], params["resource_id"], params["http_method"])


def get_integration_operation(context: Context, params: Params) -> Integration:
    return get_integration(_method(context, params))


def update_integration(context: Context, params: Params) -> Integration:
    method = _method(context, params)
    integration = patch(get_integration(method), params.get("patch_operations"), RULES)
    check_integration(integration)
    context.tx.put(replace(method, method_integration=integration))
    return integration


def delete_integration(context: Context, params: Params) -> None:
    method = _method(context, params)
    get_integration(method)
    context.tx.put(replace(method, method_integration=None))


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
    declared = (method.method_responses or {})[response.status_code].response_parameters or {}
    for target in response.response_parameters or {}:
        if target not in declared:
            raise bad_request(f"Invalid mapping expression parameter specified: {target}")
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
    response = patch(get_integration_response(context, params), params.get("patch_operations"), RESPONSE_RULES)
    _store_response(context, _method(context, params), response)
    return response


def delete_integration_response(context: Context, params: Params) -> None:
    method = _method(context, params)
    gone = get_integration_response(context, params).status_code
    integration = get_integration(method)
    rest = {status: kept for status, kept in (integration.integration_responses or {}).items() if status != gone}
    context.tx.put(replace(method, method_integration=replace(integration, integration_responses=rest or None)))


OPERATIONS = {
    "PutIntegration": put_integration,
    "GetIntegration": get_integration_operation,
    "UpdateIntegration": update_integration,
    "DeleteIntegration": delete_integration,
    "PutIntegrationResponse": put_integration_response,
    "GetIntegrationResponse": get_integration_response,
    "UpdateIntegrationResponse": update_integration_response,
    "DeleteIntegrationResponse": delete_integration_response,
}
