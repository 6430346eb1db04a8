"""What is wrong with a value, in the words of json-schema-validator (com.github.fge) — API Gateway's own.

Verified by recordings of API Gateway: `required` and `additionalProperties`, and their order. Verified by recordings of other
services on the same library: `type`, `enum`, `maximum`. Unverified on AWS, from the library's published messages: all the
others, the order of keywords among each other, and that (its default) a value's members are looked at only when the value
itself is all right. Single keywords are decided by jsonschema-rs, so that messages and verdict agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from tidegate.mapping.schema_graph import Schema, SchemaGraph

MAX_MESSAGES = 100  # own bound
MAX_STEPS = 100_000  # own bound: schemas held against values while explaining

# The library asks its keywords in the order of a Java HashMap of 32 buckets.
_ORDER = (
    "multipleOf maxItems minLength pattern format anyOf type enum required dependencies minProperties minItems allOf oneOf "
    "not uniqueItems additionalItems maximum additionalProperties maxProperties minimum maxLength"
).split()
# Those that one keyword of jsonschema-rs decides alone.
_SIMPLE = frozenset(
    "multipleOf maxItems minLength pattern format type enum required minProperties minItems uniqueItems maxProperties "
    "maxLength".split()
)
# AWS: unverified that API Gateway enforces formats; the library does.
_FORMAT_NAMES = {
    "email": "email address",
    "hostname": "hostname",
    "ipv4": "IPv4 address",
    "ipv6": "IPv6 address",
    "regex": "ECMA 262 regular expression",
    "uri": "URI",
}
_DATE_FORMATS = "[yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]"


class _Leaf(Protocol):
    def is_valid(self, instance: Any) -> bool: ...


class _Enough(Exception):
    """The budget is used up."""


class Explainer:
    """Explains by one graph of schemas."""

    def __init__(self, graph: SchemaGraph, compile_leaf: Callable[[Schema], _Leaf]) -> None:
        self._graph = graph
        self._compile_leaf = compile_leaf
        self._leaves: dict[tuple[int, str], _Leaf] = {}
        self._patterns: dict[str, _Leaf] = {}

    def messages(self, document: object) -> list[str]:
        """At most MAX_MESSAGES messages."""
        found: list[str] = []
        steps = [MAX_STEPS]
        try:
            for message in self._explain(self._graph.root, document, steps):
                found.append(message)
                if len(found) == MAX_MESSAGES:
                    break
        except (_Enough, RecursionError):
            pass
        return found

    def _valid(self, schema: Schema, value: object, steps: list[int]) -> bool:
        return next(self._explain(schema, value, steps), None) is None

    def _explain(self, schema: Schema, value: object, steps: list[int]) -> Iterator[str]:
        schema = self._graph.target(schema)
        steps[0] -= 1
        if steps[0] < 0:
            raise _Enough
        wrong = False
        for keyword in _ORDER:
            if keyword in schema:
                for message in self._keyword(keyword, schema, value, steps):
                    wrong = True
                    yield message
        if not wrong:
            for part, member in self._members(schema, value):
                yield from self._explain(part, member, steps)

    def _keyword(self, keyword: str, schema: Schema, value: object, steps: list[int]) -> Iterator[str]:
        if keyword in _SIMPLE:
            if not self._leaf(keyword, schema).is_valid(value):
                yield _simple(keyword, schema[keyword], value)
        elif keyword in ("minimum", "maximum"):
            yield from self._limit(keyword, schema, value)
        elif keyword in ("allOf", "anyOf", "oneOf"):
            yield from self._combination(keyword, schema[keyword], value, steps)
        elif keyword == "not":
            if self._valid(schema["not"], value, steps):
                yield "instance matched a schema which it should not have"
        elif keyword == "dependencies":
            yield from self._dependencies(schema[keyword], value, steps)
        elif keyword == "additionalItems":
            yield from _additional_items(schema, value)
        else:
            yield from self._additional_properties(schema, value)

    def _leaf(self, keyword: str, schema: Schema) -> _Leaf:
        key = (id(schema), keyword)
        if key not in self._leaves:
            self._leaves[key] = self._compile_leaf({keyword: schema[keyword]})
        return self._leaves[key]

    def _pattern(self, pattern: str) -> _Leaf:
        if pattern not in self._patterns:
            self._patterns[pattern] = self._compile_leaf({"pattern": pattern})
        return self._patterns[pattern]

    def _limit(self, keyword: str, schema: Schema, value: object) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return
        limit = schema[keyword]
        below = keyword == "minimum"
        exclusive = schema.get("exclusiveMinimum" if below else "exclusiveMaximum") is True
        side, strictly = ("lower", "greater") if below else ("greater", "lower")
        if (value < limit) if below else (value > limit):
            yield (
                f"numeric instance is {side} than the required {keyword} ({keyword}: {_text(limit)}, found: {_text(value)})"
            )
        elif exclusive and value == limit:
            yield f"numeric instance is not strictly {strictly} than the required {keyword} {_text(limit)}"

    def _combination(self, keyword: str, parts: list[Schema], value: object, steps: list[int]) -> Iterator[str]:
        matched = sum(self._valid(part, value, steps) for part in parts)
        if keyword == "allOf" and matched < len(parts):
            yield f"instance failed to match all required schemas (matched only {matched} out of {len(parts)})"
        elif keyword == "anyOf" and not matched:
            yield f"instance failed to match at least one required schema among {len(parts)}"
        elif keyword == "oneOf" and matched != 1:
            yield f"instance failed to match exactly one schema (matched {matched} out of {len(parts)})"

    def _dependencies(self, dependencies: dict[str, Any], value: object, steps: list[int]) -> Iterator[str]:
        if not isinstance(value, dict):
            return
        for name, needed in dependencies.items():
            if name not in value:
                continue
            if isinstance(needed, dict):
                yield from self._explain(needed, value, steps)
            elif missing := sorted(set(needed) - value.keys()):
                yield (
                    f'property "{name}" of object has missing property dependencies '
                    f"(schema requires {_text(sorted(needed))}; missing: {_text(missing)})"
                )

    def _additional_properties(self, schema: Schema, value: object) -> Iterator[str]:
        if schema["additionalProperties"] is False and isinstance(value, dict):
            extra = sorted(name for name in value if not self._declared(schema, name))
            if extra:
                yield f"object instance has properties which are not allowed by the schema: {_text(extra)}"

    def _declared(self, schema: Schema, name: str) -> list[Schema]:
        """The schemas of a property; empty when none is declared for it."""
        found = [schema["properties"][name]] if name in schema.get("properties", {}) else []
        found.extend(
            part
            for pattern, part in schema.get("patternProperties", {}).items()
            if self._pattern(pattern).is_valid(name)
        )
        return found

    def _members(self, schema: Schema, value: object) -> Iterator[tuple[Schema, object]]:
        """Every member of a value with every schema that it must match."""
        if isinstance(value, dict):
            additional = schema.get("additionalProperties")
            for name, member in value.items():
                parts = self._declared(schema, name) or ([additional] if isinstance(additional, dict) else [])
                yield from ((part, member) for part in parts)
        elif isinstance(value, list):
            items, additional = schema.get("items"), schema.get("additionalItems")
            for index, member in enumerate(value):
                part = items if not isinstance(items, list) else items[index] if index < len(items) else additional
                if isinstance(part, dict):
                    yield part, member


def _simple(keyword: str, wanted: Any, value: Any) -> str:
    match keyword:
        case "type":
            return f"instance type ({_type(value)}) does not match any allowed primitive type (allowed: {_text(_types(wanted))})"
        case "required":
            return f"object has missing required properties ({_text(sorted(set(wanted) - value.keys()))})"
        case "enum":
            return f"instance value ({_text(value)}) not found in enum (possible values: {_text(wanted)})"
        case "pattern":
            return f'ECMA 262 regex "{wanted}" does not match input string "{value}"'
        case "multipleOf":
            return f"remainder of division is not zero ({_text(value)} / {_text(wanted)})"
        case "uniqueItems":
            return "array must not contain duplicate elements"
        case "format":
            if wanted == "date-time":
                return f'string "{value}" is invalid against requested date format(s) {_DATE_FORMATS}'
            return f'string "{value}" is not a valid {_FORMAT_NAMES[wanted]}'
        case "minLength":
            return f'string "{value}" is too short (length: {len(value)}, required minimum: {wanted})'
        case "maxLength":
            return f'string "{value}" is too long (length: {len(value)}, maximum allowed: {wanted})'
        case "minItems":
            return f"array is too short: must have at least {wanted} elements but instance has {len(value)} elements"
        case "maxItems":
            return f"array is too long: must have at most {wanted} elements but instance has {len(value)} elements"
        case "minProperties":
            return f"object has too few properties (found {len(value)} but schema requires at least {wanted})"
    return f"object has too many properties (found {len(value)} but schema requires at most {wanted})"


def _additional_items(schema: Schema, value: object) -> Iterator[str]:
    items = schema.get("items")
    if (
        schema["additionalItems"] is False
        and isinstance(items, list)
        and isinstance(value, list)
        and len(value) > len(items)
    ):
        yield f"schema only allows {len(items)} elements in array but instance has {len(value)} elements"


def _type(value: object) -> str:
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array")):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "object"


def _types(wanted: str | list[str]) -> list[str]:
    """The library counts integers among the numbers, and sorts."""
    names = {wanted} if isinstance(wanted, str) else set(wanted)
    return sorted(names | {"integer"} if "number" in names else names)


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
