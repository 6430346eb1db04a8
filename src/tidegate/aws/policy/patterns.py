"""Wildcards and policy variables: `*`, `?`, `${key}`, `${key, 'default'}`, and `${*}` `${?}` `${$}` for the very characters.

What a variable brings along is never a wildcard. Sources: *Variables and tags*, *Resource* (IAM JSON policy elements).
Not here: how a pattern is matched (core.globs).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tidegate.core.globs import Matcher, Wild, glob, matcher, split

Lookup = Callable[[str], "str | None"]
"""The one value of a context key (its name in lower case), or None."""

_SPECIAL = re.compile(r"\$\{([^}]*)\}|[*?]")
_WITH_DEFAULT = re.compile(r"\s*([^,']+?)\s*,\s*'([^']*)'\s*")
_ARN_PARTS = 6


@dataclass(frozen=True, slots=True)
class Variable:
    key: str
    """In lower case."""
    default: str | None = None


Token = str | Wild | Variable


def tokens(text: str, *, variables: bool, wildcards: bool = True) -> list[Token]:
    """`variables`: whether the document's version knows them; otherwise `${` is text like any other."""
    found: list[Token] = []
    end = 0
    for special in _SPECIAL.finditer(text):
        token = _token(special, variables=variables, wildcards=wildcards)
        if token is None:
            # Characters that mean nothing here; but a `${…}` that is text may hold wildcards.
            if special[0].startswith("$"):
                found.append(text[end : special.start()])
                found += split(special[0], wildcards=wildcards)
                end = special.end()
            continue
        found += (text[end : special.start()], token)
        end = special.end()
    found.append(text[end:])
    return [token for token in found if token != ""]


def _token(special: re.Match[str], *, variables: bool, wildcards: bool) -> Token | None:
    inner = special[1]
    if inner is None:
        return Wild(special[0]) if wildcards else None
    if not variables:
        return None
    if inner in ("*", "?", "$"):
        return inner
    if with_default := _WITH_DEFAULT.fullmatch(inner):
        return Variable(with_default[1].lower(), with_default[2])
    return Variable(inner.strip().lower())


@dataclass(frozen=True, slots=True)
class Template:
    """A pattern with variables, which a request fills."""

    tokens: tuple[Token, ...]

    def fill(self, lookup: Lookup) -> list[str | Wild] | None:
        """None when a variable has neither value nor default. AWS: such a pattern matches nothing."""
        parts: list[str | Wild] = []
        for token in self.tokens:
            if isinstance(token, Variable):
                value = lookup(token.key)
                value = token.default if value is None else value
                if value is None:
                    return None
                parts.append(value)
            else:
                parts.append(token)
        return parts

    def text(self, lookup: Lookup) -> str | None:
        """Of a template without wildcards."""
        parts = self.fill(lookup)
        return None if parts is None else "".join(map(str, parts))

    def matches(self, text: str, lookup: Lookup) -> bool:
        parts = self.fill(lookup)
        return parts is not None and matcher(parts)(text)

    @property
    def keys(self) -> set[str]:
        return {token.key for token in self.tokens if isinstance(token, Variable)}


@dataclass(frozen=True, slots=True)
class ArnTemplate:
    """A template in the parts of an ARN. Its own colons divide it; those in values do not."""

    parts: tuple[Template, ...]

    def matches(self, text: str, lookup: Lookup) -> bool:
        given = text.split(":", _ARN_PARTS - 1)
        return len(given) == len(self.parts) and all(
            part.matches(one, lookup) for part, one in zip(self.parts, given, strict=True)
        )

    @property
    def keys(self) -> set[str]:
        return set().union(*(part.keys for part in self.parts))


def template(text: str, *, variables: bool, wildcards: bool = True) -> Template | None:
    """None when there is nothing to fill in and no escaped character: the text can be matched as it is."""
    if not variables or "${" not in text:
        return None
    return Template(tuple(tokens(text, variables=True, wildcards=wildcards)))


def arn_template(text: str, *, variables: bool) -> ArnTemplate | Template | None:
    """Not divided when it has fewer than six parts."""
    whole = template(text, variables=variables)
    if whole is None:
        return None
    parts: list[list[Token]] = [[]]
    for token in whole.tokens:
        if not isinstance(token, str):
            parts[-1].append(token)
            continue
        first, *others = token.split(":", _ARN_PARTS - len(parts))
        parts[-1].append(first)
        parts += [[other] for other in others]
    return whole if len(parts) < _ARN_PARTS else ArnTemplate(tuple(Template(tuple(part)) for part in parts))


def arn_glob(pattern: str) -> Matcher:
    """A pattern of all six parts of an ARN, each for itself: a star never reaches over a colon before the last part."""
    wanted = [glob(part) for part in pattern.split(":", _ARN_PARTS - 1)]

    def match(text: str) -> bool:
        given = text.split(":", _ARN_PARTS - 1)
        return len(given) == len(wanted) and all(test(part) for test, part in zip(wanted, given, strict=True))

    return match


def resource_glob(pattern: str) -> Matcher:
    """AWS: a star at the end of a part may stand for the following parts too (`arn:aws:execute-api:*`).

    It is taken so only where the pattern has fewer than six parts. Where it has all of them the parts are compared one by
    one: the last part is the path that the caller chose, and must not pose as region, account or API.
    """
    parts = pattern.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or not any("*" in part for part in parts[:-1]):
        return glob(pattern)
    return arn_glob(pattern)
