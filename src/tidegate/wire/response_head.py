"""Encodes the heads of answers. The hot path of every response: look-ups and one join.

Owns the framing fields (Date, Connection, and, through `tail`, Content-Length and Transfer-Encoding); what a handler set of
them is dropped. Refuses line breaks in fields: response splitting.
"""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus

from tidegate.core.clock import Clock
from tidegate.core.message import Pairs

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_OWNED = frozenset((b"connection", b"content-length", b"date", b"keep-alive", b"transfer-encoding"))
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}
_MEMORY = 4096
"""Field names remembered; names come from clients too (proxied headers), so the memory is bounded."""


class ResponseHeads:
    """One per server. Remembers the starts of heads for a second, and field names once they are found valid."""

    __slots__ = ("_names", "_second", "_starts", "_time")

    def __init__(self, clock: Clock) -> None:
        self._time = clock.time
        self._second = -1
        self._starts: dict[int, bytes] = {}
        self._names: dict[bytes, bytes] = {}

    def build(self, status: int, headers: Pairs, keep: bool, tail: bytes, encoded: bytes = b"") -> bytes:
        """`encoded`: see `core.message.Response`. `tail`: the framing fields and the blank line; begins and ends with a line end.

        Raises ValueError.
        """
        second = int(self._time())
        if second != self._second:
            self._second = second
            self._starts.clear()
        start = self._starts.get(status if keep else -status)
        if start is None:
            start = self._start(status, keep)
        if not headers:
            return b"%b%b%b" % (start, encoded, tail)
        parts = [start]
        names = self._names
        for name, value in headers:
            prefix = names.get(name)
            if prefix is None:
                prefix = self._learn(name)
            if prefix:
                parts += (prefix, value)
        parts.append(tail)
        # One line end per field; a value with one of its own would be read as further fields or as a second answer.
        lines = len(parts) // 2 + (3 if len(tail) == 4 else 4)
        if encoded:
            lines += encoded.count(b"\n")
            parts.insert(1, encoded)
        head = b"".join(parts)
        if head.count(b"\n") != lines or head.count(b"\r") != lines:
            raise ValueError("a line break in a header field")
        return head

    def _start(self, status: int, keep: bool) -> bytes:
        reason = _REASONS.get(status, b"Unknown")
        date = formatdate(self._second, usegmt=True).encode()
        option = b"keep-alive" if keep else b"close"
        start = b"HTTP/1.1 %03d %b\r\nDate: %b\r\nConnection: %b" % (status, reason, date, option)
        self._starts[status if keep else -status] = start
        return start

    def _learn(self, name: bytes) -> bytes:
        """What stands before a value: line end, name, colon. Empty for a field that is not the handler's to set."""
        if not _TOKEN(name):
            raise ValueError(f"not a header field's name: {name!r}")
        prefix = b"" if name.lower() in _OWNED else b"\r\n%b: " % name
        if len(self._names) < _MEMORY:
            self._names[name] = prefix
        return prefix
