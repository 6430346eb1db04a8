"""Model schemas by themselves: what is a schema in a schema, references, flattening."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.definition.json_text import decode
from tidegate.definition.schemas import at, flatten, is_draft4, parse_reference, references, unknown_keywords

NAMES = ("A", "B", "C", "D")


def url(name: str, pointer: str = "") -> str:
    return f"https://apigateway.amazonaws.com/restapis/api/models/{name}{pointer}"


def schemas() -> st.SearchStrategy[dict[str, Any]]:
    """Schemas with a local definition each, that refer to that and to models, some of which do not exist."""
    targets = [url(name) for name in (*NAMES, "Missing")] + [url("A", "#/definitions/A"), "#", "#/definitions/A"]
    leaf = st.sampled_from(targets).map(lambda target: {"$ref": target}) | st.just({"type": "string"})
    inner = st.recursive(
        leaf,
        lambda nested: (
            st.fixed_dictionaries({"properties": st.dictionaries(st.sampled_from(["a", "$ref"]), nested)})
            | st.fixed_dictionaries({"allOf": st.lists(nested, min_size=1, max_size=3)})
            | st.fixed_dictionaries({"items": nested, "additionalProperties": nested})
        ),
        max_leaves=6,
    )
    return st.fixed_dictionaries({"definitions": st.fixed_dictionaries({"A": inner}), "not": inner})


@given(st.fixed_dictionaries({name: schemas() for name in NAMES}))
def test_what_is_flat_stands_by_itself(models: dict[str, dict[str, Any]]) -> None:
    before = repr(models)
    flat = flatten(models["A"], models.get)
    assert repr(models) == before
    assert is_draft4(flat)
    for found in references(flat):
        if found == url("Missing"):
            continue
        assert found.startswith("#")
        assert isinstance(at(flat, found[1:]), dict)
    # Every model that is named, directly or not, is there once, and nothing else.
    reached, waiting = set(), ["A"]
    while waiting:
        for found in references(models[waiting.pop()]):
            parsed = parse_reference(found)
            if parsed and parsed[1] in models and parsed[1] not in reached:
                reached.add(parsed[1])
                waiting.append(parsed[1])
    assert len(flat["definitions"]) == 1 + len(reached)
    assert flatten(flat, models.get) == flat


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        (url("Pet"), ("api", "Pet", "")),
        (url("Pet", "#/properties/a"), ("api", "Pet", "/properties/a")),
        (url("Pet", "/more"), None),
        ("https://apigateway.amazonaws.com/restapis/api/models/", None),
        ("http://apigateway.amazonaws.com/restapis/api/models/Pet", None),
        ("#/definitions/Pet", None),
    ],
)
def test_references(text: str, parsed: tuple[str, str, str] | None) -> None:
    assert parse_reference(text) == parsed


def test_names_and_values_are_no_keywords() -> None:
    schema = {
        "properties": {"example": {"enum": [{"nullable": 1}]}},
        "dependencies": {"x": ["example"], "y": {"items": [{"bad1": 1}, {"not": {"bad2": 1}}]}},
        "default": {"example": 1},
        "additionalItems": False,
        "additionalProperties": {"bad3": 1},
    }
    assert unknown_keywords(schema) == ["bad1", "bad2", "bad3"]


def test_pointers() -> None:
    schema = {"a/b": {"~": [1, {"c": 2}]}}
    assert at(schema, "") is schema
    assert at(schema, "/a~1b/~0/1/c") == 2
    for pointer in ("/x", "/a~1b/~0/2", "/a~1b/~0/-1", "/a~1b/~0/x", "/a~1b/~0/0/y"):
        with pytest.raises(LookupError):
            at(schema, pointer)


@pytest.mark.parametrize("text", ["{", "NaN", "[Infinity]", "[" * 100_000])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(text)
