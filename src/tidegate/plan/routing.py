"""Which method of which resource serves a request: a trie over path segments, with API Gateway's precedence.

Per segment: literal, then `{var}`, then `{proxy+}`; the most specific resource that has the verb (or ANY) wins, and a
branch that fails falls back to the next. Sources: shared facts, rest-data-plane §3. Costs at most the number of trie nodes
along the way, as every node is reached by one path only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

M = TypeVar("M")


@dataclass(slots=True)
class _Node(Generic[M]):
    verbs: dict[str, M] = field(default_factory=dict)
    literals: dict[str, _Node[M]] = field(default_factory=dict)
    variable: _Node[M] | None = None
    greedy: _Node[M] | None = None
    name: str = ""
    """Of the variable that this node binds."""

    def serve(self, verb: str) -> M | None:
        """Within one resource the exact verb beats ANY."""
        return self.verbs.get(verb) or self.verbs.get("ANY")


class Router(Generic[M]):
    """Built once from (resource path, verb, target); immutable afterwards by convention."""

    __slots__ = ("_root", "_static")

    def __init__(self, routes: list[tuple[str, str, M]]) -> None:
        self._root: _Node[M] = _Node()
        self._static: dict[str, _Node[M]] = {}
        """Paths without variables, for the common case: one look-up, and nothing can be more specific."""
        for path, verb, target in routes:
            node = self._insert(path)
            node.verbs[verb] = target
            if "{" not in path:
                self._static[path] = node

    def _insert(self, path: str) -> _Node[M]:
        node = self._root
        for segment in path.strip("/").split("/") if path != "/" else ():
            if segment.endswith("+}"):
                node.greedy = node.greedy or _Node(name=segment[1:-2])
                node = node.greedy
            elif segment.startswith("{"):
                node.variable = node.variable or _Node(name=segment[1:-1])
                node = node.variable
            else:
                node = node.literals.setdefault(segment, _Node())
        return node

    def match(self, verb: str, path: str) -> tuple[M, dict[str, str]] | None:
        """The target and the path parameters (as sent, still percent-encoded) for a path without its stage."""
        node = self._static.get(path)
        if node is not None and (target := node.serve(verb)) is not None:
            return target, {}
        segments = path.lstrip("/").rstrip("/").split("/")
        if segments == [""]:
            target = self._root.serve(verb)
            return None if target is None else (target, {})
        bound: dict[str, str] = {}
        found = _walk(self._root, segments, 0, verb, bound)
        return None if found is None else (found, bound)


def _walk(node: _Node[M], segments: list[str], at: int, verb: str, bound: dict[str, str]) -> M | None:
    if at == len(segments):
        return node.serve(verb)
    raw = segments[at]
    literal = node.literals.get(unquote(raw) if "%" in raw else raw)
    if literal is not None and (found := _walk(literal, segments, at + 1, verb, bound)) is not None:
        return found
    variable = node.variable
    if variable is not None and raw and (found := _walk(variable, segments, at + 1, verb, bound)) is not None:
        bound[variable.name] = raw
        return found
    if node.greedy is not None and (found := node.greedy.serve(verb)) is not None:
        bound[node.greedy.name] = "/".join(segments[at:])
        return found
    return None
