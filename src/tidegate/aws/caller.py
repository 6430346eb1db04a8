"""Calls of AWS's services that Tidegate makes itself: signed, to wherever the service is reached.

Source: *Create a signed AWS API request*. Not here: where services are and whose keys sign (protocols), what a call says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol

from tidegate.aws.credentials import CredentialError
from tidegate.aws.scope import Scope
from tidegate.aws.sigv4 import Credentials, sign
from tidegate.core.clock import Clock
from tidegate.core.message import Origin, Upstream, UpstreamError, UpstreamResponse

_MAX_BODY: Final = 10 * 1024 * 1024


class ServiceEndpoints(Protocol):
    """Where the services of AWS are reached."""

    async def origin(self, service: str, region: str) -> Origin:
        """`service`: the signing name. Raises UpstreamError."""
        ...


class CredentialSource(Protocol):
    """Whose keys sign a request."""

    async def credentials(self, role: str | None, account: str) -> Credentials:
        """`role`: the ARN that an integration names; None: the gateway's own. Raises CredentialError."""
        ...


class AwsCaller:
    def __init__(
        self, upstream: Upstream, endpoints: ServiceEndpoints, credentials: CredentialSource, clock: Clock
    ) -> None:
        self._upstream = upstream
        self._endpoints = endpoints
        self._credentials = credentials
        self._clock = clock

    async def call(
        self,
        service: str,
        scope: Scope,
        method: str,
        path: str,
        *,
        query: str = "",
        headers: Mapping[str, str],
        body: bytes = b"",
        role: str | None = None,
        timeout: float = 60.0,
        max_body: int = _MAX_BODY,
    ) -> UpstreamResponse:
        """`path` and `query`: encoded. `role`: whose rights it is made with. Raises UpstreamError."""
        try:
            async with asyncio.timeout(timeout):
                origin = await self._endpoints.origin(service, scope.region)
                credentials = await self._credentials.credentials(role, scope.account)
        except CredentialError as error:
            raise UpstreamError(f"{service}: {error}") from error
        except TimeoutError:
            raise UpstreamError(f"no endpoint or credentials for {service} in time") from None
        given = {"Host": origin.authority, **headers}
        given |= sign(
            credentials,
            region=scope.region,
            service=service,
            now=self._clock.now(),
            method=method,
            path=path,
            query=query,
            headers=given,
            body=body,
        )
        if body or method in ("POST", "PUT"):
            given["Content-Length"] = str(len(body))
        target = f"{path}?{query}" if query else path
        fields = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        head = f"{method} {target} HTTP/1.1\r\n{fields}\r\n".encode("latin-1")
        return await self._upstream.send(origin, head, body, timeout=timeout, max_body=max_body)
