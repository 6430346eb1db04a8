"""`x-amazon-apigateway-integration` in a written file. What has its default value is left out."""

from __future__ import annotations

from typing import Any

from tidegate.definition.openapi.extensions import DEFAULT_RESPONSE, INTEGRATION_MEMBERS
from tidegate.definition.records import Integration, IntegrationResponse


def write_integration(integration: Integration, resource_id: str) -> dict[str, Any]:
    """`resource_id`: of its method; the cache namespace that an integration gets by itself."""
    kind, tls = integration.type, integration.tls_config
    members = {name: getattr(integration, field) for name, field in INTEGRATION_MEMBERS.items()}
    defaults = {
        "cacheNamespace": resource_id,
        "connectionType": "INTERNET" if kind in ("HTTP", "HTTP_PROXY") else None,
        "responseTransferMode": "BUFFERED",
        "timeoutInMillis": 29000,
    }
    members = {name: value for name, value in members.items() if value != defaults.get(name)}
    # AWS: lower case, as are the types.
    members["passthroughBehavior"] = integration.passthrough_behavior.lower()
    return _filled(
        {
            "type": kind.lower(),
            "httpMethod": integration.http_method,
            **members,
            "tlsConfig": None if tls is None else {"insecureSkipVerification": tls.insecure_skip_verification},
            "responses": _responses(integration.integration_responses or {}),
        }
    )


def _responses(responses: dict[str, IntegrationResponse]) -> dict[str, Any]:
    """By selection pattern. Of several with the same one only the first by status code ever answers: the rest is left out."""
    written: dict[str, Any] = {}
    for _, response in sorted(responses.items()):
        written.setdefault(_pattern(response), _response(response))
    return {pattern: written[pattern] for pattern in sorted(written)}


def _pattern(response: IntegrationResponse) -> str:
    if not response.selection_pattern:
        return DEFAULT_RESPONSE
    if response.selection_pattern == DEFAULT_RESPONSE:
        # The literal key means "no pattern"; a group keeps the meaning of the expression.
        return f"(?:{DEFAULT_RESPONSE})"
    return response.selection_pattern


def _response(response: IntegrationResponse) -> dict[str, Any]:
    return _filled(
        {
            "statusCode": response.status_code,
            "responseParameters": response.response_parameters,
            "responseTemplates": response.response_templates,
            "contentHandling": response.content_handling,
        }
    )


def _filled(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, {}, [])}
