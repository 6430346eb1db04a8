"""Gateway response templates: text in which variables are replaced, and nothing else is done. No Velocity.

Source: *Gateway responses in API Gateway*; shared facts, rest-data-plane §7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from tidegate.mapping.context import LOGGABLE, getter
from tidegate.mapping.parameters import Source, request_source

Render: TypeAlias = Callable[[Any], str]
"""From an exchange to text."""

_VARIABLE = re.compile(
    r"\$(?:(context|stageVariables)\.([A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*)"
    r"|(method\.request\.(?:header|querystring|path)\.[A-Za-z0-9_-]+))"
)


def compile_substitution(text: str, variables: Mapping[str, str]) -> Render:
    """An unknown variable stays as it is written; a known one that the request has not is empty, a null message `null`."""
    parts: list[str | Source] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        source = _source(found, variables)
        if source is not None:
            parts += (text[end : found.start()], source)
            end = found.end()
    parts.append(text[end:])
    if len(parts) == 1:
        return lambda _exchange: text

    def render(exchange: Any) -> str:
        return "".join([part if isinstance(part, str) else part(exchange) or "" for part in parts])

    return render


def _source(found: re.Match[str], variables: Mapping[str, str]) -> Source | None:
    room, name, parameter = found.groups()
    if parameter is not None:
        return request_source(parameter, variables)
    if room == "stageVariables":
        value = variables.get(name)
        return lambda _exchange: value
    try:
        read = getter(name, LOGGABLE)
    except ValueError:
        return None
    absent = "null" if name == "error.messageString" else ""

    def shown(exchange: Any) -> str:
        value = read(exchange)
        return absent if value is None else str(value)

    return shown
