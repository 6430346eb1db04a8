"""UsagePlanKey: which API keys are members of a usage plan.

Source: *CreateUsagePlanKey* … *DeleteUsagePlanKey*, *Quotas*; shared facts, rest-control-plane §4 and §7, access §6.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_key, get_plan, not_found
from tidegate.control.apigateway.usage_plans import check_conflict, stages_of
from tidegate.control.context import Context
from tidegate.control.pages import matching_page
from tidegate.control.patch import bad_request
from tidegate.core.errors import ControlError
from tidegate.definition.records import ApiKey, UsageExtension, UsagePlan, UsagePlanKey

_MOST_PLANS = 10


def create_usage_plan_key(context: Context, params: Params) -> dict[str, Any]:
    plan = get_plan(context, params["usage_plan_id"])
    if params["key_type"] != "API_KEY":
        raise bad_request(f"Invalid key type specified: {params['key_type']}. Must be one of: [API_KEY]")
    key = get_key(context, params["key_id"])
    if plan.id in key.usage_plan_ids:
        raise ControlError("ConflictException", f"API Key {key.id} is in usage plan {plan.id} already", 409)
    return _shown(add_to_plan(context, plan, key), key)


def add_to_plan(context: Context, plan: UsagePlan, key: ApiKey) -> UsagePlanKey:
    """Raises ControlError where AWS would not add it."""
    if len(key.usage_plan_ids) >= _MOST_PLANS:
        text = f"API Key {key.id} is in {_MOST_PLANS} usage plans already, which is the most"
        raise ControlError("LimitExceededException", text, 429)
    check_conflict(context, key, plan.id, stages_of(plan))
    membership = UsagePlanKey(usage_plan_id=plan.id, id=key.id, added_date=int(context.clock.time()))
    context.tx.put(membership)
    context.tx.put(replace(key, usage_plan_ids=[*key.usage_plan_ids, plan.id]))
    return membership


def get_membership(context: Context, plan_id: str, key_id: str) -> UsagePlanKey:
    get_plan(context, plan_id)
    membership = context.tx.get(UsagePlanKey, plan_id, key_id)
    if membership is None:
        raise not_found("Invalid Usage Plan Key identifier specified")
    return membership


def _shown(membership: UsagePlanKey, key: ApiKey) -> dict[str, Any]:
    return {"id": key.id, "name": key.name, "type": membership.type, "value": key.value}


def get_usage_plan_key(context: Context, params: Params) -> dict[str, Any]:
    membership = get_membership(context, params["usage_plan_id"], params["key_id"])
    return _shown(membership, get_key(context, membership.id))


def get_usage_plan_keys(context: Context, params: Params) -> dict[str, Any]:
    """AWS: an unknown plan has no keys, and is no error."""
    prefix = params.get("name_query") or ""

    def show(membership: UsagePlanKey) -> dict[str, Any] | None:
        key = get_key(context, membership.id)
        return _shown(membership, key) if (key.name or "").startswith(prefix) else None

    return matching_page(context.tx, UsagePlanKey, params, show, params["usage_plan_id"])


def delete_usage_plan_key(context: Context, params: Params) -> None:
    membership = get_membership(context, params["usage_plan_id"], params["key_id"])
    key = get_key(context, membership.id)
    plans = [plan_id for plan_id in key.usage_plan_ids if plan_id != membership.usage_plan_id]
    context.tx.put(replace(key, usage_plan_ids=plans))
    context.tx.delete(UsagePlanKey, *membership.key)
    context.tx.delete(UsageExtension, *membership.key)


OPERATIONS = {
    "CreateUsagePlanKey": create_usage_plan_key,
    "GetUsagePlanKey": get_usage_plan_key,
    "GetUsagePlanKeys": get_usage_plan_keys,
    "DeleteUsagePlanKey": delete_usage_plan_key,
}
