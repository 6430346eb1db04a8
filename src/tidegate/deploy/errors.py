"""The one error of a deployment: everything that is wrong, each problem with the place it is about."""

from __future__ import annotations

from collections.abc import Iterable

from tidegate.core.errors import Problem

__all__ = ["DeployError", "Problem"]


class DeployError(Exception):
    """Carries all problems, not only the first. A problem's pointer is `file:line:column` or `LogicalId.Property`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
