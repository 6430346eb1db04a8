"""AWS's table of answer headers: which come back under another name, and which not at all.

Source: *Amazon API Gateway important notes*; shared facts, rest-data-plane §5. One table for HTTP and Lambda proxies.
"""

from __future__ import annotations

from tidegate.core.message import Pairs, Response, UpstreamResponse

_DROPPED = frozenset(b"expect host proxy-authenticate te trailer transfer-encoding upgrade via keep-alive".split())
_REMAPPED = {
    name.lower(): b"x-amzn-Remapped-" + name
    for name in (
        b"Authorization Connection Content-Length Content-MD5 Date Max-Forwards Server User-Agent WWW-Authenticate "
        b"x-amzn-RequestId x-amz-apigw-id X-Amzn-Trace-Id"
    ).split()
}
"""M and MO of the table; Content-Length and x-amzn-RequestId as recorded, and so what else the gateway writes itself."""


def field_value(text: str) -> bytes:
    """A mapped value as it stands in a header: a line break inside it would start another one."""
    return text.replace("\r", " ").replace("\n", " ").replace("\0", " ").encode("utf-8", "replace")


def is_signature(authorization: bytes) -> bool:
    """Whether an Authorization header is a Signature Version 4. AWS: it goes no further than the gateway."""
    return authorization.startswith(b"AWS4-")


def answer(inbound: UpstreamResponse) -> Response:
    """A backend's answer as the client gets it; what was worked out of the same head before is used again."""
    memo = inbound.memo
    if memo is None:
        return Response(inbound.status, returned(inbound.headers), inbound.body)
    encoded = memo.get(returned)
    if encoded is None:
        pairs = returned(inbound.headers)
        if not any(name.lower() == b"content-type" for name, _ in pairs):
            pairs.append((b"Content-Type", b"application/json"))
        encoded = memo[returned] = b"".join([b"\r\n%b: %b" % pair for pair in pairs])
    response = Response(inbound.status, [], inbound.body)
    response.encoded = encoded
    return response


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
