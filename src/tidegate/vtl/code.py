"""The Python source that a template becomes, while it is being written: lines, each with its place in the template."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Code:
    """Lines of Python, and for each the position in the template that it was made from."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._indent = 0
        self._numbers = 0
        self._fixed: int | None = None
        self.positions: list[int] = [0]
        """By line number, from 1 on."""

    def line(self, text: str, position: int) -> None:
        self._lines.append(" " * self._indent + text)
        self.positions.append(position if self._fixed is None else self._fixed)

    def reserve(self) -> int:
        """A line that is filled in when it is known what belongs there."""
        self.line("", 0)
        return len(self._lines) - 1

    def fill(self, line: int, text: str) -> None:
        self._lines[line] = " " * self._indent + text

    @contextmanager
    def indented(self) -> Iterator[None]:
        """What is written in here is the block of the line before; never empty."""
        self._indent += 1
        lines = len(self._lines)
        yield
        if len(self._lines) == lines:
            self.line("pass", 0)
        self._indent -= 1

    @contextmanager
    def at(self, position: int) -> Iterator[None]:
        """What is written in here comes from this place: a string's insides have no positions of their own."""
        outer = self._fixed
        self._fixed = position if outer is None else outer
        yield
        self._fixed = outer

    def number(self) -> int:
        """A number for a name, never given twice."""
        self._numbers += 1
        return self._numbers

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"
