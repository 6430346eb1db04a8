"""AWS::SNS::Topic, Subscription and TopicPolicy, made in the neighbour that holds the topics.

The neighbour delivers to queues and to http addresses; a subscription of any other kind would never be called, and is refused.
AWS: CloudFormation Template Reference, "Amazon SNS resource type reference"; SNS API Reference, "SetTopicAttributes".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from tidegate.deploy.intrinsics import UNKNOWN, text
from tidegate.deploy.resources.base import Context, Made, Props, Provider, ResourceError, Table, gone_is_fine, undone_by
from tidegate.deploy.resources.neighbour import InNeighbour, Tagging, document, listed, policy_text, tags_of, there
from tidegate.deploy.resources.shapes import call

_TOPIC_DEFAULTS: Final[Mapping[str, str]] = {"ContentBasedDeduplication": "false", "DisplayName": ""}
_SUBSCRIPTION_DEFAULTS: Final[Mapping[str, str]] = {
    "FilterPolicy": "{}",
    "FilterPolicyScope": "MessageAttributes",
    "RawMessageDelivery": "false",
}
_DELIVERED = ("http", "https", "sqs")
_OWN_POLICY = "__default_policy_ID"
_OWN_ACTIONS = ("AddPermission", "DeleteTopic", "GetTopicAttributes", "ListSubscriptionsByTopic", "Publish")
_OWN_ACTIONS_TOO = ("RemovePermission", "SetTopicAttributes", "Subscribe")


class Topic(InNeighbour):
    """Ref gives the topic's ARN."""

    type = "AWS::SNS::Topic"
    service = "sns"
    limit = 256
    attributes = frozenset({"TopicArn", "TopicName"})
    tagging = Tagging(target="ResourceArn", attribute=None)
    table = Table(
        handled=frozenset({"DisplayName", "FifoTopic", "Subscription", "Tags", "TopicName"}),
        reported={
            "ContentBasedDeduplication": "has no effect; what is published twice is delivered twice",
            "DataProtectionPolicy": "has no effect; no message is looked into",
            "DeliveryStatusLogging": "has no effect",
            "FifoThroughputScope": "has no effect; there is no limit",
            "KmsMasterKeyId": "has no effect; nothing is encrypted at rest",
            "SignatureVersion": "has no effect; messages are signed as in version 2",
            "TracingConfig": "has no effect",
        },
        refused={
            "ArchivePolicy": "topics keep no messages",
            "MaximumMessageSize": "is not supported",
        },
        replacing=frozenset({"FifoTopic", "TopicName"}),
        name="TopicName",
        harmless={"SignatureVersion": ("2", 2), "TracingConfig": ("PassThrough",)},
    )

    def check(self, properties: Props, named: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
        subscriptions = properties.get("Subscription")
        for index, given in enumerate(subscriptions if isinstance(subscriptions, list) else []):
            if reason := _undelivered(given):
                yield f"Subscription[{index}].Protocol", reason

    def create(self, properties: Props, context: Context) -> Made:
        client, name = context.clients(self.service), self.named(properties, context)
        arn = f"arn:aws:sns:{context.target.region}:{context.target.account}:{name}"
        self.unclaimed(name, arn, client)
        attributes = _texts(properties, _TOPIC_DEFAULTS) | ({"FifoTopic": "true"} if _is_fifo(properties) else {})
        tags = listed(client, "CreateTopic", "Tags", tags_of(properties))
        call(client, "CreateTopic", {"Name": name, "Attributes": attributes, "Tags": tags})
        with undone_by(lambda: client.delete_topic(TopicArn=arn)):
            for given in _subscriptions(properties):
                _subscribe(arn, given, context)
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client, arn = context.clients(self.service), made.physical_id
        for name, value in _changes(properties, old, _TOPIC_DEFAULTS):
            client.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
        wanted, before = _subscriptions(properties), _subscriptions(old)
        gone = [given for given in before if given not in wanted]
        for present in _present(arn, client) if gone else ():
            if any(_is(given, present) for given in gone):
                client.unsubscribe(SubscriptionArn=present["SubscriptionArn"])
        for given in wanted:
            if given not in before:
                _subscribe(arn, given, context)
        self.retag(made, properties, old, client)
        return made

    def named(self, properties: Props, context: Context) -> str:
        if properties.get("TopicName") or not _is_fifo(properties):
            return super().named(properties, context)
        return f"{context.name(self.limit - len('.fifo'))}.fifo"

    def look(self, physical_id: str, client: Any) -> Any:
        return client.get_topic_attributes(TopicArn=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        for present in _present(made.physical_id, client):
            client.unsubscribe(SubscriptionArn=present["SubscriptionArn"])
        client.delete_topic(TopicArn=made.physical_id)


class Subscription(InNeighbour):
    """Ref gives the subscription's ARN."""

    type = "AWS::SNS::Subscription"
    service = "sns"
    attributes = frozenset({"Arn"})
    table = Table(
        handled=frozenset({*_SUBSCRIPTION_DEFAULTS, "Endpoint", "Protocol", "Region", "TopicArn"}),
        reported={
            "DeliveryPolicy": "has no effect; a delivery that fails is not tried again",
            "RedrivePolicy": "has no effect; what cannot be delivered is lost",
        },
        refused={
            "ReplayPolicy": "topics keep no messages",
            "SubscriptionRoleArn": "belongs to delivery streams, which topics do not deliver to here",
        },
        required=frozenset({"Protocol", "TopicArn"}),
        replacing=frozenset({"Endpoint", "Protocol", "TopicArn"}),
    )

    def check(self, properties: Props, named: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
        if reason := _undelivered(properties):
            yield "Protocol", reason

    def create(self, properties: Props, context: Context) -> Made:
        region = properties.get("Region", context.target.region)
        if region != context.target.region:
            raise ResourceError(f"Region: topics of other regions ({region}) are not supported")
        arn = _subscribe(str(properties["TopicArn"]), properties, context)
        return Made(arn, {"Arn": arn})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        for name, value in _changes(properties, old, _SUBSCRIPTION_DEFAULTS):
            context.clients(self.service).set_subscription_attributes(
                SubscriptionArn=made.physical_id, AttributeName=name, AttributeValue=value
            )
        return made

    def look(self, physical_id: str, client: Any) -> Any:
        return client.get_subscription_attributes(SubscriptionArn=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        client.unsubscribe(SubscriptionArn=made.physical_id)


class TopicPolicy(Provider):
    """One policy for any number of topics. Ref gives a name that is made up."""

    type = "AWS::SNS::TopicPolicy"
    attributes = frozenset({"Id"})
    no_effect = "is kept and not enforced"
    table = Table(handled=frozenset({"PolicyDocument", "Topics"}), required=frozenset({"PolicyDocument", "Topics"}))

    def create(self, properties: Props, context: Context) -> Made:
        name = context.name(128)
        return self.update(Made(name, {"Id": name}), properties, {}, context)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        policy = policy_text(properties["PolicyDocument"])
        self._reset(set(old.get("Topics") or ()) - set(properties["Topics"]), context)
        for arn in properties["Topics"]:
            _set_policy(arn, policy, context)
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        self._reset(set(properties["Topics"]), context)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return all(self._has_policy(arn, context) for arn in properties["Topics"])

    def _has_policy(self, arn: str, context: Context) -> bool:
        answers: list[Mapping[str, Any]] = []
        found = there(lambda: answers.append(context.clients("sns").get_topic_attributes(TopicArn=arn)))
        return found and _OWN_POLICY not in answers[0]["Attributes"].get("Policy", _OWN_POLICY)

    def _reset(self, arns: set[str], context: Context) -> None:
        for arn in sorted(arns):
            with gone_is_fine("NotFound"):
                _set_policy(arn, _own_policy(arn, context.target.account), context)


def _set_policy(arn: str, policy: str, context: Context) -> None:
    context.clients("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)


def _own_policy(arn: str, account: str) -> str:
    """AWS: the policy that a topic has from the beginning; what is left of a policy that is removed."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in (*_OWN_ACTIONS, *_OWN_ACTIONS_TOO)],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": _OWN_POLICY, "Statement": [statement]})


def _subscriptions(properties: Props) -> list[Mapping[str, Any]]:
    return list(properties.get("Subscription") or [])


def _present(arn: str, client: Any) -> list[Mapping[str, Any]]:
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    return [subscription for page in pages for subscription in page["Subscriptions"]]


def _is(given: Mapping[str, Any], present: Mapping[str, Any]) -> bool:
    return bool(given["Protocol"] == present["Protocol"] and given["Endpoint"] == present["Endpoint"])


def _undelivered(given: Any) -> str | None:
    protocol = given.get("Protocol") if isinstance(given, Mapping) else UNKNOWN
    if protocol in (UNKNOWN, None, *_DELIVERED):
        return None
    what = "functions are not called by topics" if protocol == "lambda" else f"nothing is delivered by {protocol}"
    return f"{what} (topics deliver to sqs, http and https)"


def _subscribe(arn: str, given: Mapping[str, Any], context: Context) -> str:
    """Subscribe to a topic; returns the subscription's ARN."""
    if reason := _undelivered(given):
        raise ResourceError(f"Protocol: {reason}")
    if given["Protocol"] != "sqs":
        _reachable(str(given.get("Endpoint")), context)
    asked = {name: given[name] for name in ("Protocol", "Endpoint") if name in given}
    attributes = _texts(given, _SUBSCRIPTION_DEFAULTS)
    answer = call(
        context.clients("sns"),
        "Subscribe",
        {"TopicArn": arn, **asked, "Attributes": attributes, "ReturnSubscriptionArn": True},
    )
    return str(answer["SubscriptionArn"])


def _reachable(url: str, context: Context) -> None:
    host = urlsplit(url).hostname or ""
    if host.endswith(".amazonaws.com"):
        raise ResourceError(f"Endpoint: {host} is one of AWS's names, which only functions reach here")
    context.warn(f"Endpoint: {url} gets messages without a SubscriptionConfirmation and without x-amz-sns-* headers")


def _is_fifo(properties: Props) -> bool:
    return text(properties.get("FifoTopic", False)).lower() == "true"


def _texts(properties: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """Attributes are text: what is JSON becomes JSON."""
    given = {name: properties[name] for name in names if name in properties}
    return {name: document(value) if isinstance(value, Mapping) else text(value) for name, value in given.items()}


def _changes(properties: Props, old: Props, defaults: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Attributes that differ; one that is no longer given goes back to its default."""
    wanted, before = ({**defaults, **_texts(given, defaults)} for given in (properties, old))
    yield from ((name, value) for name, value in wanted.items() if value != before[name])
