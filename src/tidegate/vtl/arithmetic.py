"""Operators: Java's numbers, as Velocity 1.7 calculates with them.

Integers of any size are one type here: Velocity itself goes on from int to long to BigInteger when a result needs it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tidegate.vtl.budget import Meter
from tidegate.vtl.errors import BudgetExceeded
from tidegate.vtl.values import Defined, Host, JavaArray, text_of

LARGEST_NUMBER = 1 << 4096


def is_number(value: object) -> bool:
    return value.__class__ is int or value.__class__ is float


def add(meter: Meter, left: Any, right: Any, left_null: str, right_null: str) -> object:
    """`+`: the sum of numbers; a concatenation when one is a string, null being what it prints as; null otherwise."""
    if left.__class__ is str or right.__class__ is str:
        first = left_null if left is None else text_of(left)
        second = right_null if right is None else text_of(right)
        meter.size(len(first) + len(second))
        return meter.kept(first + second)
    return calculate("+", left, right)


def add_all(meter: Meter, operators: str, operands: tuple[Any, ...], nulls: tuple[str, ...]) -> object:
    """A chain of `+` and `-`, from left to right."""
    result, null = operands[0], nulls[0]
    for operator, operand, operand_null in zip(operators, operands[1:], nulls[1:], strict=True):
        plus = operator == "+"
        result = add(meter, result, operand, null, operand_null) if plus else calculate("-", result, operand)
        null = ""
    return result


def calculate_all(operators: str, operands: tuple[Any, ...]) -> object:
    """A chain of `*`, `/` and `%`, from left to right."""
    result = operands[0]
    for operator, operand in zip(operators, operands[1:], strict=True):
        result = calculate(operator, result, operand)
    return result


def calculate(operator: str, left: Any, right: Any) -> object:
    """The result of an operator on numbers, null for anything else and for a division by zero."""
    if not is_number(left) or not is_number(right):
        return None
    try:
        result = _CALCULATIONS[operator](left, right)
    except (ZeroDivisionError, ValueError):
        return None
    except OverflowError:
        return math.inf
    if result.__class__ is int and not -LARGEST_NUMBER < result < LARGEST_NUMBER:
        raise BudgetExceeded("a number of more than 4096 bits")
    return result


def _divide(left: Any, right: Any) -> int | float:
    if left.__class__ is float or right.__class__ is float:
        return float(left) / float(right)
    quotient = abs(left) // abs(right)
    return int(quotient if (left < 0) == (right < 0) else -quotient)


def _remainder(left: Any, right: Any) -> int | float:
    if left.__class__ is float or right.__class__ is float:
        return math.fmod(left, right)
    rest = abs(left) % abs(right)
    return int(-rest if left < 0 else rest)


_CALCULATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "%": _remainder,
}

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def compare(operator: str, left: Any, right: Any) -> bool:
    """`<`, `<=`, `>`, `>=`: of numbers; false for anything else."""
    return is_number(left) and is_number(right) and _COMPARISONS[operator](left, right)


def truth(value: Any) -> bool:
    """Whether a reference's value counts as true: all but null and false do."""
    return value is not None and value is not False


def equal(meter: Meter, left: Any, right: Any) -> bool:
    """`==` of values that are not null: numbers by value, the same types by equals, others by what they print."""
    if is_number(left) and is_number(right):
        return bool(left == right)
    if left.__class__ is right.__class__ or (isinstance(left, list) and isinstance(right, list)):
        if isinstance(left, list | dict):
            charge_all(meter, left)
        return same(left, right)
    if isinstance(left, list | dict | Defined) or isinstance(right, list | dict | Defined):
        meter.charge(100)
    first, second = text_of(left), text_of(right)
    meter.charge((len(first) + len(second)) >> 3)
    return first == second


def charge_all(meter: Meter, value: Any) -> None:
    """Charge a list or a map with all that is in it, as often as it is in it."""
    waiting = [value]
    while waiting:
        container = waiting.pop()
        meter.charge(2 + len(container))
        items = container.values() if isinstance(container, dict) else container
        waiting += [item for item in items if isinstance(item, list | dict)]


def same(left: Any, right: Any) -> bool:
    """Java's `equals`: 1 is not 1.0, true is not 1; lists and maps by their contents."""
    if left is right:
        return True
    if isinstance(left, JavaArray) or isinstance(right, JavaArray):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return len(left) == len(right) and all(key in right and same(left[key], right[key]) for key in left)
    if isinstance(left, Host):
        return left.__class__ is right.__class__ and left.text() == right.text()
    return left.__class__ is right.__class__ and left == right
