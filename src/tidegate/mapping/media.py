"""Media types: which are binary for an API, and what a header names first.

Source: *Working with binary media types for REST APIs*; shared facts, rest-data-plane §10.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field


def mime(header: str | bytes | None) -> str:
    """The media type of a Content-Type or the first of an Accept header: lower case, without parameters; empty when absent."""
    if header is None:
        return ""
    text = header.decode("latin-1") if isinstance(header, bytes) else header
    return text.split(",", 1)[0].split(";", 1)[0].strip().lower()


@dataclass(frozen=True, slots=True)
class BinaryTypes:
    """An API's `binaryMediaTypes`: exact types, `type/*` and `*/*`; parameters are ignored."""

    exact: frozenset[str] = frozenset()
    families: frozenset[str] = frozenset()
    everything: bool = False
    declared: bool = field(default=False, compare=False)

    @classmethod
    def of(cls, types: list[str] | None) -> BinaryTypes:
        names = [mime(name) for name in types or ()]
        return cls(
            exact=frozenset(name for name in names if not name.endswith("/*")),
            families=frozenset(name[:-2] for name in names if name.endswith("/*") and name != "*/*"),
            everything="*/*" in names,
            declared=bool(names),
        )

    def match(self, header: str | bytes | None) -> bool:
        """Whether a Content-Type, or the first entry of an Accept header, is binary for this API."""
        if not self.declared:
            return False
        if self.everything:
            return True
        name = mime(header)
        return name in self.exact or name.partition("/")[0] in self.families


class NotBase64(ValueError):
    """A payload that was to be decoded is no base64. AWS: the request fails with API_CONFIGURATION_ERROR."""


TO_BINARY = "CONVERT_TO_BINARY"
TO_TEXT = "CONVERT_TO_TEXT"


def convert_request(body: bytes, *, binary: bool, handling: str | None) -> bytes:
    """A request's payload on its way to an integration. `binary`: its Content-Type is one of the API's binary types.

    Raises NotBase64.
    """
    if binary:
        return base64.b64encode(body) if handling == TO_TEXT else body
    return decode_base64(body) if handling == TO_BINARY else body


def convert_response(body: bytes, *, binary: bool, wanted: bool, handling: str | None) -> bytes:
    """An integration's payload on its way to the client. `binary`: its Content-Type is one of the API's binary types;
    `wanted`: so is the first entry of the request's Accept. Raises NotBase64.
    """
    if binary:
        as_text = handling == TO_TEXT or (handling is None and not wanted)
        return base64.b64encode(body) if as_text else body
    as_binary = handling == TO_BINARY or (handling is None and wanted)
    return decode_base64(body) if as_binary else as_utf8(body)


def as_utf8(body: bytes) -> bytes:
    """AWS: bytes that are no UTF-8 but are treated as text become U+FFFD."""
    if body.isascii():
        return body
    return body.decode("utf-8", "replace").encode()


def decode_base64(body: bytes) -> bytes:
    """Raises NotBase64. The quotes of a JSON string, as a function returns one, are no part of it."""
    if body[:1] == body[-1:] == b'"' and len(body) > 1:
        body = body[1:-1]
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise NotBase64("the payload is no base64") from None
