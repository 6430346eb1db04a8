"""AWS::Lambda::Function and Permission.

AWS: CloudFormation Template Reference, "AWS::Lambda::Function", "AWS::Lambda::Permission".
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

from tidegate.core.arns import function_arn
from tidegate.deploy.package import text_package
from tidegate.deploy.resources.base import (
    Context,
    Made,
    Props,
    Provider,
    ResourceError,
    Table,
    found,
    gone_is_fine,
    tag_map,
    undone_by,
    unsupported_is_said,
)
from tidegate.deploy.resources.function_parts import stored_code
from tidegate.deploy.resources.shapes import call

_CONFIGURATION = (
    *(
        "DeadLetterConfig",
        "Description",
        "Environment",
        "EphemeralStorage",
        "Handler",
        "Layers",
        "MemorySize",
        "Role",
        "Runtime",
        "Timeout",
    ),
)
_CLEARED: Mapping[str, Any] = {
    "DeadLetterConfig": {"TargetArn": ""},
    "Description": "",
    "Environment": {"Variables": {}},
    "EphemeralStorage": {"Size": 512},
    "Layers": [],
    "MemorySize": 128,
    "Timeout": 3,
}
"""What a property that is no longer given goes back to."""
_HERE = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
_INLINE_FILES = {"python": "index.py", "nodejs": "index.js"}


class Function(Provider):
    type = "AWS::Lambda::Function"
    attributes = frozenset({"Arn"})
    table = Table(
        handled=frozenset(
            {*_CONFIGURATION, "Code", "FunctionName", "PackageType", "ReservedConcurrentExecutions", "Tags"}
        ),
        reported={
            "Architectures": f"functions run on this machine's architecture ({_HERE})",
            "CodeSigningConfigArn": "code is not verified",
            "FunctionScalingConfig": "has no effect",
            "KmsKeyArn": "has no effect; nothing is encrypted at rest",
            "LoggingConfig": "has no effect; see `tidegate logs`",
            "PublishToLatestPublished": "has no effect",
            "RecursiveLoop": "has no effect",
            "RuntimeManagementConfig": "has no effect; the runtime found nearest is taken",
            "SnapStart": "has no effect",
            "TracingConfig": "has no effect; there is no X-Ray to send traces to",
            "VpcConfig": "has no effect; functions run in the network that Tidegate runs in",
        },
        refused={
            "CapacityProviderConfig": "is not supported",
            "DurableConfig": "durable functions are not supported",
            "FileSystemConfigs": "file systems are not supported",
            "ImageConfig": "container images are not supported",
            "TenancyConfig": "is not supported",
        },
        required=frozenset({"Code", "Role"}),
        replacing=frozenset({"FunctionName", "PackageType"}),
        name="FunctionName",
        harmless={"Architectures": ([_HERE],), "TracingConfig": ({"Mode": "PassThrough"},)},
    )

    def create(self, properties: Props, context: Context) -> Made:
        name = str(properties.get("FunctionName") or context.name(64))
        given = {key: properties[key] for key in _CONFIGURATION if key in properties}
        given |= {"FunctionName": name, "Code": _code(properties, context)}
        if tags := tag_map(properties):
            given["Tags"] = tags
        client = context.clients("lambda")
        call(client, "CreateFunction", given)
        with undone_by(lambda: client.delete_function(FunctionName=name)):
            _reserve(client, name, properties, {})
        return Made(name, {"Arn": _arn(name, context)})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client = context.clients("lambda")
        changed = {key: properties.get(key) for key in _CONFIGURATION if properties.get(key) != old.get(key)}
        if changed:
            given = {key: _CLEARED.get(key, "") if value is None else value for key, value in changed.items()}
            call(client, "UpdateFunctionConfiguration", {"FunctionName": made.physical_id, **given})
        if properties["Code"] != old.get("Code"):
            client.update_function_code(FunctionName=made.physical_id, **_code(properties, context))
        _reserve(client, made.physical_id, properties, old)
        with unsupported_is_said("Tags", context):
            self._retag(made, properties, old, client)
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("lambda").delete_function(FunctionName=made.physical_id)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: context.clients("lambda").get_function(FunctionName=made.physical_id))

    def _retag(self, made: Made, properties: Props, old: Props, client: Any) -> None:
        wanted, before = tag_map(properties), tag_map(old)
        arn = made.attributes["Arn"]
        if dropped := sorted(before.keys() - wanted.keys()):
            client.untag_resource(Resource=arn, TagKeys=dropped)
        if changed := {key: value for key, value in wanted.items() if before.get(key) != value}:
            client.tag_resource(Resource=arn, Tags=changed)


class Permission(Provider):
    """One statement of a function's resource policy."""

    type = "AWS::Lambda::Permission"
    attributes = frozenset({"Id"})
    table = Table(
        handled=frozenset(
            {
                *("Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "Principal"),
                *("InvokedViaFunctionUrl", "PrincipalOrgID", "SourceAccount", "SourceArn"),
            }
        ),
        required=frozenset({"Action", "FunctionName", "Principal"}),
        replacing=frozenset(
            {
                *("Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "Principal"),
                *("InvokedViaFunctionUrl", "PrincipalOrgID", "SourceAccount", "SourceArn"),
            }
        ),
    )

    def create(self, properties: Props, context: Context) -> Made:
        statement = context.name(100)
        call(context.clients("lambda"), "AddPermission", {**properties, "StatementId": statement})
        return Made(statement, {"Id": statement})

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("lambda").remove_permission(
                FunctionName=properties["FunctionName"], StatementId=made.physical_id
            )

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        policy = ""

        def look() -> None:
            nonlocal policy
            policy = context.clients("lambda").get_policy(FunctionName=properties["FunctionName"])["Policy"]

        return found(look) and f'"{made.physical_id}"' in policy


def _reserve(client: Any, name: str, properties: Props, old: Props) -> None:
    wanted = properties.get("ReservedConcurrentExecutions")
    if wanted == old.get("ReservedConcurrentExecutions"):
        return
    if wanted is None:
        client.delete_function_concurrency(FunctionName=name)
    else:
        call(client, "PutFunctionConcurrency", {"FunctionName": name, "ReservedConcurrentExecutions": wanted})


def _code(properties: Props, context: Context) -> dict[str, Any]:
    """As CreateFunction and UpdateFunctionCode take it."""
    if properties.get("PackageType") == "Image":
        raise ResourceError("PackageType: container images are not supported")
    code = properties["Code"]
    if "ZipFile" in code:
        return {"ZipFile": _inline(str(properties.get("Runtime", "")), str(code["ZipFile"]))}
    return stored_code(code, context)


def _inline(runtime: str, code: str) -> bytes:
    # AWS: inline code is put into a file named index, for Node.js and Python only.
    for family, file in _INLINE_FILES.items():
        if runtime.startswith(family):
            return text_package(file, code)
    raise ResourceError(f"Code.ZipFile: inline code is for Node.js and Python only, not {runtime or 'no runtime'}")


def _arn(name: str, context: Context) -> str:
    return function_arn(context.target.region, context.target.account, name)
