"""GetModelTemplate: a mapping template with the shape of a model, for somebody to go on from.

A skeleton with sample values; arrays loop over the input. The form is the one that API Gateway's console generates.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tidegate.definition.schemas import Schema, at

_HEAD = "#set($inputRoot = $input.path('$'))\n"
# AWS: the hint to the author is part of the generated template.
_HINT = "##TODO: Update this foreach loop to reference array from input json"
_SAMPLES = {"string": "foo", "integer": 42, "number": 42, "boolean": True, "null": None}
_PROPERTY = re.compile(r"[A-Za-z][\w-]*", re.ASCII)


def default_template(schema: Schema) -> str:
    """Of a flattened schema: all its references lead into itself."""
    return _HEAD + _Skeleton(schema).text(schema, "$inputRoot", "", ())


class _Skeleton:
    def __init__(self, root: Schema) -> None:
        self._root = root

    def text(self, schema: Schema, source: str, indent: str, above: tuple[str, ...]) -> str:
        """`source`: the Velocity expression of the input at this place. `above`: the references that led here."""
        schema, above = self._resolved(schema, above)
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, source, indent, above)
        if kind == "array":
            return self._array(schema, source, indent, above)
        choices = schema.get("enum")
        return json.dumps(choices[0] if choices else _SAMPLES[kind], ensure_ascii=False)

    def _resolved(self, schema: Schema, above: tuple[str, ...]) -> tuple[Schema, tuple[str, ...]]:
        """Behind references and alternatives. A circle ends as an empty object."""
        while True:
            found = schema.get("$ref")
            if isinstance(found, str):
                if found in above:
                    return {"type": "object"}, above
                above = (*above, found)
                schema = at(self._root, found[1:]) if found.startswith("#") else {}
            elif alternatives := schema.get("oneOf") or schema.get("anyOf"):
                schema = {**alternatives[0], **{key: value for key, value in schema.items() if key not in _CHOOSING}}
            else:
                return schema, above

    def _properties(self, schema: Schema, above: tuple[str, ...]) -> dict[str, tuple[Schema, tuple[str, ...]]]:
        """With those of all parts of an `allOf`."""
        found: dict[str, tuple[Schema, tuple[str, ...]]] = {}
        for part in schema.get("allOf") or ():
            resolved, behind = self._resolved(part, above)
            found |= self._properties(resolved, behind)
        return found | {name: (inner, above) for name, inner in (schema.get("properties") or {}).items()}

    def _object(self, schema: Schema, source: str, indent: str, above: tuple[str, ...]) -> str:
        members = []
        for name, (inner, behind) in self._properties(schema, above).items():
            place = f"{source}.{name}" if _PROPERTY.fullmatch(name) else source
            members.append(f"{indent}  {json.dumps(name)} : {self.text(inner, place, indent + '  ', behind)}")
        return "{\n" + ",\n".join(members) + f"\n{indent}}}" if members else "{ }"

    def _array(self, schema: Schema, source: str, indent: str, above: tuple[str, ...]) -> str:
        items = schema.get("items") or {"type": "string"}
        item = items[0] if isinstance(items, list) else items
        element = "$elem" if not source.startswith("$elem") else f"{source.partition('.')[0]}0"
        return "\n".join(
            [
                "[",
                indent + _HINT,
                f"{indent}#foreach({element} in {source})",
                f"{indent}  {self.text(item, element, indent + '  ', above)} ",
                f"{indent}#if($foreach.hasNext),#end",
                f"{indent}#end",
                f"{indent}]",
            ]
        )


_CHOOSING = ("oneOf", "anyOf")


def _kind(schema: Schema) -> str:
    """The JSON type that a schema describes, guessed from its keywords where it does not say."""
    given: Any = schema.get("type")
    if isinstance(given, list):
        return next((kind for kind in given if kind != "null"), "null")
    if isinstance(given, str):
        return given
    if "items" in schema:
        return "array"
    return "object" if not schema or schema.keys() & {"properties", "allOf", "additionalProperties"} else "string"
