"""The public keys of user pools: fetched from the pool, kept, and fetched again for an unknown id, but not at everybody's wish.

Where another OpenID provider stands in for a pool, its discovery document says where its keys are.
Source: *Verifying a JSON Web Token* (JWKS at `/{pool id}/.well-known/jwks.json`); *OpenID Connect Discovery*.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson

from tidegate.aws.caller import ServiceEndpoints
from tidegate.core.message import Origin, Upstream, UpstreamError
from tidegate.plan.nodes import UserPool

_REFRESH = 30.0
"""Seconds between two fetches for ids that are not known: a flood of made-up ids must not hammer the issuer."""
_RETRY = 1.0
"""Seconds until it is tried again when it failed: a pool that starts later than its gateway is not shut out for long."""
_TIMEOUT = 5.0
_MOST_BYTES = 256 * 1024


class JwksKeys:
    def __init__(self, upstream: Upstream, endpoints: ServiceEndpoints, now: Callable[[], float]) -> None:
        self._upstream = upstream
        self._endpoints = endpoints
        self._now = now
        self._known: dict[str, dict[str, Any]] = {}
        self._next: dict[str, float] = {}
        """When an issuer may be asked again."""
        self._locks: dict[str, asyncio.Lock] = {}

    def forget(self, pool_id: str | None = None) -> None:
        """A pool of that id was made or removed here: its keys are others now. None: everything was reset."""
        for issuer in [*self._next]:
            if pool_id is None or issuer.endswith(f"/{pool_id}"):
                self._known.pop(issuer, None)
                self._next.pop(issuer, None)

    async def key(self, pool: UserPool, key_id: str | None) -> Any:
        """None: the pool has no such key. Without an id: the only one that it has. Raises UpstreamError."""
        found = _chosen(self._known.get(pool.issuer, {}), key_id)
        if found is not None:
            return found
        async with self._locks.setdefault(pool.issuer, asyncio.Lock()):
            known = self._known.get(pool.issuer, {})
            if _chosen(known, key_id) is None and self._now() >= self._next.get(pool.issuer, 0.0):
                self._next[pool.issuer] = self._now() + _RETRY
                known = self._known[pool.issuer] = await self._fetch(pool)
                self._next[pool.issuer] = self._now() + _REFRESH
        return _chosen(known, key_id)

    async def _fetch(self, pool: UserPool) -> dict[str, Any]:
        if pool.foreign:
            body = await self._get(*await self._discovered(pool))
        else:
            origin = await self._endpoints.origin("cognito-idp", pool.region)
            body = await self._get(origin, f"/{pool.id}/.well-known/jwks.json")
        try:
            given = orjson.loads(body)["keys"]
            keys = [jwt.PyJWK(key) for key in given if key.get("kty") == "RSA" and key.get("use", "sig") == "sig"]
        except (orjson.JSONDecodeError, jwt.PyJWTError, KeyError, TypeError, AttributeError) as error:
            raise UpstreamError(f"pool {pool.id} answered no key set: {error!r}") from None
        return {key.key_id: key.key for key in keys if key.key_id is not None}

    async def _discovered(self, pool: UserPool) -> tuple[Origin, str]:
        """Where the issuer's keys are. Raises UpstreamError."""
        body = await self._get(*_place(f"{pool.issuer.rstrip('/')}/.well-known/openid-configuration"))
        try:
            document = orjson.loads(body)
            issuer, keys = document["issuer"], document["jwks_uri"]
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise UpstreamError(f"issuer {pool.issuer} answered no discovery document: {error!r}") from None
        if issuer != pool.issuer or not isinstance(keys, str):
            raise UpstreamError(f"the discovery document of {pool.issuer} is of the issuer {issuer!r}")
        return _place(keys)

    async def _get(self, origin: Origin, target: str) -> bytes:
        head = f"GET {target} HTTP/1.1\r\nHost: {origin.authority}\r\nAccept: application/json\r\n\r\n".encode()
        answer = await self._upstream.send(origin, head, b"", timeout=_TIMEOUT, max_body=_MOST_BYTES)
        if answer.status != 200:
            raise UpstreamError(f"{origin.scheme}://{origin.authority}{target} answered {answer.status} for keys")
        return answer.body


def _chosen(known: Mapping[str, Any], key_id: str | None) -> Any:
    if key_id is not None:
        return known.get(key_id)
    return next(iter(known.values())) if len(known) == 1 else None


def _place(url: str) -> tuple[Origin, str]:
    """Raises UpstreamError."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise UpstreamError(f"no URL: {url[:200]!r}") from None
    # In a request line a blank would end the target: what follows would be taken for something else.
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not (url.isascii() and url.isprintable())
        or " " in url
    ):
        raise UpstreamError(f"no http address: {url[:200]!r}")
    return Origin(parts.scheme, parts.hostname, port), (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
