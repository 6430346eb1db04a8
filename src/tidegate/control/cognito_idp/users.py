"""Users as administrators see them: create, look up, list, change, delete.

Source: the `Admin…` operations and *ListUsers* (Amazon Cognito user pools API Reference).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.cognito_idp import codes, passwords
from tidegate.control.cognito_idp.attributes import Attributes, check_name, check_values, listed, pairs, readable
from tidegate.control.cognito_idp.desk import Costly, Desk, Operation, next_token, page
from tidegate.control.cognito_idp.errors import invalid, unsupported
from tidegate.control.cognito_idp.filters import Filter, parse_filter
from tidegate.control.cognito_idp.lookup import (
    drop_aliases,
    find_user,
    naming_attribute,
    pool_of,
    put_user,
    user_of,
)
from tidegate.control.cognito_idp.sessions import end_all
from tidegate.core.errors import ControlError
from tidegate.definition.records import PoolGroupMember, PoolUser, UserPool

VERIFIER = "srp verifier"
_DAY = 86_400


def new_user(desk: Desk, pool: UserPool, name: str, attributes: Attributes, **fields: Any) -> PoolUser:
    """Not stored yet. `name`: what the caller calls it. Raises ControlError."""
    check_name(name, "username")
    kind = naming_attribute(pool, name)
    sub = str(uuid.uuid4())
    given = attributes if kind is None else {kind: name, **attributes}
    if kind is not None and given[kind] != name:
        raise invalid(f"Username and {kind} attribute must be the same")
    return PoolUser(
        user_pool_id=pool.id,
        username=name if kind is None else sub,
        sub=sub,
        attributes=given,
        user_create_date=desk.now,
        user_last_modified_date=desk.now,
        **fields,
    )


def with_password(desk: Desk, user: PoolUser, digest: passwords.Digest, **fields: Any) -> PoolUser:
    """A user whose password is another now."""
    return replace(
        user,
        password_hash=digest.password_hash,
        srp_salt=digest.srp_salt,
        sealed_srp_verifier=desk.tools.secrets.seal(digest.srp_verifier, VERIFIER),
        user_last_modified_date=desk.now,
        **{"password_expires": None, **fields},
    )


def check_policy(pool: UserPool, password: str) -> None:
    """Raises ControlError."""
    broken = passwords.broken_rule(pool.policies["password_policy"], password)
    if broken is not None:
        raise ControlError("InvalidPasswordException", f"Password did not conform with policy: {broken}")


def shown(user: PoolUser, attributes: str = "attributes", only: list[str] | None = None) -> dict[str, Any]:
    """As UserType, or as AdminGetUser has it."""
    visible = readable(None, user)
    if only is not None:
        visible = {name: value for name, value in visible.items() if name in only}
    return {
        "username": user.username,
        attributes: listed(visible),
        "user_create_date": user.user_create_date,
        "user_last_modified_date": user.user_last_modified_date,
        "enabled": user.enabled,
        "user_status": user.user_status,
    }


def admin_create(desk: Desk, params: Params) -> Any:
    pool, name = pool_of(desk, params["user_pool_id"]), params["username"]
    if "SMS" in (params.get("desired_delivery_mediums") or ()):
        raise unsupported("SMS messages (DesiredDeliveryMediums)")
    if params.get("message_action") == "RESEND":
        return _invite_again(desk, pool, params)
    attributes = pairs(params.get("user_attributes"))
    user = new_user(desk, pool, name, attributes, user_status="FORCE_CHANGE_PASSWORD")
    check_values(pool, user.attributes, creating=True)
    if find_user(desk, pool, name) is not None:
        raise ControlError("UsernameExistsException", "User account already exists")
    policy = pool.policies["password_policy"]
    password = params.get("temporary_password") or passwords.temporary(policy)
    check_policy(pool, password)
    silent, take = params.get("message_action") == "SUPPRESS", bool(params.get("force_alias_creation"))

    def store(later: Desk, digest: passwords.Digest) -> dict[str, Any]:
        if find_user(later, pool, name) is not None:
            raise ControlError("UsernameExistsException", "User account already exists")
        expires = later.now + policy["temporary_password_validity_days"] * _DAY
        made = with_password(later, user, digest, password_expires=expires)
        put_user(later, pool, made, take=take)
        if not silent:
            codes.invite(later, pool, made, password)
        return {"user": shown(made)}

    return Costly(lambda: passwords.digest(pool.id, user.username, password), store)


def _invite_again(desk: Desk, pool: UserPool, params: Params) -> Costly:
    """A new temporary password for a user that has not signed in yet."""
    user = user_of(desk, pool, params["username"])
    if user.user_status != "FORCE_CHANGE_PASSWORD":
        raise ControlError(
            "UnsupportedUserStateException", "Resend not possible. User status is not FORCE_CHANGE_PASSWORD"
        )
    policy = pool.policies["password_policy"]
    password = params.get("temporary_password") or passwords.temporary(policy)
    check_policy(pool, password)

    def store(later: Desk, digest: passwords.Digest) -> dict[str, Any]:
        expires = later.now + policy["temporary_password_validity_days"] * _DAY
        made = with_password(later, user_of(later, pool, user.username), digest, password_expires=expires)
        later.tx.put(made)
        codes.invite(later, pool, made, password)
        return {"user": shown(made)}

    return Costly(lambda: passwords.digest(pool.id, user.username, password), store)


def admin_get(desk: Desk, params: Params) -> dict[str, Any]:
    return shown(user_of(desk, pool_of(desk, params["user_pool_id"]), params["username"]), "user_attributes")


def delete_user(desk: Desk, pool: UserPool, user: PoolUser) -> None:
    for group in user.groups:
        desk.tx.delete(PoolGroupMember, pool.id, group, user.username)
    end_all(desk, pool, user)
    drop_aliases(desk, pool, user)
    desk.tx.delete(PoolUser, pool.id, user.username)


def admin_delete(desk: Desk, params: Params) -> None:
    pool = pool_of(desk, params["user_pool_id"])
    delete_user(desk, pool, user_of(desk, pool, params["username"]))


def admin_set_password(desk: Desk, params: Params) -> Costly:
    pool = pool_of(desk, params["user_pool_id"])
    user, password = user_of(desk, pool, params["username"]), params["password"]
    check_policy(pool, password)
    permanent = bool(params.get("permanent"))

    def store(later: Desk, digest: passwords.Digest) -> dict[str, Any]:
        days = pool.policies["password_policy"]["temporary_password_validity_days"]
        changed = with_password(
            later,
            user_of(later, pool, user.username),
            digest,
            user_status="CONFIRMED" if permanent else "FORCE_CHANGE_PASSWORD",
            password_expires=None if permanent else later.now + days * _DAY,
        )
        later.tx.put(changed)
        later.tools.attempts.right_password(pool.id, user.username)
        return {}

    return Costly(lambda: passwords.digest(pool.id, user.username, password), store)


def _switch(enabled: bool) -> Operation:
    def operation(desk: Desk, params: Params) -> dict[str, Any]:
        pool = pool_of(desk, params["user_pool_id"])
        user = user_of(desk, pool, params["username"])
        desk.tx.put(replace(user, enabled=enabled, user_last_modified_date=desk.now))
        if not enabled:
            # AWS: to disable a user revokes its tokens.
            end_all(desk, pool, user)
        return {}

    return operation


def change_attributes(desk: Desk, pool: UserPool, user: PoolUser, given: Mapping[str, str]) -> PoolUser:
    """Stored. AWS: an address that changes is no longer verified, unless the same call says that it is. An attribute without a
    value is removed."""
    check_values(pool, dict(given), creating=False)
    attributes = {**user.attributes, **given}
    for name in ("email", "phone_number"):
        verified, changes = f"{name}_verified", name in given and given[name] != user.attributes.get(name)
        if changes and verified not in given and user.attributes.get(verified) == "true":
            attributes[verified] = "false"
    kept = {name: value for name, value in attributes.items() if value != ""}
    changed = replace(user, attributes=kept, user_last_modified_date=desk.now)
    put_user(desk, pool, changed, user)
    return changed


def drop_attributes(desk: Desk, pool: UserPool, user: PoolUser, names: list[str]) -> None:
    known = {each["name"]: each for each in pool.schema_attributes}
    for name in names:
        if name not in known or name == "sub":
            raise invalid(f"One or more requested attributes do not exist: {name}")
        if known[name].get("required"):
            raise invalid(f"Cannot delete required attribute: {name}")
    gone = {*names, *(f"{name}_verified" for name in names)}
    kept = {name: value for name, value in user.attributes.items() if name not in gone}
    put_user(desk, pool, replace(user, attributes=kept, user_last_modified_date=desk.now), user)


def admin_update_attributes(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    change_attributes(desk, pool, user_of(desk, pool, params["username"]), pairs(params["user_attributes"]))
    return {}


def admin_delete_attributes(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    drop_attributes(desk, pool, user_of(desk, pool, params["username"]), params["user_attribute_names"])
    return {}


def admin_sign_out(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    end_all(desk, pool, user_of(desk, pool, params["username"]))
    return {}


def list_users(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    wanted, only = parse_filter(params.get("filter")), params.get("attributes_to_get")
    if wanted is None:
        users, token = page(desk, PoolUser, pool.id, params=params)
        return {"users": [shown(user, only=only) for user in users], "pagination_token": token}
    users, token = _matching(desk, pool, wanted, params)
    return {"users": [shown(user, only=only) for user in users], "pagination_token": token}


def _matching(desk: Desk, pool: UserPool, wanted: Filter, params: Params) -> tuple[list[PoolUser], str | None]:
    """Page by page, until so many are found as were asked for."""
    size = min(params.get("limit") or 60, 60)
    found: list[PoolUser] = []
    token = params.get("pagination_token")
    while True:
        users, token = page(desk, PoolUser, pool.id, params={"pagination_token": token})
        for user in users:
            if wanted.matches(user):
                if len(found) == size:
                    return found, next_token(found[-1].username)
                found.append(user)
        if token is None:
            return found, None


OPERATIONS: dict[str, Operation] = {
    "AdminCreateUser": admin_create,
    "AdminGetUser": admin_get,
    "AdminDeleteUser": admin_delete,
    "AdminSetUserPassword": admin_set_password,
    "AdminEnableUser": _switch(True),
    "AdminDisableUser": _switch(False),
    "AdminUpdateUserAttributes": admin_update_attributes,
    "AdminDeleteUserAttributes": admin_delete_attributes,
    "AdminUserGlobalSignOut": admin_sign_out,
    "ListUsers": list_users,
}
