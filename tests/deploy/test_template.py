"""Reading templates: short tags, scalars as CloudFormation means them, errors with their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tidegate.deploy.errors import DeployError
from tidegate.deploy.template import read_document, read_template


def read(tmp_path: Path, text: str, name: str = "t.yaml") -> Any:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return read_document(path).body


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!Condition A", {"Condition": "A"}),
        ("!Sub 'x${A}'", {"Fn::Sub": "x${A}"}),
        ("!Sub [x, {A: !Ref B}]", {"Fn::Sub": ["x", {"A": {"Ref": "B"}}]}),
        ("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}),
        ("!GetAtt [A, B]", {"Fn::GetAtt": ["A", "B"]}),
        ("!Join [',', [a, !Ref B]]", {"Fn::Join": [",", ["a", {"Ref": "B"}]]}),
        ("!If [C, 1, !Ref AWS::NoValue]", {"Fn::If": ["C", 1, {"Ref": "AWS::NoValue"}]}),
        ("!Not [!Equals [a, b]]", {"Fn::Not": [{"Fn::Equals": ["a", "b"]}]}),
        ("!Transform {Name: AWS::Include}", {"Fn::Transform": {"Name": "AWS::Include"}}),
        ("!GetAZs ''", {"Fn::GetAZs": ""}),
        ("!Cidr [a, 1, 2]", {"Fn::Cidr": ["a", 1, 2]}),
        ("2012-10-17", "2012-10-17"),
        ("12:30:45", "12:30:45"),
        ("012345678901", "012345678901"),
        ("0123", "0123"),
        ("000000000000", "000000000000"),
        ("1_000", "1_000"),
        ("12", 12),
        ("-1.5", -1.5),
        ("1.0", 1.0),
        ("true", True),
        ("yes", True),
        ("'true'", "true"),
        ("", None),
        ("~", None),
        ("{200: a, on: b, 1.0: c}", {"200": "a", "on": "b", "1.0": "c"}),
        ("[&x {a: 1}, *x]", [{"a": 1}, {"a": 1}]),
        ("{base: &b {a: 1, c: 1}, more: {<<: *b, a: 2}}", {"base": {"a": 1, "c": 1}, "more": {"a": 2, "c": 1}}),
    ],
)
def test_values(tmp_path: Path, text: str, value: Any) -> None:
    assert read(tmp_path, f"v: {text}")["v"] == value


def test_json(tmp_path: Path) -> None:
    assert read(tmp_path, '{\n\t"a": ["2012-10-17", 1]}') == {"a": ["2012-10-17", 1]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "t.yaml:3:1: duplicate key: a"),
        ("a:\n  b: !Foo x\n", "t.yaml:2:6: unknown tag: !Foo"),
        ("a: [1\nb: 2\n", "t.yaml:2:2: "),
        ("a:\n\tb: 1\n", "t.yaml:2:1: found character '\\t'"),
        ("? [a]\n: 1\n", "t.yaml:1:3: a key must be text"),
        ("a: &x [*x]\n", "t.yaml:1:4: found unconstructable recursive node"),
        ('{"a": 1, "a": 2}', "t.yaml: duplicate key: a"),
        ('{"a": 1,\n "b" 2}', "t.yaml:2:6: Expecting ':' delimiter"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DeployError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(message)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="cannot be read: No such file"):
        read_document(tmp_path / "none.yaml")


def test_every_malformed_section_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("Resorces: {}\nRules: {A: {}}\nResources:\n  A: text\n  B: {Properties: {}}\nOutputs: [1]\n")
    with pytest.raises(DeployError) as caught:
        read_template(path)
    assert [str(problem).split(" ")[0] for problem in caught.value.problems] == [
        "t.yaml:1:1:",
        "t.yaml:2:1:",
        "t.yaml:4:3:",
        "t.yaml:5:3:",
        "t.yaml:6:1:",
    ]
