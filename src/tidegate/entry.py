"""Who answers a request: the data plane, a management service, Tidegate's own interface, or the neighbours.

One port serves all. The data plane is asked first, by host and path; then the credential scope (or X-Amz-Target) names a
service, as the SDKs send it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from tidegate.aws.scope import Credential, read_credential, service_of_form
from tidegate.control.sites import of_another_site
from tidegate.core.message import Endpoint, Handler, Request, Response

MAX_MANAGEMENT_BODY = 80 * 1024 * 1024
"""AWS: 50 MB of zip, which is 67 MB in base64, and the rest of the call."""


_OPEN_TO_PAGES = frozenset({"s3"})
"""Signing names: pages of other sites link to objects, and send files by presigned addresses and forms."""


class DataPlane(Protocol):
    def endpoint(self, request: Request) -> Endpoint | None: ...


class Service(Protocol):
    async def handle(self, request: Request, credential: Credential, region: str) -> Response: ...


class Entry:
    """The front door of the listener."""

    def __init__(
        self,
        data_planes: Sequence[DataPlane],
        services: Mapping[str, Service],
        *,
        admin: Handler,
        neighbours: Endpoint,
        region: str,
    ) -> None:
        """`data_planes`: asked in turn. `services`: by signing name. `region`: of calls that name none."""
        self._first, *self._others = data_planes
        self._services = services
        self._region = region
        self._management = Endpoint(self._manage, MAX_MANAGEMENT_BODY, too_large)
        self._admin = Endpoint(admin, MAX_MANAGEMENT_BODY, too_large)
        self._neighbours = neighbours
        self._nobody = Endpoint(self._unsigned, MAX_MANAGEMENT_BODY, too_large)
        self._strangers = Endpoint(_stranger, MAX_MANAGEMENT_BODY, too_large)

    def __call__(self, request: Request, /) -> Endpoint:
        endpoint = self._first.endpoint(request)
        if endpoint is not None:
            return endpoint
        for other in self._others:
            if (endpoint := other.endpoint(request)) is not None:
                return endpoint
        if request.path.startswith("/_tidegate/"):
            return self._admin
        credential = read_credential(request)
        if (credential is None or credential.service not in _OPEN_TO_PAGES) and of_another_site(request):
            return self._strangers
        if credential is None:
            return self._nobody
        return self._management if credential.service in self._services else self._neighbours

    async def _manage(self, request: Request) -> Response:
        credential = read_credential(request)
        if credential is None:
            return await _nobody(request)
        return await self._services[credential.service].handle(request, credential, self._region)

    async def _unsigned(self, request: Request) -> Response:
        """A form tells its service by the version that it names."""
        credential = service_of_form(request.body)
        if credential is None or credential.service not in self._services:
            return await _nobody(request)
        return await self._services[credential.service].handle(request, credential, self._region)


async def _nobody(_request: Request) -> Response:
    """A request that names neither an API nor, by its signature, a service."""
    head = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", b"MissingAuthenticationTokenException")]
    return Response(403, head, b'{"message":"Missing Authentication Token"}')


async def _stranger(_request: Request) -> Response:
    head = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", b"AccessDeniedException")]
    return Response(403, head, b'{"message":"Requests from other sites are refused"}')


def too_large(_request: Request) -> Response:
    head = [(b"Content-Type", b"application/json"), (b"x-amzn-ErrorType", b"RequestEntityTooLargeException")]
    return Response(413, head, b'{"message":"Request body is too large"}', close=True)
