"""Models in a written file: which are written, their schemas, and what refers to them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tidegate.definition.openapi.extensions import DEFAULT_MODELS, DEFINITIONS, MODEL_URL
from tidegate.definition.openapi.imported import OpenApiError
from tidegate.definition.openapi.writer_documentation import Documentation
from tidegate.definition.records import DeploymentDocument, Model
from tidegate.definition.schemas import NAMED_SCHEMAS, SCHEMA_LISTS, SINGLE_SCHEMAS


class Models:
    def __init__(self, document: DeploymentDocument, version: str, documentation: Documentation) -> None:
        self._root = DEFINITIONS[version]
        self._documentation = documentation
        self._kinds = {model.name: model.content_type for model in document.models}
        self._schemas = {
            model.name: self._schema(model)
            for model in sorted(document.models, key=lambda model: model.name)
            if _json(model)
        }
        self._used: set[str] = set()

    def body(self, models: Mapping[str, str] | None, where: str) -> dict[str, dict[str, Any]]:
        """Media type → schema of a body. Raises OpenApiError."""
        known = {media: name for media, name in sorted((models or {}).items()) if name in self._kinds}
        written = {media: name for media, name in known.items() if name in self._schemas}
        if known and not written:
            raise OpenApiError(f"Only found non-JSON body models for {where}")
        self._used.update(written.values())
        return {media: {"$ref": self._root + name} for media, name in written.items()}

    def definitions(self) -> dict[str, Any]:
        """By name. AWS: the models that every API is made with show only where something uses them."""
        used = self._reachable(self._used | {name for name in self._schemas if name not in DEFAULT_MODELS})
        return {name: schema for name, schema in self._schemas.items() if name in used}

    def _reachable(self, names: Iterable[str]) -> set[str]:
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found and name in self._schemas:
                found.add(name)
                waiting += [
                    reference.removeprefix(self._root).partition("/")[0]
                    for reference in _references(self._schemas[name])
                    if reference.startswith(self._root)
                ]
        return found

    def _schema(self, model: Model) -> dict[str, Any]:
        schema = json.loads(model.schema or "{}")
        if not isinstance(schema, dict):
            raise OpenApiError(f"The schema of the model {model.name} is not an object")
        # AWS: which draft it is goes without saying in an OpenAPI file.
        written: dict[str, Any] = self._local({key: schema[key] for key in schema if key != "$schema"}, model.name)
        if model.description is not None:
            written.setdefault("description", model.description)
        return {**written, **self._documentation.texts("MODEL", name=model.name)}

    def _local(self, schema: Any, name: str) -> Any:
        """A schema with references as the file has them."""
        if not isinstance(schema, dict):
            return schema
        if isinstance(schema.get("$ref"), str):
            return {**schema, "$ref": self._reference(schema["$ref"], name)}
        return {keyword: self._member(keyword, value, name) for keyword, value in schema.items()}

    def _member(self, keyword: str, value: Any, name: str) -> Any:
        """A `$ref` in what is no schema (`enum`, `example`) refers to nothing."""
        if keyword in NAMED_SCHEMAS and isinstance(value, dict):
            return {key: self._local(inner, name) for key, inner in value.items()}
        if keyword in SCHEMA_LISTS and isinstance(value, list):
            return [self._local(inner, name) for inner in value]
        return self._local(value, name) if keyword in SINGLE_SCHEMAS else value

    def _reference(self, reference: str, name: str) -> str:
        found = MODEL_URL.fullmatch(reference)
        if found:
            return self._root + found[1] + (found[2] or "")
        if reference == "#" or reference.startswith("#/"):
            # Into the schema itself, which is not the root of the file any more.
            return self._root + name + reference[1:]
        return reference


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from _references(value)


def _json(model: Model) -> bool:
    kind = model.content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")
