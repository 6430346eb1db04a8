"""A request to a backend of a non-proxy integration: what is mapped, overridden and added, put together.

Source: shared facts, rest-data-plane §4, §13 and vtl §5 (overrides). Not here: the body (transform), signing (integrations.aws).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

from tidegate.core.message import Headers
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.headers import field_value
from tidegate.gateway.responses import configuration_error
from tidegate.mapping.documents import body_document
from tidegate.mapping.parameters import Source
from tidegate.plan.nodes import Placeholder, RawLabel

_PATH_SAFE = "/:@!$&'()*+,;=-._~"
_LABEL_SAFE = _PATH_SAFE + "%"
"""A path parameter goes on as it came: what the client encoded stays encoded."""
_Name = TypeVar("_Name", bytes, str)
MOST_MAPPED = 10_485_760
"""Characters; AWS: *Quotas*, payload size 10 MB."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Outbound:
    verb: str
    path: str
    query: str
    headers: dict[str, str]
    """By the name as it is sent."""
    body: bytes

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def head(self, added: Iterable[tuple[str, str]] = ()) -> bytes:
        """The request line and the fields, with what frames the body."""
        parts = [f"{self.verb} {self.target} HTTP/1.1\r\n".encode()]
        parts += [
            name.encode() + b": " + field_value(value) + b"\r\n" for name, value in (*self.headers.items(), *added)
        ]
        if self.body or self.verb in _WITH_BODY:
            parts.append(b"Content-Length: %d\r\n" % len(self.body))
        parts.append(b"\r\n")
        return b"".join(parts)


_UNREAD = object()


class Inbound:
    """A backend's answer, as integration responses see it."""

    __slots__ = ("_document", "body", "headers", "status")

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self._document: object = _UNREAD

    @property
    def json(self) -> object:
        """The body as a JSON document, read when it is first asked for; None: it is none."""
        if self._document is _UNREAD:
            self._document = body_document(self.body)
        return self._document


def path_of(ex: Exchange, parts: tuple[bytes | Placeholder, ...]) -> str:
    overrides = ex.overrides.path
    text = []
    for part in parts:
        if isinstance(part, bytes):
            text.append(part.decode())
        elif part.name in overrides:
            text.append(quote(overrides[part.name], safe=_PATH_SAFE, errors="replace"))
        elif isinstance(part.source, RawLabel):
            # Decoding and encoding again would turn an escaped slash into a real one.
            text.append(quote(ex.raw_labels.get(part.source.name, ""), safe=_LABEL_SAFE))
        else:
            text.append(quote(part.source(ex) or "", safe=_PATH_SAFE, errors="replace"))
    return "".join(text)


def mapped_values(ex: Exchange, sources: Iterable[tuple[_Name, Source]]) -> Iterator[tuple[_Name, str]]:
    """Mapped parameters that there are. A body of 10 MB may be mapped once, and not a hundred times. Raises GatewayError."""
    size = 0
    for name, source in sources:
        value = source(ex)
        if value is not None:
            size += len(value)
            if size > MOST_MAPPED:
                raise configuration_error(
                    f"Execution failed due to configuration error: more than {MOST_MAPPED} characters are mapped"
                )
            yield name, value


def query_of(ex: Exchange, fixed: bytes, sources: tuple[tuple[bytes, Source], ...]) -> str:
    overrides = ex.overrides.querystring
    mapped = {name.decode(): value for name, value in mapped_values(ex, sources)}
    mapped.update(overrides)
    parts = [fixed.decode()] if fixed else []
    parts += [
        f"{quote(name, safe='', errors='replace')}={quote(value, safe='', errors='replace')}"
        for name, value in mapped.items()
    ]
    return "&".join(parts)


def headers_of(
    ex: Exchange, fixed: Iterable[tuple[str, str]], sources: tuple[tuple[str, Source], ...], dropped: frozenset[str]
) -> dict[str, str]:
    """`fixed` yields to what is mapped, and both to what the template overrides. `dropped`: lower-case names never sent."""
    chosen: dict[str, tuple[str, str]] = {name.lower(): (name, value) for name, value in fixed}
    for name, value in mapped_values(ex, sources):
        chosen[name.lower()] = (name, value)
    for name, value in ex.overrides.header.items():
        chosen[name.lower()] = (name, value)
    return {name: value for lower, (name, value) in chosen.items() if lower not in dropped}
