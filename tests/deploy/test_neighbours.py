"""What stacks make in neighbours does what it says: messages and events arrive, secrets are made up, names of others are left
alone, and what would never happen is refused."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.deploy.conftest import LiveBench, failures
from tests.support.backend import Backend

QUEUE = "  Queue: {Type: AWS::SQS::Queue}\n"
OUT = "Outputs:\n  Url: {Value: !Ref Queue}\n"


def received(live: LiveBench, url: str) -> list[str]:
    """Everything in a queue, which is empty after that."""
    sqs, bodies = live.client("sqs"), []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(str(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(bodies)


def test_topics_reach_queues(live: LiveBench) -> None:
    template = f"""
Resources:
{QUEUE}
  Topic: {{Type: AWS::SNS::Topic}}
  All:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt Queue.Arn
      RawMessageDelivery: true
      FilterPolicy: {{kind: [order]}}
{OUT}  Topic: {{Value: !Ref Topic}}
"""
    outputs = live.deploy(template, "topics").outputs
    for kind in ("order", "parcel"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        live.client("sns").publish(TopicArn=outputs["Topic"], Message=kind, MessageAttributes=attributes)
    assert received(live, outputs["Url"]) == ["order"]
    live.deploy(template.replace("[order]", "[parcel, order]"), "topics")
    live.client("sns").publish(TopicArn=outputs["Topic"], Message="parcel", MessageAttributes=attributes)
    assert received(live, outputs["Url"]) == ["parcel"]
    live.remove("topics")


def test_topics_reach_http_addresses(live: LiveBench, backend: Backend) -> None:
    subscription = f"[{{Protocol: http, Endpoint: '{backend.url}/news'}}]"
    topic = f"{{Type: AWS::SNS::Topic, Properties: {{Subscription: {subscription}}}}}"
    outputs = live.deploy(f"Resources: {{Topic: {topic}}}\nOutputs: {{Topic: {{Value: !Ref Topic}}}}", "news").outputs
    assert any("gets messages without a SubscriptionConfirmation" in line for line in live.lines)
    live.client("sns").publish(TopicArn=outputs["Topic"], Message="hello")
    (told,) = backend.received
    assert (told.method, told.target, json.loads(told.body)["Message"]) == ("POST", "/news", "hello")
    live.remove("news")


def test_buckets_tell_of_new_objects(live: LiveBench) -> None:
    notification = "{QueueConfigurations: [{Event: 's3:ObjectCreated:*', Queue: !GetAtt Queue.Arn}]}"
    rule = "{EventPattern: {source: [aws.s3]}, Targets: [{Id: a, Arn: !GetAtt Queue.Arn}]}"
    template = f"""
Resources:
{QUEUE}
  Bucket: {{Type: AWS::S3::Bucket, Properties: {{NotificationConfiguration: {notification}}}}}
  Rule: {{Type: AWS::Events::Rule, Properties: {rule}}}
{OUT}  Bucket: {{Value: !Ref Bucket}}
"""
    outputs = live.deploy(template, "objects").outputs
    s3, bucket = live.client("s3"), outputs["Bucket"]
    received(live, outputs["Url"])  # AWS: the queue is told of the notification itself
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    (told,) = received(live, outputs["Url"])
    assert json.loads(told)["Records"][0]["eventName"] == "ObjectCreated:Put"

    live.deploy(template.replace(notification, "{EventBridgeConfiguration: {EventBridgeEnabled: true}}"), "objects")
    s3.put_object(Bucket=bucket, Key="b", Body=b"x")
    assert "Object Created" in {json.loads(told)["detail-type"] for told in received(live, outputs["Url"])}

    with pytest.raises(Exception, match="BucketNotEmpty"):
        live.remove("objects")
    for key in ("a", "b"):
        s3.delete_object(Bucket=bucket, Key=key)
    live.remove("objects")


RULES = f"""
Resources:
{QUEUE}
  Bus: {{Type: AWS::Events::EventBus, Properties: {{Name: shop}}}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !GetAtt Bus.Arn
      EventPattern: {{source: [orders]}}
      State: ENABLED
      Targets:
        - {{Id: whole, Arn: !GetAtt Queue.Arn}}
        - {{Id: part, Arn: !GetAtt Queue.Arn, InputPath: $.detail}}
        - {{Id: fixed, Arn: !GetAtt Queue.Arn, Input: '{{"said": "done"}}'}}
{OUT}  Rule: {{Value: !Ref Rule}}
"""


def test_rules_pass_events_on_to_queues(live: LiveBench) -> None:
    outputs = live.deploy(RULES, "rules").outputs
    assert re.fullmatch(r"shop\|rules-Rule-[0-9A-Z]{12}", outputs["Rule"])
    event = {"Source": "orders", "DetailType": "placed", "Detail": '{"number": 7}', "EventBusName": "shop"}
    live.client("events").put_events(Entries=[event, {**event, "Source": "others"}])
    fixed, part, whole = sorted((json.loads(body) for body in received(live, outputs["Url"])), key=len_of)
    assert (fixed, part, whole["detail"]) == ({"said": "done"}, {"number": 7}, {"number": 7})

    live.deploy(RULES.replace("ENABLED", "DISABLED"), "rules")
    assert "warning: Rule.Targets: are left out while the rule is disabled" in "\n".join(live.lines)
    live.client("events").put_events(Entries=[event])
    assert received(live, outputs["Url"]) == []
    live.remove("rules")


def len_of(body: dict[str, Any]) -> tuple[int, str]:
    return len(body), str("number" in body)


def test_first_in_first_out(live: LiveBench) -> None:
    template = """
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {FifoQueue: true, ContentBasedDeduplication: true}}
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      FifoTopic: true
      ContentBasedDeduplication: true
      Subscription: [{Protocol: sqs, Endpoint: !GetAtt Queue.Arn}]
Outputs:
  Url: {Value: !Ref Queue}
  Topic: {Value: !Ref Topic}
"""
    outputs = live.deploy(template, "fifo").outputs
    assert outputs["Url"].endswith(".fifo")
    assert "warning: Topic.ContentBasedDeduplication: has no effect" in "\n".join(live.lines)
    live.client("sns").publish(TopicArn=outputs["Topic"], Message="by topic", MessageGroupId="g")
    (told,) = received(live, outputs["Url"])
    assert json.loads(told)["Message"] == "by topic"
    for _ in range(2):
        live.client("sqs").send_message(QueueUrl=outputs["Url"], MessageBody="once", MessageGroupId="g")
    assert received(live, outputs["Url"]) == ["once"]
    live.remove("fifo")


def test_secrets_are_made_up(live: LiveBench) -> None:
    rules = "PasswordLength: 20, ExcludePunctuation: true"
    member = 'SecretStringTemplate: \'{"user": "me"}\', GenerateStringKey: password'
    template = f"""
Resources:
  Plain: {{Type: AWS::SecretsManager::Secret, Properties: {{GenerateSecretString: {{{rules}}}}}}}
  Member: {{Type: AWS::SecretsManager::Secret, Properties: {{GenerateSecretString: {{{rules}, {member}}}}}}}
  Any: {{Type: AWS::SecretsManager::Secret}}
Outputs: {{Plain: {{Value: !Ref Plain}}, Member: {{Value: !GetAtt Member.Id}}, Any: {{Value: !Ref Any}}}}
"""
    outputs = live.deploy(template, "secrets").outputs

    def content(name: str) -> str:
        return str(live.client("secretsmanager").get_secret_value(SecretId=outputs[name])["SecretString"])

    assert re.fullmatch("[A-Za-z0-9]{20}", first := content("Plain"))
    made = json.loads(content("Member"))
    assert (made["user"], len(made["password"]), len(content("Any"))) == ("me", 20, 32)
    live.deploy(template.replace("20", "24"), "secrets")
    assert re.fullmatch("[A-Za-z0-9]{24}", second := content("Plain"))
    assert first != second[:20]
    live.remove("secrets")


@pytest.mark.parametrize(
    ("service", "make", "resource"),
    [
        ("sqs", ("create_queue", {"QueueName": "taken"}), "SQS::Queue, Properties: {QueueName: taken}"),
        ("sns", ("create_topic", {"Name": "taken"}), "SNS::Topic, Properties: {TopicName: taken}"),
        ("s3", ("create_bucket", {"Bucket": "taken"}), "S3::Bucket, Properties: {BucketName: taken}"),
        ("events", ("create_event_bus", {"Name": "taken"}), "Events::EventBus, Properties: {Name: taken}"),
        (
            "ssm",
            ("put_parameter", {"Name": "taken", "Value": "x", "Type": "String"}),
            "SSM::Parameter, Properties: {Name: taken, Value: y, Type: String}",
        ),
    ],
)
def test_what_others_made_is_not_taken_over(
    live: LiveBench, service: str, make: tuple[str, dict[str, Any]], resource: str
) -> None:
    operation, arguments = make
    getattr(live.client(service), operation)(**arguments)
    (failure,) = failures(live, f"Resources: {{It: {{Type: AWS::{resource}}}}}", f"taken-{service}")
    assert re.search("already exists", failure)
    (again,) = failures(live, f"Resources: {{It: {{Type: AWS::{resource}}}}}", f"taken-{service}")
    assert again == failure, "the rollback has not removed it"


REFUSED = """
Resources:
  Function: {Type: AWS::Lambda::Function, Properties: {Role: r, Runtime: python3.11, Handler: i.h, Code: {ZipFile: x}}}
  Topic: {Type: AWS::SNS::Topic, Properties: {Subscription: [{Protocol: email, Endpoint: a@b.c}]}}
  Call: {Type: AWS::SNS::Subscription, Properties: {TopicArn: !Ref Topic, Protocol: lambda, Endpoint: !GetAtt Function.Arn}}
  Tick: {Type: AWS::Events::Rule, Properties: {ScheduleExpression: rate(1 minute)}}
  Aim: {Type: AWS::Events::Rule, Properties: {EventPattern: {source: [s]}, Targets: [{Id: a, Arn: !GetAtt Function.Arn}]}}
  Task:
    Type: AWS::Events::Rule
    Properties: {EventPattern: {source: [s]}, Targets: [{Id: a, Arn: arn:aws:ecs:x, EcsParameters: {}}]}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      ObjectLockEnabled: true
      NotificationConfiguration: {LambdaConfigurations: [{Event: 's3:ObjectCreated:*', Function: !GetAtt Function.Arn}]}
"""


def test_what_would_never_happen_is_refused_before_anything_is_made(live: LiveBench) -> None:
    only = "rules pass events on to queues and event buses only"
    buckets = "functions are not called by buckets (queues, topics and the event bus are told of new objects)"
    assert failures(live, REFUSED, "refused") == [
        "Topic.Subscription[0].Protocol: nothing is delivered by email (topics deliver to sqs, http and https)",
        "Call.Protocol: functions are not called by topics (topics deliver to sqs, http and https)",
        "Tick.ScheduleExpression: nothing happens on a schedule",
        f"Aim.Targets: AWS::Lambda::Function: {only}",
        f"Task.Targets[0].EcsParameters: is not supported; {only}",
        f"Task.Targets[0].Arn: arn:aws:ecs:x: {only}",
        "Bucket.ObjectLockEnabled: objects cannot be locked",
        f"Bucket.NotificationConfiguration.LambdaConfigurations: {buckets}",
    ]
    assert live.lines == []


@pytest.mark.parametrize(
    ("resource", "message"),
    [
        (
            "SSM::Parameter, Properties: {Type: SecureString, Value: x}",
            "Type: SecureString is not one of String, StringList",
        ),
        (
            "SSM::Parameter, Properties: {Type: String, Value: x, AllowedPattern: '^[0-9]+$'}",
            "Parameter value, x, cannot be",
        ),
        (
            "S3::BucketPolicy, Properties: {Bucket: none, PolicyDocument: {Version: x}}",
            "PolicyDocument: a policy with a",
        ),
        (
            "S3::BucketPolicy, Properties: {Bucket: none, PolicyDocument: {Statement: []}}",
            "PutBucketPolicy: NoSuchBucket",
        ),
        ("SecretsManager::Secret, Properties: {SecretString: x, GenerateSecretString: {}}", "You can't specify both"),
        ("SQS::Queue, Properties: {DelaySeconds: [1]}", "text is expected, not list"),
        ("StepFunctions::StateMachine, Properties: {RoleArn: r}", "exactly one of Definition and DefinitionString"),
        ("StepFunctions::StateMachine, Properties: {RoleArn: r, DefinitionString: '{}'}", "StartAt is missing"),
        (
            "StepFunctions::StateMachine, Properties: {RoleArn: r, Definition: {QueryLanguage: JSONata, StartAt: A, States: {}}}",
            "Definition: states in JSONata are not supported, only in JSONPath",
        ),
        ("Events::Rule, Properties: {Targets: []}", "EventPattern: a rule without one matches nothing"),
        (
            "SNS::Subscription, Properties: {TopicArn: t, Protocol: https, Endpoint: 'https://a.execute-api.us-east-1.amazonaws.com/x'}",
            "Endpoint: a.execute-api.us-east-1.amazonaws.com is one of AWS's names",
        ),
        (
            "SNS::Subscription, Properties: {TopicArn: t, Protocol: sqs, Endpoint: q, Region: eu-west-1}",
            "topics of other regions",
        ),
    ],
)
def test_wrong_values(live: LiveBench, resource: str, message: str) -> None:
    (failure,) = failures(live, f"Resources: {{It: {{Type: AWS::{resource}}}}}", "wrong")
    assert message in failure
