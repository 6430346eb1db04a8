"""What holds for any policy, and for hostile ones."""

from __future__ import annotations

import json
import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.aws.policy.cases import policy, request, statement
from tidegate.aws.policy import (
    ANONYMOUS,
    Effect,
    Kind,
    Policies,
    PolicyError,
    Principal,
    Request,
    compile_policy,
    decide,
    parse_policy,
)
from tidegate.aws.policy.document import policy_size
from tidegate.aws.policy.patterns import resource_glob, tokens
from tidegate.core.globs import glob, matcher

ACCOUNT = "111122223333"
ARN = f"arn:aws:execute-api:eu-west-1:{ACCOUNT}:"
ACTIONS = ["execute-api:Invoke", "execute-api:*", "*", "EXECUTE-API:I*", "s3:GetObject", "*:Invoke", "s3:?et*"]
RESOURCES = [
    "*", f"{ARN}api/*", f"{ARN}api/prod/GET/pets", f"{ARN}a?i/*/pets", f"{ARN}other/*", "arn:aws:execute-api:*",
    f"{ARN}${{aws:username}}/*", f"arn:aws:execute-api:*:{ACCOUNT}:api/*", f"{ARN}api/prod/GET/a/b/c/d/e/f/g/*",
]  # fmt: skip
CONDITIONS: list[dict[str, Any]] = [
    {},
    {"StringEquals": {"aws:username": "api"}},
    {"StringNotEqualsIfExists": {"aws:username": "api"}},
    {"Null": {"aws:username": "true"}},
    {"ForAllValues:StringLike": {"aws:TagKeys": ["a*"]}, "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
]

some = st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3)
statements = st.builds(
    lambda effect, action, actions, resource, resources, condition: {
        "Effect": effect,
        action: actions,
        resource: resources,
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    st.sampled_from(["Action", "NotAction"]),
    some,
    st.sampled_from(["Resource", "NotResource"]),
    st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3),
    st.sampled_from(CONDITIONS),
)
requests = st.builds(
    Request,
    st.sampled_from(["execute-api:Invoke", "execute-api:InvalidateCache", "s3:GetObject"]),
    st.sampled_from(
        [f"{ARN}api/prod/GET/pets", f"{ARN}other/", f"{ARN}api/prod/GET/a/b/c/d/e/f/g/h", "arn:aws:s3:::b", f"{ARN}api"]
    ),
    st.just(Principal.user(f"arn:aws:iam::{ACCOUNT}:user/api")),
    st.fixed_dictionaries(
        {},
        optional={
            "aws:UserName": st.sampled_from(["api", "ann"]),
            "aws:TagKeys": st.lists(st.sampled_from(["a", "ab", "b"]), max_size=3),
            "aws:SourceIp": st.sampled_from(["10.1.1.1", "8.8.8.8"]),
        },
    ),
)
documents = st.lists(statements, min_size=1, max_size=30).map(lambda some: policy(*some))


def effect_of(document: dict[str, Any], asked: Request) -> Effect:
    return decide(asked, Policies(identity=(compile_policy(document, source_name="p"),))).effect


@given(documents, requests, st.randoms(use_true_random=False))
def test_the_order_of_statements_is_irrelevant(document: dict[str, Any], asked: Request, chance: random.Random) -> None:
    shuffled = list(document["Statement"])
    chance.shuffle(shuffled)
    assert effect_of(document, asked) is effect_of(policy(*shuffled), asked)


@given(documents, statements, requests)
def test_a_further_deny_never_allows_and_a_further_allow_never_forbids(
    document: dict[str, Any], further: dict[str, Any], asked: Request
) -> None:
    before = effect_of(document, asked)
    denied = effect_of(policy(*document["Statement"], further | {"Effect": "Deny"}), asked)
    allowed = effect_of(policy(*document["Statement"], further | {"Effect": "Allow"}), asked)
    assert denied is before or denied is Effect.EXPLICIT_DENY
    assert allowed is before or (before is Effect.IMPLICIT_DENY and allowed is Effect.ALLOW)


@given(documents, requests)
def test_the_index_finds_what_walking_through_finds(document: dict[str, Any], asked: Request) -> None:
    """A policy of many statements says what its statements say one by one."""
    single = [effect_of(policy(one), asked) for one in document["Statement"]]
    found = effect_of(document, asked)
    if Effect.EXPLICIT_DENY in single:
        assert found is Effect.EXPLICIT_DENY
    else:
        assert found is (Effect.ALLOW if Effect.ALLOW in single else Effect.IMPLICIT_DENY)
    traced = compile_policy(document, source_name="p").explain(asked)
    assert [step.matched for step in traced] == [effect is not Effect.IMPLICIT_DENY for effect in single]


@given(statements, requests)
def test_an_element_and_its_opposite_complement_each_other(one: dict[str, Any], asked: Request) -> None:
    for element in ("Action", "Resource"):
        bare = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        values = one.get(element, one.get(f"Not{element}"))
        bare.pop(element)
        plain, negated = policy({**bare, element: values}), policy({**bare, f"Not{element}": values})
        assert {effect_of(plain, asked), effect_of(negated, asked)} == {Effect.ALLOW, Effect.IMPLICIT_DENY}


@given(documents, documents, requests)
def test_boundaries_and_sessions_only_take_away(mine: dict[str, Any], limit: dict[str, Any], asked: Request) -> None:
    own, other = compile_policy(mine, source_name="p"), compile_policy(limit, source_name="l")
    alone = decide(asked, Policies(identity=(own,)))
    for limited in (Policies(identity=(own,), boundary=other), Policies(identity=(own,), session=(other,))):
        assert alone.allowed or not decide(asked, limited).allowed


@given(
    st.lists(st.sampled_from(["a", "b", "?", "ab"]), max_size=6).map("".join),
    st.text(alphabet="ab", max_size=90),
    st.sampled_from(["", "?", "?b", "a?b", "b??a?b"]),
)
@settings(max_examples=800)
def test_long_searches_find_the_same(run: str, text: str, tail: str) -> None:
    pattern = f"*{run}?{'a?' * 4}bb*{run}{tail}*"
    assert glob(pattern)(text) is bool(re.fullmatch(pattern.replace("?", ".").replace("*", ".*"), text))
    assert glob(pattern)("a" * 200 + text) is bool(
        re.fullmatch(pattern.replace("?", ".").replace("*", ".*"), "a" * 200 + text)
    )


letters = st.text(alphabet="ab*?:.", max_size=12)


@given(letters, st.text(alphabet="ab:.*", max_size=14))
@settings(max_examples=1500)
def test_globs_match_what_a_regular_expression_matches(pattern: str, text: str) -> None:
    naive = re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), re.DOTALL)
    assert glob(pattern)(text) is bool(naive.fullmatch(text))
    assert matcher([t for t in tokens(pattern, variables=True) if not hasattr(t, "key")])(text) is glob(pattern)(text)
    if not resource_glob(pattern)(text):
        return
    assert glob(pattern)(text)


@given(st.text(alphabet="ab*?${},' :", max_size=20), st.text(alphabet="ab*?${},' :", max_size=20))
def test_any_text_is_a_pattern_before_variables_existed(pattern: str, text: str) -> None:
    """In 2008-10-17 `${` means nothing; a text without wildcards equals only itself."""
    one = statement(Resource="*", Condition={"StringEquals": {"a:b": pattern}})
    assert effect_of(policy(one, version="2008-10-17"), Request("a:b", "*", ANONYMOUS, {"a:b": text})) is (
        Effect.ALLOW if pattern == text else Effect.IMPLICIT_DENY
    )
    assert "".join(str(getattr(token, "value", token)) for token in tokens(pattern, variables=False)) == pattern


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    "Version Statement Effect Action Resource Principal Condition StringEquals a:b".split()
                ),
                inner,
            )
        ),
        max_leaves=20,
    ),
    st.sampled_from(Kind),
)
def test_any_document_is_compiled_or_refused(document: Any, kind: Kind) -> None:
    try:
        compile_policy(document, source_name="p", kind=kind)
    except PolicyError as refused:
        assert refused.message


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"Statement":' * 20_000,
        '{"Statement":' + "1" * 100_000 + "}",
        '{"Statement":' + " " * 200_000 + "{}}",
        '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":' + '{"a":' * 5_000 + "1" + "}" * 5_002,
        "\ud800",
        "{\x00}",
    ],
    ids=["lists", "objects", "a number", "too long", "condition", "surrogate", "nul"],
)
def test_hostile_texts_are_refused(text: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(text, Kind.IDENTITY)


def test_a_deep_object_is_refused_without_walking_down() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"Statement": deep}
    with pytest.raises(PolicyError):
        parse_policy(deep, Kind.IDENTITY)


@pytest.mark.parametrize(
    "pattern",
    [
        "a*" * 2_000 + "b",
        "*a" * 2_000 + "b",
        "*a?" * 1_500 + "b",
        "*?" * 2_000 + "b",
        "?*" * 2_000 + "b",
        "**" * 2_000 + "b",
        "a*" * 2_000 + "b*a",
        "*a?" * 1_500 + "b*?",
        "*" + "a?" * 2_000 + "b*",
        "*" + "a" * 4_000 + "b*a",
        "*" + "?" * 4_000 + "b*",
    ],
)
def test_pathological_wildcards_end(pattern: str) -> None:
    """With backtracking none of these would end within the age of the universe."""
    assert not glob(pattern)("a" * 8_000)
    assert not resource_glob(f"arn:aws:execute-api:*:*:{pattern}")(f"{ARN}{'a' * 8_000}")


def test_a_path_of_colons_and_slashes_cannot_pose_as_another_api() -> None:
    mine = statement(Resource=[f"arn:aws:execute-api:*:{ACCOUNT}:mine/*", f"arn:aws:execute-api:*:*:mine/{'a/' * 9}*"])
    for path in (f"x:{ACCOUNT}:mine/y", f":{ACCOUNT}:mine/", "::mine/", f"execute-api:r:{ACCOUNT}:mine/prod/GET/"):
        asked = request(resource=f"{ARN}other/prod/GET/{path}")
        assert effect_of(policy(mine), asked) is Effect.IMPLICIT_DENY


def test_values_of_variables_are_never_wildcards() -> None:
    mine = statement(Resource=f"{ARN}${{aws:username}}/*")
    for name in ("*", "?pi", "a*", f"x:{ACCOUNT}:api", "${aws:userid}"):
        asked = Request(
            "execute-api:Invoke", f"{ARN}api/prod/GET/", ANONYMOUS, {"aws:username": name, "aws:userid": "api"}
        )
        assert effect_of(policy(mine), asked) is Effect.IMPLICIT_DENY


def test_sizes_without_white_space() -> None:
    document = policy(statement())
    assert policy_size(json.dumps(document, indent=4)) == len(json.dumps(document, separators=(",", ":")))
