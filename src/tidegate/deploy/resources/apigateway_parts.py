"""What an API consists of besides resources and methods: AWS::ApiGateway::Model, RequestValidator, Authorizer,
GatewayResponse, DocumentationPart, DocumentationVersion.

AWS: CloudFormation Template Reference, "Amazon API Gateway resource type reference".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tidegate.deploy.resources.base import Context, Made, Props, Provider, Table, gone_is_fine
from tidegate.deploy.resources.entity import Entity
from tidegate.deploy.resources.patches import Patch, members, replacement, scalars
from tidegate.deploy.resources.shapes import call


class Model(Entity):
    """A schema by its name, which Ref gives."""

    type = "AWS::ApiGateway::Model"
    noun, key, member = "Model", "modelName", "name"
    table = Table(
        handled=frozenset({"ContentType", "Description", "Name", "RestApiId", "Schema"}),
        required=frozenset({"RestApiId"}),
        replacing=frozenset({"ContentType", "Name", "RestApiId"}),
        name="Name",
    )

    def creation(self, properties: Props, context: Context) -> dict[str, Any]:
        # AWS: names of models are letters and digits only.
        name = properties.get("Name") or context.name(128).replace("-", "")
        given = {"ContentType": "application/json", **properties, "Name": name}
        return given | ({"Schema": _json(properties["Schema"])} if "Schema" in properties else {})

    def patches(self, properties: Props, old: Props) -> Iterator[Patch]:
        yield from scalars({"Description": "/description"}, properties, old)
        if properties.get("Schema") != old.get("Schema"):
            yield replacement("/schema", _json(properties.get("Schema", "")))


def _json(value: Any) -> Any:
    return value if isinstance(value, str) else json.dumps(value)


class RequestValidator(Entity):
    type = "AWS::ApiGateway::RequestValidator"
    attributes = frozenset({"RequestValidatorId"})
    noun, key = "RequestValidator", "requestValidatorId"
    settled = {
        "ValidateRequestBody": "/validateRequestBody",
        "ValidateRequestParameters": "/validateRequestParameters",
    }
    table = Table(
        handled=frozenset({"Name", "RestApiId", *settled}),
        required=frozenset({"RestApiId"}),
        replacing=frozenset({"Name", "RestApiId"}),
    )


class Authorizer(Entity):
    type = "AWS::ApiGateway::Authorizer"
    attributes = frozenset({"AuthorizerId"})
    noun, key = "Authorizer", "authorizerId"
    settled = {
        "AuthType": "/authType",
        "AuthorizerCredentials": "/authorizerCredentials",
        "AuthorizerResultTtlInSeconds": "/authorizerResultTtlInSeconds",
        "AuthorizerUri": "/authorizerUri",
        "IdentitySource": "/identitySource",
        "IdentityValidationExpression": "/identityValidationExpression",
        "Name": "/name",
        "Type": "/type",
    }
    table = Table(
        handled=frozenset({"ProviderARNs", "RestApiId", *settled}),
        required=frozenset({"Name", "RestApiId", "Type"}),
        replacing=frozenset({"RestApiId"}),
    )

    def patches(self, properties: Props, old: Props) -> Iterator[Patch]:
        kind = "cognito_user_pools" if properties["Type"] == "COGNITO_USER_POOLS" else "custom"
        reset = {"AuthType": kind, "AuthorizerResultTtlInSeconds": "300"}
        yield from scalars(self.settled, properties, old, reset=reset)
        yield from members("/providerARNs", properties.get("ProviderARNs") or (), old.get("ProviderARNs") or ())


class GatewayResponse(Provider):
    """A customised answer. One operation makes and changes it; what is deleted is the default again."""

    type = "AWS::ApiGateway::GatewayResponse"
    attributes = frozenset({"Id"})
    table = Table(
        handled=frozenset({"ResponseParameters", "ResponseTemplates", "ResponseType", "RestApiId", "StatusCode"}),
        required=frozenset({"ResponseType", "RestApiId"}),
        replacing=frozenset({"ResponseType", "RestApiId"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        call(context.clients("apigateway"), "PutGatewayResponse", properties)
        name = f"{properties['RestApiId']}|{properties['ResponseType']}"
        return Made(name, {"Id": name})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        return self.create(properties, context)

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            self._send("DeleteGatewayResponse", properties, context)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        with gone_is_fine():
            return not self._send("GetGatewayResponse", properties, context).get("defaultResponse")
        return False

    @staticmethod
    def _send(operation: str, properties: Props, context: Context) -> dict[str, Any]:
        named = {name: properties[name] for name in ("ResponseType", "RestApiId")}
        return call(context.clients("apigateway"), operation, named)


class DocumentationPart(Entity):
    type = "AWS::ApiGateway::DocumentationPart"
    attributes = frozenset({"DocumentationPartId"})
    noun, key = "DocumentationPart", "documentationPartId"
    settled = {"Properties": "/properties"}
    table = Table(
        handled=frozenset({"Location", "Properties", "RestApiId"}),
        required=frozenset({"Location", "Properties", "RestApiId"}),
        replacing=frozenset({"Location", "RestApiId"}),
    )


class DocumentationVersion(Entity):
    """A snapshot of an API's documentation; Ref gives the version."""

    type = "AWS::ApiGateway::DocumentationVersion"
    noun, key, member = "DocumentationVersion", "documentationVersion", "version"
    settled = {"Description": "/description"}
    table = Table(
        handled=frozenset({"Description", "DocumentationVersion", "RestApiId"}),
        required=frozenset({"DocumentationVersion", "RestApiId"}),
        replacing=frozenset({"DocumentationVersion", "RestApiId"}),
    )
