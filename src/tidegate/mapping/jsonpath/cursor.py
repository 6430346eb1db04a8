"""A position in a JSONPath, with the few ways of looking ahead that Jayway's grammar is written in.

Jayway has no lexer: its grammar is what these looks say (only the blank is insignificant, for example). They are kept so that
odd paths mean the same here and there.
"""

from __future__ import annotations

from tidegate.mapping.jsonpath.errors import JsonPathError

BLANK = " "


class Cursor:
    """`text` from `position` to `end`; looks out of bounds are errors."""

    __slots__ = ("end", "position", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.end = len(text)
        self.trim()

    def trim(self) -> None:
        self.skip_blanks()
        while self.end > self.position and self.text[self.end - 1] == BLANK:
            self.end -= 1

    def error(self, message: str, position: int | None = None) -> JsonPathError:
        where = self.position if position is None else position
        return JsonPathError(f"{message} at position {where} of {self.text}", where)

    def at(self, position: int) -> str:
        if 0 <= position < self.end:
            return self.text[position]
        raise self.error("unexpected end", position)

    @property
    def char(self) -> str:
        return self.at(self.position)

    @property
    def in_bounds(self) -> bool:
        return self.position < self.end

    @property
    def at_tail(self) -> bool:
        """Jayway stops when at most one character is left after a token; that one is never looked at."""
        return self.position + 1 >= self.end

    def skip_blanks(self) -> None:
        while self.in_bounds and self.text[self.position] == BLANK:
            self.position += 1

    def skip_blanks_after(self, position: int) -> int:
        """The next place after `position` that holds no blank (may be the end)."""
        place = position + 1
        while place < self.end and self.text[place] == BLANK:
            place += 1
        return place

    def significant_after(self, position: int) -> str:
        """The next character after `position` that is no blank; a blank at the end."""
        place = self.skip_blanks_after(position)
        return self.text[place] if place < self.end else BLANK

    def accept(self, word: str) -> bool:
        """Go past `word` if it comes next, after blanks."""
        self.skip_blanks()
        if not self.text.startswith(word, self.position, self.end):
            return False
        self.position += len(word)
        return True

    def find(self, char: str, start: int) -> int:
        return self.text.find(char, start, self.end)

    def find_unescaped(self, char: str, start: int) -> int:
        """The place of `char` after `start` that no backslash stands before; -1 when there is none."""
        place = start + 1
        while place < self.end:
            here = self.text[place]
            if here == "\\":
                place += 1
            elif here == char:
                return place
            place += 1
        return -1

    def find_closing(self, opening: str, closing: str, *, regexes: bool) -> int:
        """The place of the bracket that closes the one at `position`; strings (and regexes) are skipped. -1: none."""
        depth = 1
        place = self.position + 1
        while place < self.end:
            here = self.text[place]
            if here in "'\"" or (regexes and here == "/"):
                place = self.find_unescaped(here, place)
                if place == -1:
                    raise self.error(f"missing closing {here}")
            elif here == opening:
                depth += 1
            elif here == closing:
                depth -= 1
                if depth == 0:
                    return place
            place += 1
        return -1


_ESCAPES = {"r": "\r", "f": "\f", "t": "\t", "n": "\n", "b": "\b"}


def unescape(text: str) -> str:
    r"""A Java string's escapes taken out; `\x` is `x` for every other character."""
    if "\\" not in text:
        return text
    out: list[str] = []
    place = 0
    while place < len(text):
        char = text[place]
        place += 1
        if char != "\\" or place == len(text):
            out.append(char)
            continue
        escape = text[place]
        place += 1
        if escape == "u":
            out.append(_unicode(text[place : place + 4]))
            place += 4
        else:
            out.append(_ESCAPES.get(escape, escape))
    return "".join(out)


def _unicode(digits: str) -> str:
    if len(digits) < 4:
        return ""
    try:
        return chr(int(digits, 16))
    except ValueError as error:
        raise JsonPathError(f"Unable to parse unicode value: {digits}") from error
