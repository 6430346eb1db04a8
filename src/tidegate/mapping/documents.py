"""Bodies as JSON documents: what `$input.path`, JSONPath in parameter mappings and models look into."""

from __future__ import annotations

from tidegate.mapping.json_text import JsonTextError, read_json


def body_document(body: bytes) -> object:
    """AWS: an empty body counts as an empty object. One that is no JSON is None."""
    if not body.strip():
        return {}
    try:
        return read_json(body.decode("utf-8", "replace"))
    except JsonTextError:
        return None
