"""How asynchronous invocations are treated, per qualifier. Source: *PutFunctionEventInvokeConfig*; shared facts, lambda §12."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, TypeAlias

from tidegate.aws.model import Params
from tidegate.aws.rest import Answer
from tidegate.control.awslambda.lookup import get_function_record, get_invocable, invalid, not_found, page
from tidegate.control.awslambda.versions import versions_of
from tidegate.control.context import Context
from tidegate.core.arns import function_arn
from tidegate.definition.records import (
    LATEST,
    EventInvoke,
    Function,
    FunctionAlias,
    FunctionVersion,
)

_Target: TypeAlias = Function | FunctionVersion | FunctionAlias
_DESTINATION = re.compile(r"arn:aws[\w-]*:(sqs|sns|lambda|events):[\w-]+:\d{12}:.+")


def _arn(context: Context, target: _Target) -> str:
    qualifier = LATEST
    if isinstance(target, FunctionVersion):
        qualifier = target.version
    elif isinstance(target, FunctionAlias):
        qualifier = target.name
    return function_arn(context.scope.region, context.scope.account, target.function_name, qualifier)


def _shown(context: Context, target: _Target) -> dict[str, Any]:
    given = target.event_invoke
    assert given is not None, "the caller has looked"
    destinations = {"on_success": given.on_success, "on_failure": given.on_failure}
    return {
        "last_modified": given.last_modified,
        "function_arn": _arn(context, target),
        "maximum_retry_attempts": given.maximum_retry_attempts,
        "maximum_event_age_in_seconds": given.maximum_event_age_in_seconds,
        "destination_config": {
            name: {} if destination is None else {"destination": destination}
            for name, destination in destinations.items()
        },
    }


def _given(params: Params) -> dict[str, Any]:
    """The members that a call sets."""
    changes: dict[str, Any] = {
        name: params[name]
        for name in ("maximum_retry_attempts", "maximum_event_age_in_seconds")
        if params.get(name) is not None
    }
    for name, destination in (params.get("destination_config") or {}).items():
        if destination is not None:
            changes[name] = _destination(destination.get("destination"))
    return changes


def _destination(arn: str | None) -> str | None:
    if not arn:
        return None
    if _DESTINATION.fullmatch(arn) is None:
        raise invalid(f"Tidegate sends results to SQS, SNS, Lambda and EventBridge only, not to {arn}")
    if arn.endswith(".fifo"):
        raise invalid(f"The destination {arn} is not valid: FIFO queues and topics take no results")
    return arn


def put_config(context: Context, params: Params) -> dict[str, Any]:
    return _store(context, get_invocable(context, params), EventInvoke(**_given(params)))


def update_config(context: Context, params: Params) -> dict[str, Any]:
    target = _configured(context, params)
    assert target.event_invoke is not None, "_configured has looked"
    return _store(context, target, replace(target.event_invoke, **_given(params)))


def _store(context: Context, target: _Target, given: EventInvoke) -> dict[str, Any]:
    changed = replace(target, event_invoke=replace(given, last_modified=int(context.clock.time())))
    context.tx.put(changed)
    return _shown(context, changed)


def _configured(context: Context, params: Params) -> _Target:
    target = get_invocable(context, params)
    if target.event_invoke is None:
        raise not_found(f"The function {_arn(context, target)} doesn't have an EventInvokeConfig")
    return target


def get_config(context: Context, params: Params) -> dict[str, Any]:
    return _shown(context, _configured(context, params))


def delete_config(context: Context, params: Params) -> Answer:
    context.tx.put(replace(_configured(context, params), event_invoke=None))
    return Answer(b"", status=204)


def list_configs(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    targets: list[_Target] = [*versions_of(context, function), *context.tx.list(FunctionAlias, function.function_name)]
    shown = [_shown(context, target) for target in targets if target.event_invoke is not None]
    found, marker = page(shown, params, lambda one: str(one["function_arn"]))
    return {"function_event_invoke_configs": found, "next_marker": marker}


OPERATIONS = {
    "PutFunctionEventInvokeConfig": put_config,
    "UpdateFunctionEventInvokeConfig": update_config,
    "GetFunctionEventInvokeConfig": get_config,
    "DeleteFunctionEventInvokeConfig": delete_config,
    "ListFunctionEventInvokeConfigs": list_configs,
}
