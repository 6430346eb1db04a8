"""What is asked: an action on a resource, by somebody, under circumstances."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from tidegate.aws.policy.principals import Principal

Context = Mapping[str, "str | Sequence[str]"]
_BOUNDARY = re.compile("[:/]")
_DEEPEST = 12
"""Boundaries of a resource that an index looks at: five colons, API, stage, verb and four segments of the path. A bound,
because the path is the caller's."""


def boundaries(resource: str) -> Iterator[int]:
    return (found.end() for found in islice(_BOUNDARY.finditer(resource), _DEEPEST))


class Request:
    """`context`: condition keys with one value or several, named as AWS names them; their case does not matter.

    Times are ISO 8601 or seconds since the epoch, booleans `true` and `false`, binary values Base64. A function in the place
    of the context is called when the first condition or variable asks for a key, which most policies never do.
    """

    __slots__ = ("_context", "_folded", "_prefixes", "action", "folded_action", "principal", "resource")

    def __init__(
        self, action: str, resource: str, principal: Principal, context: Context | Callable[[], Context]
    ) -> None:
        self.action = action
        self.folded_action = action.lower()
        self.resource = resource
        self.principal = principal
        self._context = context
        self._folded: Context | None = None
        self._prefixes: list[str] | None = None

    @property
    def context(self) -> Context:
        if callable(self._context):
            self._context = self._context()
        return self._context

    def values(self, key: str) -> Sequence[str]:
        """All values of a key (its name in lower case); empty when the request has none."""
        folded = self._folded
        if folded is None:
            folded = self._folded = {name.lower(): value for name, value in self.context.items()}
        value = folded.get(key, ())
        return (value,) if isinstance(value, str) else value

    def prefixes(self) -> list[str]:
        """Of the resource, up to each boundary; nothing first, the whole last."""
        found = self._prefixes
        if found is None:
            resource = self.resource
            found = self._prefixes = ["", *[resource[:end] for end in boundaries(resource)], resource]
        return found

    def value(self, key: str) -> str | None:
        """AWS: keys of several values cannot be used as variables."""
        values = self.values(key)
        return values[0] if len(values) == 1 else None
