"""ApiKey: create, get, list, update, delete.

Not here: import as CSV (api_key_imports), membership of usage plans (usage_plan_keys), what a key lets pass (gateway).
Source: *CreateApiKey* … *DeleteApiKey*; shared facts, rest-control-plane §4 to §7, access §6.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import replace
from hashlib import sha256
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_key, get_stage
from tidegate.control.apigateway.tags import check_tags
from tidegate.control.context import Context
from tidegate.control.pages import matching_page
from tidegate.control.patch import Draft, PatchOp, bad_request, boolean, member, patch, rule, table, text
from tidegate.core.errors import ControlError
from tidegate.definition.records import ApiKey, ApiKeyOrder, ApiKeyValue, UsageExtension, UsagePlanKey

_ALPHABET = string.ascii_letters + string.digits
_LONGEST_NAME = 1024
_LAST_ORDER = 10**17
"""Microseconds are counted down from here (the year 5138)."""


def create_api_key(context: Context, params: Params) -> dict[str, Any]:
    # AWS: generateDistinctId is deprecated; since key version 4 an id is never the value.
    check_name(params.get("name"))
    check_tags(params.get("tags"))
    value = params.get("value") or new_value()
    check_value(value)
    if find_by_value(context, value) is not None:
        raise ControlError("ConflictException", "API Key already exists", 409)
    stages = [
        (stage.get("rest_api_id") or "", stage.get("stage_name") or "") for stage in params.get("stage_keys") or []
    ]
    for api_id, stage_name in stages:
        get_stage(context, api_id, stage_name)
    key = add_key(
        context,
        value,
        name=params.get("name"),
        description=params.get("description"),
        customer_id=params.get("customer_id"),
        enabled=bool(params.get("enabled")),
        # AWS: deprecated for usage plans, which alone decide what a key opens; the list is only shown.
        stage_keys=[f"{api_id}/{stage_name}" for api_id, stage_name in stages],
        tags=params.get("tags"),
    )
    return _shown(key, with_value=True)


def add_key(context: Context, value: str, **members: Any) -> ApiKey:
    """Store a new key and what finds it."""
    now = context.clock.time()
    key = ApiKey(
        id=context.ids.api_id(),
        value=value,
        created_date=int(now),
        last_updated_date=int(now),
        order=_next_order(context, now),
        **members,
    )
    context.tx.put(key)
    context.tx.put(ApiKeyValue(digest=_digest(value), id=key.id))
    context.tx.put(ApiKeyOrder(order=key.order, id=key.id))
    return key


def _next_order(context: Context, now: float) -> str:
    """Before all that are there, even when the clock was set back."""
    order = _LAST_ORDER - int(now * 1e6)
    if newest := context.tx.page(ApiKeyOrder, after=None, limit=1):
        order = min(order, int(newest[0].order) - 1)
    return f"{order:018d}"


def new_value() -> str:
    """A secret, so it comes from the operating system and not from the source of ids."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(40))


def check_name(name: str | None) -> None:
    if len(name or "") > _LONGEST_NAME:
        raise bad_request("Invalid API Key name, can be at most 1024 characters.")


def check_value(value: str) -> None:
    if len(value) < 20:
        raise bad_request("API Key value should be at least 20 characters")
    if len(value) > 128:
        raise bad_request("API Key value exceeds maximum size of 128 characters")


def find_by_value(context: Context, value: str) -> ApiKey | None:
    found = context.tx.get(ApiKeyValue, _digest(value))
    return None if found is None else context.tx.get(ApiKey, found.id)


def _digest(value: str) -> str:
    return sha256(value.encode()).hexdigest()


def _shown(key: ApiKey, *, with_value: bool) -> dict[str, Any]:
    members = (
        *("id", "name", "customer_id", "description", "enabled", "created_date", "last_updated_date"),
        *("stage_keys", "tags"),
    )
    shown = {name: getattr(key, name) for name in members}
    return {**shown, "value": key.value} if with_value else shown


def _with_tags(shown: dict[str, Any]) -> dict[str, Any]:
    """AWS: an empty `tags` appears on single gets and updates, not on create or in lists."""
    return {**shown, "tags": shown["tags"] or {}}


def get_api_key(context: Context, params: Params) -> dict[str, Any]:
    key = get_key(context, params["api_key"])
    return _with_tags(_shown(key, with_value=bool(params.get("include_value"))))


def get_api_keys(context: Context, params: Params) -> dict[str, Any]:
    """AWS: the newest first; the name filter is a prefix, with case."""
    prefix, customer = params.get("name_query") or "", params.get("customer_id")
    with_values = bool(params.get("include_values"))

    def show(place: ApiKeyOrder) -> dict[str, Any] | None:
        key = get_key(context, place.id)
        if not (key.name or "").startswith(prefix) or customer not in (None, "", key.customer_id):
            return None
        return _shown(key, with_value=with_values)

    return matching_page(context.tx, ApiKeyOrder, params, show)


def update_api_key(context: Context, params: Params) -> dict[str, Any]:
    before = get_key(context, params["api_key"])
    key = patch(before, params.get("patch_operations"), RULES)
    for added in set(key.stage_keys) - set(before.stage_keys):
        get_stage(context, *(added.split("/", 1) if "/" in added else (added, "")))
    key = replace(key, last_updated_date=int(context.clock.time()))
    context.tx.put(key)
    return _with_tags(_shown(key, with_value=False))


def delete_api_key(context: Context, params: Params) -> None:
    key = get_key(context, params["api_key"])
    for plan_id in key.usage_plan_ids:
        context.tx.delete(UsagePlanKey, plan_id, key.id)
        context.tx.delete(UsageExtension, plan_id, key.id)
    context.tx.delete(ApiKeyValue, _digest(key.value))
    context.tx.delete(ApiKeyOrder, key.order)
    context.tx.delete(ApiKey, key.id)


# --- patch rules -----------------------------------------------------------------------------------------------------


def _name(draft: Draft, op: PatchOp) -> None:
    check_name(op.value)
    draft["name"] = op.value


def _labels(_draft: Draft, _op: PatchOp) -> None:
    raise bad_request("Tidegate does not support labels of API keys yet")


RULES = table(
    rule("/description", "replace", text("description")),
    rule("/enabled", "replace", boolean("enabled")),
    rule("/name", "replace", _name),
    rule("/customerId", "replace", text("customer_id")),
    rule("/stages", "add remove", member("stage_keys")),
    rule("/labels", "add remove", _labels),
    listed="/description /enabled /name /customerId",
)

OPERATIONS = {
    "CreateApiKey": create_api_key,
    "GetApiKey": get_api_key,
    "GetApiKeys": get_api_keys,
    "UpdateApiKey": update_api_key,
    "DeleteApiKey": delete_api_key,
}
