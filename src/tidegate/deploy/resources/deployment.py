"""AWS::ApiGateway::Deployment.

AWS: CloudFormation Template Reference, "AWS::ApiGateway::Deployment" and its "StageDescription".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import (
    Context,
    Made,
    Props,
    Provider,
    ResourceError,
    Table,
    found,
    gone_is_fine,
    undone_by,
)
from tidegate.deploy.resources.shapes import call
from tidegate.deploy.resources.stage import change_stage, make_stage
from tidegate.deploy.resources.stage_settings import METHOD_SETTINGS

_CREATED = {
    "CacheClusterEnabled": "cacheClusterEnabled",
    "CacheClusterSize": "cacheClusterSize",
    "Description": "stageDescription",
    "TracingEnabled": "tracingEnabled",
    "Variables": "variables",
}
"""What CreateDeployment itself takes of a StageDescription."""
_PATCHED = frozenset(
    {"AccessLogSetting", "CanarySetting", "ClientCertificateId", "DocumentationVersion", "MethodSettings", "Tags"}
)


class Deployment(Provider):
    """A frozen copy of an API; with StageName, also the stage that serves it, or the canary of one that is there."""

    type = "AWS::ApiGateway::Deployment"
    attributes = frozenset({"DeploymentId"})
    table = Table(
        handled=frozenset({"DeploymentCanarySettings", "Description", "RestApiId", "StageDescription", "StageName"}),
        required=frozenset({"RestApiId"}),
        replacing=frozenset({"DeploymentCanarySettings", "RestApiId"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        stage, described = _stage(properties), _described(context)
        given = {name: properties[name] for name in ("RestApiId", "Description", "StageName") if name in properties}
        given |= {member: stage[name] for name, member in _CREATED.items() if name in stage}
        if "DeploymentCanarySettings" in properties:
            given["canarySettings"] = properties["DeploymentCanarySettings"]
        answer = call(context.clients("apigateway"), "CreateDeployment", given)
        made = Made(answer["id"], {"DeploymentId": answer["id"]})
        if "StageName" in properties:
            with undone_by(lambda: self.delete(made, properties, context)):
                settled = {name: value for name, value in stage.items() if name in _CREATED}
                change_stage(stage, _addressed(settled, properties), described)
        return made

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        if properties.get("Description") != old.get("Description"):
            patch = {"op": "replace", "path": "/description", "value": text(properties.get("Description", ""))}
            context.clients("apigateway").update_deployment(
                restApiId=properties["RestApiId"], deploymentId=made.physical_id, patchOperations=[patch]
            )
        if properties.get("StageName") == old.get("StageName"):
            if "StageName" in properties:
                change_stage(_stage(properties), _stage(old), _described(context))
            return made
        if "StageName" in properties:
            make_stage({**_stage(properties), "DeploymentId": made.physical_id}, _described(context))
        _leave_stage(made, old, context)
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            _leave_stage(made, properties, context)
            context.clients("apigateway").delete_deployment(
                restApiId=properties["RestApiId"], deploymentId=made.physical_id
            )

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(
            lambda: context.clients("apigateway").get_deployment(
                restApiId=properties["RestApiId"], deploymentId=made.physical_id
            )
        )


def _stage(properties: Props) -> dict[str, Any]:
    """The stage that a deployment describes, in the properties of AWS::ApiGateway::Stage."""
    stage = dict(properties.get("StageDescription") or {})
    everywhere = {name: stage.pop(name) for name in METHOD_SETTINGS if name in stage}
    if unknown := sorted(stage.keys() - _CREATED.keys() - _PATCHED):
        raise ResourceError(f"Encountered unsupported property StageDescription.{unknown[0]}")
    if everywhere:
        settings = {"ResourcePath": "/*", "HttpMethod": "*", **everywhere}
        stage["MethodSettings"] = [settings, *(stage.get("MethodSettings") or [])]
    return _addressed(stage, properties)


def _described(context: Context) -> Context:
    """Warnings about the stage name the property that describes it."""
    return replace(context, warn=lambda message: context.warn(f"StageDescription.{message}"))


def _addressed(stage: Props, properties: Props) -> dict[str, Any]:
    return {**stage, **{name: properties[name] for name in ("RestApiId", "StageName") if name in properties}}


def _leave_stage(made: Made, properties: Props, context: Context) -> None:
    """AWS refuses to remove a deployment that a stage points to; what the deployment made itself, a stage or a canary,
    goes with it."""
    client, api_id = context.clients("apigateway"), properties["RestApiId"]
    for stage in client.get_stages(restApiId=api_id)["item"]:
        name = stage["stageName"]
        if name != properties.get("StageName"):
            continue
        if stage["deploymentId"] == made.physical_id:
            client.delete_stage(restApiId=api_id, stageName=name)
        elif (stage.get("canarySettings") or {}).get("deploymentId") == made.physical_id:
            client.update_stage(
                restApiId=api_id, stageName=name, patchOperations=[{"op": "remove", "path": "/canarySettings"}]
            )
