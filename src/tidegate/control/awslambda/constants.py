"""What is the same for every function, and is asked for by tools all the same. Setting any of it is refused by name.

Source: *GetFunctionCodeSigningConfig*, *GetRuntimeManagementConfig*, *GetFunctionRecursionConfig*.
"""

from __future__ import annotations

from typing import Any

from tidegate.aws.model import Params
from tidegate.control.awslambda.lookup import get_configured, get_function_record
from tidegate.control.awslambda.shown import configuration
from tidegate.control.context import Context


def get_code_signing(context: Context, params: Params) -> dict[str, Any]:
    """No code is signed."""
    return {"code_signing_config_arn": "", "function_name": get_function_record(context, params).function_name}


def get_runtime_management(context: Context, params: Params) -> dict[str, Any]:
    """A runtime is what the machine has, and follows it."""
    arn = configuration(get_configured(context, params))["function_arn"]
    return {"update_runtime_on": "Auto", "function_arn": arn}


def get_recursion(context: Context, params: Params) -> dict[str, Any]:
    """Functions that lead to each other by their destinations are stopped (functions.asynchronous)."""
    get_function_record(context, params)
    return {"recursive_loop": "Terminate"}


OPERATIONS = {
    "GetFunctionCodeSigningConfig": get_code_signing,
    "GetRuntimeManagementConfig": get_runtime_management,
    "GetFunctionRecursionConfig": get_recursion,
}
