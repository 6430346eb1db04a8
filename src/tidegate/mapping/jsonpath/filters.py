"""Compiles the condition of a filter into a predicate on one element.

The paths in it are compiled by the evaluator, which hands itself in as `compiled`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tidegate.mapping.jsonpath.errors import NotFound
from tidegate.mapping.jsonpath.nodes import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Exists,
    JsonLiteral,
    Not,
    Operand,
    PathNode,
)
from tidegate.mapping.jsonpath.operators import OPERATORS, REGEX, UNDEFINED, regex_inputs
from tidegate.mapping.jsonpath.run import Predicate, Run


class Program(Protocol):
    """A compiled path, as the evaluator makes it."""

    rooted: bool

    def value(self, document: object, run: Run) -> object: ...


Compiler = Callable[[PathNode], Program]


def accepting(condition: Condition, compiled: Compiler) -> Predicate:
    """A filter: what leads nowhere in it means no."""
    predicate = _predicate(condition, compiled)

    def accepts(model: object, run: Run) -> bool:
        run.budget.spend()
        try:
            return predicate(model, run)
        except NotFound:
            return False

    return accepts


def _predicate(condition: Condition, compiled: Compiler) -> Predicate:
    match condition:
        case AnyOf(parts=parts):
            alternatives = [_predicate(part, compiled) for part in parts]
            return lambda item, run: any(part(item, run) for part in alternatives)
        case AllOf(parts=parts):
            demands = [_predicate(part, compiled) for part in parts]
            return lambda item, run: all(part(item, run) for part in demands)
        case Not(part=part):
            inner = _predicate(part, compiled)
            return lambda item, run: not inner(item, run)
        case Exists(path=path, expected=expected):
            return _existence(compiled(path), expected)
        case Comparison():
            return _comparison(condition, compiled)


def _existence(program: Program, expected: bool) -> Predicate:
    def predicate(item: object, run: Run) -> bool:
        # Jayway: an existence check starts at the item even when it is written with `$`.
        try:
            program.value(item, Run(run.root, run.budget, run.cache, strict=True))
        except NotFound:
            return not expected
        return expected

    return predicate


def _comparison(condition: Comparison, compiled: Compiler) -> Predicate:
    if isinstance(condition.left, JsonLiteral) and condition.operator in ("==", "===", "!=", "!=="):
        # Jayway compares the text of a literal on the left with a value: never equal.
        unequal = condition.operator in ("!=", "!==")
        return lambda item, run: unequal
    left, right = _operand(condition.left, compiled), _operand(condition.right, compiled)
    if condition.operator == REGEX:
        return _regex(left, right)
    operator = OPERATORS[condition.operator]
    return lambda item, run: operator(left(item, run), right(item, run))


def _regex(left: Callable[[object, Run], object], right: Callable[[object, Run], object]) -> Predicate:
    def predicate(item: object, run: Run) -> bool:
        inputs = regex_inputs(left(item, run), right(item, run))
        if inputs is None:
            return False
        pattern, texts = inputs
        for text in texts:
            run.budget.look_at_the_clock()
            if pattern.matches(text):
                return True
        return False

    return predicate


def _operand(operand: Operand, compiled: Compiler) -> Callable[[object, Run], object]:
    if isinstance(operand, PathNode):
        return _path_operand(compiled(operand))
    constant = operand.value
    return lambda item, run: constant


def _path_operand(program: Program) -> Callable[[object, Run], object]:
    def value(item: object, run: Run) -> object:
        try:
            if program.rooted:
                return _cached(program, run)
            return program.value(item, Run(run.root, run.budget, run.cache))
        except NotFound:
            return UNDEFINED

    return value


def _cached(program: Program, run: Run) -> object:
    """What a path with `$` gives is the same for every item."""
    key = id(program)
    if key not in run.cache:
        run.cache[key] = program.value(run.root, Run(run.root, run.budget, run.cache))
    return run.cache[key]
