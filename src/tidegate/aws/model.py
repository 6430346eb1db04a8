"""Service models as the schema of our management APIs: botocore's JSON, interpreted, never retyped.

Parses what came over the wire into plain values (member names in snake_case) and checks it against the model with the
service's own messages; renders records back. Not here: HTTP (aws.rest) and what an operation does (control).
Source of the message forms: shared facts, rest-control-plane §1.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

from tidegate.core.errors import ControlError

Params = dict[str, Any]


def load_service_model(service: str) -> ServiceModel:
    """The newest model that botocore has of a service, without its texts for people, which are half of it."""
    model = Loader().load_service_model(service, "service-2")
    for described in (*model["shapes"].values(), *model["operations"].values()):
        described.pop("documentation", None)
        for member in described.get("members", {}).values():
            member.pop("documentation", None)
    return ServiceModel(model, service)


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


_WANTED: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "an String"),
    "boolean": ((bool,), "an Boolean"),
    "integer": ((int,), "an Integer"),
    "long": ((int,), "a Long"),
    "double": ((int, float), "a Double"),
    "float": ((int, float), "a Float"),
    "timestamp": ((int, float, str), "a Date"),
    "blob": ((str,), "a ByteBuffer"),
    "structure": ((dict,), "null"),
    "list": ((list,), "list or null"),
    "map": ((dict,), "map or null"),
}
_CONTAINERS = ("structure", "list", "map")
_BITS = {"integer": 31, "long": 63}
_NULL_VALUES = ("requestTemplates", "responseTemplates")
"""Maps whose values may be null. AWS: its console writes that for "pass the body through"."""
_RECORDED_ENUMS = {"Op": ("add", "remove", "move", "test", "replace", "copy")}
"""In the order of AWS's message where that is recorded and another than the model's."""


def parse(shape: Shape, value: Any) -> Any:
    """A decoded JSON value as the shape says, with member names in snake_case. Unknown members are passed over, as by AWS.

    Raises ControlError SerializationException for a wrong JSON type.
    """
    if value is None:
        return None
    kind = shape.type_name
    require_type(kind, value)
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


def require_type(kind: str, value: object) -> None:
    """Raises ControlError SerializationException unless a JSON value can be of a shape's type."""
    allowed, wanted = _WANTED[kind]
    if isinstance(value, allowed) and isinstance(value, bool) <= (kind == "boolean") and _fits(kind, value):
        return
    # AWS: the form for scalars is recorded, those for structures are of the same parser in other services [unverified].
    if isinstance(value, dict):
        raise _serialization("Start of structure or map found where not expected.")
    if isinstance(value, list):
        raise _serialization("Start of list found where not expected")
    if kind in _CONTAINERS:
        raise _serialization(f"Expected {wanted}")
    raise _serialization(f"class {_java_name(value)} can not be converted to {wanted}")


def _fits(kind: str, value: object) -> bool:
    bits = _BITS.get(kind)
    return bits is None or not isinstance(value, int) or -(1 << bits) <= value < 1 << bits


def _java_name(value: object) -> str:
    if isinstance(value, bool):
        return "java.lang.Boolean"
    if isinstance(value, int):
        return "java.lang.Integer" if _fits("integer", value) else "java.lang.Long"
    return "java.lang.Double" if isinstance(value, float) else "java.lang.String"


def _serialization(message: str) -> ControlError:
    return ControlError("SerializationException", message)


def decode_blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _serialization("Invalid base64 in a binary member") from None


def parse_text(shape: Shape, text: str) -> Any:
    """A value out of a path label, a query argument or a header."""
    kind = shape.type_name
    if kind == "boolean":
        return text.lower() == "true"
    if kind in ("integer", "long"):
        if not _NUMBER.fullmatch(text) or not _fits(kind, int(text)):
            raise _serialization(f"'{text}' can not be converted to {_WANTED[kind][1]}")
        return int(text)
    return text


def check(shape: Shape, value: Any, path: str, found: Violations) -> None:
    """Hold a parsed value against the model's constraints (required, enum, pattern, length, range)."""
    kind = shape.type_name
    if kind == "structure":
        required, members = _members(shape)
        for name, key in required:
            if value.get(key) is None:
                found.add(None, _join(path, name), _NOT_NULL)
        for name, key, member in members:
            if (inner := value.get(key)) is None:
                continue
            if member.type_name in _CONTAINERS:
                check(member, inner, _join(path, name), found)
            else:
                for constraint in _constraints(member, inner):
                    found.add(_shown(inner), _join(path, name), constraint)
        return
    for constraint in _constraints(shape, value):
        found.add(_shown(value), path, constraint)
    if kind == "list":
        _check_items(shape.member, value, path, found)
    elif kind == "map":
        _check_entries(shape, value, path, found)


@cache
def _members(shape: Shape) -> tuple[list[tuple[str, str]], list[tuple[str, str, Shape]]]:
    """A structure's required members and all of them, each with its name in snake_case."""
    required = [(name, snake(name)) for name in shape.required_members]
    return required, [(name, snake(name), member) for name, member in shape.members.items()]


_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
_NOT_NULL = "Member must not be null"


def _check_items(shape: Shape, items: list[Any], path: str, found: Violations) -> None:
    """AWS: containers are named one by one, plain values are named as the whole list."""
    if shape.type_name in _CONTAINERS:
        for index, item in enumerate(items, 1):
            if item is None:
                found.add(None, f"{path}.{index}.member", _NOT_NULL)
            else:
                check(shape, item, f"{path}.{index}.member", found)
    elif broken := _of_all(shape, items):
        found.add(_shown(items), path, f"Member must satisfy constraint: [{', '.join(broken)}]")


def _check_entries(shape: Shape, entries: dict[str, Any], path: str, found: Violations) -> None:
    if broken := _of_all(shape.key, entries):
        found.add(_shown(entries), path, f"Map keys must satisfy constraint: [{', '.join(broken)}]")
    values = [item for item in entries.values() if item is not None or not path.endswith(_NULL_VALUES)]
    if shape.value.type_name in _CONTAINERS:
        for key, item in entries.items():
            if item is None:
                found.add(None, f"{path}.{key}.member", _NOT_NULL)
            else:
                check(shape.value, item, f"{path}.{key}.member", found)
    elif broken := _of_all(shape.value, values):
        found.add(_shown(entries), path, f"Map value must satisfy constraint: [{', '.join(broken)}]")


def _of_all(shape: Shape, values: Iterable[Any]) -> list[str]:
    """What any of some plain values breaks, each constraint once."""
    return list(
        dict.fromkeys(
            constraint
            for value in values
            for constraint in ([_NOT_NULL] if value is None else _constraints(shape, value))
        )
    )


def _shown(value: Any) -> str:
    """As Java prints it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_shown(item)}" for key, item in value.items()) + "}"
    return "null" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a shape itself, without its members, asks of a value."""

    enum: Sequence[str]
    """None of which is no limit."""
    pattern: re.Pattern[str] | None
    least: float | None
    most: float | None
    measured: bool
    """Whether its length is held against least and most, not itself."""


@cache
def _limits(shape: Shape) -> _Limits | None:
    kind, metadata = shape.type_name, shape.metadata
    number = kind in ("integer", "long", "double", "float")
    measured = kind in ("string", "list", "map", "blob")
    pattern = _pattern(metadata["pattern"]) if kind == "string" and "pattern" in metadata else None
    least, most = (metadata.get("min"), metadata.get("max")) if number or measured else (None, None)
    enum = shape.enum if kind == "string" else ()
    if not enum and pattern is None and least is None and most is None:
        return None
    return _Limits(enum, pattern, least, most, measured)


def _constraints(shape: Shape, value: Any) -> Sequence[str]:
    """Those that a value breaks."""
    limits = _limits(shape)
    if limits is None:
        return ()
    broken = []
    if limits.enum and value not in limits.enum:
        names = _RECORDED_ENUMS.get(shape.name, limits.enum)
        broken.append(f"Member must satisfy enum value set: [{', '.join(names)}]")
    number, what = (len(value), "length") if limits.measured else (value, "value")
    if limits.least is not None and number < limits.least:
        broken.append(f"Member must have {what} greater than or equal to {limits.least}")
    if limits.most is not None and number > limits.most:
        broken.append(f"Member must have {what} less than or equal to {limits.most}")
    if limits.pattern is not None and not limits.pattern.fullmatch(value):
        broken.append(f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}")
    return broken


def _join(path: str, name: str) -> str:
    return f"{path}.{name[0].lower()}{name[1:]}" if path else name[0].lower() + name[1:]


def _pattern(text: str) -> re.Pattern[str] | None:
    """The models' patterns are Java's; one that Python does not take is not checked."""
    try:
        return re.compile(text, re.ASCII)
    except re.error:
        return None


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
