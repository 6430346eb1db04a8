"""Requests as an operator asks about them: why one was answered as it was, and what would become of one that was not sent."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from tidegate.core.errors import ControlError
from tidegate.core.message import Headers, Request


class Requests(Protocol):
    def find(self, request_id: str) -> dict[str, Any] | None:
        """One of the last requests; None: it is not known (any more)."""
        ...

    async def simulate(self, request: Request) -> dict[str, Any] | None:
        """None: the request is for no API."""
        ...


def why(requests: Requests, request_id: str) -> dict[str, Any]:
    story = requests.find(request_id)
    if story is None:
        raise ControlError("NotFound", f"no request {request_id} among the last ones", 404)
    return story


async def simulate(requests: Requests, given: Mapping[str, Any], received_ns: int) -> dict[str, Any]:
    """`given`: method, url, headers (a list of pairs), body (Base64), sourceIp. Raises ControlError."""
    story = await requests.simulate(_request(given, received_ns))
    if story is None:
        raise ControlError("NotFound", "the request is for no API: neither its host nor its path names one", 404)
    return story


def _request(given: Mapping[str, Any], received_ns: int) -> Request:
    try:
        url = urlsplit(str(given["url"]))
        pairs = [(str(name), str(value)) for name, value in given.get("headers") or []]
        body = base64.b64decode(str(given.get("body") or ""), validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise ControlError("BadRequest", f"give method, url, headers as pairs, body in Base64: {error!r}") from None
    if url.scheme not in ("http", "https") or not url.netloc:
        raise ControlError("BadRequest", f"not an http address: {given['url']}")
    if not any(name.lower() == "host" for name, _ in pairs):
        pairs.insert(0, ("Host", url.netloc))
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    if any(c in text for pair in pairs for text in pair for c in "\r\n\0") or not target.isascii() or " " in target:
        raise ControlError("BadRequest", "a header or the url cannot be sent as it is")
    fields = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in pairs]
    return Request(
        method=str(given.get("method") or "GET"),
        target=target.encode(),
        headers=Headers.of(fields),
        body=body,
        scheme=url.scheme,
        peer=str(given.get("sourceIp") or "127.0.0.1"),
        head_size=sum(len(name) + len(value) + 4 for name, value in fields),
        received_ns=received_ns,
    )
