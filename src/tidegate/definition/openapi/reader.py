"""Reading an OpenAPI file (Swagger 2.0 or OpenAPI 3.0, JSON or YAML): everything that it declares of a REST API.

What is wrong is gathered in `errors`, what the file asks for and an import does not do in `warnings`, item by item. The
parts have modules of their own; here is the root. Not here: laying the result over an API (control).
Source: *API Gateway extensions to OpenAPI*; shared facts, rest-control-plane §11 and §13.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.definition.json_text import decode
from tidegate.definition.openapi.basepath import prefix
from tidegate.definition.openapi.documentation import Documentation
from tidegate.definition.openapi.extensions import (
    API_KEY_SOURCE,
    BINARY_MEDIA_TYPES,
    DOCUMENTATION,
    ENDPOINT_ACCESS_MODE,
    ENDPOINT_CONFIGURATION,
    GATEWAY_RESPONSE_TYPES,
    GATEWAY_RESPONSES,
    HTTP_API_ONLY,
    MINIMUM_COMPRESSION_SIZE,
    POLICY,
    PREFIX,
    REQUEST_VALIDATOR,
    REQUEST_VALIDATORS,
    SECURITY_POLICY,
)
from tidegate.definition.openapi.imported import ImportedApi, Malformed, OpenApiError, failure
from tidegate.definition.openapi.loading import load
from tidegate.definition.openapi.operations import Operations
from tidegate.definition.openapi.references import References
from tidegate.definition.openapi.schemas import Schemas
from tidegate.definition.openapi.security import Security
from tidegate.definition.openapi.values import flag, integer, listing, mapping, text, text_map, texts
from tidegate.definition.records import GatewayResponse, RequestValidator

_KNOWN_ROOT = frozenset(
    "swagger openapi info host basePath schemes servers paths definitions components securityDefinitions security tags "
    "consumes produces parameters responses externalDocs".split()
)
_READ_ELSEWHERE = (DOCUMENTATION, ENDPOINT_CONFIGURATION, GATEWAY_RESPONSES, REQUEST_VALIDATOR, REQUEST_VALIDATORS)


def read_openapi(body: bytes, *, account: str, region: str, options: Mapping[str, str]) -> ImportedApi:
    """Everything of a file without an error. Raises OpenApiError with all of them."""
    imported = examine_openapi(body, account=account, region=region, options=options)
    if imported.errors:
        raise OpenApiError(failure(imported.errors, imported.warnings))
    return imported


def examine_openapi(body: bytes, *, account: str, region: str, options: Mapping[str, str]) -> ImportedApi:
    """The same, with the errors listed in the result. Raises OpenApiError for what is no OpenAPI file."""
    document = read_document(body, account=account, region=region)
    _check_version(document)
    imported = ImportedApi(reads_documentation=options.get("ignore") != "documentation")
    try:
        _Reader(document, imported).read(options.get("basepath", "ignore"))
    except Malformed as error:
        imported.error(str(error))
    return imported


def read_document(body: bytes, *, account: str, region: str) -> dict[str, Any]:
    """The file itself, with AWS's variables filled in. Raises OpenApiError."""
    return load(body, {"AccountId": account, "Region": region, "Partition": "aws"})


def _check_version(document: dict[str, Any]) -> None:
    if "swagger" not in document and "openapi" not in document:
        raise OpenApiError("Unable to build importer with provided input.")
    version = str(document.get("swagger") or document.get("openapi"))
    if not re.fullmatch(r"2\.0" if "swagger" in document else r"3\.0(\.\d+)?", version, re.ASCII):
        # AWS [rec] says the first sentence and no more.
        raise OpenApiError(f"Invalid OpenAPI input. Only Swagger 2.0 and OpenAPI 3.0 can be imported, not {version}")


class _Reader:
    def __init__(self, document: dict[str, Any], imported: ImportedApi) -> None:
        self._document = document
        self._imported = imported
        self._documentation = Documentation(imported)
        self._references = References(document)

    def read(self, basepath: str) -> None:
        document, imported, part = self._document, self._imported, self._imported.part
        before = prefix(document, basepath)
        schemas = Schemas(document, self._references, imported)
        security = Security(document, self._references, imported)
        with part():
            self._info()
        self._root()
        schemas.read_named()
        security.read_authorizers()
        with part():
            self._validators()
        with part():
            self._gateway_responses()
        with part():
            self._endpoint()
        with part():
            operations = Operations(document, self._references, schemas, security, self._documentation, imported)
            for path, item in mapping(document.get("paths"), "paths").items():
                with part():
                    self._path(operations, before, path, item)
        if imported.reads_documentation:
            if document.get(DOCUMENTATION) is not None:
                with part():
                    self._documentation.read_extension(document[DOCUMENTATION])
            self._documentation.finish()

    def _info(self) -> None:
        info = mapping(self._document.get("info"), "info")
        imported = self._imported
        imported.name = text(info.get("title"), "info.title")
        imported.settings["version"] = text(info.get("version"), "info.version") or None
        imported.settings["description"] = text(info.get("description"), "info.description") or None
        if imported.name:
            imported.settings["name"] = imported.name

    def _root(self) -> None:
        for key, value in self._document.items():
            if key in _SETTINGS:
                field, read = _SETTINGS[key]
                with self._imported.part():
                    self._imported.settings[field] = read(value, key)
            elif key in HTTP_API_ONLY:
                self._imported.warn(f"Ignoring {key}: HTTP APIs alone have it")
            elif key.startswith(PREFIX):
                if key not in _READ_ELSEWHERE:
                    self._imported.warn(f"Ignoring {key}: REST APIs have no such extension here")
            elif key not in _KNOWN_ROOT and not key.startswith("x-"):
                self._imported.warn(f"Ignoring {key}: OpenAPI has no such member")
        with self._imported.part():
            self._tags_and_components()

    def _tags_and_components(self) -> None:
        """Extensions of HTTP APIs may stand here too."""
        for tag in listing(self._document.get("tags"), "tags"):
            for key in mapping(tag, "tags").keys() & HTTP_API_ONLY:
                self._imported.warn(f"Ignoring {key} of tags: HTTP APIs alone have it")
        for key in mapping(self._document.get("components"), "components").keys() & HTTP_API_ONLY:
            self._imported.warn(f"Ignoring {key} of components: HTTP APIs alone have it")

    def _path(self, operations: Operations, before: str, path: str, item: Any) -> None:
        if path.startswith(PREFIX):
            self._imported.warn(f"Ignoring {path} of paths: REST APIs have no such member")
        elif not path.startswith("x-"):
            if not path.startswith("/"):
                raise Malformed(f"Invalid OpenAPI input: the path {path} must begin with /")
            operations.read_path((before + path).rstrip("/") or "/", item)

    def _endpoint(self) -> None:
        """Swagger has the endpoint's configuration in the root, OpenAPI 3 with its servers."""
        servers = listing(self._document.get("servers"), "servers")
        given = [self._document, *(mapping(server, "servers") for server in servers)]
        for holder in given:
            configuration = mapping(holder.get(ENDPOINT_CONFIGURATION), ENDPOINT_CONFIGURATION)
            for key, value in configuration.items():
                if key == "disableExecuteApiEndpoint":
                    self._imported.settings["disable_execute_api_endpoint"] = flag(value, key)
                elif key == "vpcEndpointIds":
                    self._imported.vpc_endpoint_ids = texts(value, key)
                else:
                    # AWS: the types are a parameter of ImportRestApi, the address type cannot be imported.
                    self._imported.warn(f"Ignoring {key} of {ENDPOINT_CONFIGURATION}: it cannot be imported")

    def _validators(self) -> None:
        for name, value in mapping(self._document.get(REQUEST_VALIDATORS), REQUEST_VALIDATORS).items():
            with self._imported.part():
                self._imported.request_validators[name] = self._validator(name, value, f"{REQUEST_VALIDATORS}.{name}")

    def _validator(self, name: str, value: Any, place: str) -> RequestValidator:
        given = mapping(value, place)
        self._warn_unknown(given, "validateRequestBody validateRequestParameters", place)
        return RequestValidator(
            api_id="",
            id="",
            name=name,
            validate_request_body=flag(given.get("validateRequestBody"), f"{place}.validateRequestBody"),
            validate_request_parameters=flag(
                given.get("validateRequestParameters"), f"{place}.validateRequestParameters"
            ),
        )

    def _gateway_responses(self) -> None:
        for kind, value in mapping(self._document.get(GATEWAY_RESPONSES), GATEWAY_RESPONSES).items():
            with self._imported.part():
                response = self._gateway_response(kind, value, f"{GATEWAY_RESPONSES}.{kind}")
                self._imported.gateway_responses[kind] = response

    def _gateway_response(self, kind: str, value: Any, place: str) -> GatewayResponse:
        if kind not in GATEWAY_RESPONSE_TYPES:
            raise Malformed(f"Unable to put gateway response '{kind}': Invalid gateway response type specified: {kind}")
        given = mapping(value, place)
        self._warn_unknown(given, "statusCode responseParameters responseTemplates", place)
        return GatewayResponse(
            api_id="",
            response_type=kind,
            status_code=text(given.get("statusCode"), f"{place}.statusCode") or None,
            response_parameters=text_map(given.get("responseParameters"), f"{place}.responseParameters"),
            response_templates=text_map(given.get("responseTemplates"), f"{place}.responseTemplates"),
        )

    def _warn_unknown(self, given: dict[str, Any], known: str, place: str) -> None:
        for key in given:
            if key not in known.split():
                self._imported.warn(f"Ignoring {key} of {place}: REST APIs have no such member")


def _policy(value: Any, place: str) -> str | None:
    """A policy document, or one as text."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = decode(value)
        except ValueError:
            raise Malformed(
                "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
            ) from None
    return json.dumps(mapping(value, place))


def _key_source(value: Any, place: str) -> str | None:
    source = text(value, place)
    if source is not None and source.upper() not in ("HEADER", "AUTHORIZER"):
        raise Malformed(f"Invalid api key source specified: {source}")
    return source.upper() if source else None


def _compression(value: Any, place: str) -> int | None:
    size = integer(value, place)
    if size is not None and not 0 <= size <= 10485760:
        raise Malformed("Invalid minimum compression size, must be between 0 and 10485760")
    return size


def _media_types(value: Any, place: str) -> list[str] | None:
    return texts(value, place) or None


_SETTINGS: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    API_KEY_SOURCE: ("api_key_source", _key_source),
    BINARY_MEDIA_TYPES: ("binary_media_types", _media_types),
    ENDPOINT_ACCESS_MODE: ("endpoint_access_mode", text),
    MINIMUM_COMPRESSION_SIZE: ("minimum_compression_size", _compression),
    POLICY: ("policy", _policy),
    SECURITY_POLICY: ("security_policy", text),
}
"""Extensions in the root → field of the RestApi record, and how the value is read."""
