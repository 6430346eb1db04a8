"""Every combination of what identity, boundary, session and resource policies say, against rules written down plainly."""

from __future__ import annotations

from itertools import product

import pytest

from tests.aws.policy.cases import policy, request, statement
from tidegate.aws.policy import (
    ANONYMOUS,
    CompiledPolicy,
    Effect,
    Kind,
    Policies,
    PolicyType,
    Principal,
    Reason,
    compile_policy,
    decide,
)

HOME, AWAY = "111122223333", "444455556666"
SAYINGS = ("none", "silent", "allow", "deny")
RESOURCE_SAYINGS = ("none", "silent", "deny", "everyone", "itself", "role", "account")
ROLE = f"arn:aws:iam::{HOME}:role/path/r"
CALLERS = {
    "user": Principal.user(f"arn:aws:iam::{HOME}:user/ann"),
    "session": Principal.role_session(f"arn:aws:sts::{HOME}:assumed-role/r/s", ROLE),
    "federated": Principal.federated_user(f"arn:aws:sts::{HOME}:federated-user/f"),
    "root": Principal.root(HOME),
    "anonymous": ANONYMOUS,
}


def own(saying: str) -> CompiledPolicy | None:
    made = {
        "silent": statement(Action="other:Thing"),
        "allow": statement(),
        "deny": statement("Deny"),
    }
    return compile_policy(policy(made[saying]), source_name=saying) if saying != "none" else None


def of_resource(saying: str, caller: Principal) -> CompiledPolicy | None:
    if saying == "none":
        return None
    principal: object = {"AWS": caller.arn} if caller.arn else "*"
    if saying == "account":
        principal = {"AWS": HOME}
    elif saying == "role":
        principal = {"AWS": ROLE}
    elif saying in ("everyone", "deny"):
        principal = "*"
    action = "other:Thing" if saying == "silent" else "*"
    effect = "Deny" if saying == "deny" else "Allow"
    one = statement(effect, Principal=principal, Action=action)
    return compile_policy(policy(one), source_name="resource", kind=Kind.RESOURCE)


def naive(identity: str, boundary: str, session: str, resource: str, who: str, same: bool) -> Effect:
    """AWS's pages in the order of their sentences."""
    if "deny" in (identity, boundary, session, resource):
        return Effect.EXPLICIT_DENY
    capped = boundary == "silent" or session == "silent"
    names_itself = resource in ("everyone", "itself") or (resource == "account" and who == "root")
    names_role = resource == "role" and who == "session"
    names_account = resource == "account" and who != "anonymous"
    root_alone = who == "root" and session == "none"
    granted_by_identity = root_alone or (identity == "allow" and not capped)
    if same or who == "anonymous":
        if names_itself or (names_role and not capped) or granted_by_identity:
            # AWS: a grant to the role is cut by boundary and session policies, as the identity's own grants are.
            return Effect.ALLOW
        return Effect.IMPLICIT_DENY
    if granted_by_identity and (names_itself or names_role or names_account):
        return Effect.ALLOW
    return Effect.IMPLICIT_DENY


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("same", [True, False])
def test_every_combination(who: str, same: bool) -> None:
    caller = CALLERS[who]
    asked = request(principal=caller)
    owner = HOME if same else AWAY
    seen = set()
    for identity, boundary, session, resource in product(SAYINGS, SAYINGS, SAYINGS, RESOURCE_SAYINGS):
        identity_policy, session_policy = own(identity), own(session)
        policies = Policies(
            identity=(identity_policy,) if identity_policy else (),
            boundary=own(boundary),
            session=(session_policy,) if session_policy else None,
            resource=of_resource(resource, caller),
            resource_account=owner,
        )
        decision = decide(asked, policies)
        expected = naive(identity, boundary, session, resource, who, same)
        assert decision.effect is expected, (identity, boundary, session, resource, decision.why)
        assert decision.why
        assert bool(decision.suffix) is (expected is not Effect.ALLOW)
        traced = decide(asked, policies, trace=True)
        assert traced.effect is expected
        assert len(traced.trace) == 4 - (identity, boundary, session, resource).count("none")
        seen.add(expected)
    assert seen == set(Effect)


def test_several_identity_and_session_policies() -> None:
    silent, allow, deny = own("silent"), own("allow"), own("deny")
    assert silent is not None and allow is not None and deny is not None
    asked = request(principal=CALLERS["session"])
    assert decide(asked, Policies(identity=(silent, allow), session=(silent, allow))).allowed
    assert decide(asked, Policies(identity=(silent, allow), session=(silent,))).policy_type is PolicyType.SESSION
    assert decide(asked, Policies(identity=(allow, deny))).effect is Effect.EXPLICIT_DENY
    # A session policy that was passed empty-handed allows nothing.
    assert decide(asked, Policies(identity=(allow,), session=())).policy_type is PolicyType.SESSION


@pytest.mark.parametrize(
    ("named", "identity", "allowed"),
    [
        (CALLERS["user"].arn, "none", True),
        (HOME, "none", False),
        (HOME, "allow", True),
        (f"arn:aws:iam::{HOME}:root", "allow", True),
        (AWAY, "allow", False),
        ("*", "none", True),
    ],
)
def test_a_trust_policy_has_to_name_the_caller(named: str, identity: str, allowed: bool) -> None:
    one = {"Effect": "Allow", "Principal": {"AWS": named}, "Action": "sts:AssumeRole"}
    trust = compile_policy(policy(one), source_name="trust", kind=Kind.TRUST)
    mine = own(identity)
    policies = Policies(
        identity=(mine,) if mine else (), resource=trust, resource_account=HOME, resource_must_allow=True
    )
    assert decide(request("sts:AssumeRole", ROLE, CALLERS["user"]), policies).allowed is allowed


@pytest.mark.parametrize(
    ("element", "who", "applies"),
    [
        ({"AWS": CALLERS["user"].arn}, "user", True),
        ({"AWS": CALLERS["user"].arn}, "session", False),
        ({"AWS": "arn:aws:iam::111122223333:user/Ann"}, "user", False),
        ({"AWS": [AWAY, HOME]}, "user", True),
        ({"AWS": ROLE}, "session", True),
        ({"AWS": f"arn:aws:sts::{HOME}:assumed-role/r/s"}, "session", True),
        ({"AWS": f"arn:aws:sts::{HOME}:assumed-role/r/t"}, "session", False),
        ({"AWS": HOME}, "anonymous", False),
        ({"AWS": "*"}, "anonymous", True),
        ("*", "anonymous", True),
        ({"Service": "lambda.amazonaws.com"}, "user", False),
        ({"Federated": "accounts.google.com"}, "anonymous", False),
    ],
)
def test_whom_a_deny_concerns(element: object, who: str, applies: bool) -> None:
    one = statement("Deny", Principal=element)
    compiled = compile_policy(policy(one), source_name="p", kind=Kind.RESOURCE)
    decision = decide(request(principal=CALLERS[who]), Policies(resource=compiled, resource_account=HOME))
    assert (decision.effect is Effect.EXPLICIT_DENY) is applies


@pytest.mark.parametrize(
    ("caller", "element", "applies"),
    [
        (Principal.service("lambda.amazonaws.com"), {"Service": "lambda.amazonaws.com"}, True),
        (Principal.service("lambda.amazonaws.com"), {"Service": "sns.amazonaws.com"}, False),
        (Principal.service("lambda.amazonaws.com"), {"AWS": HOME, "Service": "*"}, True),
        (Principal.federated("accounts.google.com"), {"Federated": "accounts.google.com"}, True),
        (Principal.federated("accounts.google.com"), {"Service": "accounts.google.com"}, False),
        (Principal("User", None, HOME, canonical_user="a" * 64), {"CanonicalUser": "a" * 64}, False),
        (Principal("User", None, AWAY, canonical_user="b" * 64), {"CanonicalUser": "a" * 64}, False),
    ],
)
def test_services_providers_and_canonical_users(caller: Principal, element: object, applies: bool) -> None:
    compiled = compile_policy(policy(statement(Principal=element)), source_name="p", kind=Kind.RESOURCE)
    decision = decide(request(principal=caller), Policies(resource=compiled, resource_account=HOME))
    assert decision.allowed is applies


def test_a_canonical_user_stands_for_the_account() -> None:
    caller = Principal("User", f"arn:aws:iam::{HOME}:user/ann", HOME, canonical_user="a" * 64)
    one = statement(Principal={"CanonicalUser": "a" * 64})
    compiled = compile_policy(policy(one), source_name="p", kind=Kind.RESOURCE)
    mine = own("allow")
    assert mine is not None
    assert decide(
        request(principal=caller), Policies(identity=(mine,), resource=compiled, resource_account=AWAY)
    ).allowed


@pytest.mark.parametrize(
    ("effect", "named", "who", "applies"),
    [
        ("Deny", CALLERS["user"].arn, "user", False),
        ("Deny", CALLERS["user"].arn, "anonymous", True),
        ("Deny", HOME, "user", True),
        ("Deny", HOME, "root", False),
        ("Deny", ROLE, "session", True),
        ("Deny", CALLERS["session"].arn, "session", False),
        ("Allow", ROLE, "session", False),
        ("Allow", HOME, "user", False),
        ("Allow", AWAY, "user", True),
    ],
)
def test_not_principal_never_favours_the_caller(effect: str, named: str, who: str, applies: bool) -> None:
    one = statement(effect, NotPrincipal={"AWS": named})
    compiled = compile_policy(policy(one), source_name="p", kind=Kind.RESOURCE)
    decision = decide(request(principal=CALLERS[who]), Policies(resource=compiled, resource_account=AWAY, identity=()))
    denied = compiled.denial(request(principal=CALLERS[who])) is not None
    granted = bool(compiled.allowance(request(principal=CALLERS[who]))[0])
    assert (denied if effect == "Deny" else granted) is applies
    assert (decision.effect is Effect.EXPLICIT_DENY) is (effect == "Deny" and applies)


def test_a_decision_names_its_statement() -> None:
    compiled = compile_policy(
        policy(statement(Action="s3:*"), statement("Deny", Sid="No", Action="execute-api:*")), source_name="Team"
    )
    decision = decide(request(), Policies(identity=(compiled,)))
    assert (decision.policy, decision.statement, decision.sid) == ("Team", 1, "No")
    assert decision.why == "statement 1 (No) of the identity-based policy Team denies execute-api:Invoke"
    assert decision.suffix == " with an explicit deny in an identity-based policy"
    assert decide(request(principal=Principal.root(HOME)), Policies()).reason is Reason.ROOT


def test_the_trace_says_which_element_did_not_match() -> None:
    compiled = compile_policy(
        policy(
            statement(Principal={"AWS": AWAY}),
            statement(Principal="*", Action="s3:*"),
            statement(Principal="*", NotResource="arn:aws:execute-api:*"),
            statement(Principal="*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
            statement(Principal="*", Condition={"Null": {"aws:SourceVpce": "false"}}),
            statement(Principal="*", Sid="Yes"),
        ),
        source_name="R",
        kind=Kind.RESOURCE,
    )
    trace = decide(request(), Policies(resource=compiled), trace=True).trace
    assert [step.failed for step in trace] == ["Principal", "Action", "NotResource", "Condition", "Condition", None]
    assert trace[3].detail == "StringEquals aws:SourceVpce [vpce-1]: the request has no such key"
    assert trace[4].detail == "Null aws:SourceVpce [false]: absent"
    assert trace[5].matched and trace[5].sid == "Yes"
