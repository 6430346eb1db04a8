"""Methods of java.util: lists, arrays, maps and the views of maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from tidegate.vtl.arithmetic import same
from tidegate.vtl.errors import TemplateError
from tidegate.vtl.values import Entry, Iterator, JavaArray, JavaCollection, JsonArray, text_of

VOID = ""
"""What a method without a result gives to a template (Velocity)."""


def _out_of_range(position: int, length: int) -> NoReturn:
    raise TemplateError(f"Index: {position}, Size: {length} (java.lang.IndexOutOfBoundsException)")


def _get(items: list[Any], position: int) -> object:
    if not 0 <= position < len(items):
        _out_of_range(position, len(items))
    return items[position]


def _set(items: list[Any], position: int, value: object) -> object:
    old = _get(items, position)
    items[position] = value
    return old


def _add(items: list[Any], value: object) -> bool:
    items.append(value)
    return True


def _insert(items: list[Any], position: int, value: object) -> str:
    if not 0 <= position <= len(items):
        _out_of_range(position, len(items))
    items.insert(position, value)
    return VOID


def _all(value: Any) -> list[Any]:
    if value is None:
        raise TemplateError("null is no collection (java.lang.NullPointerException)")
    return list(value)


def _add_all(items: list[Any], others: Any) -> bool | None:
    if isinstance(others, list | None) and not isinstance(others, JavaArray):
        added = _all(others)
        items.extend(added)
        return bool(added)
    return None


def _remove(items: list[Any], what: object) -> object:
    """By index when it is an int, else by value."""
    if isinstance(what, int) and not isinstance(what, bool):
        old = _get(items, what)
        del items[what]
        return old
    return _remove_value(items, what)


def _remove_value(items: list[Any], what: object) -> bool:
    position = _index_of(items, what)
    if position >= 0:
        del items[position]
    return position >= 0


def _index_of(items: list[Any], what: object) -> int:
    return next((position for position, item in enumerate(items) if same(item, what)), -1)


def _last_index_of(items: list[Any], what: object) -> int:
    return next((position for position in range(len(items) - 1, -1, -1) if same(items[position], what)), -1)


def _contains_all(items: list[Any], others: Any) -> bool | None:
    if not isinstance(others, list):
        return None
    return all(_index_of(items, other) >= 0 for other in others)


def _retain(items: list[Any], others: Any, *, wanted: bool) -> bool | None:
    if not isinstance(others, list):
        return None
    left = [item for item in items if (_index_of(others, item) >= 0) is wanted]
    changed = len(left) != len(items)
    items[:] = left
    return changed


def _sub_list(items: list[Any], first: int, last: int) -> list[Any]:
    if not 0 <= first <= last <= len(items):
        raise TemplateError(
            f"fromIndex {first}, toIndex {last}, size {len(items)} (java.lang.IndexOutOfBoundsException)"
        )
    return items[first:last]


def _lookup(entries: dict[Any, Any], key: object, default: object = None) -> object:
    return default if isinstance(key, list | dict) else entries.get(key, default)


def _key(key: object) -> Any:
    if isinstance(key, list | dict):
        raise TemplateError("a list or a map cannot be a key here")
    return key


def _put(entries: dict[Any, Any], key: object, value: object) -> object:
    old = entries.get(_key(key))
    entries[key] = value
    return old


def _put_all(entries: dict[Any, Any], others: object) -> str | None:
    if not isinstance(others, dict):
        return None
    entries.update(others)
    return VOID


def _clear(elements: list[Any] | dict[Any, Any]) -> str:
    elements.clear()
    return VOID


def entries(of: dict[Any, Any]) -> list[Entry]:
    """`$map.entrySet()`"""
    return [Entry(of, key) for key in of]


def _on_live(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda view, *arguments: function(view.live(), *arguments)


_COLLECTION: dict[tuple[str, int], tuple[Callable[..., Any], str]] = {
    ("size", 0): (len, ""),
    ("isEmpty", 0): (lambda items: not items, ""),
    ("contains", 1): (lambda items, what: _index_of(items, what) >= 0, "o"),
    ("containsAll", 1): (_contains_all, "o"),
    ("iterator", 0): (lambda items: Iterator(list(items)), ""),
    ("toArray", 0): (lambda items: JavaArray(items), ""),
}

COLLECTION = {key: (_on_live(function), kinds) for key, (function, kinds) in _COLLECTION.items()}
"""Of a view of a map."""

ARRAY = _COLLECTION | {
    ("get", 1): (_get, "i"),
    ("set", 2): (_set, "io"),
    ("indexOf", 1): (_index_of, "o"),
    ("lastIndexOf", 1): (_last_index_of, "o"),
    ("subList", 2): (_sub_list, "ii"),
}
"""Of an array, which Velocity wraps into a list of a fixed length."""

LIST = ARRAY | {
    ("add", 1): (_add, "o"),
    ("add", 2): (_insert, "io"),
    ("addAll", 1): (_add_all, "o"),
    ("remove", 1): (_remove, "o"),
    ("removeAll", 1): (lambda items, others: _retain(items, others, wanted=False), "o"),
    ("retainAll", 1): (lambda items, others: _retain(items, others, wanted=True), "o"),
    ("clear", 0): (_clear, ""),
}

JSON_ARRAY = LIST | {
    ("toJSONString", 0): (text_of, ""),
    ("appendElement", 1): (lambda items, value: [items.append(value), items][1], "o"),
}

MAP: dict[tuple[str, int], tuple[Callable[..., Any], str]] = {
    ("size", 0): (len, ""),
    ("isEmpty", 0): (lambda entries: not entries, ""),
    ("get", 1): (_lookup, "o"),
    ("getOrDefault", 2): (_lookup, "oo"),
    ("put", 2): (_put, "oo"),
    ("putIfAbsent", 2): (
        lambda entries, key, value: (
            _put(entries, key, value) if _lookup(entries, key) is None else _lookup(entries, key)
        ),
        "oo",
    ),
    ("putAll", 1): (_put_all, "o"),
    ("remove", 1): (
        lambda entries, key: entries.pop(_key(key), None) if _lookup(entries, key) is not None else None,
        "o",
    ),
    ("containsKey", 1): (lambda entries, key: not isinstance(key, list | dict) and key in entries, "o"),
    ("containsValue", 1): (lambda entries, value: any(same(each, value) for each in entries.values()), "o"),
    ("keySet", 0): (lambda entries: JavaCollection(entries, list), ""),
    ("values", 0): (lambda entries: JavaCollection(entries, dict.values), ""),
    ("entrySet", 0): (lambda of: JavaCollection(of, entries), ""),
    ("clear", 0): (_clear, ""),
}

BY_CLASS: dict[type, dict[tuple[str, int], tuple[Callable[..., Any], str]]] = {
    list: LIST,
    JsonArray: JSON_ARRAY,
    JavaArray: ARRAY,
    JavaCollection: COLLECTION,
    dict: MAP,
}
