"""Syntax tree → one Python function, `render(G, M, w)`: the variables, the meter, and the list that the output goes to.

Consecutive text, references and #if's between texts are one string, written with one call of the list's `append`. Macros, blocks
of #define and strings with directives in them are functions inside of that function. The function runs in a namespace that has
nothing but the runtime's operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard

from tidegate.vtl.budget import Meter
from tidegate.vtl.code import Code
from tidegate.vtl.dialect import Dialect
from tidegate.vtl.expression_code import ExpressionCode, Function
from tidegate.vtl.java_methods import METERED
from tidegate.vtl.nodes import (
    Break,
    Call,
    Define,
    Foreach,
    If,
    Index,
    Method,
    Node,
    Parsed,
    Property,
    Reference,
    Set,
    Step,
    Stop,
    Text,
)
from tidegate.vtl.runtime import VIEWS, operations
from tidegate.vtl.variables import Variables, walk

RUN = 60
"""Texts and references that become one string."""
LONG_RUN = 1000
"""Characters from which on such a string is counted before it is made; what is shorter counts when all are joined."""
LARGE_BODY = 30
"""Nodes of a loop's body from which on each turn is charged."""
RESIZES = METERED | {"remove", "removeAll", "retainAll", "clear"}
Render = Callable[[Any, Meter, list[str]], str]


class Compiler:
    """Compiles one template."""

    def __init__(self, template: Parsed, dialect: Dialect) -> None:
        self._template = template
        self._dialect = dialect
        self._variables = Variables(template)
        self._code = Code()
        self._expressions = ExpressionCode(self._code, self._variables, dialect, self._function)
        # A #stop in a block keeps what was written before it, so nothing may wait to be written then.
        bodies = [*template.body, *(node for macro in template.macros.values() for node in macro.body)]
        nodes = walk(bodies) if self._variables.shared else ()
        self._run = 1 if any(isinstance(node, Stop) for node in nodes) else RUN
        self._macros = {name: f"m{number}" for number, name in enumerate(template.macros)}

    def compile(self, filename: str) -> tuple[Render, list[int]]:
        """The function, and by its line numbers the positions in the template."""
        code = self._code
        code.line("def render(G, M, w):", 0)
        with code.indented():
            code.line("a = w.append", 0)
            self._unpack_variables()
            looked_up = code.reserve()
            for name, macro in self._template.macros.items():
                code.line(f"def {self._macros[name]}(V, w):", macro.position)
                with code.indented():
                    code.line("a = w.append", 0)
                    self._in_function(Function(finish="return", is_macro=True), macro.body)
            self._in_function(Function(finish="return M.join(w)", is_main=True), self._template.body)
            code.fill(looked_up, "; ".join(self._expressions.looked_up))
        namespace: dict[str, Any] = {"__builtins__": {}, **operations(self._dialect), **self._expressions.sites}
        exec(compile(code.text(), filename, "exec"), namespace)  # noqa: S102 (written by us, from a tree)
        return namespace["render"], code.positions

    def _unpack_variables(self) -> None:
        variables = self._variables
        if variables.shared:
            self._code.line("V = dict_of(G)", 0)
        else:
            self._code.line("g = G.get", 0)
            for root, number in variables.roots.items():
                self._code.line(f"v{number} = g({root!r})", 0)

    def _in_function(self, function: Function, body: tuple[Node, ...]) -> None:
        outer, self._expressions.function = self._expressions.function, function
        self._block(body)
        self._code.line(function.finish, 0)
        self._expressions.function = outer

    def _function(self, body: tuple[Node, ...], in_place: bool) -> str:
        """A block as a function that gives the text. `in_place`: called here only, so that it may look at the loops around."""
        name = f"f{self._code.number()}"
        outer = self._expressions.function
        function = Function(
            finish="return M.end(w, b)",
            is_macro=outer.is_macro,
            is_string=in_place,
            loops=outer.loops if in_place else [],
        )
        self._code.line(f"def {name}(V):", 0)
        with self._code.indented():
            self._code.line("w = []; a = w.append; b = M.begin()", 0)
            self._in_function(function, body)
        return name

    def _block(self, nodes: tuple[Node, ...]) -> None:
        run: list[Text | Reference | If] = []
        for node in nodes:
            if isinstance(node, Text) or _chooses_text(node) or self._is_shown(node):
                run.append(node)
                if len(run) == self._run:
                    self._written(run)
                continue
            self._written(run)
            self._expressions.fresh()
            self._statement(node)
        self._written(run)

    def _is_shown(self, node: Node) -> TypeGuard[Reference]:
        """A reference that is not the statement `$foreach.stop()`."""
        return isinstance(node, Reference) and not (
            self._dialect.foreach_can_stop
            and self._expressions.function.can_break
            and node.root == "foreach"
            and node.steps == (Method("stop", ()),)
        )

    def _written(self, run: list[Text | Reference | If]) -> None:
        """Text and references, taken out of the list."""
        code = self._code
        pieces, lengths = [], []
        for number, node in enumerate(run):
            self._expressions.fresh()
            if isinstance(node, Text):
                pieces.append(repr(node.text))
                continue
            chosen = self._chosen(node) if isinstance(node, If) else self._expressions.shown(node)
            code.line(f"x{number} = {chosen}", node.position)
            pieces.append(f"f'{{x{number}}}'")
            if isinstance(node, Reference):
                lengths.append(f"len(x{number})")
        if len(pieces) == 1:
            code.line(f"a({'x0' if pieces[0].startswith('f') else pieces[0]})", 0)
        elif pieces:
            if lengths:
                code.line(f"if (n := {' + '.join(lengths)}) > {LONG_RUN}: M.write(n)", 0)
            code.line(f"a({' '.join(pieces)})", 0)
        run.clear()

    def _chosen(self, node: If) -> str:
        """One of the texts of an #if."""
        choice = ""
        for condition, body in node.branches:
            choice += f"{_only_text(body)} if {self._expressions.truth(condition)} else "
        return choice + _only_text(node.otherwise)

    # -- directives

    def _statement(self, node: Node) -> None:
        match node:
            case Set():
                self._set(node)
            case If():
                self._if(node)
            case Foreach():
                self._foreach(node)
            case Define():
                name = self._function(node.body, False)
                key = self._code.number()
                self._code.line(f"{self._variables.write(node.name)} = defined(M, {key}, {name}, V)", node.position)
            case Call():
                self._call(node)
            case Break() | Reference():
                function = self._expressions.function
                self._code.line("break" if function.can_break else function.finish, node.position)
            case Stop():
                self._code.line(self._stopping(), node.position)

    def _stopping(self) -> str:
        """The statement that ends the rendering."""
        function = self._expressions.function
        if function.is_main:
            return function.finish
        loses_text = function.is_string or function.finish == "return"
        return "raise Stopped()" if loses_text else "raise Stopped(M.join(w))"

    def _set(self, node: Set) -> None:
        code, target = self._code, node.target
        value = self._expressions.value(node.value)
        if not target.steps and self._dialect.null_is_assigned:
            code.line(f"{self._variables.write(target.root)} = {value}", node.position)
            return
        code.line(f"r = {value}", node.position)
        self._expressions.fresh()
        if not target.steps:
            assignment = f"{self._variables.write(target.root)} = r"
        else:
            last = target.steps[-1]
            owner = self._expressions.reference(
                Reference(target.root, target.steps[:-1], literal="", position=target.position)
            )
            if isinstance(last, Index):
                assignment = f"put_index(M, {owner}, {self._expressions.value(last.key)}, r)"
            else:
                assert isinstance(last, Property | Method)
                assignment = f"put_property(M, {owner}, {last.name!r}, r)"
        if self._dialect.null_is_assigned:
            code.line(assignment, node.position)
        else:
            code.line("if r is not None:", node.position)
            with code.indented():
                code.line(assignment, node.position)

    def _if(self, node: If) -> None:
        conditions = [self._expressions.truth(condition) for condition, _ in node.branches]
        word = "if"
        for condition, (_, body) in zip(conditions, node.branches, strict=True):
            self._code.line(f"{word} {condition}:", node.position)
            word = "elif"
            with self._code.indented():
                self._block(body)
        if node.otherwise:
            self._code.line("else:", node.position)
            with self._code.indented():
                self._block(node.otherwise)

    def _foreach(self, node: Foreach) -> None:
        code, variables = self._code, self._variables
        loop = code.number()
        self._elements(node, loop)
        code.line(f"if L{loop}:", node.position)
        with code.indented():
            watch = variables.shared or any(_resizes(part) for part in walk(node.body))
            if watch:
                code.line(f"s{loop} = watched(s{loop}) or L{loop}", node.position)
            variable = variables.write(node.variable)
            code.line(f"o{loop} = {variables.read(node.variable)}; n{loop} = len(L{loop}) - 1", node.position)
            if variables.shared:
                code.line(f"p{loop} = V.get('foreach')", node.position)
            code.line(f"for i{loop}, x in enumerate(L{loop}):", node.position)
            with code.indented():
                code.line(f"{variable} = x", node.position)
                if variables.shared:
                    code.line(f"V['foreach'] = ForeachScope(i{loop}, n{loop} + 1, p{loop})", node.position)
                    code.line(
                        f"V['velocityCount'] = i{loop} + 1; V['velocityHasNext'] = i{loop} < n{loop}", node.position
                    )
                self._loop_body(node, loop)
                if watch:
                    code.line(f"if len(s{loop}) != n{loop} + 1:", node.position)
                    code.line(f" if changed(s{loop}, n{loop} + 1, i{loop} + 1): break", node.position)
            code.line(f"{variable} = o{loop}", node.position)
            if variables.shared:
                code.line(f"V['foreach'] = p{loop}; V['velocityCount'] = V['velocityHasNext'] = None", node.position)
            code.line("if len(w) > 100000: M.tick(0, w)", node.position)

    def _elements(self, node: Foreach, loop: int) -> None:
        """What is looped over, as `s…`, and its elements, as `L…`. The view of a map that only a loop sees need not be made."""
        code, source = self._code, node.source
        if isinstance(source, Reference) and source.steps and _is_view(last := source.steps[-1]):
            map_of = Reference(source.root, source.steps[:-1], literal="", position=source.position)
            code.line(f"s{loop} = {self._expressions.reference(map_of)}", node.position)
            code.line(f"if s{loop}.__class__ is dict: L{loop} = viewed(M, {last.name}(s{loop}))", node.position)
            code.line("else:", node.position)
            with code.indented():
                self._expressions.fresh()
                code.line(f"s{loop} = {self._expressions.call(f's{loop}', last)}", node.position)
                code.line(f"L{loop} = elements(M, s{loop})", node.position)
        else:
            code.line(f"s{loop} = {self._expressions.value(source)}", node.position)
            code.line(f"L{loop} = elements(M, s{loop})", node.position)

    def _loop_body(self, node: Foreach, loop: int) -> None:
        function = self._expressions.function
        can_break = function.can_break
        function.loops = [*function.loops, loop]
        function.can_break = True
        if (size := sum(1 for _ in walk(node.body))) > LARGE_BODY:
            self._code.line(f"M.tick({size}, w)", node.position)
        self._block(node.body)
        function.loops = function.loops[:-1]
        function.can_break = can_break

    def _call(self, node: Call) -> None:
        macro = self._template.macros.get(node.name)
        if macro is None:
            self._code.line(f"a({node.literal!r})", node.position)
            return
        thunks = []
        literals = {}
        for parameter, argument, literal in zip(macro.parameters, node.arguments, node.literals, strict=False):
            self._expressions.fresh()
            thunks.append(f"{parameter!r}: lambda: {self._expressions.value(argument)}")
            literals[parameter] = literal
        if node.body is not None:
            name = self._function(node.body, False)
            thunks.append(f"'bodyContent': lambda: defined(M, {self._code.number()}, {name}, V)")
        scope = f"Scope(V, {{{', '.join(thunks)}}}, {literals!r})"
        self._code.line(f"call_macro(M, {self._macros[node.name]}, {node.name!r}, {scope}, w)", node.position)


def _chooses_text(node: Node) -> TypeGuard[If]:
    """Whether it is an #if that writes one of several texts, or nothing."""
    if not isinstance(node, If):
        return False
    bodies = [body for _, body in node.branches] + [node.otherwise]
    return all(len(body) < 2 and all(isinstance(part, Text) for part in body) for body in bodies)


def _only_text(body: tuple[Node, ...]) -> str:
    return repr("".join(part.text for part in body if isinstance(part, Text)))


def _is_view(step: Step) -> TypeGuard[Method]:
    return isinstance(step, Method) and step.name in VIEWS and not step.arguments


def _resizes(node: object) -> bool:
    """Whether a node may change the size of a list or a map."""
    if isinstance(node, Set):
        return bool(node.target.steps)
    return isinstance(node, Reference) and any(isinstance(step, Method) and step.name in RESIZES for step in node.steps)
