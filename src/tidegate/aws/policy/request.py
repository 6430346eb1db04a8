"""What is asked: an action on a resource, by somebody, under circumstances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate.aws.policy.principals import Principal

Context = Mapping[str, "str | Sequence[str]"]


class Request:
    """`context`: condition keys with one value or several, named as AWS names them; their case does not matter.

    Times are ISO 8601 or seconds since the epoch, booleans `true` and `false`, binary values Base64.
    """

    __slots__ = ("_folded", "action", "context", "principal", "resource")

    def __init__(self, action: str, resource: str, principal: Principal, context: Context) -> None:
        self.action = action
        self.resource = resource
        self.principal = principal
        self.context = context
        self._folded: Context | None = None

    def values(self, key: str) -> Sequence[str]:
        """All values of a key (its name in lower case); empty when the request has none."""
        folded = self._folded
        if folded is None:
            folded = self._folded = {name.lower(): value for name, value in self.context.items()}
        value = folded.get(key, ())
        return (value,) if isinstance(value, str) else value

    def value(self, key: str) -> str | None:
        """AWS: keys of several values cannot be used as variables."""
        values = self.values(key)
        return values[0] if len(values) == 1 else None
