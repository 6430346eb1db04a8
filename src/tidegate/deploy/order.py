"""The order of a stack's resources: what their properties name comes first, and besides that what API Gateway needs although
templates do not say so. A deployment freezes what is there, and templates often name one method or none; usage plans and
base path mappings name their stage by its text.

AWS: CloudFormation User Guide, "DependsOn attribute"; which pairs are added is Tidegate's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.deploy.graph import reachable
from tidegate.deploy.intrinsics import references

_API = "AWS::ApiGateway::"
_NAMED_BY_METHODS = frozenset({f"{_API}Authorizer", f"{_API}Model", f"{_API}RequestValidator"})
_DEPLOYED = _NAMED_BY_METHODS | {f"{_API}GatewayResponse", f"{_API}Method", f"{_API}Resource"}
_STAGES = frozenset({f"{_API}Deployment", f"{_API}Stage"})


def _own_api(properties: Mapping[str, Any]) -> list[Any]:
    return [properties.get("RestApiId")]


def _members(list_name: str, member: str) -> Callable[[Mapping[str, Any]], list[Any]]:
    def names(properties: Mapping[str, Any]) -> list[Any]:
        listed = properties.get(list_name)
        # A function may stand for the whole list; what it names is a dependency anyway.
        return [item.get(member) for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []

    return names


def _api_of_canary(properties: Mapping[str, Any]) -> list[Any]:
    return _own_api(properties) if properties.get("DeploymentCanarySettings") else []


def _source(properties: Mapping[str, Any]) -> list[Any]:
    return [properties.get("CloneFrom")]


def _domain(properties: Mapping[str, Any]) -> list[Any]:
    return [properties.get("DomainName")]


@dataclass(frozen=True, slots=True)
class _Rule:
    """Resources of the `waiting` type come after those of the `first` types that have a value in common with them."""

    waiting: str
    first: frozenset[str]
    names: Callable[[Mapping[str, Any]], Iterable[Any]] = _own_api
    of_first: Callable[[Mapping[str, Any]], Iterable[Any]] = _own_api


_RULES = (
    _Rule(f"{_API}RestApi", _DEPLOYED, _source),
    _Rule(f"{_API}Method", _NAMED_BY_METHODS),
    _Rule(f"{_API}DocumentationVersion", frozenset({f"{_API}DocumentationPart"})),
    _Rule(f"{_API}Deployment", _DEPLOYED | {f"{_API}DocumentationVersion"}),
    _Rule(f"{_API}Deployment", _STAGES, _api_of_canary),
    _Rule(f"{_API}Stage", frozenset({f"{_API}DocumentationVersion"})),
    _Rule(f"{_API}UsagePlan", _STAGES, _members("ApiStages", "ApiId")),
    _Rule(f"{_API}ApiKey", _STAGES, _members("StageKeys", "RestApiId")),
    _Rule(f"{_API}BasePathMapping", _STAGES),
    _Rule(f"{_API}BasePathMapping", frozenset({f"{_API}DomainName"}), _domain, _domain),
    _Rule(f"{_API}BasePathMappingV2", _STAGES),
)


def dependencies_of(
    resources: Mapping[str, Any], uses: Callable[[Mapping[str, Any]], Any], conditions: Mapping[str, bool]
) -> dict[str, set[str]]:
    """What each resource comes after. `uses`: the parts of a resource that name others."""
    dependencies = {
        logical_id: {r.name for r in references(uses(resource), conditions)} & resources.keys()
        for logical_id, resource in resources.items()
    }
    for waiting, first in _implied(resources, conditions):
        # What the template says goes before what is added: no cycle is made.
        if waiting != first and waiting not in reachable(dependencies, first):
            dependencies[waiting].add(first)
    return dependencies


def _implied(resources: Mapping[str, Any], conditions: Mapping[str, bool]) -> Iterator[tuple[str, str]]:
    for rule in _RULES:
        for waiting, named in _of(resources, {rule.waiting}, rule.names):
            meant = [_meaning(value, conditions) for value in named]
            for first, own in _of(resources, rule.first, rule.of_first):
                if any(_meaning(value, conditions) in meant for value in own):
                    yield waiting, first


def _meaning(value: Any, conditions: Mapping[str, bool]) -> Any:
    """`!Ref Api` and `!GetAtt Api.RestApiId` mean the same: the resource that they name."""
    return {reference.name for reference in references(value, conditions)} or value


def _of(
    resources: Mapping[str, Any], types: Iterable[str], names: Callable[[Mapping[str, Any]], Iterable[Any]]
) -> Iterator[tuple[str, list[Any]]]:
    for logical_id in sorted(name for name, resource in resources.items() if resource["Type"] in types):
        values = names(resources[logical_id].get("Properties") or {})
        yield logical_id, [value for value in values if value is not None]


def snapshots_of(resources: Mapping[str, Any], conditions: Mapping[str, bool]) -> dict[str, frozenset[str]]:
    """For each deployment, the resources that make up the API it freezes, the API itself among them."""
    return {
        logical_id: _frozen(resource["Properties"]["RestApiId"], resources, conditions)
        for logical_id, resource in resources.items()
        if resource["Type"] == f"{_API}Deployment"
    }


def _frozen(api: Any, resources: Mapping[str, Any], conditions: Mapping[str, bool]) -> frozenset[str]:
    meant = _meaning(api, conditions)
    parts = {
        logical_id
        for logical_id, own in _of(resources, _DEPLOYED, _own_api)
        if any(_meaning(value, conditions) == meant for value in own)
    }
    return frozenset(parts | {reference.name for reference in references(api, conditions)} & resources.keys())
