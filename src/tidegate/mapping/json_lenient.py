"""Reads JSON as json-smart's permissive mode does: a port of what it accepts, without its recursion.

Accepted beyond JSON: single quotes, no quotes at all (the text up to the next separator, trimmed), commas too many, leading
zeros, `NaN`, control characters in strings, unknown escapes (dropped), and anything after the first value.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

MAX_DEPTH = 400  # json-smart's own bound (since CVE-2023-1370)
MAX_DIGITS = 1000  # json-smart's bound on the length of a number, since 2.6.1

_SPACE = " \r\n\t"
_NUMBER = re.compile(r"[-0-9][0-9]*(?P<fraction>\.[0-9]*)?(?P<exponent>[eE](?:[-+0-9][0-9]*)?)?")
_INTEGER = re.compile(r"-?[0-9]+")
_FLOAT = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NO_DATA = re.compile(r"[\x00-\x20]*")
# Where a text without quotes ends: in a key, an object's value, a list; at the top it never does.
_STOP_KEY, _STOP_VALUE, _STOP_LIST, _STOP_NEVER = (re.compile(pattern) for pattern in (":", "[,}]", r"[,\]]", r"(?!)"))
# Java's Character.isWhitespace: no no-break spaces, but the information separators.
_JAVA_SPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \u1680"
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
)
_WORDS = {"null": None, "true": True, "false": False, "NaN": float("nan")}
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "b": "\b", "\\": "\\", "/": "/", "'": "'", '"': '"'}
_HALVES = re.compile("[\ud800-\udbff][\udc00-\udfff]")

_Container = dict[str, object] | list[object]


class JsonTextError(ValueError):
    """A text that json-smart does not read, or a value that has no JSON text."""


def read_lenient(text: str) -> object:
    """The first value in a text. Raises JsonTextError."""
    return _Reader(text).first()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def error(self) -> JsonTextError:
        found = self.char()
        return JsonTextError(
            f"Unexpected {'character ' + found if found else 'end of the text'} at position {self.position}"
        )

    def char(self) -> str:
        """The next character; empty at the end."""
        return self.text[self.position : self.position + 1]

    def skip(self) -> str:
        match = _NO_DATA.match(self.text, self.position)
        assert match is not None
        self.position = match.end()
        return self.char()

    def first(self) -> object:
        while self.char() and self.char() in _SPACE:
            self.position += 1
        char = self.char()
        if char in ("{", "["):
            return self._containers()
        if char and char in ":}]":
            raise self.error()
        return self._scalar(_STOP_NEVER)

    def _containers(self) -> object:
        """Objects and lists inside each other: a loop with a stack in place of recursion."""
        root = self._open()
        stack: list[tuple[_Container, str]] = [(root, "")]
        while stack:
            container, _ = stack[-1]
            opened = self._object(container, stack) if isinstance(container, dict) else self._list(container)
            if opened is None:
                stack.pop()
                self.position += 1
            elif len(stack) >= MAX_DEPTH:
                raise JsonTextError("Malicious payload, having non natural depths")
            else:
                stack.append((opened, ""))
        return root

    def _open(self) -> _Container:
        opened: _Container = {} if self.char() == "{" else []
        self.position += 1
        return opened

    def _list(self, items: list[object]) -> _Container | None:
        """Members up to the closing bracket (None), or up to one that has members of its own."""
        while True:
            char = self.char()
            if char == "]":
                return None
            if not char or char in ":}":
                raise self.error()
            if char in _SPACE or char == ",":
                self.position += 1
            elif char in "[{":
                opened = self._open()
                items.append(opened)
                return opened
            else:
                items.append(self._scalar(_STOP_LIST))

    def _object(self, members: dict[str, object], stack: list[tuple[_Container, str]]) -> _Container | None:
        """As `_list`. After a member that has members of its own, only a comma or the end may follow."""
        if stack[-1][1] == "after":
            self._after_member(stack)
        while self.char() != "}":
            if self.char() and (self.char() in _SPACE or self.char() == ","):
                self.position += 1
                continue
            key = self._key()
            while self.char() and self.char() in _SPACE:
                self.position += 1
            char = self.char()
            if not char or char in ":}]":
                raise self.error()
            if char in "[{":
                opened = self._open()
                members[key] = opened
                stack[-1] = (members, "after")
                return opened
            members[key] = self._scalar(_STOP_VALUE)
            self._after_member(stack)
        return None

    def _after_member(self, stack: list[tuple[_Container, str]]) -> None:
        stack[-1] = (stack[-1][0], "")
        if self.skip() not in (",", "}"):
            raise self.error()

    def _key(self) -> str:
        char = self.char()
        if not char or char in ":][{":
            raise self.error()
        key = self._string() if char in "'\"" else self._unquoted(self.position, _STOP_KEY)
        if self.skip() != ":":
            raise self.error()
        self.position += 1
        return key

    def _scalar(self, stop: re.Pattern[str]) -> object:
        char = self.char()
        if char in ("'", '"'):
            return self._string()
        if char == "-" or "0" <= char <= "9":
            return self._number(stop)
        text = self._unquoted(self.position, stop)
        return _WORDS.get(text, text)

    def _unquoted(self, start: int, stop: re.Pattern[str]) -> str:
        found = stop.search(self.text, self.position)
        self.position = found.start() if found else len(self.text)
        return _java_trimmed(self.text[start : self.position])

    def _number(self, stop: re.Pattern[str]) -> object:
        start = self.position
        match = _NUMBER.match(self.text, start)
        assert match is not None
        self.position = match.end()
        if (match["exponent"] or "0") in "eE":
            return self._unquoted(start, stop)
        char = self.skip()
        if char and char < "~" and not stop.match(char):
            return self._unquoted(start, stop)
        return _number(match[0])

    def _string(self) -> str:
        quote = self.char()
        start = self.position + 1
        end = self.text.find(quote, start)
        if end == -1:
            self.position = len(self.text)
            raise self.error()
        if "\\" not in self.text[start:end]:
            self.position = end + 1
            return self.text[start:end]
        return self._escaped(quote)

    def _escaped(self, quote: str) -> str:
        out: list[str] = []
        while True:
            self.position += 1
            char = self.char()
            if char == "":
                raise self.error()
            if char == quote:
                self.position += 1
                return _HALVES.sub(_joined, "".join(out))
            if char == "\\":
                self.position += 1
                out.append(self._escape())
            elif char > "\x1f" and char != "\x7f":  # control characters are dropped, here and only here
                out.append(char)

    def _escape(self) -> str:
        char = self.char()
        if char not in ("u", "x"):
            return _ESCAPES.get(char, "")
        length = 4 if char == "u" else 2
        digits = self.text[self.position + 1 : self.position + 1 + length]
        if not re.fullmatch(f"[0-9a-fA-F]{{{length}}}", digits):
            raise self.error()
        self.position += length
        return chr(int(digits, 16))


def _java_trimmed(text: str) -> str:
    """json-smart's trim leaves one character, be it a blank."""
    stripped = text.strip(_JAVA_SPACE)
    return stripped or text[-1:]


def _joined(match: re.Match[str]) -> str:
    return match[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def _number(text: str) -> object:
    if len(text) > MAX_DIGITS:
        raise JsonTextError(f"number of {len(text)} characters is too long")
    if text == "-":
        return 0  # json-smart takes a lone minus for a number
    if _INTEGER.fullmatch(text):
        return int(text)
    if not _FLOAT.fullmatch(text):
        raise JsonTextError(f"{text} is not a number")
    if len(text) <= 18:
        return float(text)
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise JsonTextError(f"{text} is not a number") from error
    if not -(2**31) < value.adjusted() < 2**31:  # BigDecimal's own range
        raise JsonTextError(f"{text} is not a number")
    return value
