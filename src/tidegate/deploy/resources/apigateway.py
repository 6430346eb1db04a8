"""AWS::ApiGateway::RestApi, Resource, Account.

AWS: CloudFormation Template Reference, "Amazon API Gateway resource type reference".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.core.arns import rest_api_arn
from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import (
    Context,
    Made,
    Props,
    Provider,
    ResourceError,
    Table,
    found,
    gone_is_fine,
    tag_map,
    undone_by,
)
from tidegate.deploy.resources.shapes import call

_CREATED = ("ApiKeySourceType", "BinaryMediaTypes", "Description", "DisableExecuteApiEndpoint", "EndpointConfiguration")
_CREATED_TOO = ("MinimumCompressionSize", "Version")
_SCALARS = {
    "Name": "name",
    "Description": "description",
    "ApiKeySourceType": "apiKeySource",
    "DisableExecuteApiEndpoint": "disableExecuteApiEndpoint",
    "MinimumCompressionSize": "minimumCompressionSize",
}
"""What PutRestApi may have changed and a patch settles: property → member of RestApi."""


class RestApi(Provider):
    """An API, by its parts or by an OpenAPI definition in `Body`."""

    type = "AWS::ApiGateway::RestApi"
    attributes = frozenset({"RestApiId", "RootResourceId"})
    table = Table(
        handled=frozenset(
            {*_CREATED, *_CREATED_TOO, "Body", "FailOnWarnings", "Mode", "Name", "Parameters", "Policy", "Tags"}
        ),
        reported={
            "EndpointAccessMode": "has no effect",
            "SecurityPolicy": "has no effect; TLS is set up where Tidegate is started",
        },
        refused={
            "BodyS3Location": "a definition in S3 is not supported; name a local file, or put it in Body",
            "CloneFrom": "is not supported",
        },
    )

    def create(self, properties: Props, context: Context) -> Made:
        client = context.clients("apigateway")
        api = call(client, "CreateRestApi", _creation(properties))
        with undone_by(lambda: client.delete_rest_api(restApiId=api["id"])):
            if "Body" in properties:
                api = self._put_body(api["id"], properties, context)
            self._settle(api, properties, {}, context)
        return _made(api)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client = context.clients("apigateway")
        if "Body" in properties:
            api = self._put_body(made.physical_id, properties, context)
        else:
            api = client.get_rest_api(restApiId=made.physical_id)
        self._settle(api, properties, old, context)
        self._retag(made.physical_id, properties, old, context)
        return _made(api)

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("apigateway").delete_rest_api(restApiId=made.physical_id)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: context.clients("apigateway").get_rest_api(restApiId=made.physical_id))

    def _put_body(self, api_id: str, properties: Props, context: Context) -> dict[str, Any]:
        body = properties["Body"]
        api = call(
            context.clients("apigateway"),
            "PutRestApi",
            {
                "restApiId": api_id,
                "mode": properties.get("Mode", "overwrite"),
                "failOnWarnings": properties.get("FailOnWarnings", False),
                "parameters": _import_parameters(properties),
                "body": (body if isinstance(body, str) else json.dumps(body)).encode(),
            },
        )
        for warning in api.get("warnings") or []:
            context.warn(f"Body: {warning}")
        return api

    def _settle(self, api: Mapping[str, Any], properties: Props, old: Props, context: Context) -> None:
        """Patch what differs from the properties; a definition brings a name and a description of its own."""
        operations = [*_scalar_patches(api, properties, old), *_endpoint_patches(api, properties)]
        operations += _binary_patches(api, properties, old)
        if old and _policy(properties) != _policy(old):
            operations.append({"op": "replace", "path": "/policy", "value": _policy(properties) or ""})
        if old and "Body" not in properties and properties.get("Version") != old.get("Version"):
            context.warn("Version: cannot be changed once the API exists")
        if operations:
            context.clients("apigateway").update_rest_api(restApiId=api["id"], patchOperations=operations)

    def _retag(self, api_id: str, properties: Props, old: Props, context: Context) -> None:
        retag(rest_api_arn(context.target.region, api_id), tag_map(properties), tag_map(old), context)


class Resource(Provider):
    """One path segment."""

    type = "AWS::ApiGateway::Resource"
    attributes = frozenset({"ResourceId"})
    table = Table(
        handled=frozenset({"ParentId", "PathPart", "RestApiId"}),
        required=frozenset({"ParentId", "PathPart", "RestApiId"}),
        replacing=frozenset({"ParentId", "PathPart", "RestApiId"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        made = call(context.clients("apigateway"), "CreateResource", properties)
        return Made(made["id"], {"ResourceId": made["id"]})

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("apigateway").delete_resource(
                restApiId=properties["RestApiId"], resourceId=made.physical_id
            )

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(
            lambda: context.clients("apigateway").get_resource(
                restApiId=properties["RestApiId"], resourceId=made.physical_id
            )
        )


class Account(Provider):
    """The role by which API Gateway writes logs; Tidegate writes its own."""

    type = "AWS::ApiGateway::Account"
    attributes = frozenset({"Id"})
    no_effect = "is recorded and has no effect: Tidegate writes its logs itself"
    table = Table(handled=frozenset({"CloudWatchRoleArn"}))

    def create(self, properties: Props, context: Context) -> Made:
        name = context.name(64)
        return Made(name, {"Id": name})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        return made


def retag(arn: str, wanted: Mapping[str, str], old: Mapping[str, str], context: Context) -> None:
    """Bring the tags of an API Gateway resource from `old` to `wanted`."""
    client = context.clients("apigateway")
    if dropped := sorted(old.keys() - wanted.keys()):
        client.untag_resource(resourceArn=arn, tagKeys=dropped)
    changed = {key: value for key, value in wanted.items() if old.get(key) != value}
    if changed:
        client.tag_resource(resourceArn=arn, tags=changed)


def _creation(properties: Props) -> dict[str, Any]:
    given = {name: properties[name] for name in (*_CREATED, *_CREATED_TOO) if name in properties}
    if "BinaryMediaTypes" in given:
        given["BinaryMediaTypes"] = _media_types(properties)
    if "ApiKeySourceType" in given:
        given["apiKeySource"] = given.pop("ApiKeySourceType")
    if (policy := _policy(properties)) is not None:
        given["policy"] = policy
    if tags := tag_map(properties):
        given["tags"] = tags
    return given | {"name": _name(properties)}


def _name(properties: Props) -> Any:
    body = properties.get("Body")
    info = body.get("info", {}) if isinstance(body, dict) else {}
    name = properties.get("Name") or info.get("title")
    if not name:
        # AWS's text; without a definition the name cannot come from anywhere else.
        raise ResourceError("Name is required, or a Body with info.title")
    return name


def _policy(properties: Props) -> str | None:
    policy = properties.get("Policy")
    if policy is None or isinstance(policy, str):
        return policy
    return json.dumps(policy, sort_keys=True)


def _import_parameters(properties: Props) -> dict[str, Any]:
    # AWS: the endpoint's type is a parameter of ImportRestApi only; CreateRestApi has set it from EndpointConfiguration.
    given = properties.get("Parameters") or {}
    return {name: value for name, value in given.items() if name != "endpointConfigurationTypes"}


def _scalar_patches(api: Mapping[str, Any], properties: Props, old: Props) -> Iterator[dict[str, str]]:
    for name, member in _SCALARS.items():
        if name in properties:
            wanted = text(properties[name])
            if member not in api or text(api[member]) != wanted:
                yield {"op": "replace", "path": f"/{member}", "value": wanted}
        elif name in old and name == "Description" and member in api and "Body" not in properties:
            yield {"op": "replace", "path": "/description", "value": ""}


def _endpoint_patches(api: Mapping[str, Any], properties: Props) -> Iterator[dict[str, str]]:
    wanted = properties.get("EndpointConfiguration") or {}
    actual = api.get("endpointConfiguration") or {}
    kinds, actual_kinds = wanted.get("Types") or [], actual.get("types") or []
    if kinds and actual_kinds and kinds[0] != actual_kinds[0]:
        yield {"op": "replace", "path": f"/endpointConfiguration/types/{actual_kinds[0]}", "value": text(kinds[0])}
    if "IpAddressType" in wanted and wanted["IpAddressType"] != actual.get("ipAddressType"):
        yield {"op": "replace", "path": "/endpointConfiguration/ipAddressType", "value": text(wanted["IpAddressType"])}
    endpoints, actual_endpoints = set(wanted.get("VpcEndpointIds") or []), set(actual.get("vpcEndpointIds") or [])
    for endpoint in sorted(endpoints ^ actual_endpoints) if wanted else ():
        op = "add" if endpoint in endpoints else "remove"
        yield {"op": op, "path": "/endpointConfiguration/vpcEndpointIds", "value": endpoint}


def _binary_patches(api: Mapping[str, Any], properties: Props, old: Props) -> Iterator[dict[str, str]]:
    wanted = set(_media_types(properties))
    actual = set(api.get("binaryMediaTypes") or [])
    for kind in sorted(wanted - actual):
        yield {"op": "add", "path": f"/binaryMediaTypes/{_escaped(kind)}"}
    for kind in sorted(set(_media_types(old)) & actual - wanted):
        yield {"op": "remove", "path": f"/binaryMediaTypes/{_escaped(kind)}"}


def _media_types(properties: Props) -> list[str]:
    # AWS: templates write `image~1png`, the slash escaped as in a patch's path; `image/png` is understood as well.
    return [text(kind).replace("~1", "/") for kind in properties.get("BinaryMediaTypes") or []]


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _made(api: Mapping[str, Any]) -> Made:
    return Made(api["id"], {"RestApiId": api["id"], "RootResourceId": api["rootResourceId"]})
