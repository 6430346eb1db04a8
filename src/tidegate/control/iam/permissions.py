"""What a call of IAM has to be allowed: the resource that it is about, and what conditions may ask.

Source: *Actions, resources, and condition keys for AWS Identity and Access Management* (Service Authorization Reference).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tidegate.aws.model import Params
from tidegate.control.access import Need
from tidegate.state.callers import Caller, IdentityEntry


class Identities(Protocol):
    def identity(self, kind: str, account: str, key: str) -> IdentityEntry | None: ...
    def tags_of_policy(self, arn: str) -> Mapping[str, str]: ...
    def owner(self, access_key: str) -> str | None:
        """The ARN of a key's user."""
        ...


_OF_GROUP = ("AddUserToGroup", "RemoveUserFromGroup")
_OF_CALLER = ("GetUser", "CreateAccessKey", "ListAccessKeys", "UpdateAccessKey", "DeleteAccessKey")
_LIMITED = frozenset(
    f"{verb}{kind}Policy" for verb in ("Attach", "Detach", "Put", "Delete") for kind in ("User", "Role")
) | {"DeleteUserPermissionsBoundary", "DeleteRolePermissionsBoundary"}
"""AWS: these may be made to depend on the boundary that the user or role has already; others on the one that they set."""
_LISTS = {"ListUsers": "user", "ListGroups": "group", "ListRoles": "role", "ListPolicies": "policy"}
_KINDS = {"role_name": "Role", "group_name": "Group", "user_name": "User"}


def needs(operation: str, params: Params, caller: Caller, known: Identities) -> Sequence[Need]:
    action, context = f"iam:{operation}", _conditions(params)
    resources = _resources(operation, params, caller, known)
    return [Need(action, arn, {**context, **tags}) for arn, tags in resources]


Resource = tuple[str, Mapping[str, str]]
"""An ARN, and the condition keys that tell of what it names."""


def _resources(operation: str, params: Params, caller: Caller, known: Identities) -> list[Resource]:
    account = caller.account
    for member in ("group_name",) if operation in _OF_GROUP else _KINDS:
        if params.get(member):
            return _identity(operation, params, member, account, known)
    if operation in _OF_CALLER:
        return [(caller.principal.arn or "*", {})]
    if operation in _LISTS:
        return [(f"arn:aws:iam::{account}:{_LISTS[operation]}{params.get('path_prefix') or '/'}", {})]
    if operation == "CreatePolicy":
        path = params.get("path") or "/"
        return [(f"arn:aws:iam::{account}:policy{path}{params['policy_name']}", {})]
    if operation == "GetAccessKeyLastUsed":
        return [(known.owner(params["access_key_id"]) or "*", {})]
    if params.get("policy_source_arn"):
        return [(params["policy_source_arn"], {})]
    arn = params.get("policy_arn") or "*"
    return [(arn, _tags(known.tags_of_policy(arn)))]


def _identity(operation: str, params: Params, member: str, account: str, known: Identities) -> list[Resource]:
    kind, name = _KINDS[member], params[member]
    entry = known.identity(kind, account, name.lower())
    begin = f"arn:aws:iam::{account}:{kind.lower()}"
    arn, tags = f"{begin}{params.get('path') or '/'}{name}", dict[str, str]()
    if entry is not None and not operation.startswith("Create"):
        arn = entry.arn
        tags = _tags(entry.tags)
        if operation in _LIMITED and entry.boundary is not None:
            tags["iam:PermissionsBoundary"] = entry.boundary
    found: list[Resource] = [(arn, tags)]
    new = params.get(f"new_{member}"), params.get("new_path")
    if any(new):
        # AWS: whoever renames needs the permission for the new name too.
        path = new[1] or arn.removeprefix(begin).rpartition("/")[0] + "/"
        found.append((f"{begin}{path}{new[0] or name}", tags))
    return found


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    return {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "iam")}


def _conditions(params: Params) -> dict[str, str | Sequence[str]]:
    found: dict[str, str | Sequence[str]] = {}
    if params.get("policy_arn"):
        found["iam:PolicyARN"] = params["policy_arn"]
    if params.get("permissions_boundary"):
        found["iam:PermissionsBoundary"] = params["permissions_boundary"]
    tags = {tag["key"]: tag["value"] for tag in params.get("tags") or ()}
    found |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    keys = list(tags) or params.get("tag_keys")
    return found | ({"aws:TagKeys": list(keys)} if keys else {})
