"""Models: what is valid, the messages, references between models, and schemas and bodies that mean harm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.mapping.schema import SchemaError, Validator, compile_model
from tidegate.mapping.schema_graph import SchemaGraph

API = "abcdef1234"
URL = f"https://apigateway.amazonaws.com/restapis/{API}/models/"


def model(schema: Any, **others: Any) -> Validator:
    texts = {"Main": json.dumps(schema), **{name: json.dumps(other) for name, other in others.items()}}
    return compile_model("Main", texts, API)


def errors(schema: Any, value: Any, **others: Any) -> list[str]:
    return model(schema, **others).validate(json.dumps(value).encode())


def test_the_recorded_message() -> None:
    schema = {"type": "object", "properties": {"bar": {}}, "required": ["bar"], "additionalProperties": False}
    assert errors(schema, {"foo": 1}) == [
        'object has missing required properties (["bar"])',
        'object instance has properties which are not allowed by the schema: ["foo"]',
    ]
    assert errors(schema, {"bar": 1}) == []


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        (
            {"type": "integer"},
            "x",
            'instance type (string) does not match any allowed primitive type (allowed: ["integer"])',
        ),
        (
            {"type": "integer"},
            1.0,
            'instance type (number) does not match any allowed primitive type (allowed: ["integer"])',
        ),
        (
            {"type": ["string", "number"]},
            None,
            'instance type (null) does not match any allowed primitive type (allowed: ["integer","number","string"])',
        ),
        (
            {"type": "object"},
            [],
            'instance type (array) does not match any allowed primitive type (allowed: ["object"])',
        ),
        (
            {"type": "object"},
            True,
            'instance type (boolean) does not match any allowed primitive type (allowed: ["object"])',
        ),
        (
            {"type": "string"},
            {},
            'instance type (object) does not match any allowed primitive type (allowed: ["string"])',
        ),
        ({"required": ["b", "a", "c"]}, {"c": 1}, 'object has missing required properties (["a","b"])'),
        (
            {"additionalProperties": False, "patternProperties": {"^x": {}}},
            {"z": 1, "y": 1, "x1": 1},
            'object instance has properties which are not allowed by the schema: ["y","z"]',
        ),
        ({"enum": ["a", 1, None]}, "b", 'instance value ("b") not found in enum (possible values: ["a",1,null])'),
        ({"minimum": 3}, 2, "numeric instance is lower than the required minimum (minimum: 3, found: 2)"),
        (
            {"minimum": 3, "exclusiveMinimum": True},
            3,
            "numeric instance is not strictly greater than the required minimum 3",
        ),
        ({"maximum": 3.5}, 4, "numeric instance is greater than the required maximum (maximum: 3.5, found: 4)"),
        (
            {"maximum": 3, "exclusiveMaximum": True},
            3,
            "numeric instance is not strictly lower than the required maximum 3",
        ),
        ({"multipleOf": 3}, 7, "remainder of division is not zero (7 / 3)"),
        ({"minLength": 3}, "ä", 'string "ä" is too short (length: 1, required minimum: 3)'),
        ({"maxLength": 1}, "abc", 'string "abc" is too long (length: 3, maximum allowed: 1)'),
        ({"pattern": "^a+$"}, "b", 'ECMA 262 regex "^a+$" does not match input string "b"'),
        ({"minItems": 2}, [1], "array is too short: must have at least 2 elements but instance has 1 elements"),
        ({"maxItems": 0}, [1], "array is too long: must have at most 0 elements but instance has 1 elements"),
        ({"uniqueItems": True}, [1, 1], "array must not contain duplicate elements"),
        (
            {"items": [{}], "additionalItems": False},
            [1, 2, 3],
            "schema only allows 1 elements in array but instance has 3 elements",
        ),
        ({"minProperties": 1}, {}, "object has too few properties (found 0 but schema requires at least 1)"),
        ({"maxProperties": 0}, {"a": 1}, "object has too many properties (found 1 but schema requires at most 0)"),
        (
            {"dependencies": {"a": ["c", "b"]}},
            {"a": 1, "c": 2},
            'property "a" of object has missing property dependencies (schema requires ["b","c"]; missing: ["b"])',
        ),
        ({"dependencies": {"a": {"required": ["b"]}}}, {"a": 1}, 'object has missing required properties (["b"])'),
        (
            {"allOf": [{"type": "string"}, {"enum": [1]}, {"minimum": 2}]},
            1,
            "instance failed to match all required schemas (matched only 1 out of 3)",
        ),
        (
            {"anyOf": [{"type": "string"}, {"minimum": 2}]},
            1,
            "instance failed to match at least one required schema among 2",
        ),
        (
            {"oneOf": [{"minimum": 0}, {"minimum": 1}]},
            1,
            "instance failed to match exactly one schema (matched 2 out of 2)",
        ),
        (
            {"oneOf": [{"minimum": 3}, {"minimum": 4}]},
            1,
            "instance failed to match exactly one schema (matched 0 out of 2)",
        ),
        ({"not": {"type": "integer"}}, 1, "instance matched a schema which it should not have"),
        ({"format": "email"}, "x", 'string "x" is not a valid email address'),
        ({"format": "ipv4"}, "x", 'string "x" is not a valid IPv4 address'),
        ({"format": "ipv6"}, "x", 'string "x" is not a valid IPv6 address'),
        ({"format": "uri"}, "x y", 'string "x y" is not a valid URI'),
        ({"format": "hostname"}, "-", 'string "-" is not a valid hostname'),
        ({"format": "regex"}, "[", 'string "[" is not a valid ECMA 262 regular expression'),
        (
            {"format": "date-time"},
            "today",
            'string "today" is invalid against requested date format(s) '
            "[yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]",
        ),
    ],
)
def test_messages(schema: Any, value: Any, message: str) -> None:
    assert errors(schema, value) == [message]
    assert errors({"properties": {"x": {"items": schema}}}, {"x": [value]}) == [message]


@pytest.mark.parametrize("name", ["date", "time", "uuid", "phone", "password", "int32", "byte"])
def test_formats_that_the_library_does_not_know_are_not_enforced(name: str) -> None:
    assert errors({"format": name}, "anything") == []


def test_members_are_looked_at_when_the_value_itself_is_all_right() -> None:
    schema = {"required": ["a"], "properties": {"b": {"type": "string"}, "c": {"type": "string"}}}
    assert errors(schema, {"b": 1}) == ['object has missing required properties (["a"])']
    assert len(errors(schema, {"a": 1, "b": 1, "c": 1})) == 2


def test_an_empty_body_is_an_empty_object() -> None:
    assert model({"type": "object"}).validate(b"") == []
    assert model({"type": "object"}).validate(b" \n") == []
    assert model({"required": ["a"]}).validate(b"") == ['object has missing required properties (["a"])']


@pytest.mark.parametrize("body", [b"{", b"nope", b"{'a':1}", b"[1,]", b"\xff", b"NaN", b'{"a":1} x', b"01"])
def test_what_is_no_json_is_one_message(body: bytes) -> None:
    assert model({}).validate(body) == ["request body is not valid JSON"]


def test_references_to_models_and_within() -> None:
    main = {
        "definitions": {"id": {"type": "integer"}},
        "properties": {"id": {"$ref": "#/definitions/id"}, "o": {"$ref": URL + "Other"}},
    }
    other = {"type": "object", "required": ["id"], "properties": {"id": {"$ref": URL + "Main#/definitions/id"}}}
    assert errors(main, {"id": 1, "o": {"id": 2}}, Other=other) == []
    assert errors(main, {"id": 1, "o": {}}, Other=other) == ['object has missing required properties (["id"])']
    assert errors(main, {"o": {"id": "x"}}, Other=other)[0].startswith("instance type (string)")


def test_models_that_refer_to_each_other_in_a_circle() -> None:
    main = {"type": "object", "properties": {"left": {"$ref": URL + "Other"}, "value": {"type": "integer"}}}
    other = {"type": "object", "properties": {"right": {"$ref": URL + "Main"}}, "additionalProperties": False}
    assert errors(main, {"left": {"right": {"left": {"right": {"value": 1}}}}}, Other=other) == []
    assert errors(main, {"left": {"right": {"left": {"x": 1}}}}, Other=other) == [
        'object instance has properties which are not allowed by the schema: ["x"]'
    ]


def test_a_reference_to_anywhere_in_a_schema() -> None:
    main = {
        "properties": {"a": {"$ref": "#/x/y"}},
        "x": {"y": {"properties": {"b": {"$ref": "#/x/z"}}}, "z": {"type": "null"}},
    }
    assert errors(main, {"a": {"b": None}}) == []
    assert errors(main, {"a": {"b": 1}}) != []


def test_ids_change_nothing() -> None:
    main = {
        "id": "http://example.com/root.json#",
        "definitions": {"a": {"id": "#a", "type": "integer"}},
        "properties": {"id": {"$ref": "#/definitions/a"}, "x": {"$ref": "http://example.com/root.json#/definitions/a"}},
    }
    assert errors(main, {"id": 1, "x": 2}) == []
    assert len(errors(main, {"id": "1", "x": "2"})) == 2


def test_other_models_that_are_broken_do_not_matter() -> None:
    assert compile_model("Main", {"Main": "{}", "Broken": "{"}, API).validate(b"{}") == []


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ('{"maximum": NaN}', "not JSON"),
        ('{"type": "any"}', "any"),
        ('{"required": []}', "less than 1 item"),
        ('{"pattern": "["}', "regex"),
        ('{"$ref": "http://169.254.169.254/latest"}', "neither in this schema nor a model"),
        ('{"$ref": "file:///etc/passwd"}', "neither in this schema nor a model"),
        (f'{{"$ref": "{URL}Nope"}}', "no model Nope"),
        (
            '{"$ref": "https://apigateway.amazonaws.com/restapis/other/models/Main"}',
            "neither in this schema nor a model",
        ),
        ('{"$ref": "#/definitions/nope"}', "leads nowhere"),
        ('{"$ref": 1}', "string"),
        ('{"$ref": "#"}', "combines itself"),
        ('{"allOf": [{"$ref": "#"}]}', "combines itself"),
        (
            '{"definitions": {"a": {"not": {"$ref": "#/definitions/b"}}, "b": {"$ref": "#/definitions/a"}}}',
            "combines itself",
        ),
        ('{"dependencies": {"a": {"$ref": "#"}}}', "combines itself"),
        ('{"not": ' * 5000 + "{}" + "}" * 5000, "nested too deeply"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"enum": [' + "9" * 10_000 + "]}", "not JSON"),
    ],
)
def test_schemas_that_are_refused(schema: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        compile_model("Main", {"Main": schema}, API)


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_doubled_combinations_are_refused(keyword: str) -> None:
    definitions = {
        f"a{index}": {keyword: [{"$ref": f"#/definitions/a{index + 1}"}, {"$ref": f"#/definitions/a{index + 1}"}]}
        for index in range(40)
    }
    definitions["a40"] = {"type": "string"}
    with pytest.raises(SchemaError, match="more than 1000 schemas"):
        model({"definitions": definitions, "$ref": "#/definitions/a0"})


def test_patterns_that_backtrack_are_stopped() -> None:
    for pattern in ("^(a+)+$", "^(?=a)(a|aa)+$", r"^(a*)*\1$"):
        assert errors({"pattern": pattern}, "a" * 5000 + "!") == [
            f'ECMA 262 regex "{pattern}" does not match input string "{"a" * 5000}!"'
        ]


def test_bodies_that_are_too_deep_or_too_long() -> None:
    validator = model({"type": "object", "properties": {"a": {"$ref": "#"}}})
    assert validator.validate(b'{"a":' * 399 + b"{}" + b"}" * 399) == []
    assert validator.validate(b'{"a":' * 401 + b"{}" + b"}" * 401) == ["request body is nested too deeply"]
    assert validator.validate(b'{"x":"' + b"[" * 5000 + b'"}') == []
    assert model({}).validate(b"[" * 1_000_000) == ["request body is nested too deeply"]
    assert model({}).validate(b"9" * 100_000) == ["request body has a number that is too long"]
    assert model({}).validate(b'"' + b"9" * 100_000 + b'"') == []
    assert model({}).validate(b'"\\" ' + b"9" * 100_000 + b'"') == []
    assert model({}).validate(b'"\\"' + b'\\"[' * 300_000) == ["request body is not valid JSON"]
    assert model({}).validate(b"[" + b'{"a":"]"},' * 100_000 + b"1]") == []


def test_many_mistakes_are_cut() -> None:
    messages = errors({"items": {"type": "string"}}, [1] * 300_000)
    assert len(messages) == 100


def test_explaining_ends_in_a_tree_that_doubles_at_each_level() -> None:
    level = {"properties": {"x": {"$ref": "#"}}}
    schema = {"type": "object", "allOf": [level, {"minProperties": 0, **level}]}
    body: Any = {"x": 1}
    for _ in range(60):
        body = {"x": body}
    assert errors(schema, body) != []


def test_the_last_of_duplicate_keys_counts() -> None:
    assert model({"properties": {"a": {"type": "integer"}}}).validate(b'{"a":"x","a":1}') == []


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 2.0, -1.25])
    | st.sampled_from(["", "a", "ab", "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(
                ["string", "integer", "number", "object", "array", "boolean", "null", ["string", "null"]]
            ),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "minimum": st.integers(-2, 2),
            "maximum": st.integers(-2, 2),
            "multipleOf": st.sampled_from([1, 2, 0.5]),
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(0, 2),
            "pattern": st.sampled_from(["^a", "b$", "é"]),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "uniqueItems": st.booleans(),
            "minProperties": st.integers(0, 2),
            "maxProperties": st.integers(0, 2),
            "required": st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "[bc]"]), inner, max_size=2),
            "additionalProperties": st.booleans() | inner,
            "items": inner | st.lists(inner, min_size=1, max_size=2),
            "additionalItems": st.booleans() | inner,
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "dependencies": st.dictionaries(
                st.sampled_from("abc"),
                inner | st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True),
                max_size=2,
            ),
        },
    ),
    max_leaves=6,
)


@settings(max_examples=600, deadline=None)
@given(schema=SCHEMAS, value=VALUES)
def test_there_is_an_explanation_exactly_when_a_body_is_invalid(schema: dict[str, Any], value: Any) -> None:
    validator = model(schema)
    found = validator.validate(json.dumps(value).encode())
    assert validator._explainer.messages(value) == found
    assert "request body does not match the schema" not in found


@settings(max_examples=200, deadline=None)
@given(schema=SCHEMAS)
def test_compiling_leaves_the_texts_alone_and_is_repeatable(schema: dict[str, Any]) -> None:
    text = json.dumps(schema)
    assert SchemaGraph("M", {"M": text}, API).root == SchemaGraph("M", {"M": text}, API).root
