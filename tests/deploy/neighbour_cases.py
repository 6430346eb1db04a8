"""For every type that is made in a neighbour: how one is made, changed and replaced, what boto3 then shows, what Ref and
Fn::GetAtt give."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ACCOUNT = "us-east-1:000000000000"
SERVICES = ("Events", "KMS", "Kinesis", "S3", "SNS", "SQS", "SSM", "SecretsManager", "StepFunctions")
ROLE = "arn:aws:iam::000000000000:role/states"
POLICY = "{Version: '2012-10-17', Statement: [{Effect: Allow, Principal: '*', Action: '%s', Resource: '*'}]}"
PASS = "{StartAt: A, States: {A: {Type: Pass, Result: '%s', End: true}}}"

Outputs = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """`first`, `second`, `third`: properties, of which the third replace the resource."""

    type: str
    service: str
    read: Callable[[Any, Outputs], Mapping[str, Any]]
    """What boto3 shows; fails where there is nothing."""
    drop: Callable[[Any, Outputs], Any]
    """Removes it behind the stack's back."""
    first: str
    made: Mapping[str, Any]
    second: str
    changed: Mapping[str, Any]
    third: str | None
    """None: no property replaces it."""
    ref: str
    """A regular expression."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Those that differ from Ref, as regular expressions."""
    more: str = ""
    restored: Mapping[str, Any] | None = None
    """What boto3 shows of one that was made again; None: the same as of one that was changed."""
    """Other resources that it needs."""


def queue(client: Any, out: Outputs) -> dict[str, Any]:
    shown = client.get_queue_attributes(QueueUrl=out["Ref"], AttributeNames=["All"])["Attributes"]
    return {**shown, "tags": client.list_queue_tags(QueueUrl=out["Ref"]).get("Tags", {})}


def policy_of(client: Any, url: str) -> dict[str, Any]:
    shown = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    return {"action": json.loads(shown["Attributes"]["Policy"])["Statement"][0]["Action"]}


def topic(client: Any, out: Outputs) -> dict[str, Any]:
    shown = client.get_topic_attributes(TopicArn=out["Ref"])["Attributes"]
    subscriptions = client.list_subscriptions_by_topic(TopicArn=out["Ref"])["Subscriptions"]
    tags = client.list_tags_for_resource(ResourceArn=out["Ref"])["Tags"]
    return {**shown, "endpoints": sorted(s["Endpoint"].rpartition(":")[2] for s in subscriptions), "tags": tags}


def topic_policy(client: Any, out: Outputs) -> dict[str, Any]:
    policy = json.loads(client.get_topic_attributes(TopicArn=out["Needed"])["Attributes"]["Policy"])
    assert policy.get("Id") != "__default_policy_ID"
    return {"action": policy["Statement"][0]["Action"]}


def bucket(client: Any, out: Outputs) -> dict[str, Any]:
    client.head_bucket(Bucket=out["Ref"])
    told = client.get_bucket_notification_configuration(Bucket=out["Ref"])
    tags = client.get_bucket_tagging(Bucket=out["Ref"])["TagSet"]
    return {
        "versioning": client.get_bucket_versioning(Bucket=out["Ref"]).get("Status"),
        "queues": [(q["Events"], q.get("Filter")) for q in told.get("QueueConfigurations", [])],
        "tags": tags,
    }


def parameter(client: Any, out: Outputs) -> dict[str, Any]:
    tags = client.list_tags_for_resource(ResourceType="Parameter", ResourceId=out["Ref"])["TagList"]
    described = client.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": [out["Ref"]]}])
    return {**client.get_parameter(Name=out["Ref"])["Parameter"], **described["Parameters"][0], "tags": tags}


def stream(client: Any, out: Outputs) -> dict[str, Any]:
    tags = client.list_tags_for_stream(StreamName=out["Ref"])["Tags"]
    return {**client.describe_stream_summary(StreamName=out["Ref"])["StreamDescriptionSummary"], "tags": tags}


def machine(client: Any, out: Outputs) -> dict[str, Any]:
    shown = client.describe_state_machine(stateMachineArn=out["Ref"])
    tags = client.list_tags_for_resource(resourceArn=out["Ref"])["tags"]
    return {"type": shown["type"], "result": json.loads(shown["definition"])["States"]["A"]["Result"], "tags": tags}


def bus(client: Any, out: Outputs) -> dict[str, Any]:
    shown = client.describe_event_bus(Name=out["Ref"])
    return {**shown, "tags": client.list_tags_for_resource(ResourceARN=shown["Arn"])["Tags"]}


def rule(client: Any, out: Outputs) -> dict[str, Any]:
    name, _, where = out["Ref"].rpartition("|")[::-1]
    at = {"EventBusName": where} if where else {}
    shown = client.describe_rule(Name=name, **at)
    targets = client.list_targets_by_rule(Rule=name, **at)["Targets"]
    return {**shown, "pattern": json.loads(shown["EventPattern"]), "targets": sorted(t["Id"] for t in targets)}


def drop_rule(client: Any, out: Outputs) -> None:
    client.remove_targets(Rule=out["Ref"], Ids=rule(client, out)["targets"])
    client.delete_rule(Name=out["Ref"])


def secret(client: Any, out: Outputs) -> dict[str, Any]:
    shown = client.describe_secret(SecretId=out["Ref"])
    return {**shown, **client.get_secret_value(SecretId=out["Ref"])}


def key(client: Any, out: Outputs) -> dict[str, Any]:
    shown = client.describe_key(KeyId=out["Ref"])["KeyMetadata"]
    assert shown["KeyState"] != "PendingDeletion"
    rotates = client.get_key_rotation_status(KeyId=out["Ref"])["KeyRotationEnabled"]
    policy = json.loads(client.get_key_policy(KeyId=out["Ref"], PolicyName="default")["Policy"])
    tags = client.list_resource_tags(KeyId=out["Ref"])["Tags"]
    return {**shown, "rotates": rotates, "action": policy["Statement"][0]["Action"], "tags": tags}


NEEDED_QUEUE = "  Needed: {Type: AWS::SQS::Queue}\n"
NEEDED_TOPIC = "  Needed: {Type: AWS::SNS::Topic}\n"
RULE = "{Name: orders, EventPattern: {source: [%s]}, Targets: [{Id: %s, Arn: !GetAtt Needed.Arn}]}"

CASES = [
    Case(
        type="AWS::SQS::Queue",
        service="sqs",
        read=queue,
        drop=lambda client, out: client.delete_queue(QueueUrl=out["Ref"]),
        first="{QueueName: jobs, VisibilityTimeout: 45, DelaySeconds: 2, Tags: [{Key: a, Value: b}], "
        "RedrivePolicy: {deadLetterTargetArn: !GetAtt Needed.Arn, maxReceiveCount: 3}}",
        made={"VisibilityTimeout": "45", "DelaySeconds": "2", "tags": {"a": "b"}},
        second="{QueueName: jobs, VisibilityTimeout: 20, Tags: [{Key: c, Value: d}]}",
        changed={"VisibilityTimeout": "20", "DelaySeconds": "0", "tags": {"c": "d"}},
        third="{QueueName: chores}",
        ref=r"http://127\.0\.0\.1:\d+/000000000000/(jobs|chores)",
        attributes={
            "Arn": rf"arn:aws:sqs:{ACCOUNT}:(jobs|chores)",
            "QueueName": "jobs|chores",
        },
        more=NEEDED_QUEUE,
    ),
    Case(
        type="AWS::SQS::QueuePolicy",
        service="sqs",
        read=lambda client, out: policy_of(client, out["Needed"]),
        drop=lambda client, out: client.set_queue_attributes(QueueUrl=out["Needed"], Attributes={"Policy": ""}),
        first=f"{{Queues: [!Ref Needed], PolicyDocument: {POLICY % 'sqs:SendMessage'}}}",
        made={"action": "sqs:SendMessage"},
        second=f"{{Queues: [!Ref Needed], PolicyDocument: {POLICY % 'sqs:ReceiveMessage'}}}",
        changed={"action": "sqs:ReceiveMessage"},
        third=None,
        ref=".+-It-[0-9A-Z]{12}",
        more=NEEDED_QUEUE,
    ),
    Case(
        type="AWS::SNS::Topic",
        service="sns",
        read=topic,
        drop=lambda client, out: client.delete_topic(TopicArn=out["Ref"]),
        first="{DisplayName: News, Subscription: [{Protocol: sqs, Endpoint: 'arn:aws:sqs:us-east-1:000000000000:a'}, "
        "{Protocol: sqs, Endpoint: 'arn:aws:sqs:us-east-1:000000000000:b'}], Tags: [{Key: a, Value: b}]}",
        made={"DisplayName": "News", "endpoints": ["a", "b"], "tags": [{"Key": "a", "Value": "b"}]},
        second="{Subscription: [{Protocol: sqs, Endpoint: 'arn:aws:sqs:us-east-1:000000000000:b'}, "
        "{Protocol: sqs, Endpoint: 'arn:aws:sqs:us-east-1:000000000000:c'}]}",
        changed={"DisplayName": "", "endpoints": ["b", "c"], "tags": []},
        third="{TopicName: renamed}",
        ref=rf"arn:aws:sns:{ACCOUNT}:(.+-It-[0-9A-Z]{{12}}|renamed)",
        attributes={"TopicName": ".+-It-[0-9A-Z]{12}|renamed"},
    ),
    Case(
        type="AWS::SNS::Subscription",
        service="sns",
        read=lambda client, out: client.get_subscription_attributes(SubscriptionArn=out["Ref"])["Attributes"],
        drop=lambda client, out: client.unsubscribe(SubscriptionArn=out["Ref"]),
        first="{TopicArn: !Ref Needed, Protocol: sqs, Endpoint: 'arn:aws:sqs:us-east-1:000000000000:a', "
        "RawMessageDelivery: true, FilterPolicy: {kind: [order]}, FilterPolicyScope: MessageBody}",
        made={
            "RawMessageDelivery": "true",
            "FilterPolicy": '{"kind": ["order"]}',
            "FilterPolicyScope": "MessageBody",
        },
        second="{TopicArn: !Ref Needed, Protocol: sqs, Endpoint: 'arn:aws:sqs:us-east-1:000000000000:a'}",
        changed={"RawMessageDelivery": "false", "FilterPolicy": "{}", "FilterPolicyScope": "MessageAttributes"},
        restored={"RawMessageDelivery": "false"},
        third="{TopicArn: !Ref Needed, Protocol: sqs, Endpoint: 'arn:aws:sqs:us-east-1:000000000000:b'}",
        ref=rf"arn:aws:sns:{ACCOUNT}:.+-Needed-[0-9A-Z]{{12}}:[0-9a-f-]{{36}}",
        more=NEEDED_TOPIC,
    ),
    Case(
        type="AWS::SNS::TopicPolicy",
        service="sns",
        read=topic_policy,
        drop=lambda client, out: client.set_topic_attributes(
            TopicArn=out["Needed"], AttributeName="Policy", AttributeValue='{"Id": "__default_policy_ID"}'
        ),
        first=f"{{Topics: [!Ref Needed], PolicyDocument: {POLICY % 'sns:Publish'}}}",
        made={"action": "sns:Publish"},
        second=f"{{Topics: [!Ref Needed], PolicyDocument: {POLICY % 'sns:Subscribe'}}}",
        changed={"action": "sns:Subscribe"},
        third=None,
        ref=".+-It-[0-9A-Z]{12}",
        more=NEEDED_TOPIC,
    ),
    Case(
        type="AWS::S3::Bucket",
        service="s3",
        read=bucket,
        drop=lambda client, out: client.delete_bucket(Bucket=out["Ref"]),
        first="{VersioningConfiguration: {Status: Enabled}, Tags: [{Key: a, Value: b}], NotificationConfiguration: "
        "{QueueConfigurations: [{Event: 's3:ObjectCreated:*', Queue: !GetAtt Needed.Arn, "
        "Filter: {S3Key: {Rules: [{Name: suffix, Value: .txt}]}}}]}}",
        made={
            "versioning": "Enabled",
            "queues": [(["s3:ObjectCreated:*"], {"Key": {"FilterRules": [{"Name": "suffix", "Value": ".txt"}]}})],
            "tags": [{"Key": "a", "Value": "b"}],
        },
        second="{Tags: [{Key: c, Value: d}], NotificationConfiguration: {}}",
        changed={"versioning": "Suspended", "queues": [], "tags": [{"Key": "c", "Value": "d"}]},
        restored={"versioning": None},
        third="{BucketName: renamed-bucket, Tags: [{Key: c, Value: d}]}",
        ref=".+-it-[0-9a-z]{12}|renamed-bucket",
        attributes={
            "Arn": "arn:aws:s3:::[a-z0-9-]+",
            "DomainName": r"[a-z0-9-]+\.s3\.amazonaws\.com",
            "DualStackDomainName": r"[a-z0-9-]+\.s3\.dualstack\.us-east-1\.amazonaws\.com",
            "RegionalDomainName": r"[a-z0-9-]+\.s3\.us-east-1\.amazonaws\.com",
            "WebsiteURL": r"http://[a-z0-9-]+\.s3-website-us-east-1\.amazonaws\.com",
        },
        more=NEEDED_QUEUE,
    ),
    Case(
        type="AWS::S3::BucketPolicy",
        service="s3",
        read=lambda client, out: {
            "action": json.loads(client.get_bucket_policy(Bucket=out["Needed"])["Policy"])["Statement"][0]["Action"]
        },
        drop=lambda client, out: client.delete_bucket_policy(Bucket=out["Needed"]),
        first=f"{{Bucket: !Ref Needed, PolicyDocument: {POLICY % 's3:GetObject'}}}",
        made={"action": "s3:GetObject"},
        second=f"{{Bucket: !Ref Needed, PolicyDocument: {POLICY % 's3:PutObject'}}}",
        changed={"action": "s3:PutObject"},
        third=None,
        ref=".+-needed-[0-9a-z]{12}",
        more="  Needed: {Type: AWS::S3::Bucket}\n",
    ),
    Case(
        type="AWS::SSM::Parameter",
        service="ssm",
        read=parameter,
        drop=lambda client, out: client.delete_parameter(Name=out["Ref"]),
        first="{Name: /shop/limit, Type: String, Value: 10, Description: a limit, AllowedPattern: '^[0-9]+$', Tags: {a: b}}",
        made={"Value": "10", "Type": "String", "Description": "a limit", "tags": [{"Key": "a", "Value": "b"}]},
        second="{Name: /shop/limit, Type: String, Value: 20, Tags: {c: d}}",
        changed={"Value": "20", "Description": None, "tags": [{"Key": "c", "Value": "d"}]},
        third="{Name: /shop/most, Type: StringList, Value: 'a,b'}",
        ref="/shop/(limit|most)",
        attributes={
            "Arn": rf"arn:aws:ssm:{ACCOUNT}:parameter/shop/(limit|most)",
            "Type": "String|StringList",
            "Value": "10|20|a,b",
        },
    ),
    Case(
        type="AWS::Kinesis::Stream",
        service="kinesis",
        read=stream,
        drop=lambda client, out: client.delete_stream(StreamName=out["Ref"]),
        first="{ShardCount: 1, RetentionPeriodHours: 48, Tags: [{Key: a, Value: b}]}",
        made={"OpenShardCount": 1, "RetentionPeriodHours": 48, "tags": [{"Key": "a", "Value": "b"}]},
        second="{ShardCount: '2', Tags: [{Key: c, Value: d}]}",
        changed={"OpenShardCount": 2, "RetentionPeriodHours": 24, "tags": [{"Key": "c", "Value": "d"}]},
        third="{Name: renamed, StreamModeDetails: {StreamMode: ON_DEMAND}}",
        ref=".+-It-[0-9A-Z]{12}|renamed",
        attributes={"Arn": rf"arn:aws:kinesis:{ACCOUNT}:stream/.+"},
    ),
    Case(
        type="AWS::StepFunctions::StateMachine",
        service="stepfunctions",
        read=machine,
        drop=lambda client, out: client.delete_state_machine(stateMachineArn=out["Ref"]),
        first=f"{{RoleArn: {ROLE}, Definition: {PASS % 'hello ${Who}'}, DefinitionSubstitutions: {{Who: world}}, "
        "Tags: [{Key: a, Value: b}]}",
        made={"type": "STANDARD", "result": "hello world", "tags": [{"key": "a", "value": "b"}]},
        second=f'{{RoleArn: {ROLE}, DefinitionString: \'{{"StartAt": "A", "States": {{"A": {{"Type": "Pass", '
        '"Result": "bye", "End": true}}}\'}',
        changed={"result": "bye", "tags": []},
        third=f"{{RoleArn: {ROLE}, StateMachineType: EXPRESS, Definition: {PASS % 'quick'}}}",
        ref=rf"arn:aws:states:{ACCOUNT}:stateMachine:.+-It-[0-9A-Z]{{12}}",
        attributes={"Name": ".+-It-[0-9A-Z]{12}", "StateMachineRevisionId": "INITIAL|[0-9a-f-]+"},
    ),
    Case(
        type="AWS::Events::EventBus",
        service="events",
        read=bus,
        drop=lambda client, out: client.delete_event_bus(Name=out["Ref"]),
        first="{Name: shop, Tags: [{Key: a, Value: b}]}",
        made={"Name": "shop", "tags": [{"Key": "a", "Value": "b"}]},
        second="{Name: shop, Tags: [{Key: c, Value: d}]}",
        changed={"tags": [{"Key": "c", "Value": "d"}]},
        third="{Name: warehouse}",
        ref="shop|warehouse",
        attributes={"Arn": rf"arn:aws:events:{ACCOUNT}:event-bus/(shop|warehouse)"},
    ),
    Case(
        type="AWS::Events::Rule",
        service="events",
        read=rule,
        drop=drop_rule,
        first=RULE % ("orders", "a"),
        made={"pattern": {"source": ["orders"]}, "targets": ["a"], "State": "ENABLED"},
        second=RULE % ("returns", "b"),
        changed={"pattern": {"source": ["returns"]}, "targets": ["b"]},
        third="{EventPattern: {source: [s]}, State: DISABLED}",
        ref="orders|.+-It-[0-9A-Z]{12}",
        attributes={"Arn": rf"arn:aws:events:{ACCOUNT}:rule/.+"},
        more=NEEDED_QUEUE,
    ),
    Case(
        type="AWS::SecretsManager::Secret",
        service="secretsmanager",
        read=secret,
        drop=lambda client, out: client.delete_secret(SecretId=out["Ref"], ForceDeleteWithoutRecovery=True),
        first="{SecretString: first, Description: a secret, Tags: [{Key: a, Value: b}]}",
        made={"SecretString": "first", "Description": "a secret", "Tags": [{"Key": "a", "Value": "b"}]},
        second="{SecretString: second, Description: another, Tags: [{Key: c, Value: d}]}",
        changed={"SecretString": "second", "Description": "another", "Tags": [{"Key": "c", "Value": "d"}]},
        third="{Name: renamed, SecretString: third}",
        ref=rf"arn:aws:secretsmanager:{ACCOUNT}:secret:(.+-It-[0-9A-Z]{{12}}|renamed)-[A-Za-z0-9]{{6}}",
    ),
    Case(
        type="AWS::KMS::Key",
        service="kms",
        read=key,
        drop=lambda client, out: client.schedule_key_deletion(KeyId=out["Ref"], PendingWindowInDays=7),
        first=f"{{Description: first, EnableKeyRotation: true, KeyPolicy: {POLICY % 'kms:*'}, Tags: [{{Key: a, Value: b}}]}}",
        made={
            "Description": "first",
            "KeyState": "Enabled",
            "rotates": True,
            "action": "kms:*",
            "tags": [{"TagKey": "a", "TagValue": "b"}],
        },
        second=f"{{Description: second, Enabled: false, KeyPolicy: {POLICY % 'kms:Encrypt'}}}",
        changed={
            "Description": "second",
            "KeyState": "Disabled",
            "rotates": False,
            "action": "kms:Encrypt",
            "tags": [],
        },
        third=None,
        ref="[0-9a-f-]{36}",
        attributes={"Arn": rf"arn:aws:kms:{ACCOUNT}:key/[0-9a-f-]{{36}}"},
    ),
    Case(
        type="AWS::KMS::Alias",
        service="kms",
        read=lambda client, out: client.describe_key(KeyId=out["Ref"])["KeyMetadata"],
        drop=lambda client, out: client.delete_alias(AliasName=out["Ref"]),
        first="{AliasName: alias/shop, TargetKeyId: !Ref Needed}",
        made={"Description": "first"},
        second="{AliasName: alias/shop, TargetKeyId: !GetAtt Other.Arn}",
        changed={"Description": "other"},
        third="{AliasName: alias/store, TargetKeyId: !Ref Needed}",
        ref="alias/(shop|store)",
        more="  Needed: {Type: AWS::KMS::Key, Properties: {Description: first}}\n"
        "  Other: {Type: AWS::KMS::Key, Properties: {Description: other}}\n",
    ),
]
