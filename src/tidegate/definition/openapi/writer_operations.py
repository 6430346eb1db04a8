"""Paths and operations in a written file: parameters, bodies, responses, integrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.definition.openapi import extensions as ext
from tidegate.definition.openapi.writer_documentation import Documentation
from tidegate.definition.openapi.writer_integration import write_integration
from tidegate.definition.openapi.writer_models import Models
from tidegate.definition.openapi.writer_security import Security
from tidegate.definition.records import DeploymentDocument, Method, MethodResponse

_JSON = "application/json"
_PLACES = {place: name for name, place in ext.PARAMETER_PLACES.items()}
_PART_KINDS = {"path": "PATH_PARAMETER", "query": "QUERY_PARAMETER", "header": "REQUEST_HEADER"}
_RESPONSE_HEADER = "method.response.header."

Schemas = Mapping[str, dict[str, Any]]
"""Media type → schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    version: str
    models: Models
    security: Security
    documentation: Documentation
    validators: Mapping[str, str]
    """Names by id."""
    integrations: bool
    """Whether the extensions are written."""

    def paths(self, document: DeploymentDocument) -> dict[str, Any]:
        """AWS: resources without methods are left out (`/calc/{operand1}` in the file of *Sample API integrated with Lambda*)."""
        paths = {resource.id: resource.path for resource in document.resources}
        ordered = sorted(document.methods, key=lambda m: (paths[m.resource_id], m.http_method == "ANY", m.http_method))
        written: dict[str, Any] = {}
        for method in ordered:
            path = paths[method.resource_id]
            item = written.setdefault(path, self._resource_texts(path))
            item[_key(method)] = self._operation(method, path)
        return written

    def _resource_texts(self, path: str) -> dict[str, Any]:
        texts = self.documentation.texts("RESOURCE", path=path)
        if self.version == "oas30":
            return texts
        # A path item of Swagger 2.0 has no texts of its own.
        return {key: value for key, value in texts.items() if key.startswith("x-")}

    def _operation(self, method: Method, path: str) -> dict[str, Any]:
        verb = method.http_method
        body = self.models.body(method.request_models, f"{verb} {path}")
        responses = {
            status: (response, self.models.body(response.response_models, f"{verb} {path} response {status}"))
            for status, response in sorted((method.method_responses or {}).items())
        }
        parameters = self._parameters(method, path)
        operation = self.documentation.texts("METHOD", path=path, method=verb)
        if method.operation_name is not None:
            operation["operationId"] = method.operation_name
        if self.version == "swagger":
            operation |= _media_types(method, body, [schemas for _, schemas in responses.values()])
            parameters += self._body_parameter(method, path, body)
        if parameters:
            operation["parameters"] = parameters
        if body and self.version == "oas30":
            operation["requestBody"] = {
                **self.documentation.texts("REQUEST_BODY", path=path, method=verb),
                "content": _content(body),
                "required": True,
            }
        # AWS: present even if empty, which the specification does not like.
        operation["responses"] = {
            status: self._response(response, schemas, path, verb) for status, (response, schemas) in responses.items()
        }
        if requirements := self.security.requirements(method):
            operation["security"] = requirements
        return operation | (self._extensions(method) if self.integrations else {})

    def _extensions(self, method: Method) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if (validator := self.validators.get(method.request_validator_id or "")) is not None:
            found[ext.REQUEST_VALIDATOR] = validator
        if method.method_integration is not None:
            found[ext.INTEGRATION] = write_integration(method.method_integration, method.resource_id)
        return found

    def _parameters(self, method: Method, path: str) -> list[dict[str, Any]]:
        found = []
        for declared, required in (method.request_parameters or {}).items():
            place, _, name = declared.removeprefix("method.request.").partition(".")
            found.append((_PLACES[place], name, required))
        found.sort(key=lambda entry: (list(_PART_KINDS).index(entry[0]), entry[1]))
        return [
            {
                "name": name,
                "in": place,
                **self.documentation.texts(_PART_KINDS[place], path=path, method=method.http_method, name=name),
                # A path without the value is another path.
                "required": required or place == "path",
                **self._string(),
            }
            for place, name, required in found
        ]

    def _body_parameter(self, method: Method, path: str, body: Schemas) -> list[dict[str, Any]]:
        if not body:
            return []
        schema = _one(body)
        texts = self.documentation.texts("REQUEST_BODY", path=path, method=method.http_method)
        name = schema["$ref"].rpartition("/")[2]
        return [{"in": "body", "name": name, **texts, "required": True, "schema": schema}]

    def _response(self, response: MethodResponse, schemas: Schemas, path: str, verb: str) -> dict[str, Any]:
        status = response.status_code
        texts = self.documentation.texts("RESPONSE", path=path, method=verb, status=status)
        written: dict[str, Any] = {"description": f"{status} response", **texts}
        if response.response_parameters:
            written["headers"] = {
                name.removeprefix(_RESPONSE_HEADER): self._header(
                    name.removeprefix(_RESPONSE_HEADER), required, path, verb, status
                )
                for name, required in sorted(response.response_parameters.items())
            }
        if self.version == "oas30":
            written["content"] = _content(schemas)
        elif schemas:
            written["schema"] = _one(schemas)
        return written

    def _header(self, name: str, required: bool, path: str, verb: str, status: str) -> dict[str, Any]:
        texts = self.documentation.texts("RESPONSE_HEADER", path=path, method=verb, status=status, name=name)
        # Swagger 2.0 cannot say it; nor does it have an effect.
        return texts | ({"required": True} if required and self.version == "oas30" else {}) | self._string()

    def _string(self) -> dict[str, Any]:
        """AWS: every parameter is text."""
        return {"type": "string"} if self.version == "swagger" else {"schema": {"type": "string"}}


def _key(method: Method) -> str:
    return ext.ANY_METHOD if method.http_method == "ANY" else method.http_method.lower()


def _content(schemas: Schemas) -> dict[str, Any]:
    return {media: {"schema": schema} for media, schema in schemas.items()}


def _one(schemas: Schemas) -> dict[str, Any]:
    """Swagger 2.0 has one schema for all media types of a body: JSON's, or else the first one's."""
    return schemas.get(_JSON) or next(iter(schemas.values()))


def _media_types(method: Method, body: Schemas, responses: list[Schemas]) -> dict[str, Any]:
    """`consumes`: of the body, or else of the mapping templates (as AWS fills it); `produces`: of all responses.

    A media type whose model is another one than `_one` cannot be said in Swagger 2.0; it is left out rather than given a model
    that is not its own.
    """
    consumed = {media for media in body if body[media] == _one(body)}
    if not consumed and method.method_integration is not None:
        consumed = set(method.method_integration.request_templates or ())
    produced = {media for schemas in responses for media in schemas if schemas[media] == _one(schemas)}
    return {**({"consumes": sorted(consumed)} if consumed else {}), "produces": sorted(produced) or [_JSON]}
