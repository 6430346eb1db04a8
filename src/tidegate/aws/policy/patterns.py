"""Wildcards and policy variables: `*`, `?`, `${key}`, `${key, 'default'}`, and `${*}` `${?}` `${$}` for the very characters.

A pattern is matched run by run from the left, which cannot backtrack: a hostile `a*a*a*…` costs about its length.
What a variable brings along is never a wildcard. Sources: *Variables and tags*, *Resource* (IAM JSON policy elements).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

Matcher = Callable[[str], bool]
Lookup = Callable[[str], "str | None"]
"""The one value of a context key (its name in lower case), or None."""

_SPECIAL = re.compile(r"\$\{([^}]*)\}|[*?]")
_WITH_DEFAULT = re.compile(r"\s*([^,']+?)\s*,\s*'([^']*)'\s*")
_ARN_PARTS = 6
_ATTEMPTS = 16
"""At finding a run of question marks before all positions are tried at once."""


class Wild(Enum):
    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    key: str
    """In lower case."""
    default: str | None = None


Token = str | Wild | Variable


def tokens(text: str, *, variables: bool, wildcards: bool = True) -> list[Token]:
    """`variables`: whether the document's version knows them; otherwise `${` is text like any other."""
    found: list[Token] = []
    end = 0
    for special in _SPECIAL.finditer(text):
        token = _token(special, variables=variables, wildcards=wildcards)
        if token is None:
            # Characters that mean nothing here; but a `${…}` that is text may hold wildcards.
            if special[0].startswith("$"):
                found.append(text[end : special.start()])
                found += _within(special[0], wildcards=wildcards)
                end = special.end()
            continue
        found += (text[end : special.start()], token)
        end = special.end()
    found.append(text[end:])
    return [token for token in found if token != ""]


def _token(special: re.Match[str], *, variables: bool, wildcards: bool) -> Token | None:
    inner = special[1]
    if inner is None:
        return Wild(special[0]) if wildcards else None
    if not variables:
        return None
    if inner in ("*", "?", "$"):
        return inner
    if with_default := _WITH_DEFAULT.fullmatch(inner):
        return Variable(with_default[1].lower(), with_default[2])
    return Variable(inner.strip().lower())


def _within(text: str, *, wildcards: bool) -> list[str | Wild]:
    if not wildcards:
        return [text]
    return [Wild(part) if part in ("*", "?") else part for part in re.split(r"([*?])", text)]


@dataclass(frozen=True, slots=True)
class _Run:
    """What stands between two stars: pieces of text at their offsets, the rest being question marks."""

    length: int
    pieces: tuple[tuple[int, str], ...]

    def at(self, text: str, position: int) -> bool:
        return all(text.startswith(piece, position + offset) for offset, piece in self.pieces)

    def find(self, text: str, start: int, end: int) -> int:
        """The leftmost position from `start` on at which the run ends by `end`; -1 for none."""
        last = end - self.length
        if not self.pieces:
            return start if start <= last else -1
        offset, anchor = max(self.pieces, key=lambda piece: len(piece[1]))
        for _ in range(_ATTEMPTS):
            found = text.find(anchor, start + offset, last + offset + len(anchor))
            if found < 0 or found - offset > last:
                return -1
            start = found - offset
            if self.at(text, start):
                return start
            start += 1
        return self._find_at_once(text, start, end)

    def _find_at_once(self, text: str, start: int, end: int) -> int:
        """For hostile runs (`a?a?a?…`): one bit for every position, all of them tested together, character by character."""
        if end - self.length < start:
            return -1
        backwards = text[start:end][::-1]
        occurrences: dict[str, int] = {}
        possible = (1 << (end - self.length - start + 1)) - 1
        for offset, piece in self.pieces:
            for index, wanted in enumerate(piece, offset):
                if wanted not in occurrences:
                    occurrences[wanted] = int("".join(["1" if c == wanted else "0" for c in backwards]), 2)
                possible &= occurrences[wanted] >> index
                if not possible:
                    return -1
        return start + (possible & -possible).bit_length() - 1


def _run(parts: Iterable[str | Wild]) -> _Run:
    length = 0
    pieces: list[tuple[int, str]] = []
    for part in parts:
        if isinstance(part, Wild):
            length += 1
            continue
        if pieces and pieces[-1][0] + len(pieces[-1][1]) == length:
            pieces[-1] = (pieces[-1][0], pieces[-1][1] + part)
        else:
            pieces.append((length, part))
        length += len(part)
    return _Run(length, tuple(pieces))


def _anything(_: str) -> bool:
    return True


def glob(text: str) -> Matcher:
    """A pattern without variables."""
    if "?" in text:
        return matcher(_within(text, wildcards=True))
    if "*" not in text:
        return text.__eq__
    head, *middle, tail = text.split("*")
    return _starred(head, middle, tail)


def matcher(parts: Iterable[str | Wild]) -> Matcher:
    """Of text and wildcards in their order."""
    runs: list[list[str | Wild]] = [[]]
    for part in parts:
        if part is Wild.ANY:
            runs.append([])
        else:
            runs[-1].append(part)
    if not any(part is Wild.ONE for run in runs for part in run):
        head, *rest = ["".join(map(str, run)) for run in runs]
        return _starred(head, rest[:-1], rest[-1]) if rest else head.__eq__
    return _matcher_of_runs([_run(run) for run in runs])


def _starred(head: str, middle: Sequence[str], tail: str) -> Matcher:
    middle = [run for run in middle if run]
    if not middle and not tail:
        return (lambda text: text.startswith(head)) if head else _anything
    shortest = len(head) + len(tail)
    if not middle:
        return lambda text: len(text) >= shortest and text.startswith(head) and text.endswith(tail)

    def match(text: str) -> bool:
        end = len(text) - len(tail)
        if len(text) < shortest or not text.startswith(head) or not text.endswith(tail):
            return False
        position = len(head)
        for run in middle:
            position = text.find(run, position, end)
            if position < 0:
                return False
            position += len(run)
        return True

    return match


def _matcher_of_runs(runs: list[_Run]) -> Matcher:
    head = runs[0]
    if len(runs) == 1:
        return lambda text: len(text) == head.length and head.at(text, 0)
    middle, tail = runs[1:-1], runs[-1]

    def match(text: str) -> bool:
        end = len(text) - tail.length
        position = head.length
        if end < position or not head.at(text, 0) or not tail.at(text, end):
            return False
        for run in middle:
            position = run.find(text, position, end)
            if position < 0:
                return False
            position += run.length
        return True

    return match


@dataclass(frozen=True, slots=True)
class Template:
    """A pattern with variables, which a request fills."""

    tokens: tuple[Token, ...]

    def fill(self, lookup: Lookup) -> list[str | Wild] | None:
        """None when a variable has neither value nor default. AWS: such a pattern matches nothing."""
        parts: list[str | Wild] = []
        for token in self.tokens:
            if isinstance(token, Variable):
                value = lookup(token.key)
                value = token.default if value is None else value
                if value is None:
                    return None
                parts.append(value)
            else:
                parts.append(token)
        return parts

    def text(self, lookup: Lookup) -> str | None:
        """Of a template without wildcards."""
        parts = self.fill(lookup)
        return None if parts is None else "".join(map(str, parts))

    def matches(self, text: str, lookup: Lookup) -> bool:
        parts = self.fill(lookup)
        return parts is not None and matcher(parts)(text)

    @property
    def keys(self) -> set[str]:
        return {token.key for token in self.tokens if isinstance(token, Variable)}


@dataclass(frozen=True, slots=True)
class ArnTemplate:
    """A template in the parts of an ARN. Its own colons divide it; those in values do not."""

    parts: tuple[Template, ...]

    def matches(self, text: str, lookup: Lookup) -> bool:
        given = text.split(":", _ARN_PARTS - 1)
        return len(given) == len(self.parts) and all(
            part.matches(one, lookup) for part, one in zip(self.parts, given, strict=True)
        )

    @property
    def keys(self) -> set[str]:
        return set().union(*(part.keys for part in self.parts))


def template(text: str, *, variables: bool, wildcards: bool = True) -> Template | None:
    """None when there is nothing to fill in and no escaped character: the text can be matched as it is."""
    if not variables or "${" not in text:
        return None
    return Template(tuple(tokens(text, variables=True, wildcards=wildcards)))


def arn_template(text: str, *, variables: bool) -> ArnTemplate | Template | None:
    """Not divided when it has fewer than six parts."""
    whole = template(text, variables=variables)
    if whole is None:
        return None
    parts: list[list[Token]] = [[]]
    for token in whole.tokens:
        if not isinstance(token, str):
            parts[-1].append(token)
            continue
        first, *others = token.split(":", _ARN_PARTS - len(parts))
        parts[-1].append(first)
        parts += [[other] for other in others]
    return whole if len(parts) < _ARN_PARTS else ArnTemplate(tuple(Template(tuple(part)) for part in parts))


def arn_glob(pattern: str) -> Matcher:
    """A pattern of all six parts of an ARN, each for itself: a star never reaches over a colon before the last part."""
    wanted = [glob(part) for part in pattern.split(":", _ARN_PARTS - 1)]

    def match(text: str) -> bool:
        given = text.split(":", _ARN_PARTS - 1)
        return len(given) == len(wanted) and all(test(part) for test, part in zip(wanted, given, strict=True))

    return match


def resource_glob(pattern: str) -> Matcher:
    """AWS: a star at the end of a part may stand for the following parts too (`arn:aws:execute-api:*`).

    It is taken so only where the pattern has fewer than six parts. Where it has all of them the parts are compared one by
    one: the last part is the path that the caller chose, and must not pose as region, account or API.
    """
    parts = pattern.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or not any("*" in part for part in parts[:-1]):
        return glob(pattern)
    return arn_glob(pattern)
