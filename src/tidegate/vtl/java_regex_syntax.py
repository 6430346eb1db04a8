"""The syntax of java.util.regex, translated into that of the PyPI package `regex` (its version 1 behaviour).

One pass over the pattern, from left to right; the inline flags that change what `.`, `^` and `$` mean are followed through
the groups. What is not Java's is an error, never handed on.
"""

from __future__ import annotations

import re
from typing import NoReturn

from tidegate.vtl.errors import PatternError

_DEEPEST = 60
_MOST_REPEATED = 20_000
"""The product of nested counted repetitions: `(a{100}){100}` is 10,000."""

_TERMINATORS = r"\n\r\x85\u2028\u2029"
_HORIZONTAL = r"\ \t\xA0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000"
_VERTICAL = r"\n\x0B\f\r\x85\u2028\u2029"
_SPACE = r"\ \t\n\x0B\f\r"
_CLASSES = {"d": "0-9", "w": "a-zA-Z_0-9", "s": _SPACE, "h": _HORIZONTAL, "v": _VERTICAL}
_END = rf"(?=(?:\r\n|[{_TERMINATORS}])?\Z)"
_POSIX = {
    "Lower": "a-z", "Upper": "A-Z", "ASCII": r"\x00-\x7f", "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-\x7e", "Graph": r"!-\x7e", "Print": r"\ -\x7e", "Blank": r"\ \t", "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F", "Space": _SPACE, "L1": r"\x00-\xff", "all": r"\x00-\U0010ffff",
    "javaLowerCase": r"\p{Lowercase}", "javaUpperCase": r"\p{Uppercase}",
    "javaWhitespace": r"\t-\r\x1c-\x20\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000",
    "javaLetter": r"\p{L}", "javaDigit": r"\p{Nd}", "javaLetterOrDigit": r"\p{L}\p{Nd}", "javaAlphabetic": r"\p{Alphabetic}",
}  # fmt: skip
_SIMPLE_ESCAPES = {"t": r"\t", "n": r"\n", "r": r"\r", "f": r"\f", "a": r"\a", "e": r"\x1b"}
_ANCHORS = {
    "b": r"\b",
    "B": r"\B",
    "A": r"\A",
    "G": r"\G",
    "z": r"\Z",
    "Z": _END,
    "R": rf"(?>\r\n|[{_VERTICAL}])",
    "X": r"\X",
}
_CATEGORY = re.compile(r"[A-Za-z][A-Za-z]?")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d{1,9})(,(\d{0,9}))?\})[?+]?")
_FLAGS = re.compile(r"\?([idmsux]*)(?:-([idmsux]*))?([:)])")
_GROUP_NAME = re.compile(r"\?<([A-Za-z][A-Za-z0-9]*)>")
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|\Z)|\\.", re.DOTALL)
_ESCAPED = re.compile(r"\\.", re.DOTALL)
_LOW_HALF = re.compile(r"\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_IGNORED = re.compile(r"(?:[ \t\n\x0b\f\r]|#[^\n\r\x85\u2028\u2029]*)+")
_CLASS_ESCAPE = re.compile(r"\\[dDwWsShHvVpP]")
_CAPTURING = re.compile(r"\((?!\?)|\(\?<[A-Za-z]")
_SPECIAL = set("\\^$.|?*+()[]{}#&~- \t\n\r\f\v")


def translate(pattern: str) -> tuple[str, str | None]:
    """The translated pattern; and the text that it matches, when that is one only."""
    translator = _Translator(_QUOTED.sub(_unquoted, pattern))
    return translator.run(), translator.literal


def _unquoted(found: re.Match[str]) -> str:
    """`\\Q…\\E` as escapes, so that a quantifier behind it is that of its last character, as in Java."""
    if found[1] is None:
        return found[0]
    return "".join(
        f"\\x{ord(char):02x}"
        if char.isdigit() and char.isascii()
        else char
        if char.isalnum() or not char.isascii()
        else f"\\{char}"
        for char in found[1]
    )


class _Translator:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._groups = len(_CAPTURING.findall(_ESCAPED.sub("", pattern)))
        self._flags = frozenset[str]()
        self._names: set[str] = set()
        self._depth = 0
        self._only_literals = True
        self._literals: list[str] = []

    @property
    def literal(self) -> str | None:
        return "".join(self._literals) if self._only_literals else None

    def run(self) -> str:
        result, _ = self._alternatives()
        if self._at < len(self._pattern):
            self._fail("unmatched closing ')'")
        return result

    def _error(self, message: str) -> PatternError:
        return PatternError(f"{message} near index {self._at} of '{self._pattern[:200]}' (PatternSyntaxException)")

    def _fail(self, message: str) -> NoReturn:
        raise self._error(message)

    def _next(self) -> str:
        if self._at >= len(self._pattern):
            self._fail("unexpected end")
        self._at += 1
        return self._pattern[self._at - 1]

    def _take(self, text: str) -> bool:
        if not self._pattern.startswith(text, self._at):
            return False
        self._at += len(text)
        return True

    def _escaped(self, char: str) -> str:
        self._literals.append(char)
        if "i" in self._flags and char.isalpha():
            self._only_literals = False
            if char.isascii():
                return f"[{char.lower()}{char.upper()}]"
            # Java: beyond ASCII, case is looked at unless `u` is set, too.
            return self._any_case(char) if "u" in self._flags else char
        return f"\\{char}" if char in _SPECIAL else char

    def _any_case(self, atom: str) -> str:
        """Where `i` is set, letters match in either case, by Unicode's simple folding."""
        return f"(?i-f:{atom})" if "i" in self._flags else atom

    def _alternatives(self) -> tuple[str, int]:
        """All up to the end or a closing parenthesis, and how often its largest part is repeated."""
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail("too many groups inside groups")
        flags = self._flags
        parts: list[str] = []
        most = 1
        while self._at < len(self._pattern) and self._pattern[self._at] != ")":
            if self._skipped():
                continue
            if self._take("|"):
                self._only_literals = False
                parts.append("|")
                continue
            atom, repeated = self._atom()
            self._skipped()
            if quantifier := _QUANTIFIER.match(self._pattern, self._at):
                atom, repeated = self._repeated(atom, repeated, quantifier)
            most = max(most, repeated)
            parts.append(atom)
        self._flags = flags
        self._depth -= 1
        return "".join(parts), most

    def _skipped(self) -> bool:
        """With the flag x, blanks and comments are none of the pattern, also between something and its quantifier."""
        found = _IGNORED.match(self._pattern, self._at) if "x" in self._flags else None
        if found is None:
            return False
        self._at = found.end()
        return True

    def _repeated(self, atom: str, repeated: int, quantifier: re.Match[str]) -> tuple[str, int]:
        self._only_literals = False
        if not atom:
            self._fail("dangling meta character")
        self._at = quantifier.end()
        low, high = int(quantifier[1] or 0), int(quantifier[3] or 0)
        if quantifier[3] and high < low:
            self._fail("illegal repetition range")
        repeated *= max(1, low, high)
        if repeated > _MOST_REPEATED:
            self._fail(f"more than {_MOST_REPEATED} repetitions")
        # A group of its own, so that what `regex` would read across the border cannot arise.
        return f"(?:{atom}){quantifier[0]}", repeated

    def _atom(self) -> tuple[str, int]:
        char = self._next()
        if char == "(":
            return self._group()
        if char in ".^$[":
            self._only_literals = False
            if char == "[":
                return self._any_case(self._class()), 1
            return {".": self._dot, "^": self._start, "$": self._end}[char](), 1
        if char == "\\":
            return self._escape(), 1
        if char in "*+?":
            self._at -= 1
            self._fail(f"dangling meta character '{char}'")
        if char == "{":
            self._fail("illegal repetition")
        return self._escaped(char), 1

    def _dot(self) -> str:
        if "s" in self._flags:
            return r"[\x00-\U0010ffff]"
        return r"[^\n]" if "d" in self._flags else f"[^{_TERMINATORS}]"

    def _start(self) -> str:
        if "m" not in self._flags:
            return r"\A"
        if "d" in self._flags:
            return r"(?:\A|(?<=\n))(?!\Z)"
        # Java: never at the end of the text, not even of an empty one.
        return r"(?:\A|(?<=[\n\x85\u2028\u2029]|\r(?!\n)))(?!\Z)"

    def _end(self) -> str:
        if "d" in self._flags:
            return r"(?=\n|\Z)" if "m" in self._flags else r"(?=\n?\Z)"
        return r"(?:(?=[\r\x85\u2028\u2029]|\Z)|(?<!\r)(?=\n))" if "m" in self._flags else _END

    def _group(self) -> tuple[str, int]:
        self._only_literals = False
        opening = "("
        flags = self._flags
        if self._take("?"):
            self._at -= 1
            if named := _GROUP_NAME.match(self._pattern, self._at):
                if named[1] in self._names:
                    self._fail(f"named capturing group <{named[1]}> is already defined")
                self._names.add(named[1])
                opening = f"(?P<{named[1]}>"
                self._at = named.end()
            elif found := next((each for each in ("?:", "?=", "?!", "?>", "?<=", "?<!") if self._take(each)), None):
                opening = f"({found}"
            elif changed := _FLAGS.match(self._pattern, self._at):
                self._at = changed.end()
                flags = (flags | set(changed[1])) - set(changed[2] or "")
                if changed[3] == ")":
                    self._flags = flags
                    return "", 1
                opening = "(?:"
            else:
                self._fail("unknown inline modifier or group")
        outer, self._flags = self._flags, frozenset(flags)
        inner, repeated = self._alternatives()
        self._flags = outer
        if not self._take(")"):
            self._fail("unclosed group")
        return f"{opening}{inner})", repeated

    def _escape(self) -> str:
        char = self._next()
        if (literal := self._character(char)) is not None:
            return self._escaped(literal)
        self._only_literals = False
        if char in _CLASSES or char.lower() in _CLASSES:
            return f"[{'^' if char.isupper() else ''}{_CLASSES[char.lower()]}]"
        if char in "pP":
            return self._any_case(f"[{'^' if char == 'P' else ''}{self._property()}]")
        if char in _ANCHORS:
            return _ANCHORS[char]
        if char == "k":
            if not (named := re.compile(r"<([A-Za-z][A-Za-z0-9]*)>").match(self._pattern, self._at)):
                self._fail("\\k is not followed by '<' for a named group")
            self._at = named.end()
            return self._any_case(f"(?P={named[1]})")
        if char.isdigit() and char != "0":
            return self._any_case(self._back_reference(char))
        raise self._error(f"illegal or unsupported escape sequence '\\{char}'")

    def _back_reference(self, digit: str) -> str:
        number = int(digit)
        while self._at < len(self._pattern) and self._pattern[self._at] in "0123456789":
            longer = number * 10 + int(self._pattern[self._at])
            if longer > self._groups:
                break
            number = longer
            self._at += 1
        return rf"\g<{number}>" if number <= self._groups else "(?!)"

    def _character(self, char: str) -> str | None:
        """The character that an escape stands for, when it does for one."""
        if char in _SIMPLE_ESCAPES:
            return {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}[char]
        if char == "c":
            return chr(ord(self._next()) ^ 64)
        for begin, digits in (("u", r"([0-9a-fA-F]{4})"), ("x", r"(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})")):
            if char == begin:
                found = re.compile(digits).match(self._pattern, self._at)
                if not found or (number := int(found[found.lastindex or 1], 16)) > 0x10FFFF:
                    self._fail(f"illegal escape sequence '\\{begin}'")
                self._at = found.end()
                if 0xD800 <= number < 0xDC00 and (low := _LOW_HALF.match(self._pattern, self._at)):
                    self._at = low.end()
                    number = 0x10000 + (number - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00
                return chr(number)
        if char == "0":
            found = re.compile(r"[0-3][0-7]{2}|[0-7]{1,2}").match(self._pattern, self._at)
            if not found:
                self._fail("illegal octal escape sequence")
            self._at = found.end()
            return chr(int(found[0], 8))
        return char if not (char.isascii() and char.isalnum()) else None

    def _property(self) -> str:
        """The inside of a class for `\\p{…}`."""
        name = self._next()
        if name == "{":
            end = self._pattern.find("}", self._at)
            if end < 0:
                self._fail("unclosed character family")
            name = self._pattern[self._at : end]
            self._at = end + 1
        if name in _POSIX:
            return _POSIX[name]
        if found := re.fullmatch(r"(?:Is|script=|sc=|general_category=|gc=|In|block=|blk=)?([A-Za-z0-9_ -]+)", name):
            kind = "Block=" if name.startswith(("In", "block", "blk")) else ""
            if kind or name.startswith(("Is", "sc", "g")) or _CATEGORY.fullmatch(name):
                return rf"\p{{{kind}{found[1]}}}"
        raise self._error(f"unknown character property name {{{name}}}")

    def _class(self, depth: int = 0) -> str:
        """A character class after its '['."""
        if depth > _DEEPEST:
            self._fail("too many classes inside classes")
        parts = ["[^" if self._take("^") else "["]
        first = True
        while True:
            char = self._next()
            if char == "]" and not first:
                return "".join(parts) + "]"
            first = False
            if char == "[":
                parts.append(self._class(depth + 1))
            elif char == "&" and self._take("&"):
                if len(parts) == 1 or self._pattern.startswith(("]", "&"), self._at):
                    self._fail("an intersection with nothing")
                parts.append("&&")
            elif char == "\\":
                parts.append(self._class_escape())
            elif char == "-" and len(parts) > 1 and not parts[-1].endswith(("&&", "-")) and self._more_in_class():
                if _CLASS_ESCAPE.match(self._pattern, self._at):
                    self._fail("illegal character range")
                parts.append("-")
            elif "x" not in self._flags or char not in " \t\n\x0b\f\r":
                parts.append(_class_char(char))

    def _more_in_class(self) -> bool:
        """Whether a '-' here is between two characters."""
        return self._at < len(self._pattern) and self._pattern[self._at] not in "]["

    def _class_escape(self) -> str:
        char = self._next()
        if (literal := self._character(char)) is not None:
            return _class_char(literal)
        if char.lower() in _CLASSES:
            return f"[{'^' if char.isupper() else ''}{_CLASSES[char.lower()]}]"
        if char in "pP":
            return f"[{'^' if char == 'P' else ''}{self._property()}]"
        raise self._error(f"illegal or unsupported escape sequence '\\{char}' in a class")


def _class_char(char: str) -> str:
    return char if char.isalnum() else f"\\{char}" if char.isascii() and char.isprintable() else f"\\U{ord(char):08x}"
