"""Function URLs: the event (format 2.0) that a function receives, and what its result means for the client. Pure.

Source: *Invoking Lambda function URLs*, request and response payload format. Not here: who may call (gateway).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tidegate.core.message import Pairs, Request
from tidegate.mapping.media import mime

_TEXT = re.compile(r"text/.*|application/(json|javascript|xml|graphql|.*\+json|.*\+xml)")
"""AWS: bodies of these types arrive as text, all others in base64."""
_REPLACED = frozenset(b"cookie x-forwarded-for x-forwarded-port x-forwarded-proto x-amzn-trace-id".split())
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class MalformedResult(ValueError):
    """What a function gave back cannot be sent; the text is for the log."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a function URL."""

    url_id: str
    domain: str
    request: Request
    path: str
    request_id: str
    trace_id: str
    arrived: float
    """Seconds since the epoch."""
    port: str
    authorizer: dict[str, Any] | None = None
    """Who has signed the request; None: the URL is open to everybody."""


def build_event(call: Call) -> bytes:
    request = call.request
    headers = _headers(call)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": call.path,
        "rawQueryString": request.query,
    }
    cookies = [
        part.strip()
        for value in request.headers.get_all(b"cookie")
        for part in value.decode("utf-8", "replace").split(";")
        if part.strip()
    ]
    if cookies:
        event["cookies"] = cookies
    event["headers"] = headers
    if arguments := _joined(parse_qsl(request.query, keep_blank_values=True)):
        event["queryStringParameters"] = arguments
    event["requestContext"] = _context(call, headers.get("user-agent"))
    if request.body:
        text = _text(request)
        event["body"] = base64.b64encode(request.body).decode() if text is None else text
        event["isBase64Encoded"] = text is None
    else:
        event["isBase64Encoded"] = False
    return orjson.dumps(event)


def _headers(call: Call) -> dict[str, str]:
    """AWS: names in lower case, the values of one name joined by commas."""
    given = [
        (lower.decode("latin-1"), value.decode("utf-8", "replace"))
        for lower, _, value in call.request.headers.entries
        if lower not in _REPLACED
    ]
    return _joined(given) | {
        "host": call.domain,
        "x-forwarded-for": call.request.peer,
        "x-forwarded-port": call.port,
        "x-forwarded-proto": call.request.scheme,
        "x-amzn-trace-id": call.trace_id,
    }


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _context(call: Call, agent: str | None) -> dict[str, Any]:
    http = {
        "method": call.request.method,
        "path": call.path,
        "protocol": f"HTTP/{call.request.http_version}",
        "sourceIp": call.request.peer,
    }
    if agent is not None:
        http["userAgent"] = agent
    who: dict[str, Any] = {"accountId": "anonymous"}
    if call.authorizer is not None:
        who = {"accountId": call.authorizer["iam"]["accountId"], "authorizer": call.authorizer}
    return {
        **who,
        "apiId": call.url_id,
        "domainName": call.domain,
        "domainPrefix": call.url_id,
        "http": http,
        "requestId": call.request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": datetime.fromtimestamp(call.arrived, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(call.arrived * 1000),
    }


def _text(request: Request) -> str | None:
    """The body as text; None: it is to be encoded."""
    if _TEXT.fullmatch(mime(request.headers.get(b"content-type"))) is None:
        return None
    try:
        return request.body.decode()
    except UnicodeDecodeError:
        return None


@dataclass(frozen=True, slots=True)
class Result:
    status: int
    headers: Pairs
    body: bytes


def read_result(payload: bytes) -> Result:
    """Raises MalformedResult.

    AWS: an object with a statusCode is the answer; of anything else the answer is made, status 200 and JSON.
    """
    try:
        result = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise MalformedResult(f"the function's result is no JSON: {error}") from None
    if not isinstance(result, dict) or "statusCode" not in result:
        body = result.encode() if isinstance(result, str) else payload
        return Result(200, [(b"Content-Type", b"application/json")], body)
    status = result["statusCode"]
    if isinstance(status, bool) or not re.fullmatch(r"[2-9]\d\d", str(status), re.ASCII):
        raise MalformedResult(f"statusCode {status!r} is no status")
    return Result(int(status), _result_headers(result), _result_body(result))


def _result_headers(result: dict[str, Any]) -> Pairs:
    headers, cookies = result.get("headers") or {}, result.get("cookies") or []
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        raise MalformedResult("headers have to be an object, cookies a list")
    pairs = [header(name, value) for name, value in headers.items() if value is not None]
    if not any(name.lower() == b"content-type" for name, _ in pairs):
        pairs.append((b"Content-Type", b"application/json"))
    return pairs + [header("Set-Cookie", cookie) for cookie in cookies]


def header(name: str, value: Any) -> tuple[bytes, bytes]:
    """Raises MalformedResult for what would break out of its line."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    if not _TOKEN.fullmatch(name) or any(c in text for c in "\r\n\0"):
        raise MalformedResult(f"header {name!r} cannot be sent")
    return name.encode(), text.encode()


def _result_body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    text = body if isinstance(body, str) else orjson.dumps(body).decode()
    if result.get("isBase64Encoded") is not True:
        return text.encode()
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedResult("the body is declared as base64 and is none") from None
