"""Published documentation in a written file: the parts themselves, and their texts at the entities that they describe.

Only what OpenAPI knows (and foreign `x-` members) is written at an entity; parts of the API and of response bodies have no such
place and show in the extension alone. Source: *Representation of API documentation in API Gateway*; botocore's model on
DocumentationPartLocation (which types inherit).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tidegate.definition.openapi.extensions import PREFIX
from tidegate.definition.records import DocumentationLocation, DocumentationPart

_TEXTS: dict[str, dict[str, type]] = {
    "AUTHORIZER": {"description": str},
    "METHOD": {"summary": str, "description": str, "tags": list, "deprecated": bool, "externalDocs": dict},
    "MODEL": {"title": str, "description": str, "externalDocs": dict},
    "PATH_PARAMETER": {"description": str},
    "QUERY_PARAMETER": {"description": str},
    "REQUEST_BODY": {"description": str},
    "REQUEST_HEADER": {"description": str},
    "RESOURCE": {"summary": str, "description": str},
    "RESPONSE": {"description": str},
    "RESPONSE_HEADER": {"description": str},
}
"""Type of a part → the members that OpenAPI has at its place."""

_INHERITING = frozenset({"PATH_PARAMETER", "QUERY_PARAMETER", "REQUEST_HEADER", "RESPONSE", "RESPONSE_HEADER"})

_Place = tuple[str, str, str, str, str | None]
"""Type, path, method, status code, name; `*` for any method or status code."""


class Documentation:
    def __init__(self, parts: Iterable[DocumentationPart]) -> None:
        ordered = sorted(parts, key=lambda part: tuple(value or "" for value in _place(part.location)))
        self.parts = [
            {"location": _location(part.location), "properties": json.loads(part.properties)} for part in ordered
        ]
        """As the extension has them, in the order of their places."""
        self._by_place: dict[_Place, dict[str, Any]] = {
            _place(part.location): written["properties"] for part, written in zip(ordered, self.parts, strict=True)
        }

    def texts(
        self, kind: str, *, path: str = "/", method: str = "*", status: str = "*", name: str | None = None
    ) -> dict[str, Any]:
        """What is written at an entity: of its own part, or else of the most specific one that it inherits from."""
        wanted: list[_Place] = [(kind, path, method, status, name)]
        if kind in _INHERITING:
            # AWS: the order of precedence is path, then status code; the path of the part is a prefix.
            methods, statuses = dict.fromkeys((method, "*")), dict.fromkeys((status, "*"))
            wanted = [
                (kind, above, verb, code, name) for above in _above(path) for code in statuses for verb in methods
            ]
        for place in wanted:
            properties = self._by_place.get(place)
            if properties is not None:
                return _fitting(kind, properties)
        return {}


def _fitting(kind: str, properties: Any) -> dict[str, Any]:
    if not isinstance(properties, dict):
        return {}
    known = _TEXTS[kind]
    return {
        key: value
        for key, value in sorted(properties.items())
        # What configures API Gateway is not documentation and must not slip in with it.
        if (key in known and isinstance(value, known[key])) or (key.startswith("x-") and not key.startswith(PREFIX))
    }


def _above(path: str) -> list[str]:
    """The path and all above it, the longest first."""
    parts = path.strip("/").split("/") if path != "/" else []
    return ["/" + "/".join(parts[:end]) for end in range(len(parts), -1, -1)]


def _place(location: DocumentationLocation) -> _Place:
    return (
        location.type,
        location.path or "/",
        location.method or "*",
        location.status_code or "*",
        location.name,
    )


def _location(location: DocumentationLocation) -> dict[str, str]:
    members = {
        "type": location.type,
        "path": location.path,
        "method": location.method,
        "statusCode": location.status_code,
        "name": location.name,
    }
    return {key: value for key, value in members.items() if value is not None}
