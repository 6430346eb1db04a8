"""Patterns of models with look-around or back references: matched within a budget of time.

jsonschema-rs matches all other patterns in linear time. Those it gives to an engine that only counts its steps back: looking
ahead at every place of a long text takes a minute all the same. Here such a pattern becomes a format of its own, which asks the
PyPI package `regex`; it can be interrupted. As a name in `patternProperties` it has to begin with ^, and the
properties' names are bounded in length.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from time import perf_counter
from typing import Any, Final

import regex

SECONDS: Final = 0.25
"""Own bound: what all such patterns may take for one body. What is not matched by then is invalid."""

_COSTLY = re.compile(r"\(\?[=!<>]|\\[1-9k]")
_PREFIX = "pattern:"
_DOLLAR = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)


class Stopwatch:
    """What is left for the body at hand. One thread validates with one validator at a time."""

    __slots__ = ("_deadline",)

    def __init__(self) -> None:
        self._deadline = 0.0

    def start(self) -> None:
        self._deadline = perf_counter() + SECONDS

    def left(self) -> float:
        return self._deadline - perf_counter()


def is_costly(pattern: object) -> bool:
    return isinstance(pattern, str) and _COSTLY.search(pattern) is not None


def costly_names(root: dict[str, Any], schemas: Callable[[dict[str, Any]], Any]) -> list[str]:
    """Costly patterns of properties' names. Raises ValueError for one that would be tried at every place of a name."""
    named = [schema.get("patternProperties") for schema in schemas(root)]
    found = [name for names in named if isinstance(names, dict) for name in names if is_costly(name)]
    for name in found:
        if not name.startswith("^"):
            raise ValueError(
                f"Tidegate does not support the pattern {name} in patternProperties: it has to begin with ^"
            )
    return found


def as_format(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema`, which has a costly pattern, with a format in its place."""
    others = {name: value for name, value in schema.items() if name != "pattern"}
    combined = [*others.get("allOf", []), {"format": _PREFIX + schema["pattern"]}]
    return {**others, "allOf": combined}


def replaced(root: dict[str, Any], schemas: Callable[[dict[str, Any]], Any]) -> tuple[dict[str, Any], set[str]]:
    """A copy without costly patterns, and these. `schemas`: iterates over a schema and all in it."""
    found = {schema["pattern"] for schema in schemas(root) if is_costly(schema.get("pattern"))}
    if not found:
        return root, found
    whole = copy.deepcopy(root)
    for schema in list(schemas(whole)):
        if is_costly(schema.get("pattern")):
            changed = as_format(schema)
            schema.clear()
            schema.update(changed)
    return whole, found


def formats(patterns: set[str], watch: Stopwatch) -> dict[str, Callable[[str], bool]]:
    """How jsonschema-rs is to check them. Raises ValueError for what is no pattern."""
    return {_PREFIX + pattern: _checker(pattern, watch) for pattern in patterns}


def _checker(pattern: str, watch: Stopwatch) -> Callable[[str], bool]:
    # ECMA 262: the dollar is the very end, digits and letters are those of ASCII.
    text = _DOLLAR.sub(lambda found: r"\Z" if found[0] == "$" else found[0], pattern)
    try:
        compiled = regex.compile(text, regex.V0 | regex.ASCII)
    except regex.error as error:
        raise ValueError(f"{pattern} is not a regex: {error}") from error

    def check(value: str) -> bool:
        left = watch.left()
        try:
            return left > 0 and compiled.search(value, timeout=left) is not None
        except TimeoutError:
            return False

    return check
