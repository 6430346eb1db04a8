"""A parsed JSONPath: tokens in the order in which they are written, filters as trees. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Names:
    """`.a`, `['a']`, `['a','b']`."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Indices:
    """`[0]`, `[-1]`, `[0,2]`."""

    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """`[1:]`, `[:2]`, `[1:2]`; Jayway knows no step."""

    start: int | None
    stop: int | None


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`.*`, `[*]`."""


@dataclass(frozen=True, slots=True)
class Scan:
    """`..`: the token after it is tried on every object and list below."""


@dataclass(frozen=True, slots=True)
class FilterToken:
    """`[?(...)]`."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Call:
    """`.length()`, `.concat("x", $.y)`: parameters are paths, evaluated against the document, or JSON texts."""

    name: str
    parameters: tuple[PathNode | str, ...]


Token: TypeAlias = "Names | Indices | Slice | Wildcard | Scan | FilterToken | Call"  # noqa: S105


@dataclass(frozen=True, slots=True)
class PathNode:
    """A whole path; `rooted` when it starts with `$`, else with `@`."""

    rooted: bool
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, number, boolean, null or compiled pattern in a filter."""

    value: object


@dataclass(frozen=True, slots=True)
class JsonLiteral:
    """A list or object in a filter."""

    value: object


Operand: TypeAlias = "PathNode | Literal | JsonLiteral"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`left operator right`; the operator in Jayway's spelling, upper case."""

    left: Operand
    operator: str
    right: Operand


@dataclass(frozen=True, slots=True)
class Exists:
    """`@.a`, `!@.a`."""

    path: PathNode
    expected: bool


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`a || b`."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """`a && b`."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """`!(a)`."""

    part: Condition


Condition: TypeAlias = "Comparison | Exists | AnyOf | AllOf | Not"
