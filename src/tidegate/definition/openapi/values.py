"""Values of a file, held to the type that their place needs. null is the same as not being there. All raise Malformed."""

from __future__ import annotations

import json
import re
from typing import Any

from tidegate.definition.openapi.imported import Malformed


def mapping(value: Any, place: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"Invalid OpenAPI input: {place} must be an object")
    return value


def listing(value: Any, place: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed(f"Invalid OpenAPI input: {place} must be a list")
    return value


def text(value: Any, place: str) -> str | None:
    """Numbers and booleans are taken as they are written in JSON: `version: 1`, `statusCode: 200`."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        raise Malformed(f"Invalid OpenAPI input: {place} must be text")
    return json.dumps(value)


def texts(value: Any, place: str) -> list[str]:
    return [text(item, f"{place} {number}") or "" for number, item in enumerate(listing(value, place))]


def text_map(value: Any, place: str) -> dict[str, str]:
    return {name: text(item, f"{place}.{name}") or "" for name, item in mapping(value, place).items()}


def flag(value: Any, place: str) -> bool:
    """`true` and `"true"`, as templates write it."""
    if value is None or isinstance(value, bool):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise Malformed(f"Invalid OpenAPI input: {place} must be true or false")


def integer(value: Any, place: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value, re.ASCII):
        return int(value)
    raise Malformed(f"Invalid OpenAPI input: {place} must be an integer")
