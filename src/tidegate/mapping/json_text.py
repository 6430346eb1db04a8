"""JSON texts as Java's json-smart reads and prints them, the library below Jayway's JsonPath and so below `$input`.

`read_json` is its permissive mode (`json_lenient` for what orjson refuses); `json_text` is what `$input.json()` prints: compact,
keys in their order, numbers as Java writes them. Objects are dicts, lists lists, integers ints of any size, numbers with a
point or exponent floats, or Decimals where json-smart takes a BigDecimal (19 characters and more). Where orjson gives the same
bytes, it does the work.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal

import orjson

from tidegate.mapping.json_lenient import MAX_DEPTH, MAX_DIGITS, JsonTextError, read_lenient

__all__ = ["MAX_DEPTH", "MAX_DIGITS", "JsonTextError", "is_shallow", "java_number", "json_text", "read_json"]

# AWS: whether `/` is printed as `\/` by `$input.json` is unverified. Jayway itself prints with json-smart's LT_COMPRESS, which
# leaves it alone; json-smart's default style (JSONArray.toString) escapes it. This is the one switch.
ESCAPE_SLASH = False

# Looks for numbers, at the speed of bytes.translate: every character of a number becomes 0 (of a printed one: every digit).
_NUMBER_CHARS = bytes(ord("0") if chr(code) in "0123456789+-.eE" else ord(" ") for code in range(256))
_DIGITS = bytes(ord("0") if chr(code) in "0123456789" else code for code in range(256))
# json-smart does not read numbers of 19 characters and more as orjson does.
_LONG_NUMBER = b"0" * 19
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(code for code in range(256) if chr(code) not in "[]{}")
_QUICK_DEPTH = 64
_LEAST_PART = 16
_FEW = 4096

# What json-smart does not print as orjson does: floats that Java writes with an exponent (or orjson does) …
_FLOAT_LIKE_JAVA_NOT = re.compile(rb"(?:^|[:,\[])-?[0-9](?:[0-9]{7,}\.|[0-9]*(?:\.[0-9]+)?e|\.00[0-9])")
# … and the characters U+007F to U+009F and U+2000 to U+20FF, here in UTF-8.
_ESCAPED_BY_JAVA = re.compile(rb"\xc2[\x80-\x9f]|\xe2[\x80-\x83]")
_TO_ESCAPE = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2000-\u20ff]')
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def read_json(text: str | bytes) -> object:
    """The value of a JSON text, read as leniently as json-smart does. Raises JsonTextError. Bytes that are no UTF-8: U+FFFD."""
    try:
        data = text if isinstance(text, bytes) else text.encode()
        # json-smart drops the character DEL in strings with escapes.
        if _LONG_NUMBER not in data.translate(_NUMBER_CHARS) and b"\x7f" not in data and is_shallow(data):
            return orjson.loads(data)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        pass  # not strict JSON, or half a surrogate pair: perhaps json-smart takes it
    return read_lenient(text) if isinstance(text, str) else read_json(text.decode("utf-8", "replace"))


def is_shallow(data: bytes) -> bool:
    """Whether nothing is deeper than MAX_DEPTH. No may be wrong (brackets in strings): then the other reader counts them."""
    if len(data) <= MAX_DEPTH or data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return True
    brackets = data.translate(_BRACKETS, _NO_BRACKETS)
    for _ in range(_QUICK_DEPTH):
        inner, brackets = brackets, brackets.replace(b"[]", b"")  # one level less
        if not brackets:
            return True
        if len(inner) - len(brackets) <= max(0, len(inner) // _LEAST_PART - _FEW):
            break  # a level that takes next to nothing away: 64 of them would take longer than the other reader
    return False


def json_text(value: object, *, escape_slash: bool = ESCAPE_SLASH) -> str:
    """The text of a value, as `$input.json()` prints it. Half surrogate pairs stay as they are. Raises JsonTextError."""
    text = _quick_text(value)
    if text is None:
        out: list[str] = []
        try:
            _write(value, out, 0)
        except RecursionError as error:
            raise JsonTextError("value is nested too deeply") from error
        text = "".join(out)
    return text.replace("/", "\\/") if escape_slash else text


def _quick_text(value: object) -> str | None:
    try:
        text = orjson.dumps(value, option=_OPTIONS)
    except orjson.JSONEncodeError:
        return None
    if b"\\u00" in text or b"\x7f" in text or _has_other_floats(text):
        return None
    if not text.isascii() and (b"\xc2" in text or b"\xe2" in text) and _ESCAPED_BY_JAVA.search(text) is not None:
        return None
    return text.decode()


def _has_other_floats(text: bytes) -> bool:
    """Whether a float in there looks different in Java; a quick look says no mostly, and the exact one decides the rest."""
    figures = text.translate(_DIGITS)
    exponent = b"0e" in figures and (b"0e0" in figures or b"0e-" in figures or b"0e+" in figures)
    if exponent or b"00000000." in figures or b"0.00" in text:
        return _FLOAT_LIKE_JAVA_NOT.search(text) is not None
    return False


def _write(value: object, out: list[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise JsonTextError("value is nested too deeply")
    if isinstance(value, str):
        out.append(_quoted(value))
    elif value is None:
        out.append("null")
    elif isinstance(value, (int, float, Decimal)):
        out.append(_number_text(value))
    elif isinstance(value, Mapping):
        separator = "{"
        for key, member in value.items():
            out.append(separator)
            out.append(_quoted(key if isinstance(key, str) else _key_text(key)))
            out.append(":")
            _write(member, out, depth + 1)
            separator = ","
        out.append("}" if separator == "," else "{}")
    elif isinstance(value, (list, tuple)):
        separator = "["
        for member in value:
            out.append(separator)
            _write(member, out, depth + 1)
            separator = ","
        out.append("]" if separator == "," else "[]")
    else:
        raise JsonTextError(f"{type(value).__name__} can not be converted to JSON")


def _number_text(value: float | Decimal) -> str:
    # json-smart writes null for the infinities (1e999 in a body), but NaN for NaN, which no reader takes: null here, too.
    return "null" if isinstance(value, float) and not math.isfinite(value) else java_number(value)


def _key_text(key: object) -> str:
    if key is None:
        return "null"
    if isinstance(key, (int, float, Decimal)):
        return java_number(key)
    raise JsonTextError(f"{type(key).__name__} can not be a key in JSON")


def _quoted(text: str) -> str:
    return f'"{_TO_ESCAPE.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return _SHORT_ESCAPES.get(char) or f"\\u{ord(char):04X}"


def java_number(value: float | Decimal) -> str:
    """A number (or boolean) as Java's toString() of Integer, Long, BigInteger, Double, BigDecimal or Boolean prints it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 4096 else _big_integer(value)
    if isinstance(value, Decimal):
        return str(value if value else value.copy_abs())
    return _double(value)


def _big_integer(value: int) -> str:
    raise JsonTextError(f"number of {value.bit_length()} bits is too long")


def _double(value: float) -> str:
    """Double.toString(): plain from 10⁻³ up to 10⁷, else one digit, a point, and an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    if len(digits) == 1 and float(two := f"{value:.1e}") == value:
        sign, digits, exponent = Decimal(two).as_tuple()  # Java takes the nearest of two digits: 4.9E-324, not 5.0E-324
    figures = "".join(map(str, digits)).rstrip("0") or "0"
    assert isinstance(exponent, int)
    fraction = figures[1:] or "0"
    return f"{'-' if sign else ''}{figures[0]}.{fraction}E{exponent + len(digits) - 1}"
