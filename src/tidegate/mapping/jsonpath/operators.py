"""The operators of Jayway's filters, on values as they stand in a document (or UNDEFINED where a path leads nowhere).

Jayway's rules, not JavaScript's: a number equals a string that spells it, nothing equals UNDEFINED (so `!=` holds), `=~` must
match the whole text. An operand of the wrong kind makes some operators false and others fail; both as Jayway does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeGuard

from tidegate.mapping.json_text import java_number
from tidegate.mapping.jsonpath.errors import Failed, NotFound
from tidegate.mapping.jsonpath.patterns import Matcher


class _Undefined:
    """What a path that leads nowhere gives in a comparison."""


UNDEFINED = _Undefined()

_Number = (int, float, Decimal)


def is_number(value: object) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, _Number) and not isinstance(value, bool)


def _exact(value: object) -> int | Decimal:
    """A number as BigDecimal sees it: a double by the digits that it is printed with."""
    if isinstance(value, float):
        try:
            number = Decimal(repr(value))
        except InvalidOperation as error:
            raise Failed from error
        if not number.is_finite():
            raise Failed
        return number
    assert isinstance(value, (int, Decimal))
    return value


def number_text(value: object) -> str:
    """BigDecimal.toString() of a number."""
    exact = _exact(value)
    return java_number(Decimal(java_number(value))) if isinstance(value, float) else java_number(exact)


def _parsed(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and "_" not in text and text.strip() == text else None


def equal(left: object, right: object) -> bool:
    """`==`."""
    if isinstance(left, (list, Mapping)) and isinstance(right, (list, Mapping)):
        return _deep_equal(left, right)
    if isinstance(left, str):
        if isinstance(right, str):
            return left == right
        return is_number(right) and left == number_text(right)
    if is_number(left):
        if isinstance(right, str):
            parsed = _parsed(right)
            return parsed is not None and _exact(left) == parsed
        return is_number(right) and _exact(left) == _exact(right)
    if isinstance(left, bool):
        return left is right
    return left is None and right is None


def _deep_equal(left: object, right: object) -> bool:
    """Java's equals() of maps and lists: 1 and 1.0 are different, and so are 1.0 and a BigDecimal."""
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            if one.keys() != other.keys():
                return False
            pairs.extend((one[key], other[key]) for key in one)
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pairs.extend(zip(one, other, strict=True))
        elif type(one) is not type(other) or not _same_scalar(one, other):
            return False
    return True


def _same_scalar(one: object, other: object) -> bool:
    if isinstance(one, Decimal) and isinstance(other, Decimal):
        return one.compare_total(other) == 0
    return one == other


def _same_kind(left: object, right: object) -> bool:
    return _kind(left) == _kind(right)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    return "json" if isinstance(value, (list, Mapping)) else type(value).__name__


def _type_safe_equal(left: object, right: object) -> bool:
    return _same_kind(left, right) and equal(left, right)


def utf16(text: str) -> bytes:
    """Java compares and counts UTF-16 units."""
    return text.encode("utf-16-be", "surrogatepass")


def compared(left: object, right: object) -> int | None:
    """-1, 0 or 1; None when the two cannot be compared."""
    if is_number(left) and is_number(right):
        one, other = _exact(left), _exact(right)
        return (one > other) - (one < other)
    if not isinstance(left, str) or not isinstance(right, str):
        return None
    first, second = utf16(left), utf16(right)
    return (first > second) - (first < second)


def _below(left: object, right: object) -> bool:
    return compared(left, right) == -1


def _at_most(left: object, right: object) -> bool:
    return compared(left, right) in (-1, 0)


def _above(left: object, right: object) -> bool:
    return compared(left, right) == 1


def _at_least(left: object, right: object) -> bool:
    return compared(left, right) in (0, 1)


def _member(value: object, members: list[object]) -> bool:
    """List.contains() of Jayway's nodes: `==` with each member; objects and lists are no members of anything."""
    for member in members:
        if isinstance(member, (list, Mapping)):
            raise Failed  # Jayway: "Could not determine value type"
    return any(equal(value, _element(member)) for member in members)


def _element(member: object) -> object:
    """Jayway takes the quotes off a member that is a quoted string."""
    if isinstance(member, str) and len(member) > 1 and member[0] == member[-1] and member[0] in "'\"":
        return member[1:-1]
    return member


def _members(value: object) -> list[object]:
    """The members of a list operand; anything else than JSON makes the whole comparison no."""
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        raise _NoList
    raise NotFound


class _NoList(Exception):
    """An object where a list is asked for."""


def _of_lists(decide: Callable[[list[object], list[object]], bool]) -> Callable[[object, object], bool]:
    def operator(left: object, right: object) -> bool:
        try:
            second = _members(right)
            return decide(_members(left), second)
        except _NoList:
            return False

    return operator


def _in(left: object, right: object) -> bool:
    try:
        return _member(left, _members(right))
    except _NoList:
        return False


def _not_in(left: object, right: object) -> bool:
    return not _in(left, right)


def _contains(left: object, right: object) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return right in left
    return isinstance(left, list) and _member(right, left)


def _size(left: object, right: object) -> bool:
    if not is_number(right):
        return False
    expected = _exact(right)
    size = int(expected) if -(2**31) < expected < 2**31 else -2
    if isinstance(left, str):
        return len(utf16(left)) // 2 == size
    if isinstance(left, list):
        return len(left) == size
    return isinstance(left, Mapping) and size == -1


def _empty(left: object, right: object) -> bool:
    if not isinstance(left, (str, list, Mapping)):
        return False
    if not isinstance(right, bool):
        raise NotFound
    return (not left) is right


def regex_inputs(left: object, right: object) -> tuple[Matcher, list[str]] | None:
    """The operands of `=~`: a pattern (on either side), and the texts of which one must match it."""
    if isinstance(left, Matcher) == isinstance(right, Matcher):
        return None
    pattern, value = (left, right) if isinstance(left, Matcher) else (right, left)
    assert isinstance(pattern, Matcher)
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) and any(isinstance(member, (list, Mapping)) for member in value):
        raise Failed
    return pattern, [_regex_input(_element(one) if isinstance(value, list) else one) for one in values]


def _regex_input(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if is_number(value) else ""


def _never(left: object, right: object) -> bool:
    """Operators that need an operand which only Java code can give: a class, a predicate, a list of nodes."""
    raise NotFound


def _exists(left: object, right: object) -> bool:
    if not isinstance(left, bool) and not isinstance(right, bool):
        raise Failed
    if not isinstance(left, bool) or not isinstance(right, bool):
        raise NotFound
    return left is right


OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "===": _type_safe_equal,
    "!==": lambda left, right: not _type_safe_equal(left, right),
    "<": _below,
    "<=": _at_most,
    ">": _above,
    ">=": _at_least,
    "IN": _in,
    "NIN": _not_in,
    "SUBSETOF": _of_lists(lambda left, right: all(_member(one, right) for one in left)),
    "ANYOF": _of_lists(lambda left, right: any(_member(one, right) for one in left)),
    "NONEOF": _of_lists(lambda left, right: not any(_member(one, right) for one in left)),
    "CONTAINS": _contains,
    "SIZE": _size,
    "EMPTY": _empty,
    "ALL": _never,
    "TYPE": _never,
    "MATCHES": _never,
    "EXISTS": _exists,
}

REGEX = "=~"  # needs the budget of the reading, so it is applied by `filters`
NAMES = frozenset((*OPERATORS, REGEX))
