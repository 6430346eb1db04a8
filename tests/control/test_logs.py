"""CloudWatch Logs through boto3: what functions write, found again by groups, streams, times and patterns."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import Server, make_function, zip_of
from tidegate.control.logs.filters import compile_pattern

_SAYS = "def handler(event, context):\n    for line in event['say']: print(line)\n    return context.log_stream_name\n"


def _says(server: Server, name: str, *lines: str) -> str:
    """Calls it; gives back the name of its log stream."""
    answer = server.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"say": lines}))
    return str(json.loads(answer["Payload"].read()))


def _until_written(client: Any, group: str, text: str) -> None:
    """A worker's output is read a moment after its answer."""
    for _ in range(200):
        try:
            if any(text in event["message"] for event in client.filter_log_events(logGroupName=group)["events"]):
                return
        except client.exceptions.ResourceNotFoundException:
            pass
        time.sleep(0.02)
    raise AssertionError(f"{text} is not there")


@pytest.fixture(scope="module")
def spoken(server: Server) -> tuple[str, str]:
    """A group and a stream in which three lines stand between START and REPORT, twice."""
    make_function(server, "spoken", _SAYS)
    stream = _says(server, "spoken", "one ERROR", "two WARN", "three")
    assert _says(server, "spoken", "four", "five ERROR x") == stream
    _until_written(server.client("logs"), "/aws/lambda/spoken", "five")
    return "/aws/lambda/spoken", stream


def test_filter_log_events(server: Server, spoken: tuple[str, str]) -> None:
    client, (group, stream) = server.client("logs"), spoken
    events = client.filter_log_events(logGroupName=group)["events"]
    messages = [event["message"] for event in events]
    assert messages[0].startswith("START RequestId: ")
    assert messages[1:4] == ["one ERROR\n", "two WARN\n", "three\n"]
    assert {event["logStreamName"] for event in events} == {stream}
    ids = [event["eventId"] for event in events]
    assert ids == sorted(set(ids))
    assert all(abs(event["timestamp"] / 1000 - time.time()) < 600 for event in events)

    def found(**options: Any) -> list[str]:
        return [e["message"].strip() for e in client.filter_log_events(logGroupName=group, **options)["events"]]

    assert found(filterPattern="ERROR") == ["one ERROR", "five ERROR x"]
    assert found(filterPattern="ERROR -x") == ["one ERROR"]
    assert found(filterPattern="?WARN ?three") == ["two WARN", "three"]
    assert found(filterPattern='"five ERROR"') == ["five ERROR x"]
    assert found(filterPattern="ERROR", logStreamNames=[stream]) == ["one ERROR", "five ERROR x"]
    assert found(filterPattern="ERROR", logStreamNamePrefix="19") == []
    assert found(endTime=events[0]["timestamp"]) == []
    assert found(startTime=events[-1]["timestamp"] + 1) == []
    paged = client.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 2})
    assert [event["eventId"] for page in paged for event in page["events"]] == ids
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}"
    assert len(client.filter_log_events(logGroupIdentifier=arn)["events"]) == len(ids)


def test_get_log_events(server: Server, spoken: tuple[str, str]) -> None:
    client, (group, stream) = server.client("logs"), spoken
    at = {"logGroupName": group, "logStreamName": stream}
    every = [event["message"] for event in client.get_log_events(**at, startFromHead=True)["events"]]
    last = client.get_log_events(**at, limit=2)
    assert [event["message"] for event in last["events"]] == every[-2:]
    before = client.get_log_events(**at, limit=2, nextToken=last["nextBackwardToken"])
    assert [event["message"] for event in before["events"]] == every[-4:-2]
    forward, token = [], None
    while True:
        page = client.get_log_events(**at, limit=3, startFromHead=True, **({"nextToken": token} if token else {}))
        forward += [event["message"] for event in page["events"]]
        if page["nextForwardToken"] == token:
            break
        token = page["nextForwardToken"]
    assert forward == every
    _says(server, "spoken", "later")
    _until_written(client, group, "later")
    more = client.get_log_events(**at, nextToken=token)["events"]
    assert [event["message"] for event in more][1] == "later\n"


def test_streams(server: Server) -> None:
    """Every worker has one, and says so to its function."""
    client = server.client("logs")
    make_function(server, "streams", _SAYS)
    first = _says(server, "streams", "a")
    server.client("lambda").update_function_configuration(FunctionName="streams", Timeout=4)
    second = _says(server, "streams", "b")
    assert first != second
    _until_written(client, "/aws/lambda/streams", "b")
    described = client.describe_log_streams(
        logGroupName="/aws/lambda/streams", orderBy="LastEventTime", descending=True
    )["logStreams"]
    assert [stream["logStreamName"] for stream in described] == [second, first]
    assert described[0]["firstEventTimestamp"] <= described[0]["lastEventTimestamp"]
    found = client.describe_log_streams(logGroupName="/aws/lambda/streams", logStreamNamePrefix=first)
    assert [stream["logStreamName"] for stream in found["logStreams"]] == [first]


def test_groups(server: Server) -> None:
    client = server.client("logs")

    def names(prefix: str) -> list[str]:
        pages = client.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=prefix, PaginationConfig={"PageSize": 1}
        )
        return [group["logGroupName"] for page in pages for group in page["logGroups"]]

    make_function(server, "groups-fn", _SAYS)
    assert names("/aws/lambda/groups-fn") == [], "there since the first line"
    _says(server, "groups-fn", "x")
    _until_written(client, "/aws/lambda/groups-fn", "x")
    assert names("/aws/lambda/groups-fn") == ["/aws/lambda/groups-fn"]
    client.create_log_group(logGroupName="groups/b", tags={"a": "1"})
    client.create_log_group(logGroupName="groups/a")
    assert names("groups/") == ["groups/a", "groups/b"]
    with pytest.raises(client.exceptions.ResourceAlreadyExistsException):
        client.create_log_group(logGroupName="groups/a")
    client.put_retention_policy(logGroupName="groups/a", retentionInDays=7)
    (shown,) = client.describe_log_groups(logGroupNamePattern="OUPS/A")["logGroups"]
    assert (shown["retentionInDays"], shown["arn"]) == (
        7,
        "arn:aws:logs:us-east-1:000000000000:log-group:groups/a:*",
    )
    client.delete_retention_policy(logGroupName="groups/a")
    assert "retentionInDays" not in client.describe_log_groups(logGroupNamePrefix="groups/a")["logGroups"][0]
    arn = "arn:aws:logs:us-east-1:000000000000:log-group:groups/b"
    client.tag_resource(resourceArn=arn, tags={"b": "2"})
    client.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    for name in ("groups/a", "groups/b"):
        client.delete_log_group(logGroupName=name)
    assert names("groups/") == []
    client.delete_log_group(logGroupName="/aws/lambda/groups-fn")
    assert names("/aws/lambda/groups-fn") == []
    assert client.filter_log_events(logGroupName="/aws/lambda/groups-fn")["events"] == []


def test_retention_is_kept(tmp_path: Any) -> None:
    running = Server(tmp_path).start()
    try:
        client = running.client("logs")
        make_function(running, "old", _SAYS)
        _says(running, "old", "x")
        _until_written(client, "/aws/lambda/old", "x")
        client.put_retention_policy(logGroupName="/aws/lambda/old", retentionInDays=1)
        assert client.filter_log_events(logGroupName="/aws/lambda/old")["events"]
        running.request("POST", "/_tidegate/clock", body=json.dumps({"advance": 90_000}).encode())
        assert client.filter_log_events(logGroupName="/aws/lambda/old")["events"] == []
    finally:
        running.stop()


_CASES: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "no group": (
        lambda c: c.filter_log_events(logGroupName="none"),
        "ResourceNotFoundException",
        "The specified log group does not exist.",
    ),
    "no stream": (
        lambda c: c.get_log_events(logGroupName="/aws/lambda/spoken", logStreamName="none"),
        "ResourceNotFoundException",
        "The specified log stream does not exist",
    ),
    "json pattern": (
        lambda c: c.filter_log_events(logGroupName="/aws/lambda/spoken", filterPattern="{ $.a = 1 }"),
        "InvalidParameterException",
        "Tidegate does not support filter patterns for JSON yet",
    ),
    "retention": (
        lambda c: c.put_retention_policy(logGroupName="/aws/lambda/spoken", retentionInDays=2),
        "InvalidParameterException",
        "Value '2' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5,",
    ),
    "name": (
        lambda c: c.create_log_group(logGroupName="a b"),
        "InvalidParameterException",
        "Value 'a b' at 'logGroupName' failed to satisfy constraint",
    ),
    "not done": (
        lambda c: c.create_log_stream(logGroupName="/aws/lambda/spoken", logStreamName="s"),
        "UnsupportedOperationException",
        "Tidegate does not support the operation CreateLogStream yet",
    ),
}


@pytest.mark.parametrize("case", _CASES)
@pytest.mark.usefixtures("spoken")
def test_errors(server: Server, case: str) -> None:
    call, code, message = _CASES[case]
    with pytest.raises(ClientError) as caught:
        call(server.client("logs"))
    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        (None, ["", "x"], []),
        ("a b", ["b and a"], ["a", "B a"]),
        ("?a ?b", ["a", "b"], ["c"]),
        ("c ?a", ["c", "c a"], ["a"]),
        ("-a", ["b"], ["a"]),
        ('a -"b c"', ["a b", "a c b"], ["a b c"]),
        (r'"say \"hi\""', ['say "hi"'], ["say hi"]),
    ],
)
def test_patterns(pattern: str | None, matching: list[str], other: list[str]) -> None:
    matches = compile_pattern(pattern)
    assert [text for text in (*matching, *other) if matches(text)] == matching


@pytest.mark.skipif(shutil.which("aws") is None, reason="there is no AWS CLI here")
def test_with_the_cli(server: Server, spoken: tuple[str, str]) -> None:
    group, _ = spoken
    command = ["aws", "--endpoint-url", server.url, "--region", "us-east-1", "--output", "json", "logs"]
    environment = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "PATH": "/usr/bin:/bin"}
    aws = shutil.which("aws")
    assert aws is not None
    done = subprocess.run(
        [aws, *command[1:], "filter-log-events", "--log-group-name", group, "--filter-pattern", "ERROR"],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    assert [event["message"] for event in json.loads(done.stdout)["events"]] == ["one ERROR\n", "five ERROR x\n"]


def test_functions_of_one_name_keep_logs_of_their_own(server: Server) -> None:
    homes = [("111111111111", "us-east-1"), ("222222222222", "us-east-1"), ("111111111111", "eu-west-1")]
    for account, region in homes:
        client = server.client("lambda", key=account, region=region)
        client.create_function(
            FunctionName="namesake",
            Runtime="python3.11",
            Handler="app.handler",
            Role=f"arn:aws:iam::{account}:role/r",
            Code={"ZipFile": zip_of({"app.py": _SAYS})},
        )
        client.invoke(FunctionName="namesake", Payload=json.dumps({"say": [f"from {account} {region}"]}))
        _until_written(server.client("logs", key=account, region=region), "/aws/lambda/namesake", "from")
    for account, region in homes:
        logs = server.client("logs", key=account, region=region)
        events = logs.filter_log_events(logGroupName="/aws/lambda/namesake", filterPattern="from")["events"]
        assert [event["message"] for event in events] == [f"from {account} {region}\n"]
        arn = f"arn:aws:lambda:{region}:{account}:function:namesake"
        shown = server.request("GET", f"/_tidegate/functions/{arn}/logs").body.decode()
        assert [line.partition("Z ")[2] for line in shown.splitlines() if " from " in line] == [
            f"from {account} {region}"
        ]


def test_logs_are_followed_and_forgotten(tmp_path: Path) -> None:
    """As `aws logs tail --follow` (the CLI's second version) does it, and by `tidegate logs -f`."""
    alone = Server(tmp_path).start()
    try:
        make_function(alone, "live", _SAYS)
        _says(alone, "live", "first")
        command = [sys.executable, "-m", "tidegate.cli", "logs", "live", "-f", "--endpoint", alone.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
            assert follower.stdout is not None
            seen = iter(follower.stdout)
            assert any(" first" in line for line in seen)
            _says(alone, "live", "second")
            assert any(" second" in line for line in seen)
            follower.terminate()
        client, known, since = alone.client("logs"), set[str](), 0
        for turn in range(3):
            _says(alone, "live", f"turn {turn}")
            _until_written(client, "/aws/lambda/live", f"turn {turn}")
            page = client.filter_log_events(logGroupName="/aws/lambda/live", startTime=since, interleaved=True)
            fresh = [event for event in page["events"] if event["eventId"] not in known]
            known |= {event["eventId"] for event in page["events"]}
            since = max(event["timestamp"] for event in page["events"])
            assert [event["message"] for event in fresh if event["message"].startswith("turn")] == [f"turn {turn}\n"]
        alone.request("POST", "/_tidegate/reset")
        make_function(alone, "live", _SAYS)
        assert client.filter_log_events(logGroupName="/aws/lambda/live")["events"] == []
    finally:
        alone.stop()
