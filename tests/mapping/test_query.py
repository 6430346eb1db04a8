"""Query strings."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.mapping.query import decoded_query


@pytest.mark.parametrize(
    ("query", "decoded"),
    [
        ("", {}),
        ("&&", {}),
        ("a=1&b=2&a=3", {"a": ["1", "3"], "b": ["2"]}),
        ("a;b=;=c", {"a": [""], "b": [""], "": ["c"]}),
        ("q=caf%C3%A9+%22x%22%2B&a%20b==", {"q": ['café "x"+'], "a b": ["="]}),
        ("bad=%FF%&raw=\xe9%41", {"bad": ["\ufffd%"], "raw": ["\xe9A"]}),
    ],
)
def test_queries_are_decoded_in_order(query: str, decoded: dict[str, list[str]]) -> None:
    assert decoded_query(query) == decoded
    assert list(decoded_query(query)) == list(decoded)


@given(st.text(alphabet="ab=&;+%C3eE4 \xe9", max_size=20))
def test_it_is_what_the_standard_library_makes_of_it(query: str) -> None:
    pairs = parse_qsl(query.replace(";", "&"), keep_blank_values=True)
    assert [(name, value) for name, values in decoded_query(query).items() for value in values] == sorted(
        pairs, key=lambda pair: [name for name, _ in pairs].index(pair[0])
    )
