"""Schemas of a file → models: those with a name, and those written where they are used, which get one.

References between models become the URLs that API Gateway stores; references to anything else are replaced by what they
point to. What models do not have is left out and told. Source: *Data models for REST APIs*, *Amazon API
Gateway important notes* (what models do not support); names and messages as reported from AWS.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tidegate.definition.openapi.extensions import DEFAULT_MODELS, MODEL_URL, model_url
from tidegate.definition.openapi.imported import UNKNOWN_API, ImportedApi, Malformed
from tidegate.definition.openapi.references import References, schema_name
from tidegate.definition.openapi.values import mapping
from tidegate.definition.records import Model
from tidegate.definition.schemas import KEYWORDS

_NAME = re.compile(r"[a-zA-Z0-9]+", re.ASCII)
_ONE = ("items", "additionalProperties", "additionalItems", "not")
_MANY = ("allOf", "anyOf", "oneOf", "items")
_NAMED = ("properties", "patternProperties", "definitions", "dependencies")
_ANNOTATIONS = frozenset("example examples externalDocs xml deprecated".split())
"""Keywords of OpenAPI that say nothing of what is valid."""
_MOST_INLINED = 100_000
"""Ours: values that references to parts of schemas may expand to, in one file."""
_LONGEST_CHAIN = 50


class Schemas:
    """The schemas of one document; what it makes of them goes into `imported.models`."""

    def __init__(self, document: dict[str, Any], references: References, imported: ImportedApi) -> None:
        components = mapping(document.get("components"), "components")
        self._named = mapping(document.get("definitions", components.get("schemas")), "schemas")
        self._references = references
        self._imported = imported
        self._inlined = 0

    def read_named(self) -> None:
        """Make the models that have names."""
        for name, schema in self._named.items():
            with self._imported.part():
                if not _NAME.fullmatch(name):
                    # AWS [rec]
                    text = f"Unable to create model for '{name}': Model name must be alphanumeric: {name}"
                    self._imported.error(text)
                else:
                    self._imported.models[name] = self._model(name, mapping(schema, f"schema {name}"))

    def model_for(self, schema: Any, place: str) -> str | None:
        """The name of the model that stands for a schema used somewhere; None: there is none. Raises Malformed."""
        if schema is None:
            return None
        given = mapping(schema, place)
        reference = given.get("$ref")
        if isinstance(reference, str):
            named = _named(reference)
            if named is not None and (not named[1] or not self._exists(named[0])):
                return self._known(named[0])
        return self._generated(given, place)

    def _exists(self, name: str) -> bool:
        return name in self._named or name in DEFAULT_MODELS

    def _known(self, name: str) -> str | None:
        if self._exists(name):
            return name
        # AWS [rec]: a warning, and the method has no model.
        self._imported.warn(f"Reference to model '{name}' not found. Ignoring.")
        return None

    def _generated(self, schema: dict[str, Any], place: str) -> str | None:
        """A model for a schema without a name: AWS [rec] calls it MODEL and six hexadecimal digits.

        Ours are of the content, so that the same file makes the same names every time.
        """
        converted = self._converted(schema, place, ())
        if not converted:
            # AWS: a model says something; what says nothing is as good as none.
            return None
        digest = hashlib.sha256(json.dumps(converted, sort_keys=True).encode()).hexdigest()
        made = _record(f"MODEL{digest[:6]}", converted)
        known = self._imported.models.get(made.name)
        if made.name in self._named if known is None else known.schema != made.schema:
            made = replace(made, name=f"MODEL{digest}")
        self._imported.models[made.name] = made
        return made.name

    def _model(self, name: str, schema: dict[str, Any]) -> Model:
        return _record(name, self._converted(schema, f"schema {name}", ()))

    # --- conversion --------------------------------------------------------------------------------------------------

    def _converted(self, schema: Any, place: str, inside: tuple[str, ...]) -> Any:
        """A schema in API Gateway's form. `inside`: the references that are being replaced by what they point to."""
        if not isinstance(schema, dict):
            return schema
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return self._reference(schema, reference, place, inside)
        made: dict[str, Any] = {}
        for keyword, value in schema.items():
            if keyword not in KEYWORDS:
                self._left_out(keyword, value, place)
            elif keyword in _NAMED and isinstance(value, dict):
                made[keyword] = {
                    name: self._converted(inner, f"{place}.{name}", inside) for name, inner in value.items()
                }
            elif keyword in _MANY and isinstance(value, list):
                made[keyword] = [self._converted(inner, place, inside) for inner in value]
            elif keyword in _ONE:
                made[keyword] = self._converted(value, place, inside)
            else:
                made[keyword] = value
        return made

    def _left_out(self, keyword: str, value: Any, place: str) -> None:
        """AWS: models have the keywords of JSON schema draft 4 alone; an import leaves the others out."""
        if keyword in _ANNOTATIONS or keyword.startswith("x-"):
            self._imported.note(f"{place}: {keyword} is left out, API Gateway's models do not have it")
        elif value not in (False, None):
            self._imported.warn(f"Ignoring {keyword} of {place}: API Gateway's models do not have it")

    def _reference(self, schema: dict[str, Any], reference: str, place: str, inside: tuple[str, ...]) -> Any:
        named = _named(reference)
        if named is not None:
            name, pointer = named
            if not self._exists(name):
                # AWS [rec]
                model = place.removeprefix("schema ").partition(".")[0]
                raise Malformed(f"Unable to insert model '{model}' due to an unsatisfied schema reference. ({name})")
            return {**schema, "$ref": model_url(UNKNOWN_API, name) + (f"#{pointer}" if pointer else "")}
        if reference in inside or len(inside) > _LONGEST_CHAIN:
            raise Malformed(f"Invalid OpenAPI input: {place}: the reference {reference} leads back to itself")
        target = self._references.target(reference, place)
        self._inlined += _size(target)
        if self._inlined > _MOST_INLINED:
            raise Malformed(f"Invalid OpenAPI input: {place}: references expand to more than {_MOST_INLINED} values")
        return self._converted(target, place, (*inside, reference))


def _named(reference: str) -> tuple[str, str] | None:
    """The model and the pointer into it that a reference means, be it the file's own or as API Gateway stores it."""
    stored = MODEL_URL.fullmatch(reference)
    return (stored[1], stored[2] or "") if stored else schema_name(reference)


def _record(name: str, schema: Mapping[str, Any]) -> Model:
    description = schema.get("description")
    return Model(
        api_id="",
        id="",
        name=name,
        content_type="application/json",
        schema=json.dumps(schema, indent=2, ensure_ascii=False),
        description=description if isinstance(description, str) else None,
    )


def _size(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(_size, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(_size, value))
    return 1
