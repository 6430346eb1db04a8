"""Asynchronous invocation through the running program: the queue, retries by the clock, destinations, dead letters."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.backend import Backend, Received, echo
from tests.support.running import ApiBuilder, Server, lambda_uri, make_function

_ACCOUNT = "000000000000"


def _notes(backend: Backend) -> str:
    """A function that tells the backend of every call, and fails when the event says so."""
    return (
        "import json, urllib.request\n"
        "def handler(event, context):\n"
        "    note = json.dumps([event, context.aws_request_id]).encode()\n"
        f"    urllib.request.urlopen({backend.url!r}, data=note).read()\n"
        "    if event.get('fail'):\n"
        "        raise ValueError(event['fail'])\n"
        "    return {'did': event}\n"
    )


def _until(look: Any, wanted: Any, what: str = "") -> Any:
    """What `look` gives, as soon as it is what is wanted: the queue works beside us."""
    found = None
    for _ in range(500):
        found = look()
        if found == wanted:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: {found!r} has not become {wanted!r}")


def _events(backend: Backend) -> list[Any]:
    return [json.loads(call.body)[0] for call in list(backend.received)]


def _ended(server: Server, name: str) -> int:
    """How many calls of a function have ended: only then the pause before the next begins."""
    return server.request("GET", f"/_tidegate/functions/{name}/logs").body.count(b"REPORT RequestId")


def _advance(server: Server, seconds: float) -> None:
    answer = server.request("POST", "/_tidegate/clock", body=json.dumps({"advance": seconds}).encode())
    assert answer.status == 200


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Server]:
    """A server of its own, whose clock may be moved."""
    running = Server(tmp_path / "data").start()
    yield running
    running.stop()


def test_event_is_accepted_and_run(alone: Server, backend: Backend) -> None:
    client = alone.client("lambda")
    arn = make_function(alone, "notes", _notes(backend))
    answer = client.invoke(FunctionName=arn, InvocationType="Event", Payload=b'{"n": 1}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert "ExecutedVersion" not in answer
    _until(lambda: _events(backend), [{"n": 1}])
    assert json.loads(backend.received[0].body)[1] == answer["ResponseMetadata"]["RequestId"]
    assert client.invoke(FunctionName=arn, InvocationType="DryRun")["StatusCode"] == 204
    for kind in ("Event", "DryRun"):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.invoke(FunctionName="nosuch", InvocationType=kind)
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName=arn, InvocationType="Event", Payload=b'"' + b"x" * 1024 * 1024 + b'"')
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert _events(backend) == [{"n": 1}], "nothing that was refused has run"


def test_retries_follow_the_clock(alone: Server, backend: Backend) -> None:
    client = alone.client("lambda")
    make_function(alone, "fails", _notes(backend))
    client.invoke(FunctionName="fails", InvocationType="Event", Payload=b'{"fail": "no"}')
    _until(lambda: _ended(alone, "fails"), 1)
    _advance(alone, 61)
    _until(lambda: _ended(alone, "fails"), 2)
    _advance(alone, 61)
    # The second pause is twice as long: another event that is due at once runs before it.
    client.invoke(FunctionName="fails", InvocationType="Event", Payload=b'{"n": 1}')
    _until(lambda: _ended(alone, "fails"), 3)
    assert _events(backend)[2] == {"n": 1}
    _advance(alone, 61)
    _until(lambda: _ended(alone, "fails"), 4)
    _advance(alone, 3600)
    client.invoke(FunctionName="fails", InvocationType="Event", Payload=b'{"n": 2}')
    _until(lambda: _events(backend)[-1], {"n": 2})
    assert len(_events(backend)) == 5, "two retries, no more"
    ids = {json.loads(call.body)[1] for call in backend.received if b"fail" in call.body}
    assert len(ids) == 1, "every attempt has the same request id"


def test_events_survive_a_kill(alone: Server, backend: Backend) -> None:
    """The first one is running, the others wait: all of them run after the restart, whatever had begun."""
    client, begun, go_on = alone.client("lambda"), threading.Event(), threading.Event()

    def hold(received: Received) -> tuple[int, list[tuple[str, str]], bytes]:
        begun.set()
        go_on.wait(30)
        return echo(received)

    backend.answer = hold
    make_function(alone, "killed", _notes(backend), Timeout=120)
    client.put_function_concurrency(FunctionName="killed", ReservedConcurrentExecutions=1)
    for number in range(20):
        client.invoke(FunctionName="killed", InvocationType="Event", Payload=json.dumps({"n": number}))
    assert begun.wait(20)
    alone.kill()
    before = len(backend.received)
    backend.answer = None
    go_on.set()
    alone.start()
    _until(lambda: sorted(one["n"] for one in _events(backend)[before:]), list(range(20)))


def _queue(server: Server, name: str) -> tuple[Any, str, str]:
    sqs = server.client("sqs")
    return sqs, sqs.create_queue(QueueName=name)["QueueUrl"], f"arn:aws:sqs:us-east-1:{_ACCOUNT}:{name}"


def _message(sqs: Any, url: str) -> Any:
    for _ in range(100):
        found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=0, MessageAttributeNames=["All"]).get("Messages")
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no message")


def test_destinations_and_dead_letters(alone: Server, backend: Backend) -> None:
    client = alone.client("lambda")
    sqs, good, good_arn = _queue(alone, "good")
    _, bad, bad_arn = _queue(alone, "bad")
    _, dead, dead_arn = _queue(alone, "dead")
    arn = make_function(alone, "sends", _notes(backend), DeadLetterConfig={"TargetArn": dead_arn})
    configured = client.put_function_event_invoke_config(
        FunctionName="sends",
        MaximumRetryAttempts=0,
        DestinationConfig={"OnSuccess": {"Destination": good_arn}, "OnFailure": {"Destination": bad_arn}},
    )
    assert configured["FunctionArn"] == f"{arn}:$LATEST"
    client.invoke(FunctionName="sends", InvocationType="Event", Payload=b'{"n": 1}')
    record = json.loads(_message(sqs, good)["Body"])
    assert record["version"] == "1.0"
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["functionArn"] == f"{arn}:$LATEST"
    assert record["requestContext"]["approximateInvokeCount"] == 1
    assert record["requestPayload"] == {"n": 1}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"] == {"did": {"n": 1}}
    client.invoke(FunctionName="sends", InvocationType="Event", Payload=b'{"fail": "broken"}')
    record = json.loads(_message(sqs, bad)["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "broken"
    letter = _message(sqs, dead)
    assert json.loads(letter["Body"]) == {"fail": "broken"}
    attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert attributes["RequestID"] == record["requestContext"]["requestId"]
    assert attributes["ErrorMessage"] == "broken"


def test_other_destinations(alone: Server, backend: Backend) -> None:
    """A topic, an event bus, and another function."""
    client = alone.client("lambda")
    sqs, topic_queue, topic_queue_arn = _queue(alone, "topic-queue")
    sns = alone.client("sns")
    topic = sns.create_topic(Name="results")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=topic_queue_arn)
    _, bus_queue, bus_queue_arn = _queue(alone, "bus-queue")
    events = alone.client("events")
    bus = events.create_event_bus(Name="results")["EventBusArn"]
    events.put_rule(Name="all", EventBusName="results", EventPattern=json.dumps({"source": ["lambda"]}))
    events.put_targets(Rule="all", EventBusName="results", Targets=[{"Id": "q", "Arn": bus_queue_arn}])
    other = make_function(alone, "other", _notes(backend))
    make_function(alone, "source", "def handler(event, context):\n    return event\n")
    for destination in (topic, bus, other):
        client.put_function_event_invoke_config(
            FunctionName="source", DestinationConfig={"OnSuccess": {"Destination": destination}}
        )
        client.invoke(FunctionName="source", InvocationType="Event", Payload=b'{"n": 1}')
        if destination == topic:
            told = json.loads(json.loads(_message(sqs, topic_queue)["Body"])["Message"])
        elif destination == bus:
            event = json.loads(_message(sqs, bus_queue)["Body"])
            assert event["detail-type"] == "Lambda Function Invocation Result - Success"
            told = event["detail"]
        else:
            _until(lambda: len(_events(backend)), 1)
            told = _events(backend)[0]
        assert told["responsePayload"] == {"n": 1}


def test_too_old_events_are_given_up(alone: Server, backend: Backend) -> None:
    client = alone.client("lambda")
    sqs, url, arn = _queue(alone, "old")
    make_function(alone, "old", _notes(backend))
    client.put_function_event_invoke_config(
        FunctionName="old", MaximumEventAgeInSeconds=60, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    client.invoke(FunctionName="old", InvocationType="Event", Payload=b'{"fail": "no"}')
    _until(lambda: _ended(alone, "old"), 1)
    _advance(alone, 90)
    record = json.loads(_message(sqs, url)["Body"])
    assert record["requestContext"]["condition"] == "EventAgeExceeded"
    assert len(_events(backend)) == 1


def test_a_function_that_is_switched_off_retries_nothing(alone: Server) -> None:
    client = alone.client("lambda")
    sqs, url, arn = _queue(alone, "off")
    make_function(alone, "off", "def handler(event, context):\n    return 1\n", DeadLetterConfig={"TargetArn": arn})
    client.put_function_concurrency(FunctionName="off", ReservedConcurrentExecutions=0)
    client.invoke(FunctionName="off", InvocationType="Event", Payload=b'{"n": 1}')
    assert json.loads(_message(sqs, url)["Body"]) == {"n": 1}


def test_events_through_the_gateway(alone: Server, backend: Backend) -> None:
    """A template integration with X-Amz-Invocation-Type: what it answers with 200 outlives the process."""
    client = alone.client("lambda")
    arn = make_function(alone, "later", _notes(backend))
    client.add_permission(
        FunctionName="later", StatementId="g", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": lambda_uri(arn),
        "requestParameters": {"integration.request.header.X-Amz-Invocation-Type": "'Event'"},
    }
    builder = ApiBuilder(alone).method("/", "POST", integration)
    at = {"restApiId": builder.id, "resourceId": builder.resources["/"], "httpMethod": "POST", "statusCode": "200"}
    builder.client.put_method_response(**at)
    builder.client.put_integration_response(**at)
    name = builder.deploy()
    headers = {"Content-Type": "application/json"}
    assert alone.call(name, "/prod/", method="POST", body=b'{"n": 1}', headers=headers).status == 200
    _until(lambda: _events(backend), [{"n": 1}])
    client.remove_permission(FunctionName="later", StatementId="g")
    assert alone.call(name, "/prod/", method="POST", body=b'{"n": 2}', headers=headers).status == 500


def test_settings_of_events(server: Server) -> None:
    client = server.client("lambda")
    make_function(server, "settings", "def handler(event, context):\n    return 1\n")
    client.publish_version(FunctionName="settings")
    client.create_alias(FunctionName="settings", Name="live", FunctionVersion="1")
    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.get_function_event_invoke_config(FunctionName="settings")
    assert "doesn't have an EventInvokeConfig" in str(caught.value)
    client.put_function_event_invoke_config(FunctionName="settings", Qualifier="live", MaximumRetryAttempts=1)
    client.put_function_event_invoke_config(FunctionName="settings", MaximumEventAgeInSeconds=300)
    changed = client.update_function_event_invoke_config(
        FunctionName="settings", Qualifier="live", MaximumEventAgeInSeconds=100
    )
    assert (changed["MaximumRetryAttempts"], changed["MaximumEventAgeInSeconds"]) == (1, 100)
    again = client.put_function_event_invoke_config(FunctionName="settings", Qualifier="live", MaximumRetryAttempts=0)
    assert again["MaximumRetryAttempts"] == 0
    assert "MaximumEventAgeInSeconds" not in again, "put replaces the whole"
    listed = client.list_function_event_invoke_configs(FunctionName="settings")["FunctionEventInvokeConfigs"]
    assert [one["FunctionArn"].rpartition(":")[2] for one in listed] == ["$LATEST", "live"]
    client.delete_function_event_invoke_config(FunctionName="settings", Qualifier="live")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.delete_function_event_invoke_config(FunctionName="settings", Qualifier="live")
    with pytest.raises(client.exceptions.InvalidParameterValueException):
        client.put_function_event_invoke_config(
            FunctionName="settings", DestinationConfig={"OnFailure": {"Destination": "arn:aws:s3:::bucket"}}
        )


def test_functions_that_lead_to_each_other_are_stopped(alone: Server, backend: Backend) -> None:
    client = alone.client("lambda")
    code = f"import urllib.request\ndef handler(event, context):\n    urllib.request.urlopen({backend.url!r}).read()\n"
    arn = make_function(alone, "circle", code)
    client.put_function_event_invoke_config(
        FunctionName="circle", DestinationConfig={"OnSuccess": {"Destination": arn}}
    )
    client.invoke(FunctionName="circle", InvocationType="Event", Payload=b"{}")
    alone.wait_for("stopped after 16 functions in a row")
    assert len(backend.received) == 16
