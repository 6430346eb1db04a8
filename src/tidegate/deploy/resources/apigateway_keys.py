"""What an account has beside its APIs: AWS::ApiGateway::ApiKey, UsagePlan, UsagePlanKey, VpcLink, ClientCertificate, Account.

AWS: CloudFormation Template Reference, "Amazon API Gateway resource type reference".
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.deploy.resources.base import (
    Context,
    Made,
    Props,
    Provider,
    ResourceError,
    Table,
    found,
    gone_is_fine,
    undone_by,
)
from tidegate.deploy.resources.entity import Entity, with_tags
from tidegate.deploy.resources.patches import Patch, escaped, group, members, scalars
from tidegate.deploy.resources.shapes import call

_LINK_POLLS = 600
_LINK_POLL_SECONDS = 0.5
"""Five minutes for a VPC link to become available."""


class ApiKey(Entity):
    type = "AWS::ApiGateway::ApiKey"
    attributes = frozenset({"APIKeyId"})
    noun, key, within, collection = "ApiKey", "apiKey", (), "apikeys"
    settled = {"CustomerId": "/customerId", "Description": "/description", "Enabled": "/enabled"}
    table = Table(
        handled=frozenset({"GenerateDistinctId", "Name", "StageKeys", "Tags", "Value", *settled}),
        replacing=frozenset({"GenerateDistinctId", "Name", "Value"}),
        name="Name",
    )

    def creation(self, properties: Props, context: Context) -> dict[str, Any]:
        return with_tags(properties) | {"Name": properties.get("Name") or context.name(1024)}

    def patches(self, properties: Props, old: Props) -> Iterator[Patch]:
        yield from super().patches(properties, old)
        yield from members("/stages", _stage_keys(properties), _stage_keys(old))


def _stage_keys(properties: Props) -> list[str]:
    return [f"{key.get('RestApiId', '')}/{key.get('StageName', '')}" for key in properties.get("StageKeys") or ()]


class UsagePlan(Entity):
    type = "AWS::ApiGateway::UsagePlan"
    attributes = frozenset({"Id"})
    noun, key, within, collection = "UsagePlan", "usagePlanId", (), "usageplans"
    settled = {"Description": "/description"}
    table = Table(
        handled=frozenset({"ApiStages", "Description", "Quota", "Tags", "Throttle", "UsagePlanName"}),
    )

    def creation(self, properties: Props, context: Context) -> dict[str, Any]:
        given = with_tags(properties)
        return given | {"name": given.pop("UsagePlanName", None) or context.name(256)}

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        # A name that was made up is made up again, the same.
        new, before = ({"UsagePlanName": context.name(256), **given} for given in (properties, old))
        return super().update(made, new, before, context)

    def patches(self, properties: Props, old: Props) -> Iterator[Patch]:
        yield from scalars({"UsagePlanName": "/name", **self.settled}, properties, old)
        yield from group(
            "/quota",
            properties.get("Quota"),
            old.get("Quota"),
            {"Limit": "limit", "Offset": "offset", "Period": "period"},
        )
        yield from group(
            "/throttle",
            properties.get("Throttle"),
            old.get("Throttle"),
            {"RateLimit": "rateLimit", "BurstLimit": "burstLimit"},
        )
        wanted, before = _throttles(properties), _throttles(old)
        yield from members("/apiStages", wanted, before)
        for stage, throttle in wanted.items():
            # A stage that was just added has no throttle yet.
            if throttle != before.get(stage, {}):
                yield _throttle_patch(stage, throttle)

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        client = context.clients("apigateway")
        with gone_is_fine():
            # AWS: a plan cannot be deleted while it has stages.
            stages = client.get_usage_plan(usagePlanId=made.physical_id).get("apiStages") or []
            if operations := list(members("/apiStages", (), [f"{s['apiId']}:{s['stage']}" for s in stages])):
                client.update_usage_plan(usagePlanId=made.physical_id, patchOperations=operations)
            client.delete_usage_plan(usagePlanId=made.physical_id)


def _throttles(properties: Props) -> dict[str, Mapping[str, Any]]:
    """Throttles of methods, by the plan's stages: `apiId:stage`."""
    stages = properties.get("ApiStages") or ()
    return {f"{stage.get('ApiId', '')}:{stage.get('Stage', '')}": stage.get("Throttle") or {} for stage in stages}


def _throttle_patch(stage: str, throttle: Mapping[str, Any]) -> Patch:
    path = f"/apiStages/{escaped(stage)}/throttle"
    if not throttle:
        return {"op": "remove", "path": path}
    names = {"RateLimit": "rateLimit", "BurstLimit": "burstLimit"}
    value = {
        method: {names.get(name, name): limit for name, limit in limits.items()} for method, limits in throttle.items()
    }
    return {"op": "replace", "path": path, "value": json.dumps(value)}


class UsagePlanKey(Provider):
    """A key's membership of a plan."""

    type = "AWS::ApiGateway::UsagePlanKey"
    attributes = frozenset({"Id"})
    table = Table(
        handled=frozenset({"KeyId", "KeyType", "UsagePlanId"}),
        required=frozenset({"KeyId", "KeyType", "UsagePlanId"}),
        replacing=frozenset({"KeyId", "KeyType", "UsagePlanId"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        call(context.clients("apigateway"), "CreateUsagePlanKey", properties)
        name = f"{properties['KeyId']}:{properties['UsagePlanId']}"
        return Made(name, {"Id": name})

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            self._send("DeleteUsagePlanKey", properties, context)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: self._send("GetUsagePlanKey", properties, context))

    @staticmethod
    def _send(operation: str, properties: Props, context: Context) -> dict[str, Any]:
        named = {name: properties[name] for name in ("KeyId", "UsagePlanId")}
        return call(context.clients("apigateway"), operation, named)


class VpcLink(Entity):
    type = "AWS::ApiGateway::VpcLink"
    attributes = frozenset({"VpcLinkId"})
    noun, key, within, collection = "VpcLink", "vpcLinkId", (), "vpclinks"
    settled = {"Description": "/description", "Name": "/name"}
    table = Table(
        handled=frozenset({"Tags", "TargetArns", *settled}),
        required=frozenset({"Name", "TargetArns"}),
        replacing=frozenset({"TargetArns"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        made = super().create(properties, context)
        with undone_by(lambda: self.delete(made, properties, context)):
            self._await(made, context)
        return made

    @staticmethod
    def _await(made: Made, context: Context) -> None:
        for _ in range(_LINK_POLLS):
            link = context.clients("apigateway").get_vpc_link(vpcLinkId=made.physical_id)
            if link["status"] == "AVAILABLE":
                return
            if link["status"] == "FAILED":
                raise ResourceError(f"the VPC link has failed: {link.get('statusMessage')}")
            time.sleep(_LINK_POLL_SECONDS)
        raise ResourceError("the VPC link does not become available")


class ClientCertificate(Entity):
    type = "AWS::ApiGateway::ClientCertificate"
    attributes = frozenset({"ClientCertificateId"})
    noun, making = "ClientCertificate", "GenerateClientCertificate"
    key, member = "clientCertificateId", "clientCertificateId"
    within, collection = (), "clientcertificates"
    settled = {"Description": "/description"}
    table = Table(handled=frozenset({"Description", "Tags"}))


class Account(Provider):
    """The role by which API Gateway writes logs. The account is there before and after: leaving a template changes nothing."""

    type = "AWS::ApiGateway::Account"
    attributes = frozenset({"Id"})
    table = Table(reported={"CloudWatchRoleArn": "is stored and has no effect: Tidegate writes its logs itself"})

    def create(self, properties: Props, context: Context) -> Made:
        self._settle(properties, {}, context)
        name = context.name(64)
        return Made(name, {"Id": name})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        self._settle(properties, old, context)
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        """AWS: other stacks of the account use the same role."""

    @staticmethod
    def _settle(properties: Props, old: Props, context: Context) -> None:
        if operations := list(scalars({"CloudWatchRoleArn": "/cloudwatchRoleArn"}, properties, old)):
            context.clients("apigateway").update_account(patchOperations=operations)
