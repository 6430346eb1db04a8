"""What an ARN can name — `$LATEST`, a version, an alias — with who may invoke it and how much of it may run at once.

Not here: finding one by its ARN (catalog), running it (service).

AWS: "Using resource-based policies for Lambda", "Configuring reserved concurrency".
"""

from __future__ import annotations

from typing import Final

from tidegate.functions.group import FunctionGroup
from tidegate.functions.permissions import may_invoke
from tidegate.functions.spec import AliasEntry, CatalogEntry, InvokeError, Invoker, Permission

_DECISIONS: Final = 1024
"""Remembered per function: sources are an API's methods, so they are few unless somebody makes them up."""


class Quota:
    """Reserved concurrency: what all versions of a function may run at once."""

    __slots__ = ("limit", "running")

    def __init__(self) -> None:
        self.limit: int | None = None
        self.running = 0

    def take(self) -> None:
        """Raises InvokeError when it is spent."""
        if self.limit is not None and self.running >= self.limit:
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
            raise InvokeError("TooManyRequestsException", "Rate Exceeded.", 429, reason=reason)
        self.running += 1

    def give_back(self) -> None:
        self.running -= 1


class Policy:
    """Who may invoke what one ARN names; decisions are remembered."""

    __slots__ = ("decisions", "permissions")

    def __init__(self, permissions: tuple[Permission, ...]) -> None:
        self.permissions = permissions
        self.decisions: dict[Invoker, bool] = {}

    def allows(self, invoker: Invoker) -> bool:
        decision = self.decisions.get(invoker)
        if decision is None:
            if len(self.decisions) >= _DECISIONS:
                self.decisions.clear()
            decision = self.decisions[invoker] = may_invoke(self.permissions, invoker)
        return decision


class Function:
    """`$LATEST` or a version: what can be run under one ARN now."""

    __slots__ = ("entry", "group", "policy", "quota")

    def __init__(self, entry: CatalogEntry, group: FunctionGroup, quota: Quota) -> None:
        self.entry = entry
        self.group = group
        self.policy = Policy(entry.permissions)
        self.quota = quota


class Alias:
    """A name for one version or two."""

    __slots__ = ("entry", "policy")

    def __init__(self, entry: AliasEntry) -> None:
        self.entry = entry
        self.policy = Policy(entry.permissions)
