"""Log groups: create, delete, retention, tags. Source: *CreateLogGroup* and its kin (CloudWatch Logs API Reference)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.context import Context, Operation
from tidegate.core.errors import ControlError
from tidegate.definition.records import Function, LogGroup

OF_FUNCTIONS = "/aws/lambda/"
RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


def missing() -> ControlError:
    return ControlError("ResourceNotFoundException", "The specified log group does not exist.")


def group_arn(context: Context, name: str) -> str:
    return f"arn:aws:logs:{context.scope.region}:{context.scope.account}:log-group:{name}"


def name_of(text: str) -> str:
    """Of a group given by name or ARN."""
    return (
        text.split(":log-group:", 1)[1].removesuffix(":*")
        if text.startswith("arn:") and ":log-group:" in text
        else text
    )


def groups_of(context: Context, _params: Params) -> list[LogGroup]:
    """Those with a record, and one for every function; by their names."""
    found = {f"{OF_FUNCTIONS}{function.function_name}": None for function in context.tx.list(Function)}
    records = {group.name: group for group in context.tx.list(LogGroup)}
    implied = {name: LogGroup(name=name, creation_time=0) for name in found}
    return sorted((implied | records).values(), key=lambda group: group.name)


def get(context: Context, name: str) -> LogGroup:
    found = context.tx.get(LogGroup, name)
    if found is not None:
        return found
    function = context.tx.get(Function, name.removeprefix(OF_FUNCTIONS)) if name.startswith(OF_FUNCTIONS) else None
    if function is None:
        raise missing()
    return LogGroup(name=name, creation_time=_now(context))


def _now(context: Context) -> int:
    return int(context.clock.time() * 1000)


def create(context: Context, params: Params) -> None:
    name = params["log_group_name"]
    if params.get("kms_key_id"):
        raise ControlError("InvalidParameterException", "Tidegate does not support customer managed keys yet")
    if params.get("deletion_protection_enabled"):
        raise ControlError("InvalidParameterException", "Tidegate does not support deletion protection yet")
    if context.tx.get(LogGroup, name) is not None:
        raise ControlError("ResourceAlreadyExistsException", "The specified log group already exists")
    context.tx.put(
        LogGroup(
            name=name,
            creation_time=_now(context),
            tags=params.get("tags"),
            log_group_class=params.get("log_group_class") or "STANDARD",
        )
    )


def delete(context: Context, params: Params) -> str:
    group = get(context, params["log_group_name"])
    if context.tx.get(LogGroup, group.name) is not None:
        context.tx.delete(LogGroup, group.name)
    return group.name


def put_retention(context: Context, params: Params) -> None:
    days = params["retention_in_days"]
    if days not in RETENTIONS:
        allowed = ", ".join(map(str, RETENTIONS))
        raise ControlError(
            "InvalidParameterException",
            f"1 validation error detected: Value '{days}' at 'retentionInDays' failed to satisfy constraint: Member must "
            f"satisfy enum value set: [{allowed}]",
        )
    context.tx.put(replace(get(context, params["log_group_name"]), retention_in_days=days))


def delete_retention(context: Context, params: Params) -> None:
    context.tx.put(replace(get(context, params["log_group_name"]), retention_in_days=None))


def list_tags(context: Context, params: Params) -> dict[str, Any]:
    name = params.get("resource_arn") or params.get("log_group_name") or ""
    return {"tags": get(context, name_of(name)).tags or {}}


def tag(context: Context, params: Params) -> None:
    group = get(context, name_of(params["resource_arn"]))
    context.tx.put(replace(group, tags={**(group.tags or {}), **params["tags"]}))


def untag(context: Context, params: Params) -> None:
    group = get(context, name_of(params["resource_arn"]))
    rest = {key: value for key, value in (group.tags or {}).items() if key not in params["tag_keys"]}
    context.tx.put(replace(group, tags=rest or None))


OPERATIONS: dict[str, Operation] = {
    "CreateLogGroup": create,
    "PutRetentionPolicy": put_retention,
    "DeleteRetentionPolicy": delete_retention,
    "ListTagsForResource": list_tags,
    "ListTagsLogGroup": list_tags,
    "TagResource": tag,
    "UntagResource": untag,
}
