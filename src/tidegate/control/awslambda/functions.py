"""Functions: create, get, list, update, delete, and their tags.

Source: *CreateFunction* and its kin; shared facts, lambda §13. Not here: what a configuration may say (settings).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tidegate.aws.model import Params
from tidegate.aws.rest import Answer
from tidegate.control.awslambda.layers import used_layers
from tidegate.control.awslambda.lookup import (
    check_revision,
    conflict,
    function_missing,
    get_configured,
    get_function_record,
    invalid,
    package_location,
    page,
    read_name,
    read_target,
    timestamp,
)
from tidegate.control.awslambda.settings import (
    HERE,
    read_code,
    read_environment,
    read_runtime,
    refuse_unsupported,
    storage,
)
from tidegate.control.awslambda.shown import configuration
from tidegate.control.awslambda.versions import drop_version, publish, versions_of
from tidegate.control.context import Context
from tidegate.core.arns import function_arn
from tidegate.definition.records import LATEST, Function, FunctionAlias, FunctionUrl, FunctionVersion

_MAX_TAGS = 50
_PLAIN = ("role", "handler", "description", "timeout", "memory_size")


def create_function(context: Context, params: Params) -> dict[str, Any]:
    name, qualifier = read_name(params["function_name"], context.scope)
    if qualifier is not None:
        raise invalid("Function name cannot contain a qualifier")
    if context.tx.get(Function, name) is not None:
        raise conflict(f"Function already exist: {name}")
    refuse_unsupported(params)
    if params.get("package_type") == "Image":
        raise invalid("Tidegate does not support container images yet")
    if not (params.get("runtime") and params.get("handler")):
        raise invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
    code = read_code(context, params["code"])
    function = Function(
        function_name=name,
        function_arn=function_arn(context.scope.region, context.scope.account, name),
        role=params["role"],
        runtime=read_runtime(params["runtime"]),
        handler=params["handler"],
        **code,
        last_modified=timestamp(context),
        revision_id=context.ids.request_id(),
        description=params.get("description") or "",
        timeout=params.get("timeout") or 3,
        memory_size=params.get("memory_size") or 128,
        ephemeral_storage=storage(params),
        environment=read_environment(params.get("environment")),
        architectures=params.get("architectures") or [HERE],
        tracing_mode=(params.get("tracing_config") or {}).get("mode") or "PassThrough",
        layers=used_layers(context, params.get("layers") or []),
        dead_letter_target=(params.get("dead_letter_config") or {}).get("target_arn") or None,
        tags=_checked(params.get("tags") or {}) or None,
    )
    context.tx.put(function)
    return _published(context, function, params)


def _published(context: Context, function: Function, params: Params) -> dict[str, Any]:
    """A function as it was made or changed; with Publish, the version that came of it."""
    return configuration(publish(context, function) if params.get("publish") else function)


def get_function(context: Context, params: Params) -> dict[str, Any]:
    found = get_configured(context, params)
    function = context.tx.get(Function, found.function_name)
    assert function is not None, "versions live no longer than their function"
    reserved = function.reserved_concurrency
    return {
        "configuration": configuration(found, qualifier=read_target(context, params)[1]),
        "code": _code(context, found),
        "tags": function.tags,
        "concurrency": None if reserved is None else {"reserved_concurrent_executions": reserved},
    }


def _code(context: Context, found: Function | FunctionVersion) -> dict[str, str]:
    if found.folder is not None:
        return {"repository_type": "local", "location": Path(found.folder).as_uri()}
    return {"repository_type": "S3", "location": package_location(context, found.code_sha256)}


def get_function_configuration(context: Context, params: Params) -> dict[str, Any]:
    return configuration(get_configured(context, params), qualifier=read_target(context, params)[1])


def list_functions(context: Context, params: Params) -> dict[str, Any]:
    if params.get("master_region"):
        raise invalid("Tidegate does not support MasterRegion")
    shown = []
    for function in sorted(context.tx.list(Function), key=lambda function: function.function_name):
        if params.get("function_version") == "ALL":
            shown += [configuration(version, qualifier=_version(version)) for version in versions_of(context, function)]
        else:
            shown.append(configuration(function))
    found, marker = page(shown, params, lambda one: str(one["function_arn"]))
    return {"functions": found, "next_marker": marker}


def _version(record: Function | FunctionVersion) -> str:
    return record.version if isinstance(record, FunctionVersion) else LATEST


def update_function_code(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    check_revision(function.revision_id, params, "GetFunction/GetAlias")
    refuse_unsupported(params)
    changed = replace(
        function,
        **read_code(context, params),
        architectures=params.get("architectures") or function.architectures,
        last_modified=timestamp(context),
        revision_id=context.ids.request_id(),
    )
    if params.get("dry_run"):
        return configuration(changed)
    context.tx.put(changed)
    return _published(context, changed, params)


def update_function_configuration(context: Context, params: Params) -> dict[str, Any]:
    function = get_function_record(context, params)
    check_revision(function.revision_id, params, "GetFunction/GetAlias")
    refuse_unsupported(params)
    changes: dict[str, Any] = {name: params[name] for name in _PLAIN if params.get(name) is not None}
    if params.get("runtime"):
        changes["runtime"] = read_runtime(params["runtime"])
    if params.get("environment") is not None:
        changes["environment"] = read_environment(params["environment"])
    if params.get("ephemeral_storage"):
        changes["ephemeral_storage"] = storage(params)
    if params.get("tracing_config"):
        changes["tracing_mode"] = params["tracing_config"].get("mode") or function.tracing_mode
    if params.get("layers") is not None:
        changes["layers"] = used_layers(context, params["layers"])
    if params.get("dead_letter_config") is not None:
        changes["dead_letter_target"] = params["dead_letter_config"].get("target_arn") or None
    changed = replace(function, last_modified=timestamp(context), revision_id=context.ids.request_id(), **changes)
    context.tx.put(changed)
    return configuration(changed)


def delete_function(context: Context, params: Params) -> Answer:
    """The whole function, or one version of it."""
    name, qualifier = read_target(context, params)
    if context.tx.get(Function, name) is None:
        raise function_missing(context, name, qualifier)
    if qualifier == LATEST:
        raise invalid("$LATEST version cannot be deleted without deleting the function.")
    if qualifier is None:
        for kind in (FunctionAlias, FunctionVersion, FunctionUrl):
            context.tx.delete_all(kind, name)
        context.tx.delete(Function, name)
    else:
        drop_version(context, name, qualifier)
    return Answer(b"", status=204)


def _tagged(context: Context, params: Params) -> Function:
    return get_function_record(context, {"function_name": params["resource"]})


def list_tags(context: Context, params: Params) -> dict[str, Any]:
    return {"tags": _tagged(context, params).tags or {}}


def tag_resource(context: Context, params: Params) -> None:
    function = _tagged(context, params)
    context.tx.put(replace(function, tags=_checked({**(function.tags or {}), **params["tags"]})))


def _checked(tags: dict[str, str]) -> dict[str, str]:
    """A function's tags, if it may have so many."""
    if len(tags) > _MAX_TAGS:
        raise invalid(f"Exceeded the maximum number of tags ({_MAX_TAGS}) on the resource")
    return tags


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
