"""Payload compression: which coding an answer gets, and undoing a request's. Bounded: a small body cannot become a huge one.

Source: *Payload compression for REST APIs in API Gateway*; shared facts, rest-data-plane §11.
"""

from __future__ import annotations

import gzip
import zlib

CODINGS = ("gzip", "deflate", "identity")

_MEMBERS = 1000
"""Every member costs some microseconds even when it is empty, and 10 MB have room for half a million."""
_SLICE = 16_384
"""What is left behind a member is copied."""


class BadEncoding(ValueError):
    """A coding that is not supported, or data that is not of it. AWS: 415."""


class TooLarge(ValueError):
    """What comes out is longer than allowed. AWS: the payload limit holds for the decompressed body too."""


def chosen_coding(accept_encoding: bytes | None) -> str | None:
    """The coding for an answer, `gzip` or `deflate`; None: it goes as it is.

    AWS: the coding with the highest quality counts, and where it is not supported nothing is compressed.
    """
    if not accept_encoding:
        return None
    best, best_quality = None, 0.0
    for item in accept_encoding.decode("latin-1").lower().split(","):
        name, _, parameters = item.partition(";")
        quality = _quality(parameters)
        if quality > best_quality:
            best, best_quality = name.strip(), quality
    if best == "*":
        return "gzip"
    return best if best in ("gzip", "deflate") else None


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def compress(body: bytes, coding: str) -> bytes:
    if coding == "gzip":
        # No time stamp: equal bodies give equal bytes.
        return gzip.compress(body, compresslevel=6, mtime=0)
    return zlib.compress(body, 6)


def decompress(body: bytes, content_encoding: bytes, limit: int) -> bytes:
    """A request's body as it was before its Content-Encoding. Raises BadEncoding, TooLarge."""
    for coding in reversed([name.strip() for name in content_encoding.decode("latin-1").lower().split(",")]):
        if not body:
            break
        if coding in ("gzip", "x-gzip"):
            body = _inflate(body, 16 + zlib.MAX_WBITS, limit)
        elif coding == "deflate":
            body = _inflate(body, zlib.MAX_WBITS, limit)
        elif coding not in ("identity", ""):
            raise BadEncoding(f"content coding {coding} is not supported")
    return body


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    """Several gzip members may stand one behind the other."""
    out: list[bytes] = []
    view, at, size = memoryview(body), 0, 0
    for _ in range(_MEMBERS):
        inflater = zlib.decompressobj(window)
        while not inflater.eof:
            if at >= len(view):
                raise BadEncoding("the body ends before its content coding does")
            piece = view[at : at + _SLICE]
            try:
                part = inflater.decompress(piece, limit - size + 1)
            except zlib.error as error:
                raise BadEncoding(f"the body is not in its content coding: {error}") from None
            size += len(part)
            if size > limit:
                raise TooLarge(f"the body is longer than {limit} bytes when decompressed")
            out.append(part)
            at += len(piece) - len(inflater.unused_data)
        if at == len(view):
            return b"".join(out)
    raise BadEncoding(f"the body has more than {_MEMBERS} parts")
