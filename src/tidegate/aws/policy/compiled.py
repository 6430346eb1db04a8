"""A policy made ready: patterns compiled, statements indexed by action and by the fixed beginning of their resources.

Large policies cost a request only what concerns it; small ones are cheap to make, since Lambda authorizers answer with one
for every token. Not here: how several policies go together (`decision`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.aws.policy import patterns
from tidegate.aws.policy.conditions import AnyCondition, compile_condition
from tidegate.aws.policy.document import Kind, Names, Statement, parse_policy
from tidegate.aws.policy.principals import Grade, Principal, PrincipalSet, principal_set
from tidegate.aws.policy.request import Request, boundaries
from tidegate.core.globs import Matcher, glob

_FEW = 8
"""Statements that are faster to walk through than to look up."""


@dataclass(frozen=True, slots=True)
class StatementTrace:
    """What became of one statement. `failed`: the element that did not match, None when all did; `detail`: how."""

    policy: str
    index: int
    sid: str | None
    effect: str
    failed: str | None
    detail: str

    @property
    def matched(self) -> bool:
        return self.failed is None


class CompiledStatement:
    __slots__ = (
        "_actions", "_any_action", "_any_resource", "_conditions", "_globs", "_principal", "_resources", "_templates",
        "text",
    )  # fmt: skip

    def __init__(self, text: Statement, *, variables: bool) -> None:
        self.text = text
        folded = [action.lower() for action in text.action.values]
        self._any_action = "*" in folded
        self._actions = frozenset(action for action in folded if not _is_pattern(action))
        self._globs = [glob(action) for action in folded if _is_pattern(action)]
        resources = text.resource.values if text.resource is not None else ("*",)
        self._any_resource = "*" in resources
        self._resources: list[Matcher] = []
        self._templates: list[patterns.Template | patterns.ArnTemplate] = []
        for resource in resources:
            template = patterns.arn_template(resource, variables=variables)
            if template is not None:
                self._templates.append(template)
            else:
                self._resources.append(patterns.resource_glob(resource))
        self._principal: PrincipalSet | None = (
            principal_set(text.principal.named) if text.principal is not None else None
        )
        self._conditions: Sequence[AnyCondition] = [
            compile_condition(condition, variables=variables) for condition in text.conditions
        ]

    @property
    def keys(self) -> set[str]:
        """Context keys that the statement asks for, in lower case."""
        found = set[str]()
        for condition in self._conditions:
            found |= {condition.key, *condition.keys}
        return found.union(*(template.keys for template in self._templates))

    def grade(self, request: Request) -> Grade:
        """NOT when the statement does not apply; otherwise how closely it names the caller."""
        if not self._has_action(request) or not self._has_resource(request):
            return Grade.NOT
        grade = self._named(request.principal)
        if grade is Grade.NOT:
            return grade
        for condition in self._conditions:
            if not condition.holds(request):
                return Grade.NOT
        return grade

    def _has_action(self, request: Request) -> bool:
        action = request.folded_action
        found = self._any_action or action in self._actions or (bool(self._globs) and _any(self._globs, action))
        return found is not self.text.action.negated

    def _has_resource(self, request: Request) -> bool:
        names = self.text.resource
        if names is None:
            return True
        resource = request.resource
        found = (
            self._any_resource
            or _any(self._resources, resource)
            or any(template.matches(resource, request.value) for template in self._templates)
        )
        return found is not names.negated

    def _named(self, principal: Principal) -> Grade:
        """Policies without principals concern whom they are attached to."""
        names = self.text.principal
        if self._principal is None or names is None:
            return Grade.ITSELF
        grade = self._principal.grade(principal)
        if not names.negated:
            return grade
        # AWS: a Deny spares only who is named exactly, the session itself and not merely its role or account. An Allow
        # leaves out who is named in any way, so that neither grants more than its author can have meant.
        spared = grade is Grade.NOT if self.text.allow else grade is not Grade.ITSELF
        return Grade.ITSELF if spared else Grade.NOT

    def explain(self, request: Request, policy: str) -> StatementTrace:
        failed, detail = self._failure(request)
        effect = "Allow" if self.text.allow else "Deny"
        return StatementTrace(policy, self.text.index, self.text.sid, effect, failed, detail)

    def _failure(self, request: Request) -> tuple[str | None, str]:
        text = self.text
        if self._named(request.principal) is Grade.NOT and text.principal is not None:
            return f"{'Not' * text.principal.negated}Principal", request.principal.arn or request.principal.type
        if not self._has_action(request):
            return f"{'Not' * text.action.negated}Action", f"{request.action}: {', '.join(text.action.values)}"
        if not self._has_resource(request) and text.resource is not None:
            return f"{'Not' * text.resource.negated}Resource", f"{request.resource}: {', '.join(text.resource.values)}"
        failed = [condition.explain(request) for condition in self._conditions if not condition.holds(request)]
        return ("Condition", "; ".join(failed)) if failed else (None, "")


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _any(matchers: Sequence[Callable[[str], bool]], text: str) -> bool:
    for match in matchers:  # noqa: SIM110 - twice as fast as any()
        if match(text):
            return True
    return False


class _Index:
    """Statements by action (`service:action`, `service:`, or empty), and below by the fixed beginning of their resource."""

    __slots__ = ("_table",)

    def __init__(self, statements: Sequence[CompiledStatement], *, variables: bool) -> None:
        self._table: dict[str, dict[str, list[CompiledStatement]]] = {}
        for statement in statements:
            for action in _action_keys(statement.text.action):
                below = self._table.setdefault(action, {})
                for resource in _resource_keys(statement.text.resource, variables=variables):
                    below.setdefault(resource, []).append(statement)

    def candidates(self, request: Request) -> Iterator[CompiledStatement]:
        action = request.folded_action
        for key in (action, action[: action.find(":") + 1], ""):
            below = self._table.get(key)
            if below is not None:
                for prefix in request.prefixes():
                    yield from below.get(prefix, ())


def _action_keys(names: Names) -> set[str]:
    if names.negated:
        return {""}
    return {_action_key(action.lower()) for action in names.values}


def _action_key(action: str) -> str:
    if not _is_pattern(action):
        return action
    vendor = action[: action.find(":") + 1]
    return "" if _is_pattern(vendor) else vendor


def _resource_keys(names: Names | None, *, variables: bool) -> set[str]:
    if names is None or names.negated:
        return {""}
    return {_resource_key(resource, variables=variables) for resource in names.values}


def _resource_key(resource: str, *, variables: bool) -> str:
    special = [at for at in (resource.find("*"), resource.find("?")) if at >= 0]
    if variables and "${" in resource:
        special.append(resource.find("${"))
    if not special:
        return resource
    fixed = resource[: min(special)]
    return fixed[: max(boundaries(fixed), default=0)]


class CompiledPolicy:
    """Made by `compile_policy`; what it says never changes."""

    __slots__ = ("_allowing", "_denying", "decisions", "kind", "source_name", "statements", "unconditional")

    def __init__(
        self, statements: Sequence[CompiledStatement], *, source_name: str, kind: Kind, variables: bool
    ) -> None:
        self.source_name = source_name
        """What to call it to whoever asks why: a policy's name or ARN."""
        self.kind = kind
        self.statements = statements
        self.decisions: dict[tuple[object, ...], Any] = {}
        """What was decided by it, kept by whoever decides, so that it goes when the policy goes."""
        self.unconditional = not any(one.keys for one in statements)
        """No circumstances of a request matter, only action, resource and principal."""
        self._denying = _finder([one for one in statements if not one.text.allow], variables=variables)
        self._allowing = _finder([one for one in statements if one.text.allow], variables=variables)

    def denial(self, request: Request) -> CompiledStatement | None:
        """A statement that denies the request."""
        for statement in self._denying(request):
            if statement.grade(request):
                return statement
        return None

    def allowance(self, request: Request) -> tuple[Grade, CompiledStatement | None]:
        """A statement that allows the request, the one that names the caller most closely."""
        best, found = Grade.NOT, None
        for statement in self._allowing(request):
            grade = statement.grade(request)
            if grade > best:
                best, found = grade, statement
                if best is Grade.ITSELF:
                    break
        return best, found

    def explain(self, request: Request) -> list[StatementTrace]:
        """Statement by statement, in the order of the document."""
        return [statement.explain(request, self.source_name) for statement in self.statements]

    @property
    def context_keys(self) -> frozenset[str]:
        """All that conditions and variables ask for, in lower case."""
        return frozenset[str]().union(*(statement.keys for statement in self.statements))


Finder = Callable[[Request], "Iterator[CompiledStatement] | Sequence[CompiledStatement]"]


def _finder(statements: Sequence[CompiledStatement], *, variables: bool) -> Finder:
    if len(statements) <= _FEW:
        return lambda _: statements
    return _Index(statements, variables=variables).candidates


def compile_policy(
    document: str | Mapping[str, Any], *, source_name: str, kind: Kind = Kind.IDENTITY
) -> CompiledPolicy:
    """`document`: JSON text, or what was read from it. Raises PolicyError."""
    parsed = parse_policy(document, kind)
    variables = parsed.has_variables
    statements = [CompiledStatement(text, variables=variables) for text in parsed.statements]
    return CompiledPolicy(statements, source_name=source_name, kind=kind, variables=variables)
