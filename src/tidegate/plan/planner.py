"""Keeps the plan in step with the store: compiles what a commit touched, and hands over what is to be published.

Runs in the management thread; what it returns is swapped in by the event loop. A stage that no longer compiles keeps its
last good plan, and the failure is logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from tidegate.aws.scope import Scope
from tidegate.core.arns import function_arn
from tidegate.core.errors import DefinitionError
from tidegate.definition.freeze import thaw
from tidegate.definition.records import Deployment, DeploymentDocument, Function, Stage
from tidegate.definition.store import Change, Store
from tidegate.functions.spec import CatalogEntry
from tidegate.plan.catalog import catalog_entry
from tidegate.plan.compile import compile_stage
from tidegate.plan.nodes import Snapshot, StagePlan

log = logging.getLogger("tidegate.plan")


@dataclass(slots=True)
class Publication:
    """What a commit changes for the parts that run."""

    snapshot: Snapshot | None = None
    functions: dict[str, CatalogEntry | None] = field(default_factory=dict)
    """By function ARN; None: gone."""


class Planner:
    """Holds the current snapshot and the plans that were checked but not committed yet."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stages: dict[tuple[str, str], StagePlan] = {}
        self._checked: list[tuple[Scope, Stage, StagePlan]] = []

    def check(self, document: DeploymentDocument, stage: Stage, scope: Scope) -> None:
        """Compile ahead of a commit. Raises DefinitionError; a good plan is kept for the commit that follows."""
        self._checked.append((scope, stage, compile_stage(document, stage, scope)))

    def discard_checked(self) -> None:
        """The operation that checked is over."""
        self._checked.clear()

    def load(self) -> Publication:
        """Everything, from the store: at start-up and after a reset."""
        self._stages = {}
        publication = Publication()
        for scope, function in self._store.scan(Function):
            publication.functions[function.function_arn] = catalog_entry(function, scope)
        deployments = {(scope, *deployment.key): deployment for scope, deployment in self._store.scan(Deployment)}
        for scope, stage in self._store.scan(Stage):
            deployment = deployments.get((scope, stage.api_id, stage.deployment_id))
            if deployment is None:
                log.error("stage %s/%s points to a deployment that is not there", stage.api_id, stage.stage_name)
            else:
                self._compile(scope, stage, deployment)
        publication.snapshot = Snapshot(dict(self._stages))
        return publication

    def follow(self, changes: Iterable[Change]) -> Publication:
        """What a commit means for the plan."""
        publication = Publication()
        for change in changes:
            if change.kind is Stage:
                self._follow_stage(change)
                publication.snapshot = Snapshot()
            elif change.kind is Function:
                self._follow_function(change, publication)
        if publication.snapshot is not None:
            publication.snapshot = Snapshot(dict(self._stages))
        return publication

    def _follow_stage(self, change: Change) -> None:
        stage = change.record
        if not isinstance(stage, Stage):
            self._stages.pop((change.key[0], change.key[1]), None)
            return
        with self._store.read(change.scope) as tx:
            deployment = tx.get(Deployment, stage.api_id, stage.deployment_id)
        if deployment is not None:
            self._compile(change.scope, stage, deployment)

    def _compile(self, scope: Scope, stage: Stage, deployment: Deployment) -> None:
        key = (stage.api_id, stage.stage_name)
        plan = next((plan for at, checked, plan in self._checked if at == scope and checked == stage), None)
        if plan is None:
            try:
                plan = compile_stage(thaw(self._store.document(deployment.document)), stage, scope)
            except DefinitionError as error:
                log.error("stage %s/%s keeps its last good plan: %s", *key, error)
                return
        self._stages[key] = plan

    @staticmethod
    def _follow_function(change: Change, publication: Publication) -> None:
        if isinstance(change.record, Function):
            publication.functions[change.record.function_arn] = catalog_entry(change.record, change.scope)
        else:
            arn = function_arn(change.scope.region, change.scope.account, change.key[0])
            publication.functions[arn] = None
