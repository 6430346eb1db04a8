"""The `statusCode` that a MOCK's request template gives. Source: *Set up mock integrations*; rest-data-plane §12.2."""

from __future__ import annotations

import re

import orjson

_UNQUOTED = re.compile(r"([{,]\s*)([A-Za-z_]\w*)(\s*:)")


def mock_status(text: str) -> str | None:
    """As text, to be matched with selection patterns; None: the template gave none."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        # AWS: an unquoted key is tolerated, `{statusCode: 200}`.
        try:
            document = orjson.loads(_UNQUOTED.sub(r'\1"\2"\3', text))
        except orjson.JSONDecodeError:
            return None
    status = document.get("statusCode") if isinstance(document, dict) else None
    return None if status is None else str(status)
