"""AWS's table of answer headers: which come back under another name, and which not at all.

Source: *Amazon API Gateway important notes*; shared facts, rest-data-plane §5. One table for HTTP and Lambda proxies.
"""

from __future__ import annotations

from tidegate.core.message import Pairs

_DROPPED = frozenset(b"expect host proxy-authenticate te trailer transfer-encoding upgrade via keep-alive".split())
_REMAPPED = {
    name.lower(): b"x-amzn-Remapped-" + name
    for name in (
        b"Authorization Connection Content-Length Content-MD5 Date Max-Forwards Server User-Agent WWW-Authenticate "
        b"x-amzn-RequestId"
    ).split()
}
"""M and MO of the table; Content-Length and x-amzn-RequestId as recorded."""


def returned(pairs: Pairs) -> Pairs:
    """A backend's headers as the client gets them."""
    headers = []
    for pair in pairs:
        lower = pair[0].lower()
        if lower in _REMAPPED:
            headers.append((_REMAPPED[lower], pair[1]))
        elif lower not in _DROPPED:
            headers.append(pair)
    return headers
