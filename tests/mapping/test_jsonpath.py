"""JSONPath without Java: results that are part of the document, errors with their places, and bounds."""

from __future__ import annotations

import copy
import json
import tracemalloc

import pytest

from tidegate.mapping.jsonpath import JsonPathError, compile_path

DOCUMENT = {"a": {"b": [{"c": 1}, {"c": None}]}, "s": "text", "n": None}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", DOCUMENT),
        ("$.a.b[0].c", 1),
        ("$.a.b[-1].c", None),
        ("$.a.b[-2].c", 1),
        ("$.a.b[-3].c", None),
        ("$.a.b[2]", None),
        ("$['a']['b'][0]['c']", 1),
        ("$.s[0]", None),
        ("$.s.length", None),
        ("$.n.x", None),
        ("$.a[0]", None),
        ("$.a.b.c", None),
        ("$.nope[*].x", []),
        ("$..c", [1, None]),
    ],
)
def test_values(path: str, expected: object) -> None:
    assert compile_path(path).read(DOCUMENT) == expected


def test_a_document_of_null_gives_nothing() -> None:
    assert compile_path("$").read(None) is None
    assert compile_path("$.a").read(None) is None
    assert compile_path("$..a").read(None) == []


def test_definite_or_not() -> None:
    assert compile_path("$.a[0]['b']").definite
    assert compile_path("$.a['b','c']").definite
    assert compile_path("$.a.length()").definite
    for path in ("$..a", "$.a[*]", "$.a[0:1]", "$.a[0,1]", "$.a[?(@.b)]", "$['a','b'].c"):
        assert not compile_path(path).definite


def test_reading_gives_parts_of_the_document_and_leaves_it_alone() -> None:
    document = {"a": [1, 2], "b": {"c": 1}}
    before = copy.deepcopy(document)
    assert compile_path("$.a").read(document) is document["a"]
    for path in ("$.a.append(3)", "$..*", "$['a','b']", "$.a[?(@ > 1)]", "$.b.keys()"):
        result = compile_path(path).read(document)
        assert isinstance(result, (list, dict))
        result.clear()
    assert document == before


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ("", 0),
        ("$.", 1),
        ("$.a..", 4),
        ("$...a", 3),
        ("$.a b", 2),
        ("$a", 1),
        ("$.a[", None),
        ("$.a[x]", 3),
        ("$.a['b", 6),
        ("$.a[?(@.b == )]", 10),
        ("$.a[?(@.b =~ /[/)]", 10),
        ("$.a[?(@.b ~~ 1)]", 10),
        ("$.a.nope()", 4),
        ("$.a[99999999999]", 3),
    ],
)
def test_what_is_no_path_is_refused_with_its_place(path: str, position: int | None) -> None:
    if position is None:
        assert compile_path(path).read({"a": 1}) == 1  # one character too many, as in Jayway
        return
    with pytest.raises(JsonPathError) as raised:
        compile_path(path)
    assert raised.value.position == position, str(raised.value)


@pytest.mark.parametrize(
    "path",
    [
        "$" + ".a" * 200,
        "$" + "..a" * 60,
        "$.a" + "[?(@" * 20 + ")]" * 20,
        "$[?(" + "(" * 100 + "@.a" + ")" * 100 + ")]",
        "$[?(" + "!" * 1000 + "(@.a))]",
        "$." + "a" * 20_000,
        "$.sum(" * 20 + "$.a" + ")" * 20,
        "$[?(@ == " + "[" * 500 + "]" * 500 + ")]",
        "$[?(@ == " + "9" * 5000 + ")]",
        "$[?(@ =~ /(" + "a|" * 5 + "[/)]",
    ],
)
def test_paths_that_are_too_long_or_too_deep_are_refused(path: str) -> None:
    with pytest.raises(JsonPathError):
        compile_path(path)


def nested(depth: int, width: int = 1) -> object:
    value: object = {"b": 1}
    for _ in range(depth):
        value = {"a": value, **{f"x{index}": index for index in range(width - 1)}}
    return value


def test_deep_scans_inside_each_other_are_stopped() -> None:
    deep = nested(300)
    assert compile_path("$..b").read(deep) == [1]
    assert len(compile_path("$..a").read(deep)) == 300  # type: ignore[arg-type]
    with pytest.raises(JsonPathError, match="too many values"):
        compile_path("$..a..a..a..a..b").read(deep)
    with pytest.raises(JsonPathError, match="too many values"):
        compile_path("$..[?(@..a)]..*").read(nested(1500))


def test_products_of_results_are_stopped_before_they_fill_memory() -> None:
    document = {"l": [list(range(100))] * 100}
    tracemalloc.start()
    with pytest.raises(JsonPathError, match="too many values"):
        compile_path("$.l[" + ",".join(["0"] * 1000) + "][" + ",".join(["0"] * 1000) + "]").read(document)
    with pytest.raises(JsonPathError, match="too many values"):
        compile_path("$.l[-9999999:99]").read(document)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000


def test_patterns_that_backtrack_are_stopped() -> None:
    path = compile_path("$[?(@ =~ /(a|aa)+$/)]")
    with pytest.raises(JsonPathError, match="too long"):
        path.read(["a" * 5000 + "b"])


def test_many_patterns_that_take_a_while_each_are_stopped_together() -> None:
    slow = compile_path("$[?(@ =~ /(x+x+)+y/)]")
    with pytest.raises(JsonPathError, match="too long"):
        slow.read(["x" * 18] * 100_000)
    with pytest.raises(JsonPathError, match="too long"):
        compile_path("$[?($.l =~ /(x+x+)+y/)]").read({"l": ["x" * 18] * 100_000})


def test_a_document_deeper_than_the_stack_is_read() -> None:
    deep = nested(50_000)
    assert compile_path("$..b").read(deep) == [1]
    assert compile_path("$.a.a.b").read(deep) is None


def test_numbers_of_any_size_compare() -> None:
    document = json.loads('[{"n": 123456789012345678901234567890}, {"n": 1e300}, {"n": 0}]')
    assert compile_path("$[?(@.n == 123456789012345678901234567890)]").read(document) == [document[0]]
    assert compile_path("$[?(@.n > 1e299)]").read(document) == [document[1]]
    assert compile_path("$[?(@.n < 1e999999999)].n").read(document) == [123456789012345678901234567890, 1e300, 0]
    assert compile_path("$[?(@.n size 1e999999999)]").read(document) == []
