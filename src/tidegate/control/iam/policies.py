"""Managed policies and their versions. Source: *CreatePolicy*, *CreatePolicyVersion* and their kin (IAM API Reference)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws import identifiers
from tidegate.aws.model import Params
from tidegate.aws.policy.document import policy_size
from tidegate.aws.policy.managed import AWS_MANAGED
from tidegate.control.context import Context, Operation
from tidegate.control.iam import shown
from tidegate.control.iam.lookup import (
    BOUNDARY,
    PERMISSIONS,
    checked_policy,
    managed,
    no_such,
    over_limit,
    own_policy,
    page,
)
from tidegate.core.errors import ControlError
from tidegate.definition.records import ManagedPolicy, PolicyDocument, PolicyUse

_LARGEST = 6144
"""Characters without white space. *IAM and AWS STS quotas*."""
_MOST_VERSIONS = 5


def _document(text: str) -> str:
    if policy_size(text) > _LARGEST:
        raise over_limit(f"PolicySize: {_LARGEST}")
    return checked_policy(text)


def create(context: Context, params: Params) -> dict[str, Any]:
    name, path, now = params["policy_name"], params.get("path") or "/", context.clock.time()
    if context.tx.get(ManagedPolicy, name.lower()) is not None:
        text = f"A policy called {name} already exists. Duplicate names are not allowed."
        raise ControlError("EntityAlreadyExists", text, 409)
    first = PolicyDocument(version_id="v1", document=_document(params["policy_document"]), create_date=now)
    policy = ManagedPolicy(
        name=name,
        path=path,
        id=identifiers.unique_id(identifiers.POLICY),
        arn=f"arn:aws:iam::{context.scope.account}:policy{path}{name}",
        description=params.get("description"),
        create_date=now,
        update_date=now,
        versions=[first],
        default_version_id="v1",
        last_version=1,
        tags=shown.tag_map(params.get("tags")),
    )
    context.tx.put(policy)
    return {"policy": shown.policy(policy, (0, 0), whole=True)}


def uses(context: Context, arn: str) -> tuple[int, int]:
    """How many a policy is attached to, and whose boundary it is."""
    return len(context.tx.list(PolicyUse, arn, PERMISSIONS)), len(context.tx.list(PolicyUse, arn, BOUNDARY))


def any_policy(context: Context, arn: str) -> ManagedPolicy:
    """Of the account or of AWS."""
    found = shown.as_record(AWS_MANAGED[arn]) if arn in AWS_MANAGED else own_policy(context, arn)
    if found is None:
        raise no_such(f"Policy {arn} was not found.")
    return found


def get(context: Context, params: Params) -> dict[str, Any]:
    policy = any_policy(context, params["policy_arn"])
    return {"policy": shown.policy(policy, uses(context, policy.arn), whole=True)}


def list_all(context: Context, params: Params) -> dict[str, Any]:
    """Those of AWS are the few that are known here."""
    scope, prefix = params.get("scope") or "All", params.get("path_prefix") or "/"
    own = context.tx.list(ManagedPolicy) if scope in ("All", "Local") else []
    aws = [shown.as_record(policy) for policy in AWS_MANAGED.values()] if scope in ("All", "AWS") else []
    usage = params.get("policy_usage_filter")
    found = []
    for policy in sorted((*own, *aws), key=lambda policy: policy.arn):
        attached, boundaries = uses(context, policy.arn)
        used = {None: attached + boundaries, PERMISSIONS: attached, BOUNDARY: boundaries}[usage]
        if policy.path.startswith(prefix) and (used or not (usage or params.get("only_attached"))):
            found.append(shown.policy(policy, (attached, boundaries)))
    return page(found, params, "policies", lambda policy: str(policy["arn"]))


def delete(context: Context, params: Params) -> None:
    policy = managed(context, params["policy_arn"])
    if any(uses(context, policy.arn)):
        raise ControlError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if len(policy.versions) > 1:
        text = (
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The "
            "default version is deleted with the policy."
        )
        raise ControlError("DeleteConflict", text, 409)
    context.tx.delete(ManagedPolicy, *policy.key)


def create_version(context: Context, params: Params) -> dict[str, Any]:
    policy, now = managed(context, params["policy_arn"]), context.clock.time()
    if len(policy.versions) >= _MOST_VERSIONS:
        text = (
            f"A managed policy can have up to {_MOST_VERSIONS} versions. Before you create a new version, you must delete an "
            "existing version."
        )
        raise ControlError("LimitExceeded", text, 409)
    number = policy.last_version + 1
    version = PolicyDocument(version_id=f"v{number}", document=_document(params["policy_document"]), create_date=now)
    changed = replace(policy, versions=[*policy.versions, version], last_version=number, update_date=now)
    if params.get("set_as_default"):
        changed = replace(changed, default_version_id=version.version_id)
    context.tx.put(changed)
    return {"policy_version": shown.version(changed, version)}


def _version(policy: ManagedPolicy, version_id: str) -> PolicyDocument:
    found = next((version for version in policy.versions if version.version_id == version_id), None)
    if found is None:
        raise no_such(f"Policy {policy.arn} version {version_id} does not exist or is not attachable.")
    return found


def get_version(context: Context, params: Params) -> dict[str, Any]:
    policy = any_policy(context, params["policy_arn"])
    return {"policy_version": shown.version(policy, _version(policy, params["version_id"]), whole=True)}


def list_versions(context: Context, params: Params) -> dict[str, Any]:
    """The newest first."""
    policy = any_policy(context, params["policy_arn"])
    # A marker is compared with what falls as the versions' numbers rise.
    found = page(policy.versions[::-1], params, "versions", lambda one: f"{10**9 - int(one.version_id[1:]):010d}")
    return found | {"versions": [shown.version(policy, one) for one in found["versions"]]}


def delete_version(context: Context, params: Params) -> None:
    policy = managed(context, params["policy_arn"])
    version = _version(policy, params["version_id"])
    if version.version_id == policy.default_version_id:
        raise ControlError("DeleteConflict", "Cannot delete the default version of a policy.", 409)
    rest = [one for one in policy.versions if one is not version]
    context.tx.put(replace(policy, versions=rest, update_date=context.clock.time()))


def set_default(context: Context, params: Params) -> None:
    policy = managed(context, params["policy_arn"])
    version = _version(policy, params["version_id"])
    context.tx.put(replace(policy, default_version_id=version.version_id, update_date=context.clock.time()))


OPERATIONS: dict[str, Operation] = {
    "CreatePolicy": create,
    "GetPolicy": get,
    "ListPolicies": list_all,
    "DeletePolicy": delete,
    "CreatePolicyVersion": create_version,
    "GetPolicyVersion": get_version,
    "ListPolicyVersions": list_versions,
    "DeletePolicyVersion": delete_version,
    "SetDefaultPolicyVersion": set_default,
}
