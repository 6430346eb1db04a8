"""AWS::ApiGateway::Stage.

Not here: its settings as patches (`stage_settings`). AWS: CloudFormation Template Reference, "AWS::ApiGateway::Stage".
"""

from __future__ import annotations

from typing import Any

from tidegate.core.arns import rest_api_arn
from tidegate.deploy.resources.base import (
    Context,
    Made,
    Props,
    Provider,
    Table,
    found,
    gone_is_fine,
    tag_map,
    undone_by,
)
from tidegate.deploy.resources.entity import retag
from tidegate.deploy.resources.shapes import arguments_of, call
from tidegate.deploy.resources.stage_settings import check_settings, stage_patches, unenforced

_CREATED = (
    "CacheClusterEnabled",
    "CacheClusterSize",
    "DeploymentId",
    "Description",
    "DocumentationVersion",
    "Variables",
)
_PATCHED = ("AccessLogSetting", "ClientCertificateId", "MethodSettings", "TracingEnabled")
"""What CreateStage does not take. AWS: it takes `tracingEnabled`; one way for both cases is enough."""


class Stage(Provider):
    """A name under which a deployment is served."""

    type = "AWS::ApiGateway::Stage"
    table = Table(
        handled=frozenset({*_CREATED, *_PATCHED, "CanarySetting", "RestApiId", "StageName", "Tags"}),
        required=frozenset({"DeploymentId", "RestApiId", "StageName"}),
        replacing=frozenset({"RestApiId", "StageName"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        return Made(make_stage(properties, context))

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        change_stage(properties, old, context)
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("apigateway").delete_stage(restApiId=properties["RestApiId"], stageName=made.physical_id)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(
            lambda: context.clients("apigateway").get_stage(
                restApiId=properties["RestApiId"], stageName=made.physical_id
            )
        )


def make_stage(properties: Props, context: Context) -> str:
    """Create a stage with everything that its properties say; returns its name."""
    check_settings(properties)
    client = context.clients("apigateway")
    name: str = call(client, "CreateStage", _creation(properties))["stageName"]
    # Half a stage would be in the way of the next try.
    with undone_by(lambda: client.delete_stage(restApiId=properties["RestApiId"], stageName=name)):
        patched = {member: properties[member] for member in ("RestApiId", *_PATCHED) if member in properties}
        _settle({**patched, "StageName": name}, {}, context)
    return name


def _creation(properties: Props) -> dict[str, Any]:
    given = {name: properties[name] for name in ("RestApiId", "StageName", *_CREATED) if name in properties}
    if "CanarySetting" in properties:
        given["canarySettings"] = properties["CanarySetting"]
    return given | ({"tags": tags} if (tags := tag_map(properties)) else {})


def change_stage(properties: Props, old: Props, context: Context) -> None:
    """Bring a stage from the old properties to the new ones."""
    check_settings(properties)
    arguments_of(context.clients("apigateway"), "CreateStage", _creation(properties))
    arn = f"{rest_api_arn(context.target.region, properties['RestApiId'])}/stages/{properties['StageName']}"
    retag(arn, tag_map(properties), tag_map(old), context)
    _settle(properties, old, context)


def _settle(properties: Props, old: Props, context: Context) -> None:
    for message in unenforced(properties):
        context.warn(message)
    if operations := list(stage_patches(properties, old)):
        context.clients("apigateway").update_stage(
            restApiId=properties["RestApiId"], stageName=str(properties["StageName"]), patchOperations=operations
        )
