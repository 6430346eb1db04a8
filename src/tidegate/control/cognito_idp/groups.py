"""Groups of users, which tokens tell as `cognito:groups`. Source: *Adding groups to a user pool*."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.cognito_idp.attributes import check_name
from tidegate.control.cognito_idp.desk import Desk, Operation, page
from tidegate.control.cognito_idp.errors import missing
from tidegate.control.cognito_idp.lookup import pool_of, user_of
from tidegate.control.cognito_idp.users import shown
from tidegate.core.errors import ControlError
from tidegate.definition.records import PoolGroupMember, PoolUser, UserPoolGroup


def _group(desk: Desk, pool_id: str, name: str) -> UserPoolGroup:
    found = desk.tx.get(UserPoolGroup, pool_of(desk, pool_id).id, name)
    if found is None:
        raise missing("Group not found.")
    return found


def create(desk: Desk, params: Params) -> dict[str, Any]:
    pool, name = pool_of(desk, params["user_pool_id"]), params["group_name"]
    check_name(name, "groupName")
    if desk.tx.get(UserPoolGroup, pool.id, name) is not None:
        raise ControlError("GroupExistsException", "A group with the name already exists.")
    group = UserPoolGroup(
        user_pool_id=pool.id,
        group_name=name,
        description=params.get("description"),
        role_arn=params.get("role_arn"),
        precedence=params.get("precedence"),
        creation_date=desk.now,
        last_modified_date=desk.now,
    )
    desk.tx.put(group)
    return {"group": group}


def get(desk: Desk, params: Params) -> dict[str, Any]:
    return {"group": _group(desk, params["user_pool_id"], params["group_name"])}


def list_groups(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    groups, token = page(desk, UserPoolGroup, pool.id, params=params)
    return {"groups": groups, "next_token": token}


def update(desk: Desk, params: Params) -> dict[str, Any]:
    group = _group(desk, params["user_pool_id"], params["group_name"])
    given = {name: params[name] for name in ("description", "role_arn", "precedence") if params.get(name) is not None}
    changed = replace(group, last_modified_date=desk.now, **given)
    desk.tx.put(changed)
    return {"group": changed}


def delete(desk: Desk, params: Params) -> None:
    group = _group(desk, params["user_pool_id"], params["group_name"])
    for member in desk.tx.list(PoolGroupMember, *group.key):
        user = desk.tx.get(PoolUser, group.user_pool_id, member.username)
        if user is not None:
            desk.tx.put(_without(user, group.group_name))
    desk.tx.delete_all(PoolGroupMember, *group.key)
    desk.tx.delete(UserPoolGroup, *group.key)


def _without(user: PoolUser, group: str) -> PoolUser:
    return replace(user, groups=[name for name in user.groups if name != group])


def add_user(desk: Desk, params: Params) -> None:
    group = _group(desk, params["user_pool_id"], params["group_name"])
    user = user_of(desk, pool_of(desk, group.user_pool_id), params["username"])
    if group.group_name not in user.groups:
        desk.tx.put(replace(user, groups=[*user.groups, group.group_name]))
        desk.tx.put(
            PoolGroupMember(user_pool_id=user.user_pool_id, group_name=group.group_name, username=user.username)
        )


def remove_user(desk: Desk, params: Params) -> None:
    group = _group(desk, params["user_pool_id"], params["group_name"])
    user = user_of(desk, pool_of(desk, group.user_pool_id), params["username"])
    desk.tx.put(_without(user, group.group_name))
    desk.tx.delete(PoolGroupMember, user.user_pool_id, group.group_name, user.username)


def of_user(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    user = user_of(desk, pool, params["username"])
    return {"groups": [_group(desk, pool.id, name) for name in user.groups]}


def users_of(desk: Desk, params: Params) -> dict[str, Any]:
    group = _group(desk, params["user_pool_id"], params["group_name"])
    members, token = page(desk, PoolGroupMember, *group.key, params=params)
    users = [desk.tx.get(PoolUser, group.user_pool_id, member.username) for member in members]
    return {"users": [shown(user) for user in users if user is not None], "next_token": token}


OPERATIONS: dict[str, Operation] = {
    "CreateGroup": create,
    "GetGroup": get,
    "ListGroups": list_groups,
    "UpdateGroup": update,
    "DeleteGroup": delete,
    "AdminAddUserToGroup": add_user,
    "AdminRemoveUserFromGroup": remove_user,
    "AdminListGroupsForUser": of_user,
    "ListUsersInGroup": users_of,
}
