"""Every function, version and alias that can be invoked now: put in place, found by ARN, taken away.

Not here: what one of them is (targets), running it (service, pool).

AWS: "Lambda function versions", "Create an alias for a Lambda function".
"""

from __future__ import annotations

from collections.abc import Callable

from tidegate.core.ids import Ids
from tidegate.functions.group import FunctionGroup
from tidegate.functions.pool import Pool
from tidegate.functions.spec import LATEST, AliasEntry, CatalogEntry, FunctionSpec, InvokeError
from tidegate.functions.targets import Alias, Function, Policy, Quota


class Catalog:
    """What is replaced or removed finishes what it runs: its group is retired in the pool."""

    def __init__(self, pool: Pool, ids: Ids, new_group: Callable[[FunctionSpec], FunctionGroup]) -> None:
        self._pool = pool
        self._ids = ids
        self._new_group = new_group
        self._functions: dict[str, Function] = {}
        """By ARN: of `$LATEST` without a qualifier, of versions with their number."""
        self._aliases: dict[str, Alias] = {}
        self._quotas: dict[str, Quota] = {}
        """By ARN without a qualifier."""
        self._claims: dict[str, dict[str, int]] = {}
        """How many workers are to be kept warm: ARN of what runs → ARN of what asks for it, itself or an alias → number."""

    def replace(self, entry: CatalogEntry | AliasEntry) -> None:
        """Add a function, or put another version of it in place. Workers stay when only the permissions differ."""
        if isinstance(entry, AliasEntry):
            self._unclaim(entry.arn)
            self._aliases[entry.arn] = Alias(entry)
            self._claim(entry.routes[-1][0], entry.arn, entry.provisioned)
            return
        quota = self._quotas.setdefault(entry.spec.arn, Quota())
        if entry.spec.version == LATEST:
            quota.limit = entry.reserved_concurrency
        old = self._functions.get(entry.arn)
        if old is not None and old.entry.spec == entry.spec:
            self._functions[entry.arn] = Function(entry, old.group, quota)
        else:
            group = self._new_group(entry.spec)
            self._functions[entry.arn] = Function(entry, group, quota)
            if old is not None:
                self._pool.retire(old.group, group)
        self._claim(entry.arn, entry.arn, entry.provisioned)

    def remove(self, arn: str) -> FunctionSpec | None:
        """It is not found from now on; what it runs is finished. Gives back what it was, None for what is not there."""
        self._unclaim(arn)
        self._aliases.pop(arn, None)
        old = self._functions.pop(arn, None)
        if old is not None:
            self._claims.get(arn, {}).pop(arn, None)
            self._pool.retire(old.group, None)
            if old.entry.spec.version == LATEST:
                self._quotas.pop(arn, None)
        return None if old is None else old.entry.spec

    def renew(self, function: Function) -> None:
        """Fresh workers for the same function: its code has changed where it lies."""
        old = function.group
        function.group = self._new_group(function.entry.spec)
        self._pool.retire(old, function.group)
        self._provision(function.entry.arn)

    def current(self, function: Function) -> Function | None:
        """What has the function's ARN by now; None: it was removed."""
        return self._functions.get(function.entry.arn)

    def alias(self, arn: str) -> AliasEntry | None:
        found = self._aliases.get(arn)
        return None if found is None else found.entry

    def find(self, arn: str) -> tuple[Function, Policy]:
        """What runs, and whose policy decides. Raises InvokeError."""
        function = self._functions.get(arn)
        if function is not None:
            return function, function.policy
        alias = self._aliases.get(arn)
        if alias is not None:
            function = self._functions.get(self._route(alias.entry))
            if function is not None:
                return function, alias.policy
        unqualified, _, qualifier = arn.rpartition(":")
        function = self._functions.get(unqualified)
        if function is None or qualifier != LATEST:
            raise not_found(arn)
        return function, function.policy

    def _claim(self, arn: str, by: str, number: int) -> None:
        if number:
            self._claims.setdefault(arn, {})[by] = number
        else:
            self._claims.get(arn, {}).pop(by, None)
        self._provision(arn)

    def _unclaim(self, by: str) -> None:
        """What an alias asked for, of the version that it led to so far."""
        alias = self._aliases.get(by)
        if alias is not None:
            self._claim(alias.entry.routes[-1][0], by, 0)

    def _provision(self, arn: str) -> None:
        function = self._functions.get(arn)
        if function is not None:
            claimed = sum(self._claims.get(arn, {}).values())
            self._pool.provision(function.group, claimed if function.group.most is None else function.group.most)

    def _route(self, alias: AliasEntry) -> str:
        """One of the versions, by their weights."""
        drawn = self._ids.percent() if len(alias.routes) > 1 else 0.0
        for arn, share in alias.routes:
            if drawn < share:
                return arn
            drawn -= share
        return alias.routes[-1][0]


def not_found(arn: str) -> InvokeError:
    return InvokeError("ResourceNotFoundException", f"Function not found: {arn}", 404)
