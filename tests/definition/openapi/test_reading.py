"""Reading as a whole: nothing of a large file is lost, and no file, however it is made, does more than fail."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.definition.openapi.large import OPERATIONS, RESOURCES, URI, large
from tests.definition.openapi.test_cases import told
from tidegate.definition.openapi import ImportedApi, OpenApiError, examine_openapi, read_openapi

FORMATS = {"json": json.dumps, "yaml": lambda value: yaml.safe_dump(value, sort_keys=False)}


def examine(text: str | bytes, **options: str) -> ImportedApi:
    body = text if isinstance(text, bytes) else text.encode()
    return examine_openapi(body, account="123456789012", region="eu-west-1", options=options)


# --- nothing is lost -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("version", ["swagger", "oas30"])
def test_nothing_of_a_large_file_is_lost(version: str, form: str) -> None:
    imported = examine(FORMATS[form](large(version)))
    assert (imported.errors, imported.warnings, imported.notes) == ([], [], [])
    methods = {
        f"{verb} {path}": method for path in imported.operations for verb, method in imported.operations[path].items()
    }
    assert len(methods) == OPERATIONS
    assert len(imported.models) == 3 * RESOURCES
    assert len(imported.documentation) == RESOURCES
    assert (len(imported.authorizers), len(imported.request_validators), len(imported.gateway_responses)) == (2, 2, 3)
    for number in range(RESOURCES):
        listed, made = methods[f"GET /things{number}"], methods[f"POST /things{number}"]
        put, anything = methods[f"PUT /things{number}/{{id}}"], methods[f"ANY /things{number}/{{id}}"]
        assert listed.api_key_required
        assert listed.request_parameters == {
            "method.request.querystring.limit": False,
            "method.request.header.X-Trace": False,
        }
        assert listed.method_integration is not None
        assert listed.method_integration.uri == f"{URI}:list{number}/invocations"
        assert (listed.operation_name, listed.request_validator_id) == (f"list{number}", "parameters")
        assert (made.authorizer_id, made.authorization_scopes) == ("pool", [f"things/{number}.write"])
        assert (made.request_models, made.request_validator_id) == ({"application/json": f"Thing{number}"}, "all")
        assert put.request_parameters == {"method.request.path.id": True}
        assert put.authorizer_id == "token"
        assert put.method_integration is not None
        assert put.method_integration.request_templates is not None
        assert f"#set($n = {number})" in (put.method_integration.request_templates["application/json"] or "")
        assert put.method_responses is not None
        assert put.method_responses["200"].response_models == {"application/json": f"Thing{number}"}
        assert anything.authorization_type == "AWS_IAM"


def test_both_versions_and_formats_say_the_same() -> None:
    readings = [told(examine(write(large(version)))) for version in ("swagger", "oas30") for write in FORMATS.values()]
    assert all(reading == readings[0] for reading in readings)


def test_models_without_names_never_share_one() -> None:
    """Six digits of a hash meet often among thousands: each schema has its own model all the same."""
    many = 12_000
    paths = {
        f"/a{number}": {"get": {"responses": {"200": {"schema": {"type": "string", "maxLength": number}}}}}
        for number in range(many)
    }
    imported = examine(json.dumps({"swagger": "2.0", "paths": paths}))
    used = [
        (methods["GET"].method_responses or {})["200"].response_models or {} for methods in imported.operations.values()
    ]
    assert len(imported.models) == many
    assert [
        json.loads(imported.models[models["application/json"]].schema or "")["maxLength"] for models in used
    ] == list(range(many))
    assert any(len(name) > len("MODEL123456") for name in imported.models)


# --- files that want to do harm --------------------------------------------------------------------------------------


def laughs() -> str:
    lines = ["swagger: '2.0'", "paths: {}", "x0: &x0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for number in range(1, 30):
        lines.append(f"x{number}: &x{number} [{', '.join([f'*x{number - 1}'] * 10)}]")
    return "\n".join(lines)


def deep_aliases() -> str:
    nested = "[" * 100 + "{}" + "]" * 100
    lines = ["swagger: '2.0'", f"x0: &x0 {nested.format('1')}"]
    lines += [f"x{number}: &x{number} {nested.format(f'*x{number - 1} ')}" for number in range(1, 20)]
    return "\n".join(lines)


def merges() -> str:
    names = ", ".join(f"k{number}: 1" for number in range(2000))
    return "\n".join(["swagger: '2.0'", f"x: &x {{{names}}}", *(f"y{n}: {{<<: *x}}" for n in range(2000))])


def parts_of_parts() -> str:
    """Every part holds the part before it twice."""
    parts: dict[str, Any] = {"p0": {"type": "string"}}
    for number in range(1, 40):
        before = {"$ref": f"#/x-parts/p{number - 1}"}
        parts[f"p{number}"] = {"type": "object", "properties": {"a": before, "b": before}}
    schema = {"$ref": "#/x-parts/p39"}
    return json.dumps({"swagger": "2.0", "paths": {}, "x-parts": parts, "definitions": {"A": schema}})


def a_long_chain() -> str:
    parts = {f"p{number}": {"items": {"$ref": f"#/x-parts/p{number + 1}"}} for number in range(5000)}
    return json.dumps({"swagger": "2.0", "x-parts": parts, "definitions": {"A": {"$ref": "#/x-parts/p0"}}})


HARM = {
    "laughs": (laughs(), "more than 1000000 values"),
    "deep aliases": (deep_aliases(), "nested more than 128 levels"),
    "merges": (merges(), "more than 1000000 values"),
    "deep yaml": ("swagger: '2.0'\nx: " + "[" * 100_000, "exceeded maximum nesting depth"),
    "deep block yaml": ("\n".join(" " * n + f"k{n}:" for n in range(300)), "nested more than 128 levels"),
    "deep json": ('{"swagger": "2.0", "x": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested more than 128 levels"),
    "rather deep json": ('{"swagger": "2.0", "x": ' + "[" * 200 + "]" * 200 + "}", "nested more than 128 levels"),
    "a long number": ('{"swagger": "2.0", "x": ' + "9" * 10_000 + "}", "Exceeds the limit"),
    "no number": ('{"swagger": "2.0", "x": NaN}', "NaN is no JSON"),
    "an alias of itself": ("swagger: '2.0'\nx: &x [*x]", "names nothing that is complete"),
    "an alias of nothing": ("swagger: '2.0'\nx: *x", "names nothing that is complete"),
    "a list as a key": ("swagger: '2.0'\n? [a]\n: b", "a key must be text"),
    "an alias as a key": ("swagger: '2.0'\nx: &x a\n*x : b", "a key must be text"),
    "merging text": ("swagger: '2.0'\nx: {<<: text}", "only mappings can be merged"),
    "a python object": ("swagger: !!python/object/apply:os.system [ls]", "is not one of JSON's types"),
    "a control character": ("swagger: '2.0'\nx: a\x00b", "control characters are not allowed"),
    "half a character": ('{"swagger": "2.0", "x": "\\uD83d"}', "a surrogate stands alone"),
    "not utf-8": (b"swagger: '2.0'\nx: \xff", "not UTF-8"),
    "too large": ("swagger: '2.0'\n" + "# " + "x" * 6_291_456, "larger than 6 MB"),
    "empty": ("", "Unable to build importer with provided input."),
}


@pytest.mark.parametrize("case", HARM)
def test_a_file_that_wants_to_do_harm_only_fails(case: str) -> None:
    text, told = HARM[case]
    with pytest.raises(OpenApiError, match=told):
        examine(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [(parts_of_parts(), "references expand to more than 100000 values"), (a_long_chain(), "leads back to itself")],
    ids=["parts of parts", "a long chain"],
)
def test_references_that_want_to_do_harm_are_errors(text: str, told: str) -> None:
    with pytest.raises(OpenApiError, match=told):
        read_openapi(text.encode(), account="123456789012", region="eu-west-1", options={})


def test_what_merges_share_is_read_once_each() -> None:
    text = "swagger: '2.0'\nx: &x {a: 1, b: 1}\ninfo: {<<: [{title: first}, {title: second, version: v}], version: own}"
    assert examine(text).settings == {"version": "own", "description": None, "name": "first"}


def test_a_character_in_two_halves() -> None:
    assert examine('{"swagger": "2.0", "info": {"title": "\\ud83d\\ude00"}}').name == "\U0001f600"


def test_a_quoted_merge_key_is_a_key() -> None:
    assert examine("swagger: '2.0'\npaths: {}\n\"<<\": {paths: []}").warnings == [
        "Ignoring <<: OpenAPI has no such member"
    ]


# --- whatever stands where -------------------------------------------------------------------------------------------

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["#/definitions/Thing0", "#/nowhere", "x-api-key", "token", "$ref", "200"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["$ref", "type", "schema", "properties", "name", "in", "x", "200"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container of a document with every key or index in it."""
    for key, inner in list(value.items()) if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def small(version: str) -> dict[str, Any]:
    """The first two resources of the large file."""
    document = large(version)
    kept = ("/things0", "/things0/{id}", "/things1")
    document["paths"] = {path: item for path, item in document["paths"].items() if path in kept}
    parts = document["x-amazon-apigateway-documentation"]["documentationParts"]
    del parts[2:]
    schemas = document["definitions"] if version == "swagger" else document["components"]["schemas"]
    for name in list(schemas):
        if name[-1] not in "01" or name[-2].isdigit():
            del schemas[name]
    return document


SMALL = {version: small(version) for version in ("swagger", "oas30")}


@pytest.mark.parametrize("version", SMALL)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), value=anything)
def test_whatever_stands_anywhere_is_read_or_refused(version: str, data: st.DataObject, value: Any) -> None:
    document = copy.deepcopy(SMALL[version])
    holder, key = data.draw(st.sampled_from(list(places(document))))
    holder[key] = value
    try:
        imported = examine(json.dumps(document), basepath="prepend")
    except OpenApiError:
        return
    for model in imported.models.values():
        json.loads(model.schema or "")
    for part in imported.documentation:
        json.loads(part.properties)
