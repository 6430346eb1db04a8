"""Writing a deployment as an OpenAPI file: Swagger 2.0 or OpenAPI 3.0, plain or with API Gateway's extensions.

The same deployment always gives the same document. Importing what was written with all extensions and writing that again
gives the same document too, but for ids, host and dates. Not here: JSON and YAML as text, and finding the deployment (control).
Source: *Export a REST API from API Gateway* and the exported files on AWS's pages; shared facts, rest-control-plane §12, §13.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from tidegate.aws.scope import Scope
from tidegate.definition.openapi import extensions as ext
from tidegate.definition.openapi.writer_documentation import Documentation
from tidegate.definition.openapi.writer_models import Models
from tidegate.definition.openapi.writer_operations import Operations
from tidegate.definition.openapi.writer_security import Security, distinct_names
from tidegate.definition.records import (
    DeploymentDocument,
    DocumentationPart,
    GatewayResponse,
    RequestValidator,
    RestApi,
    Stage,
)

Version = Literal["swagger", "oas30"]

EXTENSIONS = {
    "integrations": frozenset({"integrations"}),
    "authorizers": frozenset({"authorizers"}),
    "documentation": frozenset({"documentation"}),
    # AWS: what the console calls "API Gateway Extensions", all of them.
    "apigateway": frozenset({"integrations", "authorizers", "documentation"}),
}
"""What may be asked for → what is written for it."""


def write_openapi(
    document: DeploymentDocument,
    stage: Stage,
    scope: Scope,
    *,
    version: Version,
    extensions: Iterable[str] = (),
    documentation: Iterable[DocumentationPart] = (),
) -> dict[str, Any]:
    """The file as JSON values. `documentation`: the parts of the stage's documentation version.

    Raises OpenApiError when the API cannot be written (bodies whose models are not JSON).
    """
    asked = frozenset[str]().union(*(EXTENSIONS[name] for name in extensions))
    texts = Documentation(documentation)
    models = Models(document, version, texts)
    security = Security(document, texts, authorizers="authorizers" in asked, vendor=bool(asked))
    validators = distinct_names(document.request_validators)
    operations = Operations(
        version=version,
        models=models,
        security=security,
        documentation=texts,
        validators=validators,
        integrations="integrations" in asked,
    )
    paths = operations.paths(document)
    api = document.api
    written: dict[str, Any] = {**_head(api, stage, scope, version), "paths": paths}
    if version == "swagger":
        written |= _filled(securityDefinitions=security.schemes(), definitions=models.definitions())
    elif components := _filled(schemas=models.definitions(), securitySchemes=security.schemes()):
        written["components"] = components
    if "integrations" in asked:
        _add_endpoint(written, api, version)
        written |= _root_extensions(api, document, validators)
    if "documentation" in asked and texts.parts:
        written[ext.DOCUMENTATION] = {
            **_filled(version=stage.documentation_version),
            "documentationParts": texts.parts,
        }
    return written


def created(api: RestApi) -> str:
    """When the API was made, as AWS prints it: `2016-09-29T20:27:30Z`."""
    return datetime.fromtimestamp(api.created_date, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _head(api: RestApi, stage: Stage, scope: Scope, version: Version) -> dict[str, Any]:
    # AWS: an API without a version is shown with the time of its creation.
    info = {"title": api.name, **_filled(description=api.description), "version": api.version or created(api)}
    suffix = "amazonaws.com.cn" if scope.region.startswith("cn-") else "amazonaws.com"
    host = f"{api.id}.execute-api.{scope.region}.{suffix}"
    base = f"/{stage.stage_name}"
    if version == "swagger":
        return {"swagger": "2.0", "info": info, "host": host, "basePath": base, "schemes": ["https"]}
    # AWS: the slash stands both in the URL and in the variable.
    server = {"url": f"https://{host}/{{basePath}}", "variables": {"basePath": {"default": base}}}
    return {"openapi": "3.0.1", "info": info, "servers": [server]}


def _add_endpoint(written: dict[str, Any], api: RestApi, version: Version) -> None:
    """Types and address types have no place in a file; that the default endpoint is closed must not get lost."""
    configuration = _filled(
        disableExecuteApiEndpoint=api.disable_execute_api_endpoint or None,
        vpcEndpointIds=api.endpoint_configuration.vpc_endpoint_ids,
    )
    if configuration:
        place = written if version == "swagger" else written["servers"][0]
        place[ext.ENDPOINT_CONFIGURATION] = configuration


def _root_extensions(api: RestApi, document: DeploymentDocument, validators: dict[str, str]) -> dict[str, Any]:
    responses = sorted(document.gateway_responses, key=lambda response: response.response_type)
    found = {
        ext.API_KEY_SOURCE: api.api_key_source if api.api_key_source != "HEADER" else None,
        ext.BINARY_MEDIA_TYPES: api.binary_media_types or None,
        ext.ENDPOINT_ACCESS_MODE: api.endpoint_access_mode,
        ext.GATEWAY_RESPONSES: {response.response_type: _gateway_response(response) for response in responses} or None,
        ext.MINIMUM_COMPRESSION_SIZE: api.minimum_compression_size,
        ext.POLICY: _policy(api.policy),
        ext.REQUEST_VALIDATORS: {
            validators[validator.id]: _validator(validator)
            for validator in sorted(document.request_validators, key=lambda validator: validators[validator.id])
        }
        or None,
        ext.SECURITY_POLICY: api.security_policy,
    }
    return {name: value for name, value in found.items() if value is not None}


def _gateway_response(response: GatewayResponse) -> dict[str, Any]:
    return _filled(
        statusCode=response.status_code,
        responseParameters=response.response_parameters or None,
        responseTemplates=response.response_templates or None,
    )


def _validator(validator: RequestValidator) -> dict[str, bool]:
    return {
        "validateRequestBody": validator.validate_request_body,
        "validateRequestParameters": validator.validate_request_parameters,
    }


def _policy(text: str | None) -> Any:
    """An object, as files have it."""
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _filled(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, {})}
