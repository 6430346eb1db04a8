"""What somebody gets who has proved who it is: tokens, or the challenge to replace a temporary password.

Source: *RespondToAuthChallenge* (NEW_PASSWORD_REQUIRED), *Admin-created users*.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import orjson

from tidegate.control.cognito_idp import passwords
from tidegate.control.cognito_idp.attributes import check_values, check_writable, readable
from tidegate.control.cognito_idp.clients import check_secret_hash
from tidegate.control.cognito_idp.desk import Costly, Desk
from tidegate.control.cognito_idp.errors import invalid, not_authorized
from tidegate.control.cognito_idp.lookup import find_user, put_user
from tidegate.control.cognito_idp.proofs import USED, Given, needed, spend
from tidegate.control.cognito_idp.sealing import SecretError
from tidegate.control.cognito_idp.sessions import Grant, begin, tokens
from tidegate.control.cognito_idp.users import check_policy, with_password
from tidegate.core.errors import ControlError
from tidegate.definition.records import PoolUser, UserPool, UserPoolClient

_SESSION = "sign-in session"


def welcome(desk: Desk, pool: UserPool, client: UserPoolClient, user: PoolUser) -> Any:
    """Tokens, or the challenge to choose a new password."""
    check_state(desk, user)
    if user.user_status == "FORCE_CHANGE_PASSWORD":
        return _new_password_wanted(desk, pool, client, user)
    return grant(desk, pool, client, user)


def check_state(desk: Desk, user: PoolUser) -> None:
    """Raises ControlError for users who cannot sign in though they know their password."""
    if not user.enabled:
        raise not_authorized("User is disabled.")
    if user.user_status == "UNCONFIRMED":
        raise ControlError("UserNotConfirmedException", "User is not confirmed.")
    if user.user_status == "RESET_REQUIRED":
        raise ControlError("PasswordResetRequiredException", "Password reset required for the user")
    if user.password_expires is not None and user.password_expires <= desk.now:
        raise not_authorized("Temporary password has expired and must be reset by an administrator.")


def grant(desk: Desk, pool: UserPool, client: UserPoolClient, user: PoolUser) -> Costly:
    session = begin(desk, pool, client, user)
    return answer(tokens(desk, Grant(pool, client, user, session), refresh=True))


def answer(signing: Costly) -> Costly:
    """Signed tokens as the operations give them."""
    return Costly(lambda: {"authentication_result": signing.work(), "challenge_parameters": {}})


def _new_password_wanted(desk: Desk, pool: UserPool, client: UserPoolClient, user: PoolUser) -> dict[str, Any]:
    expires = desk.now + client.auth_session_validity * 60
    state = orjson.dumps([pool.id, client.client_id, user.username, expires, user.password_hash, secrets.token_hex(8)])
    shown = {name: value for name, value in readable(client, user).items() if name != "sub"}
    missing = [f"userAttributes.{name}" for name in _missing(pool, user)]
    return {
        "challenge_name": "NEW_PASSWORD_REQUIRED",
        "session": desk.tools.secrets.seal(state, _SESSION),
        "challenge_parameters": {
            "USER_ID_FOR_SRP": user.username,
            "requiredAttributes": orjson.dumps(missing).decode(),
            "userAttributes": orjson.dumps(shown).decode(),
        },
    }


def _missing(pool: UserPool, user: PoolUser) -> list[str]:
    needed = (each["name"] for each in pool.schema_attributes if each.get("required") and each["name"] != "sub")
    return [name for name in needed if not user.attributes.get(name)]


def set_new_password(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given, session: str | None) -> Costly:
    """The answer to NEW_PASSWORD_REQUIRED. Raises ControlError."""
    name, password = needed(given, "USERNAME"), needed(given, "NEW_PASSWORD")
    check_secret_hash(desk, client, given.get("SECRET_HASH"), name)
    if not session:
        raise invalid("Missing required parameter Session")
    try:
        state = orjson.loads(desk.tools.secrets.open(session, _SESSION))
    except SecretError:
        raise not_authorized("Invalid session for the user.") from None
    pool_id, client_id, username, expires, password_hash, nonce = state
    user = find_user(desk, pool, name)
    if (pool_id, client_id) != (pool.id, client.client_id) or user is None or user.username != username:
        raise not_authorized("Invalid session for the user.")
    check_policy(pool, password)
    prefix = "userAttributes."
    attributes = {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)}
    check_writable(client, attributes)
    check_values(pool, attributes, creating=False)
    spend(desk, nonce, expires)

    def store(later: Desk, digest: passwords.Digest) -> Any:
        found = find_user(later, pool, username)
        if found is None or found.password_hash != password_hash:
            raise not_authorized(USED)
        changed = replace(found, attributes={**found.attributes, **attributes})
        if still := _missing(pool, changed):
            raise invalid(f"Invalid attributes given, {still[0]} is missing")
        changed = with_password(later, changed, digest, user_status="CONFIRMED")
        put_user(later, pool, changed, found)
        return welcome(later, pool, client, changed)

    return Costly(lambda: passwords.digest(pool.id, username, password), store)
