"""Content codings of requests and answers, on APIs that have compression enabled.

Source: *Payload compression for REST APIs in API Gateway*; shared facts, rest-data-plane §11.
"""

from __future__ import annotations

from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Response
from tidegate.gateway.exchange import Exchange
from tidegate.mapping.compression import BadEncoding, TooLarge, chosen_coding, compress, decompress

_MOST = 10 * 1024 * 1024


def decompressed(body: bytes, coding: bytes) -> bytes:
    """Raises GatewayError."""
    try:
        return decompress(body, coding, _MOST)
    except BadEncoding as error:
        raise GatewayError("UNSUPPORTED_MEDIA_TYPE", Fault.CLIENT, str(error)) from error
    except TooLarge as error:
        raise GatewayError("REQUEST_TOO_LARGE", Fault.CLIENT, str(error)) from error


def compress_answer(response: Response, ex: Exchange) -> None:
    """AWS: what the backend has encoded already goes on as it is, and so does what is streamed."""
    body, least = response.body, ex.stage.min_compression
    if not isinstance(body, bytes) or not body or least is None or len(body) < least:
        return
    coding = chosen_coding(ex.request.headers.get(b"accept-encoding"))
    if coding is None or b"content-encoding:" in response.encoded.lower():
        return
    if any(name.lower() == b"content-encoding" for name, _ in response.headers):
        return
    response.body = compress(body, coding)
    response.headers.append((b"Content-Encoding", coding.encode()))
