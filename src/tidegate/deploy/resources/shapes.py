"""CloudFormation's properties brought into the shape that an operation of the API takes, by botocore's service model: the
model is the truth about names and types, so nothing of it is retyped here.

CloudFormation lets "30" stand for 30 and true for "true"; SDKs do not. And it writes `RequestParameters` where the API of
API Gateway says `requestParameters`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tidegate.deploy.intrinsics import IntrinsicError, text
from tidegate.deploy.resources.base import ResourceError

_TRUTH: Final = {"true": True, "false": False}


def call(client: Any, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Call an operation (`CreateTable`) with parameters in CloudFormation's or the API's own spelling.

    Raises ResourceError for what does not fit, besides botocore's own errors.
    """
    arguments = arguments_of(client, operation, parameters)
    method = _snake_names(client)[operation]
    result: dict[str, Any] = getattr(client, method)(**arguments)
    return result


def arguments_of(client: Any, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as the operation takes them. Raises ResourceError: before an update by patches, which only look at what they
    know, the operation that would make the resource says what does not belong to it."""
    arguments: dict[str, Any] = conform(
        client.meta.service_model.operation_model(operation).input_shape, parameters, ""
    )
    return arguments


def conform(shape: Any, value: Any, place: str) -> Any:
    """The value as the shape wants it."""
    return _KINDS.get(shape.type_name, _as_is)(shape, value, place)


def _snake_names(client: Any) -> dict[str, str]:
    return {operation: method for method, operation in client.meta.method_to_api_mapping.items()}


def _structure(shape: Any, value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ResourceError(f"{place}: an object is expected")
    names = {name.lower(): name for name in shape.members}
    members = {}
    for key, member in value.items():
        name = names.get(key.lower())
        if name is None:
            raise ResourceError(f"Encountered unsupported property {_join(place, key)}")
        members[name] = conform(shape.members[name], member, _join(place, key))
    return members


def _list(shape: Any, value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise ResourceError(f"{place}: a list is expected")
    return [conform(shape.member, item, f"{place}[{index}]") for index, item in enumerate(value)]


def _map(shape: Any, value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ResourceError(f"{place}: an object is expected")
    return {str(key): conform(shape.value, member, _join(place, key)) for key, member in value.items()}


def _string(shape: Any, value: Any, place: str) -> str:
    try:
        return text(value)
    except IntrinsicError as error:
        raise ResourceError(f"{place}: {error}") from error


def _number(kind: Callable[[Any], Any]) -> Callable[[Any, Any, str], Any]:
    def convert(shape: Any, value: Any, place: str) -> Any:
        try:
            return kind(value)
        except (TypeError, ValueError) as error:
            raise ResourceError(f"{place}: a number is expected, not {value!r}") from error

    return convert


def _boolean(shape: Any, value: Any, place: str) -> bool:
    truth = value if isinstance(value, bool) else _TRUTH.get(str(value).lower())
    if truth is None:
        raise ResourceError(f"{place}: true or false is expected, not {value!r}")
    return truth


def _as_is(shape: Any, value: Any, place: str) -> Any:
    return value


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


_KINDS: Final[Mapping[str, Callable[[Any, Any, str], Any]]] = {
    "boolean": _boolean,
    "double": _number(float),
    "float": _number(float),
    "integer": _number(int),
    "list": _list,
    "long": _number(int),
    "map": _map,
    "string": _string,
    "structure": _structure,
}
