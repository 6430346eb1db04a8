"""What one reading carries along: the document, what it found so far, and what it may still look at."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from tidegate.mapping.jsonpath.errors import JsonPathError

SECONDS = 1.0  # own bound: regular expressions in one reading


class Budget:
    """What one reading may still look at, its filters included."""

    __slots__ = ("deadline", "left")

    def __init__(self, steps: int) -> None:
        self.left = steps
        self.deadline = perf_counter() + SECONDS

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise JsonPathError("path looks at too many values of this document")

    def look_at_the_clock(self) -> None:
        """Where a step may take long: a regular expression has its own limit, all of them together have this one."""
        if perf_counter() > self.deadline:
            raise JsonPathError("path takes too long on this document")


class Run:
    """One evaluation of one path. `strict`: every property must be there (Jayway's REQUIRE_PROPERTIES, in existence checks)."""

    __slots__ = ("budget", "cache", "results", "root", "strict")

    def __init__(self, root: object, budget: Budget, cache: dict[int, object], *, strict: bool = False) -> None:
        self.root = root
        self.budget = budget
        self.cache = cache
        self.strict = strict
        self.results: list[object] = []


Predicate = Callable[[object, Run], bool]
