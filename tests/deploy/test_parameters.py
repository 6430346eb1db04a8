"""Parameters: types, defaults, constraints, with CloudFormation's messages."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.deploy.parameters import Target, pseudo_parameters, resolve_parameters


@pytest.mark.parametrize(
    ("definition", "given", "value"),
    [
        ({"Type": "String"}, "x", "x"),
        ({"Type": "String", "Default": 5}, None, "5"),
        ({"Type": "String", "Default": True}, None, "true"),
        ({"Type": "Number", "Default": 5}, "7", "7"),
        ({"Type": "CommaDelimitedList"}, "a, b", ["a", "b"]),
        ({"Type": "List<Number>", "Default": "1,2"}, None, ["1", "2"]),
        ({"Type": "AWS::EC2::VPC::Id"}, "vpc-1", "vpc-1"),
        ({"Type": "List<AWS::EC2::Subnet::Id>"}, "a,b", ["a", "b"]),
        ({"Type": "String", "AllowedValues": [1, 2]}, "1", "1"),
    ],
)
def test_values(definition: dict[str, Any], given: str | None, value: Any) -> None:
    values, problems = resolve_parameters({"P": definition}, {} if given is None else {"P": given})
    assert (values, problems) == ({"P": value}, [])


@pytest.mark.parametrize(
    ("definition", "given", "message"),
    [
        ({"Type": "String"}, None, "Parameters: [P] must have values"),
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "A", "Parameter 'P' must match pattern [a-z]+"),
        (
            {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "small letters"},
            "A",
            "Parameter 'P' failed to satisfy constraint: small letters",
        ),
        ({"Type": "String", "MinLength": 2}, "a", "Parameter 'P' must contain at least 2 characters"),
        ({"Type": "String", "MaxLength": "2"}, "aaa", "Parameter 'P' must contain at most 2 characters"),
        ({"Type": "Number"}, "many", "Parameter 'P' must be a number"),
        ({"Type": "Number", "MinValue": 2}, "1", "Parameter 'P' must be a number not less than 2"),
        ({"Type": "Number", "MaxValue": 2}, "3", "Parameter 'P' must be a number not greater than 2"),
        ({"Type": "AWS::SSM::Parameter::Value<List<String>>"}, "x", "Value<List<String>> is not supported"),
        ({"Type": "Text"}, "x", "Unrecognized parameter type: Text"),
        ({"Type": "String", "Defualt": 1}, "x", "Invalid template parameter property 'Defualt'"),
    ],
)
def test_violations(definition: dict[str, Any], given: str | None, message: str) -> None:
    _, problems = resolve_parameters({"P": definition}, {} if given is None else {"P": given})
    assert len(problems) == 1
    assert message in str(problems[0])


def test_unknown_parameters() -> None:
    _, problems = resolve_parameters({}, {"A": "1", "B": "2"})
    assert "Parameters: [A, B] do not exist in the template" in str(problems[0])


def test_pseudo_parameters() -> None:
    pseudo = pseudo_parameters(Target("demo", "123456789012", "eu-west-1"))
    assert pseudo["AWS::StackId"].startswith("arn:aws:cloudformation:eu-west-1:123456789012:stack/demo/")
    assert (pseudo["AWS::Partition"], pseudo["AWS::URLSuffix"]) == ("aws", "amazonaws.com")
