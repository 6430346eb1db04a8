"""Method: what a resource answers to. Source: *PutMethod* … *DeleteMethod*; shared facts, rest-control-plane §4 to §6."""

from __future__ import annotations

import re
from dataclasses import replace

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_method, get_resource
from tidegate.control.apigateway.models import check_content_type
from tidegate.control.context import Context
from tidegate.control.patch import (
    CONTENT_TYPE,
    bad_request,
    boolean,
    choice,
    entry,
    flag,
    given,
    member,
    patch,
    rule,
    table,
    text,
)
from tidegate.core.errors import ControlError
from tidegate.definition.records import Authorizer, Method, Model, RequestValidator

VERBS = ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "HEAD", "ANY")
_AUTHORIZATION_TYPES = ("NONE", "AWS_IAM", "CUSTOM", "COGNITO_USER_POOLS")
_LOCATIONS = ("path", "querystring", "header")
_NAME = re.compile(r"[a-zA-Z0-9._$-]+")
_AUTHORIZERS = {"CUSTOM": ("TOKEN", "REQUEST"), "COGNITO_USER_POOLS": ("COGNITO_USER_POOLS",)}
"""Types of authorizers by the authorization type that they serve."""

METHOD_RULES = table(
    rule("/apiKeyRequired", "replace", boolean("api_key_required")),
    rule("/authorizationType", "replace", choice("authorization_type", *_AUTHORIZATION_TYPES)),
    rule("/authorizerId", "replace", text("authorizer_id")),
    rule("/operationName", "replace", text("operation_name")),
    rule("/requestValidatorId", "replace", text("request_validator_id")),
    rule("/authorizationScopes", "add remove", member("authorization_scopes")),
    rule("/requestParameters/{name}", "add replace remove", entry("request_parameters", flag, replaces_only=True)),
    rule(
        "/requestModels/{type}",
        "add replace remove",
        entry("request_models", given, missing=CONTENT_TYPE, replaces_only=True),
    ),
)


def put_method(context: Context, params: Params) -> Method:
    resource = get_resource(context, params["rest_api_id"], params["resource_id"])
    verb = params["http_method"]
    if context.tx.get(Method, resource.api_id, resource.id, verb) is not None:
        raise ControlError("ConflictException", "Method already exists for this resource", 409)
    method = Method(
        api_id=resource.api_id,
        resource_id=resource.id,
        http_method=verb,
        authorization_type=params["authorization_type"].upper(),
        authorizer_id=params.get("authorizer_id") or None,
        api_key_required=bool(params.get("api_key_required")),
        request_validator_id=params.get("request_validator_id") or None,
        operation_name=params.get("operation_name"),
        request_parameters=params.get("request_parameters") or None,
        request_models=params.get("request_models") or None,
        authorization_scopes=params.get("authorization_scopes") or None,
    )
    check_method(method)
    check_references(context, method)
    context.tx.put(method)
    return method


def check_status(status: str) -> None:
    if not re.fullmatch(r"[1-5]\d\d", status, re.ASCII):
        raise bad_request(f"Invalid status code specified: {status}")


def check_method(method: Method) -> None:
    """Raises ControlError for what AWS refuses whatever else the API holds."""
    if method.http_method not in VERBS:
        raise bad_request(f"Invalid HttpMethod specified. Valid options are {','.join(VERBS)}")
    if method.authorization_type not in _AUTHORIZATION_TYPES:
        raise bad_request(
            "Invalid authorization type specified. Valid options are NONE, AWS_IAM, CUSTOM, COGNITO_USER_POOLS"
        )
    if method.authorization_type in _AUTHORIZERS and not method.authorizer_id:
        raise _invalid_authorizer()
    names = []
    for parameter in method.request_parameters or {}:
        parts = parameter.split(".", 3)
        if (
            len(parts) != 4
            or parts[:2] != ["method", "request"]
            or parts[2] not in _LOCATIONS
            or not _NAME.fullmatch(parts[3])
        ):
            raise invalid_parameter(parameter)
        names.append(parts[3])
    if len(names) != len(set(names)):
        raise bad_request("Parameter names must be unique across querystring, header and path")


def invalid_parameter(parameter: str) -> ControlError:
    return bad_request(
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
        f"[Invalid mapping expression parameter specified: {parameter}]"
    )


def check_references(context: Context, method: Method) -> None:
    """Whether the models, the validator and the authorizer that a method names are in the store. Raises ControlError."""
    check_models(context, method.api_id, method.request_models)
    for response in (method.method_responses or {}).values():
        check_models(context, method.api_id, response.response_models)
    validator = method.request_validator_id
    if validator and context.tx.get(RequestValidator, method.api_id, validator) is None:
        # AWS: a 400 here, a 404 where the validator itself is asked for.
        raise bad_request("Invalid Request Validator identifier specified")
    if method.authorization_type in _AUTHORIZERS:
        authorizer = context.tx.get(Authorizer, method.api_id, method.authorizer_id or "")
        if authorizer is None or authorizer.type not in _AUTHORIZERS[method.authorization_type]:
            raise _invalid_authorizer()


def check_models(context: Context, api_id: str, models: dict[str, str] | None) -> None:
    for content_type, name in (models or {}).items():
        check_content_type(content_type)
        if context.tx.get(Model, api_id, name) is None:
            raise bad_request(f"Invalid model identifier specified: {name}")


def _invalid_authorizer() -> ControlError:
    return bad_request(
        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires "
        "a valid authorizer."
    )


def _get(context: Context, params: Params) -> Method:
    return get_method(context, params["rest_api_id"], params["resource_id"], params["http_method"])


def update_method(context: Context, params: Params) -> Method:
    method = patch(_get(context, params), params.get("patch_operations"), METHOD_RULES)
    method = replace(
        method,
        # Clients unset these with an empty text.
        authorizer_id=method.authorizer_id or None,
        request_validator_id=method.request_validator_id or None,
        authorization_scopes=method.authorization_scopes or None,
    )
    check_method(method)
    check_references(context, method)
    context.tx.put(method)
    return method


def delete_method(context: Context, params: Params) -> None:
    context.tx.delete(Method, *_get(context, params).key)


OPERATIONS = {
    "PutMethod": put_method,
    "GetMethod": _get,
    "UpdateMethod": update_method,
    "DeleteMethod": delete_method,
}
