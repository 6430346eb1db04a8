"""Code and configuration as CreateFunction and the two updates give them: what is read, and what is refused by name.

Source: *CreateFunction*, *UpdateFunctionConfiguration*; shared facts, lambda §3 and §13.
"""

from __future__ import annotations

import platform
import re
from typing import Any

from tidegate.aws.model import Params, Violations
from tidegate.control.awslambda.local_folders import name_hash
from tidegate.control.awslambda.lookup import invalid, read_name
from tidegate.control.context import Context
from tidegate.functions.packages import PackageError
from tidegate.functions.runtimes import UnsupportedRuntime, require_installed
from tidegate.functions.spec import STORAGE

_REFUSED = {
    "code_signing_config_arn": "code signing",
    "durable_config": "durable functions",
    "file_system_configs": "file systems",
    "image_config": "container images",
    "kms_key_arn": "customer managed keys",
    "publish_to": "versions (PublishTo)",
    "runtime_config": "runtime configurations",
    "accelerator_config": "accelerators",
    "source_kms_key_arn": "customer managed keys",
    "s3_object_storage_mode": "storage modes of code in S3",
    "capacity_provider_config": "capacity providers",
    "tenancy_config": "tenant isolation",
}
"""Members that would change how a function runs and that Tidegate does not do yet: refused, never ignored."""

_DEAD_LETTER = re.compile(r"arn:aws[\w-]*:(sqs|sns):[\w-]+:\d{12}:.+")
_VARIABLE = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+")
_RESERVED = frozenset(
    "_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV AWS_LAMBDA_FUNCTION_NAME "
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE "
    "AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY "
    "AWS_SESSION_TOKEN AWS_LAMBDA_RUNTIME_API LAMBDA_TASK_ROOT LAMBDA_RUNTIME_DIR".split()
)
_MAX_ENVIRONMENT = 4096
_LARGEST = (("timeout", "timeout", 900), ("memory_size", "memorySize", 10_240))
"""The model's own, for memory, are those of capacity providers."""
HERE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def refuse_unsupported(params: Params) -> None:
    """What AWS refuses and its model does not say, and what Tidegate does not do."""
    found = Violations()
    for name, path, most in _LARGEST:
        if (value := params.get(name)) is not None and value > most:
            found.add(value, path, f"Member must have value less than or equal to {most}")
    found.raise_if_any()
    for name, what in _REFUSED.items():
        if params.get(name):
            raise invalid(f"Tidegate does not support {what} yet")
    target = (params.get("dead_letter_config") or {}).get("target_arn")
    if target and _DEAD_LETTER.fullmatch(target) is None:
        raise invalid(f"The provided target ARN {target} is not valid: it is a queue's or a topic's")
    if target and target.endswith(".fifo"):
        raise invalid(f"The provided target ARN {target} is not valid: a FIFO queue or topic takes no failed events")
    if any((params.get("vpc_config") or {}).values()):
        raise invalid("Tidegate does not support VPC configurations yet")
    if (params.get("snap_start") or {}).get("apply_on") not in (None, "None"):
        raise invalid("Tidegate does not support SnapStart yet")
    if any(architecture != HERE for architecture in params.get("architectures") or ()):
        raise invalid(f"Functions run on this machine's architecture, which is {HERE}")
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


def storage(params: Params) -> int:
    size: int = (params.get("ephemeral_storage") or {}).get("size") or STORAGE
    return size


def read_code(context: Context, code: Params) -> dict[str, Any]:
    """The record's fields of it. Code in S3 has been fetched before (service). Raises ControlError."""
    if folders := code.get("folders"):
        folder, *libraries = folders
        return {"code_sha256": name_hash(folder), "code_size": 0, "folder": folder, "libraries": libraries}
    data = code.get("zip_file")
    if data is None:
        if code.get("image_uri"):
            raise invalid("Tidegate does not support container images yet")
        raise invalid("Please provide a source for function code.")
    try:
        package = context.packages.add(data)
    except PackageError as error:
        raise invalid(error.message) from error
    return {"code_sha256": package.code_sha256, "code_size": package.code_size, "folder": None, "libraries": []}


def read_runtime(runtime: str) -> str:
    try:
        require_installed(runtime)
    except UnsupportedRuntime as error:
        raise invalid(str(error)) from error
    return runtime


def read_environment(given: Params | None) -> dict[str, str] | None:
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
    if sum(len(name) + len(value.encode()) for name, value in variables.items()) > _MAX_ENVIRONMENT:
        raise invalid(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the {_MAX_ENVIRONMENT} bytes limit."
        )
    return variables or None
