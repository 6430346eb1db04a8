"""How much a rendering may take, and the meter that holds it to that.

Everything that a template can repeat or enlarge is charged in *units of work*: an iteration of a loop, a call of a macro,
a character of a string that was made, an element of a list. The clock is looked at each time some units are used up, so
that a rendering which only computes ends in time, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from tidegate.vtl.errors import BudgetExceeded

_UNITS_BETWEEN_LOOKS_AT_THE_CLOCK = 50_000
_PARTS_KEPT_APART = 100_000
_FEW_PARTS = 64


@dataclass(frozen=True, slots=True)
class Budget:
    """What one rendering may take."""

    iterations_per_loop: int = 1000
    """AWS: *Quotas*, iterations in a #foreach loop in a mapping template."""
    output: int = 10_485_760
    """Characters of the result. AWS: *Quotas*, payload size 10 MB."""
    work: int = 30_000_000
    """Units of work (see above)."""
    seconds: float = 5.0
    """Time by the wall clock."""
    macro_depth: int = 20
    """Macros inside macros (Velocity's velocimacro.max.depth)."""


DEFAULT_BUDGET = Budget()


class Meter:
    """What one rendering has left. Every method raises BudgetExceeded when something is used up."""

    __slots__ = (
        "_budget",
        "_deadline",
        "_next_look",
        "_work",
        "_written",
        "define_depths",
        "iterations_per_loop",
        "macro_depth",
    )

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._work = budget.work
        self._written = 0
        self._next_look = budget.work - _UNITS_BETWEEN_LOOKS_AT_THE_CLOCK
        self._deadline = perf_counter() + budget.seconds
        self.iterations_per_loop = budget.iterations_per_loop
        self.macro_depth = 0
        self.define_depths: dict[int, int] = {}

    def charge(self, units: int) -> None:
        """Take some units of work."""
        self._work -= units
        if self._work < self._next_look:
            self._look()

    def _look(self) -> None:
        if self._work < 0:
            raise BudgetExceeded(f"the template needs more than {self._budget.work} units of work")
        self._next_look = max(0, self._work - _UNITS_BETWEEN_LOOKS_AT_THE_CLOCK)
        self.look_at_the_clock()

    def look_at_the_clock(self) -> None:
        if perf_counter() > self._deadline:
            raise BudgetExceeded(f"the template needs more than {self._budget.seconds:g} seconds")

    def size(self, characters: int) -> None:
        """Refuse a string of this length before it is made."""
        if characters > self._budget.output:
            raise BudgetExceeded(f"the template makes a text of more than {self._budget.output} characters")

    def too_many(self, count: int) -> None:
        """A loop over so many elements is about to start."""
        raise BudgetExceeded(f"a #foreach over {count} elements; {self.iterations_per_loop} are allowed")

    def tick(self, units: int, parts: list[str]) -> None:
        """A loop turned: charge it, and keep what was written so far from growing without bounds."""
        self.charge(units)
        if len(parts) > _PARTS_KEPT_APART:
            parts[:] = [self.join(parts)]

    def join(self, parts: list[str]) -> str:
        """The parts of the output, or of a text, as one."""
        if len(parts) > _FEW_PARTS:
            self.size(sum(map(len, parts)))
        # Of a few parts, the long ones have been counted by `write`, but for the template's own text, which is not endless.
        text = "".join(parts)
        self.size(len(text))
        return text

    def write(self, characters: int) -> None:
        """A long part of the output, or of a block's text, is about to be made."""
        self._written += characters
        self.size(self._written)

    def begin(self) -> int:
        """A block's text is begun, which counts by itself. Gives what `end` has to be told."""
        outer, self._written = self._written, 0
        return outer

    def end(self, parts: list[str], outer: int) -> str:
        """The text of a block, which is complete."""
        self._written = outer
        return self.text(parts)

    def text(self, parts: Sequence[str]) -> str:
        """The parts of a string in double quotes, or of a block, as one."""
        length = sum(map(len, parts))
        self.size(length)
        self.charge(length + 1)
        return "".join(parts)

    def kept(self, value: str) -> str:
        """Charge a text that was made and may be kept."""
        self.charge(len(value) + 1)
        return value

    def made(self, value: object) -> object:
        """Charge whatever a method has made."""
        if isinstance(value, str | list | dict):
            self.charge(len(value) + 1)
            if value.__class__ is str:
                self.size(len(value))
        return value

    def in_macro(self, name: str, render: Callable[[], None]) -> None:
        """Render a macro's body one level deeper."""
        self.charge(20)
        if self.macro_depth >= self._budget.macro_depth:
            raise BudgetExceeded(f"macro '{name}' calls itself: more than {self._budget.macro_depth} levels")
        self.macro_depth += 1
        try:
            render()
        finally:
            self.macro_depth -= 1
