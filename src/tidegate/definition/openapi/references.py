"""Following `$ref`: local ones only, by JSON pointer. What a reference to a schema becomes is `schemas`' business.

AWS: "`$ref` properties that refer to external files are not supported" (*Amazon API Gateway important notes*).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from tidegate.definition.openapi.imported import Malformed
from tidegate.definition.openapi.values import mapping

_SCHEMA = re.compile(r"#/(?:definitions|components/schemas)/([^/]+)(/.*)?", re.DOTALL)


class References:
    """Looks references up in one document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def resolve(self, node: Any, place: str) -> dict[str, Any]:
        """The object itself, or the one that its `$ref` leads to. Raises Malformed."""
        seen = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            reference = node["$ref"]
            if reference in seen:
                raise Malformed(f"Invalid OpenAPI input: {place}: the reference {reference} leads back to itself")
            seen.add(reference)
            node = self.target(reference, place)
        return mapping(node, place)

    def target(self, reference: str, place: str) -> Any:
        """What a reference points to. Raises Malformed."""
        if not reference.startswith("#"):
            raise Malformed(f"Invalid OpenAPI input: {place}: the external reference {reference} is not supported")
        node: Any = self._document
        for part in reference[1:].split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            elif isinstance(node, dict) and name in node:
                node = node[name]
            else:
                raise Malformed(f"Invalid OpenAPI input: {place}: cannot resolve the reference {reference}")
        return node


def schema_name(reference: str) -> tuple[str, str] | None:
    """The name of the schema that a reference means, and the JSON pointer into it; None: it means something else."""
    found = _SCHEMA.fullmatch(reference)
    return (unquote(found[1]).replace("~1", "/").replace("~0", "~"), unquote(found[2] or "")) if found else None
