"""UsagePlan: which API stages its keys open, how fast and how often.

Not here: its patch rules (usage_plan_patches), its keys (usage_plan_keys), what they used (usage). Source:
*CreateUsagePlan* … *DeleteUsagePlan*; shared facts, rest-control-plane §4 to §6, access §6 and §7.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_plan, not_found
from tidegate.control.apigateway.methods import VERBS
from tidegate.control.apigateway.tags import check_tags
from tidegate.control.apigateway.usage_plan_patches import RULES
from tidegate.control.context import Context
from tidegate.control.pages import matching_page, stored_page
from tidegate.control.patch import bad_request, patch
from tidegate.core.errors import ControlError
from tidegate.definition.records import (
    ApiKey,
    ApiStage,
    QuotaSettings,
    Stage,
    ThrottleSettings,
    UsageExtension,
    UsagePlan,
    UsagePlanKey,
    UsagePlanStage,
)

_OFFSETS = {
    "DAY": (range(1), "Usage Plan quota offset must be zero in the DAY period"),
    "WEEK": (range(7), "Usage Plan quota offset must be between 0 and 6 inclusive in the WEEK period"),
    "MONTH": (range(28), "Usage Plan quota offset must be between 0 and 27 inclusive in the MONTH period"),
}
"""By period. Source of rule and wording: Terraform's AWS provider, which checks them ahead of the service."""

_METHOD = re.compile(rf"/.*/({'|'.join(sorted(VERBS))})")
_MOST_METHODS = 20


def create_usage_plan(context: Context, params: Params) -> UsagePlan:
    check_tags(params.get("tags"))
    plan = UsagePlan(
        id=context.ids.child_id(),
        name=params["name"],
        description=params.get("description"),
        api_stages=[_api_stage(given) for given in params.get("api_stages") or []],
        throttle=_throttle(params.get("throttle")),
        quota=_quota(params.get("quota")),
        tags=params.get("tags"),
    )
    for stage in plan.api_stages:
        _require_stage(context, plan, stage)
    _put(context, plan, before=None)
    return plan


def _api_stage(given: Params) -> ApiStage:
    if not given.get("api_id") or not given.get("stage"):
        # AWS: really without the names that belong into it.
        raise bad_request("Invalid API Stage {api: %s, stage: %s} specified for usageplan %s")
    methods = {
        method: _throttle(limits) or ThrottleSettings() for method, limits in (given.get("throttle") or {}).items()
    }
    return ApiStage(api_id=given["api_id"], stage=given["stage"], throttle=methods or None)


def _throttle(given: Params | None) -> ThrottleSettings | None:
    if given is None:
        return None
    return ThrottleSettings(burst_limit=given.get("burst_limit") or 0, rate_limit=float(given.get("rate_limit") or 0))


def _quota(given: Params | None) -> QuotaSettings | None:
    if given is None:
        return None
    return QuotaSettings(
        limit=given.get("limit") or 0, offset=given.get("offset") or 0, period=given.get("period") or ""
    )


def _require_stage(context: Context, plan: UsagePlan, stage: ApiStage) -> None:
    if context.tx.get(Stage, stage.api_id, stage.stage) is None:
        raise not_found(
            f"Invalid API Stage {{api: {stage.api_id}, stage: {stage.stage}}} specified for usageplan {plan.id}"
        )


def _put(context: Context, plan: UsagePlan, before: UsagePlan | None) -> None:
    """Check and store a plan, and keep what finds it by its stages in step."""
    _check(plan)
    old, new = stages_of(before), stages_of(plan)
    if added := new - old:
        _check_keys(context, plan, added)
    for api_id, stage in old - new:
        context.tx.delete(UsagePlanStage, api_id, stage, plan.id)
    for api_id, stage in new - old:
        context.tx.put(UsagePlanStage(api_id=api_id, stage=stage, usage_plan_id=plan.id))
    context.tx.put(plan)


def stages_of(plan: UsagePlan | None) -> set[tuple[str, str]]:
    return set() if plan is None else {(stage.api_id, stage.stage) for stage in plan.api_stages}


def _check(plan: UsagePlan) -> None:
    if not plan.name:
        raise bad_request("Usage Plan name cannot be empty")
    if len(stages_of(plan)) < len(plan.api_stages):
        raise ControlError("ConflictException", f"Duplicate API Stage specified for usageplan {plan.id}", 409)
    _check_throttle(plan.throttle, "Usage Plan")
    for stage in plan.api_stages:
        if len(stage.throttle or ()) > _MOST_METHODS:
            raise bad_request(f"At most {_MOST_METHODS} methods of an API stage can have a throttle of their own")
        for method, limits in (stage.throttle or {}).items():
            if not _METHOD.fullmatch(method):
                raise bad_request(f"Invalid method specified for throttle: {method}. It must be of the form /path/VERB")
            _check_throttle(limits, method)
    if plan.quota is not None:
        _check_quota(plan.quota)


def _check_throttle(limits: ThrottleSettings | None, what: str) -> None:
    if limits is not None and (limits.rate_limit < 0 or limits.burst_limit < 0):
        raise bad_request(f"Invalid throttle settings for {what}: rateLimit and burstLimit must not be negative")


def _check_quota(quota: QuotaSettings) -> None:
    if quota.period not in _OFFSETS:
        raise bad_request("Invalid quota period specified. Valid options are DAY,WEEK,MONTH")
    if quota.limit < 1:
        raise bad_request("Usage Plan quota limit must be greater than zero")
    allowed, complaint = _OFFSETS[quota.period]
    if quota.offset not in allowed:
        raise bad_request(complaint)


def _check_keys(context: Context, plan: UsagePlan, added: set[tuple[str, str]]) -> None:
    """AWS: an API stage sees a key in one plan only."""
    for membership in context.tx.list(UsagePlanKey, plan.id):
        key = context.tx.get(ApiKey, membership.id)
        if key is not None:
            check_conflict(context, key, plan.id, added)


def check_conflict(context: Context, key: ApiKey, plan_id: str, stages: set[tuple[str, str]]) -> None:
    """Raises ControlError when a key reaches one of the stages by another plan already."""
    for other in key.usage_plan_ids:
        if other != plan_id and (both := stages & stages_of(context.tx.get(UsagePlan, other))):
            api_id, stage = min(both)
            raise ControlError(
                "ConflictException",
                f"API Key {key.id} is in usage plan {other} for API Stage {api_id}:{stage} already",
                409,
            )


def get_usage_plan(context: Context, params: Params) -> UsagePlan:
    return with_tags(get_plan(context, params["usage_plan_id"]))


def with_tags(plan: UsagePlan) -> UsagePlan:
    """AWS: an empty `tags` appears on single gets and updates, not on create or in lists."""
    return plan if plan.tags is not None else replace(plan, tags={})


def get_usage_plans(context: Context, params: Params) -> dict[str, Any]:
    key_id = params.get("key_id")
    if not key_id:
        return stored_page(context.tx, UsagePlan, params)
    key = context.tx.get(ApiKey, key_id)
    mine = () if key is None else key.usage_plan_ids
    return matching_page(context.tx, UsagePlan, params, lambda plan: plan if plan.id in mine else None)


def update_usage_plan(context: Context, params: Params) -> UsagePlan:
    before = get_plan(context, params["usage_plan_id"])
    plan = patch(before, params.get("patch_operations"), RULES)
    for api_id, stage in sorted(stages_of(plan) - stages_of(before)):
        if context.tx.get(Stage, api_id, stage) is None:
            raise not_found(f"API Stage not found: {api_id}:{stage}")
    _put(context, plan, before)
    return with_tags(plan)


def delete_usage_plan(context: Context, params: Params) -> None:
    plan = get_plan(context, params["usage_plan_id"])
    if plan.api_stages:
        first = plan.api_stages[0]
        raise bad_request(
            f"Cannot delete Usage Plan {plan.id} because there are API Stages associated with it, "
            f"including {first.api_id}:{first.stage}"
        )
    for membership in context.tx.list(UsagePlanKey, plan.id):
        key = context.tx.get(ApiKey, membership.id)
        if key is not None:
            context.tx.put(replace(key, usage_plan_ids=[found for found in key.usage_plan_ids if found != plan.id]))
    context.tx.delete_all(UsagePlanKey, plan.id)
    context.tx.delete_all(UsageExtension, plan.id)
    context.tx.delete(UsagePlan, plan.id)


def forget_stages(context: Context, *api_and_stage: str) -> None:
    """An API, or one stage of it, is deleted: its plans let go of it."""
    for place in context.tx.list(UsagePlanStage, *api_and_stage):
        plan = context.tx.get(UsagePlan, place.usage_plan_id)
        if plan is not None:
            kept = [stage for stage in plan.api_stages if (stage.api_id, stage.stage) != (place.api_id, place.stage)]
            context.tx.put(replace(plan, api_stages=kept))
    context.tx.delete_all(UsagePlanStage, *api_and_stage)


OPERATIONS = {
    "CreateUsagePlan": create_usage_plan,
    "GetUsagePlan": get_usage_plan,
    "GetUsagePlans": get_usage_plans,
    "UpdateUsagePlan": update_usage_plan,
    "DeleteUsagePlan": delete_usage_plan,
}
