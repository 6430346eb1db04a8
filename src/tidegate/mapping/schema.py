"""Validation of bodies against models: Draft 4 JSON schemas, compiled once. AWS: "Data models for REST APIs".

Whether a body is valid is decided by jsonschema-rs. Only an invalid one is looked at again, for its messages, which are those of
the Java library that API Gateway's messages come from (`schema_messages`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import jsonschema_rs
import orjson

from tidegate.mapping.json_lenient import MAX_DEPTH, MAX_DIGITS
from tidegate.mapping.json_text import is_shallow
from tidegate.mapping.schema_graph import Schema, SchemaError, SchemaGraph
from tidegate.mapping.schema_messages import Explainer

__all__ = ["SchemaError", "Validator", "compile_model"]

# AWS: unverified texts; the answer to the client is `Invalid request body` in any case.
NOT_JSON = "request body is not valid JSON"
TOO_DEEP = "request body is nested too deeply"
LONG_NUMBER = "request body has a number that is too long"
NO_MATCH = "request body does not match the schema"

_LONG_NUMBER = re.compile(rb"(?<![\w\"])-?[0-9.]{%d}" % MAX_DIGITS)
_STRING = re.compile(rb'"(?:[^"\\]+|\\.)*"?', re.DOTALL)  # one that is not closed goes on to the end
_BRACKET_OR_STRING = re.compile(_STRING.pattern + rb"|[\[{\]}]", re.DOTALL)
BACKTRACK_LIMIT = 100_000  # own bound: steps of a pattern with look-around or back references; others cannot backtrack


class Validator:
    """A compiled model."""

    __slots__ = ("_compiled", "_explainer")

    def __init__(self, graph: SchemaGraph) -> None:
        try:
            registry = jsonschema_rs.Registry(graph.resources(), draft=jsonschema_rs.Draft4)
            for _, schema in graph.resources():
                _leaf(schema, registry=registry)
            self._compiled = _leaf({"$ref": graph.root_url}, registry=registry)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise SchemaError(str(error).partition("\n")[0]) from error
        self._explainer = Explainer(graph, _leaf)

    def validate(self, body: bytes) -> list[str]:
        """What is wrong with a body; empty when nothing is. AWS: an empty body is validated as {}."""
        if not is_shallow(body) and _depth(body) > MAX_DEPTH:
            return [TOO_DEEP]
        if _LONG_NUMBER.search(body) is not None and _LONG_NUMBER.search(_STRING.sub(b'""', body)) is not None:
            return [LONG_NUMBER]
        try:
            document = orjson.loads(body) if body.strip() else {}
        except orjson.JSONDecodeError:
            return [NOT_JSON]
        if self._compiled.is_valid(document):
            return []
        return self._explainer.messages(document) or [NO_MATCH]


def compile_model(name: str, schemas: Mapping[str, str], api_id: str) -> Validator:
    """Compile the model `name`; `schemas` are the texts of all the models of the API. Raises SchemaError."""
    return Validator(SchemaGraph(name, schemas, api_id))


def _leaf(schema: Schema, registry: jsonschema_rs.Registry | None = None) -> jsonschema_rs.Draft4Validator:
    return jsonschema_rs.Draft4Validator(
        schema,
        registry=registry,
        offline=True,  # nothing is ever fetched
        validate_formats=True,
        pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=BACKTRACK_LIMIT),
    )


def _depth(body: bytes) -> int:
    """How deep brackets stand inside each other, strings left out."""
    deepest = depth = 0
    for match in _BRACKET_OR_STRING.finditer(body):
        first = match[0][:1]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest
