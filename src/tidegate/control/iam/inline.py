"""Policies that are part of a user, group or role. Source: *PutUserPolicy* and its kin (IAM API Reference)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from tidegate.aws.model import Params
from tidegate.aws.policy.document import policy_size
from tidegate.control.context import Context, Operation
from tidegate.control.iam import shown
from tidegate.control.iam.lookup import KINDS, checked_policy, find, no_such, page
from tidegate.core.errors import ControlError

_LARGEST = {"User": 2048, "Group": 5120, "Role": 10240}
"""Characters of all inline policies together, without white space. *IAM and AWS STS quotas*."""


def _name(kind: str) -> str:
    return f"{kind.lower()}_name"


def put(context: Context, params: Params, *, kind: str) -> None:
    record = find(context, KINDS[kind], params[_name(kind)])
    document = checked_policy(params["policy_document"])
    inline = {**record.inline, params["policy_name"]: document}
    if sum(map(policy_size, inline.values())) > _LARGEST[kind]:
        text = f"Maximum policy size of {_LARGEST[kind]} bytes exceeded for {kind.lower()} {record.name}"
        raise ControlError("LimitExceeded", text, 409)
    context.tx.put(replace(record, inline=inline))


def get(context: Context, params: Params, *, kind: str) -> dict[str, Any]:
    record = find(context, KINDS[kind], params[_name(kind)])
    document = record.inline.get(params["policy_name"])
    if document is None:
        raise _missing(kind, params)
    return {
        _name(kind): record.name,
        "policy_name": params["policy_name"],
        "policy_document": shown.document(document),
    }


def _missing(kind: str, params: Params) -> ControlError:
    return no_such(f"The {kind.lower()} policy with name {params['policy_name']} cannot be found.")


def list_all(context: Context, params: Params, *, kind: str) -> dict[str, Any]:
    record = find(context, KINDS[kind], params[_name(kind)])
    return page(sorted(record.inline), params, "policy_names", str)


def delete(context: Context, params: Params, *, kind: str) -> None:
    record = find(context, KINDS[kind], params[_name(kind)])
    if params["policy_name"] not in record.inline:
        raise _missing(kind, params)
    rest = {name: document for name, document in record.inline.items() if name != params["policy_name"]}
    context.tx.put(replace(record, inline=rest))


OPERATIONS: dict[str, Operation] = {
    name.format(kind): partial(operation, kind=kind)
    for kind in KINDS
    for name, operation in (
        ("Put{}Policy", put),
        ("Get{}Policy", get),
        ("List{}Policies", list_all),
        ("Delete{}Policy", delete),
    )
}
