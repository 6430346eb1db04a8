"""AWS's tables of who may call a method, every row, for every way in which a resource policy can name the caller."""

from __future__ import annotations

import pytest

from tests.aws.policy.cases import cases, policy, request, statement
from tidegate.aws.policy import ANONYMOUS, CompiledPolicy, Policies, Principal
from tidegate.aws.policy.api_gateway import INVOKE, ApiRules, compile_authorizer_policy, compile_resource_policy
from tidegate.aws.policy.decision import Decision, PolicyType

ACCOUNT, OTHER = "111122223333", "444455556666"
WHERE = {"region": "eu-west-1", "account": ACCOUNT, "api_id": "api"}
ROWS = cases("workflow")


def callers(authorization: str) -> list[Principal]:
    if authorization not in ("IAM", "CROSS"):
        return [ANONYMOUS]
    account = ACCOUNT if authorization == "IAM" else OTHER
    role = f"arn:aws:iam::{account}:role/r"
    return [
        Principal.user(f"arn:aws:iam::{account}:user/ann"),
        Principal.role_session(f"arn:aws:sts::{account}:assumed-role/r/s", role),
    ]


def resource_policies(says: str, caller: Principal) -> list[CompiledPolicy | None]:
    """With everybody named, and with the caller named."""
    if says == "none":
        return [None]
    made: list[CompiledPolicy | None] = []
    for principal in ("*", {"AWS": "*"}, {"AWS": [caller.arn]}) if caller.arn else ("*", {"AWS": "*"}):
        one = statement(
            "Deny" if says == "deny" else "Allow",
            Principal=principal,
            Action=INVOKE,
            Resource=f"execute-api:/{'test' if says == 'silent' else 'prod'}/*",
        )
        made.append(compile_resource_policy(policy(one), **WHERE))
        if says == "deny":
            # A denial wins, whatever stands beside it.
            both = policy(statement(Principal="*", Resource="execute-api:/*"), one)
            made.append(compile_resource_policy(both, **WHERE))
    return made


def identity_policies(says: str) -> list[tuple[CompiledPolicy, ...]]:
    if says in ("none", "-"):
        return [()]
    resource = "arn:aws:execute-api:eu-west-1:111122223333:" + ("api/test/*" if says == "silent" else "api/prod/*")
    one = statement("Deny" if says == "deny" else "Allow", Action=INVOKE, Resource=resource)
    alone = compile_authorizer_policy(policy(one), source_name="identity")
    if says != "deny":
        return [(alone,)]
    allows = statement()
    return [(alone,), (compile_authorizer_policy(policy(allows, one), source_name="identity"),)]


def decide(authorization: str, rules: ApiRules, caller: Principal, mine: tuple[CompiledPolicy, ...]) -> Decision:
    asked = request(principal=caller)
    if authorization == "NONE":
        return rules.open(asked)
    if authorization == "COGNITO":
        return rules.cognito(asked)
    if authorization == "CUSTOM":
        return rules.before_authorizer(asked) or rules.after_authorizer(asked, mine[0])
    return rules.iam(asked, Policies(identity=mine))


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_a_row(row: list[str]) -> None:
    authorization, identity, resource, expected, named = row
    for caller in callers(authorization):
        for attached in resource_policies(resource, caller):
            for mine in identity_policies(identity):
                decision = decide(authorization, ApiRules(ACCOUNT, attached), caller, mine)
                assert decision.effect.value == expected, decision.why
                if named == "-":
                    assert decision.suffix == ""
                else:
                    assert decision.policy_type is PolicyType(f"{named}-based policy"), decision.why


def test_the_tables_are_whole() -> None:
    sayings = ("none", "silent", "allow", "deny")
    wanted = {("NONE", "-", resource) for resource in sayings} | {("COGNITO", "-", resource) for resource in sayings}
    wanted |= {("CUSTOM", identity, resource) for identity in sayings[1:] for resource in sayings}
    wanted |= {(kind, one, two) for kind in ("IAM", "CROSS") for one in sayings for two in sayings}
    assert {tuple(row[:3]) for row in ROWS} == wanted
    assert len(ROWS) == len(wanted)


def test_the_function_is_not_called_for_whom_the_resource_policy_denies() -> None:
    for says, called in (("none", True), ("silent", True), ("allow", True), ("deny", False)):
        for attached in resource_policies(says, ANONYMOUS):
            assert (ApiRules(ACCOUNT, attached).before_authorizer(request()) is None) is called
