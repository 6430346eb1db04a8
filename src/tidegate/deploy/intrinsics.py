"""CloudFormation's intrinsic functions, evaluated. Pure: what names stand for is asked of a `Scope`.

A value that is known only once a resource exists is `UNKNOWN`, and so is everything computed from it: the same evaluator
checks a template before anything is created and computes the values while it is applied.

Not here: parameters and their checks (`parameters`), the order of resources (`graph`).
AWS: CloudFormation User Guide, "Intrinsic function reference", "Pseudo parameters reference".
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol


class _Marker:
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


UNKNOWN: Final = _Marker("UNKNOWN")
NO_VALUE: Final = _Marker("AWS::NoValue")
_SUB = re.compile(r"\$\{(!?)([^}]*)\}")


class IntrinsicError(Exception):
    """A function cannot be evaluated; the text is CloudFormation's where that is known."""


class Resources(Protocol):
    """What the resources of a stack are called once they exist."""

    def __contains__(self, logical_id: object) -> bool: ...

    def ref(self, logical_id: str) -> Any: ...

    def attribute(self, logical_id: str, name: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean."""

    parameters: Mapping[str, Any]
    """Pseudo parameters too."""
    mappings: Mapping[str, Any]
    conditions: Mapping[str, bool]
    resources: Resources
    exports: Mapping[str, str]
    """`Fn::ImportValue`: what other stacks export."""


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """A name that a value uses; `attribute` is None for Ref."""

    name: str
    attribute: str | None = None


def evaluate(value: Any, scope: Scope) -> Any:
    """The value with every function replaced by what it gives, and without the members that are AWS::NoValue."""
    if isinstance(value, dict):
        if function := function_of(value):
            return _call(function, value[function], scope)
        members = {key: evaluate(member, scope) for key, member in value.items()}
        return {key: member for key, member in members.items() if member is not NO_VALUE}
    if isinstance(value, list):
        return [item for item in (evaluate(item, scope) for item in value) if item is not NO_VALUE]
    return value


def function_of(value: Any) -> str | None:
    """The function's name when the value is a call: an object with that one member."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    (name,) = value
    return name if name == "Ref" or name.startswith("Fn::") else None


def references(value: Any, conditions: Mapping[str, bool]) -> Iterator[Reference]:
    """Every name that Ref, Fn::GetAtt and Fn::Sub use, in the branches that the conditions choose."""
    if isinstance(value, list):
        for item in value:
            yield from references(item, conditions)
    if not isinstance(value, dict):
        return
    function = function_of(value)
    argument = value[function] if function else None
    if function == "Ref" and isinstance(argument, str):
        yield Reference(argument)
    elif function == "Fn::GetAtt":
        yield from _attribute_reference(argument)
    elif function == "Fn::Sub":
        yield from _sub_references(argument, conditions)
    elif function == "Fn::If" and isinstance(argument, list) and len(argument) == 3:
        yield from references(argument[1 if conditions.get(str(argument[0])) else 2], conditions)
    else:
        for member in value.values():
            yield from references(member, conditions)


def settled_text(value: Any) -> str:
    """Text that is looked into before the stack is made: a dynamic reference, which is looked up later, cannot be."""
    if "{{resolve:" in (written := text(value)):
        raise IntrinsicError(f"{written} is looked up when the stack is made; a function cannot look into it before")
    return written


def text(value: Any) -> str:
    """A scalar as CloudFormation writes it into text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise IntrinsicError(f"text is expected, not {type(value).__name__}")


def condition(value: Any, scope: Scope) -> bool:
    """A condition's truth: Fn::Equals, And, Or, Not, or the name of another condition."""
    if isinstance(value, dict) and len(value) == 1:
        ((name, argument),) = value.items()
        if name == "Condition":
            return _named_condition(argument, scope)
        if name in _CONDITIONS:
            return _CONDITIONS[name](argument, scope)
    raise IntrinsicError(
        "Template format error: Every Conditions member must be one of Fn::And, Fn::Or, Fn::Not, Fn::Equals, Condition"
    )


def _attribute_reference(argument: Any) -> Iterator[Reference]:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if isinstance(parts, list) and len(parts) == 2 and all(isinstance(part, str) for part in parts):
        yield Reference(parts[0], parts[1])


def _sub_references(argument: Any, conditions: Mapping[str, bool]) -> Iterator[Reference]:
    template, variables = _sub_parts(argument)
    for escaped, name in _SUB.findall(template):
        name = name.strip()
        if not escaped and name not in variables:
            logical_id, _, attribute = name.partition(".")
            yield Reference(logical_id, attribute or None)
    yield from references(variables, conditions)


def _call(function: str, argument: Any, scope: Scope) -> Any:
    implementation = _FUNCTIONS.get(function)
    if implementation is None:
        raise IntrinsicError(f"the function {function} is not supported")
    return implementation(argument, scope)


def _ref(argument: Any, scope: Scope) -> Any:
    if argument == "AWS::NoValue":
        return NO_VALUE
    if not isinstance(argument, str):
        raise IntrinsicError("Template error: every Ref object must have a single String value.")
    if argument in scope.parameters:
        return scope.parameters[argument]
    if argument in scope.resources:
        return scope.resources.ref(argument)
    raise IntrinsicError(f"Template format error: Unresolved resource dependencies [{argument}]")


def _get_att(argument: Any, scope: Scope) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != 2:
        raise IntrinsicError(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the "
            "resource attribute"
        )
    logical_id, attribute = parts[0], evaluate(parts[1], scope)
    if attribute is UNKNOWN:
        return UNKNOWN
    if logical_id not in scope.resources:
        raise IntrinsicError(f"Template error: instance of Fn::GetAtt references undefined resource {logical_id}")
    return scope.resources.attribute(logical_id, text(attribute))


def _sub_parts(argument: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(argument, str):
        return argument, {}
    if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str):
        return argument[0], argument[1] if isinstance(argument[1], dict) else {}
    raise IntrinsicError(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as "
        "first argument, and an optional second argument to specify a mapping of values to replace in the string"
    )


def _sub(argument: Any, scope: Scope) -> Any:
    template, given = _sub_parts(argument)
    variables = {name: evaluate(value, scope) for name, value in given.items()}
    unknown = False

    def replace(match: re.Match[str]) -> str:
        nonlocal unknown
        escaped, name = match[1], match[2].strip()
        if escaped:
            return "${" + match[2] + "}"
        value = variables[name] if name in variables else _named(name, scope)
        if value is UNKNOWN:
            unknown = True
            return ""
        return text(value)

    result = _SUB.sub(replace, template)
    return UNKNOWN if unknown else result


def _named(name: str, scope: Scope) -> Any:
    if "." in name and name not in scope.parameters:
        return _get_att(name, scope)
    return _ref(name, scope)


def _join(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 2:
        raise IntrinsicError(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of "
            "strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        )
    delimiter, items = evaluate(argument[0], scope), evaluate(argument[1], scope)
    if items is UNKNOWN or delimiter is UNKNOWN or (isinstance(items, list) and UNKNOWN in items):
        return UNKNOWN
    if not isinstance(items, list):
        raise IntrinsicError("Template error: the second argument of Fn::Join must be a list")
    return text(delimiter).join(map(text, items))


def _if(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 3 or not isinstance(argument[0], str):
        raise IntrinsicError("Template error: Fn::If requires a list argument with three elements")
    if argument[0] not in scope.conditions:
        raise IntrinsicError(f"Template error: unresolved condition dependency {argument[0]} in Fn::If")
    return evaluate(argument[1 if scope.conditions[argument[0]] else 2], scope)


def _select(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 2:
        raise IntrinsicError("Template error: Fn::Select requires a list argument with two elements")
    index, items = evaluate(argument[0], scope), evaluate(argument[1], scope)
    if index is UNKNOWN or items is UNKNOWN:
        return UNKNOWN
    if not isinstance(items, list) or not text(index).isdecimal():
        raise IntrinsicError("Template error: Fn::Select requires an integer index and a list")
    if int(index) >= len(items):
        raise IntrinsicError(f"Template error: Fn::Select cannot select nonexistent value at index {int(index)}")
    return items[int(index)]


def _split(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str) or not argument[0]:
        raise IntrinsicError(
            "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string "
            "to be split or a function that returns a string to be split."
        )
    source = evaluate(argument[1], scope)
    return UNKNOWN if source is UNKNOWN else settled_text(source).split(argument[0])


def _find_in_map(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 3:
        raise IntrinsicError(
            "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the "
            "attribute for return value"
        )
    keys = [evaluate(item, scope) for item in argument]
    if UNKNOWN in keys:
        return UNKNOWN
    name, first, second = map(settled_text, keys)
    if name not in scope.mappings:
        raise IntrinsicError(f"Template error: Mapping named '{name}' is not present in the 'Mappings' section.")
    try:
        return scope.mappings[name][first][second]
    except (KeyError, TypeError) as error:
        raise IntrinsicError(f"Template error: Unable to get mapping for {name}::{first}::{second}") from error


def _base64(argument: Any, scope: Scope) -> Any:
    value = evaluate(argument, scope)
    return UNKNOWN if value is UNKNOWN else base64.b64encode(settled_text(value).encode()).decode()


def _import_value(argument: Any, scope: Scope) -> Any:
    name = evaluate(argument, scope)
    if name is UNKNOWN:
        raise IntrinsicError("Fn::ImportValue cannot depend on a resource")
    if text(name) not in scope.exports:
        raise IntrinsicError(f"No export named {text(name)} found.")
    return scope.exports[text(name)]


def _get_azs(argument: Any, scope: Scope) -> Any:
    region = evaluate(argument, scope) or scope.parameters["AWS::Region"]
    return [f"{text(region)}{zone}" for zone in "abc"]


def _equals(argument: Any, scope: Scope) -> bool:
    if not isinstance(argument, list) or len(argument) != 2:
        raise IntrinsicError("Template error: every Fn::Equals object requires a list of 2 string parameters.")
    left, right = (evaluate(item, scope) for item in argument)
    if isinstance(left, list) or isinstance(right, list):
        return bool(left == right)
    return settled_text(left) == settled_text(right)


def _all(argument: Any, scope: Scope) -> bool:
    return all(condition(item, scope) for item in _two_to_ten("Fn::And", argument))


def _any(argument: Any, scope: Scope) -> bool:
    return any(condition(item, scope) for item in _two_to_ten("Fn::Or", argument))


def _two_to_ten(function: str, argument: Any) -> list[Any]:
    if not isinstance(argument, list) or not 2 <= len(argument) <= 10:
        raise IntrinsicError(
            f"Template error: every {function} object requires a list of at least 2 and at most 10 boolean parameters."
        )
    return argument


def _not(argument: Any, scope: Scope) -> bool:
    if not isinstance(argument, list) or len(argument) != 1:
        raise IntrinsicError("Template error: every Fn::Not object requires one boolean parameter.")
    return not condition(argument[0], scope)


def _named_condition(argument: Any, scope: Scope) -> bool:
    if argument not in scope.conditions:
        raise IntrinsicError(f"Template format error: Unresolved condition dependency {argument}")
    return scope.conditions[argument]


_FUNCTIONS: Final[Mapping[str, Callable[[Any, Scope], Any]]] = {
    "Ref": _ref,
    "Fn::Base64": _base64,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _get_azs,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
_CONDITIONS: Final[Mapping[str, Callable[[Any, Scope], bool]]] = {
    "Fn::And": _all,
    "Fn::Equals": _equals,
    "Fn::Not": _not,
    "Fn::Or": _any,
}
