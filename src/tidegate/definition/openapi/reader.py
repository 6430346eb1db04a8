"""Reading an OpenAPI file (Swagger 2.0 or OpenAPI 3.0, JSON or YAML) into methods and settings.

Takes what SAM and templates make: paths, `x-amazon-apigateway-integration`, `-any-method`, `-binary-media-types`, responses
and their headers. What the file asks for and Tidegate does not do is listed in `warnings`, item by item; what would leave a
method unguarded (security, keys) is kept on the method, so that deploying it is refused.
Source: *API Gateway extensions to OpenAPI*; shared facts, rest-control-plane §11 and §13.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from tidegate.definition.openapi.imported import ImportedApi, OpenApiError
from tidegate.definition.records import Integration, IntegrationResponse, Method, MethodResponse, TlsConfig

_VERBS = ("get", "put", "post", "delete", "patch", "options", "head")
_ENDPOINT = "x-amazon-apigateway-endpoint-configuration"
_ANY = "x-amazon-apigateway-any-method"
_SETTINGS = {
    "x-amazon-apigateway-binary-media-types": "binary_media_types",
    "x-amazon-apigateway-minimum-compression-size": "minimum_compression_size",
    "x-amazon-apigateway-api-key-source": "api_key_source",
    "x-amazon-apigateway-policy": "policy",
}
_KNOWN_ROOT = frozenset(
    "swagger openapi info host basePath schemes servers paths definitions components securityDefinitions security tags "
    "consumes produces externalDocs".split()
)
_MOST_BYTES = 6 * 1024 * 1024


def read_openapi(body: bytes, *, account: str, region: str, options: Mapping[str, str]) -> ImportedApi:
    """Raises OpenApiError."""
    if len(body) > _MOST_BYTES:
        raise OpenApiError("The OpenAPI file is larger than 6 MB")
    text = body.decode("utf-8", "replace")
    for variable, value in (("AccountId", account), ("Region", region), ("Partition", "aws")):
        text = text.replace(f"${{AWS::{variable}}}", value)
    try:
        document = yaml.load(text, Loader=_JsonLikeLoader)  # noqa: S506 - a SafeLoader that keeps dates as text
    except yaml.YAMLError as error:
        raise OpenApiError(f"Invalid OpenAPI input: {error}") from None
    if not isinstance(document, dict) or not ("swagger" in document or "openapi" in document):
        raise OpenApiError("Unable to build importer with provided input.")
    if options.get("basepath", "ignore") != "ignore":
        raise OpenApiError("Tidegate does not support basepath prepend and split yet")
    try:
        imported = _Reader(document).read()
        for methods in imported.operations.values():
            for method in methods.values():
                # Held against the types of the record, so that nothing is stored that could not be read back.
                msgspec.convert(msgspec.to_builtins(method), Method, strict=True)
        return imported
    except msgspec.ValidationError as error:
        raise OpenApiError(f"Invalid OpenAPI input: {error}") from None
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        if isinstance(error, OpenApiError):
            raise
        raise OpenApiError(f"Invalid OpenAPI input: a value has the wrong type ({error})") from None


class _JsonLikeLoader(yaml.SafeLoader):
    """YAML with the types of JSON: `2012-10-17` stays a string."""


_JsonLikeLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _Reader:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._imported = ImportedApi()

    def read(self) -> ImportedApi:
        document, imported = self._document, self._imported
        info = document.get("info") or {}
        imported.name = info.get("title")
        imported.settings = {"version": _text(info.get("version")), "description": info.get("description")}
        if imported.name:
            imported.settings["name"] = imported.name
        for key, value in document.items():
            if key in _SETTINGS:
                imported.settings[_SETTINGS[key]] = _setting(key, value)
            elif key not in _KNOWN_ROOT and key != _ENDPOINT:
                imported.warnings.append(f"Tidegate does not support {key} yet")
        for path, item in (document.get("paths") or {}).items():
            if path.startswith("x-"):
                imported.warnings.append(f"Tidegate does not support {path} in paths yet")
            else:
                self._path(path, item)
        self._endpoint()
        return imported

    def _endpoint(self) -> None:
        """Swagger has the endpoint's configuration in the root, OpenAPI 3 with its servers."""
        given = [
            self._document.get(_ENDPOINT),
            *(server.get(_ENDPOINT) for server in self._document.get("servers") or ()),
        ]
        for configuration in given:
            for key, value in (configuration or {}).items():
                if key == "disableExecuteApiEndpoint":
                    self._imported.settings["disable_execute_api_endpoint"] = bool(value)
                else:
                    self._imported.warnings.append(f"Tidegate does not support {key} of {_ENDPOINT} yet")

    def _path(self, path: str, item: Any) -> None:
        if not isinstance(item, dict):
            raise OpenApiError(f"Invalid path item at {path}")
        operations = self._imported.operations.setdefault(path.rstrip("/") or "/", {})
        for key, operation in item.items():
            if key in _VERBS or key == _ANY:
                verb = "ANY" if key == _ANY else key.upper()
                shared = item.get("parameters") or []
                operations[verb] = self._operation(operation or {}, shared, f"{verb} {path}")
            elif key not in ("parameters", "summary", "description", "servers"):
                self._imported.warnings.append(f"Tidegate does not support {key} at {path} yet")

    def _operation(self, operation: dict[str, Any], shared: list[Any], where: str) -> Method:
        for key in operation:
            if key.startswith("x-amazon-apigateway-") and key not in (
                "x-amazon-apigateway-integration",
                "x-amazon-apigateway-auth",
                "x-amazon-apigateway-request-validator",
            ):
                self._imported.warnings.append(f"Tidegate does not support {key} at {where} yet")
        authorization, key_required = self._security(operation)
        validator = operation.get("x-amazon-apigateway-request-validator")
        integration = operation.get("x-amazon-apigateway-integration")
        for key in (integration or {}).keys() - _KNOWN_INTEGRATION:
            self._imported.warnings.append(f"Tidegate does not support {key} of the integration at {where}")
        return Method(
            api_id="",
            resource_id="",
            http_method="",
            authorization_type=authorization,
            authorizer_id="unsupported" if authorization in ("CUSTOM", "COGNITO_USER_POOLS") else None,
            api_key_required=key_required,
            # AWS: naming a validator in the root applies it to every operation without one of its own.
            request_validator_id=validator or self._document.get("x-amazon-apigateway-request-validator"),
            operation_name=operation.get("operationId"),
            request_parameters=self._parameters(shared + (operation.get("parameters") or [])),
            method_responses=self._responses(operation.get("responses") or {}),
            method_integration=None if integration is None else _integration(integration),
        )

    def _security(self, operation: dict[str, Any]) -> tuple[str, bool]:
        auth = operation.get("x-amazon-apigateway-auth") or {}
        authorization, key_required = _text(auth.get("type") or "NONE").upper(), False
        components = self._document.get("components") or {}
        schemes = self._document.get("securityDefinitions") or components.get("securitySchemes") or {}
        for requirement in operation.get("security", self._document.get("security")) or ():
            for name in requirement:
                scheme = schemes.get(name) or {}
                kind = scheme.get("x-amazon-apigateway-authtype")
                if kind == "awsSigv4":
                    authorization = "AWS_IAM"
                elif "x-amazon-apigateway-authorizer" in scheme:
                    pool = kind == "cognito_user_pools"
                    authorization = "COGNITO_USER_POOLS" if pool else "CUSTOM"
                elif str(scheme.get("name", "")).lower() == "x-api-key":
                    key_required = True
                else:
                    self._imported.warnings.append(f"The security scheme {name} is not one of API Gateway's")
        return authorization, key_required

    def _parameters(self, parameters: list[Any]) -> dict[str, bool] | None:
        places = {"query": "querystring", "header": "header", "path": "path"}
        declared = {}
        for given in parameters:
            parameter = self._resolve(given)
            if parameter.get("in") in places and "name" in parameter:
                name = f"method.request.{places[parameter['in']]}.{parameter['name']}"
                declared[name] = bool(parameter.get("required"))
        return declared or None

    def _responses(self, responses: dict[Any, Any]) -> dict[str, MethodResponse] | None:
        declared = {}
        for status, given in responses.items():
            response = self._resolve(given or {})
            if not re.fullmatch(r"[1-5]\d\d", str(status)):
                continue
            headers = {f"method.response.header.{name}": False for name in response.get("headers") or {}}
            declared[str(status)] = MethodResponse(status_code=str(status), response_parameters=headers or None)
        return declared or None

    def _resolve(self, node: Any) -> dict[str, Any]:
        """Follow a local reference."""
        seen = set()
        while isinstance(node, dict) and "$ref" in node:
            reference = node["$ref"]
            if reference in seen or not reference.startswith("#/"):
                raise OpenApiError(f"Cannot resolve the reference {reference}")
            seen.add(reference)
            node = self._document
            for part in reference[2:].split("/"):
                if not isinstance(node, dict) or part not in node:
                    raise OpenApiError(f"Cannot resolve the reference {reference}")
                node = node[part]
        if not isinstance(node, dict):
            raise OpenApiError("Invalid OpenAPI input: an object was expected")
        return node


_KNOWN_INTEGRATION = frozenset(
    "type httpMethod uri credentials connectionType connectionId passthroughBehavior contentHandling timeoutInMillis "
    "cacheNamespace cacheKeyParameters requestParameters requestTemplates responses tlsConfig responseTransferMode "
    "integrationTarget payloadFormatVersion".split()
)


def _setting(key: str, value: Any) -> Any:
    if key.endswith("policy"):
        return json.dumps(value)
    return value


def _text(value: Any) -> Any:
    return None if value is None else str(value)


def _integration(given: dict[str, Any]) -> Integration:
    kind = str(given.get("type", "")).upper()
    if kind not in ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK"):
        raise OpenApiError(f"Invalid integration type specified: {given.get('type')}")
    tls = given.get("tlsConfig")
    verb = given.get("httpMethod")
    return Integration(
        type=kind,
        http_method=verb.upper() if verb and kind != "MOCK" else None,
        uri=given.get("uri"),
        connection_type=given.get("connectionType") or ("INTERNET" if kind.startswith("HTTP") else None),
        connection_id=given.get("connectionId"),
        credentials=given.get("credentials"),
        request_parameters=given.get("requestParameters") or None,
        request_templates=given.get("requestTemplates") or None,
        passthrough_behavior=str(given.get("passthroughBehavior") or "WHEN_NO_MATCH").upper(),
        content_handling=given.get("contentHandling"),
        timeout_in_millis=given.get("timeoutInMillis") or 29000,
        cache_namespace=given.get("cacheNamespace"),
        cache_key_parameters=given.get("cacheKeyParameters") or [],
        integration_responses=_integration_responses(given.get("responses") or {}),
        tls_config=TlsConfig(insecure_skip_verification=bool(tls.get("insecureSkipVerification"))) if tls else None,
        response_transfer_mode=given.get("responseTransferMode") or "BUFFERED",
        integration_target=given.get("integrationTarget"),
    )


def _integration_responses(given: dict[Any, Any]) -> dict[str, IntegrationResponse] | None:
    """The key is the selection pattern; the literal `default` means no pattern."""
    responses = {}
    for pattern, response in given.items():
        response = response or {}
        status = str(response.get("statusCode") or "200")
        responses[status] = IntegrationResponse(
            status_code=status,
            selection_pattern=None if pattern == "default" else str(pattern),
            response_parameters=response.get("responseParameters") or None,
            response_templates=response.get("responseTemplates") or None,
            content_handling=response.get("contentHandling"),
        )
    return responses or None
