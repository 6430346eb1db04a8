"""Applying a plan: resource after resource is created, changed in place, replaced or left alone, then what is gone is
removed. The state is saved after every step, so that it says what exists whenever the run stops.

A failure stops what depends on it and nothing else, so that one run finds all failures. On a stack's first creation what the
run made is taken back; an update keeps what it reached, and the next run goes on from there.
AWS: CloudFormation User Guide, "Update behaviors of stack resources", "Stack failure options".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tidegate.deploy.dynamic import Values, resolved
from tidegate.deploy.errors import DeployError, Problem
from tidegate.deploy.graph import CycleError, topological
from tidegate.deploy.intrinsics import IntrinsicError, Scope, evaluate, text
from tidegate.deploy.plan import Plan, PlannedResource
from tidegate.deploy.resources.base import ClientFactory, Context, Made, ResourceError, explain
from tidegate.deploy.resources.registry import PROVIDERS
from tidegate.deploy.state import ResourceState, StackState, StackStore

_FAILURES = (ClientError, BotoCoreError, ResourceError, IntrinsicError)
_NOTHING = Made("")
"""What a resource is before it has been made."""


@dataclass(frozen=True, slots=True)
class Event:
    """One step, for the report."""

    action: str
    """created, updated, replaced, unchanged, restored, deleted, retained, failed, skipped, rolled back"""
    logical_id: str
    type: str
    detail: str
    """The physical id, or why."""


@dataclass(frozen=True, slots=True)
class Live:
    """The resources of a stack as they exist."""

    resources: Mapping[str, ResourceState]

    def __contains__(self, logical_id: object) -> bool:
        return logical_id in self.resources

    def ref(self, logical_id: str) -> Any:
        return self.resources[logical_id].made.physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        attributes = self.resources[logical_id].made.attributes
        if name not in attributes:
            raise IntrinsicError(f"Attribute '{name}' does not exist on {logical_id}")
        return attributes[name]


class StackRun:
    """One deployment of one stack."""

    def __init__(
        self,
        plan: Plan,
        state: StackState,
        *,
        clients: ClientFactory,
        stacks: StackStore,
        tell: Callable[[Event], None],
    ) -> None:
        self._plan = plan
        self._state = state
        self._clients = clients
        self._stacks = stacks
        self._tell = tell
        self._scope: Scope = replace(plan.scope, resources=Live(state.resources))
        self._values = Values(clients)
        self._touched: list[str] = []
        self.warnings: list[str] = []

    def apply(self) -> None:
        """Raises DeployError with everything that failed; the state then says what exists."""
        first = not self._state.resources and not self._state.retired
        if failures := self._settle_all():
            if first:
                self._roll_back()
            else:
                self.warnings.append(
                    "the stack is updated in part: what succeeded stays, and the next run goes on from there"
                )
            raise DeployError(failures)
        self.warnings += self._stale_deployments(first=first)
        self._outputs()
        if failures := [*self._remove(self._gone())]:
            raise DeployError(failures)

    def _settle_all(self) -> list[Problem]:
        failures: list[Problem] = []
        blocked: set[str] = set()
        for resource in self._plan.resources:
            logical_id = resource.logical_id
            if waiting := sorted(resource.depends_on & blocked):
                blocked.add(logical_id)
                self._tell(Event("skipped", logical_id, resource.type, f"needs {', '.join(waiting)}"))
                continue
            try:
                self._settle(resource)
            except _FAILURES as error:
                reason = explain(error) if isinstance(error, ClientError | BotoCoreError) else str(error)
                blocked.add(logical_id)
                failures.append(Problem(logical_id, reason))
                self._tell(Event("failed", logical_id, resource.type, reason))
        return failures

    def _settle(self, resource: PlannedResource) -> None:
        properties = evaluate(resource.properties, self._scope)
        current = self._state.resources.get(resource.logical_id)
        if current is None:
            self._create(resource, properties, action="created")
        elif current.type != resource.type:
            raise ResourceError(f"Update of resource type is not permitted ({current.type} to {resource.type})")
        elif not PROVIDERS[current.type].exists(current.made, current.properties, self._context(current)):
            self._create(resource, properties, action="restored", generation=current.generation)
        elif changed := _changed(properties, current.properties):
            self._change(resource, properties, current, changed)
        else:
            self._keep(resource, current)

    def _create(
        self, resource: PlannedResource, properties: Mapping[str, Any], *, action: str, generation: int = 0
    ) -> None:
        fresh = ResourceState(resource.logical_id, resource.type, _NOTHING, properties, (), generation)
        made = PROVIDERS[resource.type].create(resolved(properties, self._values), self._context(fresh))
        self._record(resource, replace(fresh, made=made), action)

    def _change(
        self,
        resource: PlannedResource,
        properties: Mapping[str, Any],
        current: ResourceState,
        changed: set[str],
    ) -> None:
        provider = PROVIDERS[resource.type]
        if not changed & provider.table.replacing:
            wanted = resolved(properties, self._values)
            made = provider.update(current.made, wanted, current.properties, self._context(current))
            self._record(resource, replace(current, made=made, properties=properties), "updated")
            return
        if (name := provider.table.name) and name in properties and name not in changed:
            raise ResourceError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {properties[name]} and update the stack again."
            )
        if not resource.retain_replaced:
            self._state.retired.append(current)
        try:
            self._create(resource, properties, action="replaced", generation=current.generation + 1)
        except BaseException:
            if not resource.retain_replaced:
                self._state.retired.pop()
            raise

    def _keep(self, resource: PlannedResource, current: ResourceState) -> None:
        depends_on = tuple(sorted(resource.depends_on))
        self._state.resources[resource.logical_id] = replace(current, depends_on=depends_on, retain=resource.retain)
        self._tell(Event("unchanged", resource.logical_id, resource.type, current.made.physical_id))

    def _record(self, resource: PlannedResource, state: ResourceState, action: str) -> None:
        depends_on = tuple(sorted(resource.depends_on))
        self._state.resources[resource.logical_id] = replace(state, depends_on=depends_on, retain=resource.retain)
        self._touched.append(resource.logical_id)
        self._save()
        self._tell(Event(action, resource.logical_id, resource.type, state.made.physical_id))

    def _context(self, resource: ResourceState) -> Context:
        return Context(
            clients=self._clients,
            target=self._plan.target,
            packages=self._plan.packages,
            logical_id=resource.logical_id,
            generation=resource.generation,
            warn=lambda message: self.warnings.append(f"{resource.logical_id}.{message}"),
        )

    def _stale_deployments(self, *, first: bool) -> Iterator[str]:
        touched = set(self._touched)
        for deployment, members in self._plan.snapshots.items():
            if not first and members & touched and deployment not in touched:
                yield (
                    f"{deployment}: the API has changed and this deployment has not; as on AWS, its stages go on serving "
                    "the API as it was (give the deployment a new logical id)"
                )

    def _outputs(self) -> None:
        outputs, exports = {}, {}
        problems = []
        for name, output in self._plan.outputs.items():
            try:
                outputs[name] = _output_text(resolved(evaluate(output["Value"], self._scope), self._values))
                if export := output.get("Export"):
                    exports[text(evaluate(export["Name"], self._scope))] = outputs[name]
            except _FAILURES as error:
                problems.append(Problem(f"Outputs.{name}", str(error)))
        problems += [
            Problem("Outputs", f"Export with name {name} is already exported by another stack")
            for name in sorted(exports.keys() & self._plan.scope.exports.keys())
        ]
        if problems:
            raise DeployError(problems)
        self._state.outputs, self._state.exports = outputs, exports
        self._save()

    def _gone(self) -> list[ResourceState]:
        """What the template no longer has, and what was replaced; whatever stands on another goes first."""
        planned = {resource.logical_id for resource in self._plan.resources}
        gone = [state for logical_id, state in self._state.resources.items() if logical_id not in planned]
        return _removal_order([*self._state.retired, *gone])

    def _remove(self, doomed: list[ResourceState]) -> Iterator[Problem]:
        for resource in doomed:
            retired = resource in self._state.retired
            try:
                if retired or not resource.retain:
                    PROVIDERS[resource.type].delete(resource.made, resource.properties, self._context(resource))
            except _FAILURES as error:
                reason = explain(error) if isinstance(error, ClientError | BotoCoreError) else str(error)
                self._tell(Event("failed", resource.logical_id, resource.type, reason))
                yield Problem(resource.logical_id, reason)
                continue
            if retired:
                self._state.retired.remove(resource)
            else:
                del self._state.resources[resource.logical_id]
            self._save()
            action = "retained" if resource.retain and not retired else "deleted"
            self._tell(Event(action, resource.logical_id, resource.type, resource.made.physical_id))

    def _roll_back(self) -> None:
        made = [replace(self._state.resources[name], retain=False) for name in self._touched]
        for resource in made:
            self._state.resources[resource.logical_id] = resource
        for problem in self._remove(list(reversed(made))):
            self.warnings.append(f"{problem.pointer} could not be rolled back: {problem.message}")

    def _save(self) -> None:
        self._stacks.put(self._state.name, self._state.to_json())


def _changed(new: Mapping[str, Any], old: Mapping[str, Any]) -> set[str]:
    return {name for name in new.keys() | old.keys() if new.get(name) != old.get(name)}


def _removal_order(doomed: list[ResourceState]) -> list[ResourceState]:
    keys = {f"{index}": resource for index, resource in enumerate(doomed)}
    dependencies = {
        key: {other for other, target in keys.items() if target.logical_id in resource.depends_on and other != key}
        for key, resource in keys.items()
    }
    try:
        order = topological(dependencies)
    except CycleError:
        # Lives of different generations may depend on each other's names; any order will do, none depends on the other.
        order = list(keys)
    return [keys[key] for key in reversed(order)]


def _output_text(value: Any) -> str:
    return ",".join(map(text, value)) if isinstance(value, list) else text(value)
