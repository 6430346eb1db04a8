"""What llhttp leaves unchecked in a request's head: the request line's exact form, Host, target forms, Connection, Expect.

Pure functions over bytes. llhttp itself (strict) refuses Transfer-Encoding beside Content-Length, repeated lengths, folded
lines, bare CR or LF, NUL and blanks before a colon.
"""

from __future__ import annotations

import re

from tidegate.core.message import Headers

METHODS = {
    name.encode(): name
    for name in (
        "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY"
        " OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SUBSCRIBE TRACE UNBIND UNLINK UNLOCK"
        " UNSUBSCRIBE"
    ).split()
}
"""What llhttp knows of HTTP's methods; any other is malformed to it."""

LINE_FIXED = 14
"""Bytes of a head without its fields: method, target, and so many (two blanks, the version, two line ends)."""

_LINE_BEGUN = re.compile(rb"[A-Z-]{1,16}(?: (?:[!\"$-~]+(?: H?T?T?P?/?1?\.?[01]?\r?)?)?)?").fullmatch
_ABSOLUTE = re.compile(rb"https?://([^/?]*)([/?].*)?", re.IGNORECASE | re.DOTALL).fullmatch
_AUTHORITY = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?").fullmatch

plain_target = re.compile(rb"/[!\"$-~]*").fullmatch
"""Origin form in the characters that llhttp lets pass, for a head that llhttp does not see."""


class BadRequest(Exception):
    """The head cannot be served; `status` says how it is refused."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def request_line(head: bytes) -> tuple[str, bytes, str] | None:
    """Method, target and version, or None when the line is malformed. llhttp checks the characters of the target.

    One blank each: a reader behind us could take `GET  /` for something else. No fragment. No other protocol, which llhttp
    would let pass (`HTTP/0.9`, `HTTP/2.0`, `RTSP/1.0`).
    """
    parts = head.split(b" ", 2)
    if len(parts) == 3:
        method = METHODS.get(parts[0])
        target = parts[1]
        if method is not None and target and b"#" not in target:
            if parts[2].startswith(b"HTTP/1.1\r\n"):
                return method, target, "1.1"
            if parts[2].startswith(b"HTTP/1.0\r\n"):
                return method, target, "1.0"
    return None


def plausible(head: bytes) -> bool:
    """Whether an unfinished head can still become a good one; garbage is refused at once and not after the timeout."""
    if b"\r\n" in head:
        return request_line(head) is not None and head.count(b"\n") == head.count(b"\r\n")
    return _LINE_BEGUN(head) is not None


def origin_form(target: bytes, headers: Headers) -> tuple[Headers, bytes]:
    """Path and query of a target that does not begin with a slash, and the fields with its authority as Host (RFC 9112 §3.2.2).

    Raises BadRequest for the asterisk and authority forms, and for a target that names no host.
    """
    match = _ABSOLUTE(target)
    if match is None or not match[1]:
        raise BadRequest(400)
    path: bytes = match[2] or b"/"
    return _with_host(headers, match[1]), path if path[:1] == b"/" else b"/" + path


def _with_host(headers: Headers, authority: bytes) -> Headers:
    if b"host" not in headers:
        return Headers([(b"host", b"Host", authority), *headers.entries])
    return Headers([(low, name, authority if low == b"host" else value) for low, name, value in headers.entries])


def check_host(headers: Headers, *, required: bool) -> None:
    """RFC 9112 §3.2: exactly one valid Host in HTTP/1.1. Two of them route differently here and behind us. Raises BadRequest."""
    hosts = headers.get_all(b"host")
    if len(hosts) > 1 or (required and not hosts) or (hosts and not _AUTHORITY(hosts[0])):
        raise BadRequest(400)


def wants_keep_alive(headers: Headers, *, default: bool) -> bool:
    """What the Connection fields ask for; `default` is the protocol version's own way."""
    tokens = {token.strip().lower() for value in headers.get_all(b"connection") for token in value.split(b",")}
    return b"close" not in tokens and (default or b"keep-alive" in tokens)


def framing_fields(headers: Headers) -> bytes:
    """The fields that delimit the body, as sent."""
    wanted = (b"content-length", b"transfer-encoding")
    return b"".join(b"%b: %b\r\n" % (name, value) for lower, name, value in headers.entries if lower in wanted)
