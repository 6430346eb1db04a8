"""Validation of bodies against models: Draft 4 JSON schemas, compiled once. AWS: "Data models for REST APIs".

Whether a body is valid is decided by jsonschema-rs. Only an invalid one is looked at again, for its messages, which are those of
the Java library that API Gateway's messages come from (`schema_messages`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import accumulate
from types import MappingProxyType

import jsonschema_rs
import orjson

from tidegate.mapping.json_lenient import MAX_DEPTH, MAX_DIGITS
from tidegate.mapping.json_text import is_shallow
from tidegate.mapping.schema_graph import Schema, SchemaError, SchemaGraph, subschemas
from tidegate.mapping.schema_messages import Explainer
from tidegate.mapping.schema_patterns import Stopwatch, as_format, costly_names, formats, is_costly, replaced

__all__ = ["SchemaError", "Validator", "compile_model"]

# AWS: unverified texts; the answer to the client is `Invalid request body` in any case.
NOT_JSON = "request body is not valid JSON"
TOO_DEEP = "request body is nested too deeply"
LONG_NAME = "request body has a property name that is too long"
LONG_NUMBER = "request body has a number that is too long"
NO_MATCH = "request body does not match the schema"

_DIGITS = bytes(ord("0") if chr(code) in "0123456789." else ord(" ") for code in range(256))
_LONG = b"0" * MAX_DIGITS
_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*"?', re.DOTALL)  # one that is not closed goes on to the end
_NO_BRACKETS = bytes(code for code in range(256) if chr(code) not in "[]{}")
_STEP = {ord(char): step for char, step in zip("[{]}", (1, 1, -1, -1), strict=True)}
_SLICE = 4096
_LONG_NAME = re.compile(rb'"(?:[^"\\]|\\.){257,}+"\s*:', re.DOTALL)  # only where names are matched with look-around
BACKTRACK_LIMIT = 100_000  # own bound: steps of a pattern with look-around or back references; others cannot backtrack


class Validator:
    """A compiled model."""

    __slots__ = ("_bounds_names", "_compiled", "_explainer", "_watch")

    def __init__(self, graph: SchemaGraph) -> None:
        self._watch = Stopwatch()
        try:
            self._bounds_names = any(costly_names(schema, subschemas) for _, schema in graph.resources())
            registry = jsonschema_rs.Registry(graph.resources(), draft=jsonschema_rs.Draft4)
            for _, schema in graph.resources():
                _leaf(schema, registry=registry)
            resources, costly = [], set()
            for url, schema in graph.resources():
                whole, found = replaced(schema, subschemas)
                resources.append((url, whole))
                costly |= found
            given = formats(costly, self._watch)
            registry = jsonschema_rs.Registry(resources, draft=jsonschema_rs.Draft4)
            self._compiled = _leaf({"$ref": graph.root_url}, registry=registry, given=given)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise SchemaError(str(error).partition("\n")[0]) from error

        def leaf(schema: Schema) -> jsonschema_rs.Draft4Validator:
            return _leaf(as_format(schema) if is_costly(schema.get("pattern")) else schema, given=given)

        self._explainer = Explainer(graph, leaf)

    def validate(self, body: bytes) -> list[str]:
        """What is wrong with a body; empty when nothing is. AWS: an empty body is validated as {}."""
        if not is_shallow(body) and _is_too_deep(body):
            return [TOO_DEEP]
        if len(body) >= MAX_DIGITS and _has_long_number(body):
            return [LONG_NUMBER]
        if self._bounds_names and _LONG_NAME.search(body) is not None:
            return [LONG_NAME]
        try:
            document = orjson.loads(body) if body.strip() else {}
        except orjson.JSONDecodeError:
            return [NOT_JSON]
        self._watch.start()
        if self._compiled.is_valid(document):
            return []
        return self._explainer.messages(document) or [NO_MATCH]


def compile_model(name: str, schemas: Mapping[str, str], api_id: str) -> Validator:
    """Compile the model `name`; `schemas` are the texts of all the models of the API. Raises SchemaError."""
    return Validator(SchemaGraph(name, schemas, api_id))


def _leaf(
    schema: Schema,
    registry: jsonschema_rs.Registry | None = None,
    given: Mapping[str, Callable[[str], bool]] = MappingProxyType({}),
) -> jsonschema_rs.Draft4Validator:
    return jsonschema_rs.Draft4Validator(
        schema,
        registry=registry,
        offline=True,  # nothing is ever fetched
        validate_formats=True,
        formats=dict(given),
        pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACK_LIMIT),
    )


def _is_too_deep(body: bytes) -> bool:
    """Whether more than MAX_DEPTH brackets stand inside each other, strings left out. Looks no further than the first place."""
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    depth = 0
    for start in range(0, len(brackets), _SLICE):
        depths = list(accumulate(map(_STEP.__getitem__, brackets[start : start + _SLICE]), initial=depth))
        if max(depths) > MAX_DEPTH:
            return True
        depth = depths[-1]
    return False


def _has_long_number(body: bytes) -> bool:
    """Looked for at the speed of bytes.translate; strings are left out only where they might be what was found."""
    return _LONG in body.translate(_DIGITS) and _LONG in _STRING.sub(b'""', body).translate(_DIGITS)
