"""Reserved concurrency, and the account's limits and use. Source: *Reserved concurrency*, *GetAccountSettings*; facts,
lambda §11.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.aws.rest import Answer
from tidegate.control.awslambda.lookup import get_function_record, invalid
from tidegate.control.context import Context
from tidegate.definition.records import Function, FunctionVersion, LayerVersion

_ACCOUNT = 1000
_UNRESERVED = 100
"""AWS: so many always stay for functions that reserve nothing."""
_TOTAL_CODE = 80_530_636_800


def _reserved(context: Context, *, without: str = "") -> int:
    return sum(
        function.reserved_concurrency or 0
        for function in context.tx.list(Function)
        if function.function_name != without
    )


def put_concurrency(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    wanted = params["reserved_concurrent_executions"]
    if _ACCOUNT - _reserved(context, without=function.function_name) - wanted < _UNRESERVED:
        raise invalid(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
            f"its minimum value of [{_UNRESERVED}]."
        )
    context.tx.put(replace(function, reserved_concurrency=wanted))
    return {"reserved_concurrent_executions": wanted}


def get_concurrency(context: Context, params: Params) -> dict[str, Any]:
    return {"reserved_concurrent_executions": get_function_record(context, params).reserved_concurrency}


def delete_concurrency(context: Context, params: Params) -> Answer:
    context.tx.put(replace(get_function_record(context, params), reserved_concurrency=None))
    return Answer(b"", status=204)


def get_account_settings(context: Context, _params: Params) -> dict[str, Any]:
    functions = context.tx.list(Function)
    versions, layers = context.tx.list(FunctionVersion), context.tx.list(LayerVersion)
    sizes = [one.code_size for one in (*functions, *versions)] + [one.code_size for one in layers]
    return {
        "account_limit": {
            "total_code_size": _TOTAL_CODE,
            "code_size_unzipped": 262_144_000,
            "code_size_zipped": 52_428_800,
            "concurrent_executions": _ACCOUNT,
            "unreserved_concurrent_executions": _ACCOUNT - _reserved(context),
        },
        "account_usage": {
            "total_code_size": sum(sizes),
            "function_count": len(functions),
        },
    }


OPERATIONS = {
    "PutFunctionConcurrency": put_concurrency,
    "GetFunctionConcurrency": get_concurrency,
    "DeleteFunctionConcurrency": delete_concurrency,
    "GetAccountSettings": get_account_settings,
}
