"""The public keys of user pools: fetched from the pool, kept, and fetched again for an unknown id, but not at everybody's wish.

Source: *Verifying a JSON Web Token* (JWKS at `/{pool id}/.well-known/jwks.json`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import jwt
import orjson

from tidegate.aws.caller import ServiceEndpoints
from tidegate.core.message import Upstream, UpstreamError
from tidegate.plan.nodes import UserPool

_REFRESH = 30.0
"""Seconds between two fetches for ids that are not known: a flood of made-up ids must not hammer the issuer."""
_TIMEOUT = 5.0
_MOST_BYTES = 256 * 1024


class JwksKeys:
    def __init__(self, upstream: Upstream, endpoints: ServiceEndpoints, now: Callable[[], float]) -> None:
        self._upstream = upstream
        self._endpoints = endpoints
        self._now = now
        self._known: dict[str, dict[str, Any]] = {}
        self._fetched: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def key(self, pool: UserPool, key_id: str) -> Any:
        """None: the pool has no such key. Raises UpstreamError."""
        known = self._known.get(pool.issuer, {})
        if key_id in known:
            return known[key_id]
        async with self._locks.setdefault(pool.issuer, asyncio.Lock()):
            known = self._known.get(pool.issuer, {})
            if key_id not in known and self._now() - self._fetched.get(pool.issuer, -_REFRESH) >= _REFRESH:
                self._fetched[pool.issuer] = self._now()
                known = self._known[pool.issuer] = await self._fetch(pool)
        return known.get(key_id)

    async def _fetch(self, pool: UserPool) -> dict[str, Any]:
        origin = await self._endpoints.origin("cognito-idp", pool.region)
        head = (
            f"GET /{pool.id}/.well-known/jwks.json HTTP/1.1\r\nHost: {origin.authority}\r\nAccept: application/json\r\n\r\n"
        ).encode()
        answer = await self._upstream.send(origin, head, b"", timeout=_TIMEOUT, max_body=_MOST_BYTES)
        if answer.status != 200:
            raise UpstreamError(f"pool {pool.id} answered {answer.status} for its keys")
        try:
            given = orjson.loads(answer.body)["keys"]
            keys = [jwt.PyJWK(key) for key in given if key.get("kty") == "RSA" and key.get("use", "sig") == "sig"]
        except (orjson.JSONDecodeError, jwt.PyJWTError, KeyError, TypeError, AttributeError) as error:
            raise UpstreamError(f"pool {pool.id} answered no key set: {error!r}") from None
        return {key.key_id: key.key for key in keys if key.key_id is not None}
