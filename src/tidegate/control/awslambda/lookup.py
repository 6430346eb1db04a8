"""Finding a function by any of the names that the Lambda API takes: name, partial ARN, full ARN, with a qualifier or without."""

from __future__ import annotations

import re

from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.control.context import Context
from tidegate.core.arns import function_arn
from tidegate.core.errors import ControlError
from tidegate.definition.records import Function

_NAME = re.compile(
    r"(?:arn:aws[\w-]*:lambda:(?P<region>[\w-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]{1,64})(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


def invalid(message: str) -> ControlError:
    return ControlError("InvalidParameterValueException", message, extra={"Type": "User"})


def not_found(message: str) -> ControlError:
    return ControlError("ResourceNotFoundException", message, 404, extra={"Type": "User"})


def read_name(text: str, scope: Scope | None = None) -> tuple[str, str | None]:
    """Name and qualifier. With a scope, an ARN of another account or region is nobody's. Raises ControlError."""
    found = _NAME.fullmatch(text)
    if found is not None and scope is not None:
        elsewhere = found["region"] not in (None, scope.region) or found["account"] not in (None, scope.account)
        if elsewhere:
            raise not_found(f"Function not found: {text}")
    if found is None:
        raise ControlError(
            "ValidationException",
            f"1 validation error detected: Value '{text}' at 'functionName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-"
            "\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
        )
    return found["name"], found["qualifier"]


def resolve_arn(scope: Scope, params: Params) -> str:
    """The full ARN that a call names, with its qualifier if there is one."""
    name, qualifier = read_name(params["function_name"], scope)
    return function_arn(scope.region, scope.account, name, params.get("qualifier") or qualifier)


def get_function_record(context: Context, params: Params) -> Function:
    name, qualifier = read_name(params["function_name"], context.scope)
    qualifier = params.get("qualifier") or qualifier
    function = context.tx.get(Function, name)
    if function is None or qualifier not in (None, "$LATEST"):
        raise not_found(f"Function not found: {resolve_arn(context.scope, params)}")
    return function
