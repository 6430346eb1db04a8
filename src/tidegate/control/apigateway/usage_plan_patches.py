"""What may be patched of a usage plan. Source: *Patch operations*, "UsagePlan"; shared facts, rest-control-plane §5."""

from __future__ import annotations

import re
from typing import Any

from tidegate.control.patch import Apply, Draft, PatchOp, bad_request, rule, table, text
from tidegate.core.errors import ControlError
from tidegate.definition.json_text import decode_object

# Python would take infinities, underscores and foreign digits too.
_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?")
_INTEGER = re.compile(r"-?[0-9]{1,9}")
_UNKNOWN_STAGE = "API Stage not found: {}"


def _stage_id(value: str | None) -> tuple[str, str]:
    """`apiId:stage`. AWS: whatever follows a second colon is passed over."""
    parts = (value or "").split(":")
    if len(parts) < 2:
        raise bad_request("Invalid API Stage specified")
    return parts[0], parts[1]


def _find(draft: Draft, value: str | None) -> Draft | None:
    api_id, stage = _stage_id(value)
    stages = draft.get("api_stages") or []
    return next((found for found in stages if (found["api_id"], found["stage"]) == (api_id, stage)), None)


def _require(draft: Draft, value: str | None) -> Draft:
    found = _find(draft, value)
    if found is None:
        raise ControlError("NotFoundException", _UNKNOWN_STAGE.format(":".join(_stage_id(value))), 404)
    return found


def _api_stages(draft: Draft, op: PatchOp) -> None:
    if op.op == "remove":
        gone = _require(draft, op.value)
        draft["api_stages"] = [found for found in draft["api_stages"] if found is not gone]
    else:
        api_id, stage = _stage_id(op.value)
        draft["api_stages"] = [*draft["api_stages"], {"api_id": api_id, "stage": stage}]


def _all_methods(draft: Draft, op: PatchOp) -> None:
    """The whole map of a stage's methods; the value is JSON."""
    stage = _require(draft, op.names[0])
    if op.op == "remove":
        stage["throttle"] = None
        return
    methods = _json_map(op)
    kept = (stage.get("throttle") or {}) if op.op == "add" else {}
    stage["throttle"] = {**kept, **{method: _limits(op, limits) for method, limits in methods.items()}} or None


def _json_map(op: PatchOp) -> dict[str, Any]:
    given = decode_object(op.value)
    if given is None:
        raise _bad_value(op)
    return given


def _limits(op: PatchOp, given: Any) -> dict[str, float]:
    if not isinstance(given, dict) or not given.keys() <= {"rateLimit", "burstLimit"}:
        raise _bad_value(op)
    return {
        "rate_limit": _number(op, str(given.get("rateLimit", 0))),
        "burst_limit": _whole(op, str(given.get("burstLimit", 0))),
    }


def _one_method(draft: Draft, op: PatchOp) -> None:
    stage, method = _require(draft, op.names[0]), "/".join(op.names[1:])
    methods = dict(stage.get("throttle") or {})
    if methods.pop(method, None) is None:
        raise ControlError("NotFoundException", f"There is no throttle for method {method}", 404)
    stage["throttle"] = methods or None


def _method_rate(draft: Draft, op: PatchOp) -> None:
    _limits_of(draft, op)["rate_limit"] = _number(op, op.value)


def _method_burst(draft: Draft, op: PatchOp) -> None:
    _limits_of(draft, op)["burst_limit"] = _whole(op, op.value)


def _limits_of(draft: Draft, op: PatchOp) -> Draft:
    """A method's limits, begun by the first patch of one of them."""
    stage, method = _require(draft, op.names[0]), "/".join(op.names[1:])
    methods = dict(stage.get("throttle") or {})
    methods[method] = dict(methods.get(method) or {})
    stage["throttle"] = methods
    limits: Draft = methods[method]
    return limits


def _part(field: str, name: str, convert: Any) -> Apply:
    """One member of `throttle` or `quota`, which it begins where there is none."""

    def apply(draft: Draft, op: PatchOp) -> None:
        draft[field] = {**(draft.get(field) or {}), name: convert(op, op.value)}

    return apply


def _number(op: PatchOp, value: str | None) -> float:
    if not _NUMBER.fullmatch(value or ""):
        raise _bad_value(op)
    return float(value or "")


def _whole(op: PatchOp, value: str | None) -> int:
    if not _INTEGER.fullmatch(value or ""):
        raise _bad_value(op)
    return int(value or "")


def _period(_op: PatchOp, value: str | None) -> str:
    return value or ""


def _bad_value(op: PatchOp) -> ControlError:
    return bad_request(f"Invalid patch value  specified for path {op.path}: {op.value}")


def _clear(field: str) -> Apply:
    def apply(draft: Draft, _op: PatchOp) -> None:
        draft[field] = None

    return apply


_METHOD = "/apiStages/{apidId:stageName}/throttle/{resourcePath}/{httpMethod}"

RULES = table(
    rule("/name", "replace", text("name")),
    rule("/description", "replace", text("description")),
    # AWS Marketplace's; it bills nothing here and there, unless the product is sold there.
    rule("/productCode", "add replace remove", text("product_code")),
    rule("/apiStages", "add remove", _api_stages),
    rule("/apiStages/{apidId:stageName}/throttle", "add replace remove", _all_methods),
    rule(_METHOD, "remove", _one_method),
    rule(f"{_METHOD}/rateLimit", "add replace", _method_rate),
    rule(f"{_METHOD}/burstLimit", "add replace", _method_burst),
    rule("/throttle", "remove", _clear("throttle")),
    rule("/throttle/rateLimit", "add replace", _part("throttle", "rate_limit", _number)),
    rule("/throttle/burstLimit", "add replace", _part("throttle", "burst_limit", _whole)),
    rule("/quota", "remove", _clear("quota")),
    rule("/quota/limit", "add replace", _part("quota", "limit", _whole)),
    rule("/quota/offset", "add replace", _part("quota", "offset", _whole)),
    rule("/quota/period", "add replace", _part("quota", "period", _period)),
    listed={
        "remove": (
            "/apiStages /quota /throttle /productCode "
            "/apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod> /apiStages/<apidId:stageName>/throttle"
        )
    },
)
