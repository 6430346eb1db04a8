"""The part of the parser that reads directives and their blocks: source text → syntax tree."""

from __future__ import annotations

from itertools import groupby

from tidegate.vtl import lexer
from tidegate.vtl.expressions import ExpressionParser
from tidegate.vtl.lexer import Scanner
from tidegate.vtl.nodes import (
    Break,
    Call,
    Define,
    Expression,
    Foreach,
    If,
    Literal,
    Macro,
    Node,
    Parsed,
    Reference,
    Set,
    Stop,
    Text,
)
from tidegate.vtl.text_parser import CONTROL, TextParser

DEEPEST = 50
"""Directives inside directives, and strings with references inside such strings."""
DEEPEST_LOOPS = 15
PLUGGABLE = {"foreach", "macro", "define", "literal", "parse", "include", "evaluate", "break", "stop"}
REFUSED = {"parse": "no other template can be loaded", "include": "no file can be loaded", "evaluate": "not supported"}


def parse(source: str) -> Parsed:
    """The tree of a template. Raises TemplateSyntaxError."""
    parser = Parser(Scanner(source), {})
    body = parser.block(at_top=True)
    return Parsed(body, parser.macros)


class Parser(TextParser):
    """Reads one template, or one string inside of it; `macros` is shared between these."""

    def __init__(self, scanner: Scanner, macros: dict[str, Macro], depth: int = 0) -> None:
        super().__init__(scanner, ExpressionParser(scanner, self._parse_string))
        self._depth = depth
        self._loops = 0
        self._stopped_by = ""
        self.macros = macros

    def _parse_string(self, text: str, start: int) -> tuple[Node, ...]:
        """The nodes of a string in double quotes."""
        scanner = Scanner(text if "##" in text else text + " ", (self._scanner, start))
        if self._depth > DEEPEST:
            scanner.fail(f"nested more than {DEEPEST} levels deep")
        nodes = Parser(scanner, self.macros, self._depth + 1).block(at_top=True)
        # The blank keeps a last '$' or '#' from being an error, as in Velocity, and is taken off again.
        if "##" not in text and nodes and isinstance(nodes[-1], Text):
            nodes = (*nodes[:-1], Text(nodes[-1].text[:-1]))
        return nodes

    def block(self, *, at_top: bool = False) -> tuple[Node, ...]:
        """Nodes up to the `#end`, `#else` or `#elseif` that ends them (then in `_stopped_by`), or up to the end."""
        self._depth += 1
        if self._depth > DEEPEST:
            self._scanner.fail(f"directives are nested more than {DEEPEST} levels deep")
        nodes: list[Node] = []
        scanner = self._scanner
        start = scanner.position
        while scanner.position < scanner.end:
            if scanner.take(lexer.SET):
                touched = self._touched if self._touched_at == start else None
                nodes.append(self._set())
                if touched:
                    self._after_touching_set(nodes, touched)
            elif text := scanner.take(lexer.TEXT):
                nodes.append(Text(text))
            elif self._special(nodes):
                if at_top:
                    scanner.fail(f"#{self._stopped_by} without a directive that it belongs to", start)
                self._depth -= 1
                return _joined(nodes)
            start = scanner.position
        if not at_top:
            scanner.fail("expected #end")
        self._depth -= 1
        return _joined(nodes)

    def _is_directive(self, name: str) -> bool:
        return name in CONTROL or name in PLUGGABLE or name in self.macros

    def _after_hash(self, nodes: list[Node], before: str, start: int) -> bool:
        scanner = self._scanner
        name, end = self._directive_name(start)
        if not name:
            if scanner.take(lexer.FLOAT) is not None or scanner.take(lexer.INTEGER) is not None:
                nodes.append(Text(before + scanner.source[start : scanner.position]))
            elif not lexer.LOSES.match(scanner.source, scanner.position):
                nodes.append(Text(before + "#"))
            return False
        scanner.position = end
        if name in CONTROL and name != "if":
            if name != "elseif":
                scanner.take(lexer.REST_OF_LINE)
            self._stopped_by = name
            return True
        if name == "if":
            nodes.append(self._if(start))
        elif before:
            nodes.append(Text(before + scanner.source[start:end]))
        else:
            self._directive(nodes, name, start)
        return False

    def _set(self) -> Set:
        position = self._scanner.position
        self._scanner.skip_space()
        target = self._expressions.reference()
        self._scanner.skip_space()
        if not self._scanner.skip("="):
            self._scanner.fail("expected '='")
        value = self._expressions.expression()
        self._scanner.expect(lexer.CLOSE, "')'")
        return Set(target, value, position)

    def _condition(self) -> Expression:
        self._scanner.skip_space()
        if not self._scanner.skip("("):
            self._scanner.fail("expected '('")
        condition = self._expressions.expression()
        self._scanner.expect(lexer.CLOSE, "')'")
        return condition

    def _if(self, position: int) -> If:
        branches = [(self._condition(), self.block())]
        while self._stopped_by == "elseif":
            branches.append((self._condition(), self.block()))
        otherwise: tuple[Node, ...] = ()
        if self._stopped_by == "else":
            otherwise = self.block()
        self._expect_end(position)
        return If(tuple(branches), otherwise, position)

    def _body(self, position: int) -> tuple[Node, ...]:
        """The block of a directive that has no other parts."""
        body = self.block()
        self._expect_end(position)
        return body

    def _expect_end(self, position: int) -> None:
        if self._stopped_by != "end":
            self._scanner.fail(f"#{self._stopped_by} instead of the #end of the directive", position)

    def _directive(self, nodes: list[Node], name: str, start: int) -> None:
        """A directive that is no part of the grammar: Velocity's own by name, or a macro's call, or text."""
        scanner = self._scanner
        if name in REFUSED:
            scanner.fail(f"#{name} is not available: {REFUSED[name]}", start)
        end = scanner.position
        scanner.skip_space()
        if has_arguments := scanner.skip("("):
            arguments, literals = self._directive_arguments()
        else:
            scanner.position = end
            arguments, literals = list[Expression | str](), list[str]()
        if name in ("foreach", "define", "macro", "literal") and not has_arguments:
            scanner.fail(f"#{name} needs arguments in parentheses", start)
        match name:
            case "break":
                nodes.append(Break(start))
            case "stop":
                nodes.append(Stop(start))
            case "literal":
                body_at = scanner.position
                self._body(start)
                nodes.append(Text(scanner.source[body_at : scanner.source.rindex("#", 0, scanner.position)]))
            case "foreach":
                nodes.append(self._foreach(arguments, start))
            case "define":
                nodes.append(Define(self._variable(arguments, 0, start), self._body(start), start))
            case "macro":
                self._macro(arguments, start)
            case _:
                body = self._body(start) if has_arguments and name.startswith("@") else None
                literal = scanner.source[start : scanner.position]
                values = tuple(each for each in arguments if not isinstance(each, str))
                if len(values) < len(arguments) or (not has_arguments and name not in self.macros):
                    nodes.append(Text(literal))
                else:
                    nodes.append(Call(name.removeprefix("@"), values, tuple(literals), literal, start, body))

    def _directive_arguments(self) -> tuple[list[Expression | str], list[str]]:
        """Arguments, with or without commas between them, up to the closing parenthesis, and how they were written."""
        scanner = self._scanner
        arguments: list[Expression | str] = []
        literals: list[str] = []
        while True:
            scanner.skip_space()
            if scanner.take(lexer.CLOSE):
                return arguments, literals
            if arguments and scanner.skip(","):
                scanner.skip_space()
            start = scanner.position
            word = lexer.WORD.match(scanner.source, start)
            if word and word[0] not in ("true", "false"):
                scanner.position = word.end()
                arguments.append(word[0])
            else:
                arguments.append(self._expressions.value())
            literals.append(scanner.source[start : scanner.position])

    def _variable(self, arguments: list[Expression | str], index: int, start: int) -> str:
        """The name of the plain reference that this argument has to be."""
        argument = arguments[index] if index < len(arguments) else None
        if not isinstance(argument, Reference) or argument.steps:
            self._scanner.fail("expected a variable as argument", start)
        return argument.root

    def _foreach(self, arguments: list[Expression | str], start: int) -> Foreach:
        self._loops += 1
        if self._loops > DEEPEST_LOOPS:
            self._scanner.fail(f"#foreach is nested more than {DEEPEST_LOOPS} levels deep", start)
        variable = self._variable(arguments, 0, start)
        body = self._body(start)
        self._loops -= 1
        source = arguments[2] if len(arguments) == 3 and arguments[1] == "in" else Literal(None)
        if isinstance(source, str):
            self._scanner.fail(f"'{source}' is nothing to iterate over", start)
        return Foreach(variable, source, body, start)

    def _macro(self, arguments: list[Expression | str], start: int) -> None:
        if not arguments or not isinstance(name := arguments[0], str):
            self._scanner.fail("#macro needs a name", start)
        parameters = tuple(self._variable(arguments, each, start) for each in range(1, len(arguments)))
        loops, self._loops = self._loops, 0
        body = self._body(start)
        self._loops = loops
        self.macros.setdefault(name, Macro(name, parameters, body, start))


def _joined(nodes: list[Node]) -> tuple[Node, ...]:
    """With consecutive text in one node."""
    result: list[Node] = []
    for is_text, group in groupby(nodes, lambda node: isinstance(node, Text)):
        if not is_text:
            result.extend(group)
        elif text := "".join(node.text for node in group if isinstance(node, Text)):
            result.append(Text(text))
    return tuple(result)
