"""ImportRestApi and PutRestApi: an OpenAPI file becomes an API. Reading the file is `definition.openapi`."""

from __future__ import annotations

from dataclasses import replace

from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.control.apigateway.integrations import check_integration
from tidegate.control.apigateway.lookup import get_api
from tidegate.control.apigateway.methods import check_method
from tidegate.control.apigateway.resources import add_resource
from tidegate.control.apigateway.rest_apis import create_rest_api, with_tags
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.definition.openapi import ImportedApi, OpenApiError, read_openapi
from tidegate.definition.records import Method, Resource, RestApi


def _read(body: bytes, scope: Scope, params: Params) -> ImportedApi:
    try:
        imported = read_openapi(
            body, account=scope.account, region=scope.region, options=params.get("parameters") or {}
        )
    except OpenApiError as error:
        raise bad_request(str(error)) from error
    if imported.warnings and params.get("fail_on_warnings"):
        raise bad_request("Warnings found during import:\n\t" + "\n\t".join(imported.warnings))
    return imported


def import_rest_api(context: Context, params: Params) -> RestApi:
    imported = _read(params["body"], context.scope, params)
    options = params.get("parameters") or {}
    if unknown := sorted(options.keys() - {"endpointConfigurationTypes", "basepath", "ignore"}):
        raise bad_request(f"Invalid import parameter specified: {unknown[0]}")
    types = options.get("endpointConfigurationTypes")
    endpoint = {"types": types.split(",")} if types else None
    api = create_rest_api(context, {"name": imported.name or "Imported API", "endpoint_configuration": endpoint})
    return _apply(context, api, imported)


def put_rest_api(context: Context, params: Params) -> RestApi:
    api = get_api(context, params["rest_api_id"])
    mode = params.get("mode") or "merge"
    imported = _read(params["body"], context.scope, params)
    if mode == "overwrite":
        # AWS: what the file does not have is gone; endpoint type, stages and tags are never touched.
        api = replace(
            api,
            description=None,
            version=None,
            binary_media_types=None,
            minimum_compression_size=None,
            api_key_source="HEADER",
            policy=None,
            disable_execute_api_endpoint=False,
        )
        context.tx.delete_all(Method, api.id)
        for resource in context.tx.list(Resource, api.id):
            if resource.parent_id is not None and resource.path not in imported.paths():
                context.tx.delete(Resource, *resource.key)
    return with_tags(_apply(context, api, imported))


def _apply(context: Context, api: RestApi, imported: ImportedApi) -> RestApi:
    """Lay what the file declares over the API; a method that is there already is replaced whole."""
    by_path = {resource.path: resource for resource in context.tx.list(Resource, api.id)}
    for path in imported.operations:
        resource = _ensure(context, by_path, path)
        for verb, declared in imported.operations[path].items():
            method = replace(declared, api_id=api.id, resource_id=resource.id, http_method=verb)
            if method.method_integration is not None:
                namespace = method.method_integration.cache_namespace or resource.id
                integration = replace(method.method_integration, cache_namespace=namespace)
                check_integration(integration)
                method = replace(method, method_integration=integration)
            check_method(method)
            context.tx.put(method)
    if imported.settings.get("api_key_source") not in (None, "HEADER", "AUTHORIZER"):
        raise bad_request(f"Invalid api key source specified: {imported.settings['api_key_source']}")
    settings = {name: value for name, value in imported.settings.items() if value is not None}
    api = replace(api, **settings, warnings=None)
    context.tx.put(api)
    return replace(api, warnings=imported.warnings or None)


def _ensure(context: Context, by_path: dict[str, Resource], path: str) -> Resource:
    """The resource of a path, made with all above it where they are missing."""
    if path in by_path:
        return by_path[path]
    above, _, part = path.rpartition("/")
    resource = add_resource(context, _ensure(context, by_path, above or "/"), part)
    by_path[path] = resource
    return resource


OPERATIONS = {"ImportRestApi": import_rest_api, "PutRestApi": put_rest_api}
