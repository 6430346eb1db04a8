"""What a template handles: which Python value stands for which Java value, and how each is printed.

| Python | Java | prints |
| --- | --- | --- |
| None | null | by the reference: nothing, or what is written in the template |
| bool, int, float, str | Boolean; Integer, Long, BigInteger; Double; String | `true`, `1`, `1.0E10`, as it is |
| dict | LinkedHashMap | `{a=b}` |
| list | ArrayList | `[a, b]` |
| JsonArray | json-smart's JSONArray | `["a","b"]` |
| JavaArray | an array, of String.split | `[Ljava.lang.String;@…` |
| JavaCollection | the views of a map's keys, values and entries | `[a, b]` |
| Host | an object handed in, or made by a method | its `text()` |

No other value can get into a template, and nothing of a value can be reached but by the tables in the `java_*` modules and
in the subclasses of Host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from tidegate.vtl.errors import BudgetExceeded, TemplateError

LARGEST_TEXT = 10_485_760
"""Characters of any one text."""
DEEPEST_VALUE = 200


class JsonArray(list[Any]):
    """An array out of JSON: prints as JSON."""

    __slots__ = ()


class JavaArray(list[Any]):
    """A Java array: has a fixed length, and does not print its elements."""

    __slots__ = ()


class JavaCollection(list[Any]):
    """A view of a map, which is no list in Java: no element can be asked for by its index.

    `of` is the map, `view` makes the elements of it. They are those of the map as it is when `live` is called.
    """

    __slots__ = ("_view", "of")

    def __init__(self, of: dict[Any, Any], view: Callable[[dict[Any, Any]], Iterable[Any]]) -> None:
        super().__init__(view(of))
        self.of = of
        self._view = view

    def live(self) -> JavaCollection:
        """Itself, up to date."""
        self[:] = self._view(self.of)
        return self


class Host:
    """An object handed to a template. It states what the template may do with it; nothing else of it can be reached.

    `METHODS` maps a name to a function of the object and the arguments: `$object.name(argument)`. The function checks its
    arguments' types; a call with a number of arguments that it does not take is no method (null). `PROPERTIES` maps a name
    to a function of the object: `$object.name`. `ASSIGNABLE` maps a name to a function of the object and the new value:
    `#set($object.name = value)`.
    """

    __slots__ = ()
    METHODS: ClassVar[Mapping[str, Callable[..., object]]] = {}
    PROPERTIES: ClassVar[Mapping[str, Callable[[Any], object]]] = {}
    ASSIGNABLE: ClassVar[Mapping[str, Callable[[Any, object], None]]] = {}
    JAVA_CLASS: ClassVar[str] = "java.lang.Object"

    def text(self) -> str:
        """What is printed."""
        return f"{self.JAVA_CLASS}@0"

    def elements(self) -> Sequence[object] | None:
        """What #foreach iterates over; None when that makes no sense."""
        return None


class JavaClass(Host):
    """`$value.class`: a name to look at, nothing more."""

    __slots__ = ("name",)
    JAVA_CLASS = "java.lang.Class"

    def __init__(self, name: str) -> None:
        self.name = name

    def text(self) -> str:
        return f"class {self.name}"

    def simple_name(self) -> str:
        return self.name.rpartition(".")[2].rpartition("$")[2]

    METHODS = {
        "getName": lambda self: self.name,
        "getSimpleName": lambda self: self.simple_name(),
        "getTypeName": lambda self: self.name,
        "getCanonicalName": lambda self: self.name,
    }


class Entry(Host):
    """A key and a value of a map."""

    __slots__ = ("_map", "key")
    JAVA_CLASS = "java.util.LinkedHashMap$Entry"

    def __init__(self, of: dict[Any, Any], key: Any) -> None:
        self._map = of
        self.key = key

    def value(self) -> object:
        return self._map.get(self.key)

    def set_value(self, value: object) -> object:
        old = self._map.get(self.key)
        self._map[self.key] = value
        return old

    def text(self) -> str:
        return f"{text_of(self.key)}={text_of(self.value())}"

    METHODS = {
        "getKey": lambda self: self.key,
        "getValue": lambda self: self.value(),
        "setValue": lambda self, value: self.set_value(value),
    }
    ASSIGNABLE = {"value": lambda self, value: self.set_value(value)}


class Iterator(Host):
    """`$list.iterator()`; #foreach takes what is left of it."""

    __slots__ = ("_at", "_items")
    JAVA_CLASS = "java.util.ArrayList$Itr"

    def __init__(self, items: Sequence[object]) -> None:
        self._items = items
        self._at = 0

    def has_next(self) -> bool:
        return self._at < len(self._items)

    def next(self) -> object:
        if not self.has_next():
            raise TemplateError("the iterator has no more elements (java.util.NoSuchElementException)")
        self._at += 1
        return self._items[self._at - 1]

    def elements(self) -> Sequence[object]:
        rest = self._items[self._at :]
        self._at = len(self._items)
        return rest

    METHODS = {"hasNext": lambda self: self.has_next(), "next": lambda self: self.next()}


class ForeachScope(Host):
    """`$foreach`, where it is more than a part of a reference that the compiler resolves by itself."""

    __slots__ = ("count", "index", "parent")
    JAVA_CLASS = "org.apache.velocity.runtime.directive.ForeachScope"

    def __init__(self, index: int, count: int, parent: ForeachScope | None) -> None:
        self.index = index
        self.count = count
        self.parent = parent

    def text(self) -> str:
        return "{}"

    def topmost(self) -> ForeachScope:
        return self.parent.topmost() if isinstance(self.parent, ForeachScope) else self

    PROPERTIES = {
        "index": lambda self: self.index,
        "count": lambda self: self.index + 1,
        "hasNext": lambda self: self.index + 1 < self.count,
        "first": lambda self: self.index == 0,
        "last": lambda self: self.index + 1 == self.count,
        "parent": lambda self: self.parent,
        "topmost": lambda self: self.topmost(),
    }
    METHODS = {
        "hasNext": PROPERTIES["hasNext"],
        "isFirst": PROPERTIES["first"],
        "isLast": PROPERTIES["last"],
    } | {f"get{name[0].upper()}{name[1:]}": function for name, function in PROPERTIES.items()}


class Defined(Host):
    """The block of a #define: rendered anew each time it is printed, with the variables of that place (None: of the place where
    it was defined). `render` gives None when it is inside of itself."""

    __slots__ = ("render",)
    JAVA_CLASS = "org.apache.velocity.runtime.directive.Block$Reference"

    def __init__(self, render: Callable[[Any], str | None]) -> None:
        self.render = render

    def text(self) -> str:
        return self.render(None) or ""


# -- printing


def text_of(value: Any) -> str:
    """A value as Java's toString gives it; "null" for None."""
    simple = _SIMPLE.get(value.__class__)
    if simple is not None:
        return simple(value)
    parts: list[str] = []
    _Printer(parts).java(value, 0)
    return "".join(parts)


def float_text(value: float) -> str:
    """A double as Double.toString prints it."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return f"{value:.20f}".rstrip("0") if "e" in repr(value) else repr(value)
    digits, _, exponent = repr(value).partition("e")
    sign = "-" if digits.startswith("-") else ""
    whole, _, fraction = digits.lstrip("-").partition(".")
    power = int(exponent or 0)
    if whole.strip("0"):
        power += len(whole) - 1
        significant = (whole + fraction).rstrip("0")
    else:
        significant = fraction.lstrip("0")
        power -= len(fraction) - len(significant) + 1
        significant = significant.rstrip("0")
    return f"{sign}{significant[0]}.{significant[1:] or '0'}E{power}"


_SIMPLE: dict[type, Callable[[Any], str]] = {
    str: lambda value: value,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: float_text,
    type(None): lambda value: "null",
    JavaArray: lambda value: "[Ljava.lang.String;@1b28cdfa",
}

_ESCAPED = re.compile('["\\\\/\x00-\x1f\x7f-\x9f\u2000-\u20ff]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "/": "\\/", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def json_string(text: str) -> str:
    """A string as json-smart's JSONArray.toString writes it."""
    return '"' + _ESCAPED.sub(lambda found: _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04X}", text) + '"'


class _Printer:
    """Prints lists and maps; refuses what is too deep or too long, so that no value can be a bomb."""

    def __init__(self, parts: list[str]) -> None:
        self._parts = parts
        self._left = LARGEST_TEXT

    def _put(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise BudgetExceeded(f"a value is longer than {LARGEST_TEXT} characters when it is printed")
        self._parts.append(text)

    def java(self, value: Any, depth: int) -> None:
        """Like AbstractCollection.toString and AbstractMap.toString."""
        if depth > DEEPEST_VALUE:
            raise TemplateError("a value contains itself, or is too deep to be printed (java.lang.StackOverflowError)")
        simple = _SIMPLE.get(value.__class__)
        if simple is not None:
            self._put(simple(value))
        elif isinstance(value, JsonArray):
            self.json(value, depth)
        elif isinstance(value, list):
            self._put("[")
            for position, item in enumerate(value.live() if isinstance(value, JavaCollection) else value):
                if position:
                    self._put(", ")
                self._put("(this Collection)") if item is value else self.java(item, depth + 1)
            self._put("]")
        elif isinstance(value, dict):
            self._put("{")
            for position, (key, item) in enumerate(value.items()):
                if position:
                    self._put(", ")
                self.java(key, depth + 1)
                self._put("=")
                self._put("(this Map)") if item is value else self.java(item, depth + 1)
            self._put("}")
        elif isinstance(value, Host):
            self._put(value.text())
        else:
            raise TemplateError(f"a value of the type {type(value).__name__} cannot be printed")

    def json(self, value: Any, depth: int) -> None:
        """Like json-smart's JSONArray.toString."""
        if depth > DEEPEST_VALUE:
            raise TemplateError("a value contains itself, or is too deep to be printed (java.lang.StackOverflowError)")
        if isinstance(value, str):
            self._put(json_string(value))
        elif isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
            self._put("null")
        elif value is None or isinstance(value, bool | int | float):
            self._put(_SIMPLE[value.__class__](value))
        elif isinstance(value, list):
            self._put("[")
            for position, item in enumerate(value):
                if position:
                    self._put(",")
                self.json(item, depth + 1)
            self._put("]")
        elif isinstance(value, dict):
            self._put("{")
            for position, (key, item) in enumerate(value.items()):
                if position:
                    self._put(",")
                self._put(json_string(text_of(key)))
                self._put(":")
                self.json(item, depth + 1)
            self._put("}")
        else:
            self._put(json_string(text_of(value)))
