"""What an operation of a management API gets to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.core.clock import Clock
from tidegate.core.ids import Ids
from tidegate.definition.records import DeploymentDocument, Stage
from tidegate.definition.store import Transaction
from tidegate.plan.nodes import StagePlan
from tidegate.state.callers import Caller


class PlanCheck(Protocol):
    """Compiles ahead of a commit. Raises DefinitionError."""

    def check(
        self, tx: Transaction, document: DeploymentDocument, stage: Stage, canary: DeploymentDocument | None = None
    ) -> StagePlan: ...


class PackageInfo(Protocol):
    @property
    def code_sha256(self) -> str: ...
    @property
    def code_size(self) -> int: ...


class Packages(Protocol):
    """The store of deployment packages."""

    def add(self, zip_bytes: bytes) -> PackageInfo: ...


@dataclass(frozen=True, slots=True)
class Context:
    """One operation's surroundings: its transaction, whose account it works for, and the injected sources."""

    tx: Transaction
    scope: Scope
    clock: Clock
    ids: Ids
    plans: PlanCheck
    packages: Packages
    base_url: str
    """Of this server, as the caller addressed it."""
    caller: Caller | None = None
    """Who asks; None where it makes no difference."""


Operation: TypeAlias = Callable[[Context, Params], Any]
"""Works on the transaction and returns a record, a mapping, an Answer or None. Raises ControlError."""
