"""Finding what a request names, or AWS's 404 for it. Ids are case-sensitive."""

from __future__ import annotations

from tidegate.control.context import Context
from tidegate.core.errors import ControlError
from tidegate.definition.records import Deployment, Integration, Method, Resource, RestApi, Stage


def not_found(message: str) -> ControlError:
    return ControlError("NotFoundException", message, 404)


def get_api(context: Context, api_id: str) -> RestApi:
    api = context.tx.get(RestApi, api_id)
    if api is None:
        raise not_found(f"Invalid API identifier specified {context.scope.account}:{api_id}")
    return api


def get_resource(context: Context, api_id: str, resource_id: str) -> Resource:
    resource = context.tx.get(Resource, api_id, resource_id)
    if resource is None:
        raise not_found("Invalid Resource identifier specified")
    return resource


def get_method(context: Context, api_id: str, resource_id: str, verb: str) -> Method:
    get_resource(context, api_id, resource_id)
    method = context.tx.get(Method, api_id, resource_id, verb)
    if method is None:
        raise not_found("Invalid Method identifier specified")
    return method


def get_integration(method: Method) -> Integration:
    if method.method_integration is None:
        raise not_found("Invalid Integration identifier specified")
    return method.method_integration


def get_deployment(context: Context, api_id: str, deployment_id: str) -> Deployment:
    get_api(context, api_id)
    deployment = context.tx.get(Deployment, api_id, deployment_id)
    if deployment is None:
        raise not_found("Invalid Deployment identifier specified")
    return deployment


def get_stage(context: Context, api_id: str, stage_name: str) -> Stage:
    get_api(context, api_id)
    stage = context.tx.get(Stage, api_id, stage_name)
    if stage is None:
        raise not_found("Invalid stage identifier specified")
    return stage
