"""Model: JSON schemas by name, flattened on request, and mapping templates made from them.

Source: *Data models for REST APIs in API Gateway*; shared facts, rest-control-plane §4 to §6.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_api, get_model, methods_with_paths
from tidegate.control.apigateway.model_templates import default_template
from tidegate.control.context import Context
from tidegate.control.pages import stored_page
from tidegate.control.patch import bad_request, patch, rule, table, text
from tidegate.core.errors import ControlError
from tidegate.definition.json_text import decode
from tidegate.definition.records import Model
from tidegate.definition.schemas import (
    Schema,
    at,
    flatten,
    is_draft4,
    parse_reference,
    references,
    unknown_keywords,
)

_NAME = re.compile(r"[a-zA-Z0-9]+")
_CONTENT_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;.*)?")
_MOST_BYTES = 400 * 1024

RULES = table(
    rule("/description", "replace", text("description")),
    rule("/schema", "replace", text("schema")),
)


def check_content_type(content_type: str) -> None:
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise bad_request(
            f"Validation Result: warnings : [], errors : [Invalid content type specified: {content_type}]"
        )


def check_model(context: Context, model: Model) -> None:
    """Raises ControlError. References are looked up in the store: of models that refer to each other, store all, then check."""
    if not model.name:
        raise bad_request("Model name must be non-empty")
    if not _NAME.fullmatch(model.name):
        raise bad_request(f"Model name must be alphanumeric: {model.name}")
    check_content_type(model.content_type)
    if len((model.schema or "").encode()) > _MOST_BYTES:
        raise bad_request("Model schema exceeds the maximum size of 400 KB")
    if not is_json(model.content_type):
        return
    try:
        schema = decode(model.schema) if model.schema and model.schema.strip() else {}
    except ValueError:
        raise _invalid(["Invalid model schema specified"]) from None
    if schema == {}:
        raise bad_request("Model schema must have at least 1 property or array items defined")
    if errors := _schema_errors(context, model, schema):
        raise _invalid(errors)


def is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _invalid(errors: list[str]) -> ControlError:
    return bad_request(f"Invalid model specified: Validation Result: warnings : [], errors : [{', '.join(errors)}]")


def _schema_errors(context: Context, model: Model, schema: Any) -> list[str]:
    if not is_draft4(schema):
        return ["Invalid model schema specified"]
    if unknown := unknown_keywords(schema):
        return [f"Invalid model schema specified. Unsupported keyword(s): {json.dumps(unknown, separators=(',', ':'))}"]
    errors = []
    for found in references(schema):
        error = _reference_error(context, model, schema, found)
        if error and error not in errors:
            errors.append(error)
    if _UNCANONICAL in errors:
        errors.insert(0, "Invalid model schema specified")
    return errors


_UNCANONICAL = "Model reference must be in canonical form"


def _reference_error(context: Context, model: Model, schema: Schema, found: str) -> str | None:
    """Whether a `$ref` leads somewhere: into the schema itself, or to a model of the same API."""
    if found.startswith("#"):
        return None if _leads(schema, found[1:]) else _UNCANONICAL
    parsed = parse_reference(found)
    if parsed is None or parsed[0] != model.api_id:
        return _UNCANONICAL
    _, name, pointer = parsed
    target = schema if name == model.name else _schema_of(context, model.api_id, name)
    if target is None or not _leads(target, pointer):
        return f"Invalid model specified: {name}"
    return None


def _leads(schema: Schema, pointer: str) -> bool:
    try:
        return isinstance(at(schema, pointer), dict) and (not pointer or pointer.startswith("/"))
    except LookupError:
        return False


def _schema_of(context: Context, api_id: str, name: str) -> Schema | None:
    """A JSON model's schema; None: there is no such model."""
    model = context.tx.get(Model, api_id, name)
    if model is None or not is_json(model.content_type):
        return None
    schema: Schema = decode(model.schema or "{}")
    return schema


def create_model(context: Context, params: Params) -> Model:
    api = get_api(context, params["rest_api_id"])
    model = Model(
        api_id=api.id,
        id=context.ids.child_id(),
        name=params["name"],
        content_type=params["content_type"],
        schema=params.get("schema"),
        description=params.get("description"),
    )
    check_model(context, model)
    if context.tx.get(Model, api.id, model.name) is not None:
        raise ControlError("ConflictException", "Model name already exists for this REST API", 409)
    context.tx.put(model)
    return model


def _get(context: Context, params: Params) -> Model:
    return get_model(context, params["rest_api_id"], params["model_name"])


def get_model_operation(context: Context, params: Params) -> Model:
    model = _get(context, params)
    if not params.get("flatten") or not is_json(model.content_type):
        return model
    return replace(model, schema=json.dumps(_flattened(context, model), separators=(",", ":"), ensure_ascii=False))


def _flattened(context: Context, model: Model) -> Schema:
    return flatten(decode(model.schema or "{}"), lambda name: _schema_of(context, model.api_id, name))


def get_models(context: Context, params: Params) -> dict[str, Any]:
    api = get_api(context, params["rest_api_id"])
    return stored_page(context.tx, Model, params, api.id)


def get_model_template(context: Context, params: Params) -> dict[str, str]:
    model = _get(context, params)
    if not is_json(model.content_type):
        raise bad_request(f"Templates are only generated for JSON models, not for {model.content_type}")
    return {"value": default_template(_flattened(context, model))}


def update_model(context: Context, params: Params) -> Model:
    model = patch(_get(context, params), params.get("patch_operations"), RULES)
    check_model(context, model)
    context.tx.put(model)
    return model


def delete_model(context: Context, params: Params) -> None:
    model = _get(context, params)
    if user := _user(context, model):
        raise ControlError("ConflictException", f"Cannot delete model '{model.name}', is referenced in {user}", 409)
    context.tx.delete(Model, *model.key)


def _user(context: Context, model: Model) -> str | None:
    """What refers to a model: a method's request or response, or another model."""
    for path, method in methods_with_paths(context, model.api_id):
        if model.name in (method.request_models or {}).values():
            # AWS: no care for the root's slash, which gives `//GET`.
            return f"method request: {path}/{method.http_method}"
        for status, response in (method.method_responses or {}).items():
            if model.name in (response.response_models or {}).values():
                return f"method response: {path}/{method.http_method}/{status}"
    for other in context.tx.list(Model, model.api_id):
        if other.name != model.name and is_json(other.content_type):
            named = [parse_reference(found) for found in references(decode(other.schema or "{}"))]
            if any(found is not None and found[1] == model.name for found in named):
                return f"model: {other.name}"
    return None


OPERATIONS = {
    "CreateModel": create_model,
    "GetModel": get_model_operation,
    "GetModels": get_models,
    "GetModelTemplate": get_model_template,
    "UpdateModel": update_model,
    "DeleteModel": delete_model,
}
