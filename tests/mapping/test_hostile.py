"""Bodies, schemas and patterns that mean harm: whatever they are, there is an answer, and soon.

Nothing here measures time; what is asked would take minutes, or all memory, if it were done naively.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tidegate.mapping.schema import SchemaError, Validator, compile_model
from tidegate.testing import render
from tidegate.vtl import TemplateError

API = "abcdef1234"
URL = f"https://apigateway.amazonaws.com/restapis/{API}/models/"
LONG = 10_000_000

BODIES: dict[str, tuple[bytes, str, str, str | None]] = {
    # body; $input.path('$.x'); $input.json('$.x'); what a model of numbers says, None: valid
    "a number beyond doubles": (b'{"x":1e400}', "Infinity", "null", "not valid JSON"),
    "a negative one": (b'{"x":-1e400}', "-Infinity", "null", "not valid JSON"),
    "a number too small": (b'{"x":1e-400}', "0.0", "0.0", None),
    "a million digits": (b'{"x":' + b"9" * 1_000_000 + b"}", "", '""', "too long"),
    "a long fraction": (b'{"x":0.' + b"1" * 1_000_000 + b"}", "0.1111111111111111", "0.1111111111111111", "too long"),
    "a long exponent": (b'{"x":1e' + b"9" * 100_000 + b"}", "", '""', "too long"),
    "twice the same key": (b'{"x":1,"x":2}', "2", "2", None),
    "half a surrogate pair": (b'{"x":"a\\ud800b"}', "a\ud800b", '"a\ud800b"', "not valid JSON"),
    "a key that is half a pair": (b'{"\\ud800":1,"x":2}', "2", "2", "not valid JSON"),
    "no number": (b'{"x":NaN}', "NaN", "null", "not valid JSON"),
    "a null character": (b'{"x":"\\u0000"}', "\0", '"\\u0000"', "instance type (string)"),
    "no end": (b'{"x":"' + b"a" * 3_000_000, "", '""', "not valid JSON"),
    "deep lists": (b"[" * (LONG // 2) + b"]" * (LONG // 2), "", '""', "nested too deeply"),
    "deep objects": (b'{"x":' * (LONG // 6) + b"1" + b"}" * (LONG // 6), "", '""', "nested too deeply"),
    "opened only": (b"[" * LONG, "", '""', "nested too deeply"),
    "closed only": (b"]" * LONG, "", '""', "not valid JSON"),
    "wide and not deep": (b'{"x":[' + b"[]," * 100_000 + b"1]}", "[[],[],", "[[],[],", "instance type (array)"),
    "brackets in a string": (b'{"y":"' + b"[" * 3_000_000 + b'"}', "", '""', None),
    "digits in a string": (b'{"y":"' + b"9" * 3_000_000 + b'"}', "", '""', None),
    "many keys": (b"{" + b",".join(b'"k%d":1' % at for at in range(100_000)) + b"}", "", '""', None),
    "many quotes": (b'{"y":"' + b'\\"' * 1_000_000 + b'"}', "", '""', None),
    "nothing": (b" " * LONG, "", '""', None),
    "another encoding": ('{"x":1}'.encode("utf-16"), "", '""', "not valid JSON"),
}


@pytest.fixture(scope="module")
def numbers() -> Validator:
    return model({"type": "object", "properties": {"x": {"type": "number"}}})


def model(schema: Any, **others: Any) -> Validator:
    texts = {"Main": schema if isinstance(schema, str) else json.dumps(schema)}
    return compile_model("Main", texts | {name: json.dumps(other) for name, other in others.items()}, API)


@pytest.mark.parametrize("name", BODIES)
def test_bodies(numbers: Validator, name: str) -> None:
    body, path, text, complaint = BODIES[name]
    printed = render("$input.path('$.x')", body=body).text
    assert printed == path if len(printed) < 100 else printed.startswith(path)
    printed = render("$input.json('$.x')", body=body).text
    assert printed == text if len(printed) < 100 else printed.startswith(text)
    found = numbers.validate(body)
    assert found == [] if complaint is None else complaint in found[0]


def chain(length: int, schema: dict[str, Any]) -> dict[str, Any]:
    """References one behind the other, to a schema at the end."""
    definitions: dict[str, Any] = {f"a{at}": {"$ref": f"#/definitions/a{at + 1}"} for at in range(length)}
    return {"definitions": {**definitions, f"a{length}": schema}, "$ref": "#/definitions/a0"}


def test_chains_of_references() -> None:
    assert model(chain(90, {"type": "integer"})).validate(b"1") == []
    assert model(chain(90, {"type": "integer"})).validate(b'"x"') != []
    with pytest.raises(SchemaError, match="nested too deeply"):
        model(chain(5000, {"type": "integer"}))
    models = {f"M{at}": {"allOf": [{"$ref": f"{URL}M{at + 1}"}]} for at in range(2000)}
    with pytest.raises(SchemaError, match="nested too deeply"):
        model({"$ref": f"{URL}M0"}, **models, M2000={})
    circle = chain(50, {"$ref": "#/definitions/a0"})
    with pytest.raises(SchemaError, match=r"combines itself|refers to itself"):
        model(circle)


def test_large_enumerations() -> None:
    values = [f"v{at}" for at in range(20_000)]
    large = model({"items": {"enum": values}})
    assert large.validate(json.dumps(values).encode()) == []
    (complaint,) = large.validate(b'["none"]')
    assert complaint.startswith('instance value ("none") not found in enum')
    many = model({"items": {"enum": list(range(5000))}})
    assert len(many.validate(json.dumps([-1] * 20_000).encode())) == 100


def test_uniqueness_of_many() -> None:
    unique = model({"uniqueItems": True})
    assert unique.validate(json.dumps([{"a": at} for at in range(20_000)]).encode()) == []
    assert unique.validate(json.dumps([*range(50_000), 7]).encode()) == ["array must not contain duplicate elements"]


PATTERNS = [
    "(a+)+$", "^(a|aa)*$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b", "(?:a{1,100}){1,100}$", "a*a*a*a*a*b",
    # with look-around and references, at every place of the text
    "(?=a*c)b", "(?!a*c)b", "(?<!a+)b", "(?<=a+)b", "(?=.*x)(?=.*y)z", "(?:a(?=a*c))*d", "(?!a*c)ab", "(?=a)a+b",
    r"(a+)\1b", r"(?=(a+))a*b\1", r"^(a*)*\1$",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_of_models(pattern: str) -> None:
    found = model({"items": {"pattern": pattern}}).validate(json.dumps(["a" * 100_000 + "!"] * 3).encode())
    assert len(found) == 3
    assert found[0].startswith(f'ECMA 262 regex "{pattern}" does not match input string "aaa')


def test_names_are_matched_with_look_around_at_their_beginning_only() -> None:
    private = model({"patternProperties": {"^(?!x-)[a-z]+$": {"type": "integer"}}})
    assert private.validate(b'{"x-a": "text", "b": 1}') == []
    assert private.validate(b'{"b": "text"}') != []
    assert private.validate(b'{"' + b"a" * 3_000_000 + b'!": 1}') == [
        "request body has a property name that is too long"
    ]
    assert private.validate(b'{"x-a": "' + b"a" * 3_000_000 + b'", "b": 3}') == []
    with pytest.raises(SchemaError, match="begin with"):
        model({"patternProperties": {"(?=a*c)b": {}}})


def test_looking_around_is_as_in_ecma_262() -> None:
    password = model({"type": "string", "pattern": r"^(?=.*[a-z])(?=.*\d)(?!.*\s).{8,}$"})
    assert password.validate(b'"abcdefg1"') == []
    for bad in ('"abcdefgh"', '"abc def1"', '"abc1"', '"abcdefg\\u0661"', '"abcdefg1\\n"'):
        assert password.validate(bad.encode()) != [], bad
    both = model({"allOf": [{"minLength": 2}], "pattern": "^(?!x)", "maxLength": 3})
    assert [both.validate(text) == [] for text in (b'"ab"', b'"xb"', b'"a"', b'"abcd"', b"5")] == [
        True, False, False, False, True,
    ]  # fmt: skip
    assert model({"enum": [{"pattern": "(?=a)"}]}).validate(b'{"pattern": "(?=a)"}') == []
    assert model({"properties": {"pattern": {"pattern": r"^(.)\1$"}}}).validate(b'{"pattern": "aa"}') == []
    assert model({"properties": {"pattern": {"pattern": r"^(.)\1$"}}}).validate(b'{"pattern": "ab"}') != []


@pytest.mark.parametrize(
    "schema",
    [
        '{"pattern": "(?=a"}',
        '{"pattern": "((a{1,100}){1,100}){1,100}"}',
        '{"multipleOf": 0}',
        '{"maxLength": 1e400}',
        '{"enum": ["\\ud800"]}',
        '{"enum": [' + "[" * 300 + "]" * 300 + "]}",
        '{"items":' * 5000 + "{}" + "}" * 5000,
    ],
)
def test_schemas_that_are_refused(schema: str) -> None:
    with pytest.raises(SchemaError):
        model(schema)


TWICE = "#foreach($i in [1..60])#set($a = [$a, $a])#set($b = [$b, $b])#end"
OFTEN = "#foreach($i in [1..1000])#foreach($j in [1..1000])#set($x = {})#end#end"


@pytest.mark.parametrize(
    "template",
    [
        "#set($l = [1])#foreach($i in [1..60])#set($x = $l.addAll($l))#end",
        "#set($m = {})#set($l = [1..900])#foreach($i in [1..60])#set($x = $l.addAll($l))#set($m[$i] = $l)#end",
        f"#set($a = [1])#set($b = [1]){TWICE}#if($a == $b)x#end",
        f"#set($a = [1])#set($b = [1]){TWICE}$a.contains($b.get(0).get(0))",
        f"#set($a = [1])#set($b = [1]){TWICE}#set($r = $input.path('$'))#set($r.a = $a)$input.json('$')",
        f"#set($a = [1])#set($b = [1]){TWICE}#set($r = $input.path('$'))#set($r.a = $a)$input.path('$..zz')",
        f"#set($a = [1])#set($b = [1]){TWICE}#set($r = $input.path('$'))#set($r.a = [{{'x': $a}}])#set($r.b = $b)"
        "$input.path('$.a[?(@.x == $.b)]')",
        "#set($r = $input.path('$'))#set($r.r = $r)$input.json('$')",
        "#set($r = $input.path('$'))#set($r.r = $r)$input.path('$..zz')",
        "#set($a = [1..100000])#set($b = [1..100000])$a.retainAll($b)",
        OFTEN.replace("{}", "$input.path('$..zz')"),
        OFTEN.replace("{}", "$input.json('$.list[?(@.a == 5)]')"),
        OFTEN.replace("{}", "$input.path('$.list.sum()')"),
        OFTEN.replace("{}", "$util.parseJson($input.body)"),
        OFTEN.replace("{}", "$input.body.startsWith($input.body)"),
        '#set($s = $input.body.substring(0, 500000))#set($t = "#$s")'
        + OFTEN.replace("{}", "$input.body.lastIndexOf($t)"),
    ],
)
def test_templates_that_would_take_all_time_or_memory(template: str) -> None:
    with pytest.raises(TemplateError):
        render(template, body=json.dumps({"list": [{"a": at} for at in range(50_000)]}))
