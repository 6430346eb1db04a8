"""The part of the parser that reads dollar signs, hashes and backslashes in text, and what touches a reference.

This is the hard part of Velocity: such characters are text when they lead nowhere, and are printed then; but not always, and
not always all of them. `_special` reads a run of them, then decides. Where the engine loses text, so does this, for a
template gives on API Gateway what it gives there.
"""

from __future__ import annotations

from abc import abstractmethod

from tidegate.vtl import lexer
from tidegate.vtl.expressions import ExpressionParser
from tidegate.vtl.lexer import Scanner
from tidegate.vtl.nodes import Node, Property, Reference, Text

CONTROL = {"if", "elseif", "else", "end"}


class TextParser:
    """Reads text up to a directive, which its subclass reads."""

    def __init__(self, scanner: Scanner, expressions: ExpressionParser) -> None:
        self._scanner = scanner
        self._expressions = expressions
        self._touched: Reference | None = None
        self._touched_at = -1
        """The reference that what begins at this position touches."""

    @abstractmethod
    def _is_directive(self, name: str) -> bool:
        """Whether there is a directive or a macro of this name, so far."""

    @abstractmethod
    def _after_hash(self, nodes: list[Node], before: str, start: int) -> bool:
        """Read a directive, of which the hash at `start` was read. True when it ended the block."""

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
        elif lexer.TWO_HASHES.match(scanner.source, scanner.position) and _ends_in_property(reference):
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


def _ends_in_property(reference: Reference) -> bool:
    return bool(reference.steps) and isinstance(reference.steps[-1], Property)
