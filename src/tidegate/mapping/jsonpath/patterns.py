"""Regular expressions in filters: Java's, for whole texts, with a limit on time."""

from __future__ import annotations

import regex

from tidegate.mapping.jsonpath.errors import JsonPathError

TIMEOUT_S = 0.05  # own bound: one pattern on one text

# Java's flags, as Jayway spells them behind the closing slash. `d` (only \n ends a line) has no counterpart and is the default.
_FLAGS = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL, "x": regex.VERBOSE, "u": 0, "d": 0, "U": 0}


class Matcher:
    """A compiled pattern."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: str, flags: str) -> None:
        value = regex.VERSION0 | (0 if "u" in flags or "U" in flags else regex.ASCII)
        for flag in flags:
            value |= _FLAGS[flag]
        try:
            self._pattern = regex.compile(pattern, value)
        except (regex.error, RecursionError, OverflowError) as error:
            raise JsonPathError(f"pattern /{pattern}/ cannot be compiled: {error}") from error

    def matches(self, text: str) -> bool:
        try:
            return self._pattern.fullmatch(text, timeout=TIMEOUT_S) is not None
        except TimeoutError as error:
            raise JsonPathError(f"pattern /{self._pattern.pattern}/ took too long") from error
