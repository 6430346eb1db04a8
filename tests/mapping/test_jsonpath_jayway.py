"""JSONPath held against the real Jayway: its recorded answers, and the library itself, by generated paths too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from tests.mapping.jayway import Answer, Jayway, close_references, references
from tests.mapping.record_corpus import RECORDED, cases, documents
from tidegate.mapping.json_text import JsonTextError, json_text, read_json
from tidegate.mapping.jsonpath import JsonPathError, compile_path

# Where Tidegate differs from Jayway 2.10 on purpose.
_SCAN_DEFECT = (
    "2.10 loses or adds members after `..[n]` and `..*` (2.0.0 fails there altogether); every element is looked at once"
)
_LENGTH_DEFECT = "2.10 measures the whole document when the parameter is definite"
_EMPTY_DEFECT = "2.10 throws ClassCastException when an object is asked whether it is empty"
_UNKNOWN_FUNCTION = "refused when the path is compiled; Jayway finds out when it reads"
_QUOTED_COMMA = "2.10 cuts quoted parameters at a comma"
DIFFERENCES = {
    "$..[0].a.b": _SCAN_DEFECT,
    "$..*.title": _SCAN_DEFECT,
    "$..[*].title": _SCAN_DEFECT,
    "$.length($.tags)": _LENGTH_DEFECT,
    "$.length($.store)": _LENGTH_DEFECT,
    "$.size($.tags)": _LENGTH_DEFECT,
    "$.objs[?(@.a empty true)]": _EMPTY_DEFECT,
    "$.objs[?(@.a empty false)]": _EMPTY_DEFECT,
    "$.objs[?(@.a EMPTY true)]": _EMPTY_DEFECT,
    "$.nope()": _UNKNOWN_FUNCTION,
    "$.tags.foo()": _UNKNOWN_FUNCTION,
    "$.objs[?(@.a.foo() == 2)]": _UNKNOWN_FUNCTION,
    '$.concat("a,b", "c\\"d")': _QUOTED_COMMA,
}

# Jayway 2.0.0 (Debian's) is ten years older than the dialect here. Only what both have is compared with it.
PLAIN_IN_2_0_0 = re.compile(r"""\$(?:\.[A-Za-z]+|\['[A-Za-z .]+'\]|\[\d\]|\.\*|\[\*\]|\[\d:\]|\[:\d\])*""")


def ours(path: str, document: str) -> Answer:
    try:
        value = read_json(document)
    except JsonTextError as error:
        return Answer("malformed", error=str(error))
    try:
        compiled = compile_path(path)
    except JsonPathError as error:
        return Answer("invalid", error=str(error))
    found = compiled.read(value)
    return Answer("value", compiled.definite, json_text(found), json_text(found, escape_slash=True))


def as_gateway(answer: Answer) -> tuple[str, bool, str]:
    """Jayway's answer as API Gateway shows it: what leads nowhere is null or an empty list."""
    if answer.kind in ("missing", "failed"):
        return ("value", answer.definite, "null" if answer.definite else "[]")
    return (answer.kind, answer.definite if answer.kind == "value" else False, answer.text)


def agree(mine: tuple[str, bool, str], theirs: tuple[str, bool, str]) -> bool:
    """Java before 19 prints some doubles with a digit more than they need (JDK-4511638): then the values must be equal."""
    return mine == theirs or (mine[:2] == theirs[:2] and bool(mine[2]) and json.loads(mine[2]) == json.loads(theirs[2]))


def recorded() -> list[tuple[str, str, Answer]]:
    rows = json.loads(RECORDED.read_text())["cases"]
    return [(row.pop("document"), row.pop("path"), Answer(**row)) for row in rows]


@pytest.fixture(scope="module")
def jayways() -> Iterator[tuple[Jayway, ...]]:
    found = references()
    if not found:
        pytest.skip("no Java compiler, or no jar of Jayway JsonPath (Debian: default-jdk-headless libjsonpath-java)")
    yield found
    close_references()


@pytest.fixture(scope="module")
def newest(jayways: tuple[Jayway, ...]) -> Jayway:
    if jayways[-1].version.startswith("2.0."):
        pytest.skip(f"the only Jayway JsonPath here is {jayways[-1].version}, older than the dialect that is compared")
    return jayways[-1]


def test_every_path_of_the_corpus_gives_what_jayway_gives() -> None:
    texts = documents()
    wrong = {}
    for document, path, answer in recorded():
        mine = ours(path, texts[document])
        if path not in DIFFERENCES and as_gateway(mine) != as_gateway(answer):
            wrong[path] = (mine, answer)
    assert wrong == {}
    assert len(recorded()) >= 250


def test_known_differences_do_differ() -> None:
    texts = documents()
    same = [
        path
        for document, path, answer in recorded()
        if path in DIFFERENCES and as_gateway(ours(path, texts[document])) == as_gateway(answer)
    ]
    assert same == []


def test_the_recorded_answers_are_those_of_the_library(newest: Jayway) -> None:
    texts = documents()
    assert cases() == [(document, path) for document, path, _ in recorded()]
    stale = [
        path
        for document, path, answer in recorded()
        if as_gateway(newest.ask(path, texts[document])) != as_gateway(answer)
    ]
    assert stale == []


def test_plain_paths_mean_the_same_in_every_version(jayways: tuple[Jayway, ...]) -> None:
    texts = documents()
    plain = [(name, path) for name, path in cases() if PLAIN_IN_2_0_0.fullmatch(path) and path not in DIFFERENCES]
    wrong = []
    for jayway in jayways:
        for name, path in plain:
            answer = jayway.ask(path, texts[name])
            # 2.0.0 gives up at the first member that is missing below a wildcard, and knows no leading zero-width names.
            if answer.kind == "value" and as_gateway(answer) != as_gateway(ours(path, texts[name])):
                wrong.append((jayway.version, path))
    assert wrong == []
    assert len(plain) > 100


NAMES = st.sampled_from(["a", "b", "c", "key", "x-y", "it's"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.integers(),
    st.sampled_from(["a", "b", "", "1", "1.0", "a/b", "é", "'q'"]),
    st.sampled_from([0.5, 1.0, -2.25, 1e9, 1e-5]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=14
)
NUMBERS = st.integers(-3, 4).map(str)
LITERALS = st.sampled_from(["1", "-2.25", "'a'", '"b"', "true", "null", "'1'", "0.5", "[1,2]", "['a','b']"])
SIMPLE = st.one_of(
    NAMES.map(lambda name: f".{name}"),
    NAMES.map(lambda name: "['" + name.replace("'", "\\'") + "']"),
    NUMBERS.map(lambda number: f"[{number}]"),
)
OPERAND = st.one_of(
    st.lists(SIMPLE, max_size=2).map(lambda steps: "@" + "".join(steps)),
    SIMPLE.map(lambda step: "$" + step),
    LITERALS,
)
OPERATOR = st.sampled_from(
    ["==", "!=", "<", "<=", ">", ">=", "===", "!==", "in", "nin", "size", "contains", "anyof", "noneof"]
)
CONDITION = st.recursive(
    st.one_of(
        st.tuples(OPERAND, OPERATOR, OPERAND).map(" ".join),
        st.lists(SIMPLE, min_size=1, max_size=2).map(lambda steps: "@" + "".join(steps)),
        st.lists(SIMPLE, min_size=1, max_size=2).map(lambda steps: "!@" + "".join(steps)),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" && ".join),
        st.tuples(inner, inner).map(" || ".join),
        inner.map(lambda one: f"!({one})"),
        inner.map(lambda one: f"({one})"),
    ),
    max_leaves=3,
)
STEP = st.one_of(
    SIMPLE,
    SIMPLE,
    st.sampled_from([".*", "[*]", "['a','b']", "[0,1]", "[0,-1]"]),
    st.tuples(NUMBERS, NUMBERS).map(lambda ends: f"[{ends[0]}:{ends[1]}]"),
    NUMBERS.map(lambda number: f"[{number}:]"),
    NUMBERS.map(lambda number: f"[:{number}]"),
    NAMES.map(lambda name: f"..{name}"),
    CONDITION.map(lambda condition: f"[?({condition})]"),
)
FUNCTION = st.sampled_from(
    ["", "", "", ".length()", ".sum()", ".min()", ".max()", ".avg()", ".stddev()", ".keys()", ".first()", ".last()"]
)
PATHS = st.tuples(st.lists(STEP, max_size=4), FUNCTION).map(lambda parts: "$" + "".join(parts[0]) + parts[1])


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=PATHS, value=VALUES)
@example(path="$..a[?(@.b)].c", value={"a": [{"b": 1, "c": 2}]})
def test_generated_paths_give_what_jayway_gives(newest: Jayway, path: str, value: object) -> None:
    document = json.dumps(value)
    answer, mine = newest.ask(path, document), ours(path, document)
    assert agree(as_gateway(mine), as_gateway(answer)), (mine, answer)
    if answer.kind == "value" and mine.text == answer.text:
        assert mine.printed == answer.printed


FRAGMENTS = (
    "$ @ . .. [ ] ( ) * ? ' \" a b 0 1 - : , && || ! = == < > ~ =~ \\ [?( )] "
    "@.a @.b ['a'] .length() null true =~/a/ $.b [0]"
).split(" ")
START = st.sampled_from(["$.", "$[", "$.a", "$[?(", "$.a[?("])
END = st.sampled_from(["", "", ")]", "])"])
TEXTS = st.tuples(START, st.lists(st.sampled_from([*FRAGMENTS, " ", " in "]), max_size=7).map("".join), END).map(
    "".join
)


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=TEXTS)
def test_texts_that_may_be_paths_are_taken_or_refused_as_jayway_does(newest: Jayway, path: str) -> None:
    document = '{"a":[{"b":1,"a":"x"},[0,1],"b"],"b":{"a":0,"b":{"0":1}},"0":[1],"1":null}'
    mine = ours(path, document)
    assume("does not exist" not in mine.error)  # _UNKNOWN_FUNCTION
    assert as_gateway(mine) == as_gateway(newest.ask(path, document))
