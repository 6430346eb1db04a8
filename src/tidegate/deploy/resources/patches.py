"""Patch operations out of the difference between two states of a resource's properties.

AWS: API Gateway REST API Reference, "Patch operations".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import Props

Patch: TypeAlias = dict[str, str]


def replacement(path: str, value: Any) -> Patch:
    return {"op": "replace", "path": path, "value": text(value)}


def scalars(
    paths: Mapping[str, str], new: Props, old: Props, *, reset: Mapping[str, str] | None = None
) -> Iterator[Patch]:
    """One replace for each property that differs. `paths`: property → path; `reset`: property → what it is without being
    given, where that is not the empty text."""
    for name, path in paths.items():
        if new.get(name) != old.get(name):
            yield replacement(path, new.get(name, (reset or {}).get(name, "")))


def members(path: str, new: Iterable[str], old: Iterable[str]) -> Iterator[Patch]:
    """An add or a remove for each member of a list that differs."""
    wanted, before = list(dict.fromkeys(new)), list(dict.fromkeys(old))
    yield from ({"op": "add", "path": path, "value": value} for value in wanted if value not in before)
    yield from ({"op": "remove", "path": path, "value": value} for value in before if value not in wanted)


def entries(path: str, new: Props | None, old: Props | None) -> Iterator[Patch]:
    """A replace or a remove for each entry of a map that differs."""
    wanted, before = new or {}, old or {}
    for name in sorted(before.keys() - wanted.keys()):
        yield {"op": "remove", "path": f"{path}/{escaped(name)}"}
    for name, value in wanted.items():
        if before.get(name) != value:
            yield replacement(f"{path}/{escaped(name)}", value)


def group(path: str, new: Props | None, old: Props | None, names: Mapping[str, str]) -> Iterator[Patch]:
    """The members of a structure that can only be removed as a whole. `names`: its members → their names in paths."""
    wanted, before = new or {}, old or {}
    if before.keys() - wanted.keys():
        yield {"op": "remove", "path": path}
        before = {}
    for name, member in names.items():
        if name in wanted and wanted[name] != before.get(name):
            yield replacement(f"{path}/{member}", wanted[name])


def escaped(key: str) -> str:
    """A key as one segment of a path."""
    return key.replace("~", "~0").replace("/", "~1")
