"""Which managed policies users, groups and roles have, as permissions or as their boundary.

Source: *AttachUserPolicy*, *PutUserPermissionsBoundary*, *ListEntitiesForPolicy* and their kin (IAM API Reference).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.context import Context, Operation
from tidegate.control.iam.lookup import (
    BOUNDARY,
    KINDS,
    PERMISSIONS,
    attachable,
    find,
    no_such,
    over_limit,
    page,
    unuse,
    use,
)
from tidegate.control.iam.policies import any_policy
from tidegate.definition.records import PolicyUse, Role, User

_MOST_POLICIES = 10
"""That are attached to one identity. *IAM and AWS STS quotas*."""


def attach(context: Context, params: Params, *, kind: str) -> None:
    record = find(context, KINDS[kind], params[f"{kind.lower()}_name"])
    arn = attachable(context, params["policy_arn"])
    if arn in record.attached:
        return
    if len(record.attached) >= _MOST_POLICIES:
        raise over_limit(f"PoliciesPer{kind}: {_MOST_POLICIES}")
    use(context, arn, PERMISSIONS, record)
    context.tx.put(replace(record, attached=[*record.attached, arn]))


def detach(context: Context, params: Params, *, kind: str) -> None:
    record = find(context, KINDS[kind], params[f"{kind.lower()}_name"])
    arn = params["policy_arn"]
    if arn not in record.attached:
        raise no_such(f"Policy {arn} was not found.")
    unuse(context, arn, PERMISSIONS, record)
    context.tx.put(replace(record, attached=[one for one in record.attached if one != arn]))


def list_attached(context: Context, params: Params, *, kind: str) -> dict[str, Any]:
    record = find(context, KINDS[kind], params[f"{kind.lower()}_name"])
    policies = [any_policy(context, arn) for arn in sorted(record.attached)]
    prefix = params.get("path_prefix") or "/"
    shown = [
        {"policy_name": policy.name, "policy_arn": policy.arn} for policy in policies if policy.path.startswith(prefix)
    ]
    return page(shown, params, "attached_policies", lambda policy: policy["policy_arn"])


def put_boundary(context: Context, params: Params, *, kind: type[User] | type[Role]) -> None:
    record = find(context, kind, params[f"{kind.__name__.lower()}_name"])
    arn = attachable(context, params["permissions_boundary"])
    if record.boundary:
        unuse(context, record.boundary, BOUNDARY, record)
    use(context, arn, BOUNDARY, record)
    context.tx.put(replace(record, boundary=arn))


def delete_boundary(context: Context, params: Params, *, kind: type[User] | type[Role]) -> None:
    record = find(context, kind, params[f"{kind.__name__.lower()}_name"])
    if record.boundary is None:
        raise no_such(f"{kind.__name__} {record.name} does not have a permissions boundary")
    unuse(context, record.boundary, BOUNDARY, record)
    context.tx.put(replace(record, boundary=None))


def list_entities(context: Context, params: Params) -> dict[str, Any]:
    policy = any_policy(context, params["policy_arn"])
    wanted, usage = params.get("entity_filter"), params.get("policy_usage_filter")
    prefix = params.get("path_prefix") or "/"
    found: set[tuple[str, str, str, str]] = set()
    for one in context.tx.list(PolicyUse, policy.arn):
        record = context.tx.get(KINDS[one.kind], one.name)
        if record is not None and wanted in (None, one.kind) and usage in (None, one.usage):
            found.add((one.kind, record.path, record.name, record.id))
    within = sorted((kind, name, unique) for kind, path, name, unique in found if path.startswith(prefix))
    shown = page(within, params, "found", lambda one: f"{one[0]}/{one[1]}")
    entities = shown.pop("found")
    for kind in KINDS:
        name = kind.lower()
        shown[f"policy_{name}s"] = [
            {f"{name}_name": one, f"{name}_id": unique} for of, one, unique in entities if of == kind
        ]
    return shown


OPERATIONS: dict[str, Operation] = {
    "ListEntitiesForPolicy": list_entities,
    **{
        name.format(kind): partial(operation, kind=kind)
        for kind in KINDS
        for name, operation in (
            ("Attach{}Policy", attach),
            ("Detach{}Policy", detach),
            ("ListAttached{}Policies", list_attached),
        )
    },
    "PutUserPermissionsBoundary": partial(put_boundary, kind=User),
    "DeleteUserPermissionsBoundary": partial(delete_boundary, kind=User),
    "PutRolePermissionsBoundary": partial(put_boundary, kind=Role),
    "DeleteRolePermissionsBoundary": partial(delete_boundary, kind=Role),
}
