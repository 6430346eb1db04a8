"""Access-log formats (`$requestId $context.status …`), compiled to one f-string.

Source: *Set up access logging*; an unknown or absent value prints `-`, and what a client sends cannot break the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tidegate.mapping.context import LOGGABLE, call_of

DEFAULT_FORMAT = (
    '{"requestId":"$context.requestId","time":"$context.requestTime","api":"$context.apiId","stage":"$context.stage",'
    '"ip":"$context.identity.sourceIp","httpMethod":"$context.httpMethod","path":"$context.path",'
    '"resourcePath":"$context.resourcePath","status":$context.status,"responseLength":$context.responseLength,'
    '"latency":$context.responseLatency,"integrationLatency":"$context.integrationLatency",'
    '"error":"$context.error.responseType"}'
)

_VARIABLE = re.compile(r"\$context\.([A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*)")
_ALWAYS_SAFE = frozenset(
    {"request_id", "request_time", "request_time_epoch", "stage.api_id", "stage.name", "stage.account", "source_ip",
     "status", "response_length", "response_latency", "extended_request_id", "stage.deployment_id"}
)  # fmt: skip
"""Our own values, never None: they need no look."""


class LogFormat:
    """A compiled format. Raises ValueError when it lacks a request id."""

    __slots__ = ("render",)

    def __init__(self, text: str) -> None:
        if "$context.requestId" not in text and "$context.extendedRequestId" not in text:
            raise ValueError("the access log format must contain $context.requestId or $context.extendedRequestId")
        parts: list[str] = []
        end = 0
        for found in _VARIABLE.finditer(text):
            parts += (_quoted(text[end : found.start()]), _value(_path(found[1])))
            end = found.end()
        parts.append(_quoted(text[end:].rstrip("\n").replace("\n", " ") + "\n"))
        # One f-string does the whole line at the speed of the interpreter. Its source holds attribute paths out of our
        # own tables and escaped literals, nothing else.
        source = "lambda exchange: f'" + "".join(parts) + "'"
        self.render: Callable[[Any], str] = eval(source, {"shown": _shown})  # noqa: S307
        """From an exchange to one line, with its line end."""


def _quoted(literal: str) -> str:
    """A literal as it stands inside the f-string."""
    escaped = literal.encode("unicode_escape").decode("ascii")
    return escaped.replace("'", "\\'").replace("{", "{{").replace("}", "}}")


def _value(path: str) -> str:
    return f"{{exchange.{path}}}" if path in _ALWAYS_SAFE else f"{{shown(exchange.{path})}}"


def _shown(value: Any) -> Any:
    """What a client sent cannot break the line, nor the JSON that most formats are."""
    if value is None:
        return "-"
    if type(value) is str and not (value.isprintable() and '"' not in value and "\\" not in value):
        return json.dumps(value)[1:-1]
    return value


def _path(name: str) -> str:
    if name in LOGGABLE:
        return LOGGABLE[name]
    call = call_of(name)
    if call is not None:
        return call
    # AWS: a variable that is unknown, or that this request has not, prints a dash.
    return "absent"
