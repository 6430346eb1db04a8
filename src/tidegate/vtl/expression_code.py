"""Expressions → Python expressions.

The Python is written for speed where templates spend their time: properties of maps, method calls (each call site remembers the
function for a class, see java_methods.Site), comparisons with literals. Everything else is a call into the runtime.
`M` is the meter, `t…` are temporary variables.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tidegate.vtl.arithmetic import calculate
from tidegate.vtl.code import Code
from tidegate.vtl.dialect import Dialect
from tidegate.vtl.errors import TemplateSyntaxError
from tidegate.vtl.java_methods import CROSSING, LIGHT, METERED, POURING, SEARCHING, WEIGHED, Site
from tidegate.vtl.nodes import (
    Expression,
    Index,
    Interpolation,
    ListOf,
    Literal,
    MapOf,
    Method,
    Node,
    Not,
    Operation,
    Property,
    RangeOf,
    Reference,
    Step,
    Text,
)
from tidegate.vtl.variables import Variables

MOST_STEPS = 30
MOST_COMPARISONS = 20


@dataclass(slots=True)
class Function:
    """The Python function that is being written."""

    finish: str
    """How it ends: the statement that returns what was rendered."""
    is_main: bool = False
    is_macro: bool = False
    is_string: bool = False
    """What it wrote so far is lost when a #stop is met."""
    can_break: bool = False
    """Whether a `#break` here ends a loop in this function."""
    loops: list[int] = field(default_factory=list)
    """The numbers of the loops around, outermost first: loop 3 has its index in `i3`, its last index in `n3`."""


class ExpressionCode:
    """Writes expressions. `render` writes a block as a function of its own, and returns its name."""

    def __init__(
        self, code: Code, variables: Variables, dialect: Dialect, render: Callable[[tuple[Node, ...], bool], str]
    ) -> None:
        self._code = code
        self._variables = variables
        self._dialect = dialect
        self._render = render
        self._temporaries = 0
        self.function = Function(finish="")
        self.sites: dict[str, Any] = {}
        """The call sites, by their names in the code."""
        self.looked_up: list[str] = []
        """Functions of calls in loops that are looked up before, as what they are called of stays the same."""

    def fresh(self) -> None:
        """A new statement begins: temporary variables may be used again."""
        self._temporaries = 0

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"

    # -- references

    def shown(self, reference: Reference) -> str:
        """What a reference prints."""
        value = self.reference(reference, printed=True)
        if reference.escaped:
            return f"escaped({value}, {reference.slashes!r}, {reference.literal!r})"
        null = self.null(reference)
        scope = ", V" if self._variables.shared else ""
        if reference.slashes or reference.before:
            return f"touched(M, {value}, {null}, {reference.slashes!r}, {reference.before!r}{scope})"
        name, bound = self._bound(value)
        return f"({name} if {bound}.__class__ is str else show(M, {name}, {null}{scope}))"

    def null(self, reference: Expression) -> str:
        """What null prints in place of a reference."""
        if not isinstance(reference, Reference) or reference.quiet:
            return "''"
        if self._dialect.null_prints_nothing:
            if reference.root in self._variables.assigned or self._loop_variable(reference):
                return "''"
            return f"('' if {self._variables.is_known(reference.root)} else {reference.literal!r})"
        if self.function.is_macro and reference.literal == f"${reference.root}":
            return f"V.literal({reference.root!r})"
        return repr(reference.literal)

    def _bound(self, value: str) -> tuple[str, str]:
        """A name for a value, and the code that makes it (which has to be evaluated first)."""
        if value.isidentifier():
            return value, value
        name = self._temporary()
        return name, f"({name} := {value})"

    def reference(self, reference: Reference, *, printed: bool = False) -> str:
        """A reference's value. When it is printed right away, its last result need not be charged."""
        if len(reference.steps) > MOST_STEPS:
            raise TemplateSyntaxError(f"a reference of more than {MOST_STEPS} steps", 0, 0)
        value, steps = self._loop_variable(reference) or (self._variables.read(reference.root), reference.steps)
        for number, step in enumerate(steps, 1):
            value = self._step(value, step, printed=printed and number == len(steps))
        return value

    def _step(self, target: str, step: Step, *, printed: bool = False) -> str:
        match step:
            case Property(name):
                bound_name, bound = self._bound(target)
                if name == "class":
                    return f"prop({target}, 'class')"
                return f"({bound_name}.get({name!r}) if {bound}.__class__ is dict else prop({bound_name}, {name!r}))"
            case Index(key):
                return f"index({target}, {self.value(key)})"
        return self.call(target, step, printed=printed)

    def call(self, target: str, method: Method, *, printed: bool = False) -> str:
        """A method call's result."""
        name = f"S{self._code.number()}"
        site = Site(method.name, len(method.arguments), self._dialect)
        self.sites[name] = site
        self.sites[name.lower()] = site.known.get
        if method.name in WEIGHED:
            target = f"weighed(M, {target})"
        elif method.name in SEARCHING:
            target = f"searched(M, {target}, {method.name == 'remove'})"
        bound_name, bound = self._bound(target)
        arguments = [self.value(argument) for argument in method.arguments]
        if method.name in POURING:
            arguments = [f"poured(M, {argument})" for argument in arguments]
        elif method.name in CROSSING:
            arguments = [f"crossed(M, {bound_name}, {argument})" for argument in arguments]
        looked_up = ""
        if method.name == "get" and len(arguments) == 1 and (is_text := _is_text(arguments[0], method.arguments[0])):
            looked_up = f"{bound_name}.get({arguments[0]}) if {bound}.__class__ is dict and {is_text} else "
            bound = bound_name
        arguments.insert(0, bound_name)
        function = f"{name.lower()}({bound}.__class__)"
        if self.function.loops and self._variables.is_constant(target):
            self.looked_up.append(f"k{name} = {function}")
            function = f"k{name}"
        call = f"({function} or {name}.resolve({bound_name}))({', '.join(arguments)})"
        if looked_up:
            return f"({looked_up}{call})"
        if method.name in METERED:
            return f"grown(M, {call})"
        return call if printed or method.name in LIGHT else f"M.made({call})"

    def _loop_variable(self, reference: Reference) -> tuple[str, tuple[Step, ...]] | None:
        """`$foreach.index` and its kin inside of a loop: the value and the steps that are left."""
        loops = list(self.function.loops)
        if not loops:
            return None
        if reference.root in ("velocityCount", "velocityHasNext"):
            return self._of_loop(
                loops[-1], "count" if reference.root == "velocityCount" else "hasNext"
            ), reference.steps
        if reference.root != "foreach":
            return None
        for number, step in enumerate(reference.steps):
            if not isinstance(step, Property):
                break
            if step.name in ("index", "count", "hasNext", "first", "last"):
                return self._of_loop(loops[-1], step.name), reference.steps[number + 1 :]
            if step.name == "topmost":
                del loops[1:]
            elif step.name == "parent" and len(loops) > 1:
                loops.pop()
            else:
                break
        scope = "None"
        for loop in self.function.loops:
            scope = f"ForeachScope(i{loop}, n{loop} + 1, {scope})"
        return scope, reference.steps

    def _flags(self) -> set[str]:
        """Those of the loops' variables that are true or false."""
        return {self._of_loop(loop, name) for loop in self.function.loops for name in ("hasNext", "first", "last")}

    @staticmethod
    def _of_loop(loop: int, name: str) -> str:
        return {
            "index": f"i{loop}",
            "count": f"(i{loop} + 1)",
            "hasNext": f"(i{loop} < n{loop})",
            "first": f"(i{loop} == 0)",
            "last": f"(i{loop} == n{loop})",
        }[name]

    # -- expressions

    def value(self, expression: Expression) -> str:
        """An expression's value."""
        match expression:
            case Literal():
                return self._literal(expression.value)
            case Reference():
                return self.reference(expression)
            case Interpolation():
                return self._interpolation(expression)
            case ListOf():
                return f"new_list(M, [{', '.join(map(self.value, expression.items))}])"
            case MapOf():
                entries = [self.value(part) for entry in expression.entries for part in entry]
                return f"new_map({', '.join(['M', *entries])})"
            case RangeOf():
                return f"span(M, {self.value(expression.first)}, {self.value(expression.last)})"
            case Not():
                return self.truth(expression)
            case Operation():
                return self._operation(expression)

    def _literal(self, value: object) -> str:
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            return "1e999" if value > 0 else "(-1e999)"
        return f"({value!r})" if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)

    def _interpolation(self, string: Interpolation) -> str:
        with self._code.at(string.position):
            if all(isinstance(node, Text | Reference) for node in string.body):
                items = [
                    repr(node.text) if isinstance(node, Text) else self.shown(node)
                    for node in string.body
                    if isinstance(node, Text | Reference)
                ]
                return f"M.text(({''.join(f'{item}, ' for item in items)}))"
            temporaries = self._temporaries
            name = self._render(string.body, True)
            self._temporaries = temporaries
            return f"{name}(V)"

    def truth(self, expression: Expression) -> str:
        """Whether an expression counts as true: a condition. Only references, comparisons and true can (Velocity)."""
        match expression:
            case Literal():
                return str(expression.value is True)
            case Reference():
                if (loop := self._loop_variable(expression)) is not None and loop[0] in self._flags() and not loop[1]:
                    return loop[0]
                name, bound = self._bound(self.reference(expression))
                return f"({bound} is not None and {name} is not False)"
            case Not():
                return f"(not {self.truth(expression.operand)})"
            case Operation() if expression.operators[0] not in ("+", "-", "*", "/", "%"):
                return self._operation(expression)
        return "False"

    def _operation(self, operation: Operation) -> str:
        operators, operands = operation.operators, operation.operands
        if operators[0] in ("and", "or"):
            return "(" + f" {operators[0]} ".join(map(self.truth, operands)) + ")"
        if (constant := _folded(operation)) is not None:
            return self._literal(constant)
        if operators[0] in ("+", "-"):
            return self._sum(operators, operands)
        values = [self.value(operand) for operand in operands]
        if operators[0] in ("*", "/", "%"):
            if len(values) == 2:
                return f"calculate({operators[0]!r}, {values[0]}, {values[1]})"
            return f"calculate_all({''.join(operators)!r}, ({', '.join(values)}))"
        if len(values) > MOST_COMPARISONS:
            raise TemplateSyntaxError(f"more than {MOST_COMPARISONS} comparisons in a row", 0, 0)
        result = values[0]
        for operator, operand, value in zip(operators, operands[1:], values[1:], strict=True):
            if operator in ("==", "!="):
                equal = self._equal(result, value, operands[0] if result == values[0] else None, operand)
                result = equal if operator == "==" else f"(not {equal})"
            else:
                result = f"compare({operator!r}, {result}, {value})"
        return result

    def _sum(self, operators: tuple[str, ...], operands: tuple[Expression, ...]) -> str:
        values = [self.value(operand) for operand in operands]
        nulls = [self.null(operand) for operand in operands]
        if len(values) > 2:
            return f"add_all(M, {''.join(operators)!r}, ({', '.join(values)}), ({', '.join(nulls)}))"
        if operators[0] == "-":
            return f"calculate('-', {values[0]}, {values[1]})"
        return f"add(M, {values[0]}, {values[1]}, {nulls[0]}, {nulls[1]})"

    def _equal(self, left: str, right: str, left_node: Expression | None, right_node: Expression) -> str:
        for value, literal, node in ((left, right, right_node), (right, left, left_node)):
            if isinstance(node, Literal) and node.value.__class__ in (str, int):
                name, bound = self._bound(value)
                kind = "str" if node.value.__class__ is str else "int"
                return f"({name} == {literal} if {bound}.__class__ is {kind} else equal(M, {name}, {literal}))"
        return f"equal(M, {left}, {right})"


def _is_text(code: str, expression: Expression) -> str:
    """The condition that an argument is a string, where it may be looked at twice; else empty."""
    if isinstance(expression, Literal):
        return "True" if expression.value.__class__ is str else ""
    return f"{code}.__class__ is str" if code.isidentifier() else ""


def _folded(operation: Operation) -> object:
    """The result of arithmetic with literal numbers only; None when it is anything else."""
    if operation.operators[0] not in ("+", "-", "*", "/", "%"):
        return None
    result: object = None
    for number, operand in enumerate(operation.operands):
        if not isinstance(operand, Literal):
            return None
        result = calculate(operation.operators[number - 1], result, operand.value) if number else operand.value
        if result.__class__ not in (int, float) or result != result:
            return None
    return result
