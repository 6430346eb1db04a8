"""Path items and operations → methods: parameters, bodies, responses.

Source: *Configuring a REST API using OpenAPI*; what of a parameter or response counts: *Amazon API Gateway important notes*.
"""

from __future__ import annotations

import re
from typing import Any

from tidegate.definition.openapi.documentation import Documentation
from tidegate.definition.openapi.extensions import (
    ANY_METHOD,
    AUTH,
    HTTP_API_ONLY,
    INTEGRATION,
    PARAMETER_PLACES,
    PREFIX,
    REQUEST_VALIDATOR,
    VERBS,
)
from tidegate.definition.openapi.imported import ImportedApi, Malformed
from tidegate.definition.openapi.integrations import read_integration
from tidegate.definition.openapi.references import References
from tidegate.definition.openapi.schemas import Schemas
from tidegate.definition.openapi.security import Security
from tidegate.definition.openapi.values import flag, listing, mapping, text, texts
from tidegate.definition.records import Method, MethodResponse

_STATUS = re.compile(r"[1-5]\d\d", re.ASCII)
_OPERATION_EXTENSIONS = (AUTH, INTEGRATION, REQUEST_VALIDATOR)
_UNUSED = ("callbacks", "servers", "schemes")
_KNOWN = frozenset(
    "tags summary description externalDocs operationId consumes produces parameters responses requestBody deprecated "
    "security".split()
)
_CONSTRAINTS = frozenset(
    "enum pattern minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems multipleOf "
    "oneOf anyOf allOf".split()
)


class Operations:
    """Reads the path items of one document into `imported.operations`."""

    def __init__(
        self,
        document: dict[str, Any],
        references: References,
        schemas: Schemas,
        security: Security,
        documentation: Documentation,
        imported: ImportedApi,
    ) -> None:
        self._document = document
        self._swagger = "swagger" in document
        self._references = references
        self._schemas = schemas
        self._security = security
        self._documentation = documentation
        self._imported = imported
        self._validator = text(document.get(REQUEST_VALIDATOR), REQUEST_VALIDATOR)

    def read_path(self, path: str, value: Any) -> None:
        """`path` as it will be in the API."""
        item = self._references.resolve(value, f"path {path}")
        methods = self._imported.operations.setdefault(path, {})
        shared = listing(item.get("parameters"), f"path {path}: parameters")
        self._documentation.add("RESOURCE", item, "summary description", path=path)
        for key, operation in item.items():
            if key in VERBS or key == ANY_METHOD:
                verb = "ANY" if key == ANY_METHOD else key.upper()
                if verb in methods:
                    raise Malformed(f"Invalid OpenAPI input: {verb} {path} is there twice")
                with self._imported.part():
                    given = mapping(operation, f"{verb} {path}")
                    methods[verb] = self._method(given, shared, path, verb)
            elif key == "servers":
                self._imported.note(f"path {path}: servers have no effect")
            elif key not in ("parameters", "summary", "description", "$ref"):
                self._unknown(key, f"path {path}")
        for number, parameter in enumerate(shared):
            with self._imported.part():
                place = f"path {path}: parameter {number}"
                self._documentation.add_parameter(self._references.resolve(parameter, place), path, None)

    def _unknown(self, key: str, where: str) -> None:
        if key in HTTP_API_ONLY:
            self._imported.warn(f"Ignoring {key} of {where}: HTTP APIs alone have it")
        elif key.startswith(PREFIX) or not key.startswith("x-"):
            self._imported.warn(f"Ignoring {key} of {where}: REST APIs have no such member")

    def _method(self, operation: dict[str, Any], shared: list[Any], path: str, verb: str) -> Method:
        where = f"{verb} {path}"
        for key in operation:
            if key in _UNUSED:
                self._imported.note(f"{where}: {key} have no effect")
            elif key not in _KNOWN and key not in _OPERATION_EXTENSIONS:
                self._unknown(key, where)
        self._documentation.add("METHOD", operation, "summary description tags", path=path, method=verb)
        guard = self._security.guard(operation, where)
        parameters = self._parameters(shared, operation, where)
        integration = operation.get(INTEGRATION)
        return Method(
            api_id="",
            resource_id="",
            http_method="",
            authorization_type=guard.authorization_type,
            authorizer_id=guard.authorizer,
            authorization_scopes=list(guard.scopes) or None,
            api_key_required=guard.api_key_required,
            # AWS: naming a validator in the root applies it to every operation without one of its own.
            request_validator_id=text(operation.get(REQUEST_VALIDATOR), f"{where}: {REQUEST_VALIDATOR}")
            or self._validator,
            operation_name=text(operation.get("operationId"), f"{where}: operationId"),
            request_parameters=self._declared(parameters, path, verb, where),
            request_models=self._request_models(operation, parameters, path, verb),
            method_responses=self._responses(operation, path, verb),
            method_integration=None
            if integration is None
            else read_integration(integration, path, verb, self._imported),
        )

    # --- parameters --------------------------------------------------------------------------------------------------

    def _parameters(self, shared: list[Any], operation: dict[str, Any], where: str) -> list[dict[str, Any]]:
        """Those of the path item, replaced by the operation's own of the same name and place."""
        own = listing(operation.get("parameters"), f"{where}: parameters")
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for given in (*shared, *own):
            parameter = self._references.resolve(given, f"{where}: parameter")
            name = text(parameter.get("name"), f"{where}: name of a parameter")
            place = text(parameter.get("in"), f"{where}: in of a parameter")
            if not place or not (name or place == "body"):
                raise Malformed(f"Invalid OpenAPI input: {where}: a parameter needs a name and in")
            found[("", place) if place == "body" else (name or "", place)] = parameter
        for given in own:
            parameter = self._references.resolve(given, f"{where}: parameter")
            path = where.partition(" ")[2]
            self._documentation.add_parameter(parameter, path, where.partition(" ")[0])
        return list(found.values())

    def _declared(self, parameters: list[dict[str, Any]], path: str, verb: str, where: str) -> dict[str, bool] | None:
        declared = {}
        for parameter in parameters:
            place, name = parameter["in"], parameter.get("name")
            if place in PARAMETER_PLACES:
                required = flag(parameter.get("required"), f"{where}: required of {name}")
                declared[f"method.request.{PARAMETER_PLACES[place]}.{name}"] = required
                self._note_constraints(parameter, f"{where}: {place} parameter {name}")
            elif place != "body":
                self._imported.warn(
                    f"Ignoring the {place} parameter {name} of {where}: API Gateway has no such parameters"
                )
        return declared or None

    def _note_constraints(self, parameter: dict[str, Any], where: str) -> None:
        """AWS: of a parameter nothing counts but its name, place and whether it is required."""
        schema = parameter.get("schema")
        given = (parameter.keys() | (schema.keys() if isinstance(schema, dict) else set())) & _CONSTRAINTS
        if given:
            self._imported.note(f"{where}: {', '.join(sorted(given))} has no effect, only presence is validated")

    # --- bodies ------------------------------------------------------------------------------------------------------

    def _request_models(
        self, operation: dict[str, Any], parameters: list[dict[str, Any]], path: str, verb: str
    ) -> dict[str, str] | None:
        where = f"{verb} {path}"
        if not self._swagger:
            body = self._references.resolve(operation.get("requestBody"), f"{where}: requestBody")
            self._documentation.add("REQUEST_BODY", body, path=path, method=verb)
            return self._content_models(body.get("content"), f"{where}: requestBody")
        body = next((parameter for parameter in parameters if parameter["in"] == "body"), {})
        self._documentation.add("REQUEST_BODY", body, path=path, method=verb)
        model = self._schemas.model_for(body.get("schema"), f"{where}: body")
        if model is None:
            return None
        return dict.fromkeys(self._types(operation, "consumes", where), model)

    def _types(self, operation: dict[str, Any], key: str, where: str) -> list[str]:
        """The operation's content types, else the root's, else JSON."""
        given = self._document.get(key) if operation.get(key) is None else operation[key]
        return texts(given, f"{where}: {key}") or ["application/json"]

    def _content_models(self, content: Any, place: str) -> dict[str, str] | None:
        models = {}
        for media_type, given in mapping(content, f"{place}: content").items():
            entry = mapping(given, f"{place}: {media_type}")
            model = self._schemas.model_for(entry.get("schema"), f"{place}: {media_type}")
            if model is not None:
                models[media_type] = model
        return models or None

    # --- responses ---------------------------------------------------------------------------------------------------

    def _responses(self, operation: dict[str, Any], path: str, verb: str) -> dict[str, MethodResponse] | None:
        where = f"{verb} {path}"
        declared = {}
        for status, given in mapping(operation.get("responses"), f"{where}: responses").items():
            if status.startswith("x-"):
                continue
            if not _STATUS.fullmatch(status):
                self._imported.note(f"{where}: the response {status} has no effect, only those of one status have")
                continue
            response = self._references.resolve(given, f"{where}: response {status}")
            if "links" in response:
                self._imported.note(f"{where}: links of response {status} have no effect")
            declared[status] = self._response(operation, response, path, verb, status)
        return declared or None

    def _response(
        self, operation: dict[str, Any], response: dict[str, Any], path: str, verb: str, status: str
    ) -> MethodResponse:
        place = f"{verb} {path}: response {status}"
        self._documentation.add("RESPONSE", response, path=path, method=verb, status_code=status)
        headers = {}
        for name, given in mapping(response.get("headers"), f"{place}: headers").items():
            header = self._references.resolve(given, f"{place}: header {name}")
            headers[f"method.response.header.{name}"] = flag(header.get("required"), f"{place}: header {name}")
            self._documentation.add("RESPONSE_HEADER", header, path=path, method=verb, status_code=status, name=name)
        if self._swagger:
            model = self._schemas.model_for(response.get("schema"), place)
            models = dict.fromkeys(self._types(operation, "produces", place), model) if model is not None else None
        else:
            models = self._content_models(response.get("content"), place)
        return MethodResponse(status_code=status, response_parameters=headers or None, response_models=models or None)
