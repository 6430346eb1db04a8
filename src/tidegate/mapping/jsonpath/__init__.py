"""JSONPath in the dialect of Jayway's JsonPath for Java, which API Gateway's `$input.path()` and `$input.json()` speak.

    compile_path("$.store.book[?(@.price < 10)].title").read(document)

A definite path (names and single indices) gives a value, None where it leads nowhere. An indefinite one gives a list, empty
where it leads nowhere. Reading never changes the document; what it gives may be part of it. AWS: "Mapping template … reference",
which refers to "JSONPath for Java".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tidegate.mapping.jsonpath.errors import JsonPathError
from tidegate.mapping.jsonpath.evaluator import Program, evaluate
from tidegate.mapping.jsonpath.nodes import Indices, Names, PathNode
from tidegate.mapping.jsonpath.parser import parse_path

__all__ = ["JsonPath", "JsonPathError", "compile_path"]


@dataclass(frozen=True, slots=True)
class JsonPath:
    """A compiled path. `read` is a function of its own, made for this path; it raises JsonPathError past its budget."""

    text: str
    definite: bool
    read: Callable[[object], object]
    is_plain: bool = False
    """Names and indices only: it takes as many steps as it has, whatever the document."""


def compile_path(text: str) -> JsonPath:
    """Compile a path. Callers keep the result. Raises JsonPathError with the position."""
    path = parse_path(text)
    keys = _plain_keys(path)
    if keys is not None:
        return JsonPath(text, True, _plain_reader(keys), is_plain=True)
    program = Program(path)
    return JsonPath(text, program.definite, lambda document: evaluate(program, document))


def _plain_keys(path: PathNode) -> tuple[str | int, ...] | None:
    """The names and indices of a path that has nothing else: most paths."""
    keys: list[str | int] = []
    for token in path.tokens:
        if isinstance(token, Names) and len(token.names) == 1:
            keys.append(token.names[0])
        elif isinstance(token, Indices) and len(token.indices) == 1:
            keys.append(token.indices[0])
        else:
            return None
    return tuple(keys)


def _plain_reader(keys: tuple[str | int, ...]) -> Callable[[object], object]:
    if not keys:
        return lambda document: document
    steps: tuple[tuple[Any, Any], ...] = tuple((key, list if isinstance(key, int) else dict) for key in keys)

    def read(document: object) -> object:
        value: Any = document
        try:
            for key, kind in steps:
                if not isinstance(value, kind):
                    return None
                value = value[key]
        except LookupError:
            return None
        return value

    return read
