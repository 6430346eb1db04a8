"""The words of the Velocity language, and a scanner that hands them out. The parser says which word may come.

Velocity's lexer knows many states (text, reference, directive, index…), because the same character is text here and syntax
there. A recursive parser is in the right state by itself, so all that is left of a lexer is this table of words.

Source: the *Velocity User Guide* 1.7, and the observed behaviour of Velocity 1.7 (tests/vtl/test_conformance.py).
"""

from __future__ import annotations

import re
from typing import NoReturn

from tidegate.vtl.errors import TemplateSyntaxError

TEXT = re.compile(r"[^$#\\]+")
BACKSLASHES = re.compile(r"\\+")
TO_REFERENCE = re.compile(r"\\*\$(?:\\*!)?")
NAME_IN_BRACES = re.compile(r"(?:\\*\$(?:\\*!)?)?([A-Za-z_])")
LOSES = re.compile(r"\\\\|\\+#[A-Za-z_@{]|[ \t]*#(?:set|\{set\}) *\(")
"""Before these, Velocity loses a dollar sign or a hash that is no part of anything."""
TWO_HASHES = re.compile(r"##(?!#)")
COMMENT_LINE = re.compile(r"##[^\r\n]*(?:\r\n|\n|\r)?")
COMMENT_BLOCK = re.compile(r"#\*(?:[^*#]|#\*|#(?!\*)|\*(?!#))*+(?:\*#)?")
VERBATIM = re.compile(r"#\[\[(.*?)\]\]#", re.DOTALL)
SET = re.compile(r"[ \t]*#(?:set|\{set\}) *\(")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
DOT = re.compile(r"\.(?=[A-Za-z])")
WORD = re.compile(r"[A-Za-z_@][A-Za-z0-9_@]*")
BRACKETED_WORD = re.compile(r"\{([A-Za-z_][A-Za-z0-9_@]*)\}")
REST_OF_LINE = re.compile(r"[ \t]*(?:\r\n|\n|\r)")
"""What `#end` and `#else` swallow."""
CLOSE = re.compile(r"\)(?:[ \t]*(?:\r\n|\n|\r))?")
"""The parenthesis that closes a directive swallows the rest of a blank line."""
SPACE = re.compile(r"[ \t\r\n]*")
STRING = re.compile(r"\"(?:[^\"]|\"\")*\"(?!\")|'(?:[^']|'')*'(?!')")
FLOAT = re.compile(r"-?(?:[0-9]+\.(?!\.)[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)")
INTEGER = re.compile(r"-?[0-9]+")
UNICODE_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
NO_ARGUMENTS = re.compile(r"\(\Z")
"""`$a.b(` at the very end is no method call, but text after a property."""
BARE_WORD = re.compile(r"(?!(?:true|false)[ \t\r\n]*[,)])[A-Za-z_][A-Za-z0-9_-]*(?=[ \t\r\n]*[,)])")
"""An argument without quotes: `null`, as anything else, is null."""
OPERATORS = {
    "or": re.compile(r"\|\||or(?![A-Za-z0-9_@])"),
    "and": re.compile(r"&&|and(?![A-Za-z0-9_@])"),
    "equality": re.compile(r"==|!=|(?:eq|ne)(?![A-Za-z0-9_@])"),
    "relation": re.compile(r"<=|>=|<|>|(?:lt|le|gt|ge)(?![A-Za-z0-9_@])"),
    "sum": re.compile(r"\+|-(?![0-9.])"),
    "product": re.compile(r"[*/%]"),
}
OPERATOR_NAMES = {
    "||": "or", "&&": "and", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">=",
}  # fmt: skip
NOT = re.compile(r"!|not(?![A-Za-z0-9_@])")


class Scanner:
    """A place in a source text."""

    __slots__ = ("end", "origin", "position", "source")

    def __init__(self, source: str, origin: tuple[Scanner, int] | None = None) -> None:
        """`origin`: where all of this is reported to be, when the source is a string inside of another."""
        self.source = source
        self.position = 0
        self.end = len(source)
        self.origin = origin

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """The word that comes next, or None when another one does."""
        found = pattern.match(self.source, self.position)
        if found is None:
            return None
        self.position = found.end()
        return found[0]

    def looking_at(self, text: str) -> bool:
        return self.source.startswith(text, self.position)

    def skip(self, text: str) -> bool:
        """Whether this text comes next; it is taken."""
        if not self.source.startswith(text, self.position):
            return False
        self.position += len(text)
        return True

    def skip_space(self) -> None:
        found = SPACE.match(self.source, self.position)
        if found is not None:
            self.position = found.end()

    def expect(self, pattern: re.Pattern[str], what: str) -> str:
        """The word that has to come next."""
        word = self.take(pattern)
        if word is None:
            self.fail(f"expected {what}")
        return word

    def fail(self, message: str, position: int | None = None) -> NoReturn:
        """Refuse the template, here or at another position; says what is found there."""
        at = self.position if position is None else position
        found = repr(self.source[at : at + 12]) if at < self.end else "the end"
        line, column = self.place(at)
        raise TemplateSyntaxError(f"{message}, found {found}", line, column)

    def place(self, position: int) -> tuple[int, int]:
        """Line and column, counted from 1."""
        if self.origin:
            scanner, position = self.origin
            return scanner.place(position)
        return place(self.source, position)


def place(source: str, position: int) -> tuple[int, int]:
    """Line and column, counted from 1, of an offset."""
    start = source.rfind("\n", 0, position) + 1
    return source.count("\n", 0, start) + 1, position - start + 1
