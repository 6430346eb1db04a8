"""From a template file to a plan: everything that can be checked before anything is created, checked, and all problems told at
once: parameters, local code, SAM, conditions, types, properties, references, order.

Not here: the order (`order`), creating anything (`stack`). Nothing here talks to a server; pip may run for a requirements.txt.
AWS: CloudFormation User Guide, "Template anatomy", "Resource attribute reference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tidegate.deploy.dynamic import promised, services
from tidegate.deploy.errors import DeployError, Problem
from tidegate.deploy.graph import CycleError, topological
from tidegate.deploy.intrinsics import UNKNOWN, IntrinsicError, Scope, condition, evaluate, references
from tidegate.deploy.order import dependencies_of, snapshots_of
from tidegate.deploy.package import Packages
from tidegate.deploy.parameters import Target, pseudo_parameters, resolve_parameters
from tidegate.deploy.resources.registry import PROVIDERS
from tidegate.deploy.sam import translate
from tidegate.deploy.sources import Sources
from tidegate.deploy.template import Document, read_template

_RESOURCE_ATTRIBUTES = frozenset(
    {"Condition", "DeletionPolicy", "DependsOn", "Metadata", "Properties", "Type", "UpdateReplacePolicy"}
)
_POLICIES = frozenset({"Delete", "Retain", "RetainExceptOnCreate"})
_RETAINING = frozenset({"Retain", "RetainExceptOnCreate"})
_SERVERLESS = "AWS::Serverless::"


@dataclass(frozen=True, slots=True)
class PlannedResource:
    """One resource of the translated template whose condition holds."""

    logical_id: str
    type: str
    properties: Mapping[str, Any]
    """As written: functions are evaluated when its turn comes."""
    depends_on: frozenset[str]
    retain: bool
    """Keep it when it leaves the template."""
    retain_replaced: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A template that can be applied."""

    target: Target
    scope: Scope
    """Knows no resource yet."""
    resources: tuple[PlannedResource, ...]
    """Each after all that it depends on."""
    outputs: Mapping[str, Mapping[str, Any]]
    packages: Packages
    snapshots: Mapping[str, frozenset[str]]
    """For each deployment, the resources that make up the API it freezes."""
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Promised:
    """Resources that do not exist yet: their names are known, their ids are not."""

    types: Mapping[str, str]

    def __contains__(self, logical_id: object) -> bool:
        return logical_id in self.types

    def ref(self, logical_id: str) -> Any:
        return UNKNOWN

    def attribute(self, logical_id: str, name: str) -> Any:
        kind = self.types[logical_id]
        if name not in PROVIDERS[kind].attributes:
            raise IntrinsicError(
                f"Template error: resource {logical_id} does not support attribute type {name} in Fn::GetAtt"
            )
        return UNKNOWN


def make_plan(
    path: Path,
    *,
    target: Target,
    given: Mapping[str, str],
    exports: Mapping[str, str],
    cache: Path,
    hot_reload: bool = False,
) -> Plan:
    """Read and check a template. `given`: parameter values. `exports`: outputs of other stacks. `hot_reload`: the server can
    read the folders with the functions' code. Raises DeployError.
    """
    document = read_template(path)
    values, problems = resolve_parameters(document.body.get("Parameters") or {}, given)
    scope = Scope(
        parameters=values | pseudo_parameters(target),
        mappings=document.body.get("Mappings") or {},
        conditions={},
        resources=_Promised({}),
        exports=exports,
    )
    packages = Packages(cache)
    body, unread = Sources(path.resolve().parent, scope, packages, hot_reload).resolve(document.body)
    problems += unread
    if problems:
        raise DeployError([*problems, *_refused_types(document, body["Resources"])])
    try:
        translated = translate(body, parameters=scope.parameters, region=target.region)
    except DeployError as error:
        raise DeployError([*error.problems, *_refused_types(document, body["Resources"])]) from error
    return _checked(document, translated, target=target, scope=scope, packages=packages)


def _checked(
    document: Document, template: Mapping[str, Any], *, target: Target, scope: Scope, packages: Packages
) -> Plan:
    scope = replace(scope, conditions=_conditions(template.get("Conditions") or {}, scope))
    resources, problems = _active(template["Resources"], scope)
    problems += _refused_types(document, resources)
    if problems:
        raise DeployError(problems)
    types = {logical_id: resource["Type"] for logical_id, resource in resources.items()}
    dry = replace(scope, resources=_Promised(types))
    warnings: list[str] = []
    for logical_id, resource in resources.items():
        problems += _check_attributes(logical_id, resource)
        problems += _check_properties(logical_id, resource, dry, types, warnings)
    warnings += _without_effect(resources)
    outputs, bad_outputs = _outputs(template.get("Outputs") or {}, dry)
    problems += _unresolved(resources, outputs, dry) or bad_outputs
    if problems:
        raise DeployError(_once(problems))
    dependencies = dependencies_of(resources, _uses, scope.conditions)
    try:
        order = topological(dependencies)
    except CycleError as error:
        raise DeployError([Problem("Resources", str(error))]) from error
    snapshots = snapshots_of(resources, scope.conditions)
    planned = tuple(_planned(logical_id, resources[logical_id], dependencies[logical_id]) for logical_id in order)
    return Plan(target, scope, planned, outputs, packages, snapshots, tuple(warnings))


def _conditions(declared: Mapping[str, Any], scope: Scope) -> dict[str, bool]:
    dependencies = {name: {*_named_conditions(value)} & declared.keys() for name, value in declared.items()}
    try:
        order = topological(dependencies)
    except CycleError as error:
        message = f"Template error: circular dependency between conditions: [{', '.join(error.members)}]"
        raise DeployError([Problem("Conditions", message)]) from error
    truths: dict[str, bool] = {}
    problems = []
    for name in order:
        try:
            truths[name] = condition(declared[name], replace(scope, conditions=truths))
        except IntrinsicError as error:
            problems.append(Problem(f"Conditions.{name}", str(error)))
    if problems:
        raise DeployError(problems)
    return truths


def _named_conditions(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(name := value.get("Condition"), str):
            yield name
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _named_conditions(item)


def _active(declared: Mapping[str, Any], scope: Scope) -> tuple[dict[str, Any], list[Problem]]:
    """The resources whose condition holds, or that have none."""
    problems = [
        Problem(logical_id, f"Template format error: Unresolved condition {resource['Condition']}")
        for logical_id, resource in declared.items()
        if resource.get("Condition") is not None and resource["Condition"] not in scope.conditions
    ]
    active = {
        logical_id: resource
        for logical_id, resource in declared.items()
        if scope.conditions.get(resource.get("Condition"), True)
    }
    return active, problems


def _refused_types(document: Document, resources: Mapping[str, Any]) -> Iterator[Problem]:
    for logical_id, resource in resources.items():
        kind = resource["Type"]
        if kind in PROVIDERS or kind.startswith(_SERVERLESS):
            continue
        if kind == "AWS::CloudFormation::CustomResource" or kind.startswith("Custom::"):
            yield Problem(logical_id, f"custom resources ({kind}) are not supported")
            continue
        made = "" if logical_id in document.body["Resources"] else ", which the SAM transform makes,"
        yield Problem(logical_id, f"the resource type {kind}{made} is not supported")


def _check_attributes(logical_id: str, resource: Mapping[str, Any]) -> Iterator[Problem]:
    for name in sorted(resource.keys() - _RESOURCE_ATTRIBUTES):
        yield Problem(f"{logical_id}.{name}", f"the resource attribute {name} is not supported")
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.get(name, "Delete")
        if policy not in _POLICIES:
            yield Problem(f"{logical_id}.{name}", f"the policy {policy} is not supported")


def _check_properties(
    logical_id: str, resource: Mapping[str, Any], dry: Scope, types: Mapping[str, str], warnings: list[str]
) -> Iterator[Problem]:
    provider = PROVIDERS[resource["Type"]]
    table = provider.table
    given = resource.get("Properties") or {}
    values: dict[str, Any] = {}
    for name, raw in given.items():
        try:
            value = promised(evaluate({name: raw}, dry))
        except IntrinsicError as error:
            yield Problem(f"{logical_id}.{name}", str(error))
            continue
        if not value:
            continue
        if not table.known(name):
            yield Problem(logical_id, f"Encountered unsupported property {name}")
        elif reason := table.refused.get(name):
            yield Problem(f"{logical_id}.{name}", reason)
        values |= value
    for name in sorted(table.required - given.keys()):
        yield Problem(logical_id, f"Property {name} cannot be empty.")
    named = {name: _types_named(raw, dry, types) for name, raw in given.items()}
    yield from (Problem(f"{logical_id}.{place}", reason) for place, reason in provider.check(values, named))
    warnings += [f"{logical_id}.{name}: {reason}" for name, reason in table.warnings(values)]


def _types_named(value: Any, dry: Scope, types: Mapping[str, str]) -> frozenset[str]:
    return frozenset(types[used.name] for used in references(value, dry.conditions) if used.name in types)


def _without_effect(resources: Mapping[str, Any]) -> Iterator[str]:
    """A line for each type that is only recorded, with the names of all its resources."""
    for kind, provider in PROVIDERS.items():
        names = [logical_id for logical_id, resource in resources.items() if resource["Type"] == kind]
        if provider.no_effect and names:
            yield f"{', '.join(names)}: {kind} {provider.no_effect}"


def _outputs(declared: Mapping[str, Any], dry: Scope) -> tuple[dict[str, Any], list[Problem]]:
    active = {name: output for name, output in declared.items() if dry.conditions.get(output.get("Condition"), True)}
    problems = []
    for name, output in active.items():
        try:
            if "Value" not in output:
                raise IntrinsicError("Template format error: every Outputs member must contain a Value object")
            shown = evaluate([output["Value"], output.get("Export", {})], dry)
            # AWS: outputs are no place for secrets.
            if any(service != "ssm" for service in services(shown)):
                raise IntrinsicError("secrets are not shown in outputs")
        except IntrinsicError as error:
            problems.append(Problem(f"Outputs.{name}", str(error)))
    return active, problems


def _unresolved(resources: Mapping[str, Any], outputs: Mapping[str, Any], dry: Scope) -> list[Problem]:
    """Names that nothing has, a line for each block as CloudFormation says it."""
    problems = []
    for block, members in (("Resources", [_uses(r) for r in resources.values()]), ("Outputs", [*outputs.values()])):
        used = {reference.name for reference in references(members, dry.conditions)}
        missing = sorted(used - resources.keys() - dry.parameters.keys() - {"AWS::NoValue"})
        if missing:
            message = f"Unresolved resource dependencies [{', '.join(missing)}] in the {block} block of the template"
            problems.append(Problem(block, f"Template format error: {message}"))
    return problems


def _uses(resource: Mapping[str, Any]) -> list[Any]:
    return [resource.get("Properties") or {}, *({"Ref": name} for name in _listed(resource.get("DependsOn")))]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _once(problems: list[Problem]) -> list[Problem]:
    """What the summary of unresolved names says already, single properties need not repeat."""
    summary = any(
        "Unresolved resource dependencies" in p.message and p.pointer in ("Resources", "Outputs") for p in problems
    )
    repeated = (
        "Template format error: Unresolved resource",
        "Template error: instance of Fn::GetAtt references undefined",
    )
    kept = [
        p
        for p in problems
        if not summary or p.pointer in ("Resources", "Outputs") or not p.message.startswith(repeated)
    ]
    return list(dict.fromkeys(kept))


def _planned(logical_id: str, resource: Mapping[str, Any], dependencies: set[str]) -> PlannedResource:
    return PlannedResource(
        logical_id=logical_id,
        type=resource["Type"],
        properties=resource.get("Properties") or {},
        depends_on=frozenset(dependencies),
        retain=resource.get("DeletionPolicy") in _RETAINING,
        retain_replaced=resource.get("UpdateReplacePolicy") in _RETAINING,
    )
