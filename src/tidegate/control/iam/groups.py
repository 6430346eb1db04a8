"""Groups and their members. Source: *CreateGroup* and its kin, *AddUserToGroup*, *ListGroupsForUser* (IAM API Reference)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws import identifiers
from tidegate.aws.model import Params
from tidegate.control.context import Context, Operation
from tidegate.control.iam import shown
from tidegate.control.iam.lookup import (
    PERMISSIONS,
    below,
    conflict,
    find,
    over_limit,
    page,
    require_free,
    unuse,
    use,
)
from tidegate.definition.records import Group, GroupMember, User

_MOST_GROUPS = 10
"""Of a user. *IAM and AWS STS quotas*."""


def create(context: Context, params: Params) -> dict[str, Any]:
    require_free(context, Group, params["group_name"])
    group = Group(
        name=params["group_name"],
        path=params.get("path") or "/",
        id=identifiers.unique_id(identifiers.GROUP),
        create_date=context.clock.time(),
    )
    context.tx.put(group)
    return {"group": shown.group(context, group)}


def get(context: Context, params: Params) -> dict[str, Any]:
    group = find(context, Group, params["group_name"])
    members = [context.tx.get(User, member.user) for member in context.tx.list(GroupMember, *group.key)]
    found = page([user for user in members if user is not None], params, "users", lambda user: user.key[0])
    users = [shown.user(context, user) for user in found["users"]]
    return found | {"group": shown.group(context, group), "users": users}


def list_all(context: Context, params: Params) -> dict[str, Any]:
    return _page(context, params, below(context.tx.list(Group), params))


def list_for_user(context: Context, params: Params) -> dict[str, Any]:
    user = find(context, User, params["user_name"])
    groups = [context.tx.get(Group, key) for key in sorted(user.groups)]
    return _page(context, params, [group for group in groups if group is not None])


def _page(context: Context, params: Params, groups: list[Group]) -> dict[str, Any]:
    found = page(groups, params, "groups", lambda group: group.key[0])
    return found | {"groups": [shown.group(context, group) for group in found["groups"]]}


def update(context: Context, params: Params) -> None:
    group = find(context, Group, params["group_name"])
    name = params.get("new_group_name") or group.name
    changed = replace(group, name=name, path=params.get("new_path") or group.path)
    if changed.key != group.key:
        require_free(context, Group, name)
        _move(context, group, changed)
    context.tx.put(changed)


def _move(context: Context, old: Group, new: Group) -> None:
    context.tx.delete(Group, *old.key)
    for member in context.tx.list(GroupMember, *old.key):
        context.tx.delete(GroupMember, *member.key)
        context.tx.put(replace(member, group=new.key[0]))
        user = context.tx.get(User, member.user)
        if user is not None:
            groups = [new.key[0] if key == old.key[0] else key for key in user.groups]
            context.tx.put(replace(user, groups=groups))
    for arn in old.attached:
        unuse(context, arn, PERMISSIONS, old)
        use(context, arn, PERMISSIONS, new)


def delete(context: Context, params: Params) -> None:
    group = find(context, Group, params["group_name"])
    if context.tx.list(GroupMember, *group.key):
        raise conflict("remove users from group")
    if group.inline:
        raise conflict("delete policies")
    if group.attached:
        raise conflict("detach all policies")
    context.tx.delete(Group, *group.key)


def add_user(context: Context, params: Params) -> None:
    group, user = find(context, Group, params["group_name"]), find(context, User, params["user_name"])
    if group.key[0] in user.groups:
        return
    if len(user.groups) >= _MOST_GROUPS:
        raise over_limit(f"GroupsPerUser: {_MOST_GROUPS}")
    context.tx.put(GroupMember(group=group.key[0], user=user.key[0]))
    context.tx.put(replace(user, groups=[*user.groups, group.key[0]]))


def remove_user(context: Context, params: Params) -> None:
    group, user = find(context, Group, params["group_name"]), find(context, User, params["user_name"])
    context.tx.delete(GroupMember, group.key[0], user.key[0])
    context.tx.put(replace(user, groups=[key for key in user.groups if key != group.key[0]]))


OPERATIONS: dict[str, Operation] = {
    "CreateGroup": create,
    "GetGroup": get,
    "ListGroups": list_all,
    "ListGroupsForUser": list_for_user,
    "UpdateGroup": update,
    "DeleteGroup": delete,
    "AddUserToGroup": add_user,
    "RemoveUserFromGroup": remove_user,
}
