"""Regular expressions in filters: Java's, for whole texts, with a limit on time (see `vtl.java_regex`)."""

from __future__ import annotations

from tidegate.mapping.jsonpath.errors import JsonPathError
from tidegate.vtl.errors import PatternError
from tidegate.vtl.java_regex import compile_java


class Matcher:
    """A compiled pattern. `flags` are Java's own letters, which Jayway takes behind the closing slash."""

    __slots__ = ("_pattern",)

    def __init__(self, pattern: str, flags: str) -> None:
        try:
            self._pattern = compile_java(f"(?{flags}){pattern}" if flags else pattern)
        except PatternError as error:
            raise JsonPathError(f"pattern /{pattern}/ cannot be compiled: {error}") from error

    def matches(self, text: str) -> bool:
        try:
            return self._pattern.matches(text)
        except PatternError as error:
            raise JsonPathError(f"pattern /{self._pattern.pattern}/ took too long") from error
