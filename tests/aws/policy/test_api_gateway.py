"""API Gateway's flow for every authorization type, and the texts of its denials."""

from __future__ import annotations

from itertools import product

import pytest

from tests.aws.policy.cases import policy, request, statement
from tidegate.aws.policy import CompiledPolicy, Effect, Policies, PolicyError, Principal
from tidegate.aws.policy.api_gateway import (
    INVOKE,
    ApiRules,
    authorizer_denial_message,
    compile_authorizer_policy,
    compile_resource_policy,
    denial_message,
    method_arn,
)

ACCOUNT, OTHER = "111122223333", "444455556666"
WHERE = {"region": "eu-west-1", "account": ACCOUNT, "api_id": "api"}
A, S, D = Effect.ALLOW, Effect.IMPLICIT_DENY, Effect.EXPLICIT_DENY
TABLE_A = {("A", "A"): A, ("A", "S"): A, ("A", "D"): D, ("S", "A"): A, ("S", "S"): S, ("S", "D"): D} | {
    ("D", resource): D for resource in "ASD"
}
TABLE_B = {**TABLE_A, ("A", "S"): S, ("S", "A"): S}


def attached(saying: str) -> CompiledPolicy:
    stage = "test" if saying == "S" else "prod"
    one = statement(
        "Deny" if saying == "D" else "Allow", Principal="*", Action=INVOKE, Resource=f"execute-api:/{stage}/*"
    )
    return compile_resource_policy(policy(one), **WHERE)


def answered(saying: str) -> CompiledPolicy:
    resource = "arn:aws:execute-api:eu-west-1:111122223333:api/*"
    one = statement("Deny" if saying == "D" else "Allow", Action=INVOKE, Resource=resource if saying != "S" else "none")
    return compile_authorizer_policy(policy(one), source_name="authorizer auth1")


def user(account: str) -> Principal:
    return Principal.user(f"arn:aws:iam::{account}:user/ann")


@pytest.mark.parametrize(("identity", "resource"), list(product("ASD", "ASD")))
def test_tables_a_and_b(identity: str, resource: str) -> None:
    rules = ApiRules(ACCOUNT, attached(resource))
    mine = Policies(identity=(answered(identity),))
    assert rules.iam(request(principal=user(ACCOUNT)), mine).effect is TABLE_A[identity, resource]
    assert rules.iam(request(principal=user(OTHER)), mine).effect is TABLE_B[identity, resource]
    assert rules.after_authorizer(request(), answered(identity)).effect is TABLE_A[identity, resource]


@pytest.mark.parametrize("resource", "ASD")
def test_the_policy_alone(resource: str) -> None:
    rules = ApiRules(ACCOUNT, attached(resource))
    expected = {"A": A, "S": S, "D": D}[resource]
    assert rules.open(request()).effect is expected
    assert rules.cognito(request()).effect is expected
    before = rules.before_authorizer(request())
    assert (before is None) is (resource != "D")


def test_without_a_policy() -> None:
    rules = ApiRules(ACCOUNT, None)
    assert rules.open(request()).allowed and rules.cognito(request()).allowed
    assert rules.before_authorizer(request()) is None
    for identity, effect in (("A", A), ("S", S), ("D", D)):
        assert rules.after_authorizer(request(), answered(identity)).effect is effect
        assert rules.iam(request(principal=user(ACCOUNT)), Policies(identity=(answered(identity),))).effect is effect


def test_a_private_api_without_a_policy_answers_nobody() -> None:
    rules = ApiRules(ACCOUNT, None, private=True)
    asked = request(principal=user(ACCOUNT))
    for decision in (
        rules.open(request()),
        rules.cognito(request()),
        rules.before_authorizer(request()),
        rules.after_authorizer(request(), answered("A")),
        rules.iam(asked, Policies(identity=(answered("A"),))),
        rules.iam(request(principal=Principal.root(ACCOUNT)), Policies()),
    ):
        assert decision is not None and decision.effect is S


def test_named_accounts_do_not_let_in_unsigned_callers() -> None:
    one = statement(Principal={"AWS": ACCOUNT}, Resource="execute-api:/*")
    assert ApiRules(ACCOUNT, compile_resource_policy(policy(one), **WHERE)).open(request()).effect is S


MASKED = "arn:aws:execute-api:eu-west-1:********3333:api/prod/GET/pets"


def test_texts() -> None:
    anonymous = f"User: anonymous is not authorized to perform: execute-api:Invoke on resource: {MASKED}"
    silent, denying = ApiRules(ACCOUNT, attached("S")), ApiRules(ACCOUNT, attached("D"))
    assert denial_message(silent.open(request()), request()) == (
        f"{anonymous} because no resource-based policy allows the execute-api:Invoke action"
    )
    assert denial_message(denying.open(request()), request()) == (
        f"{anonymous} with an explicit deny in a resource-based policy"
    )
    before = denying.before_authorizer(request())
    assert before is not None
    assert authorizer_denial_message(before, request()) == denial_message(denying.open(request()), request())
    nothing = ApiRules(ACCOUNT, None)
    assert authorizer_denial_message(nothing.after_authorizer(request(), answered("S")), request()) == (
        "User is not authorized to access this resource because no identity-based policy allows the execute-api:Invoke action"
    )
    assert authorizer_denial_message(nothing.after_authorizer(request(), answered("D")), request()) == (
        "User is not authorized to access this resource with an explicit deny in an identity-based policy"
    )
    asked = request(principal=user(ACCOUNT))
    signed = f"User: {user(ACCOUNT).arn} is not authorized to perform: execute-api:Invoke on resource: {MASKED}"
    assert denial_message(nothing.iam(asked, Policies()), asked) == (
        f"{signed} because no identity-based policy allows the execute-api:Invoke action"
    )
    bounded = Policies(identity=(answered("A"),), boundary=answered("S"))
    assert denial_message(nothing.iam(asked, bounded), asked) == (
        f"{signed} because no permissions boundary allows the execute-api:Invoke action"
    )
    session = Policies(identity=(answered("A"),), session=(answered("D"),))
    assert denial_message(nothing.iam(asked, session), asked) == f"{signed} with an explicit deny in a session policy"


@pytest.mark.parametrize(
    ("short", "path", "matches"),
    [
        ("execute-api:/prod/GET/pets", "pets", True),
        ("execute-api:/prod/GET/pets", "pets/1", False),
        ("execute-api:/*/GET/*", "pets/1", True),
        ("execute-api:/*", "", True),
        ("execute-api:/prod/POST/*", "pets", False),
        (["execute-api:/test/*", "execute-api:/prod/*"], "pets", True),
        ("arn:aws:execute-api:eu-west-1:111122223333:api/prod/*", "pets", True),
        ("arn:aws:execute-api:eu-west-1:111122223333:other/prod/*", "pets", False),
        ("arn:aws:execute-api:*:*:*/prod/*", "x:y:z/prod/", True),
        ("*", "pets", True),
    ],
)
def test_short_resources(short: object, path: str, matches: bool) -> None:
    arn = method_arn(**WHERE, stage="prod", method="GET", path=f"/{path}")
    for given in (statement(Principal="*", Resource=short), [statement(Principal="*", Resource=short)]):
        document = {"Version": "2012-10-17", "Statement": given}
        rules = ApiRules(ACCOUNT, compile_resource_policy(document, **WHERE))
        assert rules.open(request(resource=arn)).allowed is matches


def test_method_arns() -> None:
    assert method_arn(**WHERE, stage="prod", method="GET", path="/") == (
        "arn:aws:execute-api:eu-west-1:111122223333:api/prod/GET/"
    )


def test_what_is_no_policy() -> None:
    for document in ("", "[]", "{}", '{"Statement":[5]}', '{"Statement":5}'):
        with pytest.raises(PolicyError):
            compile_resource_policy(document, **WHERE)
    for statements in ([{"Effect": "Allow"}], [statement(Resource="x" * 513)], "x"):
        with pytest.raises(PolicyError):
            compile_authorizer_policy({"Statement": statements}, source_name="a")
    empty = compile_authorizer_policy(policy(), source_name="a")
    assert ApiRules(ACCOUNT, None).after_authorizer(request(), empty).effect is S
