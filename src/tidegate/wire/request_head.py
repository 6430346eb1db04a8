"""What llhttp leaves unchecked in a request's head: the request line's exact form, Host, target forms, Connection, Expect.

Pure functions over bytes. llhttp itself (strict) refuses Transfer-Encoding beside Content-Length, repeated lengths, folded
lines, bare CR or LF, NUL and blanks before a colon.
"""

from __future__ import annotations

import re

from tidegate.core.message import Headers

REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([!\"$-~]+) HTTP/1\.([01])\r\n").match
"""Method, target, minor version. One blank each (a lenient reader behind us could split `GET  /` otherwise), no `#`."""

_LINE_BEGUN = re.compile(
    rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}(?: (?:[!\"$-~]+(?: H?T?T?P?/?1?\.?[01]?\r?)?)?)?"
).fullmatch
_ABSOLUTE = re.compile(rb"https?://([^/?]*)([/?].*)?", re.IGNORECASE | re.DOTALL).fullmatch
_AUTHORITY = re.compile(rb"(?:[A-Za-z0-9._~%!$&'()*+,;=-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?").fullmatch


class BadRequest(Exception):
    """The head cannot be served; `status` says how it is refused."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def plausible(head: bytes) -> bool:
    """Whether an unfinished head can still become a good one; garbage is refused at once and not after the timeout."""
    if b"\r\n" in head:
        return REQUEST_LINE(head) is not None and head.count(b"\n") == head.count(b"\r\n")
    return _LINE_BEGUN(head) is not None


def origin_form(target: bytes, headers: Headers) -> bytes:
    """The path and query of a target that does not begin with a slash; an absolute one sets the Host field (RFC 9112 §3.2.2).

    Raises BadRequest for the asterisk and authority forms, and for absolute ones that name no valid host.
    """
    match = _ABSOLUTE(target)
    if match is None or not match[1]:
        raise BadRequest(400)
    _set_host(headers, match[1])
    rest: bytes = match[2] or b"/"
    return rest if rest[:1] == b"/" else b"/" + rest


def _set_host(headers: Headers, authority: bytes) -> None:
    entries = headers.entries
    for index, (lower, name, _) in enumerate(entries):
        if lower == b"host":
            entries[index] = (lower, name, authority)
            return
    entries.insert(0, (b"host", b"Host", authority))


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
