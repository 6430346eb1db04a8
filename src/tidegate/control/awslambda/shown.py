"""A function as FunctionConfiguration shows it."""

from __future__ import annotations

from typing import Any

from tidegate.definition.records import LATEST, Function, FunctionVersion


def configuration(function: Function | FunctionVersion, *, qualifier: str | None = None) -> dict[str, Any]:
    """`qualifier`: what it was asked for by, which the ARN then ends with; a version always ends with its own."""
    version = function.version if isinstance(function, FunctionVersion) else LATEST
    suffix = qualifier or (version if version != LATEST else None)
    target = function.dead_letter_target
    return {
        "function_name": function.function_name,
        "function_arn": f"{function.function_arn}:{suffix}" if suffix else function.function_arn,
        "runtime": function.runtime,
        "role": function.role,
        "handler": function.handler,
        "code_size": function.code_size,
        "description": function.description,
        "timeout": function.timeout,
        "memory_size": function.memory_size,
        "last_modified": function.last_modified,
        "code_sha256": function.code_sha256,
        "version": version,
        "environment": None if function.environment is None else {"variables": function.environment},
        "dead_letter_config": None if target is None else {"target_arn": target},
        "layers": [{"arn": layer.arn, "code_size": layer.code_size} for layer in function.layers] or None,
        "tracing_config": {"mode": function.tracing_mode},
        "revision_id": function.revision_id,
        "state": "Active",
        "last_update_status": "Successful",
        "package_type": "Zip",
        "architectures": function.architectures,
        "ephemeral_storage": {"size": function.ephemeral_storage},
        "snap_start": {"apply_on": "None", "optimization_status": "Off"},
        "logging_config": {"log_format": "Text", "log_group": f"/aws/lambda/{function.function_name}"},
    }
