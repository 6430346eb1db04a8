"""Aliases: names for versions, with weights between two. Source: *Lambda function aliases*; shared facts, lambda §9."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.aws.rest import Answer
from tidegate.control.awslambda.lookup import (
    check_revision,
    conflict,
    get_function_record,
    get_version,
    invalid,
    not_found,
    page,
)
from tidegate.control.awslambda.provisioned import check_alias
from tidegate.control.awslambda.versions import routed_versions
from tidegate.control.context import Context
from tidegate.core.arns import function_arn
from tidegate.definition.records import LATEST, FunctionAlias, FunctionUrl, FunctionVersion


def _shown(alias: FunctionAlias) -> dict[str, Any]:
    weights = alias.additional_version_weights
    return {
        "alias_arn": alias.alias_arn,
        "name": alias.name,
        "function_version": alias.function_version,
        "description": alias.description,
        "routing_config": {"additional_version_weights": weights} if weights else None,
        "revision_id": alias.revision_id,
    }


def _get(context: Context, params: Params) -> FunctionAlias:
    function = get_function_record(context, params)
    alias = context.tx.get(FunctionAlias, function.function_name, params["name"])
    if alias is None:
        raise not_found(f"Cannot find alias arn: {function.function_arn}:{params['name']}")
    return alias


def create_alias(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    name = params["name"]
    arn = function_arn(context.scope.region, context.scope.account, function.function_name, name)
    if context.tx.get(FunctionAlias, function.function_name, name) is not None:
        raise conflict(f"Alias already exists: {arn}")
    alias = FunctionAlias(
        function_name=function.function_name,
        name=name,
        alias_arn=arn,
        function_version=params["function_version"],
        description=params.get("description") or "",
        additional_version_weights=_weights(params) or None,
        revision_id=context.ids.request_id(),
    )
    _check(context, alias)
    context.tx.put(alias)
    return _shown(alias)


def _weights(params: Params) -> dict[str, float]:
    return (params.get("routing_config") or {}).get("additional_version_weights") or {}


def _check(context: Context, alias: FunctionAlias) -> None:
    """That its versions are there and may be mixed. Raises ControlError."""
    main = get_version(context, alias.function_name, alias.function_version)
    check_alias(context, alias)
    weights = alias.additional_version_weights
    if not weights:
        return
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    ((version, weight),) = weights.items()
    if not 0.0 <= weight <= 1.0:
        raise invalid(f"Invalid weight {weight} of version {version}: weights are between 0.0 and 1.0")
    if LATEST in (version, alias.function_version):
        raise invalid("$LATEST is not supported for an alias pointing to more than 1 version")
    if version == alias.function_version:
        raise invalid(
            f"Invalid function version {version}. Function version {version} is already included in routing configuration."
        )
    other = get_version(context, alias.function_name, version)
    if (other.role, other.dead_letter_target) != (main.role, main.dead_letter_target):
        raise invalid("Versions of a weighted alias must have the same execution role and dead-letter queue")


def get_alias(context: Context, params: Params) -> dict[str, Any]:
    return _shown(_get(context, params))


def list_aliases(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    version = params.get("function_version")
    if version not in (None, LATEST) and context.tx.get(FunctionVersion, function.function_name, version) is None:
        raise not_found(f"Function not found: {function.function_arn}:{version}")
    aliases = [
        _shown(alias)
        for alias in context.tx.list(FunctionAlias, function.function_name)
        if version is None or version in routed_versions(alias)
    ]
    found, marker = page(aliases, params, lambda one: str(one["name"]))
    return {"aliases": found, "next_marker": marker}


def update_alias(context: Context, params: Params) -> dict[str, Any]:
    alias = _get(context, params)
    check_revision(alias.revision_id, params, "GetFunction/GetAlias")
    changes = {name: params[name] for name in ("function_version", "description") if params.get(name) is not None}
    if params.get("routing_config") is not None:
        changes["additional_version_weights"] = _weights(params) or None
    changed = replace(alias, revision_id=context.ids.request_id(), **changes)
    _check(context, changed)
    context.tx.put(changed)
    return _shown(changed)


def delete_alias(context: Context, params: Params) -> Answer:
    """AWS: deleting what is not there is fine, as long as the function is."""
    function = get_function_record(context, params)
    for kind in (FunctionAlias, FunctionUrl):
        if context.tx.get(kind, function.function_name, params["name"]) is not None:
            context.tx.delete(kind, function.function_name, params["name"])
    return Answer(b"", status=204)


OPERATIONS = {
    "CreateAlias": create_alias,
    "GetAlias": get_alias,
    "ListAliases": list_aliases,
    "UpdateAlias": update_alias,
    "DeleteAlias": delete_alias,
}
