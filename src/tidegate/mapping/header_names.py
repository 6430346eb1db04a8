"""AWS's table of headers, for those that a method maps or a template overrides: not every one is sent, or under its own name.

Source: *Amazon API Gateway important notes* (header table, column of HTTP); shared facts, rest-data-plane §5. Not here: what
proxies pass on (gateway.headers, gateway.integrations.http_proxy), gateway responses, whose WWW-Authenticate clients do see.
"""

from __future__ import annotations

from typing import Final

NOT_SENT: Final = frozenset(
    "connection content-length content-md5 expect max-forwards proxy-authenticate server te trailer transfer-encoding upgrade "
    "via www-authenticate".split()
)
"""Lower-case names that never reach an HTTP backend, whoever set them."""

_NOT_ANSWERED = frozenset("accept keep-alive te transfer-encoding".split())
_REMAPPED = frozenset(
    "authorization connection content-length content-md5 date expect host max-forwards proxy-authenticate server trailer upgrade "
    "user-agent www-authenticate x-amz-apigw-id x-amzn-requestid x-amzn-trace-id".split()
)


def answered(name: str) -> str | None:
    """What a header of the client's answer is called; None: it is left out."""
    lower = name.lower()
    if lower in _NOT_ANSWERED:
        return None
    return f"x-amzn-Remapped-{name}" if lower in _REMAPPED else name
