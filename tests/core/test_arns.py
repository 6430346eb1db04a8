"""ARNs: how conditions and permissions match them, hostile patterns included."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.arns import Arn, arn_like, string_like

API = "arn:aws:execute-api:us-east-1:000000000000:api"


@pytest.mark.parametrize(
    ("pattern", "arn", "matches"),
    [
        (f"{API}/*/GET/x", f"{API}/prod/GET/x", True),
        (f"{API}/*/GET/x", f"{API}/prod/POST/x", False),
        (f"{API}/*", f"{API}/prod/GET/a:b:c", True),
        ("arn:aws:execute-api:*:*:api/*", f"{API}/prod/GET/x", True),
        ("arn:aws:execute-api:*", f"{API}/prod/GET/x", False),
        ("*", f"{API}/prod/GET/x", False),
        ("arn:aws:execute-api:us-east-?:000000000000:ap?/*", f"{API}/x", True),
        ("arn:aws:execute-api:us-east-1:*api*", f"{API}/x", False),
    ],
)
def test_the_parts_of_an_arn_are_matched_one_by_one(pattern: str, arn: str, matches: bool) -> None:
    assert arn_like(pattern, arn) is matches


@given(st.text(alphabet="ab*?.\n", max_size=9), st.text(alphabet="ab.\n", max_size=12))
def test_wildcards_match_what_they_say(pattern: str, text: str) -> None:
    expression = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
    assert string_like(pattern, text) is bool(re.fullmatch(expression, text, re.DOTALL))


@pytest.mark.parametrize("pattern", ["*a" * 40 + "b", "*a?" * 40 + "b", "*" + "a?" * 200 + "*b", "*" * 5000 + "b"])
def test_hostile_patterns_end(pattern: str) -> None:
    """With a matcher that backtracks, each of these runs for longer than the universe has been there."""
    text = "a" * 20_000
    assert not string_like(pattern, text)
    assert not arn_like(f"{API}/{pattern}", f"{API}/{text}")
    assert string_like(pattern, f"{text}b") is string_like(pattern[:-1], text)


def test_what_is_no_arn() -> None:
    for text in ("", "arn:aws:lambda", "urn:aws:lambda:r:a:x", "arn:aws::r:a:x"):
        with pytest.raises(ValueError, match="not an ARN"):
            Arn.parse(text)
    assert str(Arn.parse(f"{API}/x:y")) == f"{API}/x:y"
