"""The parser's half that reads references and expressions.

Grammar, loosest binding first: or, and, equality, relation, sum, product, not, primary. Arguments of methods and directives
and the items of lists and maps are *values* (a primary without parentheses): Velocity allows no operators there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tidegate.vtl import lexer
from tidegate.vtl.errors import TemplateSyntaxError
from tidegate.vtl.lexer import Scanner
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
)

_Read = TypeVar("_Read", bound=Expression)

DEEPEST = 40
"""Expressions inside expressions."""
LEVELS = ("or", "and", "equality", "relation", "sum", "product")


class ExpressionParser:
    """Reads expressions off a scanner. Strings with references in them are templates of their own: `parse_text` reads them."""

    def __init__(self, scanner: Scanner, parse_text: Callable[[str, int], tuple[Node, ...]]) -> None:
        self._scanner = scanner
        self._parse_text = parse_text
        self._depth = 0

    # -- references

    def reference(self) -> Reference:
        """A reference in an expression: `$a`, `$!a`, `${a}`."""
        start = self._scanner.position
        if not self._scanner.skip("$"):
            self._scanner.fail("expected a reference")
        return self.rest_of_reference(start, quiet=self._scanner.skip("!"))

    def rest_of_reference(self, start: int, *, quiet: bool, slashes: int = 0, before: str = "") -> Reference:
        """A reference of which all before its name was read. `start`: its dollar sign; `slashes`: backslashes in front."""
        scanner = self._scanner
        formal = scanner.skip("{")
        root = self._name()
        steps = self._steps()
        if formal and not scanner.skip("}"):
            scanner.fail("expected '}'")
        return Reference(
            root,
            steps,
            literal=scanner.source[start : scanner.position],
            position=start,
            quiet=quiet,
            escaped=slashes % 2 == 1,
            slashes="\\" * (slashes // 2),
            before=before,
        )

    def rest_of_braces(self) -> None:
        """What looks like a reference inside of braces, up to the closing one."""
        self._name()
        self._steps()
        if not self._scanner.skip("}"):
            self._scanner.fail("expected '}'")

    def _name(self) -> str:
        start = self._scanner.position
        name = self._scanner.expect(lexer.IDENTIFIER, "a name")
        if name in ("true", "false"):
            self._scanner.fail(f"'{name}' is no name", start)
        return name

    def _steps(self) -> tuple[Step, ...]:
        scanner = self._scanner
        steps: list[Step] = []
        while True:
            if scanner.skip("["):
                steps.append(Index(self._index()))
            elif scanner.take(lexer.DOT):
                name = self._name()
                if scanner.looking_at("(") and not lexer.NO_ARGUMENTS.match(scanner.source, scanner.position):
                    scanner.position += 1
                    steps.append(Method(name, self._arguments()))
                else:
                    steps.append(Property(name))
            else:
                return tuple(steps)

    def _index(self) -> Expression:
        self._scanner.skip_space()
        key = self.value()
        if not isinstance(key, Literal | Interpolation | Reference) or isinstance(getattr(key, "value", None), float):
            self._scanner.fail("an index is a string, an integer or a reference")
        self._scanner.skip_space()
        if not self._scanner.skip("]"):
            self._scanner.fail("expected ']'")
        return key

    def _arguments(self) -> tuple[Expression, ...]:
        if self._scanner.skip(")"):
            return ()
        return self._values(")", words=True)

    def _values(self, end: str, *, words: bool = False) -> tuple[Expression, ...]:
        """Values between commas up to `end`; there is one at least. `words`: whether bare words may be among them."""
        values: list[Expression] = []
        while True:
            self._scanner.skip_space()
            if words and self._scanner.take(lexer.BARE_WORD) is not None:
                values.append(Literal(None))
            else:
                values.append(self.value())
            self._scanner.skip_space()
            if self._scanner.skip(end):
                return tuple(values)
            if not self._scanner.skip(","):
                self._scanner.fail(f"expected ',' or '{end}'")

    # -- expressions

    def expression(self, level: int = 0) -> Expression:
        """An expression with the blanks around it."""
        if level == 0:
            self._enter()
        if level == len(LEVELS):
            return self._unary()
        operands = [self.expression(level + 1)]
        operators = []
        while word := self._scanner.take(lexer.OPERATORS[LEVELS[level]]):
            operators.append(lexer.OPERATOR_NAMES.get(word, word))
            operands.append(self.expression(level + 1))
        if level == 0:
            self._depth -= 1
        return Operation(tuple(operators), tuple(operands)) if operators else operands[0]

    def _enter(self) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            self._scanner.fail(f"expressions are nested more than {DEEPEST} levels deep")

    def _unary(self) -> Expression:
        scanner = self._scanner
        negations = 0
        scanner.skip_space()
        while scanner.take(lexer.NOT):
            negations += 1
            scanner.skip_space()
        result: Expression
        if scanner.skip("("):
            result = self.expression()
            scanner.expect(lexer.CLOSE, "')'")
        else:
            result = self.value()
        scanner.skip_space()
        for _ in range(negations if negations < 3 else 2 + negations % 2):
            result = Not(result)
        return result

    def value(self) -> Expression:
        """A reference, a literal, a list, a map or a range."""
        scanner = self._scanner
        if scanner.looking_at("$"):
            return self._deeper(self.reference)
        if string := scanner.take(lexer.STRING):
            return self._string(string)
        if number := scanner.take(lexer.FLOAT):
            return Literal(float(number))
        if number := scanner.take(lexer.INTEGER):
            return self._integer(number)
        if scanner.skip("["):
            return self._deeper(self._list)
        if scanner.skip("{"):
            return self._deeper(self._map)
        word = scanner.expect(lexer.IDENTIFIER, "a value")
        if word not in ("true", "false"):
            scanner.fail(f"'{word}' is no value", scanner.position - len(word))
        return Literal(word == "true")

    def _integer(self, digits: str) -> Literal:
        if len(digits) > 300:
            self._scanner.fail("a number of more than 300 digits")
        return Literal(int(digits))

    def _deeper(self, read: Callable[[], _Read]) -> _Read:
        self._enter()
        result = read()
        self._depth -= 1
        return result

    def _list(self) -> Expression:
        scanner = self._scanner
        scanner.skip_space()
        if scanner.skip("]"):
            return ListOf(())
        first = self.value()
        scanner.skip_space()
        if scanner.skip(".."):
            return self._range(first)
        if scanner.skip("]"):
            return ListOf((first,))
        if not scanner.skip(","):
            scanner.fail("expected ',', '..' or ']'")
        return ListOf((first, *self._values("]")))

    def _range(self, first: Expression) -> RangeOf:
        self._scanner.skip_space()
        last = self.value()
        self._scanner.skip_space()
        for bound in (first, last):
            if not isinstance(bound, Reference) and type(getattr(bound, "value", None)) is not int:
                self._scanner.fail("a range is between integers or references")
        if not self._scanner.skip("]"):
            self._scanner.fail("expected ']'")
        return RangeOf(first, last)

    def _map(self) -> MapOf:
        scanner = self._scanner
        entries = []
        scanner.skip_space()
        if scanner.skip("}"):
            return MapOf(())
        while True:
            scanner.skip_space()
            key = self.value()
            scanner.skip_space()
            if not scanner.skip(":"):
                scanner.fail("expected ':'")
            scanner.skip_space()
            entries.append((key, self.value()))
            scanner.skip_space()
            if scanner.skip("}"):
                return MapOf(tuple(entries))
            if not scanner.skip(","):
                scanner.fail("expected ',' or '}'")

    def _string(self, quoted: str) -> Literal | Interpolation:
        start = self._scanner.position - len(quoted)
        quote = quoted[0]
        text = quoted[1:-1].replace(quote * 2, quote)
        if quote == "'":
            return Literal(text)
        if "\\u" in text:
            text = _unescaped(text)
        if "$" not in text and "#" not in text:
            return Literal(text)
        try:
            return Interpolation(self._parse_text(text, start), start)
        except TemplateSyntaxError as error:
            error.message = f"in a string: {error.message}"
            raise


def _unescaped(text: str) -> str:
    """With `\\uXXXX` replaced; two that make up one character become that character, half of one a question mark."""
    units = lexer.UNICODE_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
