"""Parameter mapping expressions, compiled to functions of the exchange.

Source: *Amazon API Gateway API request and response data mapping reference*; shared facts, rest-data-plane §13.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any, TypeAlias

from tidegate.core.errors import Fault, GatewayError
from tidegate.mapping.context import MAPPABLE, getter
from tidegate.mapping.json_text import json_text
from tidegate.mapping.jsonpath import JsonPath, JsonPathError, compile_path

Source: TypeAlias = Callable[[Any], "str | None"]
"""From an exchange to a value; None: absent, the parameter is then left out."""

_NAME = re.compile(r"[a-zA-Z0-9._$-]+")


def literal(expression: str) -> str | None:
    """The text of `'literal'`; None when the expression is not one."""
    if len(expression) >= 2 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    return None


def request_source(expression: str, variables: Mapping[str, str], context: Mapping[str, str] = MAPPABLE) -> Source:
    """The source of an `integration.request.*` parameter. Raises ValueError for an invalid expression."""
    common = _common(expression, variables, context)
    if common is not None:
        return common
    if not expression.startswith("method.request."):
        raise ValueError(f"Invalid mapping expression specified: {expression}")
    where, _, name = expression.removeprefix("method.request.").partition(".")
    if where == "body":
        return _body_source(
            name, expression, lambda exchange: exchange.request.body, lambda exchange: exchange.json_body
        )
    if not _NAME.fullmatch(name) or where not in _READERS:
        raise ValueError(f"Invalid mapping expression specified: {expression}")
    read = _READERS[where]
    return lambda exchange: read(exchange, name)


def response_source(expression: str, variables: Mapping[str, str]) -> Source:
    """The source of a `method.response.header.*` parameter."""
    common = _common(expression, variables)
    if common is not None:
        return common
    where, _, name = expression.removeprefix("integration.response.").partition(".")
    if not expression.startswith("integration.response."):
        raise ValueError(f"Invalid mapping expression specified: {expression}")
    if where == "body":
        return _body_source(
            name, expression, lambda exchange: exchange.answer.body, lambda exchange: exchange.answer.json
        )
    lower = name.lower().encode()
    if where == "header" and _NAME.fullmatch(name):
        return lambda exchange: _last(exchange.answer.headers.get_all(lower))
    if where == "multivalueheader" and _NAME.fullmatch(name):
        return lambda exchange: _joined(exchange.answer.headers.get_all(lower))
    raise ValueError(f"Invalid mapping expression specified: {expression}")


def _body_source(path: str, expression: str, raw: Callable[[Any], bytes], document: Callable[[Any], object]) -> Source:
    """The body whole, or what a JSONPath (without its `$.`) finds in it. AWS: a value that is no scalar becomes JSON text."""
    if not path:
        return lambda exchange: raw(exchange).decode("utf-8", "replace")
    try:
        compiled = compile_path(f"$.{path}")
    except JsonPathError as error:
        raise ValueError(f"Invalid mapping expression specified: {expression}: {error}") from None

    def source(exchange: Any) -> str | None:
        try:
            found = document(exchange)
            value = compiled.read(found) if compiled.is_plain else _searched(exchange, compiled, found)
        except JsonPathError:
            return None
        return value if value is None or isinstance(value, str) else json_text(value)

    return source


_SECONDS = 1.0


def _searched(exchange: Any, path: JsonPath, document: object) -> object:
    """What a path finds that looks through the whole document. A request's paths share a second: others wait meanwhile."""
    if exchange.searched > _SECONDS:
        detail = f"mapped parameters look through bodies for more than {_SECONDS:g} seconds"
        raise GatewayError("API_CONFIGURATION_ERROR", Fault.CONFIGURATION, detail, started=True)
    start = perf_counter()
    try:
        return path.read(document)
    finally:
        exchange.searched += perf_counter() - start


def _last(values: list[bytes]) -> str | None:
    return values[-1].decode("utf-8", "replace") if values else None


def _joined(values: list[bytes]) -> str | None:
    return b",".join(values).decode("utf-8", "replace") if values else None


def _common(expression: str, variables: Mapping[str, str], context: Mapping[str, str] = MAPPABLE) -> Source | None:
    """The sources that requests and responses share: literals, stage variables, context variables."""
    text = literal(expression)
    if text is not None and ("\r" in text or "\n" in text):
        raise ValueError(f"Invalid mapping expression specified: {expression}")
    if text is not None:
        return lambda _exchange: text
    if expression.startswith("stageVariables."):
        value = variables.get(expression.removeprefix("stageVariables."))
        return lambda _exchange: value
    if expression.startswith("context."):
        read = getter(expression.removeprefix("context."), context)
        return lambda exchange: _text(read(exchange))
    return None


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _header(exchange: Any, name: str) -> str | None:
    return _last(exchange.request.headers.get_all(name.lower().encode()))


def _headers(exchange: Any, name: str) -> str | None:
    return _joined(exchange.request.headers.get_all(name.lower().encode()))


def _argument(exchange: Any, name: str) -> str | None:
    values = exchange.arguments.get(name)
    return values[-1] if values else None


def _arguments(exchange: Any, name: str) -> str | None:
    values = exchange.arguments.get(name)
    return ",".join(values) if values else None


def _label(exchange: Any, name: str) -> str | None:
    value = exchange.path_parameters.get(name)
    return None if value is None else str(value)


_READERS: dict[str, Callable[[Any, str], str | None]] = {
    "path": _label,
    "querystring": _argument,
    "multivaluequerystring": _arguments,
    "header": _header,
    "multivalueheader": _headers,
}
