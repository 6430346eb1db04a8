"""Other OpenID providers in the place of user pools: a setting maps a pool's id to an issuer, whose tokens an authorizer that
names the pool then takes, and the pool's own no longer.

Their tokens know no `token_use`. A method with scopes takes one that carries a scope; a method without takes one that is not
marked as an access token (RFC 9068). Source: *OpenID Connect Core*, RFC 9068.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.plan.nodes import UserPool


class Issuers:
    def __init__(self, mapped: Mapping[str, str]) -> None:
        """`mapped`: issuer by pool id."""
        self._stand_in = frozenset(mapped)
        self._pools: dict[str, list[UserPool]] = {}
        for pool_id, issuer in mapped.items():
            region = pool_id.partition("_")[0]
            self._pools.setdefault(issuer, []).append(UserPool(pool_id, region, issuer, foreign=True))

    def pool(self, pools: Mapping[str, UserPool], issuer: str) -> UserPool | None:
        """Of an authorizer's pools, by their own issuers, the one that this issuer speaks for."""
        pool = pools.get(issuer)
        if pool is not None:
            return None if pool.id in self._stand_in else pool
        for mapped in self._pools.get(issuer, ()):
            if f"https://cognito-idp.{mapped.region}.amazonaws.com/{mapped.id}" in pools:
                return mapped
        return None


def kind_of(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """`access` or `id`, of another provider's token."""
    if "token_use" in claims:
        return str(claims["token_use"])
    marked = str(header.get("typ", "")).lower().removeprefix("application/") == "at+jwt"
    return "access" if marked or scopes_of(claims) else "id"


def scopes_of(claims: Mapping[str, Any]) -> list[str]:
    """Of an access token; some providers give a list, or call it `scp`."""
    given = claims.get("scope", claims.get("scp", ""))
    return [str(each) for each in given] if isinstance(given, list) else str(given).split()


def audiences_of(claims: Mapping[str, Any], pools: Mapping[str, UserPool]) -> list[str]:
    """A pool's tokens are for one client; another provider's may be for several. `pools`: the authorizer's, by their issuers."""
    given = claims.get("aud")
    if not isinstance(given, list):
        given = [given]
    elif claims.get("iss") in pools:
        return []
    return [each for each in given if isinstance(each, str)]
