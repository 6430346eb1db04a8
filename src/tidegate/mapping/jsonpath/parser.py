"""Reads the text of a JSONPath into tokens, by the grammar of Jayway's JsonPath (com.jayway.jsonpath 2.10).

Everything that library reads is read, its leniency included: `a.b` is `$.a.b`, names without quotes may hold nearly every
character, and a single character left over after a token is ignored. What it refuses is refused, with the position. Filters
have a grammar of their own (`filter_parser`).
"""

from __future__ import annotations

import re

from tidegate.mapping.jsonpath.cursor import BLANK, Cursor, unescape
from tidegate.mapping.jsonpath.errors import JsonPathError
from tidegate.mapping.jsonpath.filter_parser import parse_filter
from tidegate.mapping.jsonpath.functions import FUNCTIONS
from tidegate.mapping.jsonpath.nodes import Call, FilterToken, Indices, Names, PathNode, Scan, Slice, Token, Wildcard

MAX_LENGTH = 10_000  # characters of a path; own bound
MAX_TOKENS = 100  # own bound: each token costs a frame of the stack when the path is read
MAX_NESTING = 8  # own bound: paths in filters in paths …

_WHITESPACE = " \t\r\n"
_ARRAY_CHARS = frozenset("0123456789,-: ")
_INTEGER = re.compile(r"[-+]?[0-9]+")


def parse_path(text: str, nesting: int = 0) -> PathNode:
    """The tokens of a path. Raises JsonPathError."""
    if nesting > MAX_NESTING or len(text) > MAX_LENGTH:
        raise JsonPathError("path is too long or nested too deeply", 0)
    cursor = Cursor(text)
    if not cursor.in_bounds:
        raise JsonPathError("path can not be null or empty", 0)
    if text[0] not in "$@":
        cursor = Cursor("$." + text)
    if cursor.at(cursor.end - 1) == ".":
        raise cursor.error("Path must not end with a '.' or '..'", cursor.end - 1)
    return _Parser(cursor, nesting).parse()


def _inverted(tokens: list[Token]) -> list[Token]:
    """`$..a.sum()` is read as `$.sum($..a)`: the function gets everything that the scan finds."""
    if len(tokens) < 2 or not isinstance(tokens[0], Scan) or not isinstance(tokens[-1], Call):
        return tokens
    place = next(index for index, token in enumerate(tokens) if isinstance(token, Call))
    call = tokens[place]
    assert isinstance(call, Call)
    return [Call(call.name, (PathNode(True, tuple(tokens[:place])),)), *tokens[place + 1 :]]


class _Parser:
    def __init__(self, cursor: Cursor, nesting: int) -> None:
        self.cursor = cursor
        self.nesting = nesting
        self.tokens: list[Token] = []

    def parse(self) -> PathNode:
        cursor = self.cursor
        rooted = cursor.char == "$"
        if not cursor.at_tail:
            cursor.position += 1
            if cursor.char not in ".[":
                raise cursor.error("Illegal character, expected '.' or '['")
            self._token()
            while not cursor.at_tail:
                self._token()
        return PathNode(rooted, tuple(_inverted(self.tokens)))

    def _nested(self, text: str) -> PathNode:
        return parse_path(text, self.nesting + 1)

    def _add(self, token: Token) -> None:
        if len(self.tokens) >= MAX_TOKENS:
            raise self.cursor.error(f"path has more than {MAX_TOKENS} parts")
        self.tokens.append(token)

    def _token(self) -> None:
        char = self.cursor.char
        if char == "[":
            self._bracket()
        elif char == ".":
            self._dot()
        elif char == "*":
            self.cursor.position += 1
            self._add(Wildcard())
        else:
            self._name_or_call()

    def _dot(self) -> None:
        cursor = self.cursor
        if cursor.text.startswith("..", cursor.position, cursor.end):
            self._add(Scan())
            cursor.position += 2
        else:
            cursor.position += 1
        if cursor.char == ".":
            raise cursor.error("Character '.' is not valid")
        self._token()

    def _bracket(self) -> None:
        cursor = self.cursor
        following = cursor.significant_after(cursor.position)
        if following in "'\"":
            self._quoted_names(following)
        elif following.isdigit() or following in "-:":
            self._array()
        elif following == "*":
            star = cursor.skip_blanks_after(cursor.position)
            closing = cursor.skip_blanks_after(star)
            if cursor.at(closing) != "]":
                raise cursor.error("Expected wildcard token to end with ']'", star + 1)
            cursor.position = closing + 1
            self._add(Wildcard())
        elif following == "?":
            self._filter()
        else:
            raise cursor.error("Could not parse token. Expected ?, ', 0-9, *")

    def _name_or_call(self) -> None:
        cursor = self.cursor
        start = end = cursor.position
        if cursor.char == BLANK:
            raise cursor.error("Could not parse token")
        while end < cursor.end and cursor.text[end] not in ".[(":
            if cursor.text[end] == BLANK:
                raise cursor.error("Use bracket notion ['my prop'] if your property contains blank characters")
            end += 1
        name = cursor.text[start:end]
        cursor.position = end
        if cursor.in_bounds and cursor.char == "(":
            self._call(name, start)
        else:
            self._add(Names((name,)))

    def _call(self, name: str, start: int) -> None:
        cursor = self.cursor
        if name not in FUNCTIONS:
            raise cursor.error(f"Function with name: {name} does not exist", start)
        cursor.position += 1
        if cursor.char == ")":
            self._add(Call(name, ()))  # the bracket is left in place: at the end it is the tail that nobody reads
        else:
            self._add(Call(name, self._parameters(name)))

    def _parameters(self, name: str) -> tuple[PathNode | str, ...]:
        """Parameters between brackets, cut at commas outside of brackets and double quotes. Ends after the bracket."""
        cursor = self.cursor
        parameters: list[PathNode | str] = []
        start, depth, quoted = cursor.position, 0, False
        while cursor.in_bounds:
            char = cursor.char
            if char == "\\" and quoted:
                cursor.position += 1
            elif char == '"':
                quoted = not quoted
            elif quoted:
                pass
            elif char in "([{":
                depth += 1
            elif char in ")]}" and depth:
                depth -= 1
            elif char in ",)":
                self._parameter(cursor.text[start : cursor.position].strip(_WHITESPACE), parameters)
                start = cursor.position + 1
                if char == ")":
                    cursor.position += 1
                    return tuple(parameters)
            elif char in "]}":
                raise cursor.error(f"Unexpected close bracket '{char}'")
            cursor.position += 1
        raise cursor.error(f"Arguments to function: '{name}' are not closed properly.", start)

    def _parameter(self, text: str, parameters: list[PathNode | str]) -> None:
        if text[:1] in ("$", "@"):
            parameters.append(self._nested(text))
        elif text[:1] == "{" or text[:1] == '"' or text[:1] == "-" or text[:1].isdigit():
            parameters.append(text)  # everything else is passed over, as the library does

    def _filter(self) -> None:
        cursor = self.cursor
        opening = cursor.skip_blanks_after(cursor.skip_blanks_after(cursor.position))
        if cursor.at(opening) != "(":
            # AWS: `[?]` asks for a predicate passed from Java; there is none here.
            raise cursor.error("Expected a filter expression [?(...)]", opening)
        start = cursor.position
        cursor.position = opening
        closing = cursor.find_closing("(", ")", regexes=True)
        cursor.position = start
        if closing == -1 or cursor.significant_after(closing) != "]":
            raise cursor.error("Filter is not closed, expected ')]'")
        self._add(FilterToken(parse_filter(cursor.text[opening : closing + 1], opening, self._nested)))
        cursor.position = cursor.skip_blanks_after(closing) + 1

    def _array(self) -> None:
        cursor = self.cursor
        closing = cursor.find("]", cursor.position)
        expression = cursor.text[cursor.position + 1 : closing].strip(BLANK)
        if closing == -1 or not _ARRAY_CHARS.issuperset(expression):
            raise cursor.error("Could not parse token. Expected ?, ', 0-9, *")
        self._add(self._slice(expression) if ":" in expression else self._indices(expression))
        cursor.position = closing + 1

    def _slice(self, expression: str) -> Slice:
        parts = expression.split(":")
        start, stop = (self._integer(part) if part else None for part in parts[:2])
        if start is None and stop is None:
            raise self.cursor.error(f"Failed to parse SliceOperation: {expression}")
        return Slice(start, stop)

    def _indices(self, expression: str) -> Indices:
        return Indices(tuple(self._integer(part.strip(BLANK)) for part in expression.split(",")))

    def _integer(self, text: str) -> int:
        if not _INTEGER.fullmatch(text) or not -(2**31) <= int(text[:20]) < 2**31:
            raise self.cursor.error(f"Failed to parse token in ArrayIndexOperation: {text}")
        return int(text)

    def _quoted_names(self, quote: str) -> None:
        cursor = self.cursor
        names: list[str] = []
        place, inside, after_comma, start, end = cursor.position + 1, False, False, 0, 0
        while place < cursor.end:
            char = cursor.text[place]
            if char == "\\":
                place += 1
            elif char == "]" and not inside:
                break
            elif char == quote and inside:
                if cursor.significant_after(place) not in "],":
                    raise cursor.error("Property must be separated by comma or Property must be terminated", place)
                names.append(unescape(cursor.text[start:place]))
                inside, end = False, place
            elif char == quote:
                start, inside, after_comma = place + 1, True, False
            elif char == "," and not inside:
                if after_comma:
                    raise cursor.error("Found empty property", place)
                after_comma = True
            place += 1
        if after_comma or inside:
            raise cursor.error("Found empty property" if after_comma else f"missing closing {quote}", place)
        closing = cursor.skip_blanks_after(end)
        if cursor.at(closing) != "]":
            raise cursor.error("Property has not been closed - missing closing ]", closing)
        cursor.position = closing + 1
        self._add(Names(tuple(names)))
