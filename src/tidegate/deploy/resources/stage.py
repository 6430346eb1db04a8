"""AWS::ApiGateway::Deployment and Stage.

AWS: CloudFormation Template Reference, "AWS::ApiGateway::Deployment", "AWS::ApiGateway::Stage".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from tidegate.core.arns import rest_api_arn
from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.apigateway import retag
from tidegate.deploy.resources.base import Context, Made, Props, Provider, Table, found, gone_is_fine, tag_map
from tidegate.deploy.resources.shapes import call
from tidegate.deploy.resources.stage_settings import setting_patches, unenforced, unknown_settings

_NOT_YET = "has no effect yet"


class Deployment(Provider):
    """A frozen copy of an API; with StageName, also the stage that serves it."""

    type = "AWS::ApiGateway::Deployment"
    attributes = frozenset({"DeploymentId"})
    table = Table(
        handled=frozenset({"Description", "RestApiId", "StageDescription", "StageName"}),
        reported={"DeploymentCanarySettings": _NOT_YET},
        required=frozenset({"RestApiId"}),
        replacing=frozenset({"RestApiId", "StageName", "StageDescription"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        given = {name: properties[name] for name in ("RestApiId", "Description", "StageName") if name in properties}
        stage = properties.get("StageDescription") or {}
        if "Description" in stage:
            given["stageDescription"] = stage["Description"]
        if "Variables" in stage:
            given["variables"] = stage["Variables"]
        for name in stage.keys() - {"Description", "Variables"}:
            context.warn(f"StageDescription.{name}: {_NOT_YET}")
        made = call(context.clients("apigateway"), "CreateDeployment", given)
        return Made(made["id"], {"DeploymentId": made["id"]})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        context.clients("apigateway").update_deployment(
            restApiId=properties["RestApiId"],
            deploymentId=made.physical_id,
            patchOperations=[
                {"op": "replace", "path": "/description", "value": text(properties.get("Description", ""))}
            ],
        )
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        client = context.clients("apigateway")
        api_id = properties["RestApiId"]
        with gone_is_fine():
            # AWS refuses to remove a deployment that a stage points to; the stage it made itself goes with it.
            for stage in client.get_stages(restApiId=api_id, deploymentId=made.physical_id)["item"]:
                if stage["stageName"] == properties.get("StageName"):
                    client.delete_stage(restApiId=api_id, stageName=stage["stageName"])
            client.delete_deployment(restApiId=api_id, deploymentId=made.physical_id)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(
            lambda: context.clients("apigateway").get_deployment(
                restApiId=properties["RestApiId"], deploymentId=made.physical_id
            )
        )


class Stage(Provider):
    """A name under which a deployment is served."""

    type = "AWS::ApiGateway::Stage"
    table = Table(
        handled=frozenset(
            "AccessLogSetting DeploymentId Description MethodSettings RestApiId StageName Tags TracingEnabled Variables".split()
        ),
        reported={
            "CacheClusterEnabled": _NOT_YET,
            "CacheClusterSize": _NOT_YET,
            "CanarySetting": _NOT_YET,
            "ClientCertificateId": _NOT_YET,
            "DocumentationVersion": _NOT_YET,
        },
        required=frozenset({"DeploymentId", "RestApiId", "StageName"}),
        replacing=frozenset({"RestApiId", "StageName"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        names = ("RestApiId", "StageName", "DeploymentId", "Description", "Variables")
        given = {name: properties[name] for name in names if name in properties}
        if tags := tag_map(properties):
            given["tags"] = tags
        client = context.clients("apigateway")
        name = call(client, "CreateStage", given)["stageName"]
        self._tell(properties, context)
        if patches := list(setting_patches(properties, {})):
            try:
                client.update_stage(restApiId=properties["RestApiId"], stageName=name, patchOperations=patches)
            except ClientError:
                # Half a stage would be in the way of the next try.
                client.delete_stage(restApiId=properties["RestApiId"], stageName=name)
                raise
        return Made(name)

    @staticmethod
    def _tell(properties: Props, context: Context) -> None:
        for unknown in unknown_settings(properties):
            context.warn(f"MethodSettings.{unknown}: is no setting of a method")
        for message in unenforced(properties):
            context.warn(message)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        api_id = properties["RestApiId"]
        self._tell(properties, context)
        if operations := [*_patches(properties, old), *setting_patches(properties, old)]:
            context.clients("apigateway").update_stage(
                restApiId=api_id, stageName=made.physical_id, patchOperations=operations
            )
        arn = f"{rest_api_arn(context.target.region, api_id)}/stages/{made.physical_id}"
        retag(arn, tag_map(properties), tag_map(old), context)
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


def _patches(properties: Props, old: Props) -> Iterator[dict[str, str]]:
    for name, path in (("DeploymentId", "/deploymentId"), ("Description", "/description")):
        if properties.get(name) != old.get(name):
            yield {"op": "replace", "path": path, "value": text(properties.get(name, ""))}
    wanted: Mapping[str, Any] = properties.get("Variables") or {}
    before: Mapping[str, Any] = old.get("Variables") or {}
    for name in sorted(before.keys() - wanted.keys()):
        yield {"op": "remove", "path": f"/variables/{name}"}
    for name, value in wanted.items():
        if before.get(name) != value:
            yield {"op": "replace", "path": f"/variables/{name}", "value": text(value)}
