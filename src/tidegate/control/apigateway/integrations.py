"""Integration: what a method asks for its answer. Its responses are in `integration_responses`.

Not here: whether it can run (plan). Source: *PutIntegration* … *DeleteIntegration*; shared facts, rest-control-plane §4 to §6.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tidegate.aws.model import Params
from tidegate.control.apigateway.integration_rules import (
    CONTENT_HANDLING,
    check_integration_response,
    check_templates,
    mapping_error,
)
from tidegate.control.apigateway.lookup import get_integration, get_method
from tidegate.control.apigateway.methods import VERBS, invalid_parameter
from tidegate.control.context import Context
from tidegate.control.patch import (
    CONTENT_TYPE,
    Apply,
    Draft,
    PatchOp,
    bad_request,
    boolean,
    choice,
    entry,
    given,
    integer,
    keyed_member,
    member,
    patch,
    required,
    rule,
    table,
)
from tidegate.definition.records import Integration, Method, TlsConfig, VpcLink

_HTTP_TYPES = ("HTTP", "HTTP_PROXY")
_EXPRESSION = re.compile(
    r"'[^'\r\n]*'|method\.request\.(?:path|querystring|header|multivaluequerystring|multivalueheader)\.[a-zA-Z0-9._$-]+"
    r"|method\.request\.body(?:\..+)?|stageVariables\.[A-Za-z0-9_]+|context\.[A-Za-z0-9_.-]+"
)
_LONGEST = 29000
_LONGEST_STREAM = 900000
_CREDENTIALS = re.compile(
    r"arn:aws[\w-]*:iam::(?:(?:\d{12}|\$\{stageVariables\.\w+\}):(?:role/\S+|\$\{stageVariables\.\w+\})|\*:user/\*)",
    re.ASCII,
)
_CACHE_KEY = re.compile(r"method\.request\.(?:path|querystring|header)\.[a-zA-Z0-9._$-]+")
_NOT_IN_URI = re.compile(r"[\x00-\x20\x7f#]")
_CHOICES = {
    "passthrough_behavior": ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"),
    "content_handling": CONTENT_HANDLING,
    "connection_type": ("INTERNET", "VPC_LINK"),
    "response_transfer_mode": ("BUFFERED", "STREAM"),
}
_SOURCE = re.compile(r"method\.request\.(?:multivalue)?(path|querystring|header)\.(.+)")
_TARGET = re.compile(r"integration\.request\.(?:path|querystring|header)\.[a-zA-Z0-9._$-]+")
_URI_ARN = re.compile(r"arn:aws[\w-]*:apigateway:[\w-]+:[\w.-]+:(?:path|action)/.+", re.DOTALL)


def _timeout_complaint(integration: Integration) -> str | None:
    longest = _LONGEST_STREAM if integration.response_transfer_mode == "STREAM" else _LONGEST
    fits = 50 <= integration.timeout_in_millis <= longest
    return None if fits else f"Timeout should be between 50 ms and {longest} ms"


def _not_mock(field: str) -> Apply:
    def apply(draft: Draft, op: PatchOp) -> None:
        if draft["type"] == "MOCK":
            raise bad_request(f"Invalid patch path {op.path}")
        draft[field] = op.value

    return apply


def _connection_type(draft: Draft, op: PatchOp) -> None:
    choice("connection_type", *_CHOICES["connection_type"])(draft, op)
    if op.value == "INTERNET":
        # AWS: the id is undefined then; no operation removes it.
        draft["connection_id"] = None


def _optional(field: str) -> Apply:
    def apply(draft: Draft, op: PatchOp) -> None:
        draft[field] = op.value or None

    return apply


def _skip_verification(draft: Draft, op: PatchOp) -> None:
    draft["tls_config"] = draft.get("tls_config") or {}
    boolean("insecure_skip_verification")(draft["tls_config"], op)


RULES = table(
    rule("/httpMethod", "replace", _not_mock("http_method")),
    rule("/uri", "replace", _not_mock("uri")),
    rule("/credentials", "replace", _optional("credentials")),
    rule("/cacheKeyParameters", "add replace remove", member("cache_key_parameters")),
    # Terraform's form of the same.
    rule("/cacheKeyParameters/{name}", "add replace remove", keyed_member("cache_key_parameters")),
    rule("/cacheNamespace", "replace", required("cache_namespace")),
    rule("/connectionId", "replace", _optional("connection_id")),
    rule("/connectionType", "replace", _connection_type),
    rule("/contentHandling", "replace", choice("content_handling", *CONTENT_HANDLING, optional=True)),
    rule("/integrationTarget", "replace", _optional("integration_target")),
    rule("/passthroughBehavior", "replace", choice("passthrough_behavior", *_CHOICES["passthrough_behavior"])),
    rule("/responseTransferMode", "replace", choice("response_transfer_mode", *_CHOICES["response_transfer_mode"])),
    rule("/timeoutInMillis", "replace", integer("timeout_in_millis")),
    rule("/tlsConfig/insecureSkipVerification", "replace", _skip_verification),
    rule("/requestParameters/{name}", "add replace remove", entry("request_parameters", given, replaces_only=True)),
    rule(
        "/requestTemplates/{type}",
        "add replace remove",
        # AWS: a template without a value is one that passes the body through.
        entry("request_templates", lambda op: op.value, missing=CONTENT_TYPE, replaces_only=True),
    ),
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
        connection_id=params.get("connection_id") or None,
        credentials=params.get("credentials") or None,
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
    _check_surroundings(context, method, integration)
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
    if complaint := _timeout_complaint(integration):
        raise bad_request(complaint)
    for target, expression in (integration.request_parameters or {}).items():
        if not _TARGET.fullmatch(target):
            raise mapping_error(target)
        if not _EXPRESSION.fullmatch(expression):
            raise mapping_error(expression)
    check_templates(integration.request_templates)
    if integration.credentials and not _CREDENTIALS.fullmatch(integration.credentials):
        raise bad_request("Invalid ARN specified in the request")
    _check_connection(integration)
    if integration.response_transfer_mode == "STREAM" and kind not in ("HTTP_PROXY", "AWS_PROXY"):
        raise bad_request(
            "The response transfer mode STREAM is only supported for HTTP_PROXY and AWS_PROXY integrations"
        )
    for response in (integration.integration_responses or {}).values():
        check_integration_response(response)


def _check_connection(integration: Integration) -> None:
    if integration.connection_type == "VPC_LINK":
        if integration.type not in _HTTP_TYPES:
            raise bad_request("The connection type VPC_LINK is only supported for HTTP and HTTP_PROXY integrations")
        if not integration.connection_id:
            raise bad_request("connectionId must be specified when the connection type is VPC_LINK")
    elif integration.connection_id:
        raise bad_request("connectionId can only be specified when the connection type is VPC_LINK")


def _check_surroundings(context: Context, method: Method, integration: Integration) -> None:
    """What an integration names must be there: parameters of its method, its VPC link. Raises ControlError."""
    check_sources(method, integration)
    for name in integration.cache_key_parameters:
        if not _CACHE_KEY.fullmatch(name) or name not in (method.request_parameters or {}):
            raise bad_request(f"Invalid cache key parameter specified: {name}")
    link = integration.connection_id
    if link and "${stageVariables." not in link and context.tx.get(VpcLink, link) is None:
        raise bad_request("Invalid Vpc Link identifier specified")


def check_sources(method: Method, integration: Integration) -> None:
    """AWS [rec]: a mapping takes only parameters that the method declares. Raises ControlError."""
    declared = method.request_parameters or {}
    for expression in (integration.request_parameters or {}).values():
        found = _SOURCE.fullmatch(expression)
        if found and f"method.request.{found[1]}.{found[2]}" not in declared:
            raise invalid_parameter(expression)


def _check_arn(kind: str, uri: str) -> None:
    if not uri.startswith("arn:") or uri.count(":") < 5:
        raise bad_request("Invalid ARN specified in the request")
    if not _URI_ARN.fullmatch(uri):
        raise bad_request("AWS ARN for integration must contain path or action")
    if kind == "AWS_PROXY" and ":lambda:path/" not in uri and ":firehose:" not in uri:
        raise bad_request(
            "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations."
        )


def _method(context: Context, params: Params) -> Method:
    return get_method(context, params["rest_api_id"], params["resource_id"], params["http_method"])


def get_integration_operation(context: Context, params: Params) -> Integration:
    return get_integration(_method(context, params))


def update_integration(context: Context, params: Params) -> Integration:
    method = _method(context, params)
    integration = patch(get_integration(method), params.get("patch_operations"), RULES)
    check_integration(integration)
    _check_surroundings(context, method, integration)
    context.tx.put(replace(method, method_integration=integration))
    return integration


def delete_integration(context: Context, params: Params) -> None:
    method = _method(context, params)
    get_integration(method)
    context.tx.put(replace(method, method_integration=None))


OPERATIONS = {
    "PutIntegration": put_integration,
    "GetIntegration": get_integration_operation,
    "UpdateIntegration": update_integration,
    "DeleteIntegration": delete_integration,
}
