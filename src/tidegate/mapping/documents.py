"""Bodies as JSON documents: what `$input.path`, JSONPath in parameter mappings and models look into."""

from __future__ import annotations

import orjson

from tidegate.mapping.json_text import JsonTextError, read_json

_LENIENT = 1_000_000
"""Bytes beyond which a body has to be strict JSON: reading leniently takes 0.3 µs a byte, while everybody waits."""


def body_document(body: bytes) -> object:
    """AWS: an empty body counts as an empty object. One that is no JSON is None."""
    if not body.strip():
        return {}
    if len(body) > _LENIENT:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
    try:
        return read_json(body)
    except JsonTextError:
        return None
