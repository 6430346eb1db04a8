"""Users. Source: *CreateUser*, *GetUser*, *ListUsers*, *UpdateUser*, *DeleteUser* (IAM API Reference)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws import identifiers
from tidegate.aws.model import Params
from tidegate.control.context import Context, Operation
from tidegate.control.iam import shown
from tidegate.control.iam.lookup import (
    BOUNDARY,
    PERMISSIONS,
    attachable,
    below,
    conflict,
    find,
    own_name,
    page,
    require_free,
    unuse,
    use,
)
from tidegate.definition.records import AccessKey, GroupMember, User


def create(context: Context, params: Params) -> dict[str, Any]:
    name, boundary = params["user_name"], params.get("permissions_boundary")
    require_free(context, User, name)
    user = User(
        name=name,
        path=params.get("path") or "/",
        id=identifiers.unique_id(identifiers.USER),
        create_date=context.clock.time(),
        boundary=boundary and attachable(context, boundary),
        tags=shown.tag_map(params.get("tags")),
    )
    if boundary:
        use(context, boundary, BOUNDARY, user)
    context.tx.put(user)
    return {"user": shown.user(context, user, whole=True)}


def get(context: Context, params: Params) -> dict[str, Any]:
    name = params.get("user_name") or own_name(context).name
    if name is None:
        account = context.scope.account
        return {"user": {"user_id": account, "arn": f"arn:aws:iam::{account}:root", "create_date": 0.0}}
    return {"user": shown.user(context, find(context, User, name), whole=True)}


def list_all(context: Context, params: Params) -> dict[str, Any]:
    users = below(context.tx.list(User), params)
    found = page(users, params, "users", lambda user: user.key[0])
    return found | {"users": [shown.user(context, user) for user in found["users"]]}


def update(context: Context, params: Params) -> None:
    """AWS: a new name or path; keys, groups and policies go with the user."""
    user = find(context, User, params["user_name"])
    name = params.get("new_user_name") or user.name
    changed = replace(user, name=name, path=params.get("new_path") or user.path)
    if changed.key != user.key:
        require_free(context, User, name)
        _move(context, user, changed)
    context.tx.put(changed)


def _move(context: Context, old: User, new: User) -> None:
    context.tx.delete(User, *old.key)
    for key_id in old.access_keys:
        key = context.tx.get(AccessKey, key_id)
        if key is not None:
            context.tx.put(replace(key, user=new.key[0]))
    for group in old.groups:
        context.tx.delete(GroupMember, group, old.key[0])
        context.tx.put(GroupMember(group=group, user=new.key[0]))
    uses = [(arn, PERMISSIONS) for arn in old.attached]
    uses += [(old.boundary, BOUNDARY)] if old.boundary else []
    for arn, usage in uses:
        unuse(context, arn, usage, old)
        use(context, arn, usage, new)


def delete(context: Context, params: Params) -> None:
    user = find(context, User, params["user_name"])
    if user.access_keys:
        raise conflict("delete access keys")
    if user.inline:
        raise conflict("delete policies")
    if user.attached:
        raise conflict("detach all policies")
    if user.groups:
        raise conflict("remove users from group")
    if user.boundary:
        unuse(context, user.boundary, BOUNDARY, user)
    context.tx.delete(User, *user.key)


OPERATIONS: dict[str, Operation] = {
    "CreateUser": create,
    "GetUser": get,
    "ListUsers": list_all,
    "UpdateUser": update,
    "DeleteUser": delete,
}
