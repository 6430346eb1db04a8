"""Authorizer, as declared: Lambda authorizers (TOKEN, REQUEST) and Cognito user pools. Running them is not here.

Source: *CreateAuthorizer*; shared facts, access §4.1 and §5, rest-control-plane §5 and §6.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_api, get_authorizer, methods_with_paths
from tidegate.control.apigateway.methods import check_references
from tidegate.control.context import Context
from tidegate.control.pages import stored_page
from tidegate.control.patch import Draft, PatchOp, bad_request, integer, member, patch, rule, table, text
from tidegate.core.errors import ControlError
from tidegate.definition.records import Authorizer, RestApi

LAMBDA_TYPES = ("TOKEN", "REQUEST")
COGNITO = "COGNITO_USER_POOLS"

_URI = re.compile(
    r"arn:aws[\w-]*:apigateway:[a-z]{2,}(?:-[a-z]+)+-\d+:lambda:path/\d{4}-\d\d-\d\d/functions/.+/invocations",
    re.DOTALL,
)
_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:(?:role|user)/.+")
_POOL = re.compile(r"arn:aws[\w-]*:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[\w-]+")
_STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.\w+\}")
_TOKEN_SOURCE = re.compile(r"method\.request\.header\.[a-zA-Z0-9._-]+")
_SOURCE = re.compile(
    r"method\.request\.(?:header|querystring)\.[a-zA-Z0-9._$-]+|stageVariables\.[A-Za-z0-9_]+|context\.[A-Za-z0-9_.-]+"
)
_LONGEST_TTL = 3600


def check_authorizer(authorizer: Authorizer) -> None:
    """Raises ControlError for what AWS refuses whatever else the API holds."""
    if not authorizer.name.strip():
        raise bad_request("Authorizer name must be non-empty")
    if authorizer.type not in (*LAMBDA_TYPES, COGNITO):
        raise bad_request(f"Tidegate does not support authorizers of type {authorizer.type} yet")
    ttl = authorizer.authorizer_result_ttl_in_seconds
    if ttl is not None and (complaint := _ttl_complaint(ttl)):
        raise bad_request(complaint)
    if authorizer.authorizer_credentials and not _ROLE.fullmatch(authorizer.authorizer_credentials):
        raise bad_request("Invalid ARN specified in the request")
    if authorizer.type == COGNITO:
        _check_pools(authorizer)
    elif not _URI.fullmatch(authorizer.authorizer_uri or ""):
        raise bad_request(
            f"Invalid Authorizer URI: {_shown(authorizer.authorizer_uri)}. Authorizer URI should be a valid API Gateway ARN "
            "that represents a Lambda function invocation."
        )
    if authorizer.type == "REQUEST":
        _check_request_sources(authorizer)
    elif not _TOKEN_SOURCE.fullmatch(authorizer.identity_source or ""):
        raise bad_request(
            f"Invalid token source expression: {_shown(authorizer.identity_source)}. The source must be a method request "
            "header, matching 'method.request.header.[a-zA-Z0-9._-]+'."
        )


def _shown(value: str | None) -> str:
    return "null" if value is None else value


def _ttl_complaint(seconds: int) -> str | None:
    if 0 <= seconds <= _LONGEST_TTL:
        return None
    return f"Invalid authorizer result TTL specified: {seconds}. Must be between 0 and {_LONGEST_TTL} seconds"


def _check_pools(authorizer: Authorizer) -> None:
    if not authorizer.provider_arns:
        raise bad_request(f"Authorizers of type {COGNITO} require at least one provider ARN")
    for arn in authorizer.provider_arns:
        # AWS: stage variables may stand for a part or the whole.
        if not _POOL.fullmatch(arn) and not _STAGE_VARIABLE.search(arn):
            raise bad_request(f"Invalid ARN. ARN is not well formed {arn}")


def _check_request_sources(authorizer: Authorizer) -> None:
    if not authorizer.identity_source:
        if authorizer.authorizer_result_ttl_in_seconds != 0:
            # AWS: says no more than this. Results are cached by the identity source, so there must be one.
            raise bad_request("Invalid request input")
        return
    for source in authorizer.identity_source.split(","):
        if not _SOURCE.fullmatch(source.strip()):
            raise bad_request(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
                f"[Invalid mapping expression specified: {source.strip()}]"
            )


def _check_name(context: Context, authorizer: Authorizer) -> None:
    """Names are unique within an API."""
    for other in context.tx.list(Authorizer, authorizer.api_id):
        if other.name == authorizer.name and other.id != authorizer.id:
            raise bad_request(
                f"Authorizer name must be unique. Authorizer {authorizer.name} already exists in this RestApi."
            )


def _name(draft: Draft, op: PatchOp) -> None:
    draft["name"] = op.value or ""


def _type(draft: Draft, op: PatchOp) -> None:
    if op.value not in (*LAMBDA_TYPES, COGNITO):
        raise bad_request(f"Invalid authorizer type specified. Valid options are {', '.join((*LAMBDA_TYPES, COGNITO))}")
    draft["type"] = op.value


def _identity_source(draft: Draft, op: PatchOp) -> None:
    """Add and remove work on one expression of the list, replace on the whole."""
    if op.op == "replace":
        draft["identity_source"] = op.value or None
        return
    sources = [source.strip() for source in (draft.get("identity_source") or "").split(",") if source.strip()]
    if op.op == "remove":
        sources = [source for source in sources if op.value not in (None, source)]
    elif op.value and op.value not in sources:
        sources.append(op.value)
    draft["identity_source"] = ",".join(sources) or None


RULES = table(
    rule("/name", "replace", _name),
    rule("/type", "replace", _type),
    rule("/authType", "replace", text("auth_type")),
    rule("/authorizerUri", "replace", text("authorizer_uri")),
    rule("/authorizerCredentials", "replace", text("authorizer_credentials")),
    rule("/authorizerResultTtlInSeconds", "replace", integer("authorizer_result_ttl_in_seconds", _ttl_complaint)),
    rule("/identityValidationExpression", "replace", text("identity_validation_expression")),
    rule("/identitySource", "add replace remove", _identity_source),
    rule("/providerARNs", "add remove", member("provider_arns")),
)


def create_authorizer(context: Context, params: Params) -> Authorizer:
    if context.tx.get(RestApi, params["rest_api_id"]) is None:
        # AWS: no 404 here.
        text = "Unable to complete operation due to concurrent modification. Please try again later."
        raise ControlError("ConflictException", text, 409)
    kind = params["type"]
    authorizer = Authorizer(
        api_id=params["rest_api_id"],
        id=context.ids.child_id(),
        name=params["name"],
        type=kind,
        provider_arns=params.get("provider_arns") or None,
        auth_type=params.get("auth_type") or default_auth_type(kind),
        authorizer_uri=params.get("authorizer_uri"),
        authorizer_credentials=params.get("authorizer_credentials") or None,
        identity_source=params.get("identity_source"),
        identity_validation_expression=params.get("identity_validation_expression"),
        authorizer_result_ttl_in_seconds=params.get("authorizer_result_ttl_in_seconds"),
    )
    return _put(context, authorizer)


def default_auth_type(kind: str) -> str:
    return "cognito_user_pools" if kind == COGNITO else "custom"


def _put(context: Context, authorizer: Authorizer) -> Authorizer:
    check_authorizer(authorizer)
    _check_name(context, authorizer)
    context.tx.put(authorizer)
    return authorizer


def _get(context: Context, params: Params) -> Authorizer:
    return get_authorizer(context, params["rest_api_id"], params["authorizer_id"])


def get_authorizers(context: Context, params: Params) -> dict[str, Any]:
    api = get_api(context, params["rest_api_id"])
    return stored_page(context.tx, Authorizer, params, api.id)


def update_authorizer(context: Context, params: Params) -> Authorizer:
    authorizer = patch(_get(context, params), params.get("patch_operations"), RULES)
    authorizer = _put(context, replace(authorizer, authorizer_credentials=authorizer.authorizer_credentials or None))
    for _, method in methods_with_paths(context, authorizer.api_id):
        if method.authorizer_id == authorizer.id:
            # Another type must still be one that the method can have.
            check_references(context, method)
    return authorizer


def delete_authorizer(context: Context, params: Params) -> None:
    authorizer = _get(context, params)
    for path, method in methods_with_paths(context, authorizer.api_id):
        if method.authorizer_id == authorizer.id:
            text = f"Cannot delete authorizer '{authorizer.name}', is referenced in method: "
            # AWS: the verb, a slash, and the path with its own.
            raise ControlError("ConflictException", f"{text}{method.http_method}/{path}", 409)
    context.tx.delete(Authorizer, *authorizer.key)


OPERATIONS = {
    "CreateAuthorizer": create_authorizer,
    "GetAuthorizer": _get,
    "GetAuthorizers": get_authorizers,
    "UpdateAuthorizer": update_authorizer,
    "DeleteAuthorizer": delete_authorizer,
}
