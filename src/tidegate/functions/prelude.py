"""The beginning of a streamed HTTP response: status, headers and cookies as JSON, eight NUL bytes, then the body.

Sans I/O: bytes go in as they come, in whatever pieces. Not here: what the gateway makes of it.
AWS: "Response streaming for Lambda functions", `application/vnd.awslambda.http-integration-response`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

HTTP_INTEGRATION: Final = "application/vnd.awslambda.http-integration-response"
_DELIMITER = b"\0" * 8
_MAX_PRELUDE = 1024 * 1024
"""Bytes. Ours: a body without the delimiter must not be collected without end."""


class PreludeError(Exception):
    """The function's stream does not begin as it must. The text is for logs."""


@dataclass(frozen=True, slots=True)
class Prelude:
    status: int
    headers: tuple[tuple[str, str], ...]
    cookies: tuple[str, ...]


class PreludeParser:
    """Feed it until it has a `prelude`."""

    __slots__ = ("_data", "prelude")

    def __init__(self) -> None:
        self._data = bytearray()
        self.prelude: Prelude | None = None

    def feed(self, data: bytes) -> bytes:
        """What of the body has come so far; empty while the prelude is not whole. Raises PreludeError."""
        if self.prelude is not None:
            return data
        start = max(0, len(self._data) - len(_DELIMITER) + 1)
        self._data += data
        end = self._data.find(_DELIMITER, start)
        if end < 0:
            if len(self._data) > _MAX_PRELUDE:
                raise PreludeError(f"no end of the prelude within {_MAX_PRELUDE} bytes")
            return b""
        self.prelude = _read(bytes(self._data[:end]))
        rest = bytes(self._data[end + len(_DELIMITER) :])
        self._data.clear()
        return rest

    def end(self) -> Prelude:
        """The stream is over. Raises PreludeError when the prelude never was whole."""
        if self.prelude is None:
            raise PreludeError("the stream has ended within the prelude")
        return self.prelude


def _read(text: bytes) -> Prelude:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise PreludeError(f"the prelude is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise PreludeError("the prelude is not a JSON object")
    status = found.get("statusCode", 200)
    if isinstance(status, str) and status.isascii() and status.isdigit():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        raise PreludeError(f"not a status code: {status!r}")
    headers = [(name, _text(value)) for name, value in _object(found, "headers").items()]
    for name, values in _object(found, "multiValueHeaders").items():
        headers += [(name, _text(value)) for value in (values if isinstance(values, list) else [values])]
    cookies = found.get("cookies") or []
    if not isinstance(cookies, list):
        raise PreludeError("cookies are not a list")
    return Prelude(status, tuple(headers), tuple(map(_text, cookies)))


def _object(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name) or {}
    if not isinstance(value, dict):
        raise PreludeError(f"{name} are not an object")
    return value


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise PreludeError(f"not the value of a header: {value!r}")
