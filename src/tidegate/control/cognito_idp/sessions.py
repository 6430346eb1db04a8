"""Sign-ins and their tokens: what an access, an identity and a refresh token hold, and whether one still holds.

The tokens are as AWS's: whoever verifies them by the pool's public keys alone (API Gateway's authorizers do) takes them until
they expire. Revocation and sign-out hold for the pool's own operations, which look at the session.
Source: *Understanding user pool JSON web tokens (JWTs)*, *Ending user sessions with token revocation*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
import orjson

from tidegate.control.cognito_idp.attributes import readable
from tidegate.control.cognito_idp.clients import validity
from tidegate.control.cognito_idp.desk import Costly, Desk
from tidegate.control.cognito_idp.errors import no_user, not_authorized
from tidegate.control.cognito_idp.lookup import client_of, pool_of
from tidegate.control.cognito_idp.sealing import SecretError
from tidegate.control.cognito_idp.signing import public_key
from tidegate.definition.records import PoolSession, PoolUser, UserPool, UserPoolClient, UserPoolGroup

SELF_SERVICE = "aws.cognito.signin.user.admin"
"""The scope of the users' own operations."""
_REFRESH = "refresh token"


def issuer_of(pool_id: str) -> str:
    """Host and path of a pool, whose id begins with its region."""
    return f"https://cognito-idp.{pool_id.partition('_')[0]}.amazonaws.com/{pool_id}"


@dataclass(frozen=True, slots=True)
class Grant:
    """What tokens are made of."""

    pool: UserPool
    client: UserPoolClient
    user: PoolUser
    session: PoolSession
    nonce: str | None = None


def begin(
    desk: Desk, pool: UserPool, client: UserPoolClient, user: PoolUser, hosted_scope: str | None = None
) -> PoolSession:
    """A new session, stored; those of the user that have ended are swept out. `hosted_scope`: of the hosted endpoints."""
    for old in desk.tx.list(PoolSession, pool.id, user.username):
        if old.expires <= desk.now:
            desk.tx.delete(PoolSession, *old.key)
    session = PoolSession(
        user_pool_id=pool.id,
        username=user.username,
        origin_jti=desk.ids.request_id(),
        client_id=client.client_id,
        auth_time=int(desk.now),
        expires=desk.now + validity(client, "refresh_token"),
        scope=SELF_SERVICE if hosted_scope is None else hosted_scope,
        hosted=hosted_scope is not None,
    )
    desk.tx.put(session)
    return session


def tokens(desk: Desk, grant: Grant, *, refresh: bool) -> Costly:
    """Signed apart from the management thread. The answer: access, identity (for `openid` or self-service) and, at a new
    sign-in, refresh token, by the names of AuthenticationResult."""
    access, identity = _access_claims(desk, grant), _identity_claims(desk, grant)
    signers, key = desk.tools.signers, grant.pool.key_pair
    made = {"expires_in": validity(grant.client, "access_token"), "token_type": "Bearer"}
    if refresh:
        made["refresh_token"] = _refresh_token(desk, grant.session)

    def sign() -> dict[str, Any]:
        result = {**made, "access_token": signers.sign(key, access)}
        if not grant.session.hosted or "openid" in grant.session.scope.split():
            result["id_token"] = signers.sign(key, identity)
        return result

    return Costly(sign)


def _common_claims(desk: Desk, grant: Grant) -> dict[str, Any]:
    user, session = grant.user, grant.session
    claims: dict[str, Any] = {"sub": user.sub, "iss": issuer_of(grant.pool.id)}
    if user.groups:
        claims["cognito:groups"] = list(user.groups)
    if grant.client.enable_token_revocation:
        claims |= {"origin_jti": session.origin_jti, "jti": desk.ids.request_id()}
    return {**claims, "event_id": session.origin_jti, "auth_time": session.auth_time, "iat": int(desk.now)}


def _access_claims(desk: Desk, grant: Grant) -> dict[str, Any]:
    return {
        **_common_claims(desk, grant),
        **({"version": 2} if grant.session.hosted else {}),
        "client_id": grant.client.client_id,
        "token_use": "access",
        "scope": grant.session.scope,
        "exp": int(desk.now) + validity(grant.client, "access_token"),
        "username": grant.user.username,
    }


def _identity_claims(desk: Desk, grant: Grant) -> dict[str, Any]:
    shown = {name: _claim(name, value) for name, value in readable(grant.client, grant.user).items()}
    return {
        **_within_scope(shown, grant),
        **_common_claims(desk, grant),
        **_roles(desk, grant),
        **({} if grant.nonce is None else {"nonce": grant.nonce}),
        "cognito:username": grant.user.username,
        "aud": grant.client.client_id,
        "token_use": "id",
        "exp": int(desk.now) + validity(grant.client, "id_token"),
    }


OF_SCOPES = {"email": ("email", "email_verified"), "phone": ("phone_number", "phone_number_verified")}


def _within_scope(shown: dict[str, Any], grant: Grant) -> dict[str, Any]:
    """AWS: the scopes of the hosted endpoints choose what of a user the identity token tells."""
    scopes = grant.session.scope.split()
    if not grant.session.hosted or "profile" in scopes or SELF_SERVICE in scopes:
        return shown
    allowed = {name for scope, names in OF_SCOPES.items() if scope in scopes for name in names}
    return {name: value for name, value in shown.items() if name in allowed}


def _roles(desk: Desk, grant: Grant) -> dict[str, Any]:
    """AWS: the roles of a user's groups, and that of the group with the lowest precedence (two of the lowest: none)."""
    found = [desk.tx.get(UserPoolGroup, grant.pool.id, name) for name in grant.user.groups]
    groups = [group for group in found if group is not None and group.role_arn]
    if not groups:
        return {}
    lowest = min(1 << 31 if group.precedence is None else group.precedence for group in groups)
    preferred = {
        group.role_arn for group in groups if (1 << 31 if group.precedence is None else group.precedence) == lowest
    }
    claims: dict[str, Any] = {"cognito:roles": [group.role_arn for group in groups]}
    return claims | ({"cognito:preferred_role": preferred.pop()} if len(preferred) == 1 else {})


def _claim(name: str, value: str) -> Any:
    if name in ("email_verified", "phone_number_verified"):
        return value.lower() == "true"
    if name == "address":
        return {"formatted": value}
    return int(value) if name == "updated_at" and value.isdecimal() else value


def _refresh_token(desk: Desk, session: PoolSession) -> str:
    place = orjson.dumps([session.user_pool_id, session.username, session.origin_jti])
    return desk.tools.secrets.seal(place, _REFRESH)


def session_of(desk: Desk, pool: UserPool, refresh_token: str) -> PoolSession:
    """Raises ControlError for a token that is none, has expired or was revoked."""
    try:
        place: list[str] = orjson.loads(desk.tools.secrets.open(refresh_token, _REFRESH))
    except SecretError:
        raise not_authorized("Invalid Refresh Token") from None
    session = desk.tx.get(PoolSession, *place) if place[0] == pool.id else None
    if session is None:
        raise not_authorized("Refresh Token has been revoked" if place[0] == pool.id else "Invalid Refresh Token")
    if session.expires <= desk.now:
        raise not_authorized("Refresh Token has expired")
    return session


def pool_named(access_token: str) -> str | None:
    """The pool that a token says it is of; nothing has been verified."""
    try:
        claims = jwt.decode(access_token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError):
        return None
    return str(claims.get("iss", "")).rpartition("/")[2] or None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose access token it is."""

    pool: UserPool
    client: UserPoolClient
    user: PoolUser
    claims: Mapping[str, Any]


def bearer(desk: Desk, access_token: str, scope: str = SELF_SERVICE) -> Bearer:
    """Raises ControlError unless the token holds, was not revoked and has the scope."""
    pool_id = pool_named(access_token)
    if pool_id is None:
        raise not_authorized("Invalid Access Token")
    pool = pool_of(desk, pool_id)
    claims = _verified(pool, access_token)
    if claims.get("token_use") != "access" or "username" not in claims:
        raise not_authorized("Invalid Access Token")
    if claims["exp"] <= desk.now:
        raise not_authorized("Access Token has expired")
    if scope not in str(claims.get("scope", "")).split():
        raise not_authorized("Access Token does not have required scopes")
    user = desk.tx.get(PoolUser, pool.id, claims["username"])
    if user is None:
        raise no_user()
    if user.sub != claims["sub"]:
        # Another user of that name: the first is gone.
        raise not_authorized("Invalid Access Token")
    # Every token tells its sign-in by `event_id`; `origin_jti` is there with revocation only.
    if desk.tx.get(PoolSession, pool.id, user.username, str(claims.get("event_id"))) is None:
        raise not_authorized("Access Token has been revoked")
    if not user.enabled:
        raise not_authorized("User is disabled.")
    return Bearer(pool, client_of(desk, pool, claims["client_id"]), user, claims)


def _verified(pool: UserPool, token: str) -> Mapping[str, Any]:
    off = dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud"), False)
    options: Any = {"require": ["exp", "sub", "iss"], **off}
    try:
        return jwt.decode(
            token, public_key(pool.key_pair), algorithms=["RS256"], issuer=issuer_of(pool.id), options=options
        )
    except (jwt.InvalidTokenError, ValueError):
        raise not_authorized("Invalid Access Token") from None


def end_all(desk: Desk, pool: UserPool, user: PoolUser) -> None:
    """Of a user's sessions, every one."""
    desk.tx.delete_all(PoolSession, pool.id, user.username)
