"""The one source of ids and of chance. Forms as AWS's own look (shared facts: rest-control-plane §3)."""

from __future__ import annotations

import random
import secrets
import string

_ALPHABET = string.ascii_lowercase + string.digits

_DRAWN = 72 * 64
"""Hexadecimal digits that `for_request` draws at once."""


class Ids:
    """Seeded from the operating system. None of these ids is a secret."""

    __slots__ = ("_at", "_bits", "_bytes", "_choices", "_hex")

    def __init__(self, seed: int | None = None) -> None:
        source = random.Random(secrets.randbits(128) if seed is None else seed)  # noqa: S311 - ids, not secrets
        self._bits = source.getrandbits
        self._bytes = source.randbytes
        self._hex = ""
        self._at = _DRAWN
        self._choices = source.choices

    def request_id(self) -> str:
        """A version 4 UUID: `$context.requestId`, `x-amzn-RequestId`."""
        return _uuid(f"{self._bits(128):032x}")

    def extended_request_id(self) -> str:
        """`$context.extendedRequestId`, `x-amz-apigw-id`: fifteen characters and an equals sign."""
        return f"{self._bits(60):015x}="

    def for_request(self, epoch_seconds: int) -> tuple[str, str, str]:
        """What a request needs, out of one draw: request id, extended request id, and the root of a trace

        (`1-{8 hex of the time}-{24 hex}`, as in `X-Amzn-Trace-Id: Root=…`).
        """
        at = self._at
        if at == _DRAWN:
            # Many requests' worth at once: a draw costs more than the slicing.
            self._hex, at = self._bytes(_DRAWN // 2).hex(), 0
        self._at = at + 72
        h = self._hex[at : at + 72]
        return _uuid(h), f"{h[32:47]}=", f"1-{epoch_seconds:08x}-{h[48:]}"

    def percent(self) -> float:
        """Evenly from 0.0 up to, but without, 100.0."""
        return self._bits(53) * (100.0 / (1 << 53))

    def trace(self, epoch_seconds: int) -> str:
        """An `X-Amzn-Trace-Id` that begins here."""
        return f"Root=1-{epoch_seconds:08x}-{self._bits(96):024x};Parent={self.span_id()};Sampled=0"

    def span_id(self) -> str:
        return f"{self._bits(64):016x}"

    def api_id(self) -> str:
        """Ten characters: REST APIs, root resources, API keys."""
        return "".join(self._choices(_ALPHABET, k=10))

    def child_id(self) -> str:
        """Six characters: resources, deployments, authorizers, models."""
        return "".join(self._choices(_ALPHABET, k=6))

    def token_hex(self, length: int) -> str:
        return f"{self._bits(length * 4):0{length}x}"


def _uuid(h: str) -> str:
    """Of 32 hexadecimal digits; the variant is always `a`, one of the four that are allowed."""
    return f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:32]}"
