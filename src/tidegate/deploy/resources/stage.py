"""AWS::ApiGateway::Stage.

Not here: its settings as patches (`stage_settings`). AWS: CloudFormation Template Reference, "AWS::ApiGateway::Stage".
"""

from __future__ import annotations

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
from tidegate.deploy.resources.shapes import call
from tidegate.deploy.resources.stage_settings import stage_patches, unenforced

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
    given = {name: properties[name] for name in ("RestApiId", "StageName", *_CREATED) if name in properties}
    if "CanarySetting" in properties:
        given["canarySettings"] = properties["CanarySetting"]
    if tags := tag_map(properties):
        given["tags"] = tags
    client = context.clients("apigateway")
    name: str = call(client, "CreateStage", given)["stageName"]
    # Half a stage would be in the way of the next try.
    with undone_by(lambda: client.delete_stage(restApiId=properties["RestApiId"], stageName=name)):
        patched = {property_: properties[property_] for property_ in _PATCHED if property_ in properties}
        _settle({"RestApiId": properties["RestApiId"], "StageName": name, **patched}, {}, context)
    return name


def change_stage(properties: Props, old: Props, context: Context) -> None:
    """Bring a stage from the old properties to the new ones."""
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
