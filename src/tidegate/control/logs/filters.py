"""Filter patterns for log events without structure: terms, optional terms, excluded terms. Pure.

Source: *Filter pattern syntax for metric filters, subscription filters, filter log events, and Live Tail*, "unstructured log
events". Patterns for JSON and for fields, and regular expressions, are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tidegate.core.errors import ControlError

_TERM = re.compile(r'(?P<sign>[?-]?)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^\s"]+))\s*')


def compile_pattern(pattern: str | None) -> Callable[[str], bool]:
    """Whether a message matches. Raises ControlError for what is no pattern, or one that is not supported."""
    text = (pattern or "").strip()
    if text.startswith(("{", "[")) or "%" in text:
        kind = {"{": "for JSON", "[": "for fields"}.get(text[0], "with regular expressions")
        raise ControlError("InvalidParameterException", f"Tidegate does not support filter patterns {kind} yet")
    wanted: list[str] = []
    optional: list[str] = []
    excluded: list[str] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise ControlError("InvalidParameterException", f"Invalid character(s) in term '{text[at:]}'")
        at = found.end()
        term = found["plain"] if found["quoted"] is None else re.sub(r"\\(.)", r"\1", found["quoted"])
        {"?": optional, "-": excluded}.get(found["sign"], wanted).append(term)

    def matches(message: str) -> bool:
        return (
            all(term in message for term in wanted)
            # AWS: optional terms beside required ones decide nothing.
            and (bool(wanted) or not optional or any(term in message for term in optional))
            and not any(term in message for term in excluded)
        )

    return matches
