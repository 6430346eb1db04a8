"""Finding a function by any of the names that the Lambda API takes: name, partial ARN, full ARN, with a qualifier or without."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.control.context import Context
from tidegate.core.arns import function_arn
from tidegate.core.errors import ControlError
from tidegate.definition.records import LATEST, Function, FunctionAlias, FunctionVersion

T = TypeVar("T")

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


def read_target(context: Context, params: Params) -> tuple[str, str | None]:
    """Name and qualifier that a call gives in its two parameters. Raises ControlError."""
    name, qualifier = read_name(params["function_name"], context.scope)
    given = params.get("qualifier")
    if given and qualifier and given != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return name, given or qualifier


def function_missing(context: Context, name: str, qualifier: str | None = None) -> ControlError:
    return not_found(
        f"Function not found: {function_arn(context.scope.region, context.scope.account, name, qualifier)}"
    )


def get_function_record(context: Context, params: Params) -> Function:
    """`$LATEST`, whose operations take no other qualifier."""
    name, qualifier = read_target(context, params)
    function = context.tx.get(Function, name)
    if function is None or qualifier not in (None, LATEST):
        raise function_missing(context, name, qualifier)
    return function


def get_invocable(context: Context, params: Params) -> Function | FunctionVersion | FunctionAlias:
    """Whatever the qualifier names: the record that its policy and its settings for events are part of."""
    name, qualifier = read_target(context, params)
    found: Function | FunctionVersion | FunctionAlias | None
    if qualifier in (None, LATEST):
        found = context.tx.get(Function, name)
    elif qualifier.isdecimal():
        found = context.tx.get(FunctionVersion, name, qualifier)
    else:
        found = context.tx.get(FunctionAlias, name, qualifier)
    if found is None:
        raise function_missing(context, name, qualifier)
    return found


def get_configured(context: Context, params: Params) -> Function | FunctionVersion:
    """The code and configuration that a qualifier leads to: an alias is followed to its version."""
    found = get_invocable(context, params)
    if isinstance(found, FunctionAlias):
        return get_version(context, found.function_name, found.function_version)
    return found


def get_version(context: Context, name: str, version: str) -> Function | FunctionVersion:
    if version == LATEST:
        found: Function | FunctionVersion | None = context.tx.get(Function, name)
    else:
        found = context.tx.get(FunctionVersion, name, version)
    if found is None:
        raise function_missing(context, name, version)
    return found


def conflict(message: str) -> ControlError:
    return ControlError("ResourceConflictException", message, 409, extra={"Type": "User"})


def check_revision(current: str, params: Params, api: str) -> None:
    """`api`: the call that tells the right one."""
    if params.get("revision_id") not in (None, "", current):
        raise ControlError(
            "PreconditionFailedException",
            f"The Revision Id provided does not match the latest Revision Id. Call the {api} API to retrieve the latest "
            "Revision Id",
            412,
            extra={"Type": "User"},
        )


def page(items: list[T], params: Params, key: Callable[[T], str], most: int = 50) -> tuple[list[T], str | None]:
    """Items in their order from behind the marker on, and the next marker. `key`: what a marker names an item by."""
    marker, size = params.get("marker"), min(params.get("max_items") or most, most)
    keys = [key(item) for item in items]
    if marker and marker not in keys:
        raise invalid(f"Invalid Marker: {marker}")
    start = keys.index(marker) + 1 if marker else 0
    end = start + size
    return items[start:end], keys[end - 1] if end < len(items) else None


def timestamp(context: Context) -> str:
    return context.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"


def package_location(context: Context, code_sha256: str) -> str:
    """Where the zip can be fetched."""
    return f"{context.base_url}/_tidegate/packages/{code_sha256.replace('/', '_').replace('+', '-')}"
