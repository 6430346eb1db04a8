"""What policies would allow, without doing it: statement by statement, as the gateway itself decides.

Source: *SimulateCustomPolicy*, *SimulatePrincipalPolicy*, *GetContextKeysForCustomPolicy* (IAM API Reference).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.aws.policy import (
    ANONYMOUS,
    CompiledPolicy,
    Decision,
    Effect,
    Kind,
    Policies,
    PolicyError,
    Principal,
    Request,
    compile_policy,
    decide,
)
from tidegate.aws.policy.managed import AWS_MANAGED
from tidegate.control.context import Context, Operation
from tidegate.control.iam import positions
from tidegate.control.iam.lookup import KINDS, arn, document_of, find, no_such, page
from tidegate.core.errors import ControlError
from tidegate.definition.records import Group, Role, User

_REFUSED = {
    "ordered_organization_policy_input_list": "policies of organizations",
    "resource_handling_option": "ResourceHandlingOption",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One policy of a simulation."""

    id: str
    type: str
    document: str
    policy: CompiledPolicy


def _source(id: str, type: str, document: str, kind: Kind = Kind.IDENTITY) -> Source:
    try:
        return Source(id, type, document, compile_policy(document, source_name=id, kind=kind))
    except PolicyError as error:
        raise ControlError("InvalidInput", f"Invalid Input Policy: {error.message}") from None


@dataclass(frozen=True, slots=True)
class _World:
    identity: Sequence[Source]
    boundary: Source | None
    resource: Source | None
    principal: Principal
    owner: str | None

    @property
    def sources(self) -> Sequence[Source]:
        return [*self.identity, *(one for one in (self.boundary, self.resource) if one is not None)]

    @property
    def policies(self) -> Policies:
        return Policies(
            identity=tuple(source.policy for source in self.identity),
            boundary=None if self.boundary is None else self.boundary.policy,
            resource=None if self.resource is None else self.resource.policy,
            resource_account=self.owner,
        )


def custom(context: Context, params: Params) -> dict[str, Any]:
    given = _inputs(params.get("policy_input_list"))
    return _results(_world(context, params, given, None, None), params)


def principal(context: Context, params: Params) -> dict[str, Any]:
    record = _named(context, params["policy_source_arn"])
    attached = _attached(context, record)
    boundary = None
    if isinstance(record, User | Role) and record.boundary:
        boundary = _of_managed(context, record.boundary)
    own = Principal("User", arn(context, record), context.scope.account)
    given = [*attached, *_inputs(params.get("policy_input_list"))]
    return _results(_world(context, params, given, boundary, own), params)


def _inputs(documents: Iterable[str] | None, name: str = "PolicyInputList") -> list[Source]:
    return [_source(f"{name}.{number}", "IAM Policy", document) for number, document in enumerate(documents or (), 1)]


def _world(
    context: Context, params: Params, identity: list[Source], boundary: Source | None, own: Principal | None
) -> _World:
    for member, name in _REFUSED.items():
        if params.get(member):
            raise ControlError("InvalidInput", f"Tidegate does not simulate {name} yet")
    limits = _inputs(params.get("permissions_boundary_policy_input_list"), "PermissionsBoundaryPolicyInputList")
    document = params.get("resource_policy")
    resource = None if document is None else _source("ResourcePolicy", "Resource Policy", document, Kind.RESOURCE)
    caller = params.get("caller_arn")
    who = own or ANONYMOUS
    if caller is not None:
        who = Principal("User", caller, caller.split(":", 5)[4] if caller.count(":") >= 5 else None)
    if resource is not None and who is ANONYMOUS:
        raise ControlError("InvalidInput", "A resource policy is simulated with a CallerArn")
    owner = params.get("resource_owner")
    return _World(identity, limits[0] if limits else boundary, resource, who, owner and _account(owner))


def _account(owner: str) -> str:
    return owner.split(":", 5)[4] if owner.count(":") >= 5 else owner


def _named(context: Context, source: str) -> User | Group | Role:
    kind, _, path = source.split(":", 5)[-1].partition("/")
    found = KINDS.get(kind.capitalize())
    if found is None or source.split(":", 5)[4:5] != [context.scope.account]:
        raise no_such(f"The entity with ARN {source} cannot be found.")
    record = find(context, found, path.rpartition("/")[2])
    if arn(context, record) != source:
        raise no_such(f"The entity with ARN {source} cannot be found.")
    return record


def _attached(context: Context, record: User | Group | Role) -> list[Source]:
    kind = type(record).__name__.lower()
    found = [_source(f"{kind}_{record.name}_{name}", kind, document) for name, document in record.inline.items()]
    found += [_of_managed(context, policy_arn) for policy_arn in record.attached]
    groups = [context.tx.get(Group, key) for key in record.groups] if isinstance(record, User) else []
    for group in groups:
        found += [] if group is None else _attached(context, group)
    return found


def _of_managed(context: Context, policy_arn: str) -> Source:
    kind = "aws-managed" if policy_arn in AWS_MANAGED else "user-managed"
    return _source(policy_arn.rpartition("/")[2], kind, document_of(context, policy_arn))


def _results(world: _World, params: Params) -> dict[str, Any]:
    entries = {entry["context_key_name"]: entry.get("context_key_values") or [] for entry in _entries(params)}
    found = [
        _result(world, action, resource, entries)
        for action in params["action_names"]
        for resource in params.get("resource_arns") or ("*",)
    ]
    numbered = [(f"{number:06d}", result) for number, result in enumerate(found)]
    shown = page(numbered, params, "evaluation_results", lambda one: one[0])
    return shown | {"evaluation_results": [result for _, result in shown["evaluation_results"]]}


def _entries(params: Params) -> list[dict[str, Any]]:
    return [entry for entry in params.get("context_entries") or () if entry.get("context_key_name")]


def _result(world: _World, action: str, resource: str, entries: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    request = Request(action, resource, world.principal, entries)
    decision = decide(request, world.policies, trace=True)
    result: dict[str, Any] = {
        "eval_action_name": action,
        "eval_resource_name": resource,
        "eval_decision": decision.effect.value,
        "matched_statements": _matched(world, decision),
        "missing_context_values": _missing(world.sources, entries),
    }
    if world.boundary is not None:
        limits = replace(Policies(), identity=(world.boundary.policy,))
        allowed = decide(request, limits).allowed
        result["permissions_boundary_decision_detail"] = {"allowed_by_permissions_boundary": allowed}
    return result


def _matched(world: _World, decision: Decision) -> list[dict[str, Any]]:
    """AWS: the statements that decide it; none where nothing allows it."""
    if decision.effect is Effect.IMPLICIT_DENY:
        return []
    wanted = "Allow" if decision.allowed else "Deny"
    deciding = [one for one in world.sources if not (decision.allowed and one is world.boundary)]
    matching = {(step.policy, step.index) for step in decision.trace if step.matched and step.effect == wanted}
    return [
        {
            "source_policy_id": source.id,
            "source_policy_type": source.type,
            "start_position": positions.place(source.document, start),
            "end_position": positions.place(source.document, end),
        }
        for source in deciding
        for index, (start, end) in enumerate(positions.statements(source.document))
        if (source.id, index) in matching
    ]


def _missing(sources: Iterable[Source], entries: Mapping[str, object]) -> list[str]:
    given = {name.lower() for name in entries}
    return [key for key in _keys(source.policy for source in sources) if key.lower() not in given]


def _keys(policies: Iterable[CompiledPolicy]) -> list[str]:
    """Context keys, each as it is written first."""
    found: dict[str, str] = {}
    for policy in policies:
        for statement in policy.statements:
            for condition in statement.text.conditions:
                found.setdefault(condition.key.lower(), condition.key)
        for key in policy.context_keys:
            found.setdefault(key, key)
    return sorted(found.values())


def keys_of_custom(context: Context, params: Params) -> dict[str, Any]:
    return {"context_key_names": _keys(source.policy for source in _inputs(params["policy_input_list"]))}


def keys_of_principal(context: Context, params: Params) -> dict[str, Any]:
    sources = _attached(context, _named(context, params["policy_source_arn"]))
    sources += _inputs(params.get("policy_input_list"))
    return {"context_key_names": _keys(source.policy for source in sources)}


OPERATIONS: dict[str, Operation] = {
    "SimulateCustomPolicy": custom,
    "SimulatePrincipalPolicy": principal,
    "GetContextKeysForCustomPolicy": keys_of_custom,
    "GetContextKeysForPrincipalPolicy": keys_of_principal,
}
