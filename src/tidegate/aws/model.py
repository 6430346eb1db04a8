"""Service models as the schema of our management APIs: botocore's JSON, interpreted, never retyped.

Parses what came over the wire into plain values (member names in snake_case) and checks it against the model with the
service's own messages; renders records back. Not here: HTTP (aws.rest) and what an operation does (control).
Source of the message forms: shared facts, rest-control-plane §1.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from tidegate.core.errors import ControlError

Params = dict[str, Any]


def load_service_model(service: str) -> ServiceModel:
    """The newest model that botocore has of a service."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@lru_cache(maxsize=4096)
def snake(member: str) -> str:
    """`restApiId` → `rest_api_id`; the one place where casing is translated."""
    return str(xform_name(member))


def wire_name(name: str, shape: Shape) -> str:
    return str(shape.serialization.get("name", name))


class Violations:
    """Collects what a request breaks, so that the answer names all of it, as the service does."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, value: object, path: str, constraint: str) -> None:
        shown = "null" if value is None else f"'{value}'"
        self._found.append(f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}")

    def raise_if_any(self) -> None:
        if self._found:
            count = len(self._found)
            noun = "validation error" if count == 1 else "validation errors"
            raise ControlError("ValidationException", f"{count} {noun} detected: {'; '.join(self._found)}")


_JAVA_NAMES = {
    bool: "java.lang.Boolean",
    int: "java.lang.Integer",
    float: "java.lang.Double",
    str: "java.lang.String",
    list: "java.util.ArrayList",
    dict: "java.util.LinkedHashMap",
}
_JSON_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "an String"),
    "boolean": ((bool,), "an Boolean"),
    "integer": ((int,), "an Integer"),
    "long": ((int,), "a Long"),
    "double": ((int, float), "a Double"),
    "float": ((int, float), "a Float"),
    "timestamp": ((int, float, str), "a Date"),
    "blob": ((str,), "a ByteBuffer"),
    "structure": ((dict,), "a Structure"),
    "list": ((list,), "a List"),
    "map": ((dict,), "a Map"),
}


def parse(shape: Shape, value: Any) -> Any:
    """A decoded JSON value as the shape says, with member names in snake_case. Unknown members are passed over, as by AWS.

    Raises ControlError SerializationException for a wrong JSON type.
    """
    if value is None:
        return None
    kind = shape.type_name
    _require_type(kind, value)
    if kind == "structure":
        return {
            snake(name): parse(member, value[key])
            for name, member in shape.members.items()
            if (key := wire_name(name, member)) in value
        }
    if kind == "list":
        return [parse(shape.member, item) for item in value]
    if kind == "map":
        return {key: parse(shape.value, item) for key, item in value.items()}
    if kind == "blob":
        return decode_blob(value)
    return value


def _require_type(kind: str, value: object) -> None:
    allowed, wanted = _JSON_TYPES[kind]
    if not isinstance(value, allowed) or (isinstance(value, bool) and kind != "boolean"):
        java = _JAVA_NAMES.get(type(value), type(value).__name__)
        raise ControlError("SerializationException", f"class {java} can not be converted to {wanted}")


def decode_blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ControlError("SerializationException", "Invalid base64 in a binary member") from None


def parse_text(shape: Shape, text: str) -> Any:
    """A value out of a path label, a query argument or a header."""
    kind = shape.type_name
    if kind == "boolean":
        return text.lower() == "true"
    if kind in ("integer", "long"):
        try:
            return int(text)
        except ValueError:
            raise ControlError("SerializationException", f"'{text}' can not be converted to an Integer") from None
    return text


def check(shape: Shape, value: Any, path: str, found: Violations) -> None:
    """Hold a parsed value against the model's constraints (required, enum, pattern, length, range)."""
    kind = shape.type_name
    if kind == "structure":
        for name in shape.required_members:
            if value.get(snake(name)) is None:
                found.add(None, _join(path, name), "Member must not be null")
        for name, member in shape.members.items():
            if (inner := value.get(snake(name))) is not None:
                check(member, inner, _join(path, name), found)
    elif kind == "list":
        _check_length(shape, value, path, found)
        for index, item in enumerate(value, 1):
            check(shape.member, item, f"{path}.{index}.member", found)
    elif kind == "map":
        for key, item in value.items():
            if item is not None:
                check(shape.value, item, f"{path}.{key}.member", found)
    elif kind == "string":
        if shape.enum and value not in shape.enum:
            found.add(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        _check_length(shape, value, path, found)
        _check_pattern(shape, value, path, found)
    elif kind in ("integer", "long", "double", "float"):
        _check_range(shape, value, path, found)


def _join(path: str, name: str) -> str:
    return f"{path}.{name[0].lower()}{name[1:]}" if path else name[0].lower() + name[1:]


def _check_length(shape: Shape, value: Any, path: str, found: Violations) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        found.add(value, path, f"Member must have length greater than or equal to {least}")
    if most is not None and len(value) > most:
        found.add(value, path, f"Member must have length less than or equal to {most}")


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str] | None:
    """The models' patterns are Java's; one that Python does not take is not checked."""
    try:
        return re.compile(text)
    except re.error:
        return None


def _check_pattern(shape: Shape, value: str, path: str, found: Violations) -> None:
    text = shape.metadata.get("pattern")
    pattern = None if text is None else _pattern(text)
    if pattern is not None and not pattern.fullmatch(value):
        found.add(value, path, f"Member must satisfy regular expression pattern: {text}")


def _check_range(shape: Shape, value: float, path: str, found: Violations) -> None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        found.add(value, path, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        found.add(value, path, f"Member must have value less than or equal to {most}")


def render(shape: Shape, value: Any) -> Any:
    """A record (or a mapping with snake_case keys) as JSON-ready values in the model's names; unset members are left out."""
    kind = shape.type_name
    if kind == "structure":
        out = {}
        for name, member in shape.members.items():
            inner = _member(value, snake(name))
            if inner is not None:
                out[wire_name(name, member)] = render(member, inner)
        return out
    if kind == "list":
        return [render(shape.member, item) for item in value]
    if kind == "map":
        return {key: render(shape.value, item) for key, item in value.items()}
    if kind == "timestamp":
        return _epoch(value)
    if kind == "blob":
        return base64.b64encode(value).decode()
    return value


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _epoch(value: datetime | float) -> float | int:
    seconds = value.timestamp() if isinstance(value, datetime) else value
    return int(seconds) if seconds == int(seconds) else seconds
