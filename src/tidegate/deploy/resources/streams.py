"""AWS::Kinesis::Stream, made in the neighbour that holds the streams.

AWS: CloudFormation Template Reference, "AWS::Kinesis::Stream"; Kinesis API Reference.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from tidegate.deploy.resources.base import Context, Made, Props, ResourceError, Table, undone_by
from tidegate.deploy.resources.neighbour import InNeighbour, Tagging
from tidegate.deploy.resources.shapes import call

_DAY = 24
"""AWS: hours for which records are kept without being said."""
_POLLS = 120
_POLL_SECONDS = 0.5
_PROVISIONED = {"StreamMode": "PROVISIONED"}


class Stream(InNeighbour):
    """Ref gives the name."""

    type = "AWS::Kinesis::Stream"
    service = "kinesis"
    limit = 128
    attributes = frozenset({"Arn"})
    tagging = Tagging("AddTagsToStream", "RemoveTagsFromStream", "StreamName", None)
    table = Table(
        handled=frozenset({"Name", "RetentionPeriodHours", "ShardCount", "StreamModeDetails", "Tags"}),
        reported={
            "DesiredShardLevelMetrics": "has no effect",
            "MaxRecordSizeInKiB": "has no effect",
            "RecordDistributionStrategy": "has no effect",
            "StreamEncryption": "has no effect; nothing is encrypted at rest",
            "WarmThroughputMiBps": "has no effect",
        },
        replacing=frozenset({"Name"}),
        name="Name",
        harmless={"MaxRecordSizeInKiB": (1024, "1024")},
    )

    def create(self, properties: Props, context: Context) -> Made:
        client, name = context.clients(self.service), self.named(properties, context)
        mode = properties.get("StreamModeDetails", _PROVISIONED)
        shards = {"ShardCount": properties.get("ShardCount", 1)} if mode == _PROVISIONED else {}
        call(client, "CreateStream", {"StreamName": name, "StreamModeDetails": mode, **shards})
        with undone_by(lambda: client.delete_stream(StreamName=name)):
            made = Made(name, {"Arn": _settled(name, client)["StreamARN"]})
            _keep(name, _hours(properties), _DAY, client)
            # The neighbour forgets tags that are given with CreateStream.
            self.retag(made, properties, {}, client)
        return made

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client, name = context.clients(self.service), made.physical_id
        mode = properties.get("StreamModeDetails", _PROVISIONED)
        if mode != old.get("StreamModeDetails", _PROVISIONED):
            asked = {"StreamARN": made.attributes["Arn"], "StreamModeDetails": mode}
            call(client, "UpdateStreamMode", asked)
            _settled(name, client)
        shards = int(properties.get("ShardCount", 1))
        if mode == _PROVISIONED and shards != _settled(name, client)["OpenShardCount"]:
            asked = {"StreamName": name, "TargetShardCount": shards, "ScalingType": "UNIFORM_SCALING"}
            call(client, "UpdateShardCount", asked)
            _settled(name, client)
        _keep(name, _hours(properties), _settled(name, client)["RetentionPeriodHours"], client)
        self.retag(made, properties, old, client)
        return made

    def look(self, physical_id: str, client: Any) -> Any:
        return client.describe_stream_summary(StreamName=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        client.delete_stream(StreamName=made.physical_id, EnforceConsumerDeletion=True)


def _hours(properties: Props) -> int:
    return int(properties.get("RetentionPeriodHours", _DAY))


def _keep(name: str, wanted: int, actual: int, client: Any) -> None:
    """Records are kept longer or shorter: two operations."""
    if wanted != actual:
        longer = "Increase" if wanted > actual else "Decrease"
        call(client, f"{longer}StreamRetentionPeriod", {"StreamName": name, "RetentionPeriodHours": wanted})


def _settled(name: str, client: Any) -> Mapping[str, Any]:
    """Wait until the stream is active; returns its description."""
    for _ in range(_POLLS):
        described: Mapping[str, Any] = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        if described["StreamStatus"] == "ACTIVE":
            return described
        time.sleep(_POLL_SECONDS)
    raise ResourceError(f"the stream {name} does not become active")
