"""Where the statements of a policy document stand in its text: lines and columns, from one on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def statements(text: str) -> list[tuple[int, int]]:
    """Start and end of each, as offsets. The text is a policy that was read before."""
    for name, start, end in _members(text):
        if name == "Statement":
            return [(start, end)] if text[start] == "{" else list(_elements(text, start))
    return []


def place(text: str, offset: int) -> dict[str, int]:
    return {"line": text.count("\n", 0, offset) + 1, "column": offset - text.rfind("\n", 0, offset)}


def _members(text: str) -> Iterator[tuple[str, int, int]]:
    """Of the outermost object: name, and where its value stands."""
    at = _skip(text, _skip(text, 0) + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield name, start, end
        at = _next(text, end)


def _elements(text: str, start: int) -> Iterator[tuple[int, int]]:
    at = _skip(text, start + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        yield at, end
        at = _next(text, end)


def _next(text: str, at: int) -> int:
    """Behind the comma, if there is one."""
    at = _skip(text, at)
    return _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return at if found is None else found.end()
