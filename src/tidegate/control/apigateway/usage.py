"""Usage of a plan: what its keys used and have left, day by day, and what UpdateUsage grants on top.

Requests are not counted yet: nothing is used, and what remains follows from the quota and from what was granted. Days and
periods are UTC's; a week begins on Monday. Source: *GetUsage*, *UpdateUsage*; shared facts, access §6.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_plan
from tidegate.control.apigateway.usage_plan_keys import get_membership
from tidegate.control.context import Context
from tidegate.control.pages import stored_page
from tidegate.control.patch import Draft, PatchOp, bad_request, patch, rule, table
from tidegate.definition.records import QuotaSettings, UsageExtension, UsagePlanKey

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_COUNT = re.compile(r"[0-9]{1,18}")
_LONGEST_RANGE = 90


def get_usage(context: Context, params: Params) -> dict[str, Any]:
    plan = get_plan(context, params["usage_plan_id"])
    first, last = _day(params["start_date"], "startDate"), _day(params["end_date"], "endDate")
    if last < first:
        raise bad_request("Invalid date range specified: endDate must not be before startDate")
    if (last - first).days > _LONGEST_RANGE:
        raise bad_request(f"Invalid date range specified: at most {_LONGEST_RANGE} days are allowed")
    if params.get("key_id"):
        page: dict[str, Any] = {"items": [get_membership(context, plan.id, params["key_id"])]}
    else:
        page = stored_page(context.tx, UsagePlanKey, params, plan.id)
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    values = {
        # A plan without a quota has nothing that could remain.
        membership.id: [_used_and_remaining(context, plan.quota, membership, day) for day in days]
        for membership in page["items"]
        if plan.quota is not None
    }
    return {
        "usage_plan_id": plan.id,
        "start_date": params["start_date"],
        "end_date": params["end_date"],
        "position": page.get("position"),
        "items": values,
    }


def _day(text: str, name: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise bad_request(f"Invalid {name} specified: {text}. It must be of the form YYYY-MM-DD")


def _used_and_remaining(context: Context, quota: QuotaSettings, membership: UsagePlanKey, day: date) -> list[int]:
    granted = context.tx.get(UsageExtension, *membership.key)
    if granted is not None:
        since = date.fromisoformat(granted.date)
        if since <= day and _period(since, quota.period) == _period(day, quota.period):
            return [0, granted.remaining]
    added = datetime.fromtimestamp(membership.added_date, UTC).date()
    initial = _period(added, quota.period) == _period(day, quota.period)
    return [0, max(quota.limit - (quota.offset if initial else 0), 0)]


def _period(day: date, period: str) -> date:
    """The first day of the period that a day is in."""
    if period == "WEEK":
        return day - timedelta(day.weekday())
    return day.replace(day=1) if period == "MONTH" else day


def update_usage(context: Context, params: Params) -> dict[str, Any]:
    membership = get_membership(context, params["usage_plan_id"], params["key_id"])
    plan = get_plan(context, membership.usage_plan_id)
    if plan.quota is None:
        raise bad_request(f"Usage Plan {plan.id} has no quota")
    today = context.clock.now().date()
    before = UsageExtension(
        usage_plan_id=plan.id,
        id=membership.id,
        date=today.isoformat(),
        remaining=_used_and_remaining(context, plan.quota, membership, today)[1],
    )
    granted = patch(before, params.get("patch_operations"), RULES)
    if granted != before:
        context.tx.put(granted)
    return {
        "usage_plan_id": plan.id,
        "start_date": before.date,
        "end_date": before.date,
        "items": {membership.id: [[0, granted.remaining]]},
    }


def _remaining(draft: Draft, op: PatchOp) -> None:
    if not _COUNT.fullmatch(op.value or ""):
        raise bad_request(f"Invalid patch value  specified for path {op.path}: {op.value}")
    draft["remaining"] = int(op.value or "")


RULES = table(rule("/remaining", "replace", _remaining))

OPERATIONS = {"GetUsage": get_usage, "UpdateUsage": update_usage}
