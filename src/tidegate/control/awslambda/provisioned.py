"""Provisioned concurrency: how many workers of a version are kept warm, asked for by the version itself or by an alias.

Source: *PutProvisionedConcurrencyConfig* and its kin; *Configuring provisioned concurrency*. Not here: keeping them warm
(functions.pool), how far it is with them (`with_status` asks the function service).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

from tidegate.aws.model import Params
from tidegate.aws.rest import Answer
from tidegate.control.awslambda.lookup import get_function_record, get_invocable, invalid, page, timestamp
from tidegate.control.awslambda.versions import routed_versions
from tidegate.control.context import Context
from tidegate.core.arns import function_arn
from tidegate.core.errors import ControlError
from tidegate.definition.records import Function, FunctionAlias, FunctionVersion
from tidegate.functions.spec import Provisioning

_Target: TypeAlias = FunctionVersion | FunctionAlias
_INIT_FAILED = "FUNCTION_ERROR_INIT_FAILURE"


def _target(context: Context, params: Params) -> _Target:
    found = get_invocable(context, params)
    if isinstance(found, Function):
        raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    return found


def _shown(context: Context, target: _Target) -> dict[str, Any]:
    qualifier = target.version if isinstance(target, FunctionVersion) else target.name
    return {
        "function_arn": function_arn(context.scope.region, context.scope.account, target.function_name, qualifier),
        "requested_provisioned_concurrent_executions": target.provisioned_concurrency,
        "last_modified": target.provisioned_since,
    }


def put_config(context: Context, params: Params) -> dict[str, Any]:
    target, wanted = _target(context, params), params["provisioned_concurrent_executions"]
    _check_neighbours(context, target)
    function = context.tx.get(Function, target.function_name)
    assert function is not None, "versions live no longer than their function"
    if function.reserved_concurrency is not None:
        others = sum(one.provisioned_concurrency or 0 for one in _all(context, target.function_name) if one != target)
        if others + wanted > function.reserved_concurrency:
            raise invalid(
                "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
            )
    changed = replace(target, provisioned_concurrency=wanted, provisioned_since=timestamp(context))
    context.tx.put(changed)
    return _shown(context, changed)


def _check_neighbours(context: Context, target: _Target) -> None:
    """AWS: of a version and its aliases, only one may ask. Raises ControlError."""
    if isinstance(target, FunctionAlias):
        check_alias(context, replace(target, provisioned_concurrency=1))
        return
    for alias in context.tx.list(FunctionAlias, target.function_name):
        if alias.provisioned_concurrency and target.version in routed_versions(alias):
            raise invalid("Version is pointed by a Provisioned Concurrency alias")


def check_alias(context: Context, alias: FunctionAlias) -> None:
    """Whether what an alias leads to can be kept warm, if it asks for that. Raises ControlError."""
    if not alias.provisioned_concurrency:
        return
    if alias.additional_version_weights:
        raise invalid("Alias with weights can not be used with Provisioned Concurrency")
    version = context.tx.get(FunctionVersion, alias.function_name, alias.function_version)
    if version is None:
        raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    if version.provisioned_concurrency:
        raise invalid(
            "Alias can not be used for Provisioned Concurrency configuration on an already Provisioned version"
        )


def _all(context: Context, name: str) -> list[_Target]:
    return [*context.tx.list(FunctionVersion, name), *context.tx.list(FunctionAlias, name)]


def get_config(context: Context, params: Params) -> dict[str, Any]:
    target = get_invocable(context, params)
    if isinstance(target, Function) or target.provisioned_concurrency is None:
        raise ControlError(
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
            404,
            extra={"Type": "User"},
        )
    return _shown(context, target)


def list_configs(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    shown = [_shown(context, one) for one in _all(context, function.function_name) if one.provisioned_concurrency]
    found, marker = page(shown, params, lambda one: str(one["function_arn"]))
    return {"provisioned_concurrency_configs": found, "next_marker": marker}


def delete_config(context: Context, params: Params) -> Answer:
    """AWS: deleting what is not there is fine."""
    target = get_invocable(context, params)
    if not isinstance(target, Function):
        context.tx.put(replace(target, provisioned_concurrency=None, provisioned_since=""))
    return Answer(b"", status=204)


OPERATIONS = {
    "PutProvisionedConcurrencyConfig": put_config,
    "GetProvisionedConcurrencyConfig": get_config,
    "ListProvisionedConcurrencyConfigs": list_configs,
    "DeleteProvisionedConcurrencyConfig": delete_config,
}


def check_room(params: Params, functions: Provisioning) -> None:
    """Whether this machine is set up for so many. Raises ControlError."""
    wanted, most = params["provisioned_concurrent_executions"], functions.provisionable
    if wanted > most:
        raise invalid(
            f"Tidegate keeps at most {most} workers of a function, not {wanted}: raise the settings workers and "
            "workers_per_function"
        )


def with_status(result: Any, functions: Provisioning) -> Any:
    """What one of the operations has shown, with how far it is."""
    if not isinstance(result, dict):
        return result
    configs = result.get("provisioned_concurrency_configs")
    if configs is None:
        return {**result, **_status(result, functions)}
    return {**result, "provisioned_concurrency_configs": [{**one, **_status(one, functions)} for one in configs]}


def _status(config: dict[str, Any], functions: Provisioning) -> dict[str, Any]:
    wanted = config["requested_provisioned_concurrent_executions"]
    state = functions.provisioned(config["function_arn"])
    up = min(state.up, wanted)
    status = "READY" if up == wanted else "FAILED" if state.failed else "IN_PROGRESS"
    return {
        "available_provisioned_concurrent_executions": up,
        "allocated_provisioned_concurrent_executions": up,
        "status": status,
        "status_reason": _INIT_FAILED if status == "FAILED" else None,
    }
