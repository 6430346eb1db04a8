"""AWS::S3::Bucket and AWS::S3::BucketPolicy, made in the neighbour that holds the buckets.

The neighbour tells queues, topics and the event bus of new objects; it calls no function. It serves no websites, lets nothing
expire and enforces no policy, which is reported.
AWS: CloudFormation Template Reference, "Amazon S3 resource type reference"; S3 User Guide, "Bucket naming rules".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import Context, Made, Props, ResourceError, Table, undone_by
from tidegate.deploy.resources.neighbour import InNeighbour, policy_text, tags_of
from tidegate.deploy.resources.shapes import call

_NO_FUNCTIONS = "functions are not called by buckets (queues, topics and the event bus are told of new objects)"
_FIRST_REGION = "us-east-1"
_FORMS: Final[Mapping[str, str]] = {"Queue": "QueueConfigurations", "Topic": "TopicConfigurations"}


class Bucket(InNeighbour):
    """Ref gives the name."""

    type = "AWS::S3::Bucket"
    service = "s3"
    limit = 63
    attributes = frozenset({"Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"})
    table = Table(
        handled=frozenset({"BucketName", "NotificationConfiguration", "Tags", "VersioningConfiguration"}),
        reported={
            "AbacStatus": "has no effect",
            "AccelerateConfiguration": "has no effect",
            "AccessControl": "has no effect; whoever has credentials may read and write",
            "AnalyticsConfigurations": "has no effect",
            "BucketEncryption": "has no effect; nothing is encrypted at rest",
            "CorsConfiguration": "has no effect; every origin is let in",
            "IntelligentTieringConfigurations": "has no effect",
            "InventoryConfigurations": "has no effect",
            "LifecycleConfiguration": "has no effect; nothing expires",
            "LoggingConfiguration": "has no effect",
            "MetadataConfiguration": "has no effect",
            "MetadataTableConfiguration": "has no effect",
            "MetricsConfigurations": "has no effect",
            "OwnershipControls": "has no effect",
            "PublicAccessBlockConfiguration": "has no effect",
            "WebsiteConfiguration": "has no effect; there are no website endpoints",
        },
        refused={
            "BucketNamePrefix": "is not supported",
            "BucketNamespace": "is not supported",
            "ObjectLockConfiguration": "objects cannot be locked",
            "ObjectLockEnabled": "objects cannot be locked",
            "ReplicationConfiguration": "objects are not replicated",
        },
        replacing=frozenset({"BucketName", "BucketNamePrefix", "BucketNamespace"}),
        name="BucketName",
        harmless={"AccessControl": ("Private",)},
    )

    def check(self, properties: Props, named: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
        notifications = properties.get("NotificationConfiguration")
        if isinstance(notifications, Mapping) and notifications.get("LambdaConfigurations"):
            yield "NotificationConfiguration.LambdaConfigurations", _NO_FUNCTIONS

    def create(self, properties: Props, context: Context) -> Made:
        client, name, region = context.clients(self.service), self.named(properties, context), context.target.region
        self.unclaimed(name, name, client)
        place = {} if region == _FIRST_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        client.create_bucket(Bucket=name, **place)
        with undone_by(lambda: client.delete_bucket(Bucket=name)):
            self._settle(name, properties, {}, client)
        return Made(name, _addresses(name, region))

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        self._settle(made.physical_id, properties, old, context.clients(self.service))
        return made

    def named(self, properties: Props, context: Context) -> str:
        # AWS: letters of a bucket's name are small.
        given = properties.get("BucketName")
        return text(given) if given else context.name(self.limit).lower()

    def look(self, physical_id: str, client: Any) -> Any:
        return client.head_bucket(Bucket=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        """AWS: only an empty bucket can be deleted."""
        client.delete_bucket(Bucket=made.physical_id)

    def _settle(self, name: str, new: Props, old: Props, client: Any) -> None:
        if new.get("VersioningConfiguration") != old.get("VersioningConfiguration"):
            # AWS: versioning that was on is never off again, only suspended.
            versioning = new.get("VersioningConfiguration") or {"Status": "Suspended"}
            call(client, "PutBucketVersioning", {"Bucket": name, "VersioningConfiguration": versioning})
        if new.get("NotificationConfiguration") != old.get("NotificationConfiguration"):
            told = _notifications(new.get("NotificationConfiguration") or {})
            asked = {"Bucket": name, "NotificationConfiguration": told}
            call(client, "PutBucketNotificationConfiguration", asked)
        self._label(name, tags_of(new), tags_of(old), client)

    def _label(self, name: str, wanted: Mapping[str, str], before: Mapping[str, str], client: Any) -> None:
        if wanted == before:
            return
        if wanted:
            tags = [{"Key": key, "Value": value} for key, value in wanted.items()]
            client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        else:
            client.delete_bucket_tagging(Bucket=name)


class BucketPolicy(InNeighbour):
    """Ref gives the bucket's name."""

    type = "AWS::S3::BucketPolicy"
    service = "s3"
    no_effect = "is kept and not enforced"
    table = Table(
        handled=frozenset({"Bucket", "PolicyDocument"}),
        required=frozenset({"Bucket", "PolicyDocument"}),
        replacing=frozenset({"Bucket"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        return self.update(Made(str(properties["Bucket"])), properties, {}, context)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        policy = policy_text(properties["PolicyDocument"])
        context.clients(self.service).put_bucket_policy(Bucket=made.physical_id, Policy=policy)
        return made

    def look(self, physical_id: str, client: Any) -> Any:
        return client.get_bucket_policy(Bucket=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        client.delete_bucket_policy(Bucket=made.physical_id)


def _addresses(name: str, region: str) -> dict[str, str]:
    """AWS: S3 User Guide, "Virtual hosting of buckets", "Website endpoints"."""
    return {
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "DualStackDomainName": f"{name}.s3.dualstack.{region}.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        "WebsiteURL": f"http://{name}.s3-website-{region}.amazonaws.com",
    }


def _notifications(given: Mapping[str, Any]) -> dict[str, Any]:
    """CloudFormation's notifications as the API takes them: one event each there, a list here. Raises ResourceError."""
    if given.get("LambdaConfigurations"):
        raise ResourceError(f"NotificationConfiguration.LambdaConfigurations: {_NO_FUNCTIONS}")
    told: dict[str, Any] = {}
    for target, form in _FORMS.items():
        if entries := given.get(form):
            told[form] = [_notification(entry, target) for entry in entries]
    bus = given.get("EventBridgeConfiguration")
    # AWS: EventBridgeEnabled is true without being said.
    if bus is not None and text(bus.get("EventBridgeEnabled", True)).lower() == "true":
        told["EventBridgeConfiguration"] = {}
    return told


def _notification(entry: Mapping[str, Any], target: str) -> dict[str, Any]:
    told = {f"{target}Arn": entry[target], "Events": [entry["Event"]]}
    if rules := entry.get("Filter"):
        told["Filter"] = {"Key": {"FilterRules": rules["S3Key"]["Rules"]}}
    return told
