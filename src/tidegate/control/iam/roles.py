"""Roles and their trust policies. Source: *CreateRole* and its kin (IAM API Reference)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws import identifiers
from tidegate.aws.model import Params
from tidegate.aws.policy import Kind, parse_policy
from tidegate.aws.policy.document import policy_size
from tidegate.control.context import Context, Operation
from tidegate.control.iam import shown
from tidegate.control.iam.lookup import (
    BOUNDARY,
    arn,
    attachable,
    below,
    checked_policy,
    conflict,
    find,
    over_limit,
    page,
    require_free,
    unuse,
    use,
)
from tidegate.core.errors import ControlError
from tidegate.definition.records import Role, User

_LONGEST_TRUST = 2048
"""*IAM and AWS STS quotas*."""


def create(context: Context, params: Params) -> dict[str, Any]:
    name, boundary = params["role_name"], params.get("permissions_boundary")
    if params.get("max_signin_session_duration") is not None:
        raise ControlError("InvalidInput", "Tidegate does not support MaxSigninSessionDuration yet")
    require_free(context, Role, name)
    role = Role(
        name=name,
        path=params.get("path") or "/",
        id=identifiers.unique_id(identifiers.ROLE),
        create_date=context.clock.time(),
        trust=_trust(context, params["assume_role_policy_document"]),
        description=params.get("description"),
        max_session_duration=params.get("max_session_duration") or 3600,
        boundary=boundary and attachable(context, boundary),
        tags=shown.tag_map(params.get("tags")),
    )
    if boundary:
        use(context, boundary, BOUNDARY, role)
    context.tx.put(role)
    return {"role": shown.role(context, role, whole=True)}


def _trust(context: Context, document: str) -> str:
    if policy_size(document) > _LONGEST_TRUST:
        raise over_limit(f"ACLSizePerRole: {_LONGEST_TRUST}")
    checked_policy(document, Kind.TRUST)
    for statement in parse_policy(document, Kind.TRUST).statements:
        for principal in statement.principal.named.get("AWS", ()) if statement.principal else ():
            if not _exists(context, principal):
                raise ControlError("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{principal}"')
    return document


def _exists(context: Context, principal: str) -> bool:
    """AWS: users and roles that a role trusts are there. Of other accounts nothing is known here."""
    parts = principal.split(":", 5)
    if len(parts) < 6 or parts[2] != "iam" or parts[4] != context.scope.account:
        return True
    kind, _, path = parts[5].partition("/")
    record = context.tx.get(_KINDS[kind], path.rpartition("/")[2].lower()) if kind in _KINDS else None
    return kind not in _KINDS or (record is not None and arn(context, record) == principal)


_KINDS: dict[str, type[User] | type[Role]] = {"user": User, "role": Role}


def get(context: Context, params: Params) -> dict[str, Any]:
    return {"role": shown.role(context, find(context, Role, params["role_name"]), whole=True)}


def list_all(context: Context, params: Params) -> dict[str, Any]:
    roles = below(context.tx.list(Role), params)
    found = page(roles, params, "roles", lambda role: role.key[0])
    return found | {"roles": [shown.role(context, role) for role in found["roles"]]}


def update(context: Context, params: Params) -> dict[str, Any]:
    if params.get("max_signin_session_duration") is not None:
        raise ControlError("InvalidInput", "Tidegate does not support MaxSigninSessionDuration yet")
    role = find(context, Role, params["role_name"])
    given = {name: params[name] for name in ("description", "max_session_duration") if params.get(name) is not None}
    context.tx.put(replace(role, **given))
    return {}


def update_description(context: Context, params: Params) -> dict[str, Any]:
    update(context, params)
    return get(context, params)


def update_trust(context: Context, params: Params) -> None:
    role = find(context, Role, params["role_name"])
    context.tx.put(replace(role, trust=_trust(context, params["policy_document"])))


def delete(context: Context, params: Params) -> None:
    role = find(context, Role, params["role_name"])
    if role.inline:
        raise conflict("delete policies")
    if role.attached:
        raise conflict("detach all policies")
    if role.boundary:
        unuse(context, role.boundary, BOUNDARY, role)
    context.tx.delete(Role, *role.key)


OPERATIONS: dict[str, Operation] = {
    "CreateRole": create,
    "GetRole": get,
    "ListRoles": list_all,
    "UpdateRole": update,
    "UpdateRoleDescription": update_description,
    "UpdateAssumeRolePolicy": update_trust,
    "DeleteRole": delete,
}
