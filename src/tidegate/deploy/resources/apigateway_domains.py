"""Custom domain names: AWS::ApiGateway::DomainName, BasePathMapping for public ones; DomainNameV2, BasePathMappingV2,
DomainNameAccessAssociation for private ones, which their ARN names.

AWS: CloudFormation Template Reference, "Amazon API Gateway resource type reference".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.core.arns import Arn
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
)
from tidegate.deploy.resources.entity import retag, with_tags
from tidegate.deploy.resources.patches import Patch, members, replacement, scalars
from tidegate.deploy.resources.shapes import arguments_of, call

_MEMBERS = {
    "DistributionDomainName": "distributionDomainName",
    "DistributionHostedZoneId": "distributionHostedZoneId",
    "DomainNameArn": "domainNameArn",
    "RegionalDomainName": "regionalDomainName",
    "RegionalHostedZoneId": "regionalHostedZoneId",
}
_CERTIFICATES = {"CertificateArn": "/certificateArn", "RegionalCertificateArn": "/regionalCertificateArn"}
_SCALARS = {
    "EndpointAccessMode": "/endpointAccessMode",
    "RoutingMode": "/routingMode",
    "SecurityPolicy": "/securityPolicy",
}
_RESET = {"RoutingMode": "BASE_PATH_MAPPING_ONLY", "SecurityPolicy": "TLS_1_2"}
_EMPTY_PATH = "(none)"
"""AWS: how operations write the empty base path."""


class _Domain(Provider):
    """What public and private names share."""

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            call(context.clients("apigateway"), "DeleteDomainName", self.address(made))

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: call(context.clients("apigateway"), "GetDomainName", self.address(made)))

    def create(self, properties: Props, context: Context) -> Made:
        return self.made(call(context.clients("apigateway"), "CreateDomainName", self.creation(properties)))

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        arguments_of(context.clients("apigateway"), "CreateDomainName", self.creation(properties))
        retag(self.arn(made, context), tag_map(properties), tag_map(old), context)
        for operations in self.steps(properties, old):
            given = {**self.address(made), "patchOperations": operations}
            made = self.made(call(context.clients("apigateway"), "UpdateDomainName", given))
        return made

    def creation(self, properties: Props) -> dict[str, Any]:
        """Parameters of CreateDomainName."""
        return with_tags(properties)

    def arn(self, made: Made, context: Context) -> str:
        raise NotImplementedError

    def address(self, made: Made) -> dict[str, Any]:
        raise NotImplementedError

    def steps(self, properties: Props, old: Props) -> Iterator[list[Patch]]:
        """Lists of patches, for one call each."""
        raise NotImplementedError

    def made(self, answer: Mapping[str, Any]) -> Made:
        raise NotImplementedError


class DomainName(_Domain):
    type = "AWS::ApiGateway::DomainName"
    attributes = frozenset(_MEMBERS)
    table = Table(
        handled=frozenset(
            {
                *("DomainName", "EndpointConfiguration", "MutualTlsAuthentication"),
                *("OwnershipVerificationCertificateArn", "Tags", *_CERTIFICATES, *_SCALARS),
            }
        ),
        required=frozenset({"DomainName"}),
        replacing=frozenset({"DomainName"}),
    )

    def arn(self, made: Made, context: Context) -> str:
        return f"arn:aws:apigateway:{context.target.region}::/domainnames/{made.physical_id}"

    def address(self, made: Made) -> dict[str, Any]:
        return {"domainName": made.physical_id}

    def made(self, answer: Mapping[str, Any]) -> Made:
        attributes = {name: answer[member] for name, member in _MEMBERS.items() if answer.get(member)}
        return Made(answer["domainName"], attributes)

    def steps(self, properties: Props, old: Props) -> Iterator[list[Patch]]:
        # AWS: a domain changes its type by getting the second and losing the first; never both in one call.
        first = [*_certificates(properties, old), *scalars(_SCALARS, properties, old, reset=_RESET)]
        first += _nested("MutualTlsAuthentication", properties, old)
        first += _optional(
            "OwnershipVerificationCertificateArn", "/ownershipVerificationCertificateArn", properties, old
        )
        first += _address_type(properties, old)
        first += members("/endpointConfiguration/types", _types(properties), _types(old))
        for losing in (False, True):
            if step := [patch for patch in first if _loses_endpoint(patch) == losing]:
                yield step


def _loses_endpoint(patch: Patch) -> bool:
    return patch["op"] == "remove" and patch["path"] in ("/endpointConfiguration/types", *_CERTIFICATES.values())


def _certificates(properties: Props, old: Props) -> Iterator[Patch]:
    for name, path in _CERTIFICATES.items():
        yield from _optional(name, path, properties, old)


def _optional(name: str, path: str, properties: Props, old: Props) -> Iterator[Patch]:
    """A value that is added, replaced or removed."""
    wanted, before = properties.get(name), old.get(name)
    if wanted == before:
        return
    if not wanted:
        yield {"op": "remove", "path": path}
    else:
        yield {"op": "replace" if before else "add", "path": path, "value": str(wanted)}


def _nested(name: str, properties: Props, old: Props) -> Iterator[Patch]:
    wanted, before = properties.get(name) or {}, old.get(name) or {}
    for member in ("TruststoreUri", "TruststoreVersion"):
        yield from _optional(member, f"/mutualTlsAuthentication/{member[0].lower()}{member[1:]}", wanted, before)


def _types(properties: Props) -> list[str]:
    return (properties.get("EndpointConfiguration") or {}).get("Types") or ["EDGE"]


def _address_type(properties: Props, old: Props) -> Iterator[Patch]:
    wanted, before = (given.get("EndpointConfiguration") or {} for given in (properties, old))
    yield from scalars(
        {"IpAddressType": "/endpointConfiguration/ipAddressType"}, wanted, before, reset={"IpAddressType": "ipv4"}
    )


class DomainNameV2(_Domain):
    """A private name. Several may be alike: the ARN, with an id in it, tells them apart."""

    type = "AWS::ApiGateway::DomainNameV2"
    attributes = frozenset({"DomainNameArn", "DomainNameId"})
    table = Table(
        handled=frozenset(
            {
                *("CertificateArn", "DomainName", "EndpointAccessMode", "EndpointConfiguration", "Policy"),
                *("RoutingMode", "SecurityPolicy", "Tags"),
            }
        ),
        required=frozenset({"DomainName"}),
        replacing=frozenset({"DomainName", "EndpointConfiguration", "SecurityPolicy"}),
    )

    def creation(self, properties: Props) -> dict[str, Any]:
        given = {"EndpointConfiguration": {"Types": ["PRIVATE"]}, **with_tags(properties)}
        return given | ({"Policy": _policy(given)} if "Policy" in given else {})

    def arn(self, made: Made, context: Context) -> str:
        return made.physical_id

    def address(self, made: Made) -> dict[str, Any]:
        return domain_address(made.physical_id)

    def made(self, answer: Mapping[str, Any]) -> Made:
        arn = answer["domainNameArn"]
        return Made(arn, {"DomainNameArn": arn, "DomainNameId": answer.get("domainNameId") or ""})

    def steps(self, properties: Props, old: Props) -> Iterator[list[Patch]]:
        paths = {name: path for name, path in _SCALARS.items() if name not in self.table.replacing}
        step = [*scalars(paths, properties, old, reset=_RESET)]
        step += _optional("CertificateArn", "/certificateArn", properties, old)
        if _policy(properties) != _policy(old):
            step.append(replacement("/policy", _policy(properties)))
        if step:
            yield step


def _policy(properties: Props) -> str:
    policy = properties.get("Policy") or ""
    return policy if isinstance(policy, str) else json.dumps(policy)


def domain_address(arn: str) -> dict[str, Any]:
    """Name and id of the domain that an ARN names: `…:/domainnames/<name>+<id>`. Raises ResourceError."""
    try:
        path = Arn.parse(arn).resource.split("/")
    except ValueError as error:
        raise ResourceError(f"DomainNameArn: {error}") from error
    if path[:2] != ["", "domainnames"] or len(path) != 3:
        raise ResourceError(f"DomainNameArn: not the ARN of a domain name: {arn}")
    name, _, identifier = path[2].partition("+")
    return {"domainName": name} | ({"domainNameId": identifier} if identifier else {})


class BasePathMapping(Provider):
    """Which API answers below a path of a domain."""

    type = "AWS::ApiGateway::BasePathMapping"
    table = Table(
        handled=frozenset({"BasePath", "DomainName", "RestApiId", "Stage"}),
        required=frozenset({"DomainName"}),
        replacing=frozenset({"BasePath", "DomainName"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        given = {**self.domain(properties), "basePath": _base_path(properties)}
        given |= {name: properties[name] for name in ("RestApiId", "Stage") if name in properties}
        return self.made(properties, call(context.clients("apigateway"), "CreateBasePathMapping", given))

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        # AWS: these paths are written so.
        paths = {"RestApiId": "/restapiId", "Stage": "/stage"}
        if operations := list(scalars(paths, properties, old)):
            self._send("UpdateBasePathMapping", properties, context, patchOperations=operations)
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            self._send("DeleteBasePathMapping", properties, context)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: self._send("GetBasePathMapping", properties, context))

    def domain(self, properties: Props) -> dict[str, Any]:
        """The parameters that name the domain."""
        return {"domainName": properties["DomainName"]}

    def made(self, properties: Props, answer: Mapping[str, Any]) -> Made:
        return Made(f"{properties['DomainName']}|{properties.get('BasePath', '')}")

    def _send(self, operation: str, properties: Props, context: Context, **more: Any) -> dict[str, Any]:
        given = {**self.domain(properties), "basePath": _base_path(properties), **more}
        return call(context.clients("apigateway"), operation, given)


def _base_path(properties: Props) -> str:
    return str(properties.get("BasePath") or _EMPTY_PATH)


class BasePathMappingV2(BasePathMapping):
    """The same for a private domain."""

    type = "AWS::ApiGateway::BasePathMappingV2"
    attributes = frozenset({"BasePathMappingArn"})
    table = Table(
        handled=frozenset({"BasePath", "DomainNameArn", "RestApiId", "Stage"}),
        required=frozenset({"DomainNameArn", "RestApiId"}),
        replacing=frozenset({"BasePath", "DomainNameArn"}),
    )

    def domain(self, properties: Props) -> dict[str, Any]:
        return domain_address(properties["DomainNameArn"])

    def made(self, properties: Props, answer: Mapping[str, Any]) -> Made:
        arn = f"{properties['DomainNameArn']}/basepathmappings/{answer['basePath']}"
        return Made(arn, {"BasePathMappingArn": arn})


class DomainNameAccessAssociation(Provider):
    """Lets a VPC endpoint reach a private domain name."""

    type = "AWS::ApiGateway::DomainNameAccessAssociation"
    attributes = frozenset({"DomainNameAccessAssociationArn"})
    table = Table(
        handled=frozenset({"AccessAssociationSource", "AccessAssociationSourceType", "DomainNameArn", "Tags"}),
        required=frozenset({"AccessAssociationSource", "AccessAssociationSourceType", "DomainNameArn"}),
        replacing=frozenset({"AccessAssociationSource", "AccessAssociationSourceType", "DomainNameArn", "Tags"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        client = context.clients("apigateway")
        answer = call(client, "CreateDomainNameAccessAssociation", with_tags(properties))
        arn = answer["domainNameAccessAssociationArn"]
        return Made(arn, {"DomainNameAccessAssociationArn": arn})

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        client = context.clients("apigateway")
        with gone_is_fine():
            client.delete_domain_name_access_association(domainNameAccessAssociationArn=made.physical_id)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        """AWS: there is no operation that gets one; the list is short."""
        client, position = context.clients("apigateway"), None
        while True:
            page = client.get_domain_name_access_associations(**({"position": position} if position else {}))
            arns = [item["domainNameAccessAssociationArn"] for item in page.get("items") or []]
            if made.physical_id in arns:
                return True
            if not (position := page.get("position")):
                return False
