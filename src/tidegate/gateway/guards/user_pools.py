"""COGNITO_USER_POOLS: a JSON Web Token of one of the pools, verified by the pool's own keys.

Source: *Control access to REST APIs using Amazon Cognito user pools as an authorizer*, *Verifying a JSON Web Token*; shared
facts, access §5. Not here: where the keys come from (gateway.guards.pool_keys).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Protocol

import jwt
import orjson

from tidegate.core.message import UpstreamError
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.guards.access import policy_request, require, rules_of, unauthorized
from tidegate.gateway.guards.issuers import Issuers, audiences_of, kind_of, scopes_of
from tidegate.plan.nodes import UserPool, UserPoolGuard
from tidegate.state.answers import AnswerCache
from tidegate.vtl import PatternError

_LONGEST_TOKEN = 16 * 1024
_OPTIONS: Any = {
    "require": ["exp", "iss"],
    # Times are looked at by our own clock, the audience by the authorizer's expression.
    **dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud"), False),
}
_EXPIRED = "The incoming token has expired"


class PoolKeys(Protocol):
    async def key(self, pool: UserPool, key_id: str | None) -> Any:
        """The public key of that id, or the only one; None: the pool has none. Raises UpstreamError when it cannot be asked."""
        ...


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that holds."""

    claims: Mapping[str, Any]
    texts: dict[str, str]
    """The same as `$context` and events show them. Shared by the requests with this token: never changed."""

    @classmethod
    def of(cls, claims: Mapping[str, Any]) -> _Verified:
        return cls(claims, {name: _text(name, value) for name, value in claims.items()})


class UserPools:
    def __init__(self, keys: PoolKeys, issuers: Issuers, now: Callable[[], float]) -> None:
        self._keys = keys
        self._issuers = issuers
        self._now = now
        self.answers: AnswerCache[_Verified] = AnswerCache(now)

    async def authorize(self, exchange: Exchange, plan: UserPoolGuard) -> None:
        token = (plan.token(exchange) or "").strip()
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        if not token or len(token) > _LONGEST_TOKEN:
            raise unauthorized("the token is missing")
        if plan.ttl > 0:
            key = (exchange.stage.key, plan.kept_as, token)
            verified = await self.answers.get(key, lambda: self._kept(plan, token))
        else:
            verified = _Verified.of(await self._verify(plan, token))
        # AWS: which kind of token a method needs, and its scopes, are the method's own.
        self._check_use(plan, verified.claims)
        exchange.authorizer = {"claims": verified.texts}
        if exchange.stage.rules is not None:
            require(exchange, policy_request(exchange), rules_of(exchange).cognito)

    async def _kept(self, plan: UserPoolGuard, token: str) -> tuple[float, _Verified]:
        claims = await self._verify(plan, token)
        return min(self._now() + plan.ttl, float(claims["exp"])), _Verified.of(claims)

    async def _verify(self, plan: UserPoolGuard, token: str) -> Mapping[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            unverified = jwt.decode(token, options={"verify_signature": False})
        except (jwt.InvalidTokenError, ValueError) as error:
            raise unauthorized(f"the token is no JSON Web Token: {error}") from None
        pool = self._issuers.pool(plan.pools, str(unverified.get("iss")))
        key_id = header.get("kid")
        # The algorithm is the pools', never the token's own choice.
        if pool is None or header.get("alg") != "RS256" or not _is_key_id(key_id, pool):
            raise unauthorized("the token is of no pool of the authorizer")
        try:
            key = await self._keys.key(pool, key_id)
        except UpstreamError as error:
            raise unauthorized(f"the keys of pool {pool.id} cannot be had: {error}") from error
        if key is None:
            raise unauthorized(f"pool {pool.id} has no key {str(key_id)[:64]!r}")
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=["RS256"],
                issuer=pool.issuer,
                # Expiry is looked at below, by our own clock.
                options={
                    "require": ["exp", "iss"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                    "verify_aud": False,
                },
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise unauthorized(f"the token does not hold: {error}") from None
        self._check_time(claims)
        if pool.foreign:
            scopes = {"scope": " ".join(found)} if (found := scopes_of(claims)) else {}
            return {**claims, **scopes, "token_use": kind_of(header, claims)}
        return dict(claims)

    def _check_time(self, claims: Mapping[str, Any]) -> None:
        now = self._now()
        try:
            expires, begins = float(claims["exp"]), float(claims.get("nbf", 0))
        except (TypeError, ValueError, OverflowError):
            raise unauthorized("exp or nbf is no number") from None
        if not (isfinite(expires) and isfinite(begins)):
            raise unauthorized("exp or nbf is no time")
        if expires <= now:
            raise unauthorized("the token has expired", _EXPIRED)
        if begins > now:
            raise unauthorized("the token is not good yet")

    @staticmethod
    def _check_use(plan: UserPoolGuard, claims: Mapping[str, Any]) -> None:
        use = claims.get("token_use")
        if plan.scopes:
            if use != "access" or plan.scopes.isdisjoint(str(claims.get("scope", "")).split()):
                raise unauthorized("an access token with one of the method's scopes is needed")
        elif use != "id":
            raise unauthorized("an identity token is needed")
        if plan.pattern is not None:
            try:
                matches = any(map(plan.pattern.matches, audiences_of(claims, plan.pools)))
            except PatternError:
                matches = False
            if not matches:
                raise unauthorized("the audience does not match the authorizer's expression")


def _is_key_id(key_id: object, pool: UserPool) -> bool:
    # OpenID Connect Core: a provider with one key only need not name it; user pools always do.
    return isinstance(key_id, str) or (key_id is None and pool.foreign)


def _text(name: str, value: Any) -> str:
    """AWS: every claim is text; lists are joined by commas, times written out."""
    if name in ("exp", "iat", "auth_time", "nbf") and isinstance(value, (int, float)) and name != "auth_time":
        # A time beyond the calendar is shown as the number that it is.
        with suppress(ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(value, UTC).strftime("%a %b %d %H:%M:%S UTC %Y")
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return ",".join(each if isinstance(each, str) else orjson.dumps(each).decode() for each in value)
    return orjson.dumps(value).decode()
