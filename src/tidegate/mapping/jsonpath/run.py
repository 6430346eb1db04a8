"""What one reading carries along: the document, what it found so far, and what it may still look at."""

from __future__ import annotations

from collections.abc import Callable

from tidegate.mapping.jsonpath.errors import JsonPathError


class Budget:
    """What one reading may still look at, its filters included."""

    __slots__ = ("left",)

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise JsonPathError("path looks at too many values of this document")


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
