"""Access keys: two a user at most, their secrets sealed. Source: *CreateAccessKey* and its kin (IAM API Reference)."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from tidegate.aws import identifiers
from tidegate.aws.model import Params
from tidegate.control.context import Context, Operation
from tidegate.control.iam import shown
from tidegate.control.iam.lookup import find, key_of, named_user, over_limit, own_name, page
from tidegate.core.vault import Vault
from tidegate.definition.records import AccessKey, User
from tidegate.plan.identities import ACCESS_KEYS
from tidegate.state.callers import LastUse

_MOST_KEYS = 2
"""Of a user. *IAM and AWS STS quotas*."""


def create(context: Context, params: Params, *, vault: Vault) -> dict[str, Any]:
    user = named_user(context, params)
    if len(user.access_keys) >= _MOST_KEYS:
        raise over_limit(f"AccessKeysPerUser: {_MOST_KEYS}")
    secret = identifiers.secret_access_key()
    key_id = identifiers.access_key_id(context.scope.account)
    while context.tx.exists_anywhere(AccessKey, key_id):
        key_id = identifiers.access_key_id(context.scope.account)
    key = AccessKey(
        id=key_id,
        user=user.key[0],
        create_date=context.clock.time(),
        secret=base64.b64encode(vault.seal(ACCESS_KEYS, key_id, secret.encode())).decode(),
    )
    context.tx.put(key)
    context.tx.put(replace(user, access_keys=[*user.access_keys, key_id]))
    return {"access_key": shown.access_key(key, user.name) | {"secret_access_key": secret}}


def list_all(context: Context, params: Params) -> dict[str, Any]:
    if params.get("user_name") is None and own_name(context).name is None:
        return {"access_key_metadata": [], "is_truncated": False}
    user = named_user(context, params)
    keys = [context.tx.get(AccessKey, key_id) for key_id in sorted(user.access_keys)]
    found = page([key for key in keys if key is not None], params, "access_key_metadata", lambda key: key.id)
    metadata = [shown.access_key(key, user.name) for key in found["access_key_metadata"]]
    return found | {"access_key_metadata": metadata}


def update(context: Context, params: Params) -> None:
    key = key_of(context, named_user(context, params), params["access_key_id"])
    context.tx.put(replace(key, status=params["status"]))


def delete(context: Context, params: Params) -> None:
    user = named_user(context, params)
    key = key_of(context, user, params["access_key_id"])
    context.tx.delete(AccessKey, key.id)
    context.tx.put(replace(user, access_keys=[key_id for key_id in user.access_keys if key_id != key.id]))


def owner(context: Context, key_id: str) -> User | None:
    key = context.tx.get(AccessKey, key_id)
    return None if key is None else find(context, User, key.user)


def last_used(user: User | None, key_id: str, use: LastUse | None) -> dict[str, Any]:
    """AWS: a key that was never used has no date, and N/A for all else."""
    told = {"service_name": "N/A", "region": "N/A"}
    if use is not None:
        told = {"last_used_date": use.at, "service_name": use.service, "region": use.region}  # type: ignore[dict-item]
    return {"user_name": None if user is None else user.name, "access_key_last_used": told}


OPERATIONS: dict[str, Operation] = {
    "ListAccessKeys": list_all,
    "UpdateAccessKey": update,
    "DeleteAccessKey": delete,
}
