"""Access-log formats (`$requestId $context.status …`), compiled to one format string and one attribute getter.

Source: *Set up access logging*; an unknown or absent value prints `-`, and what a client sends cannot break the line.
"""

from __future__ import annotations

import json
import re
from operator import attrgetter
from typing import Any

from tidegate.mapping.context import ABSENT, LOGGABLE

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
    """A compiled format. Raises ValueError when it names an unknown variable or lacks a request id."""

    __slots__ = ("_format", "_get", "_suspect")

    def __init__(self, text: str) -> None:
        if "$context.requestId" not in text and "$context.extendedRequestId" not in text:
            raise ValueError("the access log format must contain $context.requestId or $context.extendedRequestId")
        paths: list[str] = []
        literals: list[str] = []
        end = 0
        for found in _VARIABLE.finditer(text):
            literals.append(text[end : found.start()].replace("%", "%%"))
            paths.append(_path(found[1]))
            end = found.end()
        tail = text[end:].replace("%", "%%").rstrip("\n")
        self._format = "%s".join([*literals, tail]) + "\n"
        # A second getter makes attrgetter answer with a tuple, however few variables there are.
        self._get = attrgetter(*paths, "request_id")
        self._suspect = [index for index, path in enumerate(paths) if path not in _ALWAYS_SAFE]

    def render(self, exchange: Any) -> str:
        """One line, with its line end."""
        values = list(self._get(exchange))
        values.pop()
        for index in self._suspect:
            value = values[index]
            if value is None:
                values[index] = "-"
            elif type(value) is str and not (value.isprintable() and '"' not in value and "\\" not in value):
                values[index] = json.dumps(value)[1:-1]
        return self._format % tuple(values)


def _path(name: str) -> str:
    if name in LOGGABLE:
        return LOGGABLE[name]
    if name in ABSENT:
        return "absent"
    raise ValueError(f"unknown access log variable: $context.{name}")
