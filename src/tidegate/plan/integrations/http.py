"""Compiling HTTP and HTTP_PROXY. Source: *Set up HTTP integrations in API Gateway*; rest-data-plane §12.3, §12.4."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tidegate.core.message import Origin
from tidegate.definition.records import Integration, Method
from tidegate.mapping.header_names import NOT_SENT
from tidegate.mapping.parameters import Source
from tidegate.plan.integrations.common import (
    NOT_IN_URI,
    MissingVariable,
    Surroundings,
    authority_of,
    origin_of,
    raw_labels,
)
from tidegate.plan.integrations.transforms import request_transform, response_transform
from tidegate.plan.nodes import BrokenPlan, HttpPlan, HttpProxyPlan, Placeholder, RawLabel


@dataclass(frozen=True, slots=True)
class _Backend:
    """What both types know of where a request goes."""

    origin: Origin
    authority: str
    verb: bytes | None
    path: tuple[bytes | Placeholder, ...]
    query: bytes
    query_sources: tuple[tuple[bytes, Source], ...]
    headers: tuple[tuple[str, Source], ...]


def _backend(integration: Integration, uri: str, around: Surroundings, pointer: str) -> _Backend | BrokenPlan:
    verify = not (integration.tls_config and integration.tls_config.insecure_skip_verification)
    if NOT_IN_URI.search(uri):
        return BrokenPlan(f"Invalid endpoint address: {uri!r}")
    address = None
    if integration.connection_type == "VPC_LINK":
        try:
            link = around.substituted(integration.connection_id or "")
        except MissingVariable as missing:
            return BrokenPlan(str(missing))
        if link not in around.links:
            return BrokenPlan(f"Invalid VPC link: {link}")
        address = around.links[link]
    origin = origin_of(uri, verify=verify, identity=around.certificate, address=address)
    if origin is None:
        around.problem(f"{pointer}/uri", "Invalid HTTP endpoint specified for URI")
        return BrokenPlan("invalid URI")
    mapped = around.mapped(integration, pointer)
    rest = re.sub(r"^https?://[^/?]*", "", uri)
    path, _, query = rest.partition("?")
    labels: dict[str, RawLabel | Source] = {**dict(mapped["path"]), **raw_labels(integration)}
    verb = integration.http_method or "ANY"
    return _Backend(
        origin=origin,
        authority=authority_of(uri),
        verb=None if verb == "ANY" else verb.encode(),
        path=around.path(path or "/", labels, pointer),
        query=query.encode(),
        query_sources=tuple((name.encode(), source) for name, source in mapped["querystring"]),
        headers=tuple((name, source) for name, source in mapped["header"] if name.lower() not in NOT_SENT),
    )


def http_proxy_plan(
    integration: Integration, uri: str, around: Surroundings, pointer: str
) -> HttpProxyPlan | BrokenPlan:
    backend = _backend(integration, uri, around, pointer)
    if isinstance(backend, BrokenPlan):
        return backend
    overridden = frozenset(name.lower().encode() for name, _ in backend.headers)
    host = "" if b"host" in overridden else f"Host: {backend.authority}\r\n"
    return HttpProxyPlan(
        origin=backend.origin,
        verb=backend.verb,
        path=backend.path,
        query=backend.query,
        query_sources=backend.query_sources,
        header_sources=tuple((name.encode(), source) for name, source in backend.headers),
        overridden=overridden,
        head=f" HTTP/1.1\r\n{host}x-amzn-apigateway-api-id: {around.api_id}\r\n".encode(),
        traced=b"x-amzn-trace-id" not in overridden,
        user_agent=f"User-Agent: AmazonAPIGateway_{around.api_id}\r\n".encode(),
        maps_user_agent=b"user-agent" in overridden,
        timeout=integration.timeout_in_millis / 1000,
        idle=around.idle if integration.response_transfer_mode == "STREAM" else None,
    )


def http_plan(
    method: Method, integration: Integration, uri: str, around: Surroundings, pointer: str
) -> HttpPlan | BrokenPlan:
    backend = _backend(integration, uri, around, pointer)
    if isinstance(backend, BrokenPlan):
        return backend
    return HttpPlan(
        origin=backend.origin,
        verb=backend.verb,
        path=backend.path,
        query=backend.query,
        query_sources=backend.query_sources,
        header_sources=backend.headers,
        # AWS: what a non-proxy backend gets when nothing is mapped over it [rec].
        headers=(
            ("Host", backend.authority),
            ("Accept", "application/json"),
            ("User-Agent", f"AmazonAPIGateway_{around.api_id}"),
            ("x-amzn-apigateway-api-id", around.api_id),
        ),
        request=request_transform(integration, around, pointer),
        answer=response_transform(method, around, pointer),
        timeout=integration.timeout_in_millis / 1000,
    )
