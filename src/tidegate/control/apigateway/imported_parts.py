"""Laying what an OpenAPI file declares over an API: merged into it, or in the place of what was there.

Every part is checked as the operation that makes such a part checks it; what is refused is gathered in the import's errors, in
AWS's words, so that one answer names everything. The caller undoes the transaction if there is one.
Source: *Import an OpenAPI file to update an existing API definition*; shared facts, rest-control-plane §11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from tidegate.control.apigateway.api_endpoints import check_endpoint
from tidegate.control.apigateway.api_policies import check_policy
from tidegate.control.apigateway.authorizers import check_authorizer
from tidegate.control.apigateway.documentation import check_location, put_imported_parts
from tidegate.control.apigateway.gateway_responses import check_gateway_response, custom_response
from tidegate.control.apigateway.integrations import check_integration, check_sources
from tidegate.control.apigateway.methods import check_method, check_references, check_status, invalid_parameter
from tidegate.control.apigateway.models import check_model
from tidegate.control.apigateway.request_validators import check_validator
from tidegate.control.apigateway.resources import add_resource
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.core.errors import ControlError
from tidegate.definition.openapi import ImportedApi
from tidegate.definition.openapi.extensions import DEFAULT_MODELS, model_url
from tidegate.definition.openapi.imported import UNKNOWN_API
from tidegate.definition.records import (
    Authorizer,
    DocumentationPart,
    DocumentationVersion,
    GatewayResponse,
    Integration,
    Method,
    Model,
    RequestValidator,
    Resource,
    RestApi,
)

N = TypeVar("N", Authorizer, RequestValidator)


class Import:
    """One file on its way into one API."""

    def __init__(self, context: Context, api: RestApi, imported: ImportedApi) -> None:
        self._context = context
        self._tx = context.tx
        self._api = api
        self._imported = imported
        self._authorizers: dict[str, Authorizer] = {}
        self._validators: dict[str, RequestValidator] = {}

    def lay(self, *, overwrite: bool = False) -> RestApi:
        """The API as it is then; what is wrong is in `imported.errors`."""
        if overwrite:
            self._clear()
        self._settings()
        self._models()
        self._authorizers = self._named(Authorizer, self._imported.authorizers, overwrite=overwrite)
        self._validators = self._named(RequestValidator, self._imported.request_validators, overwrite=overwrite)
        self._check_named()
        self._gateway_responses()
        self._operations()
        if self._imported.reads_documentation:
            self._documentation(overwrite=overwrite)
        return self._api

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        """AWS: an error says what could not be done, and why."""
        try:
            yield
        except ControlError as error:
            self._imported.error(f"{what}: {error.message}")

    def _clear(self) -> None:
        """AWS: what the file does not have is gone; stages, keys, tags and the type of the endpoint are never touched."""
        for kind in (Method, GatewayResponse):
            self._tx.delete_all(kind, self._api.id)
        for model in self._tx.list(Model, self._api.id):
            # The two that every API has are there for files that name them without declaring them [unverified].
            if model.name not in (*self._imported.models, *DEFAULT_MODELS):
                self._tx.delete(Model, *model.key)
        for resource in self._tx.list(Resource, self._api.id):
            if resource.parent_id is not None and resource.path not in self._imported.paths():
                self._tx.delete(Resource, *resource.key)
        # AWS: an overwrite takes the VPC endpoints too, which is why Terraform sets them again behind it.
        self._api = replace(
            self._api,
            description=None,
            version=None,
            binary_media_types=None,
            minimum_compression_size=None,
            api_key_source="HEADER",
            policy=None,
            disable_execute_api_endpoint=False,
            endpoint_configuration=replace(self._api.endpoint_configuration, vpc_endpoint_ids=None),
        )

    def _settings(self) -> None:
        settings = {name: value for name, value in self._imported.settings.items() if value is not None}
        endpoint = self._api.endpoint_configuration
        if self._imported.vpc_endpoint_ids is not None:
            if endpoint.types != ["PRIVATE"]:
                self._imported.error("VPCEndpoint IDs can only be used with PRIVATE APIs")
            endpoint = replace(endpoint, vpc_endpoint_ids=self._imported.vpc_endpoint_ids)
        self._api = replace(self._api, **settings, endpoint_configuration=endpoint, warnings=None)
        try:
            check_policy(self._api.policy)
            check_endpoint(self._api)
        except ControlError as error:
            self._imported.error(error.message)
        self._tx.put(self._api)

    def _models(self) -> None:
        """All are stored before one is checked, as they refer to each other."""
        unknown, own = model_url(UNKNOWN_API, ""), model_url(self._api.id, "")
        models = []
        for name, declared in self._imported.models.items():
            known = self._tx.get(Model, self._api.id, name)
            schema = (declared.schema or "").replace(f'"$ref": "{unknown}', f'"$ref": "{own}')
            new_id = known.id if known else self._context.ids.child_id()
            models.append(replace(declared, api_id=self._api.id, id=new_id, schema=schema))
            self._tx.put(models[-1])
        for model in models:
            with self._doing(f"Unable to create model for '{model.name}'"):
                check_model(self._context, model)

    def _named(self, kind: type[N], declared: Mapping[str, N], *, overwrite: bool) -> dict[str, N]:
        """Authorizers or validators by name, the API's own among them; one of a known name keeps its id."""
        there = {record.name: record for record in self._tx.list(kind, self._api.id)}
        for name in list(there) if overwrite else ():
            if name not in declared:
                self._tx.delete(kind, *there.pop(name).key)
        for name, record in declared.items():
            new_id = there[name].id if name in there else self._context.ids.child_id()
            there[name] = replace(record, api_id=self._api.id, id=new_id)
            self._tx.put(there[name])
        return there

    def _check_named(self) -> None:
        for name in self._imported.authorizers:
            with self._doing(f"Unable to create authorizer '{name}'"):
                check_authorizer(self._authorizers[name])
        for name in self._imported.request_validators:
            with self._doing(f"Unable to create request validator '{name}'"):
                check_validator(self._validators[name])

    def _gateway_responses(self) -> None:
        for kind, declared in self._imported.gateway_responses.items():
            with self._doing(f"Unable to put gateway response '{kind}'"):
                response = custom_response(
                    self._api.id,
                    kind,
                    declared.status_code,
                    declared.response_parameters,
                    declared.response_templates,
                )
                check_gateway_response(response)
                self._tx.put(response)

    # --- methods -----------------------------------------------------------------------------------------------------

    def _operations(self) -> None:
        by_path = {resource.path: resource for resource in self._tx.list(Resource, self._api.id)}
        for path, methods in self._imported.operations.items():
            with self._doing(f"Unable to create resource at path '{path}'"):
                resource = self._ensure(by_path, path)
                for verb, declared in methods.items():
                    self._method(resource, verb, declared)

    def _ensure(self, by_path: dict[str, Resource], path: str) -> Resource:
        """The resource of a path, made with all above it where they are missing. Raises ControlError."""
        if path in by_path:
            return by_path[path]
        above, _, part = path.rpartition("/")
        resource = add_resource(self._context, self._ensure(by_path, above or "/"), part)
        by_path[path] = resource
        return resource

    def _method(self, resource: Resource, verb: str, declared: Method) -> None:
        """A method that is there already is replaced whole."""
        at = f"resource at path '{resource.path}'"
        method = replace(declared, api_id=self._api.id, resource_id=resource.id, http_method=verb)
        with self._doing(f"Unable to put method '{verb}' on {at}"):
            method = self._with_ids(method)
            check_method(method)
            check_references(self._context, method)
            for status in method.method_responses or {}:
                check_status(status)
        if method.method_integration is not None:
            namespace = method.method_integration.cache_namespace or resource.id
            integration = replace(method.method_integration, cache_namespace=namespace)
            method = replace(method, method_integration=integration)
            with self._doing(f"Unable to put integration on '{verb}' for {at}"):
                check_integration(integration)
                check_sources(method, integration)
            with self._doing(f"Unable to put integration response on '{verb}' for {at}"):
                _check_targets(method, integration)
        self._tx.put(method)

    def _with_ids(self, method: Method) -> Method:
        """Names of the authorizer and the validator become ids; of an unknown authorizer nothing is left, which is refused."""
        authorizer = self._authorizers.get(method.authorizer_id or "")
        validator = self._validators.get(method.request_validator_id or "")
        if method.request_validator_id and validator is None:
            raise bad_request("Invalid Request Validator identifier specified")
        return replace(
            method,
            authorizer_id=authorizer.id if authorizer else None,
            request_validator_id=validator.id if validator else None,
        )

    # --- documentation -----------------------------------------------------------------------------------------------

    def _documentation(self, *, overwrite: bool) -> None:
        fitting = []
        for part in self._imported.documentation:
            try:
                check_location(part.location)
            except ControlError as error:
                self._imported.warn(f"{error.message}. Ignoring.")
            else:
                fitting.append(part)
        put_imported_parts(self._context, self._api.id, fitting, overwrite=overwrite)
        version = self._imported.documentation_version
        # A version never changes; that a file with a new one makes it is unverified.
        if version and self._tx.get(DocumentationVersion, self._api.id, version) is None:
            self._tx.put(
                DocumentationVersion(
                    api_id=self._api.id,
                    version=version,
                    created_date=int(self._context.clock.time()),
                    parts=self._tx.list(DocumentationPart, self._api.id),
                )
            )


def _check_targets(method: Method, integration: Integration) -> None:
    """AWS: a mapping sets only headers that the method's response declares. Raises ControlError."""
    for status, response in (integration.integration_responses or {}).items():
        answer = (method.method_responses or {}).get(status)
        declared = (answer.response_parameters if answer else None) or {}
        for target in response.response_parameters or {}:
            if target not in declared:
                raise invalid_parameter(target)
