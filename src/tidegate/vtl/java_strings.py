"""Methods of java.lang.String. Lengths and offsets count UTF-16 units, as in Java."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce
from typing import Any

from tidegate.vtl import java_regex
from tidegate.vtl.errors import BudgetExceeded, TemplateError
from tidegate.vtl.values import LARGEST_TEXT, JavaArray, text_of

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def widened(text: str) -> str:
    """With a surrogate pair for each character that is one in Java."""
    if text.isascii() or max(text) <= "\uffff":
        return text
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    return "".join(map(chr, units))


def narrowed(text: str) -> str:
    """The other way. Half a pair becomes a question mark, as when Java encodes it."""
    if text.isascii() or max(text) < "\ud800":
        return text
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return _LONE_SURROGATE.sub("?", joined)


def hash_code(text: str) -> int:
    """String.hashCode."""
    value = reduce(lambda total, unit: (31 * total + ord(unit)) & 0xFFFFFFFF, widened(text), 0)
    return value - (1 << 32) if value >= 1 << 31 else value


def _out_of_range(position: int, length: int) -> TemplateError:
    return TemplateError(f"index {position}, length {length} (java.lang.StringIndexOutOfBoundsException)")


def _substring(text: str, first: int, last: int | None = None) -> str:
    units = widened(text)
    end = len(units) if last is None else last
    if not 0 <= first <= end <= len(units):
        raise TemplateError(
            f"begin {first}, end {end}, length {len(units)} (java.lang.StringIndexOutOfBoundsException)"
        )
    return narrowed(units[first:end])


def _char_at(text: str, position: int) -> str:
    units = widened(text)
    if not 0 <= position < len(units):
        raise _out_of_range(position, len(units))
    return narrowed(units[position])


def _index_of(text: str, what: object, start: int = 0) -> int | None:
    wanted = _searched(what)
    if wanted is None:
        return None
    units = widened(text)
    return units.find(wanted, min(max(start, 0), len(units)))


def _last_index_of(text: str, what: object, start: int | None = None) -> int | None:
    wanted = _searched(what)
    if wanted is None:
        return None
    units = widened(text)
    if start is not None and start < 0:
        return -1
    # Python searches backwards in quadratic time, forwards in linear.
    end = len(units) if start is None else min(start + len(wanted), len(units))
    found = units[:end][::-1].find(wanted[::-1])
    return -1 if found < 0 else end - found - len(wanted)


def _searched(what: object) -> str | None:
    """What indexOf looks for: a string, or a character's number."""
    if isinstance(what, str):
        return widened(what)
    if isinstance(what, int) and not isinstance(what, bool):
        return widened(chr(what)) if 0 <= what <= 0x10FFFF else "\x00\x00none"
    if what is None:
        raise TemplateError("null is no string (java.lang.NullPointerException)")
    return None


def _compare(left: str, right: str) -> int:
    first, second = widened(left), widened(right)
    for one, other in zip(first, second, strict=False):
        if one != other:
            return ord(one) - ord(other)
    return len(first) - len(second)


def _folded(text: str) -> str:
    return "".join(char.upper().lower() if len(char.upper()) == 1 else char.lower() for char in text)


def _starts_with(text: str, prefix: str, start: int = 0) -> bool:
    return start >= 0 and widened(text).startswith(widened(prefix), start)


def _concat(text: str, other: str) -> str:
    _refuse_longer(len(text) + len(other))
    return text + other


def _replace(text: str, old: str, new: str) -> str:
    if len(new) > len(old):
        _refuse_longer(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def _repeat(text: str, count: int) -> str:
    if count < 0:
        raise TemplateError(f"count is negative: {count} (java.lang.IllegalArgumentException)")
    _refuse_longer(len(text) * count)
    return text * count


def _refuse_longer(length: int) -> None:
    if length > LARGEST_TEXT:
        raise BudgetExceeded(f"a text of more than {LARGEST_TEXT} characters")


def _split(text: str, pattern: str, limit: int = 0) -> JavaArray:
    return JavaArray(java_regex.compile_java(pattern).split(text, limit))


def _join(_text: str, separator: str, parts: Any) -> str | None:
    """String.join, which is static, called of any string."""
    if not isinstance(parts, list):
        return parts if isinstance(parts, str) else None
    if not all(isinstance(part, str | None) for part in parts):
        raise TemplateError("what is joined is no text (java.lang.ClassCastException)")
    texts = ["null" if part is None else part for part in parts]
    _refuse_longer(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _trim(text: str) -> str:
    return text.strip("".join(map(chr, range(33))))


METHODS: dict[tuple[str, int], tuple[Callable[..., Any], str]] = {
    ("length", 0): (lambda text: len(widened(text)), ""),
    ("isEmpty", 0): (lambda text: not text, ""),
    ("isBlank", 0): (lambda text: not text.strip(), ""),
    ("substring", 1): (_substring, "i"),
    ("substring", 2): (_substring, "ii"),
    ("subSequence", 2): (_substring, "ii"),
    ("charAt", 1): (_char_at, "i"),
    ("indexOf", 1): (_index_of, "o"),
    ("indexOf", 2): (_index_of, "oi"),
    ("lastIndexOf", 1): (_last_index_of, "o"),
    ("lastIndexOf", 2): (_last_index_of, "oi"),
    ("contains", 1): (lambda text, other: other in text, "s"),
    ("startsWith", 1): (lambda text, prefix: text.startswith(prefix), "s"),
    ("startsWith", 2): (_starts_with, "si"),
    ("endsWith", 1): (lambda text, suffix: text.endswith(suffix), "s"),
    ("equalsIgnoreCase", 1): (lambda text, other: other is not None and _folded(text) == _folded(other), "n"),
    ("contentEquals", 1): (lambda text, other: text == other, "s"),
    ("compareTo", 1): (_compare, "s"),
    ("compareToIgnoreCase", 1): (lambda text, other: _compare(_folded(text), _folded(other)), "s"),
    ("replace", 2): (_replace, "ss"),
    ("replaceAll", 2): (lambda text, old, new: java_regex.compile_java(old).replace_all(text, new), "ss"),
    ("replaceFirst", 2): (lambda text, old, new: java_regex.compile_java(old).replace_first(text, new), "ss"),
    ("matches", 1): (lambda text, pattern: java_regex.compile_java(pattern).matches(text), "s"),
    ("split", 1): (_split, "s"),
    ("split", 2): (_split, "si"),
    ("toLowerCase", 0): (str.lower, ""),
    ("toUpperCase", 0): (str.upper, ""),
    ("trim", 0): (_trim, ""),
    ("strip", 0): (str.strip, ""),
    ("stripLeading", 0): (str.lstrip, ""),
    ("stripTrailing", 0): (str.rstrip, ""),
    ("toCharArray", 0): (lambda text: JavaArray(widened(text)), ""),
    ("join", 2): (_join, "so"),
    ("concat", 1): (_concat, "s"),
    ("repeat", 1): (_repeat, "i"),
    ("intern", 0): (lambda text: text, ""),
    ("valueOf", 1): (lambda text, value: text_of(value), "o"),
    ("hashCode", 0): (hash_code, ""),
}
"""(name, number of arguments) → function of the string and the arguments, and the kinds of these (see java_methods)."""
