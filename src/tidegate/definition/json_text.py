"""JSON that stands as text within a definition: schemas, policies, documentation, maps in patches.

Not here: OpenAPI files (openapi.loading), which nest a little deeper, so that each of these has a place in one; bodies of
requests (mapping).
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

DEEPEST = 100
"""Ours: how deep values may nest."""


def decode(text: str) -> Any:
    """Raises ValueError for what is no JSON, or nested beyond measure."""
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return value
    raise ValueError("nested too deeply")


def decode_object(text: str | None) -> dict[str, Any] | None:
    """None: the text is no JSON object."""
    try:
        value = decode(text or "")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _inside(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
