"""Query strings, decoded as API Gateway does: `;` splits like `&`, a plus is a blank, what is no UTF-8 becomes U+FFFD."""

from __future__ import annotations

from urllib.parse import unquote, unquote_to_bytes


def decoded_query(query: str) -> dict[str, list[str]]:
    """The arguments in order, each with all its values in order. `query`: as sent, without the question mark."""
    arguments: dict[str, list[str]] = {}
    for pair in query.replace(";", "&").split("&"):
        if pair:
            name, _, value = pair.partition("=")
            arguments.setdefault(_decoded(name), []).append(_decoded(value))
    return arguments


def _decoded(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    # `unquote` keeps characters beyond ASCII as they are, and looks for them by a regular expression.
    return unquote_to_bytes(text).decode("utf-8", "replace") if text.isascii() else unquote(text)
