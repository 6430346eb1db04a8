"""Users who come by themselves: sign up, confirm, ask for another code, set a forgotten password anew.

Source: *Signing up and confirming user accounts*, *Managing error responses* (what is said of users who do not exist).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.cognito_idp import codes, passwords
from tidegate.control.cognito_idp.attributes import check_values, check_writable, is_email, pairs
from tidegate.control.cognito_idp.clients import check_secret_hash, hides_users
from tidegate.control.cognito_idp.desk import Costly, Desk, Operation
from tidegate.control.cognito_idp.errors import invalid, no_user, not_authorized, unsupported, wrong_code
from tidegate.control.cognito_idp.lookup import find_user, pool_and_client, pool_of, put_user, user_of
from tidegate.control.cognito_idp.sessions import end_all
from tidegate.control.cognito_idp.users import check_policy, new_user, with_password
from tidegate.core.errors import ControlError
from tidegate.definition.records import PoolUser, UserPool, UserPoolClient


def sign_up(desk: Desk, params: Params) -> Any:
    pool, client = pool_and_client(desk, params["client_id"])
    name, password = params["username"], params.get("password")
    check_secret_hash(desk, client, params.get("secret_hash"), name)
    if pool.admin_create_user_config.get("allow_admin_create_user_only"):
        raise not_authorized("SignUp is not permitted for this user pool")
    if not password:
        raise unsupported("signing up without a password")
    attributes = pairs(params.get("user_attributes"))
    check_writable(client, attributes)
    user = new_user(desk, pool, name, attributes)
    check_values(pool, user.attributes, creating=True)
    check_policy(pool, password)
    if find_user(desk, pool, name) is not None:
        raise _exists()

    def store(later: Desk, digest: passwords.Digest) -> dict[str, Any]:
        if find_user(later, pool, name) is not None:
            raise _exists()
        made = with_password(later, user, digest)
        put_user(later, pool, made)
        answer: dict[str, Any] = {"user_confirmed": False, "user_sub": made.sub}
        if _verifies_email(pool) and made.attributes.get("email"):
            codes.send(later, pool, made, codes.SIGN_UP)
            answer["code_delivery_details"] = codes.delivery(made.attributes["email"])
        return answer

    return Costly(lambda: passwords.digest(pool.id, user.username, password), store)


def _exists() -> ControlError:
    return ControlError("UsernameExistsException", "User already exists")


def _verifies_email(pool: UserPool) -> bool:
    return "email" in (pool.auto_verified_attributes or ())


def confirm(desk: Desk, params: Params) -> dict[str, Any]:
    pool, client = pool_and_client(desk, params["client_id"])
    name = params["username"]
    check_secret_hash(desk, client, params.get("secret_hash"), name)
    user = _unconfirmed_user(desk, pool, client, name)
    _check_waiting(user)
    confirmed = codes.take(desk, pool, user, codes.SIGN_UP, params["confirmation_code"])
    # The code came to the address: that is verified with it.
    confirmed = replace(
        confirmed,
        user_status="CONFIRMED",
        attributes={**user.attributes, "email_verified": "true"},
        user_last_modified_date=desk.now,
    )
    put_user(desk, pool, confirmed, user, take=bool(params.get("force_alias_creation")))
    return {}


def _unconfirmed_user(desk: Desk, pool: UserPool, client: UserPoolClient, name: str) -> PoolUser:
    """By its name, and where an address is an alias, not yet by that. Raises ControlError."""
    user = find_user(desk, pool, name)
    if user is None and hides_users(client):
        raise wrong_code()
    if user is None:
        raise ControlError("UserNotFoundException", "Username/client id combination not found.")
    return user


def _check_waiting(user: PoolUser) -> None:
    if user.user_status != "UNCONFIRMED":
        raise not_authorized(f"User cannot be confirmed. Current status is {user.user_status}")


def resend(desk: Desk, params: Params) -> dict[str, Any]:
    pool, client = pool_and_client(desk, params["client_id"])
    name = params["username"]
    check_secret_hash(desk, client, params.get("secret_hash"), name)
    user = find_user(desk, pool, name)
    if user is None and hides_users(client):
        return {"code_delivery_details": _pretended(name)}
    if user is None:
        raise ControlError("UserNotFoundException", "Username/client id combination not found.")
    if user.user_status != "UNCONFIRMED":
        raise invalid("User is already confirmed.")
    if not _verifies_email(pool) or not user.attributes.get("email"):
        raise invalid("Auto verification not turned on.")
    codes.send(desk, pool, user, codes.SIGN_UP)
    return {"code_delivery_details": codes.delivery(user.attributes["email"])}


def _pretended(name: str) -> dict[str, Any]:
    """AWS: for a user who does not exist, an address that could be its."""
    return codes.delivery(name if is_email(name) else f"{name[:1]}@{name[-1:]}")


def admin_confirm(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    user = user_of(desk, pool, params["username"])
    _check_waiting(user)
    confirmed = replace(user, user_status="CONFIRMED", codes={}, user_last_modified_date=desk.now)
    put_user(desk, pool, confirmed, user)
    return {}


def forgot(desk: Desk, params: Params) -> dict[str, Any]:
    pool, client = pool_and_client(desk, params["client_id"])
    name = params["username"]
    check_secret_hash(desk, client, params.get("secret_hash"), name)
    user = find_user(desk, pool, name)
    if user is None and hides_users(client):
        return {"code_delivery_details": _pretended(name)}
    if user is None:
        raise no_user()
    return _send_reset(desk, pool, user)


def _send_reset(desk: Desk, pool: UserPool, user: PoolUser) -> dict[str, Any]:
    _check_recoverable(pool, user)
    codes.send(desk, pool, user, codes.FORGOT)
    return {"code_delivery_details": codes.delivery(user.attributes["email"])}


def _check_recoverable(pool: UserPool, user: PoolUser) -> None:
    """Raises ControlError unless a code may be sent to the user's e-mail address."""
    if not user.enabled:
        raise not_authorized("User is disabled.")
    mechanisms = (pool.account_recovery_setting or {}).get("recovery_mechanisms") or []
    ways = [each["name"] for each in sorted(mechanisms, key=lambda each: int(each["priority"]))]
    if ways == ["admin_only"]:
        raise not_authorized("Contact administrator to reset password.")
    if user.user_status == "FORCE_CHANGE_PASSWORD":
        raise not_authorized("User password cannot be reset in the current state.")
    phone = user.attributes.get("phone_number_verified") == "true" and "verified_phone_number" in ways
    email = bool(user.attributes.get("email")) and user.attributes.get("email_verified") == "true"
    if phone and (not email or ways.index("verified_phone_number") == 0):
        raise unsupported("SMS messages (the pool recovers accounts by phone number)")
    if not email or (ways and "verified_email" not in ways):
        raise invalid("Cannot reset password for the user as there is no registered/verified email or phone_number")


def confirm_forgot(desk: Desk, params: Params) -> Any:
    pool, client = pool_and_client(desk, params["client_id"])
    name, password = params["username"], params["password"]
    check_secret_hash(desk, client, params.get("secret_hash"), name)
    user = find_user(desk, pool, name)
    if user is None:
        raise wrong_code() if hides_users(client) else no_user()
    if not user.enabled:
        raise not_authorized("User is disabled.")
    check_policy(pool, password)
    codes.take(desk, pool, user, codes.FORGOT, params["confirmation_code"])

    def store(later: Desk, digest: passwords.Digest) -> dict[str, Any]:
        found = user_of(later, pool, user.username)
        taken = codes.take(later, pool, found, codes.FORGOT, params["confirmation_code"])
        later.tx.put(with_password(later, taken, digest, user_status="CONFIRMED"))
        later.tools.attempts.right_password(pool.id, user.username)
        # Whoever was signed in with the old password is not any more. AWS keeps refresh tokens; a leak would outlive its cure.
        end_all(later, pool, found)
        return {}

    return Costly(lambda: passwords.digest(pool.id, user.username, password), store)


def admin_reset(desk: Desk, params: Params) -> dict[str, Any]:
    pool = pool_of(desk, params["user_pool_id"])
    user = user_of(desk, pool, params["username"])
    _send_reset(desk, pool, replace(user, user_status="RESET_REQUIRED"))
    return {}


OPERATIONS: dict[str, Operation] = {
    "SignUp": sign_up,
    "ConfirmSignUp": confirm,
    "ResendConfirmationCode": resend,
    "AdminConfirmSignUp": admin_confirm,
    "ForgotPassword": forgot,
    "ConfirmForgotPassword": confirm_forgot,
    "AdminResetUserPassword": admin_reset,
}
