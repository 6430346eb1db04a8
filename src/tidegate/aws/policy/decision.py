"""Policies of all kinds together: an explicit deny anywhere ends it; otherwise who must allow depends on whose account it is.

Sources: *Policy evaluation logic* (single account and cross-account), *Troubleshoot access denied error messages*;
shared facts, access §3, Tables A and B. Service control policies do not exist here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple, Protocol

from tidegate.aws.policy.compiled import CompiledPolicy, CompiledStatement, StatementTrace
from tidegate.aws.policy.principals import Grade
from tidegate.aws.policy.request import Request

_KNOWN_DECISIONS = 1024
"""Of one policy, kept ready: the names of actions may be a caller's."""


class Effect(Enum):
    """The values of IAM's simulator."""

    ALLOW = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class PolicyType(Enum):
    """As AWS's messages call it."""

    IDENTITY = "identity-based policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    RESOURCE = "resource-based policy"


class Reason(Enum):
    ALLOWED = "a statement allows it"
    DENIED = "a statement denies it"
    NOT_ALLOWED = "no statement of a kind that must allow it does"
    ROOT = "an account's root user may do everything in it"
    NO_POLICY = "no policy is attached"


@dataclass(frozen=True, slots=True)
class Policies:
    """Everything that has a say about one request."""

    identity: Sequence[CompiledPolicy] = ()
    """Of the user and the user's groups, or of the role."""
    boundary: CompiledPolicy | None = None
    session: Sequence[CompiledPolicy] | None = None
    """None: no session policy was passed. Several count as one."""
    resource: CompiledPolicy | None = None
    resource_account: str | None = None
    """Who owns the resource; None: the caller's account."""
    resource_must_allow: bool = False
    """AWS: a role's trust policy has to name the caller even within the account."""

    def named(self) -> Iterator[tuple[PolicyType, CompiledPolicy]]:
        yield from ((PolicyType.IDENTITY, policy) for policy in self.identity)
        if self.boundary is not None:
            yield PolicyType.BOUNDARY, self.boundary
        yield from ((PolicyType.SESSION, policy) for policy in self.session or ())
        if self.resource is not None:
            yield PolicyType.RESOURCE, self.resource


@dataclass(frozen=True, slots=True)
class Decision:
    """`policy_type`: whose statement decided, or whose is missing. `policy`, `statement`, `sid`: which one, when there is one."""

    effect: Effect
    reason: Reason
    action: str
    policy_type: PolicyType | None = None
    policy: str | None = None
    statement: int | None = None
    sid: str | None = None
    trace: tuple[StatementTrace, ...] = ()

    @property
    def allowed(self) -> bool:
        return self.effect is Effect.ALLOW

    @property
    def why(self) -> str:
        """For operators, never for clients."""
        if self.statement is not None and self.policy_type is not None:
            verb = "allows" if self.allowed else "denies"
            sid = f" ({self.sid})" if self.sid else ""
            return f"statement {self.statement}{sid} of the {self.policy_type.value} {self.policy} {verb} {self.action}"
        if self.reason is Reason.NOT_ALLOWED and self.policy_type is not None:
            return f"no {self.policy_type.value} allows {self.action}"
        return self.reason.value

    @property
    def suffix(self) -> str:
        """What AWS appends to its denials."""
        if self.allowed or self.policy_type is None:
            return ""
        kind = self.policy_type.value
        if self.effect is Effect.EXPLICIT_DENY:
            return f" with an explicit deny in {'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        return f" because no {kind} allows the {self.action} action"


def decide(request: Request, policies: Policies, *, trace: bool = False) -> Decision:
    """`trace`: go through every statement of every policy and say what became of it."""
    steps: tuple[StatementTrace, ...] = ()
    if trace:
        steps = tuple(step for _, policy in policies.named() for step in policy.explain(request))
    denied = _denied(request, policies, steps)
    return _without_deny(request, policies, steps) if denied is None else denied


def _denied(request: Request, policies: Policies, steps: tuple[StatementTrace, ...]) -> Decision | None:
    for policy in policies.identity:
        if (statement := policy.denial(request)) is not None:
            return _by(Effect.EXPLICIT_DENY, PolicyType.IDENTITY, policy, statement, request, steps)
    if policies.boundary is None and policies.session is None:
        # The usual case, without a generator: there is only one more to ask.
        resource = policies.resource
        if resource is not None and (statement := resource.denial(request)) is not None:
            return _by(Effect.EXPLICIT_DENY, PolicyType.RESOURCE, resource, statement, request, steps)
        return None
    for kind, policy in policies.named():
        if (statement := policy.denial(request)) is not None:
            return _by(Effect.EXPLICIT_DENY, kind, policy, statement, request, steps)
    return None


def _by(
    effect: Effect,
    kind: PolicyType,
    policy: CompiledPolicy,
    statement: CompiledStatement,
    request: Request,
    steps: tuple[StatementTrace, ...],
) -> Decision:
    key = (effect, kind, statement.text.index, request.action)
    known: Decision | None = None if steps else policy.decisions.get(key)
    if known is not None:
        return known
    reason = Reason.ALLOWED if effect is Effect.ALLOW else Reason.DENIED
    text = statement.text
    decision = Decision(effect, reason, request.action, kind, policy.source_name, text.index, text.sid, steps)
    if not steps:
        if len(policy.decisions) >= _KNOWN_DECISIONS:
            policy.decisions.clear()
        policy.decisions[key] = decision
    return decision


def _without_deny(request: Request, policies: Policies, steps: tuple[StatementTrace, ...]) -> Decision:
    grade, granting = Grade.NOT, None
    if policies.resource is not None:
        grade, granting = policies.resource.allowance(request)
    principal = request.principal
    within = policies.resource_account in (None, principal.account) or principal.account is None
    if within and grade > Grade.ACCOUNT and policies.resource is not None and granting is not None:
        # AWS: a grant to the user or session itself stands alone; boundary and session policies limit one to the role.
        missing = None if grade is Grade.ITSELF else _ceiling(request, policies)
        if missing is None:
            return _by(Effect.ALLOW, PolicyType.RESOURCE, policies.resource, granting, request, steps)
        return _lacking(missing, request, steps)
    if grade is Grade.NOT and (not within or policies.resource_must_allow):
        return _lacking(PolicyType.RESOURCE, request, steps)
    return _by_identity(request, policies, steps)


def _ceiling(request: Request, policies: Policies) -> PolicyType | None:
    """The kind of policy that limits what others grant, and does not allow this."""
    boundary, session = policies.boundary, policies.session
    if boundary is not None and not boundary.allowance(request)[0]:
        return PolicyType.BOUNDARY
    if session is not None and not any(policy.allowance(request)[0] for policy in session):
        return PolicyType.SESSION
    return None


def _by_identity(request: Request, policies: Policies, steps: tuple[StatementTrace, ...]) -> Decision:
    if request.principal.is_root and policies.session is None:
        return Decision(Effect.ALLOW, Reason.ROOT, request.action, trace=steps) if steps else _root_may(request.action)
    for policy in policies.identity:
        _, statement = policy.allowance(request)
        if statement is not None:
            missing = _ceiling(request, policies)
            if missing is not None:
                return _lacking(missing, request, steps)
            return _by(Effect.ALLOW, PolicyType.IDENTITY, policy, statement, request, steps)
    nobody = request.principal.account is None and not policies.identity
    return _lacking(PolicyType.RESOURCE if nobody else PolicyType.IDENTITY, request, steps)


@lru_cache(maxsize=256)
def _root_may(action: str) -> Decision:
    return Decision(Effect.ALLOW, Reason.ROOT, action)


def _lacking(kind: PolicyType, request: Request, steps: tuple[StatementTrace, ...]) -> Decision:
    return Decision(Effect.IMPLICIT_DENY, Reason.NOT_ALLOWED, request.action, kind, trace=steps)


class Judge(Protocol):
    """Policies that go together in a certain way, ready to be asked."""

    def __call__(self, request: Request, *, trace: bool = False) -> Decision: ...


class Judgement(NamedTuple):
    """Who was asked what; the answer can be had again, statement by statement."""

    request: Request
    judge: Judge

    def explained(self) -> Decision:
        return self.judge(self.request, trace=True)
