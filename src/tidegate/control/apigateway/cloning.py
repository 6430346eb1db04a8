"""CreateRestApi's `cloneFrom`: a new API gets a copy of another's draft, with new ids that refer to each other.

AWS copies the definition, no deployments, no stages, no tags. Source: *CreateRestApi*; *Clone an API* in the developer guide.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from tidegate.control.context import Context
from tidegate.definition.openapi.extensions import model_url
from tidegate.definition.records import (
    Authorizer,
    DocumentationPart,
    DocumentationVersion,
    GatewayResponse,
    Method,
    Model,
    RequestValidator,
    Resource,
    RestApi,
)

N = TypeVar("N", Authorizer, RequestValidator, DocumentationPart)


def clone_draft(context: Context, source: RestApi, api: RestApi) -> None:
    """Copy everything of a source's draft into an API that has nothing yet."""
    authorizers = _copy(context, Authorizer, source, api)
    validators = _copy(context, RequestValidator, source, api)
    _copy(context, DocumentationPart, source, api)
    resources = _clone_resources(context, source, api)
    for model in context.tx.list(Model, source.id):
        schema = model.schema and model.schema.replace(model_url(source.id, ""), model_url(api.id, ""))
        context.tx.put(replace(model, api_id=api.id, id=context.ids.child_id(), schema=schema))
    for method in context.tx.list(Method, source.id):
        context.tx.put(
            replace(
                _with_cache_namespace(method, resources),
                api_id=api.id,
                resource_id=resources[method.resource_id],
                authorizer_id=authorizers.get(method.authorizer_id or ""),
                request_validator_id=validators.get(method.request_validator_id or ""),
            )
        )
    for response in context.tx.list(GatewayResponse, source.id):
        context.tx.put(replace(response, api_id=api.id))
    for version in context.tx.list(DocumentationVersion, source.id):
        parts = [replace(part, api_id=api.id) for part in version.parts]
        context.tx.put(replace(version, api_id=api.id, parts=parts))


def _copy(context: Context, kind: type[N], source: RestApi, api: RestApi) -> dict[str, str]:
    """New ids by the old ones."""
    new_ids = {}
    for record in context.tx.list(kind, source.id):
        new_ids[record.id] = context.ids.child_id()
        context.tx.put(replace(record, api_id=api.id, id=new_ids[record.id]))
    return new_ids


def _clone_resources(context: Context, source: RestApi, api: RestApi) -> dict[str, str]:
    found = context.tx.list(Resource, source.id)
    new_ids = {resource.id: context.ids.child_id() for resource in found} | {
        source.root_resource_id: api.root_resource_id
    }
    for resource in found:
        parent = None if resource.parent_id is None else new_ids[resource.parent_id]
        context.tx.put(replace(resource, api_id=api.id, id=new_ids[resource.id], parent_id=parent))
    return new_ids


def _with_cache_namespace(method: Method, resources: dict[str, str]) -> Method:
    """A namespace that is a resource's id, as it is by default, follows that resource."""
    integration = method.method_integration
    if integration is None or integration.cache_namespace not in resources:
        return method
    moved = replace(integration, cache_namespace=resources[integration.cache_namespace])
    return replace(method, method_integration=moved)
