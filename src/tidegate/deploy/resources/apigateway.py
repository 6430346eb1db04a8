"""AWS::ApiGateway::RestApi, Resource.

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
from tidegate.deploy.resources.entity import retag
from tidegate.deploy.resources.patches import escaped
from tidegate.deploy.resources.shapes import call

_CREATED = ("ApiKeySourceType", "BinaryMediaTypes", "Description", "DisableExecuteApiEndpoint", "EndpointConfiguration")
_CREATED_TOO = ("CloneFrom", "MinimumCompressionSize", "Version")
_SCALARS = {
    "Name": "name",
    "Description": "description",
    "ApiKeySourceType": "apiKeySource",
    "DisableExecuteApiEndpoint": "disableExecuteApiEndpoint",
    "MinimumCompressionSize": "minimumCompressionSize",
}
"""What PutRestApi may have changed and a patch settles: property → member of RestApi."""
_DEFINITIONS = frozenset({"Body", "BodyS3Location"})


class RestApi(Provider):
    """An API, by its parts or by an OpenAPI definition in `Body` or in S3."""

    type = "AWS::ApiGateway::RestApi"
    attributes = frozenset({"RestApiId", "RootResourceId"})
    table = Table(
        handled=frozenset(
            {
                *(*_CREATED, *_CREATED_TOO, "Body", "BodyS3Location", "FailOnWarnings", "Mode", "Name", "Parameters"),
                *("Policy", "Tags"),
            }
        ),
        reported={
            "EndpointAccessMode": "has no effect",
            "SecurityPolicy": "has no effect; TLS is set up where Tidegate is started",
        },
    )

    def create(self, properties: Props, context: Context) -> Made:
        client = context.clients("apigateway")
        body = _body(properties, context)
        api = call(client, "CreateRestApi", _creation(properties, context))
        with undone_by(lambda: client.delete_rest_api(restApiId=api["id"])):
            if body is not None:
                api = self._put_body(api["id"], body, properties, context)
            self._settle(api, properties, {}, context)
        return _made(api)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client = context.clients("apigateway")
        if (body := _body(properties, context)) is not None:
            api = self._put_body(made.physical_id, body, properties, context)
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

    def _put_body(self, api_id: str, body: bytes, properties: Props, context: Context) -> dict[str, Any]:
        api = call(
            context.clients("apigateway"),
            "PutRestApi",
            {
                "restApiId": api_id,
                "mode": properties.get("Mode", "overwrite"),
                "failOnWarnings": properties.get("FailOnWarnings", False),
                "parameters": _import_parameters(properties),
                "body": body,
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
        if old and not _DEFINITIONS & properties.keys() and properties.get("Version") != old.get("Version"):
            context.warn("Version: cannot be changed once the API exists")
        if old and properties.get("CloneFrom") != old.get("CloneFrom"):
            context.warn("CloneFrom: an API is cloned when it is created, not later")
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


def _body(properties: Props, context: Context) -> bytes | None:
    """The definition, where there is one. Raises ResourceError when it is not where the properties say."""
    if (body := properties.get("Body")) is not None:
        return (body if isinstance(body, str) else json.dumps(body)).encode()
    if (location := properties.get("BodyS3Location")) is None:
        return None
    names = {"Bucket": "Bucket", "Key": "Key", "Version": "VersionId", "ETag": "IfMatch"}
    if unknown := sorted(location.keys() - names.keys()):
        raise ResourceError(f"Encountered unsupported property BodyS3Location.{unknown[0]}")
    answer = context.clients("s3").get_object(**{names[name]: text(value) for name, value in location.items()})
    content: bytes = answer["Body"].read()
    return content


def _creation(properties: Props, context: Context) -> dict[str, Any]:
    given = {name: properties[name] for name in (*_CREATED, *_CREATED_TOO) if name in properties}
    if endpoint := _endpoint(properties):
        given["EndpointConfiguration"] = endpoint
    if "BinaryMediaTypes" in given:
        given["BinaryMediaTypes"] = _media_types(properties)
    if "ApiKeySourceType" in given:
        given["apiKeySource"] = given.pop("ApiKeySourceType")
    if (policy := _policy(properties)) is not None:
        given["policy"] = policy
    if tags := tag_map(properties):
        given["tags"] = tags
    return given | {"name": _name(properties, context)}


def _endpoint(properties: Props) -> Mapping[str, Any]:
    """The endpoint's type may be given as a parameter of the import as well."""
    types = (properties.get("Parameters") or {}).get("endpointConfigurationTypes")
    given: Mapping[str, Any] = properties.get("EndpointConfiguration") or {}
    return {"Types": text(types).split(","), **given} if types else given


def _name(properties: Props, context: Context) -> Any:
    body = properties.get("Body")
    info = body.get("info", {}) if isinstance(body, dict) else {}
    name = properties.get("Name") or info.get("title")
    if not name and "BodyS3Location" in properties:
        # Until the definition, which says how it is called, is imported.
        return context.name(255)
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
    # AWS: the endpoint's type is a parameter of ImportRestApi only; CreateRestApi has set it.
    given = properties.get("Parameters") or {}
    return {name: value for name, value in given.items() if name != "endpointConfigurationTypes"}


def _scalar_patches(api: Mapping[str, Any], properties: Props, old: Props) -> Iterator[dict[str, str]]:
    for name, member in _SCALARS.items():
        if name in properties:
            wanted = text(properties[name])
            if member not in api or text(api[member]) != wanted:
                yield {"op": "replace", "path": f"/{member}", "value": wanted}
        elif name in old and name == "Description" and member in api and not _DEFINITIONS & properties.keys():
            yield {"op": "replace", "path": "/description", "value": ""}


def _endpoint_patches(api: Mapping[str, Any], properties: Props) -> Iterator[dict[str, str]]:
    wanted = _endpoint(properties)
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
        yield {"op": "add", "path": f"/binaryMediaTypes/{escaped(kind)}"}
    for kind in sorted(set(_media_types(old)) & actual - wanted):
        yield {"op": "remove", "path": f"/binaryMediaTypes/{escaped(kind)}"}


def _media_types(properties: Props) -> list[str]:
    # AWS: templates write `image~1png`, the slash escaped as in a patch's path; `image/png` is understood as well.
    return [text(kind).replace("~1", "/") for kind in properties.get("BinaryMediaTypes") or []]


def _made(api: Mapping[str, Any]) -> Made:
    return Made(api["id"], {"RestApiId": api["id"], "RootResourceId": api["rootResourceId"]})
