"""AWS::ApiGateway::Method: a method with its integration and all responses, four operations of the API in one resource.

AWS: CloudFormation Template Reference, "AWS::ApiGateway::Method".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.deploy.resources.base import Context, Made, Props, Provider, Table, found, gone_is_fine, undone_by
from tidegate.deploy.resources.shapes import call

_KEY = ("RestApiId", "ResourceId", "HttpMethod")
_OWN = ("ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "OperationName")
_OWN_TOO = ("RequestModels", "RequestParameters", "RequestValidatorId")


class Method(Provider):
    type = "AWS::ApiGateway::Method"
    table = Table(
        handled=frozenset({*_KEY, *_OWN, *_OWN_TOO, "Integration", "MethodResponses"}),
        required=frozenset(_KEY),
        replacing=frozenset(_KEY),
    )

    def create(self, properties: Props, context: Context) -> Made:
        client = context.clients("apigateway")
        key = _key(properties)
        own = {name: properties[name] for name in (*_OWN, *_OWN_TOO) if name in properties}
        call(client, "PutMethod", {"authorizationType": "NONE", **key, **_api_names(own)})
        with undone_by(lambda: client.delete_method(**key)):
            for response in properties.get("MethodResponses") or []:
                call(client, "PutMethodResponse", {**key, **response})
            if integration := properties.get("Integration"):
                self._integrate(key, integration, client)
        return Made("|".join(key.values()))

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        # Deployed stages serve their own snapshot, so nobody meets the moment without the method.
        self.delete(made, old, context)
        return self.create(properties, context)

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("apigateway").delete_method(**_key(properties))

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: context.clients("apigateway").get_method(**_key(properties)))

    def _integrate(self, key: Mapping[str, str], integration: Mapping[str, Any], client: Any) -> None:
        given = {name: value for name, value in integration.items() if name != "IntegrationResponses"}
        call(client, "PutIntegration", {**key, **given})
        for response in integration.get("IntegrationResponses") or []:
            call(client, "PutIntegrationResponse", {**key, **response})


def _key(properties: Props) -> dict[str, str]:
    return {name[0].lower() + name[1:]: str(properties[name]) for name in _KEY}


def _api_names(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: value for name, value in properties.items()}
