"""Intrinsic functions: what they give, what they refuse, and which names they use."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.deploy.intrinsics import UNKNOWN, IntrinsicError, Reference, Scope, condition, evaluate, references


class Pets:
    """Two resources: one that exists, one that does not yet."""

    def __contains__(self, logical_id: object) -> bool:
        return logical_id in ("Cat", "Later")

    def ref(self, logical_id: str) -> Any:
        return "cat-1" if logical_id == "Cat" else UNKNOWN

    def attribute(self, logical_id: str, name: str) -> Any:
        return f"arn:{name}" if logical_id == "Cat" else UNKNOWN


SCOPE = Scope(
    parameters={"Name": "tom", "Zones": ["a", "b"], "AWS::Region": "eu-west-1", "AWS::StackName": "demo", "N": "7"},
    mappings={"Sizes": {"eu-west-1": {"Small": 1, "List": ["x", "y"]}}},
    conditions={"Yes": True, "No": False},
    resources=Pets(),
    exports={"shared": "value"},
)


def fn(name: str, argument: Any) -> dict[str, Any]:
    return {name if name == "Ref" else f"Fn::{name}": argument}


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (fn("Ref", "Name"), "tom"),
        (fn("Ref", "Cat"), "cat-1"),
        (fn("Ref", "Zones"), ["a", "b"]),
        (fn("GetAtt", ["Cat", "Arn"]), "arn:Arn"),
        (fn("GetAtt", "Cat.Arn"), "arn:Arn"),
        (fn("GetAtt", ["Cat", "Outputs.X"]), "arn:Outputs.X"),
        (fn("Sub", "${Name}-${Cat.Arn}-${AWS::Region}-${!Name}-$Name"), "tom-arn:Arn-eu-west-1-${Name}-$Name"),
        (fn("Sub", ["${x}${Name}", {"x": fn("Ref", "Cat"), "Name": 5}]), "cat-15"),
        (fn("Sub", ["${a.b}", {"a.b": True}]), "true"),
        (fn("Join", ["-", ["a", 1, fn("Ref", "Name")]]), "a-1-tom"),
        (fn("Join", ["", fn("Ref", "Zones")]), "ab"),
        (fn("Join", [",", ["a", fn("Ref", "AWS::NoValue"), "b"]]), "a,b"),
        (fn("If", ["Yes", 1, fn("Ref", "Missing")]), 1),
        (fn("Select", [1, fn("Ref", "Zones")]), "b"),
        (fn("Select", ["0", fn("Split", ["|", "x|y"])]), "x"),
        (fn("Split", [",", "a,b,"]), ["a", "b", ""]),
        (fn("FindInMap", ["Sizes", fn("Ref", "AWS::Region"), "Small"]), 1),
        (fn("FindInMap", ["Sizes", "eu-west-1", "List"]), ["x", "y"]),
        (fn("Base64", "hi"), "aGk="),
        (fn("ImportValue", fn("Sub", "sha${x}")), None),
        (fn("ImportValue", "shared"), "value"),
        (fn("GetAZs", ""), ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"a": fn("Ref", "AWS::NoValue"), "b": [fn("Ref", "AWS::NoValue"), 1]}, {"b": [1]}),
        ({"a": fn("If", ["No", 1, fn("Ref", "AWS::NoValue")])}, {}),
        ({"Ref": "Name", "beside": 1}, {"Ref": "Name", "beside": 1}),
        ({"Condition": {"StringEquals": {"a": fn("Ref", "Name")}}}, {"Condition": {"StringEquals": {"a": "tom"}}}),
    ],
)
def test_values(value: Any, result: Any) -> None:
    if result is None:
        with pytest.raises(IntrinsicError):
            evaluate(value, SCOPE)
    else:
        assert evaluate(value, SCOPE) == result


@pytest.mark.parametrize(
    "value",
    [
        fn("Ref", "Later"),
        fn("GetAtt", "Later.Arn"),
        fn("Sub", "x${Later}"),
        fn("Join", ["", ["a", fn("Ref", "Later")]]),
        fn("Select", [9, fn("Split", ["/", fn("Ref", "Later")])]),
        fn("Base64", fn("Ref", "Later")),
    ],
)
def test_what_is_made_from_the_unknown_is_unknown(value: Any) -> None:
    assert evaluate(value, SCOPE) is UNKNOWN


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (fn("Ref", "Dog"), r"Unresolved resource dependencies \[Dog\]"),
        (fn("GetAtt", "Dog.Arn"), "Fn::GetAtt references undefined resource Dog"),
        (fn("Sub", "${Dog}"), r"\[Dog\]"),
        (fn("Select", [2, fn("Ref", "Zones")]), "cannot select nonexistent value at index 2"),
        (fn("FindInMap", ["Nope", "a", "b"]), "Mapping named 'Nope' is not present"),
        (fn("FindInMap", ["Sizes", "us", "Small"]), "Unable to get mapping for Sizes::us::Small"),
        (fn("If", ["Maybe", 1, 2]), "unresolved condition dependency Maybe in Fn::If"),
        (fn("ImportValue", "other"), "No export named other found."),
        (fn("Cidr", ["10.0.0.0/16", 1, 8]), "the function Fn::Cidr is not supported"),
        (fn("ForEach::X", []), "the function Fn::ForEach::X is not supported"),
        (fn("Base64", "{{resolve:ssm:/a/b}}"), "is looked up when the stack is made"),
        (fn("Split", [":", "{{resolve:secretsmanager:x}}"]), "is looked up when the stack is made"),
        (fn("Join", ["-", "text"]), "must be a list"),
        (fn("Join", ["-", [{"a": 1}]]), "text is expected, not dict"),
    ],
)
def test_refusals(value: Any, message: str) -> None:
    with pytest.raises(IntrinsicError, match=message):
        evaluate(value, SCOPE)


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (fn("Equals", [fn("Ref", "N"), 7]), True),
        (fn("Equals", [True, "true"]), True),
        (fn("Equals", ["a", "A"]), False),
        (fn("Not", [{"Condition": "No"}]), True),
        (fn("And", [{"Condition": "Yes"}, fn("Equals", [1, 1])]), True),
        (fn("Or", [{"Condition": "No"}, {"Condition": "Yes"}]), True),
        (fn("And", [{"Condition": "No"}, {"Condition": "Yes"}]), False),
    ],
)
def test_conditions(value: Any, truth: bool) -> None:
    assert condition(value, SCOPE) is truth


@pytest.mark.parametrize("value", ["Yes", fn("And", [{"Condition": "Yes"}]), {"Condition": "Maybe"}, fn("Ref", "Name")])
def test_malformed_conditions(value: Any) -> None:
    with pytest.raises(IntrinsicError):
        condition(value, SCOPE)


def test_references_follow_the_branch_that_is_taken() -> None:
    value = {
        "a": fn("If", ["Yes", fn("Ref", "A"), fn("Ref", "B")]),
        "b": fn("Sub", ["${C.Arn}${!D}${E}", {"E": fn("GetAtt", "F.Arn")}]),
        "c": [fn("Join", ["", [fn("Ref", "G")]])],
    }
    assert set(references(value, SCOPE.conditions)) == {
        Reference("A"),
        Reference("C", "Arn"),
        Reference("F", "Arn"),
        Reference("G"),
    }
