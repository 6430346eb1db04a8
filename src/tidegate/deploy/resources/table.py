"""AWS::DynamoDB::Table, made in the neighbour that holds the tables.

AWS: CloudFormation Template Reference, "AWS::DynamoDB::Table".
"""

from __future__ import annotations

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
    tag_map,
    undone_by,
)
from tidegate.deploy.resources.shapes import call

_CREATED = ("AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema")
_CREATED_TOO = ("LocalSecondaryIndexes", "OnDemandThroughput", "ProvisionedThroughput", "TableClass")
_UPDATED = ("BillingMode", "DeletionProtectionEnabled", "OnDemandThroughput", "ProvisionedThroughput", "TableClass")
_POLLS = 600
_POLL_SECONDS = 0.5
"""Five minutes for an index to fill."""


class DynamoTable(Provider):
    type = "AWS::DynamoDB::Table"
    attributes = frozenset({"Arn", "StreamArn"})
    table = Table(
        handled=frozenset(
            {*_CREATED, *_CREATED_TOO, "StreamSpecification", "TableName", "Tags", "TimeToLiveSpecification"}
        ),
        reported={
            "ContributorInsightsSpecification": "has no effect",
            "PointInTimeRecoverySpecification": "has no effect; there are no backups",
            "SSESpecification": "has no effect; nothing is encrypted at rest",
            "WarmThroughput": "has no effect",
        },
        refused={
            "ImportSourceSpecification": "importing a table from S3 is not supported",
            "KinesisStreamSpecification": "is not supported",
            "ResourcePolicy": "is not supported",
            "VectorIndexes": "is not supported",
        },
        required=frozenset({"KeySchema"}),
        replacing=frozenset({"KeySchema", "LocalSecondaryIndexes", "TableName"}),
        name="TableName",
    )

    def create(self, properties: Props, context: Context) -> Made:
        client = context.clients("dynamodb")
        name = str(properties.get("TableName") or context.name(255))
        given = {key: properties[key] for key in (*_CREATED, *_CREATED_TOO) if key in properties}
        given["TableName"] = name
        if tags := properties.get("Tags"):
            given["Tags"] = tags
        if stream := _stream(properties):
            given["StreamSpecification"] = stream
        call(client, "CreateTable", given)
        with undone_by(lambda: client.delete_table(TableName=name)):
            description = _settled(name, client)
            if expiry := properties.get("TimeToLiveSpecification"):
                _expire(name, expiry, client)
        return _made(description)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client, name = context.clients("dynamodb"), made.physical_id
        changed = {key: properties[key] for key in _UPDATED if key in properties and properties[key] != old.get(key)}
        if changed:
            call(client, "UpdateTable", {"TableName": name, **changed})
            _settled(name, client)
        for step in _index_steps(client.describe_table(TableName=name)["Table"], properties):
            call(client, "UpdateTable", {"TableName": name, **step})
            _settled(name, client)
        self._stream(made, properties, old, client)
        self._expiry(made, properties, old, client)
        self._retag(made, properties, old, client)
        return _made(_settled(name, client))

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("dynamodb").delete_table(TableName=made.physical_id)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: context.clients("dynamodb").describe_table(TableName=made.physical_id))

    def _stream(self, made: Made, properties: Props, old: Props, client: Any) -> None:
        wanted, before = _stream(properties), _stream(old)
        if wanted == before:
            return
        # AWS: the view type of a stream cannot be changed; a stream is switched off and a new one on.
        for stream in ({"StreamEnabled": False} if before else None, wanted):
            if stream:
                call(client, "UpdateTable", {"TableName": made.physical_id, "StreamSpecification": stream})
                _settled(made.physical_id, client)

    def _expiry(self, made: Made, properties: Props, old: Props, client: Any) -> None:
        wanted, before = properties.get("TimeToLiveSpecification"), old.get("TimeToLiveSpecification")
        if wanted != before:
            _expire(made.physical_id, wanted or {**(before or {}), "Enabled": False}, client)

    def _retag(self, made: Made, properties: Props, old: Props, client: Any) -> None:
        wanted, before = tag_map(properties), tag_map(old)
        arn = made.attributes["Arn"]
        if dropped := sorted(before.keys() - wanted.keys()):
            client.untag_resource(ResourceArn=arn, TagKeys=dropped)
        if changed := [{"Key": k, "Value": v} for k, v in wanted.items() if before.get(k) != v]:
            client.tag_resource(ResourceArn=arn, Tags=changed)


def _stream(properties: Props) -> dict[str, Any] | None:
    specification = properties.get("StreamSpecification")
    if not specification:
        return None
    if extra := sorted(specification.keys() - {"StreamViewType"}):
        raise ResourceError(f"StreamSpecification.{extra[0]}: is not supported")
    return {"StreamEnabled": True, "StreamViewType": specification["StreamViewType"]}


def _expire(name: str, specification: Mapping[str, Any], client: Any) -> None:
    call(client, "UpdateTimeToLive", {"TableName": name, "TimeToLiveSpecification": specification})


def _index_steps(actual: Mapping[str, Any], properties: Props) -> Iterator[dict[str, Any]]:
    """One UpdateTable each: AWS makes or removes one index at a time. Compared with what the table really has."""
    wanted = {index["IndexName"]: index for index in properties.get("GlobalSecondaryIndexes") or []}
    present = {index["IndexName"]: index for index in actual.get("GlobalSecondaryIndexes") or []}
    for name in present:
        if name not in wanted or _reshaped(wanted[name], present[name]):
            yield {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}
    for name, index in wanted.items():
        if name not in present or _reshaped(index, present[name]):
            yield {
                "AttributeDefinitions": properties.get("AttributeDefinitions", []),
                "GlobalSecondaryIndexUpdates": [{"Create": index}],
            }
        elif throughput := _throughput_change(index, present[name]):
            update = {"IndexName": name, "ProvisionedThroughput": throughput}
            yield {"GlobalSecondaryIndexUpdates": [{"Update": update}]}


def _throughput_change(wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> Mapping[str, Any] | None:
    throughput: Mapping[str, Any] | None = wanted.get("ProvisionedThroughput")
    before = actual.get("ProvisionedThroughput") or {}
    if throughput and any(str(before.get(unit)) != str(value) for unit, value in throughput.items()):
        return throughput
    return None


def _reshaped(wanted: Mapping[str, Any], actual: Mapping[str, Any]) -> bool:
    return bool(
        sorted(map(str, wanted["KeySchema"])) != sorted(map(str, actual["KeySchema"]))
        or wanted["Projection"].get("ProjectionType") != actual["Projection"].get("ProjectionType")
        or sorted(wanted["Projection"].get("NonKeyAttributes") or [])
        != sorted(actual["Projection"].get("NonKeyAttributes") or [])
    )


def _settled(name: str, client: Any) -> dict[str, Any]:
    """Wait until the table and its indexes are active; returns the table's description."""
    for _ in range(_POLLS):
        description: dict[str, Any] = client.describe_table(TableName=name)["Table"]
        indexes = description.get("GlobalSecondaryIndexes") or []
        states = {description["TableStatus"], *(index.get("IndexStatus", "ACTIVE") for index in indexes)}
        if states == {"ACTIVE"}:
            return description
        time.sleep(_POLL_SECONDS)
    raise ResourceError(f"the table {name} does not become active")


def _made(description: Mapping[str, Any]) -> Made:
    attributes = {"Arn": description["TableArn"]}
    if stream := description.get("LatestStreamArn"):
        attributes["StreamArn"] = stream
    return Made(description["TableName"], attributes)
