"""What mapping templates can name: `$input`, `$util`, `$context` and `$stageVariables`.

Source: *API Gateway mapping template and access logging variable reference*; shared facts, vtl §2 to §5. Not here: the language
(vtl), JSONPath, when a template is rendered (gateway.transform).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from tidegate.mapping.documents import body_document
from tidegate.mapping.json_text import JsonTextError, json_text, read_json
from tidegate.mapping.jsonpath import JsonPath, JsonPathError, compile_path
from tidegate.mapping.overrides import places
from tidegate.vtl import Host, JsonArray, TemplateError
from tidegate.vtl.values import LARGEST_TEXT, text_of


def variables_of(exchange: Any, payload: bytes, roots: frozenset[str]) -> dict[str, object]:
    """Of what a template can name, that which it does name: most name one or two. `payload`: the body as it is seen."""
    variables: dict[str, object] = {}
    if "input" in roots:
        variables["input"] = Input(exchange, payload)
    if "util" in roots:
        variables["util"] = UTIL
    if "context" in roots:
        variables["context"] = exchange.template_context
    if "stageVariables" in roots:
        variables["stageVariables"] = dict(exchange.stage.variables)
    return variables


_UNREAD = object()


@lru_cache(maxsize=4096)
def _path(text: str) -> JsonPath:
    return compile_path(text)


class Input(Host):
    """`$input`: the body and the request's parameters."""

    __slots__ = ("_document", "_exchange", "_is_shown", "_payload", "_spent", "_text")

    def __init__(self, exchange: Any, payload: bytes) -> None:
        self._exchange = exchange
        self._payload = payload
        self._text: str | None = None
        self._document: object = _UNREAD
        self._is_shown = False
        self._spent = 0.0

    def document(self) -> object:
        """Read once, so that what a template assigns into it is seen by later look-ups."""
        document = self._document
        if document is _UNREAD:
            document = self._document = body_document(self._payload)
        return document

    def _shown(self) -> object:
        """The document once a template gets its hands on parts of it."""
        if not self._is_shown:
            document = self.document()
            self._document = with_arrays(document) if b"[" in self._payload else document
            self._is_shown = True
        return self._document

    def body(self) -> str:
        # AWS: an empty body renders as {} [rec].
        if self._text is None:
            self._text = self._payload.decode("utf-8", "replace") or "{}"
        return self._text

    def path(self, expression: object) -> object:
        value = self._read(_compiled(expression), self._shown())
        return JsonArray(value) if type(value) is list else value

    def json(self, expression: object) -> str:
        value = self._read(_compiled(expression), self.document())
        # AWS: what leads nowhere gives two quotes (widely reported).
        if value is None:
            return '""'
        if self._is_shown and isinstance(value, list | dict):
            self._timed(_refuse_endless, value)
        return json_text(value)

    def _read(self, path: JsonPath, document: object) -> object:
        if path.is_plain:
            return path.read(document)
        if self._is_shown:
            self._timed(_refuse_endless, document)
        try:
            return self._timed(path.read, document)
        except JsonPathError as error:
            raise TemplateError(f"$input.path({path.text}): {error}") from None

    def _timed(self, function: Callable[[object], object], value: object) -> object:
        """Whatever looks through a whole document: not forever, however often a template asks for it."""
        if self._spent > _SECONDS:
            raise TemplateError(f"$input looks through the body for more than {_SECONDS:g} seconds")
        start = perf_counter()
        try:
            return function(value)
        finally:
            self._spent += perf_counter() - start

    def params(self, name: object = None) -> object:
        """All parameters by place, or the value of one: of the path, else the query, else the headers."""
        places = self._exchange.template_parameters
        if name is None:
            return places
        for place in places.values():
            if name in place:
                return place[name]
        return ""

    PROPERTIES = {"body": body}
    METHODS = {"path": path, "json": json, "params": params}


_SECONDS = 1.0


def _compiled(expression: object) -> JsonPath:
    if not isinstance(expression, str):
        raise TemplateError(f"a JSONPath is expected, not {text_of(expression)}")
    try:
        return _path(expression)
    except JsonPathError as error:
        raise TemplateError(f"invalid JSONPath {expression}: {error}") from None


def _refuse_endless(value: Any) -> None:
    """Templates change what `$input.path()` gave them. A list that has a list twice, which has a list twice, and so on, is small
    in memory, and larger than any memory when it is written or searched."""
    left = LARGEST_TEXT
    waiting = [value] if isinstance(value, list | dict) else []
    while waiting:
        container = waiting.pop()
        left -= 2 * len(container) + 2
        items: Any = container
        if isinstance(container, dict):
            left -= sum(len(key) for key in container if key.__class__ is str)
            items = container.values()
        for item in items:
            if item.__class__ is str:
                left -= len(item)
            elif isinstance(item, list | dict):
                waiting.append(item)
        if left < 0:
            raise TemplateError(f"the body has become larger than {LARGEST_TEXT} characters, or contains itself")


def with_arrays(value: Any) -> object:
    """A document fresh from a reader (plain dicts and lists), with lists that print as JSON, as those out of JSON do."""
    if value.__class__ is dict:
        for key, item in value.items():
            kind = item.__class__
            if kind is list:
                value[key] = with_arrays(item)
            elif kind is dict:
                with_arrays(item)
        return value
    if value.__class__ is list:
        return JsonArray([with_arrays(item) if item.__class__ in _CONTAINERS else item for item in value])
    return value


_CONTAINERS = frozenset({dict, list})


_NOT_PRINTABLE = re.compile("[^ -~]")
_ESCAPES = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"}


def escape_javascript(text: str) -> str:
    """As commons-lang's StringEscapeUtils.escapeJavaScript: by UTF-16 units, with capital hexadecimal digits."""
    # Four passes in C are faster than one that calls Python for every character that it finds.
    text = text.replace("\\", "\\\\").replace("/", "\\/").replace('"', '\\"').replace("'", "\\'")
    return text if text.isascii() and text.isprintable() else _NOT_PRINTABLE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if code < 0x10000:
        return _ESCAPES.get(character) or f"\\u{code:04X}"
    return f"\\u{0xD7C0 + (code >> 10):04X}\\u{0xDC00 + (code & 0x3FF):04X}"


def _url_encode(text: str) -> str:
    # Java's URLEncoder leaves `*` alone and encodes the tilde.
    return quote_plus(text, safe="*-._").replace("~", "%7E")


def _base64_decode(text: str) -> str:
    try:
        return b64decode(text).decode("utf-8", "replace")
    except (BinasciiError, ValueError) as error:
        raise TemplateError(f"$util.base64Decode: {error}") from None


def _parse_json(text: str) -> object:
    try:
        return with_arrays(read_json(text))
    except JsonTextError:
        return None


def _of_text(function: Callable[[str], object]) -> Callable[[Util, object], object]:
    """A function of the argument's text; null gives null."""

    def method(_util: Util, value: object) -> object:
        if value is None:
            return None
        return function(value if isinstance(value, str) else text_of(value))

    return method


_SHORT = 200
_escape_short = lru_cache(maxsize=4096)(escape_javascript)
"""The headers of a client are the same in all its requests, and most of them the same as other clients'."""


def _escape_javascript(_util: Util, value: Any) -> object:
    """`_of_text(escape_javascript)`, with a call less for text: templates have it in their loops."""
    if value.__class__ is str:
        return _escape_short(value) if len(value) <= _SHORT else escape_javascript(value)
    return None if value is None else escape_javascript(text_of(value))


class Util(Host):
    """`$util`."""

    __slots__ = ()
    METHODS = {
        "escapeJavaScript": _escape_javascript,
        "parseJson": _of_text(_parse_json),
        "urlEncode": _of_text(_url_encode),
        "urlDecode": _of_text(unquote_plus),
        "base64Encode": _of_text(lambda text: b64encode(text.encode("utf-8", "surrogatepass")).decode()),
        "base64Decode": _of_text(_base64_decode),
    }


UTIL = Util()


def context_map(exchange: Any) -> dict[str, object]:
    """`$context` as a map, with the two places for overrides."""
    method, stage = exchange.method, exchange.stage
    context: dict[str, object] = {
        "resourceId": method.resource_id,
        "resourcePath": method.resource_path,
        "httpMethod": exchange.verb,
        "extendedRequestId": exchange.extended_request_id,
        "requestTime": exchange.request_time,
        "path": exchange.full_path,
        "accountId": stage.account,
        "protocol": exchange.protocol,
        **places(),
        "stage": stage.name,
        "domainPrefix": exchange.host.domain_prefix,
        "requestTimeEpoch": exchange.request_time_epoch,
        "requestId": exchange.request_id,
        "identity": {
            **_IDENTITY,
            **(exchange.identity or {}),
            "apiKey": exchange.api_key_text,
            "apiKeyId": exchange.api_key_id,
            "sourceIp": exchange.source_ip,
            "userAgent": exchange.user_agent,
        },
        "domainName": exchange.host.domain_name,
        "deploymentId": stage.deployment_id,
        "apiId": stage.api_id,
    }
    if exchange.authorizer is not None:
        # What an authorizer gave is kept for other requests: a template gets its own, claims included.
        context["authorizer"] = {
            name: dict(value) if isinstance(value, dict) else value for name, value in exchange.authorizer.items()
        }
    if method.operation_name is not None:
        context["operationName"] = method.operation_name
    if stage.is_canary is not None:
        context["isCanaryRequest"] = stage.is_canary
    return context


_IDENTITY: dict[str, object] = dict.fromkeys(
    "accountId caller cognitoAuthenticationProvider cognitoAuthenticationType cognitoIdentityId "
    "cognitoIdentityPoolId principalOrgId user userArn".split()
)
