"""From the records of API keys and usage plans to what the key ring holds."""

from __future__ import annotations

import logging
from hashlib import sha256

from tidegate.definition.records import ApiKey, ThrottleSettings, UsagePlan
from tidegate.state.keys import KeyEntry, PlanEntry, Rate

log = logging.getLogger("tidegate.plan")


def key_entry(key: ApiKey) -> KeyEntry:
    digest = sha256(key.value.encode()).hexdigest()
    return KeyEntry(key.id, digest, key.enabled, tuple(key.usage_plan_ids))


def plan_entry(plan: UsagePlan) -> PlanEntry:
    if plan.quota is not None:
        log.warning(
            "usage plan %s (%s): Tidegate does not count quotas yet; its throttle is enforced", plan.id, plan.name
        )
    stages = {
        (each.api_id, each.stage): {
            path: rate for path, given in (each.throttle or {}).items() if (rate := _rate(given))
        }
        for each in plan.api_stages
    }
    return PlanEntry(plan.id, _rate(plan.throttle), stages)


def _rate(given: ThrottleSettings | None) -> Rate | None:
    return None if given is None else Rate(given.rate_limit, given.burst_limit)
