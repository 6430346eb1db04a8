"""RequestValidator. Source: shared facts, rest-control-plane §5 and §6."""

from __future__ import annotations

from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_validator, methods_with_paths
from tidegate.control.context import Context
from tidegate.control.pages import stored_page
from tidegate.control.patch import Draft, PatchOp, bad_request, boolean, patch, rule, table
from tidegate.core.errors import ControlError
from tidegate.definition.records import RequestValidator, RestApi


def _name(draft: Draft, op: PatchOp) -> None:
    draft["name"] = op.value or ""


RULES = table(
    rule("/name", "replace", _name),
    rule("/validateRequestParameters", "replace", boolean("validate_request_parameters")),
    rule("/validateRequestBody", "replace", boolean("validate_request_body")),
)


def check_validator(validator: RequestValidator) -> None:
    """Raises ControlError for what AWS refuses whatever else the API holds."""
    if not validator.name.strip():
        raise bad_request("Request Validator name cannot be blank")


def _check_name(context: Context, validator: RequestValidator) -> None:
    """Names are unique within an API."""
    for other in context.tx.list(RequestValidator, validator.api_id):
        if other.name == validator.name and other.id != validator.id:
            raise bad_request(
                "Request Validator name must be unique. "
                f"Request Validator '{validator.name}' already exists in this REST API"
            )


def _check_api(context: Context, api_id: str) -> None:
    # AWS: a 400 here, where other entities have a 404.
    if context.tx.get(RestApi, api_id) is None:
        raise bad_request("Invalid REST API identifier specified")


def create_request_validator(context: Context, params: Params) -> RequestValidator:
    _check_api(context, params["rest_api_id"])
    validator = RequestValidator(
        api_id=params["rest_api_id"],
        id=context.ids.child_id(),
        name=params.get("name") or "",
        validate_request_body=bool(params.get("validate_request_body")),
        validate_request_parameters=bool(params.get("validate_request_parameters")),
    )
    return _put(context, validator)


def _put(context: Context, validator: RequestValidator) -> RequestValidator:
    check_validator(validator)
    _check_name(context, validator)
    context.tx.put(validator)
    return validator


def _get(context: Context, params: Params) -> RequestValidator:
    return get_validator(context, params["rest_api_id"], params["request_validator_id"])


def get_request_validators(context: Context, params: Params) -> dict[str, Any]:
    _check_api(context, params["rest_api_id"])
    return stored_page(context.tx, RequestValidator, params, params["rest_api_id"])


def update_request_validator(context: Context, params: Params) -> RequestValidator:
    return _put(context, patch(_get(context, params), params.get("patch_operations"), RULES))


def delete_request_validator(context: Context, params: Params) -> None:
    validator = _get(context, params)
    for path, method in methods_with_paths(context, validator.api_id):
        if method.request_validator_id == validator.id:
            text = f"Cannot delete request validator '{validator.name}', is referenced in method request: "
            raise ControlError("ConflictException", f"{text}{path}/{method.http_method}", 409)
    context.tx.delete(RequestValidator, *validator.key)


OPERATIONS = {
    "CreateRequestValidator": create_request_validator,
    "GetRequestValidator": _get,
    "GetRequestValidators": get_request_validators,
    "UpdateRequestValidator": update_request_validator,
    "DeleteRequestValidator": delete_request_validator,
}
