"""Signing in: by password, by SRP, by refresh token; and the challenges on the way.

The state between two calls (`Session`, `SECRET_BLOCK`) is sealed and given to the client, so that any node may answer the
second one; it holds for the client's AuthSessionValidity, and once.
Source: *InitiateAuth*, *AdminInitiateAuth*, *RespondToAuthChallenge*; *Managing error responses*.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from tidegate.aws.model import Params
from tidegate.control.cognito_idp import passwords, srp
from tidegate.control.cognito_idp.attributes import check_values, check_writable, readable
from tidegate.control.cognito_idp.clients import allows, check_client_secret, check_secret_hash, hides_users
from tidegate.control.cognito_idp.desk import Costly, Desk, Operation
from tidegate.control.cognito_idp.errors import invalid, no_user, not_authorized, unsupported
from tidegate.control.cognito_idp.lookup import client_of, find_user, pool_and_client, pool_of, put_user
from tidegate.control.cognito_idp.sealing import SecretError
from tidegate.control.cognito_idp.sessions import Grant, begin, session_of, tokens
from tidegate.control.cognito_idp.users import VERIFIER, check_policy, with_password
from tidegate.core.errors import ControlError
from tidegate.definition.records import PoolUser, UserPool, UserPoolClient

_SESSION, _BLOCK = "sign-in session", "srp challenge"
_TIMESTAMP = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} \d{1,2} \d{2}:\d{2}:\d{2} [A-Z]{3,4} \d{4}")
_USED = "Invalid session for the user, session can only be used once."

Given = Mapping[str, str]
Welcome = Callable[[Desk, UserPool, UserPoolClient, PoolUser], Any]
"""What follows when it is clear who somebody is."""


def initiate(desk: Desk, params: Params) -> Any:
    pool, client = pool_and_client(desk, params["client_id"])
    flow, given = params["auth_flow"], params.get("auth_parameters") or {}
    if flow in ("ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"):
        raise invalid("Initiate Auth method not supported.")
    return _begin(desk, pool, client, flow, given)


def admin_initiate(desk: Desk, params: Params) -> Any:
    pool = pool_of(desk, params["user_pool_id"])
    client = client_of(desk, pool, params["client_id"])
    return _begin(desk, pool, client, params["auth_flow"], params.get("auth_parameters") or {})


def _begin(desk: Desk, pool: UserPool, client: UserPoolClient, flow: str, given: Given) -> Any:
    if flow in ("REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"):
        _require_flow(client, "ALLOW_REFRESH_TOKEN_AUTH", "Auth flow not enabled for this client")
        return _refresh(desk, pool, client, given)
    if flow == "USER_PASSWORD_AUTH":
        _require_flow(client, "ALLOW_USER_PASSWORD_AUTH", "USER_PASSWORD_AUTH flow not enabled for this client")
        return _by_password(desk, pool, client, given)
    if flow in ("ADMIN_USER_PASSWORD_AUTH", "ADMIN_NO_SRP_AUTH"):
        _require_flow(client, "ALLOW_ADMIN_USER_PASSWORD_AUTH", "Auth flow not enabled for this client")
        return _by_password(desk, pool, client, given)
    if flow == "USER_SRP_AUTH":
        _require_flow(client, "ALLOW_USER_SRP_AUTH", "USER_SRP_AUTH is not enabled for the client.")
        return _by_srp(desk, pool, client, given)
    if flow == "CUSTOM_AUTH":
        raise invalid("Custom auth lambda trigger is not configured for the user pool.")
    raise unsupported(f"the sign-in flow {flow}")


def _require_flow(client: UserPoolClient, flow: str, message: str) -> None:
    if not allows(client, flow):
        raise invalid(message)


def _needed(given: Given, name: str) -> str:
    value = given.get(name)
    if not value:
        raise invalid(f"Missing required parameter {name}")
    return value


def _by_password(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given) -> Costly:
    name, password = _needed(given, "USERNAME"), _needed(given, "PASSWORD")
    check_secret_hash(desk, client, given.get("SECRET_HASH"), name)
    return check_password(desk, pool, client, name, password, welcome)


def check_password(
    desk: Desk, pool: UserPool, client: UserPoolClient, name: str, password: str, then: Welcome
) -> Costly:
    """Raises ControlError, in this step or the next, unless the password is right; says no more than the client allows."""
    user = find_user(desk, pool, name)
    known = name if user is None else user.username
    desk.tools.attempts.check_password(pool.id, known)
    stored = None if user is None else user.password_hash

    def decide(later: Desk, right: bool) -> Any:
        found = None if user is None else find_user(later, pool, user.username)
        _judge(later, pool, client, known, right=right and found is not None and found.password_hash == stored)
        assert found is not None
        return then(later, pool, client, found)

    if user is None and not hides_users(client):
        raise no_user()
    return Costly(lambda: passwords.matches(stored, password), decide)


def _judge(desk: Desk, pool: UserPool, client: UserPoolClient, name: str, *, right: bool) -> None:
    """Count a proof that was given, right or wrong. Raises ControlError for a wrong one, and for any during a lock."""
    attempts = desk.tools.attempts
    # Looked at once more: many guesses at a time all began before the first had failed.
    attempts.check_password(pool.id, name)
    if not right:
        attempts.wrong_password(pool.id, name)
        raise not_authorized()
    attempts.right_password(pool.id, name)


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
    return _answer(tokens(desk, Grant(pool, client, user, session), refresh=True))


def _answer(signing: Costly) -> Costly:
    return Costly(lambda: {"authentication_result": signing.work(), "challenge_parameters": {}})


def _refresh(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given) -> Costly:
    held = _held(desk, pool, client, _needed(given, "REFRESH_TOKEN"))
    check_secret_hash(desk, client, given.get("SECRET_HASH"), held.user.username, held.user.sub)
    return _again(desk, held)


def _held(desk: Desk, pool: UserPool, client: UserPoolClient, refresh_token: str) -> Grant:
    """Raises ControlError unless the token is the client's and still holds."""
    session = session_of(desk, pool, refresh_token)
    user = find_user(desk, pool, session.username)
    if session.client_id != client.client_id or user is None:
        raise not_authorized("Invalid Refresh Token")
    return Grant(pool, client, user, session)


def _again(desk: Desk, held: Grant) -> Costly:
    if not held.user.enabled:
        raise not_authorized("User is disabled.")
    return _answer(tokens(desk, held, refresh=False))


def refresh(desk: Desk, params: Params) -> Costly:
    pool, client = pool_and_client(desk, params["client_id"])
    if params.get("device_key"):
        raise unsupported("devices (DeviceKey)")
    check_client_secret(desk, client, params.get("client_secret"))
    return _again(desk, _held(desk, pool, client, params["refresh_token"]))


# --- SRP


def _by_srp(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given) -> Costly:
    name = _needed(given, "USERNAME")
    try:
        client_public = srp.read_public(_needed(given, "SRP_A"))
    except srp.SrpError as error:
        raise invalid(str(error)) from None
    check_secret_hash(desk, client, given.get("SECRET_HASH"), name)
    user = find_user(desk, pool, name)
    if user is None and not hides_users(client):
        raise no_user()
    username = name if user is None else user.username
    salt, verifier = _stored(desk, pool, user, username)
    box, expires = desk.tools.secrets, desk.now + client.auth_session_validity * 60

    def challenge() -> dict[str, Any]:
        made = srp.challenge(verifier)
        numbers = [f"{number:x}" for number in (client_public, made.secret, made.public)]
        state = orjson.dumps([pool.id, client.client_id, username, expires, secrets.token_hex(8), salt, *numbers])
        # Clients hash the block's bytes, and take it for base64 of the ordinary alphabet.
        block = base64.b64encode(box.seal(state, _BLOCK).encode()).decode()
        return {
            "challenge_name": "PASSWORD_VERIFIER",
            "challenge_parameters": {
                "USER_ID_FOR_SRP": username,
                "USERNAME": username,
                "SALT": salt,
                "SRP_B": numbers[2],
                "SECRET_BLOCK": block,
            },
        }

    return Costly(challenge)


def _stored(desk: Desk, pool: UserPool, user: PoolUser | None, username: str) -> tuple[str, int]:
    """Salt and verifier; for somebody who is not there, made-up ones, the same at every call."""
    box = desk.tools.secrets
    if user is not None and user.srp_salt is not None and user.sealed_srp_verifier is not None:
        return user.srp_salt, int.from_bytes(box.open(user.sealed_srp_verifier, VERIFIER))
    made_up = box.derive(f"nobody's verifier {pool.id} {username}", 400)
    return f"{int.from_bytes(made_up[:16]) | 1 << 120:032x}", int.from_bytes(made_up[16:])


def _verify_srp(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given) -> Costly:
    block, timestamp = _needed(given, "PASSWORD_CLAIM_SECRET_BLOCK"), _needed(given, "TIMESTAMP")
    signature, name = _needed(given, "PASSWORD_CLAIM_SIGNATURE"), _needed(given, "USERNAME")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise invalid("TIMESTAMP format should be EEE MMM d HH:mm:ss z yyyy in english.")
    check_secret_hash(desk, client, given.get("SECRET_HASH"), name)
    try:
        block_bytes, proof = base64.b64decode(block, validate=True), base64.b64decode(signature, validate=True)
        state = orjson.loads(desk.tools.secrets.open(block_bytes.decode("latin-1"), _BLOCK))
    except (SecretError, binascii.Error, ValueError):
        raise not_authorized() from None
    pool_id, client_id, username, expires, _, salt, *numbers = state
    named = find_user(desk, pool, name)
    if (pool_id, client_id, username) != (pool.id, client.client_id, name if named is None else named.username):
        raise not_authorized()
    _spend(desk, block, expires)
    desk.tools.attempts.check_password(pool.id, username)
    user = find_user(desk, pool, username)
    verifier = _stored(desk, pool, user, username)[1]
    client_public, secret, public = (int(number, 16) for number in numbers)
    message = block_bytes + timestamp.encode()

    def decide(later: Desk, wanted: bytes) -> Any:
        found = find_user(later, pool, username)
        same = found is not None and found.srp_salt == salt
        _judge(later, pool, client, username, right=hmac.compare_digest(wanted, proof) and same)
        assert found is not None
        return welcome(later, pool, client, found)

    mine = srp.Challenge(secret, public)
    return Costly(lambda: srp.prove(client_public, mine, verifier, message, pool.id, username), decide)


def _spend(desk: Desk, name: str, expires: float) -> None:
    if expires <= desk.now:
        raise not_authorized("Invalid session for the user, session is expired.")
    if not desk.tools.spent.spend(name, expires):
        raise not_authorized(_USED)


# --- a new password for a temporary one


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


def _set_new_password(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given, session: str | None) -> Costly:
    name, password = _needed(given, "USERNAME"), _needed(given, "NEW_PASSWORD")
    check_secret_hash(desk, client, given.get("SECRET_HASH"), name)
    if not session:
        raise invalid("Missing required parameter Session")
    try:
        state = orjson.loads(desk.tools.secrets.open(session, _SESSION))
    except SecretError:
        raise not_authorized("Invalid session for the user.") from None
    pool_id, client_id, username, expires, password_hash, _ = state
    user = find_user(desk, pool, name)
    if (pool_id, client_id) != (pool.id, client.client_id) or user is None or user.username != username:
        raise not_authorized("Invalid session for the user.")
    check_policy(pool, password)
    prefix = "userAttributes."
    attributes = {key.removeprefix(prefix): value for key, value in given.items() if key.startswith(prefix)}
    check_writable(client, attributes)
    check_values(pool, attributes, creating=False)
    _spend(desk, session, expires)

    def store(later: Desk, digest: passwords.Digest) -> Any:
        found = find_user(later, pool, username)
        if found is None or found.password_hash != password_hash:
            raise not_authorized(_USED)
        changed = replace(found, attributes={**found.attributes, **attributes})
        if still := _missing(pool, changed):
            raise invalid(f"Invalid attributes given, {still[0]} is missing")
        changed = with_password(later, changed, digest, user_status="CONFIRMED")
        put_user(later, pool, changed, found)
        return welcome(later, pool, client, changed)

    return Costly(lambda: passwords.digest(pool.id, username, password), store)


def respond(desk: Desk, params: Params) -> Any:
    pool, client = pool_and_client(desk, params["client_id"])
    return _respond(desk, pool, client, params)


def admin_respond(desk: Desk, params: Params) -> Any:
    pool = pool_of(desk, params["user_pool_id"])
    return _respond(desk, pool, client_of(desk, pool, params["client_id"]), params)


def _respond(desk: Desk, pool: UserPool, client: UserPoolClient, params: Params) -> Any:
    given, challenge = params.get("challenge_responses") or {}, params["challenge_name"]
    if challenge == "PASSWORD_VERIFIER":
        return _verify_srp(desk, pool, client, given)
    if challenge == "NEW_PASSWORD_REQUIRED":
        return _set_new_password(desk, pool, client, given, params.get("session"))
    raise unsupported(f"the challenge {challenge}")


OPERATIONS: dict[str, Operation] = {
    "InitiateAuth": initiate,
    "AdminInitiateAuth": admin_initiate,
    "GetTokensFromRefreshToken": refresh,
    "RespondToAuthChallenge": respond,
    "AdminRespondToAuthChallenge": admin_respond,
}
