"""Lambda proxy integration: the event (format 1.0) that a function receives, and the rules for what it returns.

Source: *Set up Lambda proxy integrations in API Gateway*; shared facts, rest-data-plane §12.6 and §12.7.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

import orjson

from tidegate.core.message import Pairs
from tidegate.mapping.media import BinaryTypes

_IDENTITY_ABSENT: dict[str, str | None] = dict.fromkeys(
    (
        "cognitoIdentityPoolId accountId cognitoIdentityId caller principalOrgId accessKey cognitoAuthenticationType "
        "cognitoAuthenticationProvider userArn user"
    ).split()
)

_NOT_IN_EVENT = frozenset(
    # AWS's table, column "lambda", D and generated; and what `proxy_headers` writes, so that no client's own stands beside it.
    b"connection content-length content-md5 expect max-forwards proxy-authenticate server te trailer transfer-encoding upgrade "
    b"www-authenticate x-http-method-override x-forwarded-for x-forwarded-port x-forwarded-proto x-amzn-trace-id".split()
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

_KNOWN_KEYS = frozenset({"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"})


class MalformedResponse(ValueError):
    """A function returned what a proxy integration does not accept; the text is for the log."""


class BadBase64(MalformedResponse):
    """The body is declared as base64 and is none: a configuration error, as where content is converted."""


@dataclass(frozen=True, slots=True)
class ProxyResponse:
    status: int
    headers: Pairs
    body: bytes


def request_headers(exchange: Any) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The headers that a function sees: the last of several, and all of them."""
    request = exchange.request
    single: dict[str, str] = {}
    multi: dict[str, list[str]] = {}
    spelling: dict[bytes, str] = {}
    for lower, name, value in request.headers.entries:
        if lower in _NOT_IN_EVENT or (lower == b"authorization" and value.startswith(b"AWS4-")):
            continue
        # AWS: header names keep the client's case; a repeated name is one entry, spelt as it came first.
        key = spelling.get(lower) or spelling.setdefault(lower, name.decode("latin-1"))
        text = value.decode("utf-8", "replace")
        single[key] = text
        multi.setdefault(key, []).append(text)
    for name_added, value_added in exchange.proxy_headers():
        single[name_added] = value_added
        multi[name_added] = [value_added]
    return single, multi


def build_event(exchange: Any) -> bytes:
    """The event as JSON. Values are as on AWS: the last of several in the single maps, null for empty maps."""
    request, stage = exchange.request, exchange.stage
    single, multi = request_headers(exchange)
    arguments = exchange.arguments
    binary = stage.binary.match(request.headers.get(b"content-type"))
    return orjson.dumps(
        {
            "resource": exchange.method.resource_path,
            "path": exchange.event_path,
            "httpMethod": exchange.verb,
            "headers": single or None,
            "multiValueHeaders": multi or None,
            "queryStringParameters": {name: values[-1] for name, values in arguments.items()} or None,
            "multiValueQueryStringParameters": arguments or None,
            "pathParameters": exchange.path_parameters or None,
            "stageVariables": stage.variables or None,
            "requestContext": request_context(exchange),
            "body": _body(request.body, binary=binary),
            "isBase64Encoded": binary and bool(request.body),
        }
    )


def request_context(exchange: Any) -> dict[str, Any]:
    """`requestContext` of events."""
    identity = _IDENTITY_ABSENT | {"sourceIp": exchange.source_ip, "userAgent": exchange.user_agent}
    if exchange.identity is not None:
        identity |= exchange.identity
    if exchange.api_key_id is not None:
        identity |= {"apiKey": exchange.api_key_text, "apiKeyId": exchange.api_key_id}
    context = {
        "resourceId": exchange.method.resource_id,
        "resourcePath": exchange.method.resource_path,
        "httpMethod": exchange.verb,
        "extendedRequestId": exchange.extended_request_id,
        "requestTime": exchange.request_time,
        "path": exchange.full_path,
        "accountId": exchange.stage.account,
        "protocol": exchange.protocol,
        "stage": exchange.stage.name,
        "domainPrefix": exchange.host.domain_prefix,
        "requestTimeEpoch": exchange.request_time_epoch,
        "requestId": exchange.request_id,
        "identity": identity,
        "domainName": exchange.host.domain_name,
        "deploymentId": exchange.stage.deployment_id,
        "apiId": exchange.stage.api_id,
    }
    if exchange.authorizer is not None:
        context["authorizer"] = exchange.authorizer
    if exchange.method.operation_name is not None:
        context["operationName"] = exchange.method.operation_name
    return context


def _body(body: bytes, *, binary: bool) -> str | None:
    if not body:
        return None
    # AWS: bytes that are no UTF-8 but are treated as text become U+FFFD.
    return base64.b64encode(body).decode() if binary else body.decode("utf-8", "replace")


def read_response(payload: bytes, binary: BinaryTypes, accept: bytes | None) -> ProxyResponse:
    """What the client gets of a function's result. Raises MalformedResponse (the gateway then answers 502)."""
    try:
        result = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise MalformedResponse(f"the function's result is no JSON: {error}") from None
    if not isinstance(result, dict):
        raise MalformedResponse("the function's result is no object")
    if unknown := result.keys() - _KNOWN_KEYS:
        raise MalformedResponse(f"unknown keys in the function's result: {', '.join(sorted(unknown))}")
    headers = _headers(result)
    body = _result_body(result, binary, accept, headers)
    return ProxyResponse(_status(result.get("statusCode")), headers, body)


def _status(value: Any) -> int:
    if value is None:
        return 200
    # AWS: "201" is as good as 201; true is not a status. Below 200 there is no final answer that HTTP could carry.
    if isinstance(value, bool) or not re.fullmatch(r"[2-9]\d\d", str(value), re.ASCII):
        raise MalformedResponse(f"statusCode {value!r} is no status")
    return int(value)


def _headers(result: dict[str, Any]) -> Pairs:
    """All multi values first, then the single value; names are compared without case."""
    multi, single = result.get("multiValueHeaders"), result.get("headers")
    multi = {} if multi is None else multi
    single = {} if single is None else single
    if not isinstance(multi, dict) or not isinstance(single, dict):
        raise MalformedResponse("headers and multiValueHeaders have to be objects")
    pairs: Pairs = []
    for name, values in multi.items():
        if not isinstance(values, list):
            raise MalformedResponse(f"multiValueHeaders.{name} is no list")
        pairs += [header_pair(name, value) for value in values]
    pairs += [header_pair(name, value) for name, value in single.items() if value is not None]
    return pairs


def header_pair(name: str, value: Any) -> tuple[bytes, bytes]:
    """A header field as a function gives it. Raises MalformedResponse."""
    if isinstance(value, bool) or not isinstance(value, str):
        value = orjson.dumps(value).decode()
    # A line break inside a value would let a function's caller write headers of their own.
    if not _TOKEN.fullmatch(name) or any(c in value for c in "\r\n\0"):
        raise MalformedResponse(f"header {name!r} cannot be sent")
    return name.encode(), value.encode("utf-8")


def _result_body(result: dict[str, Any], binary: BinaryTypes, accept: bytes | None, headers: Pairs) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        # AWS: numbers and booleans are taken as their text; objects and lists are not.
        if isinstance(body, (dict, list)):
            raise MalformedResponse("body is no string")
        return orjson.dumps(body)
    if result.get("isBase64Encoded") is True:
        content_type = next((value for name, value in headers if name.lower() == b"content-type"), None)
        if binary.match(accept) or binary.match(content_type):
            try:
                return base64.b64decode(body, validate=True)
            except (binascii.Error, ValueError):
                raise BadBase64("isBase64Encoded is true but the body is no base64") from None
    return body.encode("utf-8", "surrogatepass")
