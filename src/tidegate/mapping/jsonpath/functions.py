"""The functions of Jayway's paths: `$.a.length()`, `$.sum($..price)`, …

A function gets the value before it and its parameters, already evaluated. What Jayway throws is Failed here: the reading then
gives nothing. One difference: `append()` gives a longer copy; Jayway changes the document itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from tidegate.mapping.json_text import java_number, json_text
from tidegate.mapping.jsonpath.errors import Failed, OutOfBounds

_SMALLEST = 5e-324  # Java's Double.MIN_VALUE, where Jayway's max() starts: the maximum of negative numbers

Function = Callable[[object, Sequence[object]], object]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _numbers(value: object, parameters: Sequence[object]) -> list[float]:
    """The numbers in a list and in the parameters, as doubles."""
    found: list[float] = []
    for source in (value, *(one if isinstance(one, list) else [one] for one in parameters)):
        if isinstance(source, list):
            found.extend(_double(one) for one in source if _is_number(one))
    if not found:
        raise Failed  # Jayway: "Aggregation function attempted to calculate value using empty array"
    return found


def _double(number: object) -> float:
    assert isinstance(number, (int, float, Decimal))
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _sum(value: object, parameters: Sequence[object]) -> object:
    total = 0.0
    for number in _numbers(value, parameters):
        total += number  # in order, without fsum's exactness: as Java adds
    return total


def _avg(value: object, parameters: Sequence[object]) -> object:
    total = _sum(value, parameters)
    assert isinstance(total, float)
    return total / len(_numbers(value, parameters))


def _min(value: object, parameters: Sequence[object]) -> object:
    return min(_numbers(value, parameters))


def _max(value: object, parameters: Sequence[object]) -> object:
    return max(_SMALLEST, *_numbers(value, parameters))


def _stddev(value: object, parameters: Sequence[object]) -> object:
    numbers = _numbers(value, parameters)
    total = squares = 0.0
    for number in numbers:
        total += number
        squares += number * number
    count = float(len(numbers))
    variance = squares / count - total * total / count / count
    return math.sqrt(variance) if variance >= 0 else math.nan


def _length(value: object, parameters: Sequence[object]) -> object:
    measured = parameters[0] if parameters else value
    return len(measured) if isinstance(measured, (list, Mapping)) else None


def _keys(value: object, parameters: Sequence[object]) -> object:
    return list(value) if isinstance(value, Mapping) else None


def _concat(value: object, parameters: Sequence[object]) -> object:
    out = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    for parameter in parameters:
        if isinstance(parameter, list):
            out.extend(_text(one) for one in parameter if one is not None)
        elif isinstance(parameter, str):
            out.append(parameter)
    return "".join(out)


def _text(value: object) -> str:
    """Java's toString() of a value of a document."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}={'null' if one is None else _text(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return json_text(value, escape_slash=True)
    assert isinstance(value, (int, float, Decimal))
    return java_number(value)


def _append(value: object, parameters: Sequence[object]) -> object:
    return [*value, *parameters] if isinstance(value, list) else value


def _sequence(place: Callable[[Sequence[object]], int]) -> Function:
    def function(value: object, parameters: Sequence[object]) -> object:
        if not isinstance(value, list):
            raise Failed
        index = place(parameters)
        if index < 0:
            index += len(value)
            if index <= 0:  # AWS: Jayway counts from the end, but never to the first
                raise Failed
        if index >= len(value):
            raise OutOfBounds
        return value[index]

    return function


def _index_parameter(parameters: Sequence[object]) -> int:
    numbers = [one for part in parameters for one in (part if isinstance(part, list) else [part]) if _is_number(one)]
    if not numbers or not math.isfinite(number := _double(numbers[0])):
        raise Failed
    return int(number)


FUNCTIONS: dict[str, Function] = {
    "length": _length,
    "size": _length,
    "min": _min,
    "max": _max,
    "avg": _avg,
    "sum": _sum,
    "stddev": _stddev,
    "keys": _keys,
    "concat": _concat,
    "append": _append,
    "first": _sequence(lambda parameters: 0),
    "last": _sequence(lambda parameters: -1),
    "index": _sequence(_index_parameter),
}
