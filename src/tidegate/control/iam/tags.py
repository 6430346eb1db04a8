"""Tags of users, roles and managed policies. Source: *TagUser* and its kin (IAM API Reference)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

from tidegate.aws.model import Params
from tidegate.control.context import Context, Operation
from tidegate.control.iam import shown
from tidegate.control.iam.lookup import find, managed, over_limit, page
from tidegate.definition.records import ManagedPolicy, Role, User

_MOST_TAGS = 50
Tagged: TypeAlias = User | Role | ManagedPolicy
Finder: TypeAlias = Callable[[Context, Params], Tagged]


def tag(context: Context, params: Params, *, of: Finder) -> None:
    record = of(context, params)
    tags = {**record.tags, **shown.tag_map(params["tags"])}
    if len(tags) > _MOST_TAGS:
        raise over_limit(f"TagsPerResource: {_MOST_TAGS}")
    context.tx.put(replace(record, tags=tags))


def untag(context: Context, params: Params, *, of: Finder) -> None:
    record = of(context, params)
    rest = {key: value for key, value in record.tags.items() if key not in params["tag_keys"]}
    context.tx.put(replace(record, tags=rest))


def list_all(context: Context, params: Params, *, of: Finder) -> dict[str, Any]:
    tags = shown.tags(dict(sorted(of(context, params).tags.items())))
    return page(tags, params, "tags", lambda one: one["key"])


_FINDERS: dict[str, Finder] = {
    "User": lambda context, params: find(context, User, params["user_name"]),
    "Role": lambda context, params: find(context, Role, params["role_name"]),
    "Policy": lambda context, params: managed(context, params["policy_arn"]),
}

OPERATIONS: dict[str, Operation] = {
    name.format(kind): partial(operation, of=finder)
    for kind, finder in _FINDERS.items()
    for name, operation in (("Tag{}", tag), ("Untag{}", untag), ("List{}Tags", list_all))
}
