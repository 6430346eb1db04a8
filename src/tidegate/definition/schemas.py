"""Model schemas, by themselves: JSON Schema Draft 4 as API Gateway takes it, references between models, flattening.

Models refer to each other by a URL, `https://apigateway.amazonaws.com/restapis/{api}/models/{name}`. Pure functions over decoded
JSON. Not here: which models there are (control), and validating a request against one (plan).
Source: *Data models for REST APIs in API Gateway*.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from jsonschema import Draft4Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]

Schema: TypeAlias = dict[str, Any]
Lookup: TypeAlias = Callable[[str], "Schema | None"]
"""From a model's name to its schema; None: there is no such model."""

SINGLE_SCHEMAS = ("items", "additionalProperties", "additionalItems", "not")
SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "items")
NAMED_SCHEMAS = ("properties", "patternProperties", "definitions", "dependencies")
"""Keywords of JSON schema that hold further schemas: one, a list, by name. References are followed in these alone."""

_REFERENCE = re.compile(r"https://apigateway\.amazonaws\.com/restapis/([^/#]+)/models/([^/#]+)(#.*)?")

# AWS: a keyword of Draft 4's core and validation, or none at all; `example`, `nullable`, `$id` and the like are refused.
KEYWORDS = frozenset(
    "$ref $schema additionalItems additionalProperties allOf anyOf default definitions dependencies description enum "
    "exclusiveMaximum exclusiveMinimum format id items maxItems maxLength maxProperties maximum minItems minLength "
    "minProperties minimum multipleOf not oneOf pattern patternProperties properties required title type uniqueItems".split()
)


def parse_reference(text: str) -> tuple[str, str, str] | None:
    """API id, model name and JSON pointer (`""`: the whole schema) of a reference to a model; None: it is none."""
    found = _REFERENCE.fullmatch(text)
    return None if found is None else (found[1], found[2], (found[3] or "#")[1:])


def is_draft4(schema: Any) -> bool:
    """Whether it is a schema of Draft 4: every keyword has a value of its type."""
    if not isinstance(schema, dict):
        return False
    try:
        Draft4Validator.check_schema(schema)
    except (SchemaError, RecursionError):
        return False
    return True


def subschemas(schema: Schema) -> Iterator[Schema]:
    """The schema and everything in it that is a schema, not what only looks like one (`enum`, `default`, names)."""
    waiting = [schema]
    while waiting:
        current = waiting.pop()
        yield current
        inner: list[Any] = []
        for keyword in NAMED_SCHEMAS:
            if isinstance(members := current.get(keyword), dict):
                inner += members.values()
        for keyword in SCHEMA_LISTS:
            if isinstance(members := current.get(keyword), list):
                inner += members
        inner += [current.get(keyword) for keyword in SINGLE_SCHEMAS]
        waiting += [found for found in reversed(inner) if isinstance(found, dict)]


def unknown_keywords(schema: Schema) -> list[str]:
    """Sorted; none twice."""
    return sorted({keyword for found in subschemas(schema) for keyword in found} - KEYWORDS)


def references(schema: Schema) -> list[str]:
    """Every `$ref`, in the order of the schema."""
    return [found["$ref"] for found in subschemas(schema) if isinstance(found.get("$ref"), str)]


def at(schema: Any, pointer: str) -> Any:
    """What a JSON pointer names. Raises LookupError."""
    for segment in pointer.split("/")[1:]:
        key = segment.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, list):
            if not key.isdecimal():
                raise LookupError(pointer)
            schema = schema[int(key)]
        elif isinstance(schema, dict):
            schema = schema[key]
        else:
            raise LookupError(pointer)
    return schema


def flatten(schema: Schema, lookup: Lookup) -> Schema:
    """The schema by itself: models that it refers to, directly or not, stand in its `definitions`, each once.

    Circles stay circles. References to models that are not there stay as they are.
    """
    return _Flattening(schema, lookup).run()


class _Flattening:
    def __init__(self, schema: Schema, lookup: Lookup) -> None:
        self._schema = schema
        self._lookup = lookup
        self._definitions: Schema = dict(schema.get("definitions") or {})
        self._names: dict[str, str] = {}
        """Of models, to what they are called among the definitions."""
        self._waiting: list[str] = []

    def run(self) -> Schema:
        root = self._copy(self._schema, "")
        pulled = {}
        while self._waiting:
            model = self._waiting.pop(0)
            name = self._names[model]
            pulled[name] = self._copy(self._lookup(model) or {}, f"/definitions/{name}")
        if pulled:
            root["definitions"] = {**(root.get("definitions") or {}), **pulled}
        return root

    def _copy(self, schema: Schema, place: str) -> Schema:
        """A copy whose references hold when it stands at `place`."""
        copy: Schema = json.loads(json.dumps(schema))
        for found in subschemas(copy):
            if isinstance(found.get("$ref"), str):
                found["$ref"] = self._rebased(found["$ref"], place)
        return copy

    def _rebased(self, text: str, place: str) -> str:
        if text.startswith("#"):
            return f"#{place}{text[1:]}"
        parsed = parse_reference(text)
        if parsed is None or self._lookup(parsed[1]) is None:
            return text
        _, model, pointer = parsed
        if model not in self._names:
            self._names[model] = self._free(model)
            self._waiting.append(model)
        return f"#/definitions/{self._names[model]}{pointer}"

    def _free(self, model: str) -> str:
        """The model's name, with digits behind it where a definition has that name already."""
        name, number = model, 1
        while name in self._definitions:
            number += 1
            name = f"{model}{number}"
        self._definitions[name] = {}
        return name
