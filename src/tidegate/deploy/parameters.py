"""Template parameters: given values and defaults, typed and checked, with CloudFormation's messages. And the pseudo parameters.

AWS: CloudFormation User Guide, "Parameters section structure".
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.deploy.errors import Problem
from tidegate.deploy.intrinsics import text

_LOOKED_UP = re.compile(r"AWS::SSM::Parameter::Value<(?:String|AWS::[^<>]+)>")
_LISTS = re.compile(r"CommaDelimitedList|List<.+>")
_SETTINGS = frozenset(
    {
        *("AllowedPattern", "AllowedValues", "ConstraintDescription", "Default", "Description", "MaxLength"),
        *("MaxValue", "MinLength", "MinValue", "NoEcho", "Type"),
    }
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a stack goes: its name, and the account and region it lives in."""

    stack_name: str
    account: str
    region: str

    @property
    def stack_id(self) -> str:
        """The same for every deployment of the stack, so that names and ids derived from it stay."""
        arn = f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{self.stack_name}"
        return f"{arn}/{uuid.uuid5(uuid.NAMESPACE_URL, arn)}"


def pseudo_parameters(target: Target) -> dict[str, Any]:
    return {
        "AWS::AccountId": target.account,
        "AWS::NotificationARNs": [],
        "AWS::Partition": "aws",
        "AWS::Region": target.region,
        "AWS::StackId": target.stack_id,
        "AWS::StackName": target.stack_name,
        "AWS::URLSuffix": "amazonaws.com",
    }


def resolve_parameters(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    """Values by name (lists for the list types, text for all others), and everything that is wrong with them."""
    problems = []
    if unknown := sorted(given.keys() - declared.keys()):
        problems.append(Problem("Parameters", f"[{', '.join(unknown)}] do not exist in the template"))
    missing = [name for name, definition in declared.items() if name not in given and "Default" not in definition]
    if missing:
        problems.append(Problem("Parameters", f"[{', '.join(missing)}] must have values"))
    values: dict[str, Any] = {}
    for name, definition in declared.items():
        problems += [Problem(name, message) for message in _malformed(name, definition)]
        raw = given.get(name, definition.get("Default", ""))
        value = ",".join(map(_plain, raw)) if isinstance(raw, list) else _plain(raw)
        if name not in missing:
            problems += [Problem(name, message) for message in _violations(name, definition, value)]
        values[name] = _meant(str(definition.get("Type", "")), value)
    return values, problems


def _meant(kind: str, value: str) -> Any:
    """AWS: the value of an SSM parameter type is a name, and stands for what Parameter Store holds under it."""
    if _LOOKED_UP.fullmatch(kind):
        return f"{{{{resolve:ssm:{value}}}}}"
    return _items(value) if _LISTS.fullmatch(kind) else value


def _plain(value: Any) -> str:
    return text(value) if isinstance(value, str | int | float) else ""


def _items(value: str) -> list[str]:
    return [item.strip() for item in value.split(",")] if value else []


def _malformed(name: str, definition: Mapping[str, Any]) -> Iterator[str]:
    kind = str(definition.get("Type", ""))
    if not kind:
        yield "Template format error: Every Parameters object must contain a Type member."
    elif kind.startswith("AWS::SSM::Parameter::Value<") and not _LOOKED_UP.fullmatch(kind):
        yield f"the parameter type {kind} is not supported"
    elif kind not in ("String", "Number") and not _LISTS.fullmatch(kind) and not kind.startswith("AWS::"):
        yield f"Template format error: Unrecognized parameter type: {kind}"
    for setting in sorted(definition.keys() - _SETTINGS):
        yield f"Invalid template parameter property '{setting}'"


def _violations(name: str, definition: Mapping[str, Any], value: str) -> Iterator[str]:
    if not (failures := list(_failures(name, definition, value))):
        return
    if description := definition.get("ConstraintDescription"):
        yield f"Parameter '{name}' failed to satisfy constraint: {description}"
    else:
        yield from failures


def _failures(name: str, definition: Mapping[str, Any], value: str) -> Iterator[str]:
    kind = str(definition.get("Type", ""))
    items = _items(value) if _LISTS.fullmatch(kind) else [value]
    allowed = definition.get("AllowedValues")
    if isinstance(allowed, list) and not {*items} <= {*map(_plain, allowed)}:
        yield f"Parameter '{name}' must be one of AllowedValues"
    pattern = definition.get("AllowedPattern")
    if isinstance(pattern, str) and not all(re.fullmatch(pattern, item) for item in items):
        yield f"Parameter '{name}' must match pattern {pattern}"
    if kind == "String":
        yield from _length_failures(name, definition, value)
    if kind in ("Number", "List<Number>"):
        for item in items:
            yield from _number_failures(name, definition, item)


def _length_failures(name: str, definition: Mapping[str, Any], value: str) -> Iterator[str]:
    if (least := definition.get("MinLength")) is not None and len(value) < int(least):
        yield f"Parameter '{name}' must contain at least {least} characters"
    if (most := definition.get("MaxLength")) is not None and len(value) > int(most):
        yield f"Parameter '{name}' must contain at most {most} characters"


def _number_failures(name: str, definition: Mapping[str, Any], value: str) -> Iterator[str]:
    try:
        number = float(value)
    except ValueError:
        yield f"Parameter '{name}' must be a number"
        return
    if (least := definition.get("MinValue")) is not None and number < float(least):
        yield f"Parameter '{name}' must be a number not less than {least}"
    if (most := definition.get("MaxValue")) is not None and number > float(most):
        yield f"Parameter '{name}' must be a number not greater than {most}"
