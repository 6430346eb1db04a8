"""Documentation parts: those that `x-amazon-apigateway-documentation` lists, else those that OpenAPI's own fields make.

Where the extension stands it is whole: the texts at the entities repeat its parts, inherited ones in many places. `info` and
schemas make none: their texts are the API's and the models' own. That descriptions of operations, parameters and responses
become parts is as observed in imported APIs; the exact selection is unverified.
Source: *x-amazon-apigateway-documentation object*, *Representation of API documentation in API Gateway*.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tidegate.definition.json_text import decode
from tidegate.definition.openapi.extensions import DOCUMENTATION
from tidegate.definition.openapi.imported import ImportedApi, Malformed
from tidegate.definition.openapi.values import listing, mapping, text
from tidegate.definition.records import DocumentationLocation, DocumentationPart

_TYPES = (
    "API",
    "AUTHORIZER",
    "MODEL",
    "RESOURCE",
    "METHOD",
    "PATH_PARAMETER",
    "QUERY_PARAMETER",
    "REQUEST_HEADER",
    "REQUEST_BODY",
    "RESPONSE",
    "RESPONSE_HEADER",
    "RESPONSE_BODY",
)
_PARAMETER = {"path": "PATH_PARAMETER", "query": "QUERY_PARAMETER", "header": "REQUEST_HEADER"}
_EMPTY_RESPONSE = re.compile(r"[1-5]\d\d response", re.ASCII)
"""What exports write where nothing is known, as OpenAPI demands a description."""


class Documentation:
    """Gathers parts; what is said twice of one place is one part."""

    def __init__(self, imported: ImportedApi) -> None:
        self._imported = imported
        self._parts: dict[DocumentationLocation, dict[str, Any]] = {}

    def read_extension(self, value: Any) -> None:
        given = mapping(value, DOCUMENTATION)
        self._parts.clear()
        for key in given.keys() - {"version", "documentationParts"}:
            self._imported.warn(f"Ignoring {key} of {DOCUMENTATION}")
        self._imported.documentation_version = text(given.get("version"), f"{DOCUMENTATION}.version") or None
        parts = listing(given.get("documentationParts"), f"{DOCUMENTATION}.documentationParts")
        for number, part in enumerate(parts):
            with self._imported.part():
                self._extension_part(part, f"{DOCUMENTATION}.documentationParts.{number}")

    def _extension_part(self, value: Any, place: str) -> None:
        part = mapping(value, place)
        given = mapping(part.get("location"), f"{place}.location")
        fields = {key: text(given.get(key), f"{place}.location.{key}") for key in ("type", "path", "method", "name")}
        kind = fields.pop("type")
        if kind not in _TYPES:
            raise Malformed(f"Invalid OpenAPI input: {place}: {kind} is no type of a documentation part")
        status = text(given.get("statusCode"), f"{place}.location.statusCode")
        location = DocumentationLocation(type=kind, status_code=status, **fields)
        self._put(location, _properties(part.get("properties"), f"{place}.properties"))

    def _put(self, location: DocumentationLocation, properties: dict[str, Any]) -> None:
        self._parts[location] = {**self._parts.get(location, {}), **properties}

    def add(self, kind: str, node: dict[str, Any], keys: str = "description", **place: str | None) -> None:
        """A part out of the fields of a node that have something to say. `keys`: their names, with blanks between."""
        properties = {key: node[key] for key in keys.split() if node.get(key)}
        if kind == "RESPONSE" and _EMPTY_RESPONSE.fullmatch(str(properties.get("description", ""))):
            return
        if properties:
            self._put(DocumentationLocation(type=kind, **place), properties)

    def add_parameter(self, parameter: dict[str, Any], path: str, verb: str | None) -> None:
        """`verb` None: one that the path item declares for all its operations."""
        kind = _PARAMETER.get(str(parameter.get("in")))
        if kind is not None:
            self.add(kind, parameter, path=path, method=verb, name=str(parameter.get("name")))

    def finish(self) -> None:
        self._imported.documentation = [
            DocumentationPart(
                api_id="", id="", location=location, properties=json.dumps(properties, ensure_ascii=False)
            )
            for location, properties in self._parts.items()
        ]


def _properties(value: Any, place: str) -> dict[str, Any]:
    """An object, or one as text."""
    if isinstance(value, str):
        try:
            value = decode(value)
        except ValueError as error:
            raise Malformed(f"Invalid OpenAPI input: {place} is no JSON: {error}") from None
    return mapping(value, place)
