"""The schemas that a model is made of: its own and those that it refers to, with references followed and bounds held.

A `$ref` may point into its own schema (`#/definitions/x`) or at another model of the same API
(`https://apigateway.amazonaws.com/restapis/{apiId}/models/{Name}`), nowhere else. AWS: "Data models for REST APIs",
"Use $ref". Draft 4's `id` changes nothing, as in the Java library that API Gateway's messages come from (its default,
"canonical" dereferencing), and is taken out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.mapping.json_lenient import MAX_DEPTH

MODEL_URL = "https://apigateway.amazonaws.com/restapis/{api_id}/models/{name}"

# The formats of Draft 4 that the library checks; others are not enforced.
FORMATS = frozenset(("date-time", "email", "hostname", "ipv4", "ipv6", "regex", "uri"))

MAX_SCHEMAS = 10_000  # own bound: subschemas of all the models that one refers to
MAX_AT_ONCE = 1_000  # own bound: subschemas that one value is held against; a chain of doubled allOf grows without one

Schema = dict[str, Any]

_ONE = ("additionalItems", "additionalProperties", "not")
_MANY = ("allOf", "anyOf", "oneOf")
_NAMED = ("definitions", "dependencies", "patternProperties", "properties")


class SchemaError(ValueError):
    """A schema that cannot be used: not Draft 4, a reference that leads nowhere or away, or too costly."""


class SchemaGraph:
    """The schema of the model `name` and all that it refers to, cleaned."""

    def __init__(self, name: str, schemas: Mapping[str, str], api_id: str) -> None:
        self._texts = schemas
        self._prefix = MODEL_URL.format(api_id=api_id, name="")
        self._sizes: dict[int, int] = {}
        self._targets: dict[str, Schema] = {}
        self._all: dict[int, Schema] = {}
        self._ids: dict[str, str] = {}
        self._waiting: list[tuple[str, Schema]] = []
        self.models: dict[str, Schema] = {}
        self.root_url = self._prefix + name
        self.root = self._model(name)
        while self._waiting:
            self._clean(*self._waiting.pop())
        for schema in self._all.values():
            if self._size(schema, 0) > MAX_AT_ONCE:
                raise SchemaError(f"a value would be held against more than {MAX_AT_ONCE} schemas")

    def target(self, schema: Schema) -> Schema:
        """The schema that stands for `schema`: the end of its references. A reference's neighbours are ignored."""
        seen = 0
        while (reference := schema.get("$ref")) is not None:
            schema = self._targets[reference]
            seen += 1
            if seen > len(self._targets):
                raise SchemaError(f"{reference} refers to itself")
        return schema

    def resources(self) -> list[tuple[str, Schema]]:
        """(URL, schema) of every model in the graph."""
        return [(self._prefix + name, schema) for name, schema in self.models.items()]

    def _model(self, name: str) -> Schema:
        if name not in self.models:
            if name not in self._texts:
                raise SchemaError(f"there is no model {name}")
            schema = self.models[name] = _parsed(name, self._texts[name])
            self._ids[name] = str(schema.get("id", "")).rstrip("#")
            self._waiting.append((name, schema))
        return self.models[name]

    def _clean(self, name: str, root: Schema) -> None:
        """Takes out of a schema what is not enforced, and makes its references absolute."""
        for schema in subschemas(root):
            if id(schema) in self._all:
                continue
            self._all[id(schema)] = schema
            if len(self._all) > MAX_SCHEMAS:
                raise SchemaError(f"the schemas have more than {MAX_SCHEMAS} parts")
            schema.pop("id", None)
            if schema.get("format") not in FORMATS:
                schema.pop("format", None)
            if "$ref" in schema:
                schema["$ref"] = self._absolute(name, schema["$ref"])

    def _absolute(self, name: str, reference: object) -> str:
        if not isinstance(reference, str):
            raise SchemaError("$ref must be a string")
        url, _, fragment = reference.partition("#")
        if url and url == self._ids[name]:
            url = ""
        if url and not url.startswith(self._prefix):
            raise SchemaError(f"$ref {reference} is neither in this schema nor a model of this API ({self._prefix}…)")
        target = url.removeprefix(self._prefix) if url else name
        absolute = f"{self._prefix}{target}#{fragment}"
        if absolute not in self._targets:
            self._targets[absolute] = _pointed(self._model(target), fragment, reference)
            self._waiting.append((target, self._targets[absolute]))
        return absolute

    def _size(self, schema: Schema, depth: int) -> int:
        """How many schemas a value is held against, this one and those that it combines. 0 in `_sizes`: on the way."""
        known = self._sizes.get(id(schema))
        if known == 0:
            raise SchemaError(
                "a schema combines itself ($ref, allOf, anyOf, oneOf, not) without going down into the value"
            )
        if known is not None:
            return known
        if depth > MAX_DEPTH:
            raise SchemaError("schemas are nested too deeply")
        self._sizes[id(schema)] = 0
        size = 1 + sum(self._size(part, depth + 1) for part in self._combined(schema))
        self._sizes[id(schema)] = size
        return size

    def _combined(self, schema: Schema) -> Iterator[Schema]:
        if "$ref" in schema:
            yield self._targets[schema["$ref"]]
            return
        for keyword in _MANY:
            yield from _schemas_in(schema.get(keyword))
        yield from _schemas_in([schema.get("not"), *_values(schema.get("dependencies"))])


def _parsed(name: str, text: str) -> Schema:
    if text.count("[") + text.count("{") > 4 * MAX_SCHEMAS or _depth(text) > MAX_DEPTH:
        raise SchemaError(f"the schema of {name} is too large or nested too deeply")
    try:
        schema = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"the schema of {name} is not JSON: {error}") from error
    if not isinstance(schema, dict):
        raise SchemaError(f"the schema of {name} is not an object")
    return schema


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is not JSON")


def _depth(text: str) -> int:
    """At most how deep brackets stand inside each other (those in strings are counted, too)."""
    deepest = depth = 0
    for char in text:
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _values(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else []


def _schemas_in(value: object) -> Iterator[Schema]:
    if isinstance(value, list):
        yield from (part for part in value if isinstance(part, dict))


def subschemas(root: Schema) -> Iterator[Schema]:
    """A schema and everything in it that is a schema by its place."""
    waiting: list[object] = [root]
    while waiting:
        schema = waiting.pop()
        if not isinstance(schema, dict):
            continue
        yield schema
        waiting.extend(schema.get(keyword) for keyword in _ONE)
        for keyword in _MANY:
            waiting.extend(_schemas_in(schema.get(keyword)))
        for keyword in _NAMED:
            waiting.extend(_values(schema.get(keyword)))
        items = schema.get("items")
        waiting.extend(items if isinstance(items, list) else [items])


def _pointed(document: Schema, fragment: str, reference: str) -> Schema:
    """The schema at a JSON pointer in a document."""
    place: object = document
    for part in fragment.split("/")[1:] if fragment else []:
        key = part.replace("%25", "%").replace("~1", "/").replace("~0", "~")
        if isinstance(place, dict) and key in place:
            place = place[key]
        elif isinstance(place, list) and key.isdigit() and int(key) < len(place):
            place = place[int(key)]
        else:
            raise SchemaError(f"$ref {reference} leads nowhere")
    if not isinstance(place, dict) or (fragment and not fragment.startswith("/")):
        raise SchemaError(f"$ref {reference} does not lead to a schema")
    return place
