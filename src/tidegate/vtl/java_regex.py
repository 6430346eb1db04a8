"""Java's regular expressions, with Java's results, and an end to every match.

`compile_java` translates a pattern of java.util.regex into one of the PyPI package `regex`, which has possessive quantifiers,
atomic groups, set operations in character classes, and a timeout. What Java does not know is refused, also where `regex`
would take it for something else (recursion, fuzzy matching, named lists).
Source: the documentation of java.util.regex.Pattern and java.lang.String (Java SE 17).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from time import perf_counter
from typing import TypeVar

import regex

from tidegate.vtl.errors import BudgetExceeded, PatternError
from tidegate.vtl.java_regex_syntax import translate

_Result = TypeVar("_Result")

SECONDS = 0.05
"""How long one use of a pattern may take."""
LARGEST_TEXT = 10_485_760
LONGEST_PATTERN = 4096


class JavaPattern:
    """A compiled pattern. Every method raises PatternError when it takes too long."""

    __slots__ = ("_compiled", "_literal", "pattern")

    def __init__(self, pattern: str) -> None:
        if len(pattern) > LONGEST_PATTERN:
            raise PatternError(f"a pattern of more than {LONGEST_PATTERN} characters")
        self.pattern = pattern
        translated, self._literal = translate(pattern)
        try:
            self._compiled = regex.compile(translated, regex.V1)
        except (regex.error, RecursionError, OverflowError, MemoryError) as error:
            raise PatternError(f"'{pattern[:200]}' is no regular expression: {error}") from error

    def matches(self, text: str) -> bool:
        """String.matches: whether the whole text matches."""
        if self._literal is not None:
            return text == self._literal
        return self._guarded(lambda: self._compiled.fullmatch(text, timeout=SECONDS) is not None)

    def find(self, text: str) -> bool:
        """Matcher.find: whether the pattern is somewhere in the text."""
        if self._literal is not None:
            return self._literal in text
        return self._guarded(lambda: self._compiled.search(text, timeout=SECONDS) is not None)

    def replace_all(self, text: str, replacement: str) -> str:
        """String.replaceAll: `$1`, `${name}` and backslashes in the replacement have Java's meaning."""
        return self._replace(text, replacement, count=0)

    def replace_first(self, text: str, replacement: str) -> str:
        """String.replaceFirst."""
        return self._replace(text, replacement, count=1)

    def split(self, text: str, limit: int = 0) -> list[str]:
        """String.split: without empty strings at the end, unless there is a limit."""
        parts = self._guarded(lambda: list(self._parts(text, limit)))
        if limit == 0:
            while len(parts) > 1 and not parts[-1]:
                parts.pop()
            if parts == [""] and text:
                return []
        return parts

    def _matches(self, text: str) -> Iterator[regex.Match[str]]:
        """Matcher.find, again and again: behind an empty match, the next begins one character further on."""
        deadline = perf_counter() + SECONDS
        start = len(text) + 1
        for found in self._compiled.finditer(text, timeout=SECONDS):
            yield found
            if found.end() == found.start():
                start = found.end() + 1
                break
        while start <= len(text):
            following = self._compiled.search(text, start, timeout=max(deadline - perf_counter(), 1e-6))
            if following is None:
                return
            yield following
            start = following.end() + (following.end() == following.start())

    def _parts(self, text: str, limit: int) -> Iterator[str]:
        start = count = 0
        for found in self._matches(text):
            if limit > 0 and count == limit - 1:
                break
            if found.end() == 0:
                continue  # nothing is split off by an empty match at the beginning
            yield text[start : found.start()]
            start = found.end()
            count += 1
        yield text[start:]

    def _replace(self, text: str, replacement: str, count: int) -> str:
        if self._literal and "$" not in replacement and "\\" not in replacement:
            times = text.count(self._literal)
            _refuse_longer(len(text) + times * (len(replacement) - len(self._literal)))
            return text.replace(self._literal, replacement, count or -1)
        return self._guarded(lambda: self._replaced(text, replacement, count))

    def _replaced(self, text: str, replacement: str, count: int) -> str:
        parts: list[str] = []
        size = start = 0
        template: list[str | int] | None = None
        for found in self._matches(text):
            if template is None:
                template = _replacement(replacement, self._compiled.groups, self._compiled.groupindex)
            parts.append(text[start : found.start()])
            parts.extend((found[part] or "") if isinstance(part, int) else part for part in template)
            size += sum(map(len, parts[-1 - len(template) :]))
            _refuse_longer(size)
            start = found.end()
            if count == 1:
                break
        parts.append(text[start:])
        return "".join(parts)

    def _guarded(self, use: Callable[[], _Result]) -> _Result:
        try:
            return use()
        except TimeoutError:
            raise PatternError(f"the regular expression '{self.pattern[:200]}' takes more than {SECONDS} s") from None
        except (RecursionError, MemoryError) as error:
            raise PatternError(f"the regular expression '{self.pattern[:200]}' is too complex") from error


@lru_cache(maxsize=1024)
def compile_java(pattern: str) -> JavaPattern:
    """The pattern, ready for use. Raises PatternError when it is none."""
    return JavaPattern(pattern)


def _refuse_longer(length: int) -> None:
    if length > LARGEST_TEXT:
        raise BudgetExceeded(f"a text of more than {LARGEST_TEXT} characters")


_NAME = re.compile(r"\{([A-Za-z][A-Za-z0-9]*)\}")


def _replacement(text: str, groups: int, names: Mapping[str, int]) -> list[str | int]:
    """A replacement as literal parts and numbers of groups (Matcher.appendReplacement)."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        char = text[position]
        position += 1
        if char == "\\":
            if position == len(text):
                raise PatternError("character to be escaped is missing (java.lang.IllegalArgumentException)")
            parts.append(text[position])
            position += 1
        elif char != "$":
            parts.append(char)
        elif found := _NAME.match(text, position):
            if found[1] not in names:
                raise PatternError(f"no group with name {{{found[1]}}} (java.lang.IllegalArgumentException)")
            parts.append(names[found[1]])
            position = found.end()
        else:
            group, position = _group_number(text, position, groups)
            parts.append(group)
    return parts


def _group_number(text: str, position: int, groups: int) -> tuple[int, int]:
    """The group that digits at this position name, as many of them as there is such a group for."""
    if position == len(text) or text[position] not in "0123456789":
        raise PatternError("illegal group reference (java.lang.IllegalArgumentException)")
    group = int(text[position])
    if group > groups:
        raise PatternError(f"no group {group} (java.lang.IndexOutOfBoundsException)")
    position += 1
    while position < len(text) and text[position] in "0123456789":
        longer = group * 10 + int(text[position])
        if longer > groups:
            break
        group = longer
        position += 1
    return group, position
