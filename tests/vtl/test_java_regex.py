"""java.util.regex against our translation: recorded cases, generated ones where Java is here, and patterns that mean harm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import perf_counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vtl import regex_cases
from tests.vtl.regex_cases import Java
from tidegate.vtl import BudgetExceeded, PatternError, compile_java
from tidegate.vtl.java_regex import LONGEST_PATTERN, SECONDS

RECORDED = {tuple(case): answer for *case, answer in json.loads(regex_cases.RECORDED.read_text())}
needs_java = pytest.mark.skipif(regex_cases.missing() is not None, reason=f"{regex_cases.missing()}")

REFUSED = {"(?U)\\w", "[a&&]", "[&&a]", "a{2}{3}"}
"""What Java takes and we do not: Unicode's classes, intersections with nothing, a repetition of a repetition."""
HALVES = {("", "é😀")}
"""An empty match of Java's stands also in the middle of a surrogate pair; we never tear a character in two."""


@pytest.fixture(scope="module")
def java() -> Iterator[Java]:
    running = Java()
    yield running
    running.close()


def test_all_cases_are_recorded() -> None:
    assert list(RECORDED) == regex_cases.cases()


@pytest.mark.parametrize("pattern", [*regex_cases.TEXTS, "replacements and limits"])
def test_as_recorded(pattern: str) -> None:
    for case, answer in RECORDED.items():
        operation, itself, text, _ = case
        if itself != pattern and (itself in regex_cases.TEXTS or pattern in regex_cases.TEXTS):
            continue
        if itself in REFUSED:
            assert regex_cases.ours(case) is None
        elif operation in ("matches", "find") or (itself, text) not in HALVES:
            assert regex_cases.ours(case) == answer, case


@needs_java
def test_java_answers_as_recorded(java: Java) -> None:
    for case, answer in RECORDED.items():
        assert java.ask(case) == answer, case


ATOMS = st.sampled_from(
    ["a", "b", "c", "ab", ".", "\\d", "\\w", "\\s", "[ab]", "[^b]", "[a-c&&[^b]]", "\\b", "^", "$", "\\.",
     " ", "1", "é", "(?=a)", "(?<!b)"]
)  # fmt: skip
QUANTIFIERS = st.sampled_from(
    ["", "", "", "*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}", "{0,}", "{1,2}?"]
)
FLAGS = st.sampled_from(["", "", "", "(?i)", "(?s)", "(?m)", "(?d)"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    group = st.tuples(st.sampled_from(["(", "(?:", "(?>", "(?i:", "(?!", "(?="]), inner).map(
        lambda two: f"{two[0]}{two[1]})"
    )
    return st.one_of(
        st.tuples(group, QUANTIFIERS).map("".join),
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
    )


PATTERNS = st.tuples(FLAGS, st.recursive(st.tuples(ATOMS, QUANTIFIERS).map("".join), _grown, max_leaves=6)).map("".join)
SUBJECTS = st.text(alphabet="abcAB1. \né", max_size=8)


@needs_java
@settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    pattern=PATTERNS,
    text=SUBJECTS,
    operation=st.sampled_from(["matches", "find", "replaceAll", "replaceFirst", "split"]),
)
def test_generated_patterns(java: Java, pattern: str, text: str, operation: str) -> None:
    argument = {"replaceAll": "<$0>", "replaceFirst": "[$0]", "split": "0"}.get(operation, "")
    case = (operation, pattern, text, argument)
    assert regex_cases.ours(case) == java.ask(case), case


CATASTROPHES = [
    ("(a+)+$", "a" * 40 + "!"),
    ("(a|aa)+$", "a" * 60 + "!"),
    ("(a|a?)+$", "a" * 40 + "!"),
    ("(.*a){25}", "a" * 40 + "!" * 40),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 60),
    (r"(\w+\s?)+$", "word " * 40 + "!"),
    ("(x+x+)+y", "x" * 60),
    (r"(a*)*\1b", "a" * 40),
    (r"(?:(?:a*)*)*b", "a" * 60),
    ("a*" * 30 + "b", "a" * 60),
    ("(?=(a+))(a|b|ab)*c", "ab" * 60),
    ("(?<=(?:a{1,200}){1,50})b", "a" * 5000 + "b!"),
    ("(a?){200}a{200}", "a" * 150),
    ("(.|.)*!!", "a" * 3000),
    (r"(\d+\.?)+,", "1" * 3000),
]


@pytest.mark.parametrize(("pattern", "text"), CATASTROPHES)
def test_no_pattern_takes_longer_than_it_may(pattern: str, text: str) -> None:
    for operation, argument in (("matches", ""), ("find", ""), ("replaceAll", "x"), ("split", "0")):
        begun = perf_counter()
        regex_cases.ours((operation, pattern, text, argument))
        # Ten times what it may take, so that a busy machine is no failure: without the limit it would be years.
        assert perf_counter() - begun < 10 * SECONDS + 1


@pytest.mark.parametrize(
    "pattern",
    [
        "(" * 5000 + "a" + ")" * 5000,
        "[" * 3000 + "a" + "]" * 3000,
        "a" * (LONGEST_PATTERN + 1),
        "((a{1000}){1000}){1000}",
        "(((a{50}){50}){50}){50}",
        "(?:" * 61 + ")" * 61,
        "|" * 3000 + "(",
        "a{2147483647}",
        "(?<" + "n" * 4000,
        "\\p{" + "L" * 4000,
        "[\\p{L}&&" * 500,
    ],
)
def test_patterns_that_are_too_much_are_refused_at_once(pattern: str) -> None:
    with pytest.raises(PatternError):
        compile_java(pattern)


def test_results_are_bounded() -> None:
    with pytest.raises(BudgetExceeded):
        compile_java("a").replace_all("a" * 100_000, "b" * 1000)
    with pytest.raises((BudgetExceeded, PatternError)):
        compile_java("[a]").replace_all("a" * 100_000, "$0" * 1000)
    with pytest.raises((BudgetExceeded, PatternError)):
        compile_java("").replace_all("a" * 1_000_000, "b" * 1000)
    assert len(compile_java(r"\s").replace_all(" x" * 10_000, "")) == 10_000
