"""What a user does with its own access token: look, change, sign out, leave. Source: *GetUser* and its kin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.cognito_idp import codes, passwords
from tidegate.control.cognito_idp.attributes import check_writable, listed, pairs, readable
from tidegate.control.cognito_idp.clients import check_client_secret
from tidegate.control.cognito_idp.desk import Costly, Desk, Operation
from tidegate.control.cognito_idp.errors import invalid, not_authorized, unsupported
from tidegate.control.cognito_idp.lookup import pool_and_client, put_user, user_of
from tidegate.control.cognito_idp.sessions import bearer, end_all, pool_named, session_of
from tidegate.control.cognito_idp.users import (
    change_attributes,
    check_policy,
    delete_user,
    drop_attributes,
    with_password,
)
from tidegate.core.errors import ControlError
from tidegate.definition.records import PoolSession


def get_user(desk: Desk, params: Params) -> dict[str, Any]:
    who = bearer(desk, params["access_token"])
    return {"username": who.user.username, "user_attributes": listed(readable(who.client, who.user))}


def update_attributes(desk: Desk, params: Params) -> dict[str, Any]:
    who, given = bearer(desk, params["access_token"]), pairs(params["user_attributes"])
    check_writable(who.client, given)
    changed = change_attributes(desk, who.pool, who.user, given)
    email = changed.attributes.get("email")
    if email and email != who.user.attributes.get("email") and "email" in (who.pool.auto_verified_attributes or ()):
        codes.send(desk, who.pool, changed, codes.EMAIL)
        return {"code_delivery_details_list": [codes.delivery(email)]}
    return {"code_delivery_details_list": []}


def delete_attributes(desk: Desk, params: Params) -> dict[str, Any]:
    who, names = bearer(desk, params["access_token"]), params["user_attribute_names"]
    check_writable(who.client, names)
    drop_attributes(desk, who.pool, who.user, names)
    return {}


def send_verification(desk: Desk, params: Params) -> dict[str, Any]:
    who, name = bearer(desk, params["access_token"]), params["attribute_name"]
    if name == "phone_number":
        raise unsupported("SMS messages (phone_number)")
    if name != "email" or not who.user.attributes.get("email"):
        raise invalid(f"Attribute {name} cannot be verified: it is not there or no address")
    codes.send(desk, who.pool, who.user, codes.EMAIL)
    return {"code_delivery_details": codes.delivery(who.user.attributes["email"])}


def verify_attribute(desk: Desk, params: Params) -> dict[str, Any]:
    who = bearer(desk, params["access_token"])
    if params["attribute_name"] != "email":
        raise unsupported(f"verifying {params['attribute_name']}")
    user = codes.take(desk, who.pool, who.user, codes.EMAIL, params["code"])
    user = replace(user, attributes={**user.attributes, "email_verified": "true"}, user_last_modified_date=desk.now)
    put_user(desk, who.pool, user, who.user)
    return {}


def delete(desk: Desk, params: Params) -> None:
    who = bearer(desk, params["access_token"])
    delete_user(desk, who.pool, who.user)


def change_password(desk: Desk, params: Params) -> Costly:
    who = bearer(desk, params["access_token"])
    pool, user = who.pool, who.user
    old, new = params.get("previous_password") or "", params["proposed_password"]
    check_policy(pool, new)
    attempts = desk.tools.attempts
    attempts.check_password(pool.id, user.username)
    stored = user.password_hash

    def decide(later: Desk, digest: passwords.Digest | None) -> dict[str, Any]:
        attempts.check_password(pool.id, user.username)
        found = user_of(later, pool, user.username)
        if digest is None or found.password_hash != stored:
            attempts.wrong_password(pool.id, user.username)
            raise not_authorized()
        attempts.right_password(pool.id, user.username)
        later.tx.put(with_password(later, found, digest))
        return {}

    def work() -> passwords.Digest | None:
        return passwords.digest(pool.id, user.username, new) if passwords.matches(stored, old) else None

    return Costly(work, decide)


def sign_out(desk: Desk, params: Params) -> dict[str, Any]:
    who = bearer(desk, params["access_token"])
    end_all(desk, who.pool, who.user)
    return {}


def revoke(desk: Desk, params: Params) -> dict[str, Any]:
    pool, client = pool_and_client(desk, params["client_id"])
    check_client_secret(desk, client, params.get("client_secret"))
    if not client.enable_token_revocation:
        raise ControlError("UnsupportedOperationException", "Revocation is not enabled")
    if pool_named(params["token"]) is not None:
        raise ControlError("UnsupportedTokenTypeException", "Unsupported token type.")
    try:
        session = session_of(desk, pool, params["token"])
    except ControlError:
        # RFC 7009: a token that does not hold is as good as revoked.
        return {}
    if session.client_id != client.client_id:
        raise ControlError("UnauthorizedException", "Token was not issued to this client")
    desk.tx.delete(PoolSession, *session.key)
    return {}


OPERATIONS: dict[str, Operation] = {
    "GetUser": get_user,
    "UpdateUserAttributes": update_attributes,
    "DeleteUserAttributes": delete_attributes,
    "GetUserAttributeVerificationCode": send_verification,
    "VerifyUserAttribute": verify_attribute,
    "DeleteUser": delete,
    "ChangePassword": change_password,
    "GlobalSignOut": sign_out,
    "RevokeToken": revoke,
}
