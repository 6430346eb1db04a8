"""Signing in: by password, by SRP, by refresh token; and the challenges on the way.

The state between two calls (`Session`, `SECRET_BLOCK`) is sealed and given to the client, so that any node may answer the
second one; it holds for the client's AuthSessionValidity, and once.
Source: *InitiateAuth*, *AdminInitiateAuth*, *RespondToAuthChallenge*.
"""

from __future__ import annotations

from typing import Any

from tidegate.aws.model import Params
from tidegate.control.cognito_idp.clients import allows, check_client_secret, check_secret_hash
from tidegate.control.cognito_idp.desk import Costly, Desk, Operation
from tidegate.control.cognito_idp.errors import invalid, not_authorized, unsupported
from tidegate.control.cognito_idp.lookup import client_of, find_user, pool_and_client, pool_of
from tidegate.control.cognito_idp.proofs import Given, check_password, needed
from tidegate.control.cognito_idp.sessions import Grant, session_of, tokens
from tidegate.control.cognito_idp.srp_sign_in import by_srp, verify_srp
from tidegate.control.cognito_idp.welcome import answer, set_new_password, welcome
from tidegate.definition.records import UserPool, UserPoolClient


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
        return by_srp(desk, pool, client, given)
    if flow == "CUSTOM_AUTH":
        raise invalid("Custom auth lambda trigger is not configured for the user pool.")
    raise unsupported(f"the sign-in flow {flow}")


def _require_flow(client: UserPoolClient, flow: str, message: str) -> None:
    if not allows(client, flow):
        raise invalid(message)


def _by_password(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given) -> Costly:
    name, password = needed(given, "USERNAME"), needed(given, "PASSWORD")
    check_secret_hash(desk, client, given.get("SECRET_HASH"), name)
    return check_password(desk, pool, client, name, password, welcome)


def _refresh(desk: Desk, pool: UserPool, client: UserPoolClient, given: Given) -> Costly:
    held = _held(desk, pool, client, needed(given, "REFRESH_TOKEN"))
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
    return answer(tokens(desk, held, refresh=False))


def refresh(desk: Desk, params: Params) -> Costly:
    pool, client = pool_and_client(desk, params["client_id"])
    if params.get("device_key"):
        raise unsupported("devices (DeviceKey)")
    check_client_secret(desk, client, params.get("client_secret"))
    return _again(desk, _held(desk, pool, client, params["refresh_token"]))


def respond(desk: Desk, params: Params) -> Any:
    pool, client = pool_and_client(desk, params["client_id"])
    return _respond(desk, pool, client, params)


def admin_respond(desk: Desk, params: Params) -> Any:
    pool = pool_of(desk, params["user_pool_id"])
    return _respond(desk, pool, client_of(desk, pool, params["client_id"]), params)


def _respond(desk: Desk, pool: UserPool, client: UserPoolClient, params: Params) -> Any:
    given, challenge = params.get("challenge_responses") or {}, params["challenge_name"]
    if challenge == "PASSWORD_VERIFIER":
        return verify_srp(desk, pool, client, given)
    if challenge == "NEW_PASSWORD_REQUIRED":
        return set_new_password(desk, pool, client, given, params.get("session"))
    raise unsupported(f"the challenge {challenge}")


OPERATIONS: dict[str, Operation] = {
    "InitiateAuth": initiate,
    "AdminInitiateAuth": admin_initiate,
    "GetTokensFromRefreshToken": refresh,
    "RespondToAuthChallenge": respond,
    "AdminRespondToAuthChallenge": admin_respond,
}
