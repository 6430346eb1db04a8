"""Deployment: freezing an API's draft, with the stage that is to serve it. Source: shared facts, rest-control-plane §10."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.canary import canary_of
from tidegate.control.apigateway.lookup import get_api, get_deployment
from tidegate.control.apigateway.stages import check_stage_name, check_variables, put_stage
from tidegate.control.context import Context
from tidegate.control.pages import page
from tidegate.control.patch import bad_request, patch, rule, table, text
from tidegate.definition.freeze import draft, freeze, thaw
from tidegate.definition.records import Deployment, DeploymentDocument, Stage

RULES = table(rule("/description", "replace", text("description")))


def create_deployment(context: Context, params: Params) -> Deployment:
    api = get_api(context, params["rest_api_id"])
    _check_canary(context, params)
    document = draft(context.tx, api)
    if not document.methods:
        raise bad_request("The REST API doesn't contain any methods")
    for method in document.methods:
        if method.method_integration is None:
            raise bad_request("No integration defined for method")
    deployment = Deployment(
        api_id=api.id,
        id=context.ids.child_id(),
        created_date=int(context.clock.time()),
        description=params.get("description"),
        document=context.tx.put_document(freeze(document)),
    )
    context.tx.put(deployment)
    name = params.get("stage_name")
    if name:
        _point_stage(context, params, deployment, document)
    else:
        _check_unstaged(context, deployment, document)
    return deployment


def _check_canary(context: Context, params: Params) -> None:
    """A canary release needs the stage that it is a part of. Raises ControlError."""
    if params.get("canary_settings") is None:
        return
    name = params.get("stage_name")
    # AWS: no blank after the first full stop.
    text = "Invalid deployment content specified."
    if not name:
        text += "Non null and non empty stageName must be provided for canary deployment. Provided value is "
        raise bad_request(text + ("null" if name is None else name))
    if context.tx.get(Stage, params["rest_api_id"], name) is None:
        raise bad_request(f"{text}Stage {name} must already be created before making a canary release deployment")


def _point_stage(context: Context, params: Params, deployment: Deployment, document: DeploymentDocument) -> None:
    """Create the stage that the call names, or point it to the new deployment."""
    now = int(context.clock.time())
    stage = context.tx.get(Stage, deployment.api_id, params["stage_name"])
    if stage is None:
        check_stage_name(params["stage_name"])
        stage = Stage(
            api_id=deployment.api_id,
            stage_name=params["stage_name"],
            deployment_id=deployment.id,
            created_date=now,
            last_updated_date=now,
        )
    variables = params.get("variables")
    check_variables(variables)
    given = {
        "description": params.get("stage_description"),
        "cache_cluster_enabled": params.get("cache_cluster_enabled"),
        "cache_cluster_size": params.get("cache_cluster_size"),
        "tracing_enabled": params.get("tracing_enabled"),
        "variables": variables or None,
    }
    stage = replace(stage, last_updated_date=now, **{name: value for name, value in given.items() if value is not None})
    canary = canary_of(params.get("canary_settings"), deployment_id=deployment.id)
    if canary is not None:
        # AWS: the new deployment is the canary's, the stage keeps its own.
        put_stage(context, replace(stage, canary_settings=canary))
    else:
        put_stage(context, replace(stage, deployment_id=deployment.id), document)


def _check_unstaged(context: Context, deployment: Deployment, document: DeploymentDocument) -> None:
    """A deployment without a stage is compiled too, so that what is wrong is said now and not when a stage takes it."""
    now = deployment.created_date
    stage = Stage(
        api_id=deployment.api_id,
        stage_name="unstaged",
        deployment_id=deployment.id,
        created_date=now,
        last_updated_date=now,
    )
    context.plans.check(context.tx, document, stage)


def get_deployment_operation(context: Context, params: Params) -> dict[str, Any]:
    deployment = get_deployment(context, params["rest_api_id"], params["deployment_id"])
    summary = _summary(context, deployment) if "apisummary" in (params.get("embed") or ()) else None
    return {name: getattr(deployment, name) for name in ("id", "created_date", "description")} | {
        "api_summary": summary
    }


def _summary(context: Context, deployment: Deployment) -> dict[str, Any]:
    document = thaw(context.tx.document(deployment.document))
    paths = {resource.id: resource.path for resource in document.resources}
    summary: dict[str, Any] = {}
    for method in document.methods:
        verbs = summary.setdefault(paths[method.resource_id], {})
        verbs[method.http_method] = {
            "authorization_type": method.authorization_type,
            "api_key_required": method.api_key_required,
        }
    return summary


def get_deployments(context: Context, params: Params) -> dict[str, Any]:
    get_api(context, params["rest_api_id"])
    deployments = sorted(context.tx.list(Deployment, params["rest_api_id"]), key=lambda deployment: deployment.id)
    return page(deployments, params, lambda deployment: deployment.id)


def update_deployment(context: Context, params: Params) -> Deployment:
    deployment = get_deployment(context, params["rest_api_id"], params["deployment_id"])
    changed = patch(deployment, params.get("patch_operations"), RULES)
    context.tx.put(changed)
    return changed


def delete_deployment(context: Context, params: Params) -> None:
    deployment = get_deployment(context, params["rest_api_id"], params["deployment_id"])
    if any(deployment.id in stage.deployments for stage in context.tx.list(Stage, deployment.api_id)):
        raise bad_request("Active stages pointing to this deployment must be moved or deleted")
    context.tx.delete(Deployment, *deployment.key)


OPERATIONS = {
    "CreateDeployment": create_deployment,
    "GetDeployment": get_deployment_operation,
    "GetDeployments": get_deployments,
    "UpdateDeployment": update_deployment,
    "DeleteDeployment": delete_deployment,
}
