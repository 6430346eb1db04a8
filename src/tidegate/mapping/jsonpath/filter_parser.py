"""Reads the condition of a filter, `(...)` in `[?(...)]`, by Jayway's grammar:

Or = And { '||' And }    And = Operand { '&&' Operand }    Operand = '!' Operand | '(' Or ')' | Value [ operator Value ]
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from tidegate.mapping import json_text
from tidegate.mapping.jsonpath.cursor import BLANK, Cursor, unescape
from tidegate.mapping.jsonpath.errors import JsonPathError
from tidegate.mapping.jsonpath.nodes import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Exists,
    JsonLiteral,
    Literal,
    Not,
    Operand,
    PathNode,
)
from tidegate.mapping.jsonpath.operators import NAMES
from tidegate.mapping.jsonpath.patterns import Matcher

MAX_DEPTH = 32  # own bound: brackets and negations inside each other
_OPERATOR_CHARS = "<>=~!"
_NUMBER_CHARS = frozenset("0123456789-.eE")
_FLAGS = "diumsxU"
_WORDS = {"true": True, "false": False, "null": None}


def parse_filter(text: str, offset: int, read_path: Callable[[str], PathNode]) -> Condition:
    """The tree of a condition. `offset` is its place in the path, for errors. Raises JsonPathError."""
    reader = _FilterParser(Cursor(text), read_path)
    try:
        condition = reader.any_of(0)
        reader.cursor.skip_blanks()
        if reader.cursor.in_bounds:
            raise reader.cursor.error("Expected end of filter expression")
    except JsonPathError as error:
        raise JsonPathError(f"Failed to parse filter: {error}", offset + max(error.position, 0)) from error
    return condition


class _FilterParser:
    def __init__(self, cursor: Cursor, read_path: Callable[[str], PathNode]) -> None:
        self.cursor = cursor
        self.read_path = read_path

    def any_of(self, depth: int) -> Condition:
        parts = self._parts(self._all_of, "||", depth)
        return parts[0] if len(parts) == 1 else AnyOf(parts)

    def _all_of(self, depth: int) -> Condition:
        parts = self._parts(self._operand, "&&", depth)
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _parts(self, read: Callable[[int], Condition], separator: str, depth: int) -> tuple[Condition, ...]:
        parts = [read(depth)]
        while self.cursor.accept(separator):
            parts.append(read(depth))
        return tuple(parts)

    def _operand(self, depth: int) -> Condition:
        cursor = self.cursor
        if depth > MAX_DEPTH:
            raise cursor.error("filter is nested too deeply")
        cursor.skip_blanks()
        if cursor.char == "!" and cursor.significant_after(cursor.position) not in "$@":
            cursor.position += 1
            return Not(self._operand(depth + 1))
        if cursor.char == "(":
            cursor.position += 1
            condition = self.any_of(depth + 1)
            if not cursor.accept(")"):
                raise cursor.error("Expected character: )")
            return condition
        return self._expression()

    def _expression(self) -> Condition:
        cursor = self.cursor
        cursor.skip_blanks()
        negated = cursor.char == "!"
        left = self._value()
        place = cursor.position
        try:
            operator = self._operator()
            return Comparison(left, operator, self._value())
        except JsonPathError:
            cursor.position = place
            if not isinstance(left, PathNode):
                raise
        return Exists(left, not negated)

    def _operator(self) -> str:
        cursor = self.cursor
        cursor.skip_blanks()
        start = cursor.position
        if cursor.char in _OPERATOR_CHARS:
            while cursor.in_bounds and cursor.char in _OPERATOR_CHARS:
                cursor.position += 1
        else:
            while cursor.in_bounds and cursor.char != BLANK:
                cursor.position += 1
        operator = cursor.text[start : cursor.position].upper()
        if operator not in NAMES:
            raise cursor.error(f"Filter operator {operator} is not supported!", start)
        return operator

    def _value(self) -> Operand:
        cursor = self.cursor
        cursor.skip_blanks()
        char = cursor.char
        if char == "!":
            cursor.position += 1
            cursor.skip_blanks()
            if cursor.char not in "$@":
                raise cursor.error("Unexpected character: !")
            return self._path()
        if char in "$@":
            return self._path()
        if char in "'\"":
            return Literal(unescape(self._quoted(char)))
        if char in "[{":
            return self._json("]" if char == "[" else "}")
        if char == "/":
            return self._pattern()
        return self._word() if char in "tfn" else self._number()

    def _quoted(self, quote: str) -> str:
        cursor = self.cursor
        start = cursor.position
        end = cursor.find_unescaped(quote, start)
        if end == -1:
            raise cursor.error(f"String literal does not have matching quotes. Expected {quote}")
        cursor.position = end + 1
        return cursor.text[start + 1 : end]

    def _json(self, closing: str) -> JsonLiteral:
        cursor = self.cursor
        start = cursor.position
        end = cursor.find_closing(cursor.char, closing, regexes=False)
        if end == -1:
            raise cursor.error(f"missing closing {closing}")
        cursor.position = end + 1
        try:
            return JsonLiteral(json_text.read_json(cursor.text[start : end + 1]))
        except json_text.JsonTextError as error:
            raise cursor.error(str(error), start) from error

    def _pattern(self) -> Literal:
        cursor = self.cursor
        start = cursor.position
        pattern = self._quoted("/")
        end = cursor.position
        while cursor.in_bounds and cursor.char in _FLAGS:
            cursor.position += 1
        try:
            return Literal(Matcher(pattern, cursor.text[end : cursor.position]))
        except JsonPathError as error:
            raise cursor.error(str(error), start) from error

    def _word(self) -> Literal:
        cursor = self.cursor
        for word, value in _WORDS.items():
            if cursor.text.startswith(word, cursor.position, cursor.end):
                cursor.position += len(word)
                return Literal(value)
        raise cursor.error("Expected true, false or null")

    def _number(self) -> Literal:
        cursor = self.cursor
        start = cursor.position
        while cursor.in_bounds and cursor.char in _NUMBER_CHARS:
            cursor.position += 1
        text = cursor.text[start : cursor.position]
        if len(text) > json_text.MAX_DIGITS:
            raise cursor.error("number is too long", start)
        try:
            return Literal(int(text) if text.isdigit() else Decimal(text))
        except InvalidOperation as error:
            raise cursor.error(f"not a value: {text or cursor.char}", start) from error

    def _path(self) -> PathNode:
        """Up to a blank, an operator, or a bracket that no function opened."""
        cursor = self.cursor
        start = cursor.position
        cursor.position += 1
        while cursor.in_bounds:
            if cursor.char == "[":
                end = cursor.find_closing("[", "]", regexes=False)
                if end == -1:
                    raise cursor.error("Square brackets does not match in filter")
                cursor.position = end + 1
            elif cursor.char == "(":
                end = cursor.find_closing("(", ")", regexes=False)
                if end == -1:
                    raise cursor.error("brackets do not match in filter")
                cursor.position = end + 1
            elif cursor.char in _OPERATOR_CHARS or cursor.char in " )":
                break
            else:
                cursor.position += 1
        try:
            return self.read_path(cursor.text[start : cursor.position])
        except JsonPathError as error:
            raise cursor.error(str(error), start + max(error.position, 0)) from error
