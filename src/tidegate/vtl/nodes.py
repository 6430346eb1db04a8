"""The syntax tree of a template. A position is an offset into the source."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Text:
    """What is written as it stands."""

    text: str


# -- expressions


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a string without references in it, true or false."""

    value: object


@dataclass(frozen=True, slots=True)
class Interpolation:
    """A string in double quotes with references or directives in it."""

    body: tuple[Node, ...]
    position: int


@dataclass(frozen=True, slots=True)
class ListOf:
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    entries: tuple[tuple[Expression, Expression], ...]


@dataclass(frozen=True, slots=True)
class RangeOf:
    """`[first..last]`, both included, up or down."""

    first: Expression
    last: Expression


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression


@dataclass(frozen=True, slots=True)
class Operation:
    """Operands between operators of one precedence, applied from left to right: `operands[0] op[0] operands[1] …`."""

    operators: tuple[str, ...]
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Property:
    """`.name`"""

    name: str


@dataclass(frozen=True, slots=True)
class Method:
    """`.name(arguments)`"""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """`[key]`"""

    key: Expression


Step = Property | Method | Index


@dataclass(frozen=True, slots=True)
class Reference:
    """`$root.step[step]…`"""

    root: str
    steps: tuple[Step, ...]
    literal: str
    """As written, from the dollar sign on: what plain Velocity prints in place of null."""
    position: int
    quiet: bool = False
    """`$!root`"""
    escaped: bool = False
    """Behind an odd number of backslashes."""
    slashes: str = ""
    """Half of the backslashes before it: they are printed."""
    before: str = ""
    """Dollar signs and hashes that touch it: they are printed."""


Expression = Literal | Interpolation | ListOf | MapOf | RangeOf | Not | Operation | Reference


# -- directives


@dataclass(frozen=True, slots=True)
class Set:
    target: Reference
    value: Expression
    position: int


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Expression, tuple[Node, ...]], ...]
    otherwise: tuple[Node, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Foreach:
    variable: str
    source: Expression
    body: tuple[Node, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Break:
    position: int


@dataclass(frozen=True, slots=True)
class Stop:
    position: int


@dataclass(frozen=True, slots=True)
class Define:
    """`#define($name) body #end`: rendered anew each time it is printed."""

    name: str
    body: tuple[Node, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """`#name(arguments)`, or with a body: `#@name(arguments) body #end`. Text, should there be no such macro."""

    name: str
    arguments: tuple[Expression, ...]
    literals: tuple[str, ...]
    literal: str
    position: int
    body: tuple[Node, ...] | None = None


@dataclass(frozen=True, slots=True)
class Macro:
    """A macro's definition; the same one may be in the template several times, the first counts."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[Node, ...]
    position: int


Node = Text | Reference | Set | If | Foreach | Break | Stop | Define | Call


@dataclass(frozen=True, slots=True)
class Parsed:
    """A whole template."""

    body: tuple[Node, ...]
    macros: dict[str, Macro] = field(default_factory=dict)
