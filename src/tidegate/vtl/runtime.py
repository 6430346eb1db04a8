"""What a compiled template calls: the operations that are too large to be written out in its code.

`operations` gives them for one dialect, under the short names that the compiler uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tidegate.vtl import arithmetic
from tidegate.vtl.budget import Meter
from tidegate.vtl.dialect import Dialect
from tidegate.vtl.errors import TemplateError
from tidegate.vtl.java_collections import entries
from tidegate.vtl.java_methods import java_class
from tidegate.vtl.values import Defined, ForeachScope, Host, JavaArray, JavaClass, JavaCollection, text_of

LARGEST_RANGE = 1_000_000
_PER_ELEMENT = 20


class Stopped(Exception):
    """`#stop` in a macro, in a block of a #define or in a string. Its argument is what the block had written."""

    def __init__(self, written: str = "") -> None:
        super().__init__()
        self.written = written


class Scope:
    """A macro's variables: its arguments, by name (evaluated where it was called, whenever they are used); all others
    are the caller's. What is assigned is assigned for the caller, too, as in Velocity."""

    __slots__ = ("_arguments", "_literals", "_local", "_parent")

    def __init__(self, parent: Any, arguments: Mapping[str, Callable[[], object]], literals: Mapping[str, str]) -> None:
        self._parent = parent
        self._arguments = arguments
        self._literals = literals
        self._local: dict[str, object] = {}

    def get(self, name: str) -> object:
        value = self._local.get(name)
        if value is not None:
            return value
        argument = self._arguments.get(name)
        return self._parent.get(name) if argument is None else argument()

    def __setitem__(self, name: str, value: object) -> None:
        self._local[name] = value
        self._parent[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self._local or name in self._arguments or name in self._parent

    def literal(self, name: str) -> str:
        """What plain Velocity prints for `$name` when that is null: the argument as it was written."""
        if name in self._literals:
            return self._literals[name]
        return self._parent.literal(name) if isinstance(self._parent, Scope) else f"${name}"


def prop(target: Any, name: str) -> object:
    """`$target.name`"""
    if isinstance(target, dict):
        return JavaClass(java_class(target)) if name == "class" else target.get(name)
    if target is None:
        return None
    if isinstance(target, Host):
        return _host_property(target, name)
    if name == "class":
        return JavaClass(java_class(target))
    if name == "empty" and isinstance(target, str | list) and target.__class__ is not JavaArray:
        return not target
    return None


def _host_property(target: Host, name: str) -> object:
    if getter := target.PROPERTIES.get(name):
        return getter(target)
    for prefix in ("get", "is"):
        if getter := target.METHODS.get(f"{prefix}{name[0].upper()}{name[1:]}"):
            return getter(target)
    if (getter := target.METHODS.get("get")) is not None:
        return getter(target, name)
    return JavaClass(target.JAVA_CLASS) if name == "class" else None


def put_property(meter: Meter, target: Any, name: str, value: object) -> None:
    """`#set($target.name = value)`; nothing happens when the target has no such property."""
    if isinstance(target, dict):
        meter.charge(_PER_ELEMENT)
        target[name] = value
    elif isinstance(target, Host):
        if setter := target.ASSIGNABLE.get(name):
            setter(target, value)
        elif putter := target.METHODS.get("put"):
            putter(target, name, value)


def put_index(meter: Meter, target: Any, key: Any, value: object) -> None:
    """`#set($target[key] = value)`"""
    if isinstance(target, list) and target.__class__ is not JavaCollection:
        if key.__class__ is int:
            position = key + len(target) if key < 0 else key
            if not 0 <= position < len(target):
                raise TemplateError(f"Index: {key}, Size: {len(target)} (java.lang.IndexOutOfBoundsException)")
            target[position] = value
    elif isinstance(target, dict):
        meter.charge(_PER_ELEMENT)
        target[_hashable(key)] = value
    elif isinstance(target, Host) and key.__class__ is str:
        put_property(meter, target, key, value)


def _hashable(key: object) -> object:
    if isinstance(key, list | dict):
        raise TemplateError("a list or a map cannot be a key here")
    return key


def elements(meter: Meter, value: Any) -> list[Any] | tuple[Any, ...]:
    """What a loop runs over. Nothing for what cannot be iterated. A list is the list itself, as in Java: what is set while the
    loop runs is seen; when its size changes, `changed` ends the loop."""
    if isinstance(value, dict):
        value = value.values()
    elif isinstance(value, Host):
        value = value.elements()
    elif isinstance(value, JavaCollection):
        value = value.live()
    elif not isinstance(value, list | range):
        return ()
    if not value:
        return ()
    if len(value) > meter.iterations_per_loop:
        meter.too_many(len(value))
    meter.charge(5 * len(value))
    return value if isinstance(value, list) else list(value)


def viewed(meter: Meter, view: list[Any]) -> list[Any]:
    """A view of a map as what a loop runs over."""
    size = len(view)
    if size > meter.iterations_per_loop:
        meter.too_many(size)
    meter.charge(7 * size + 2)
    return view


VIEWS: dict[str, Callable[[dict[Any, Any]], list[Any]]] = {
    "keySet": list,
    "values": lambda of: list(of.values()),
    "entrySet": entries,
}
"""A map's methods for its views, and what a loop over them runs over."""


def watched(source: Any) -> list[Any] | dict[Any, Any]:
    """The list or map of which the size must not change while a loop runs over it."""
    if isinstance(source, JavaCollection):
        return source.of
    return source if isinstance(source, list | dict) else []


def changed(source: list[Any] | dict[Any, Any], count: int, turn: int) -> bool:
    """The size of what a loop runs over has changed when turn number `turn` was done: whether the loop just ends, as in Java."""
    if len(source) == turn if isinstance(source, list) else turn == count:
        return True
    raise TemplateError("a loop changes the list or map that it runs over (java.util.ConcurrentModificationException)")


def span(meter: Meter, first: Any, last: Any) -> list[int] | None:
    """`[first..last]`"""
    if first.__class__ is not int or last.__class__ is not int:
        return None
    size = abs(last - first) + 1
    if size > LARGEST_RANGE:
        meter.too_many(size)
    meter.charge(_PER_ELEMENT * size)
    return list(range(first, last + 1) if first <= last else range(first, last - 1, -1))


def new_list(meter: Meter, items: list[Any]) -> list[Any]:
    meter.charge(_PER_ELEMENT * (len(items) + 1))
    return items


def new_map(meter: Meter, *entries: Any) -> dict[Any, Any]:
    meter.charge(_PER_ELEMENT * (len(entries) + 1))
    return {_hashable(entries[at]): entries[at + 1] for at in range(0, len(entries), 2)}


def weighed(meter: Meter, target: Any) -> Any:
    """A target of a method that takes the longer, the larger the target is."""
    if isinstance(target, str | list | dict):
        meter.charge(1 + (len(target) >> 2))
    return target


def searched(meter: Meter, target: Any, removes: bool) -> Any:
    """A target of a method that compares what is in it. What contains one thing twice is compared twice, so it is charged twice:
    a list of a list and itself, and so on, has few elements and no end."""
    if isinstance(target, str):
        meter.charge(1 + (len(target) >> 2))
    elif isinstance(target, list) or (isinstance(target, dict) and not removes):
        arithmetic.charge_all(meter, target)
    return target


def crossed(meter: Meter, target: Any, others: Any) -> Any:
    """The elements that are each looked for in a target."""
    if isinstance(target, list) and isinstance(others, list):
        arithmetic.charge_all(meter, others)
        meter.charge(len(target) * len(others))
    return others


def poured(meter: Meter, source: Any) -> Any:
    """A list, a map or a text of which as much is about to be made."""
    if isinstance(source, list | dict):
        meter.charge(_PER_ELEMENT * len(source))
    elif isinstance(source, str):
        meter.charge(len(source))
    return source


def grown(meter: Meter, result: object) -> object:
    """The result of a method that has made a list or a map larger."""
    meter.charge(_PER_ELEMENT)
    return result


def show(meter: Meter, value: Any, null: str, scope: Any = None) -> str:
    """What a reference prints. `scope`: the variables, for a block of a #define."""
    if value is None:
        return null
    if isinstance(value, Defined):
        text = value.render(scope)
        return null if text is None else text
    text = text_of(value)
    if isinstance(value, list | dict):
        meter.charge(len(text))
    return text


def show_touched(meter: Meter, value: Any, null: str, slashes: str, before: str, scope: Any = None) -> str:
    """What a reference prints with what touches it: backslashes count twice when there is nothing to escape."""
    if value is None:
        return f"{slashes}{slashes}{before}{null}"
    return f"{slashes}{before}{show(meter, value, null, scope)}"


def show_escaped(value: Any, slashes: str, literal: str) -> str:
    """A reference behind an odd number of backslashes: itself; with a backslash when it would not have been one."""
    return f"{slashes}\\{literal}" if value is None else f"{slashes}{literal}"


def call_macro(
    meter: Meter,
    macro: Callable[[Scope, list[str]], None],
    name: str,
    scope: Scope,
    parts: list[str],
) -> None:
    """Render a macro's body."""
    meter.in_macro(name, lambda: macro(scope, parts))


def defined(meter: Meter, key: int, render: Callable[[Any], str], outer: Any) -> Defined:
    """The block of a #define. Inside of itself it is rendered once more, then it is null (Velocity)."""

    def guarded(scope: Any) -> str | None:
        depth = meter.define_depths.get(key, 0)
        if depth >= 2:
            return None
        meter.charge(20)
        meter.define_depths[key] = depth + 1
        try:
            return render(outer if scope is None else scope)
        finally:
            meter.define_depths[key] = depth

    return Defined(guarded)


def operations(dialect: Dialect) -> dict[str, Any]:
    """Name in the compiled code → function."""

    def index(target: Any, key: Any) -> object:
        """`$target[key]`"""
        if isinstance(target, list) and target.__class__ is not JavaCollection:
            if key.__class__ is not int:
                return None
            position = key + len(target) if key < 0 else key
            if 0 <= position < len(target):
                return target[position]
            if dialect.index_out_of_range_is_null:
                return None
            raise TemplateError(f"Index: {key}, Size: {len(target)} (java.lang.IndexOutOfBoundsException)")
        if isinstance(target, dict):
            return None if isinstance(key, list | dict) else target.get(key)
        if isinstance(target, Host) and (getter := target.METHODS.get("get")) is not None:
            return getter(target, key)
        if key.__class__ is int and key < 0 and isinstance(target, str | int | float):
            if dialect.index_out_of_range_is_null:
                return None
            raise TemplateError("a negative index of what has no size")
        if isinstance(target, Host) and key.__class__ is str and (reader := target.PROPERTIES.get(key)) is not None:
            return reader(target)
        return None

    def equal(meter: Meter, left: Any, right: Any) -> bool:
        """`==`"""
        if left is None or right is None:
            if left is right:
                return True
            return dialect.null_equals_empty and (left == "" or right == "")
        return arithmetic.equal(meter, left, right)

    return VIEWS | {
        "prop": prop,
        "index": index,
        "equal": equal,
        "show": show,
        "touched": show_touched,
        "escaped": show_escaped,
        "elements": elements,
        "viewed": viewed,
        "span": span,
        "watched": watched,
        "changed": changed,
        "new_list": new_list,
        "new_map": new_map,
        "weighed": weighed,
        "grown": grown,
        "poured": poured,
        "searched": searched,
        "crossed": crossed,
        "put_property": put_property,
        "put_index": put_index,
        "add": arithmetic.add,
        "add_all": arithmetic.add_all,
        "calculate": arithmetic.calculate,
        "calculate_all": arithmetic.calculate_all,
        "compare": arithmetic.compare,
        "truth": arithmetic.truth,
        "ForeachScope": ForeachScope,
        "Scope": Scope,
        "call_macro": call_macro,
        "defined": defined,
        "Stopped": Stopped,
        "str": str,
        "int": int,
        "dict": dict,
        "dict_of": dict,
        "enumerate": enumerate,
        "len": len,
    }
