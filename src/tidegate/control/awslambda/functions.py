"""Functions: create, get, list, update, delete. Source: *CreateFunction* and its kin; shared facts, lambda §3 and §13."""

from __future__ import annotations

import platform
import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params, Violations
from tidegate.control.awslambda.lookup import get_function_record, invalid, read_name
from tidegate.control.context import Context
from tidegate.core.arns import function_arn
from tidegate.core.errors import ControlError
from tidegate.definition.records import Function
from tidegate.functions.packages import PackageError
from tidegate.functions.runtimes import UnsupportedRuntime, require_installed

_REFUSED = {
    "code_signing_config_arn": "code signing",
    "dead_letter_config": "dead-letter queues",
    "durable_config": "durable functions",
    "file_system_configs": "file systems",
    "image_config": "container images",
    "kms_key_arn": "customer managed keys",
    "layers": "layers",
    "publish": "versions (Publish)",
    "publish_to": "versions (PublishTo)",
    "runtime_config": "runtime configurations",
    "accelerator_config": "accelerators",
    "source_kms_key_arn": "customer managed keys",
    "s3_object_storage_mode": "code from S3",
    "capacity_provider_config": "capacity providers",
    "tenancy_config": "tenant isolation",
}
"""Members that would change how a function runs and that Tidegate does not do yet: refused, never ignored."""

_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_RESERVED = frozenset(
    "_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV AWS_LAMBDA_FUNCTION_NAME "
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE "
    "AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY "
    "AWS_SESSION_TOKEN AWS_LAMBDA_RUNTIME_API LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR".split()
)
_MAX_ENVIRONMENT = 4096
_MAX_TIMEOUT = 900
_HERE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def create_function(context: Context, params: Params) -> dict[str, Any]:
    name, _ = read_name(params["function_name"])
    arn = function_arn(context.scope.region, context.scope.account, name)
    if context.tx.get(Function, name) is not None:
        raise ControlError("ResourceConflictException", f"Function already exist: {name}", 409, extra={"Type": "User"})
    _refuse(params)
    if params.get("package_type") == "Image":
        raise invalid("Tidegate does not support container images yet")
    for needed in ("runtime", "handler"):
        if not params.get(needed):
            raise invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
    sha256, size = _package(context, params["code"])
    function = Function(
        function_name=name,
        function_arn=arn,
        role=params["role"],
        runtime=_runtime(params["runtime"]),
        handler=params["handler"],
        code_sha256=sha256,
        code_size=size,
        last_modified=_now(context),
        revision_id=context.ids.request_id(),
        description=params.get("description") or "",
        timeout=params.get("timeout") or 3,
        memory_size=params.get("memory_size") or 128,
        environment=_environment(params.get("environment")),
        architectures=params.get("architectures") or [_HERE],
        tracing_mode=(params.get("tracing_config") or {}).get("mode") or "PassThrough",
        tags=params.get("tags") or None,
    )
    context.tx.put(function)
    return configuration(function)


def _refuse(params: Params) -> None:
    """What AWS refuses and its model does not say, and what Tidegate does not do."""
    if (timeout := params.get("timeout")) is not None and timeout > _MAX_TIMEOUT:
        found = Violations()
        found.add(timeout, "timeout", f"Member must have value less than or equal to {_MAX_TIMEOUT}")
        found.raise_if_any()
    for name, what in _REFUSED.items():
        if params.get(name):
            raise invalid(f"Tidegate does not support {what} yet")
    if any((params.get("vpc_config") or {}).values()):
        raise invalid("Tidegate does not support VPC configurations yet")
    if (params.get("snap_start") or {}).get("apply_on") not in (None, "None"):
        raise invalid("Tidegate does not support SnapStart yet")
    if any(architecture != _HERE for architecture in params.get("architectures") or ()):
        raise invalid(f"Functions run on this machine's architecture, which is {_HERE}")
    if (params.get("tracing_config") or {}).get("mode") == "Active":
        raise invalid("Tidegate does not support X-Ray tracing of functions yet")
    logging_config = params.get("logging_config") or {}
    if logging_config.get("log_format") == "JSON":
        raise invalid("Tidegate does not support the log format JSON yet")
    group = logging_config.get("log_group")
    if group not in (None, f"/aws/lambda/{read_name(params['function_name'])[0]}"):
        raise invalid("Tidegate does not support log groups of other names yet")
    if logging_config.get("application_log_level") or logging_config.get("system_log_level"):
        raise invalid("Tidegate does not support log levels yet")
    if (params.get("code") or {}).get("source_kms_key_arn"):
        raise invalid("Tidegate does not support customer managed keys yet")
    if (params.get("ephemeral_storage") or {}).get("size", 512) != 512:
        raise invalid("Tidegate does not support ephemeral storage sizes other than 512 yet")


def _package(context: Context, code: Params) -> tuple[str, int]:
    data = code.get("zip_file")
    if data is None:
        other = "container images" if code.get("image_uri") else "code from S3"
        raise invalid(f"Tidegate does not support {other} yet; give ZipFile")
    try:
        package = context.packages.add(data)
    except PackageError as error:
        raise invalid(str(error)) from error
    return package.code_sha256, package.code_size


def _runtime(runtime: str) -> str:
    try:
        require_installed(runtime)
    except UnsupportedRuntime as error:
        raise invalid(str(error)) from error
    return runtime


def _environment(given: Params | None) -> dict[str, str] | None:
    variables: dict[str, str] = (given or {}).get("variables") or {}
    for name in variables:
        if name in _RESERVED:
            raise invalid(
                "Lambda was unable to configure your environment variables because the environment variables you have "
                f"provided contains reserved keys that are currently not supported for modification. Reserved keys used "
                f"in this request: {name}"
            )
        if not _VARIABLE.fullmatch(name):
            raise invalid(f"Invalid environment variable name: {name}")
    if sum(len(name) + len(value) for name, value in variables.items()) > _MAX_ENVIRONMENT:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the {_MAX_ENVIRONMENT} bytes limit."
        )
    return variables or None


def _now(context: Context) -> str:
    return context.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def configuration(function: Function) -> dict[str, Any]:
    """A function as FunctionConfiguration shows it."""
    return {
        "function_name": function.function_name,
        "function_arn": function.function_arn,
        "runtime": function.runtime,
        "role": function.role,
        "handler": function.handler,
        "code_size": function.code_size,
        "description": function.description,
        "timeout": function.timeout,
        "memory_size": function.memory_size,
        "last_modified": function.last_modified,
        "code_sha256": function.code_sha256,
        "version": "$LATEST",
        "environment": None if function.environment is None else {"variables": function.environment},
        "tracing_config": {"mode": function.tracing_mode},
        "revision_id": function.revision_id,
        "state": "Active",
        "last_update_status": "Successful",
        "package_type": "Zip",
        "architectures": function.architectures,
        "ephemeral_storage": {"size": 512},
        "logging_config": {"log_format": "Text", "log_group": f"/aws/lambda/{function.function_name}"},
    }


def get_function(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    name = function.code_sha256.replace("/", "_").replace("+", "-")
    location = f"{context.base_url}/_tidegate/packages/{name}"
    return {
        "configuration": configuration(function),
        "code": {"repository_type": "S3", "location": location},
        "tags": function.tags,
    }


def get_function_configuration(context: Context, params: Params) -> dict[str, Any]:
    return configuration(get_function_record(context, params))


def list_functions(context: Context, params: Params) -> dict[str, Any]:
    functions = sorted(context.tx.list(Function), key=lambda function: function.function_name)
    after, most = params.get("marker") or "", params.get("max_items") or 50
    rest = [function for function in functions if function.function_name > after]
    result: dict[str, Any] = {"functions": [configuration(function) for function in rest[:most]]}
    if len(rest) > most:
        result["next_marker"] = rest[most - 1].function_name
    return result


def _check_revision(function: Function, params: Params) -> None:
    wanted = params.get("revision_id")
    if wanted and wanted != function.revision_id:
        raise ControlError(
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to "
            "retrieve the latest Revision Id",
            412,
            extra={"Type": "User"},
        )


def update_function_code(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    _check_revision(function, params)
    _refuse(params)
    sha256, size = _package(context, params)
    changed = replace(
        function,
        code_sha256=sha256,
        code_size=size,
        architectures=params.get("architectures") or function.architectures,
        last_modified=_now(context),
        revision_id=context.ids.request_id(),
    )
    if not params.get("dry_run"):
        context.tx.put(changed)
    return configuration(changed)


def update_function_configuration(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    _check_revision(function, params)
    _refuse(params)
    changes: dict[str, Any] = {
        name: params[name]
        for name in ("role", "handler", "description", "timeout", "memory_size")
        if params.get(name) is not None
    }
    if params.get("runtime"):
        changes["runtime"] = _runtime(params["runtime"])
    if params.get("environment") is not None:
        changes["environment"] = _environment(params["environment"])
    if params.get("tracing_config"):
        changes["tracing_mode"] = params["tracing_config"]["mode"]
    changed = replace(function, last_modified=_now(context), revision_id=context.ids.request_id(), **changes)
    context.tx.put(changed)
    return configuration(changed)


def delete_function(context: Context, params: Params) -> None:
    context.tx.delete(Function, *get_function_record(context, params).key)


def _tagged(context: Context, params: Params) -> Function:
    return get_function_record(context, {"function_name": params["resource"]})


def list_tags(context: Context, params: Params) -> dict[str, Any]:
    return {"tags": _tagged(context, params).tags or {}}


def tag_resource(context: Context, params: Params) -> None:
    function = _tagged(context, params)
    context.tx.put(replace(function, tags={**(function.tags or {}), **params["tags"]}))


def untag_resource(context: Context, params: Params) -> None:
    function = _tagged(context, params)
    rest = {name: value for name, value in (function.tags or {}).items() if name not in params["tag_keys"]}
    context.tx.put(replace(function, tags=rest or None))


OPERATIONS = {
    "ListTags": list_tags,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "CreateFunction": create_function,
    "GetFunction": get_function,
    "GetFunctionConfiguration": get_function_configuration,
    "ListFunctions": list_functions,
    "UpdateFunctionCode": update_function_code,
    "UpdateFunctionConfiguration": update_function_configuration,
    "DeleteFunction": delete_function,
}
