"""Whether a request comes from a web page of another site.

A browser sends what any page asks for, to this machine too, and management calls need no more than an address where nothing is
enforced: a page could make users and functions. Sources: *Fetch* (Origin), *Fetch Metadata Request Headers* (Sec-Fetch-Site: in
images, links and forms without an Origin). Not here: what applications in browsers may call (cognito_idp.browsers).
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from tidegate.core.message import Request

_OTHER_SITES = (b"cross-site", b"same-site")


def of_another_site(request: Request) -> bool:
    origin = request.headers.get(b"origin")
    if origin is None:
        return request.headers.get(b"sec-fetch-site") in _OTHER_SITES
    try:
        parts = urlsplit(origin.decode("latin-1"))
        same = parts.netloc.encode("latin-1") == (request.headers.get(b"host") or b"")
        return not same or (request.scheme == "http" and _anybodys(parts.hostname or ""))
    except ValueError:
        return True


def _anybodys(name: str) -> bool:
    """Whether somebody else's name server may say that the name is this machine's (DNS rebinding). Certificates would tell."""
    if "." not in name or name.endswith(".localhost"):
        return False
    try:
        ip_address(name)
    except ValueError:
        return True
    return False
