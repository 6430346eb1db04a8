"""From a request's address to its API and stage: by host, by header, or by one of the two path forms.

Forms: `{api}.execute-api.{region}.{suffix}` (also `{api}.execute-api.localhost:4566`), a custom domain, `x-apigw-api-id`,
`/_aws/execute-api/{api}/{stage}/…` and `/restapis/{api}/{stage}/_user_request_/…`.
Source: *Invoke REST APIs in API Gateway*, *Custom domain names for public REST APIs*; shared facts, rest-data-plane §2 and
endpoints-domains §8. Not here: what happens then (rest.py).
"""

from __future__ import annotations

import re
from collections.abc import Awaitable

from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Endpoint, Request, Response
from tidegate.gateway.exchange import Host
from tidegate.gateway.responses import forbidden
from tidegate.gateway.rest import RestPipeline
from tidegate.plan.nodes import DomainPlan, Snapshot

MAX_BODY = 10 * 1024 * 1024
"""*Quotas for configuring and running a REST API*: payload size."""

MAX_HEADER_BYTES = 10_240
MAX_URL_BYTES = 10_240
"""*Quotas for configuring and running a REST API* (regional)."""

_HOST = re.compile(rb"([a-z0-9][a-z0-9_-]*)\.execute-api\.([a-z0-9.-]+)(?::\d+)?")
_REGION = re.compile(rb"([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$")
_PATH = re.compile(r"/_aws/execute-api/([^/]+)(/.*)?")
_USER_REQUEST = re.compile(r"/restapis/([^/]+)/([^/]+)/_user_request_(/.*)?")
_PORT = re.compile(r":\d+$")
_HEALTH = frozenset({"ping", "sping"})
_KNOWN_HOSTS = 10_000
"""Distinct Host values remembered; clients choose them, so the memory has a bound."""


class DataPlane:
    """The gateway's door. `snapshot` is the one reference that a reload swaps; each request uses the one it began with."""

    def __init__(self, pipeline: RestPipeline) -> None:
        self.snapshot = Snapshot()
        self._pipeline = pipeline
        self._by_host: dict[bytes, Endpoint | None] = {}
        self._hosts: dict[tuple[bytes | None, str], Host] = {}
        self._by_path = Endpoint(self._serve_path_form, MAX_BODY, self._too_large)
        self._by_user_request = Endpoint(self._serve_user_request_form, MAX_BODY, self._too_large)

    def publish(self, snapshot: Snapshot) -> None:
        """Swap the snapshot in; requests under way keep what they began with."""
        if snapshot.domains is not self.snapshot.domains:
            # A host that meant nothing may be a custom domain now, or the other way round.
            self._by_host.clear()
        self.snapshot = snapshot

    def endpoint(self, request: Request) -> Endpoint | None:
        """Who serves this request; None: it is not for the data plane."""
        host = request.headers.get(b"host")
        if host is not None:
            known = self._by_host.get(host)
            if known is not None:
                return known
            if host not in self._by_host:
                known = self._remember(host)
                if known is not None:
                    return known
        path = request.path
        if path.startswith("/_aws/execute-api/"):
            return self._by_path
        if path.startswith("/restapis/") and "/_user_request_" in path:
            return self._by_user_request
        named = request.headers.get(b"x-apigw-api-id")
        return (
            None
            if named is None
            else Endpoint(_ApiDoor(self, named.decode("latin-1")).serve, MAX_BODY, self._too_large)
        )

    def _too_large(self, _request: Request) -> Response:
        return self._pipeline.too_large()

    def _remember(self, host: bytes) -> Endpoint | None:
        # Host names are compared without case, API ids are lower-case where AWS makes them.
        found = _HOST.fullmatch(host.lower())
        endpoint = None
        domain = self._domain(host)
        if domain is not None:
            endpoint = Endpoint(_DomainDoor(self, domain, host).serve, MAX_BODY, self._too_large)
        elif found is not None:
            region = _REGION.match(found[2])
            door = _HostDoor(self, found[1].decode(), host, region[1].decode() if region else None)
            endpoint = Endpoint(door.serve, MAX_BODY, self._too_large)
        if len(self._by_host) >= _KNOWN_HOSTS:
            self._by_host.clear()
        self._by_host[host] = endpoint
        return endpoint

    def names_api(self, host: str) -> bool:
        """Whether AWS's name of an API, `<api>.execute-api.<region>.amazonaws.com`, names one that is deployed here."""
        found = _HOST.fullmatch(host.lower().encode("latin-1", "replace"))
        api = None if found is None or not _REGION.fullmatch(found[2]) else found[1].decode()
        return api is not None and any(of == api for of, _ in self.snapshot.stages)

    def is_domain(self, name: str) -> bool:
        """Whether a host name is a custom domain."""
        return self._domain(name.encode("latin-1", "replace")) is not None

    def _domain(self, host: bytes) -> DomainPlan | None:
        """The custom domain of a host. AWS: an exact name before a wildcard, which stands for the first label only."""
        domains = self.snapshot.domains
        if not domains:
            return None
        name = _PORT.sub("", host.decode("latin-1").lower())
        return domains.get(name) or domains.get("*." + name.partition(".")[2])

    def serve(
        self, request: Request, api_id: str, path: str, *, host: Host | None = None, region: str | None = None
    ) -> Awaitable[Response]:
        """`path`: beginning with the stage. `host`: where it names the API. `region`: where the address names one.

        Not a coroutine itself: one less to step through per request.
        """
        if request.head_size > MAX_HEADER_BYTES or len(request.target) > MAX_URL_BYTES:
            return self._refuse(_over_limit(request))
        head, _, rest = path.lstrip("/").partition("/")
        stage = self.snapshot.stages.get((api_id, head))
        if stage is None:
            return self._refuse(forbidden(f"API {api_id} has no stage {head!r}"))
        if region is not None and region != stage.region:
            return self._refuse(forbidden(f"API {api_id} is not in {region}"))
        if not stage.open:
            return self._refuse(forbidden(f"the default endpoint of API {api_id} is disabled"))
        if host is None:
            key = (request.headers.get(b"host"), request.scheme)
            host = (self._hosts.get(key) or self._know_host(key)).of_api(api_id, stage.region)
        pipeline = self._pipeline
        stage = pipeline.choose(stage)
        return pipeline.serve_rest(pipeline.exchange(request, stage, host, path="/" + rest, full_path=path))

    def serve_domain(self, request: Request, domain: DomainPlan, host: Host) -> Awaitable[Response]:
        """A request to a custom domain: its longest base path that the path begins with names API and stage."""
        if request.head_size > MAX_HEADER_BYTES or len(request.target) > MAX_URL_BYTES:
            return self._refuse(_over_limit(request))
        segments = request.path.lstrip("/").split("/")
        if segments[0] in _HEALTH:
            return _healthy()
        found = next(
            (mapping for depth in domain.depths if (mapping := domain.mappings.get(tuple(segments[:depth])))), None
        )
        if found is None:
            return self._refuse(forbidden(f"no base path of {host.domain_name} serves {request.path}"))
        rest = segments[found.base_path.count("/") + 1 if found.base_path else 0 :]
        name = found.stage or (rest.pop(0) if rest else "")
        stage = self.snapshot.stages.get((found.api_id, name))
        if stage is None:
            return self._refuse(forbidden(f"API {found.api_id} has no stage {name!r}"))
        pipeline = self._pipeline
        exchange = pipeline.exchange(
            request, pipeline.choose(stage), host, path="/" + "/".join(rest), full_path=request.path
        )
        exchange.base_path = f"/{found.base_path}" if found.base_path else ""
        return pipeline.serve_rest(exchange)

    def _know_host(self, key: tuple[bytes | None, str]) -> Host:
        if len(self._hosts) >= _KNOWN_HOSTS:
            self._hosts.clear()
        host = self._hosts[key] = Host.of(*key)
        return host

    async def _refuse(self, error: GatewayError) -> Response:
        return self._pipeline.refuse(error)

    def _serve_path_form(self, request: Request) -> Awaitable[Response]:
        found = _PATH.fullmatch(request.path)
        if found is None:
            return self._refuse(forbidden("no API in the path"))
        return self.serve(request, found[1], found[2] or "/")

    def _serve_user_request_form(self, request: Request) -> Awaitable[Response]:
        found = _USER_REQUEST.fullmatch(request.path)
        if found is None:
            return self._refuse(forbidden("no stage in the path"))
        return self.serve(request, found[1], f"/{found[2]}{found[3] or '/'}")


def _over_limit(request: Request) -> GatewayError:
    if request.head_size > MAX_HEADER_BYTES:
        detail = f"{request.head_size} bytes of headers"
        return GatewayError("REQUEST_HEADERS_TOO_LARGE", Fault.CLIENT, detail)
    return GatewayError("REQUEST_URI_TOO_LONG", Fault.CLIENT, f"{len(request.target)} bytes of URL")


class _ApiDoor:
    """Requests whose header names the API."""

    __slots__ = ("_api_id", "_plane")

    def __init__(self, plane: DataPlane, api_id: str) -> None:
        self._plane = plane
        self._api_id = api_id

    def serve(self, request: Request) -> Awaitable[Response]:
        return self._plane.serve(request, self._api_id, request.path)


class _HostDoor(_ApiDoor):
    """Requests whose Host names the API."""

    __slots__ = ("_hosts", "_region")

    def __init__(self, plane: DataPlane, api_id: str, host: bytes, region: str | None) -> None:
        super().__init__(plane, api_id)
        self._region = region
        self._hosts = {scheme: Host.of(host, scheme) for scheme in ("http", "https")}

    def serve(self, request: Request) -> Awaitable[Response]:
        return self._plane.serve(
            request, self._api_id, request.path, host=self._hosts[request.scheme], region=self._region
        )


class _DomainDoor:
    """Requests whose Host is a custom domain."""

    __slots__ = ("_domain", "_hosts", "_plane")

    def __init__(self, plane: DataPlane, domain: DomainPlan, host: bytes) -> None:
        self._plane = plane
        self._domain = domain
        self._hosts = {scheme: Host.of(host, scheme) for scheme in ("http", "https")}

    def serve(self, request: Request) -> Awaitable[Response]:
        return self._plane.serve_domain(request, self._domain, self._hosts[request.scheme])


async def _healthy() -> Response:
    """AWS: `/ping` and `/sping` of a custom domain are for health checks; no API is asked."""
    return Response(200, [(b"Content-Type", b"text/plain")], b"healthy")
