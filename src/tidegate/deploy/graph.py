"""Dependency order: a stable topological sort, and the report of a cycle. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set


class CycleError(Exception):
    """Carries the members of the cycles, in the order given."""

    def __init__(self, members: list[str]) -> None:
        super().__init__(f"Circular dependency between resources: [{', '.join(members)}]")
        self.members = members


def topological(dependencies: Mapping[str, Set[str]]) -> list[str]:
    """Names, each after all that it depends on; where nothing else decides, in the order given. Raises CycleError."""
    placed: dict[str, None] = {}
    waiting = list(dependencies)
    while waiting:
        ready = [name for name in waiting if dependencies[name] <= placed.keys()]
        if not ready:
            raise CycleError(_in_cycles(dependencies, waiting))
        placed[ready[0]] = None
        waiting.remove(ready[0])
    return list(placed)


def reachable(dependencies: Mapping[str, Set[str]], start: str) -> set[str]:
    """Everything that `start` depends on, directly or not."""
    found: set[str] = set()
    frontier = [start]
    while frontier:
        for name in dependencies.get(frontier.pop(), ()):
            if name not in found:
                found.add(name)
                frontier.append(name)
    return found


def _in_cycles(dependencies: Mapping[str, Set[str]], waiting: list[str]) -> list[str]:
    return [name for name in waiting if name in reachable(dependencies, name)]
