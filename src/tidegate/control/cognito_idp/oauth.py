"""The token endpoint and its kin: codes, client credentials and refresh tokens against tokens; user info; revocation.

Errors are those of OAuth 2.0 (RFC 6749, 7009, 7636), with the status codes of AWS.
Source: *Token endpoint*, *userInfo endpoint*, *Revoke endpoint* (Amazon Cognito Developer Guide).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

import orjson

from tidegate.aws.model import Params
from tidegate.control.cognito_idp.attributes import readable
from tidegate.control.cognito_idp.clients import STANDARD_SCOPES, known_scopes, secret_of, validity
from tidegate.control.cognito_idp.desk import Costly, Desk
from tidegate.control.cognito_idp.lookup import find_user, pool_of
from tidegate.control.cognito_idp.sealing import SecretError
from tidegate.control.cognito_idp.self_service import revoke
from tidegate.control.cognito_idp.sessions import OF_SCOPES, Grant, bearer, begin, issuer_of, session_of, tokens
from tidegate.core.errors import ControlError
from tidegate.definition.records import UserPool, UserPoolClient

_CODE = "authorization code"
_CODE_HOLDS = 300.0
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636: what a code verifier, and the challenge made of it, may be."""


class OAuthError(Exception):
    """`code`: of RFC 6749."""

    def __init__(self, code: str, description: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Authorization:
    """What an application asks a user for: an authorization request that has been checked."""

    pool: UserPool
    client: UserPoolClient
    redirect_uri: str
    scope: str
    challenge: str | None
    nonce: str | None


def checked_request(desk: Desk, pool: UserPool, client: UserPoolClient, given: Mapping[str, str]) -> Authorization:
    """Of a client whose redirect URI is one of its own already. Raises OAuthError, which goes back to that URI."""
    if given.get("response_type") != "code":
        raise OAuthError("unsupported_response_type")
    if not client.allowed_o_auth_flows_user_pool_client or "code" not in (client.allowed_o_auth_flows or ()):
        raise OAuthError("unauthorized_client")
    challenge = given.get("code_challenge")
    if (challenge is None) != (given.get("code_challenge_method") is None):
        raise OAuthError("invalid_request", "code_challenge and code_challenge_method go together")
    if challenge is not None and (given["code_challenge_method"] != "S256" or not _VERIFIER.fullmatch(challenge)):
        raise OAuthError("invalid_request", "code_challenge_method has to be S256")
    return Authorization(
        pool, client, given["redirect_uri"], _scope(client, given.get("scope")), challenge, given.get("nonce")
    )


def _scope(client: UserPoolClient, asked: str | None) -> str:
    """AWS: all of a client's scopes where none are asked for. Raises OAuthError."""
    allowed = client.allowed_o_auth_scopes or []
    scopes = asked.split() if asked else allowed
    if not set(scopes) <= set(allowed):
        raise OAuthError("invalid_scope")
    if {"phone", "email", "profile"} & set(scopes) and "openid" not in scopes:
        raise OAuthError("invalid_scope")
    return " ".join(dict.fromkeys(scopes))


def issue_code(desk: Desk, asked: Authorization, username: str) -> str:
    place = [asked.pool.id, asked.client.client_id, username, asked.redirect_uri, asked.scope, asked.challenge]
    state = [*place, asked.nonce, desk.now + _CODE_HOLDS, secrets.token_hex(8)]
    return desk.tools.secrets.seal(orjson.dumps(state), _CODE)


def authenticated_client(desk: Desk, pool: UserPool, form: Mapping[str, str], header: str | None) -> UserPoolClient:
    """By the Authorization header or the form; a client with a secret has to show it. Raises OAuthError."""
    client_id, secret = _basic(header) if header else (form.get("client_id", ""), form.get("client_secret"))
    if header and form.get("client_id", client_id) != client_id:
        raise OAuthError("invalid_client")
    client = desk.tx.get(UserPoolClient, pool.id, client_id)
    if client is None:
        raise OAuthError("invalid_client")
    wanted = secret_of(desk.tools.secrets, client)
    if not hmac.compare_digest((wanted or "").encode(), (secret or "").encode()):
        raise OAuthError("invalid_client", "invalid_client_secret")
    return client


def _basic(header: str) -> tuple[str, str]:
    scheme, _, text = header.partition(" ")
    try:
        name, colon, secret = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except ValueError:  # No base64, no UTF-8, not even ASCII.
        raise OAuthError("invalid_client") from None
    if scheme.lower() != "basic" or not colon:
        raise OAuthError("invalid_client")
    # RFC 6749 §2.3.1: both are form-encoded in the header.
    return unquote_plus(name), unquote_plus(secret)


def token(desk: Desk, params: Params) -> Any:
    """`params`: pool id, form and Authorization header. Raises OAuthError."""
    pool, form = pool_of(desk, params["pool_id"]), params["form"]
    client = authenticated_client(desk, pool, form, params["authorization"])
    grant_type = form.get("grant_type")
    if grant_type == "authorization_code":
        return _by_code(desk, pool, client, form)
    if grant_type == "refresh_token":
        return _by_refresh_token(desk, pool, client, form)
    if grant_type == "client_credentials":
        return _by_client(desk, pool, client, form)
    raise OAuthError("unsupported_grant_type" if grant_type else "invalid_request")


def _allowed(client: UserPoolClient, flow: str) -> None:
    if not client.allowed_o_auth_flows_user_pool_client or flow not in (client.allowed_o_auth_flows or ()):
        raise OAuthError("unauthorized_client")


def _by_code(desk: Desk, pool: UserPool, client: UserPoolClient, form: Mapping[str, str]) -> Costly:
    _allowed(client, "code")
    code = form.get("code", "")
    try:
        state = orjson.loads(desk.tools.secrets.open(code, _CODE))
    except SecretError:
        raise OAuthError("invalid_grant") from None
    pool_id, client_id, username, redirect_uri, scope, challenge, nonce, expires, once = state
    if (pool_id, client_id, redirect_uri) != (pool.id, client.client_id, form.get("redirect_uri")):
        raise OAuthError("invalid_grant")
    if expires <= desk.now or not _proves(challenge, form.get("code_verifier")):
        raise OAuthError("invalid_grant")
    user = find_user(desk, pool, username)
    # Spent last: a stranger who lacks the verifier cannot use it up.
    if user is None or not user.enabled or not desk.tools.spent.spend(once, expires):
        raise OAuthError("invalid_grant")
    session = begin(desk, pool, client, user, scope)
    return _answer(tokens(desk, Grant(pool, client, user, session, nonce), refresh=True))


def _answer(signing: Costly) -> Costly:
    """The tokens by their names in OAuth."""
    order = ("id_token", "access_token", "refresh_token", "expires_in", "token_type")

    def work() -> dict[str, Any]:
        made = signing.work()
        return {name: made[name] for name in order if name in made}

    return Costly(work)


def _proves(challenge: str | None, verifier: str | None) -> bool:
    if challenge is None:
        return verifier is None
    if verifier is None or not _VERIFIER.fullmatch(verifier):
        return False
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(digest, challenge)


def _by_refresh_token(desk: Desk, pool: UserPool, client: UserPoolClient, form: Mapping[str, str]) -> Costly:
    try:
        session = session_of(desk, pool, form.get("refresh_token", ""))
    except ControlError:
        raise OAuthError("invalid_grant") from None
    user = find_user(desk, pool, session.username)
    if session.client_id != client.client_id or user is None or not user.enabled:
        raise OAuthError("invalid_grant")
    return _answer(tokens(desk, Grant(pool, client, user, session), refresh=False))


def _by_client(desk: Desk, pool: UserPool, client: UserPoolClient, form: Mapping[str, str]) -> Costly:
    _allowed(client, "client_credentials")
    scope = _scope(client, form.get("scope"))
    # A resource server that was deleted takes its scopes with it.
    if not set(scope.split()) <= known_scopes(desk, pool) - set(STANDARD_SCOPES):
        raise OAuthError("invalid_scope")
    now, holds = int(desk.now), validity(client, "access_token")
    claims = {
        "sub": client.client_id,
        "token_use": "access",
        "scope": scope,
        "auth_time": now,
        "iss": issuer_of(pool.id),
        "exp": now + holds,
        "iat": now,
        "version": 2,
        "jti": desk.ids.request_id(),
        "client_id": client.client_id,
    }
    signers = desk.tools.signers
    return Costly(
        lambda: {"access_token": signers.sign(pool.key_pair, claims), "expires_in": holds, "token_type": "Bearer"}
    )


def user_info(desk: Desk, params: Params) -> dict[str, Any]:
    """Raises OAuthError."""
    try:
        who = bearer(desk, params["token"], "openid")
    except ControlError as error:
        raise OAuthError("invalid_token", error.message, 401) from None
    if who.pool.id != params["pool_id"]:
        raise OAuthError("invalid_token", "Invalid Access Token", 401)
    scopes = str(who.claims["scope"]).split()
    shown = readable(who.client, who.user)
    if "profile" not in scopes:
        allowed = {"sub", *(name for scope in scopes for name in OF_SCOPES.get(scope, ()))}
        shown = {name: value for name, value in shown.items() if name in allowed}
    return {**shown, "username": who.user.username}


def revocation(desk: Desk, params: Params) -> dict[str, Any]:
    """Raises OAuthError."""
    pool, form = pool_of(desk, params["pool_id"]), params["form"]
    client = authenticated_client(desk, pool, form, params["authorization"])
    given = {"client_id": client.client_id, "client_secret": secret_of(desk.tools.secrets, client)}
    if not form.get("token"):
        raise OAuthError("invalid_request")
    try:
        revoke(desk, {**given, "token": form["token"]})
    except ControlError as error:
        codes = {
            "UnsupportedTokenTypeException": "unsupported_token_type",
            "UnauthorizedException": "unauthorized_client",
        }
        raise OAuthError(codes.get(error.code, "invalid_request")) from None
    return {}
