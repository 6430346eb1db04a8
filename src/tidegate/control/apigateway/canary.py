"""Canary settings of a stage: how much of its traffic another deployment gets, and promoting that deployment.

Source: *Set up an API Gateway canary release deployment*, *Patch operations*; shared facts, rest-control-plane §5 and §10.
"""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.aws.model import Params
from tidegate.control.patch import Apply, Draft, PatchOp, Rule, bad_request, rule
from tidegate.core.errors import ControlError
from tidegate.definition.records import CanarySettings

_DEPLOYMENT = "/canarySettings/deploymentId"
_OVERRIDES = "/canarySettings/stageVariableOverrides"


def canary_of(given: Params | None, *, deployment_id: str) -> CanarySettings | None:
    """The settings that a call gives; `deployment_id`: what the canary serves where they name none."""
    if given is None:
        return None
    percent = given.get("percent_traffic")
    return CanarySettings(
        percent_traffic=_percent(0.0 if percent is None else percent),
        deployment_id=given.get("deployment_id") or deployment_id,
        stage_variable_overrides=given.get("stage_variable_overrides") or None,
        use_stage_cache=bool(given.get("use_stage_cache")),
    )


def _percent(value: float) -> float:
    if not 0.0 <= value <= 100.0:
        raise bad_request(f"Invalid percentTraffic specified: {value}. Must be between 0.0 and 100.0")
    return value


def _settings(draft: Draft, op: PatchOp) -> Draft:
    """The stage's canary settings, begun by the first replace. AWS: a canary of the stage's own deployment, without traffic."""
    if op.op == "add":
        raise bad_request(f"Invalid add operation with path: {op.path}")
    settings = dict(draft.get("canary_settings") or {"percent_traffic": 0.0, "deployment_id": draft["deployment_id"]})
    draft["canary_settings"] = settings
    return settings


def _deployment(draft: Draft, op: PatchOp) -> None:
    _settings(draft, op)["deployment_id"] = op.value


def _percentage(draft: Draft, op: PatchOp) -> None:
    try:
        percent = float(op.value or "")
    except ValueError:
        raise bad_request(f"Invalid percentTraffic specified: {op.value}. Must be between 0.0 and 100.0") from None
    _settings(draft, op)["percent_traffic"] = _percent(percent)


def _use_stage_cache(draft: Draft, op: PatchOp) -> None:
    _settings(draft, op)["use_stage_cache"] = (op.value or "").lower() == "true"


def _override(draft: Draft, op: PatchOp) -> None:
    settings = _settings(draft, op)
    overrides = dict(settings.get("stage_variable_overrides") or {})
    if op.op == "remove":
        if op.names[-1] not in overrides:
            raise ControlError("NotFoundException", "Invalid parameter name specified", 404)
        del overrides[op.names[-1]]
    else:
        overrides[op.names[-1]] = op.value or ""
    settings["stage_variable_overrides"] = overrides or None


def _remove_all(draft: Draft, op: PatchOp) -> None:
    draft["canary_settings"] = None


def _promoted(source: str, apply: Apply) -> Apply:
    """`source`: the one path that may be copied from."""

    def copy(draft: Draft, op: PatchOp) -> None:
        if op.op != "copy":
            apply(draft, op)
            return
        if op.source != source:
            raise _invalid_copy(op.path, op.source)
        canary = draft.get("canary_settings")
        if canary is None:
            raise bad_request("Promotion not available. Canary does not exist.")
        if source == _DEPLOYMENT:
            draft["deployment_id"] = canary["deployment_id"]
        else:
            merged = {**(draft.get("variables") or {}), **(canary.get("stage_variable_overrides") or {})}
            draft["variables"] = merged or None

    return copy


def check_copies(operations: Sequence[Params]) -> None:
    """AWS: a copy to any other path than the two is refused as a copy, whatever else that path takes."""
    for operation in operations:
        path = operation.get("path")
        if operation.get("op") == "copy" and path not in (None, "/deploymentId", "/variables"):
            raise _invalid_copy(path, operation.get("from"))


def _invalid_copy(path: str | None, source: str | None) -> ControlError:
    return bad_request(
        f"Invalid copy operation with path: {path} and from {source}. Valid copy:path are "
        f"[/deploymentId, /variables] and valid copy:from are [{_DEPLOYMENT}, {_OVERRIDES}]"
    )


def promoted_deployment(apply: Apply) -> Apply:
    """What `apply` does, and taking the canary's deployment over by `copy`."""
    return _promoted(_DEPLOYMENT, apply)


def promoted_variables(apply: Apply) -> Apply:
    """What `apply` does, and merging the canary's overrides into the stage's variables by `copy`."""
    return _promoted(_OVERRIDES, apply)


CANARY_RULES: tuple[Rule, ...] = (
    rule("/canarySettings", "remove", _remove_all),
    rule("/canarySettings/deploymentId", "add replace", _deployment),
    rule("/canarySettings/percentTraffic", "add replace", _percentage),
    rule("/canarySettings/useStageCache", "add replace", _use_stage_cache),
    rule("/canarySettings/stageVariableOverrides/{name}", "add replace remove", _override),
)
