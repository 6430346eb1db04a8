"""Freezing a deployment: an API's draft as one canonical document, and back."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from tidegate.definition.records import (
    Authorizer,
    DeploymentDocument,
    GatewayResponse,
    Method,
    Model,
    RequestValidator,
    Resource,
    RestApi,
)
from tidegate.definition.store import Transaction

_ENCODER = msgspec.json.Encoder(order="deterministic")


def draft(tx: Transaction, api: RestApi) -> DeploymentDocument:
    """What would be deployed now. Ordered by path, verb and name, so that equal drafts give equal documents."""
    resources = sorted(tx.list(Resource, api.id), key=lambda resource: resource.path)
    paths = {resource.id: resource.path for resource in resources}
    methods = sorted(tx.list(Method, api.id), key=lambda method: (paths[method.resource_id], method.http_method))
    # Names and tags are no part of what runs: renaming an API does not make another document.
    frozen = replace(api, tags=None, warnings=None)
    return DeploymentDocument(
        api=frozen,
        resources=resources,
        methods=methods,
        models=tx.list(Model, api.id),
        request_validators=tx.list(RequestValidator, api.id),
        authorizers=tx.list(Authorizer, api.id),
        gateway_responses=tx.list(GatewayResponse, api.id),
    )


def freeze(document: DeploymentDocument) -> bytes:
    return _ENCODER.encode(document)


def thaw(data: bytes) -> DeploymentDocument:
    return msgspec.json.decode(data, type=DeploymentDocument)
