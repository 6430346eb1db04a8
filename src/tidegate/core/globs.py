"""Wildcards as IAM has them: `*` any run of characters, `?` any one.

A pattern is matched run by run from the left, which cannot backtrack: a hostile `a*a*a*…` costs about its length.
Source: *Condition operators*, StringLike (IAM User Guide). Not here: variables in patterns (aws.policy.patterns).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

Matcher = Callable[[str], bool]

_ATTEMPTS = 16
"""At finding a run of question marks before all positions are tried at once."""


class Wild(Enum):
    ANY = "*"
    ONE = "?"


def split(text: str, *, wildcards: bool) -> list[str | Wild]:
    """Text and wildcards in their order."""
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
        return matcher(split(text, wildcards=True))
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
