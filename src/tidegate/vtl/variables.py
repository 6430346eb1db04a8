"""Where a compiled template keeps its variables.

A plain template has them in Python's local variables, which is as fast as it gets. One that calls macros, defines blocks, or
has directives in strings needs them where several functions can see them: in a dict (or a macro's Scope), `V`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tidegate.vtl.nodes import (
    Call,
    Define,
    Foreach,
    If,
    Index,
    Interpolation,
    ListOf,
    MapOf,
    Method,
    Not,
    Operation,
    Parsed,
    RangeOf,
    Reference,
    Set,
    Text,
)


def parts(node: object) -> Iterable[object]:
    """What a node is made of, one level down."""
    match node:
        case Reference():
            return [
                part
                for step in node.steps
                for part in (
                    step.arguments if isinstance(step, Method) else [step.key] if isinstance(step, Index) else []
                )
            ]
        case Interpolation():
            return node.body
        case ListOf():
            return node.items
        case MapOf():
            return [each for entry in node.entries for each in entry]
        case RangeOf():
            return [node.first, node.last]
        case Not():
            return [node.operand]
        case Operation():
            return node.operands
        case Set():
            return [node.target, node.value]
        case If():
            return [part for condition, body in node.branches for part in (condition, *body)] + [*node.otherwise]
        case Foreach():
            return [node.source, *node.body]
        case Define():
            return node.body
        case Call():
            return [*node.arguments, *(node.body or ())]
    return ()


def walk(nodes: Iterable[object]) -> Iterator[object]:
    """All nodes, and all inside of them."""
    pending = list(nodes)
    while pending:
        node = pending.pop()
        yield node
        pending.extend(parts(node))


class Variables:
    """The variables of one template: which there are, and how they are read and written in Python."""

    def __init__(self, template: Parsed) -> None:
        bodies = [*template.body, *(node for macro in template.macros.values() for node in macro.body)]
        nodes = list(walk(bodies))
        self.shared = bool(template.macros) or any(
            isinstance(node, Define | Call)
            or (isinstance(node, Interpolation) and not all(isinstance(part, Text | Reference) for part in node.body))
            for node in nodes
        )
        self.assigned = {node.target.root for node in nodes if isinstance(node, Set) and not node.target.steps}
        self.assigned |= {node.variable for node in nodes if isinstance(node, Foreach)}
        self.assigned |= {node.name for node in nodes if isinstance(node, Define)}
        self.assigned |= {name for macro in template.macros.values() for name in macro.parameters}
        self.assigned |= {"bodyContent"} if self.shared else set()
        roots = {node.root for node in nodes if isinstance(node, Reference)} | self.assigned
        self.roots = {root: number for number, root in enumerate(sorted(roots))}
        self._constants = () if self.shared else {self.read(root) for root in roots - self.assigned}

    def read(self, root: str) -> str:
        return f"V.get({root!r})" if self.shared else f"v{self.roots[root]}"

    def is_constant(self, code: str) -> bool:
        """Whether this reads a variable that the template leaves as it was handed in, in Python's own."""
        return code in self._constants

    def write(self, root: str) -> str:
        """The left side of an assignment."""
        return f"V[{root!r}]" if self.shared else f"v{self.roots[root]}"

    def is_known(self, root: str) -> str:
        """Whether a variable that is never assigned was handed in."""
        return f"{root!r} in G"
