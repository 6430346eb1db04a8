"""The parser's half that reads text and directives: source text → syntax tree.

What touches a reference or a directive is the hard part, for Velocity takes dollar signs, hashes and backslashes that lead
nowhere as text, and prints them. `_special` has all of that: it reads a run of such characters, then decides.
"""

from __future__ import annotations

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
    Property,
    Reference,
    Set,
    Stop,
    Text,
)

DEEPEST = 50
"""Directives inside directives, and strings with references inside such strings."""
DEEPEST_LOOPS = 15
CONTROL = {"if", "elseif", "else", "end"}
PLUGGABLE = {"foreach", "macro", "define", "literal", "parse", "include", "evaluate", "break", "stop"}
REFUSED = {"parse": "no other template can be loaded", "include": "no file can be loaded", "evaluate": "not supported"}


def parse(source: str) -> Parsed:
    """The tree of a template. Raises TemplateSyntaxError."""
    parser = Parser(Scanner(source), {})
    body = parser.block(at_top=True)
    return Parsed(body, parser.macros)


class Parser:
    """Reads one template, or one string inside of it; `macros` is shared between these."""

    def __init__(self, scanner: Scanner, macros: dict[str, Macro], depth: int = 0) -> None:
        self._scanner = scanner
        self._depth = depth
        self._loops = 0
        self._expressions = ExpressionParser(scanner, self._parse_string)
        self._stopped_by = ""
        self._touched: Reference | None = None
        self._touched_at = -1
        """The reference that what begins at this position touches."""
        self.macros = macros

    def _parse_string(self, text: str, start: int) -> tuple[Node, ...]:
        """The nodes of a string in double quotes."""
        scanner = Scanner(text if "##" in text else text + " ", self._scanner.place(start))
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

    # -- dollar signs, hashes, backslashes

    def _special(self, nodes: list[Node]) -> bool:
        """Read on from a special character. True when that ended the block."""
        scanner = self._scanner
        if scanner.looking_at("\\") and self._backslashes(nodes):
            return False
        start = last = scanner.position
        while True:
            if scanner.looking_at("#"):
                if scanner.position > start and lexer.SET.match(scanner.source, scanner.position):
                    return False
                if self._comment(nodes, scanner.source[start : scanner.position]):
                    return False
                last = scanner.position
                scanner.position += 1
            elif lexer.TO_REFERENCE.match(scanner.source, scanner.position):
                last = scanner.position
                scanner.take(lexer.TO_REFERENCE)
            else:
                break
        if scanner.position >= scanner.end:
            scanner.fail("a template cannot end with '$' or '#'", last)
        if scanner.source[last] == "#":
            return self._after_hash(nodes, scanner.source[start:last], last)
        self._after_dollar(nodes, start, last)
        return False

    def _backslashes(self, nodes: list[Node]) -> bool:
        """Backslashes that are no part of a reference. False when they are."""
        scanner = self._scanner
        count = len(scanner.take(lexer.BACKSLASHES) or "")
        if scanner.looking_at("$"):
            scanner.position -= count
            return False
        written = "\\" * count
        name, end = self._directive_name(scanner.position)
        if not name:
            nodes.append(Text(written))
        elif count % 2:
            if self._is_directive(name) or name == "set":
                written = "\\" * (count // 2)
            nodes.append(Text(written + scanner.source[scanner.position : end]))
            scanner.position = end
        else:
            known = name in CONTROL or (self._is_directive(name) and scanner.source[scanner.position + 1] != "{")
            nodes.append(Text("\\" * (count // 2) if known else written))
        return True

    def _is_directive(self, name: str) -> bool:
        return name in CONTROL or name in PLUGGABLE or name in self.macros

    def _directive_name(self, position: int) -> tuple[str, int]:
        """The name behind a hash at this position, and where it ends; an empty name when there is none."""
        source = self._scanner.source
        if not source.startswith("#", position):
            return "", position
        if found := lexer.WORD.match(source, position + 1):
            return found[0], found.end()
        if found := lexer.BRACKETED_WORD.match(source, position + 1):
            return found[1], found.end()
        return "", position

    def _comment(self, nodes: list[Node], before: str) -> bool:
        """Whether a comment or a verbatim block was read, which end the run of special characters."""
        scanner = self._scanner
        if scanner.take(lexer.COMMENT_LINE) is not None:
            nodes.append(Text(before))
            return True
        if scanner.take(lexer.COMMENT_BLOCK) is not None:
            return True
        if scanner.looking_at("#[["):
            nodes.append(Text(scanner.expect(lexer.VERBATIM, "a ']]#' that ends '#[['")[3:-3]))
            return True
        return False

    def _after_dollar(self, nodes: list[Node], start: int, last: int) -> None:
        """What a run of special characters is that begins at `start`, its last dollar sign (and more) at `last`."""
        scanner = self._scanner
        run = scanner.source[start : scanner.position]
        word = scanner.source[last : scanner.position]
        after_hash = run[: last - start].endswith("#")
        name_at = scanner.position + scanner.looking_at("{")
        if lexer.IDENTIFIER.match(scanner.source, name_at):
            nodes.append(self._shown(start) if "\\!" in run else self._reference(start))
            self._after_reference(nodes, nodes[-1])
        elif scanner.looking_at("["):
            if word not in ("$", "$!", "$\\!") or after_hash:
                scanner.fail("an index without a reference", last)
            nodes.append(Text(run))
        elif name_at > scanner.position:
            scanner.position += 1
            nodes.append(Text(run + "{"))
            self._braces(nodes)
        elif lexer.DOT.match(scanner.source, scanner.position):
            # '$.' is a word of its own; all other dollar signs before a dot and a letter are lost.
            nodes.append(Text((run if word == "$" and not after_hash else "") + "."))
            scanner.position += 1
        elif not lexer.LOSES.match(scanner.source, scanner.position):
            nodes.append(Text(run.replace("!", "")))

    def _after_touching_set(self, nodes: list[Node], touched: Reference) -> None:
        """Velocity takes what follows a #set that touches a reference as if it followed the reference."""
        if self._scanner.looking_at("["):
            self._scanner.fail("an index without a reference")
        self._after_reference(nodes, touched)

    def _after_reference(self, nodes: list[Node], reference: Node) -> None:
        """What means something else when it touches a reference, or a #set that touches one."""
        scanner = self._scanner
        if not isinstance(reference, Reference) or reference.literal.endswith("}"):
            return
        self._touched, self._touched_at = reference, scanner.position
        if lexer.IDENTIFIER.match(scanner.source, scanner.position):
            # A name that touches a ')' or ']' is a reference to Velocity, of which it prints the name only.
            self._touched = self._expressions.rest_of_reference(scanner.position, quiet=False)
            self._touched_at = scanner.position
            nodes.append(Text(self._touched.root))
        if scanner.looking_at("{"):
            self._braces(nodes)
        elif scanner.skip("}"):
            nodes.append(Text("}"))
        elif scanner.looking_at("##") and not scanner.looking_at("###"):
            if reference.steps and isinstance(reference.steps[-1], Property):
                nodes.append(Text("#"))  # Velocity does not see the comment behind a property.
                scanner.position += 1

    def _braces(self, nodes: list[Node]) -> None:
        """Braces right after a reference: Velocity takes `{name}` for a reference again, and prints its first character."""
        scanner = self._scanner
        while scanner.looking_at("{"):
            scanner.position += 1
            nodes.append(Text("{"))
            if found := lexer.NAME_IN_BRACES.match(scanner.source, scanner.position):
                scanner.position = found.start(1)
                self._expressions.rest_of_braces()
                return
        if scanner.looking_at("["):
            scanner.fail("an index without a reference")

    def _reference(self, start: int) -> Reference:
        scanner = self._scanner
        run = scanner.source[start : scanner.position]
        slashes = len(run) - len(run.lstrip("\\"))
        dollar = run.rindex("$")
        return self._expressions.rest_of_reference(
            start + dollar, quiet=run.endswith("!"), slashes=slashes, before=run[slashes:dollar]
        )

    def _shown(self, start: int) -> Text:
        """With a backslash between dollar sign and '!' it is no reference, but shown without that backslash."""
        scanner = self._scanner
        name_at = scanner.position
        self._expressions.rest_of_reference(start, quiet=False)
        run = scanner.source[start:name_at]
        at = run.index("\\", run.index("$"))
        return Text(run[:at] + run[at + 1 :] + scanner.source[name_at : scanner.position])

    # -- directives

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
            arguments, literals = [], []
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
        literals = []
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
    for node in nodes:
        if isinstance(node, Text):
            if not node.text:
                continue
            if result and isinstance(last := result[-1], Text):
                result[-1] = Text(last.text + node.text)
                continue
        result.append(node)
    return tuple(result)

