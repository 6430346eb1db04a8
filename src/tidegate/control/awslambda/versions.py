"""Versions: `$LATEST`, frozen under a number. Source: *Lambda function versions*; shared facts, lambda §9."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.awslambda.lookup import (
    check_revision,
    conflict,
    function_missing,
    get_function_record,
    invalid,
    page,
)
from tidegate.control.awslambda.shown import configuration
from tidegate.control.context import Context
from tidegate.definition.records import Configured, Function, FunctionAlias, FunctionVersion, Invocable

_NOT_FROZEN = frozenset(field.name for field in fields(Invocable)) | {"last_modified", "description"}
_FROZEN = tuple(field.name for field in fields(Configured) if field.name not in _NOT_FROZEN)
"""What makes a version another one when it changes."""


def publish(context: Context, function: Function, description: str | None = None) -> FunctionVersion:
    """AWS: when nothing has changed since the last version, that one is given back."""
    last = context.tx.get(FunctionVersion, function.function_name, str(function.last_version))
    if last is not None and all(getattr(last, name) == getattr(function, name) for name in _FROZEN):
        return last
    number = function.last_version + 1
    copied = {field.name: getattr(function, field.name) for field in fields(Configured)}
    copied |= {"policy": [], "policy_revision_id": "", "event_invoke": None, "revision_id": context.ids.request_id()}
    if description is not None:
        copied["description"] = description
    version = FunctionVersion(**copied, version=str(number))
    context.tx.put(version)
    context.tx.put(replace(function, last_version=number))
    return version


def versions_of(context: Context, function: Function) -> list[Function | FunctionVersion]:
    """`$LATEST`, then the versions in their order."""
    published = context.tx.list(FunctionVersion, function.function_name)
    return [function, *sorted(published, key=lambda version: int(version.version))]


def drop_version(context: Context, name: str, version: str) -> None:
    """Deletes it. Raises ControlError while an alias leads to it, or when there is none of that number."""
    if not version.isdecimal():
        raise invalid("Tidegate deletes functions and versions; an alias is deleted by DeleteAlias")
    if context.tx.get(FunctionVersion, name, version) is None:
        raise function_missing(context, name, version)
    users = [alias.name for alias in context.tx.list(FunctionAlias, name) if version in routed_versions(alias)]
    if users:
        raise conflict(f"Unable to delete version because the following aliases reference it: [{', '.join(users)}]")
    context.tx.delete(FunctionVersion, name, version)


def routed_versions(alias: FunctionAlias) -> tuple[str, ...]:
    return (alias.function_version, *(alias.additional_version_weights or {}))


def publish_version(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    if params.get("publish_to"):
        raise invalid("Tidegate does not support versions (PublishTo) yet")
    check_revision(function.revision_id, params, "GetFunction/GetAlias")
    wanted = params.get("code_sha256")
    if wanted and wanted != function.code_sha256:
        raise invalid(
            f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({function.code_sha256}). Please try "
            "again with the CodeSHA256 in $LATEST."
        )
    return configuration(publish(context, function, params.get("description")))


def list_versions(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    shown = [
        configuration(version, qualifier=None if isinstance(version, FunctionVersion) else "$LATEST")
        for version in versions_of(context, function)
    ]
    found, marker = page(shown, params, lambda one: str(one["version"]))
    return {"versions": found, "next_marker": marker}


OPERATIONS = {"PublishVersion": publish_version, "ListVersionsByFunction": list_versions}
