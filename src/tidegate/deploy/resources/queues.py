"""AWS::SQS::Queue and AWS::SQS::QueuePolicy, made in the neighbour that holds the queues.

AWS: CloudFormation Template Reference, "Amazon SQS resource type reference"; SQS API Reference, "SetQueueAttributes".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import Context, Made, Props, Provider, Table, gone_is_fine
from tidegate.deploy.resources.neighbour import InNeighbour, Tagging, document, policy_text, tags_of, there
from tidegate.deploy.resources.shapes import call

_DEFAULTS: Final[Mapping[str, str]] = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "DelaySeconds": "0",
    "FifoThroughputLimit": "perQueue",
    "KmsDataKeyReusePeriodSeconds": "300",
    "KmsMasterKeyId": "",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
"""AWS: what an attribute is without being given; a property that leaves the template goes back to it."""
_NOT_ENCRYPTED = "has no effect; nothing is encrypted at rest"
_ABSENT = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")


class Queue(InNeighbour):
    """Ref gives the queue's URL."""

    type = "AWS::SQS::Queue"
    service = "sqs"
    attributes = frozenset({"Arn", "QueueName", "QueueUrl"})
    tagging = Tagging("TagQueue", "UntagQueue", "QueueUrl", None)
    table = Table(
        handled=frozenset(
            {
                *("ContentBasedDeduplication", "DelaySeconds", "FifoQueue", "FifoThroughputLimit"),
                *("MaximumMessageSize", "MessageRetentionPeriod", "QueueName", "ReceiveMessageWaitTimeSeconds"),
                *("RedrivePolicy", "Tags", "VisibilityTimeout"),
            }
        ),
        reported={
            "DeduplicationScope": "has no effect; messages are told apart in the whole queue",
            "KmsDataKeyReusePeriodSeconds": _NOT_ENCRYPTED,
            "KmsMasterKeyId": _NOT_ENCRYPTED,
            "RedriveAllowPolicy": "has no effect; any queue may use this one for its dead letters",
            "SqsManagedSseEnabled": _NOT_ENCRYPTED,
        },
        replacing=frozenset({"FifoQueue", "QueueName"}),
        name="QueueName",
        harmless={"DeduplicationScope": ("queue",)},
    )

    def create(self, properties: Props, context: Context) -> Made:
        client, name = context.clients(self.service), self.named(properties, context)
        self.unclaimed(name, name, client)
        attributes = _attributes(properties) | ({"FifoQueue": "true"} if _is_fifo(properties) else {})
        url = call(client, "CreateQueue", {"QueueName": name, "Attributes": attributes, "tags": tags_of(properties)})
        arn = f"arn:aws:sqs:{context.target.region}:{context.target.account}:{name}"
        return Made(url["QueueUrl"], {"Arn": arn, "QueueName": name, "QueueUrl": url["QueueUrl"]})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client = context.clients(self.service)
        wanted, before = _attributes(properties), _attributes(old)
        changed = {key: wanted.get(key, _DEFAULTS[key]) for key in wanted.keys() | before.keys()}
        changed = {key: value for key, value in changed.items() if before.get(key) != value}
        if changed:
            call(client, "SetQueueAttributes", {"QueueUrl": made.physical_id, "Attributes": changed})
        self.retag(made, properties, old, client)
        return made

    def named(self, properties: Props, context: Context) -> str:
        if properties.get("QueueName") or not _is_fifo(properties):
            return super().named(properties, context)
        return f"{context.name(self.limit - len('.fifo'))}.fifo"

    def look(self, physical_id: str, client: Any) -> Any:
        return client.get_queue_url(QueueName=physical_id.rpartition("/")[2])

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        client.delete_queue(QueueUrl=made.physical_id)


class QueuePolicy(Provider):
    """One policy for any number of queues. Ref gives a name that is made up."""

    type = "AWS::SQS::QueuePolicy"
    attributes = frozenset({"Id"})
    no_effect = "is kept and not enforced"
    table = Table(handled=frozenset({"PolicyDocument", "Queues"}), required=frozenset({"PolicyDocument", "Queues"}))

    def create(self, properties: Props, context: Context) -> Made:
        name = context.name(128)
        return self.update(Made(name, {"Id": name}), properties, {}, context)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        policy = policy_text(properties["PolicyDocument"])
        self._clear(set(old.get("Queues") or ()) - set(properties["Queues"]), context)
        for url in properties["Queues"]:
            context.clients("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        self._clear(set(properties["Queues"]), context)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return all(self._has_policy(url, context) for url in properties["Queues"])

    def _has_policy(self, url: str, context: Context) -> bool:
        answers: list[Mapping[str, Any]] = []
        asked = {"QueueUrl": url, "AttributeNames": ["Policy"]}
        found = there(lambda: answers.append(context.clients("sqs").get_queue_attributes(**asked)))
        return found and bool(answers[0].get("Attributes", {}).get("Policy"))

    def _clear(self, urls: set[str], context: Context) -> None:
        for url in sorted(urls):
            with gone_is_fine(*_ABSENT):
                context.clients("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})


def _is_fifo(properties: Props) -> bool:
    return text(properties.get("FifoQueue", False)).lower() == "true"


def _attributes(properties: Props) -> dict[str, str]:
    """Attributes are text: what is JSON becomes JSON."""
    given = {name: properties[name] for name in _DEFAULTS if name in properties}
    return {name: document(value) if isinstance(value, Mapping) else text(value) for name, value in given.items()}
