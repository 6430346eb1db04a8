"""Which function a method call means: by the class of the object, the name, and the number of arguments.

These tables, and those of Host, are the only way from a template to a function. A call that means none is null.
Kinds of arguments: `i` an int; `s` a string; `n` a string or null; `o` anything. A call with another kind means no method;
a null where Java needs a string is a NullPointerException, as in Java.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from tidegate.vtl import java_collections, java_strings
from tidegate.vtl.arithmetic import same
from tidegate.vtl.dialect import Dialect
from tidegate.vtl.errors import TemplateError
from tidegate.vtl.values import Host, JavaArray, JavaClass, JavaCollection, JsonArray, text_of

Function = Callable[..., Any]
Table = dict[tuple[str, int], tuple[Function, str]]

METERED = frozenset("add addAll put putAll putIfAbsent set appendElement".split())
"""Make a list or a map larger."""
POURING = frozenset("addAll putAll parseJson startsWith endsWith".split())
"""Make or compare as much as their argument holds: charged before, as what doubles a few dozen times fills any memory."""
SEARCHING = frozenset(
    "contains containsAll containsValue indexOf lastIndexOf equals remove removeAll retainAll".split()
)
"""Compare what is in a list or a map, to the bottom of it."""
CROSSING = frozenset({"containsAll", "removeAll", "retainAll"})
"""Look for each element of their argument."""
WEIGHED = frozenset(
    "hashCode toString iterator toArray toCharArray "
    "keySet values entrySet subList matches replaceAll replaceFirst split equalsIgnoreCase compareTo toJSONString length "
    "substring charAt".split()
)
"""Take time in proportion to the size of the object."""
LIGHT = frozenset(
    "get getOrDefault size isEmpty containsKey getKey getValue hasNext next getName startsWith endsWith".split()
)
"""Give nothing that was not there before."""


def _int(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _narrowed(value: Any, bits: int) -> int:
    """A number as Number.intValue and longValue give it: integers wrap, doubles stop at the ends of the range."""
    if value.__class__ is int:
        return _int(value, bits)
    if value != value:
        return 0
    bound = 1 << (bits - 1)
    return int(min(max(value, -bound), bound - 1))


def _parsed(text: str, bits: int) -> int:
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 30 or _int(int(text), bits) != int(text):
        raise TemplateError(f'For input string: "{text[:80]}" (java.lang.NumberFormatException)')
    return int(text)


def _parsed_float(text: str) -> float:
    try:
        return float(text.strip())
    except ValueError:
        raise TemplateError(f'For input string: "{text[:80]}" (java.lang.NumberFormatException)') from None


def _compared(left: Any, right: Any) -> int | None:
    if right is None:
        raise TemplateError("null is no number (java.lang.NullPointerException)")
    if java_class(left) != java_class(right):
        return None
    return int(left > right) - int(left < right)


def _value_of(number: Any, value: Any) -> object:
    if isinstance(value, str):
        return _parsed(value, 64 if number.bit_length() > 31 else 32)
    return value if value.__class__ is int else None


NUMBER: Table = {
    ("intValue", 0): (lambda number: _narrowed(number, 32), ""),
    ("longValue", 0): (lambda number: _narrowed(number, 64), ""),
    ("doubleValue", 0): (float, ""),
    ("compareTo", 1): (_compared, "o"),
}
INTEGER: Table = NUMBER | {
    ("parseInt", 1): (lambda number, text: _parsed(text, 32), "s"),
    ("parseLong", 1): (lambda number, text: _parsed(text, 64), "s"),
    ("valueOf", 1): (_value_of, "o"),
    ("hashCode", 0): (lambda number: _int(number ^ (number >> 32) if number.bit_length() > 31 else number, 32), ""),
    ("toString", 1): (lambda number, value: str(value), "i"),
    ("max", 2): (lambda number, one, other: max(one, other), "ii"),
    ("min", 2): (lambda number, one, other: min(one, other), "ii"),
}
DOUBLE: Table = NUMBER | {
    ("parseDouble", 1): (lambda number, text: _parsed_float(text), "s"),
    ("isNaN", 0): (lambda number: number != number, ""),
    ("isInfinite", 0): (lambda number: number in (float("inf"), float("-inf")), ""),
}
BOOLEAN: Table = {
    ("booleanValue", 0): (lambda value: value, ""),
    ("parseBoolean", 1): (lambda value, text: text is not None and text.lower() == "true", "n"),
    ("compareTo", 1): (_compared, "o"),
    ("hashCode", 0): (lambda value: 1231 if value else 1237, ""),
}
EVERYTHING: Table = {
    ("toString", 0): (text_of, ""),
    ("equals", 1): (same, "o"),
    ("getClass", 0): (lambda value: JavaClass(java_class(value)), ""),
}
COUNTED: Table = {("count", 0): (len, "")}
"""AWS's documentation counts a list so. Source: facts §9."""

BY_CLASS: dict[type, Table] = {
    str: java_strings.METHODS,
    int: INTEGER,
    float: DOUBLE,
    bool: BOOLEAN,
    **java_collections.BY_CLASS,
}
CLASS_NAMES = {
    str: "java.lang.String",
    float: "java.lang.Double",
    bool: "java.lang.Boolean",
    list: "java.util.ArrayList",
    JsonArray: "net.minidev.json.JSONArray",
    JavaArray: "[Ljava.lang.String;",
    JavaCollection: "java.util.LinkedHashMap$LinkedKeySet",
    dict: "java.util.LinkedHashMap",
}


def java_class(value: object) -> str:
    """The name of a value's class in Java."""
    if isinstance(value, Host):
        return value.JAVA_CLASS
    if value.__class__ is int:
        bits = (value if value >= 0 else ~value).bit_length()
        return "java.lang.Integer" if bits < 32 else "java.lang.Long" if bits < 64 else "java.math.BigInteger"
    return CLASS_NAMES.get(_base(value.__class__), "java.lang.Object")


def _base(of: type) -> type:
    """The class of the tables that a class belongs to: subclasses of dict and list may be handed in."""
    return next((each for each in of.__mro__ if each in BY_CLASS), of)


class Site:
    """One method call in a template. Remembers, by class, which function it means there."""

    __slots__ = ("_arity", "_dialect", "_name", "known")

    def __init__(self, name: str, arity: int, dialect: Dialect) -> None:
        self._name = name
        self._arity = arity
        self._dialect = dialect
        self.known: dict[type, Function] = {}

    def resolve(self, target: object) -> Function:
        """The function of the target and the arguments; one that gives null when the method is not there."""
        of = target.__class__
        function = self._of_host(target) if isinstance(target, Host) else self._of_value(_base(of))
        self.known[of] = function
        return function

    def _of_value(self, of: type) -> Function:
        table = BY_CLASS.get(of)
        if table is None:
            return _no_method
        key = self._name, self._arity
        found = table.get(key) or EVERYTHING.get(key)
        if found is None and self._dialect.lists_can_count and issubclass(of, list):
            found = COUNTED.get(key)
        return _checked(*found) if found else _no_method

    def _of_host(self, target: Host) -> Function:
        method = target.METHODS.get(self._name)
        if method is not None and _takes(method, self._arity + 1):
            return method
        if found := EVERYTHING.get((self._name, self._arity)):
            return _checked(*found)
        return _no_method


def _no_method(*_: object) -> None:
    return None


def _takes(function: Function, count: int) -> bool:
    try:
        inspect.signature(function).bind(*range(count))
    except TypeError:
        return False
    return True


def _checked(function: Function, kinds: str) -> Function:
    """The function with a check of its arguments' kinds before it."""
    if not kinds.strip("o"):
        return function
    if kinds == "s":

        def call_with_string(target: Any, argument: Any) -> Any:
            if argument.__class__ is str:
                return function(target, argument)
            return _null_pointer() if argument is None else None

        return call_with_string

    def call(target: Any, *arguments: Any) -> Any:
        for argument, kind in zip(arguments, kinds, strict=True):
            if kind == "i" and argument.__class__ is not int:
                return None
            if kind in "sn" and argument.__class__ is not str:
                if argument is not None:
                    return None
                if kind == "s":
                    _null_pointer()
        return function(target, *arguments)

    return call


def _null_pointer() -> None:
    raise TemplateError("an argument is null (java.lang.NullPointerException)")
