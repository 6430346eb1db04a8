"""Operators, resources and refusals, case by case."""

from __future__ import annotations

import json

import pytest

from tests.aws.policy.cases import cases, policy, statement
from tidegate.aws.policy import ANONYMOUS, Effect, Kind, Policies, PolicyError, Request, compile_policy, decide
from tidegate.aws.policy.values import date

KNOWN = {
    "aws:UserName": "ann",
    "aws:PrincipalTag/team": "blue",
    "aws:TagKeys": ["a", "b"],
    "x:star": "*",
    "x:yes": "true",
    "x:colon": "eu-west-1:1",
}


@pytest.mark.parametrize("case", cases("operators"), ids=" ".join)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_operators(case: list[str], effect: str) -> None:
    operator, wanted, given, holds = case
    condition = {operator: {"aws:Key": json.loads(wanted)}}
    context = dict(KNOWN) if given == "-" else {**KNOWN, "AWS:kEY": json.loads(given)}
    compiled = compile_policy(policy(statement(effect, Condition=condition)), source_name="golden")
    decision = decide(Request("a:b", "*", ANONYMOUS, context), Policies(identity=(compiled,)))
    applied = Effect.ALLOW if effect == "Allow" else Effect.EXPLICIT_DENY
    assert decision.effect is (applied if holds == "true" else Effect.IMPLICIT_DENY)


@pytest.mark.parametrize("case", cases("resources"), ids=" ".join)
def test_resources_and_their_opposite(case: list[str]) -> None:
    version, pattern, resource, matches = case
    asked = Request("a:b", resource, ANONYMOUS, KNOWN)
    for element, wanted in (("Resource", matches == "true"), ("NotResource", matches != "true")):
        one = statement(**{element: json.loads(pattern)})
        compiled = compile_policy(policy(one, version=version), source_name="golden")
        assert decide(asked, Policies(identity=(compiled,))).allowed is wanted


@pytest.mark.parametrize("case", cases("refused"), ids=" ".join)
def test_refusals_in_aws_words(case: list[str]) -> None:
    kind, document, message, *pointer = case
    with pytest.raises(PolicyError) as refused:
        compile_policy(document, source_name="golden", kind=Kind(kind))
    assert (refused.value.message, refused.value.pointer) == (message, pointer[0] if pointer else "")
    assert refused.value.code == "MalformedPolicyDocument"
    assert refused.value.detail


@pytest.mark.parametrize(
    ("action", "asked", "matches"),
    [
        ("execute-api:Invoke", "execute-api:Invoke", True),
        ("EXECUTE-API:invoke", "execute-api:Invoke", True),
        ("execute-api:*", "execute-api:ManageConnections", True),
        ("execute-api:I*", "execute-api:ManageConnections", False),
        ("execute-api:?nvoke", "execute-api:Invoke", True),
        ("*:Invoke", "execute-api:Invoke", True),
        ("*", "anything:AtAll", True),
        ("execute-api:Invoke", "execute-api:InvalidateCache", False),
        ("s3:*", "s3-object-lambda:Get", False),
        (["s3:Get*", "sqs:*"], "sqs:SendMessage", True),
    ],
)
def test_actions_and_their_opposite(action: object, asked: str, matches: bool) -> None:
    for element, wanted in (("Action", matches), ("NotAction", not matches)):
        compiled = compile_policy(policy(statement(**{element: action})), source_name="p")
        assert decide(Request(asked, "*", ANONYMOUS, {}), Policies(identity=(compiled,))).allowed is wanted


def test_all_operators_keys_and_elements_must_hold() -> None:
    both = {"StringEquals": {"aws:a": "1", "aws:b": "2"}, "Bool": {"aws:c": "true"}}
    compiled = compile_policy(policy(statement(Condition=both)), source_name="p")
    full = {"aws:a": "1", "aws:b": "2", "aws:c": "true"}
    assert decide(Request("a:b", "*", ANONYMOUS, full), Policies(identity=(compiled,))).allowed
    for name in full:
        asked = Request("a:b", "*", ANONYMOUS, {**full, name: "other"})
        assert not decide(asked, Policies(identity=(compiled,))).allowed


def test_the_keys_a_policy_asks_for() -> None:
    one = statement(
        Resource="arn:aws:s3:::b/${aws:username}",
        Condition={"StringEquals": {"aws:PrincipalTag/A": "${x:y, 'z'}"}, "Null": {"aws:Z": "true"}},
    )
    compiled = compile_policy(json.dumps(policy(one)), source_name="p")
    assert compiled.context_keys == {"aws:username", "aws:principaltag/a", "x:y", "aws:z"}


@pytest.mark.parametrize(
    "text", ["2026-02-30", "2026-01-01T25:00Z", "2026-01-01T00:00+99:00", "0000", "1e9", "", "20260101"]
)
def test_what_is_no_date(text: str) -> None:
    if text == "20260101":
        assert date(text) == 20_260_101_000_000  # seconds: the basic format is not among W3C's
        return
    with pytest.raises(ValueError):
        date(text)
