"""Reading and printing JSON, held against json-smart itself where there is Java."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tests.mapping.jayway import Jayway, close_references, references
from tidegate.mapping.json_lenient import read_lenient
from tidegate.mapping.json_text import JsonTextError, java_number, json_text, read_json


@pytest.fixture(scope="module")
def newest() -> Iterator[Jayway]:
    found = references()
    if not found:
        pytest.skip("no Java compiler, or no jar of Jayway JsonPath (Debian: default-jdk-headless libjsonpath-java)")
    if found[-1].version.startswith("2.0."):
        pytest.skip(f"json-smart of Jayway {found[-1].version} is older than the one that is compared")
    yield found[-1]
    close_references()


def printed(text: str) -> tuple[str, str]:
    try:
        value = read_json(text)
    except JsonTextError:
        return ("malformed", "")
    return (json_text(value), json_text(value, escape_slash=True))


def reference(jayway: Jayway, text: str) -> tuple[str, str]:
    answer = jayway.ask("$", text)
    if answer.kind == "failed":  # Jayway refuses to read anything from null
        return ("null", "null")
    return ("malformed", "") if answer.kind == "malformed" else (answer.text, answer.printed)


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(10**40), 10**40).map(str),
    st.decimals(allow_nan=False, allow_infinity=False).map(str),
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?", fullmatch=True),
)


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=NUMBERS)
@example(number="1e23")
@example(number="2.0E-3")
@example(number="4.9e-324")
@example(number="1e999")
@example(number="-0")
@example(number="-0.0")
@example(number="-0.00000000000000000000")
@example(number="9223372036854775808")
@example(number="1.0")
@example(number="1E5")
@example(number="12345678.9")
@example(number="0.001")
def test_numbers_print_as_java_prints_them(newest: Jayway, number: str) -> None:
    # Java before 19 does not always take the shortest digits (JDK-4511638); where it does not, the value must be the same.
    mine, theirs = printed(f"[{number}]"), reference(newest, f"[{number}]")
    if mine != theirs:
        assert float(mine[0].strip("[]")) == float(theirs[0].strip("[]"))
        assert len(theirs[0]) >= len(mine[0])


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.text(st.characters(exclude_categories=["Cs"])), key=st.text(st.characters(exclude_categories=["Cs"])))
@example(text="\x00\x1b\x1f\x7f\x80\x9f\xa0\u1fff\u2000\u2028\u20ff\u2100é😀/\\\"'\b\f\n\r\t", key="/\u2028")
def test_strings_print_as_json_smart_prints_them(newest: Jayway, text: str, key: str) -> None:
    document = json.dumps({key: [text]})
    assume("\x1a" not in document)
    assert printed(document) == reference(newest, document)


LENIENT = [
    "{a:1}", "{'a':'b'}", "{a:b c}", "{ a b : 1 }", "[a,b]", "[a b]", "[1 2]", "[,]", "[1,,2,]", "{,}", "{a:1,}", "{,a:1}",
    "[01,007,-01]", "[.5,1.,-.5,-,+1]", "[1e5,1E+2,1e,1e+,1E]", "[NaNa,Infinity]", "[nul,null,nullx,true,truex,falsE]",
    '"a\tb"', '["a\\qb","\\x41","\\u0041","\\u00e9","\\ud83d\\ude00"]', '["\\u12"]', '["\\x4"]', '"abc', "'it\\'s'", "{a:'b}",
    '{"a":1} x', "[1] [2]", "1 2", "abc def", "true false", " null ", "nullx", "{", "[", "}", "]", ":", ",", "{]", "[}",
    '{"a"}', '{"a":}', '{"a":1 "b":2}', '{"a":1;"b":2}', '{"a" x:1}', '{"a":[1}', '["a" "b"]', '["a"b]', "[12é]", "{a:12é}",
    '{"a":1,"a":2}', "{a:1:2}", "[a:1]", "[1:2]", '[{"a":1}{"b":2}]', '{"a":{"b":1}"c":2}', "{a:{b:{c:[1,[2,[3]]]}}}",
    "{'a':1,\"b\":2,c:3}", "[\"\\\"\"]", "[']']", "{a:']'}", "[1.2.3]", "[1-2]", "[--1]", "[1e5x]", "[0x10]", "{1:2}", "{null:1}",
    "{true:false}", "[\u00a01]", "[\u2003a\u2003]", "{a:\u2003b}", "[a\n]", '{"a":\n1\n}', "[ ]", "{ }", "  [1]  ",
    '["a\x7fb","a\\\x7fb"]', '["\\\n"]', "[12345678901234567890]", "[1.23456789012345678901]", "[1e400]", "[-1e400]",
    "[" * 400 + "]" * 400, "[" * 401 + "]" * 401, '{"a":' * 400 + "1" + "}" * 400, '{"a":' * 401 + "1" + "}" * 401, "[[1]" * 3,
]  # fmt: skip


@pytest.mark.parametrize("text", LENIENT)
def test_what_is_no_json_is_read_as_json_smart_reads_it(newest: Jayway, text: str) -> None:
    assert printed(text) == reference(newest, text)


@settings(max_examples=3000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    text=st.lists(
        st.sampled_from([*"[]{}:,'\"ab01-.e \n\\uxn", "null", "true", '"a"', "'b'", "{a:", "[1", "é"]), max_size=12
    ).map("".join)
)
def test_generated_texts_are_read_as_json_smart_reads_them(newest: Jayway, text: str) -> None:
    assume(text != "")  # Jayway: "json string can not be null or empty"
    assert printed(text) == reference(newest, text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(value=JSON)
def test_strict_json_is_read_the_same_by_both_readers(value: object) -> None:
    text = json.dumps(value)
    assert json_text(read_json(text)) == json_text(read_lenient(text))
    assert json.loads(json_text(value)) == json.loads(text)


@pytest.mark.parametrize(
    "text", ['[{"a":[1]}' + ',{"a":[[],"]"]}' * 500 + "]", "[" + ("[" * 70 + "]" * 70 + ",") * 9 + "1]"]
)
def test_many_brackets_are_no_depth(text: str) -> None:
    assert read_json(text) == json.loads(text) == read_lenient(text)


def test_not_a_number_prints_as_null() -> None:
    """The one deliberate difference: json-smart reads NaN and prints it again, which is no JSON."""
    assert json_text(read_json("[NaN]")) == "[null]"
    assert json_text(read_json("[NaN,12345678901234567890123]")) == "[null,12345678901234567890123]"


@settings(max_examples=500, deadline=None)
@given(bits=st.integers(0, 2**64 - 1))
def test_printed_doubles_are_read_back(bits: int) -> None:
    number = struct.unpack("<d", struct.pack("<Q", bits))[0]
    assume(number == number and abs(number) != float("inf"))
    assert float(java_number(number)) == number
