"""ImportRestApi and PutRestApi: an OpenAPI file becomes an API, whole or not at all.

Reading the file is `definition.openapi`; laying its parts over the API is `imported_parts`.
Source: *Import an OpenAPI file to update an existing API definition*; shared facts, rest-control-plane §11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tidegate.aws.model import Params
from tidegate.control.apigateway.imported_parts import Import
from tidegate.control.apigateway.lookup import get_api
from tidegate.control.apigateway.rest_apis import create_rest_api, shown, with_tags
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.definition.openapi import ImportedApi, OpenApiError, examine_openapi, failure
from tidegate.definition.records import RestApi

_MODES = ("merge", "overwrite")
_PUT_OPTIONS = frozenset({"basepath", "ignore"})
_IMPORT_OPTIONS = _PUT_OPTIONS | {"endpointConfigurationTypes"}


def import_rest_api(context: Context, params: Params) -> RestApi:
    options = _options(params, _IMPORT_OPTIONS)
    imported = _read(context, params["body"], options)
    return shown(context, _finish(lay_new(context, imported, options), imported, params))


def lay_new(context: Context, imported: ImportedApi, options: Mapping[str, str]) -> RestApi:
    """A new API out of a file; what is wrong is in `imported.errors`. Raises ControlError."""
    types = options.get("endpointConfigurationTypes")
    endpoint = {"types": types.split(",")} if types else None
    name = imported.name or "Imported API"
    api = create_rest_api(context, {"name": name, "endpoint_configuration": endpoint})
    return Import(context, api, imported).lay()


def put_rest_api(context: Context, params: Params) -> RestApi:
    api = get_api(context, params["rest_api_id"])
    mode = params.get("mode") or "merge"
    if mode not in _MODES:
        raise bad_request(f"Invalid mode specified: {mode}. Must be one of: [{', '.join(_MODES)}]")
    options = _options(params, _PUT_OPTIONS)
    imported = _read(context, params["body"], options)
    importing = Import(context, api, imported)
    return shown(context, with_tags(_finish(importing.lay(overwrite=mode == "overwrite"), imported, params)))


def _options(params: Params, known: frozenset[str]) -> Mapping[str, str]:
    options: dict[str, str] = params.get("parameters") or {}
    if unknown := sorted(options.keys() - known):
        raise bad_request(f"Invalid import parameter specified: {unknown[0]}")
    if options.get("ignore") not in (None, "documentation"):
        raise bad_request(f"Invalid value for the import parameter ignore: {options['ignore']}")
    return options


def _read(context: Context, body: bytes, options: Mapping[str, str]) -> ImportedApi:
    try:
        return examine_openapi(body, account=context.scope.account, region=context.scope.region, options=options)
    except OpenApiError as error:
        raise bad_request(str(error)) from error


def _finish(api: RestApi, imported: ImportedApi, params: Params) -> RestApi:
    """Refused after all, which undoes everything, or answered with its warnings. Raises ControlError."""
    if imported.errors:
        raise bad_request(failure(imported.errors, imported.warnings))
    if imported.warnings and params.get("fail_on_warnings"):
        raise bad_request("Warnings found during import:\n\t" + "\n\t".join(imported.warnings))
    return replace(api, warnings=imported.warnings or None)


OPERATIONS = {"ImportRestApi": import_rest_api, "PutRestApi": put_rest_api}
