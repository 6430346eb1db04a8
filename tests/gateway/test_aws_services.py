"""AWS integrations: services called directly, through the neighbours, without any function."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import Answer, ApiBuilder, Server

JSON = "application/json"
FORM = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose neighbours have a table, a queue, a topic, a bucket, a stream and a parameter."""
    server = Server(tmp_path_factory.mktemp("neighbours")).start()
    server.client("dynamodb").create_table(
        TableName="items",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    server.client("sqs").create_queue(QueueName="orders")
    server.client("sns").create_topic(Name="news")
    server.client("s3").create_bucket(Bucket="files")
    server.client("kinesis").create_stream(StreamName="flow", ShardCount=1)
    server.client("ssm").put_parameter(Name="/a/b", Value="found", Type="String")
    yield server
    server.stop()


class Direct(ApiBuilder):
    """An API whose methods call services."""

    def service(self, path: str, verb: str, uri: str, template: str | None, **more: Any) -> None:
        at = {"restApiId": self.id, "resourceId": self.resource(path), "httpMethod": verb}
        integration = {
            "type": "AWS",
            "integrationHttpMethod": more.get("service_verb", "POST"),
            "uri": f"arn:aws:apigateway:us-east-1:{uri}",
            "credentials": "arn:aws:iam::000000000000:role/caller",
            "requestParameters": more.get("map", {}),
        }
        if template is not None:
            integration["requestTemplates"] = {JSON: template}
        declared = [source for source in more.get("map", {}).values() if re.match("method.request.(?!body)", source)]
        self.method(path, verb, integration, requestParameters=dict.fromkeys(declared, False))
        for status, given in more.get("responses", {"200": {}}).items():
            self.client.put_method_response(**at, statusCode=status)
            self.client.put_integration_response(**at, statusCode=status, **given)


def ask(server: Server, api: ApiBuilder, verb: str, path: str, body: Any = None) -> Answer:
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": JSON}
    return server.call(api.id, f"/prod{path}", method=verb, body=data, headers=headers)


def test_a_table_without_any_function(neighbours: Server) -> None:
    api = Direct(neighbours)
    listed = (
        "#set($root = $input.path('$'))[#foreach($item in $root.Items)"
        '{"id":"$item.id.S","n":$item.n.N}#if($foreach.hasNext),#end#end]'
    )
    one = "#set($root = $input.path('$'))#if($root.Item){\"n\":$root.Item.n.N}#{else}"
    one += "#set($context.responseOverride.status = 404){}#end"
    key = '"TableName":"items","Key":{"id":{"S":"$util.escapeJavaScript($input.params(\'id\'))"}}'
    put = '{"TableName":"items","Item":{"id":{"S":"$input.path(\'$.id\')"},"n":{"N":"$input.path(\'$.n\')"}}}'
    update = (
        "{"
        + key
        + ',"UpdateExpression":"SET n = n + :by","ExpressionAttributeValues":{":by":{"N":"$input.path(\'$.by\')"}},'
    )
    update += '"ReturnValues":"ALL_NEW"}'
    query = '{"TableName":"items",'
    query += '"KeyConditionExpression":"id = :id","ExpressionAttributeValues":{":id":{"S":"$input.params(\'id\')"}}}'
    failed = {"400": {"selectionPattern": "4\\d{2}", "responseTemplates": {JSON: '{"error":$input.json("$.message")}'}}}
    api.service("/items", "POST", "dynamodb:action/PutItem", put, responses={"200": {}, **failed})
    api.service(
        "/items",
        "GET",
        "dynamodb:action/Scan",
        '{"TableName":"items"}',
        responses={"200": {"responseTemplates": {JSON: listed}}},
    )
    api.service(
        "/items/{id}",
        "GET",
        "dynamodb:action/GetItem",
        "{" + key + "}",
        responses={"200": {"responseTemplates": {JSON: one}}},
    )
    api.service("/items/{id}", "PUT", "dynamodb:action/UpdateItem", update, responses={"200": {}, **failed})
    api.service("/items/{id}", "DELETE", "dynamodb:action/DeleteItem", "{" + key + "}")
    api.service(
        "/find/{id}", "GET", "dynamodb:action/Query", query, responses={"200": {"responseTemplates": {JSON: listed}}}
    )
    api.deploy()
    assert ask(neighbours, api, "POST", "/items", {"id": "a", "n": 5}).status == 200
    assert ask(neighbours, api, "GET", "/items").json == [{"id": "a", "n": 5}]
    assert ask(neighbours, api, "GET", "/items/a").json == {"n": 5}
    assert ask(neighbours, api, "PUT", "/items/a", {"by": 2}).json["Attributes"]["n"] == {"N": "7"}
    assert ask(neighbours, api, "GET", "/find/a").json == [{"id": "a", "n": 7}]
    assert ask(neighbours, api, "DELETE", "/items/a").status == 200
    assert ask(neighbours, api, "GET", "/items/a").status == 404
    bad = ask(neighbours, api, "POST", "/items", {"id": "a", "n": "no number"})
    assert bad.status == 400
    assert bad.json["error"]


def test_queues_and_topics_answer_in_json(neighbours: Server) -> None:
    api = Direct(neighbours)
    url = neighbours.client("sqs").get_queue_url(QueueName="orders")["QueueUrl"]
    topic = neighbours.client("sns").list_topics()["Topics"][0]["TopicArn"]
    send = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
    api.service("/path", "POST", "sqs:path/000000000000/orders", send, map=FORM)
    api.service(
        "/action", "POST", "sqs:action/SendMessage", f"QueueUrl=$util.urlEncode('{url}')&MessageBody=two", map=FORM
    )
    receive = {"integration.request.querystring.MaxNumberOfMessages": "method.request.querystring.most", **FORM}
    api.service("/received", "GET", "sqs:path/000000000000/orders?Action=ReceiveMessage", "", map=receive)
    publish = f"Action=Publish&TopicArn=$util.urlEncode('{topic}')&Message=$util.urlEncode($input.body)"
    api.service("/publish", "POST", "sns:path//", publish, map=FORM)
    # All arguments in the URL, as the console makes it: the client's body is none of them, whatever it is.
    to = {"integration.request.querystring.TopicArn": f"'{topic}'"}
    tell = {"integration.request.querystring.Message": "method.request.body.hi"}
    api.service("/tell", "POST", "sns:action/Publish", None, map=to | tell)
    said = {"integration.request.querystring.MessageBody": "method.request.body.hi"}
    for path, uri in (
        ("/said", "sqs:path/000000000000/orders?Action=SendMessage"),
        ("/told", "sqs:path/000000000000/orders"),
    ):
        action = {"integration.request.querystring.Action": "'SendMessage'"} if path == "/told" else {}
        api.service(path, "POST", uri, None, map=said | action)
    api.deploy()
    sent = ask(neighbours, api, "POST", "/path", {"x": "a&b=c"})
    assert sent.json["SendMessageResponse"]["SendMessageResult"]["MessageId"]
    assert ask(neighbours, api, "POST", "/action", {}).status == 200
    assert ask(neighbours, api, "POST", "/tell", {"hi": 1}).json["PublishResponse"]["PublishResult"]["MessageId"]
    for path in ("/said", "/told"):
        sent = ask(neighbours, api, "POST", path, {"hi": f"from {path}", "x": "&MessageBody=other&Action=PurgeQueue"})
        assert sent.json["SendMessageResponse"]["SendMessageResult"]["MessageId"]
    got = ask(neighbours, api, "GET", "/received?most=10").json["ReceiveMessageResponse"]["ReceiveMessageResult"][
        "messages"
    ]
    assert sorted(message["Body"] for message in got) == ["from /said", "from /told", "two", '{"x": "a&b=c"}']
    # A mapped parameter that the request has not is dropped.
    assert ask(neighbours, api, "GET", "/received").status == 200
    assert ask(neighbours, api, "POST", "/publish", {"hi": 1}).json["PublishResponse"]["PublishResult"]["MessageId"]


def test_objects(neighbours: Server) -> None:
    api = Direct(neighbours, binaryMediaTypes=["image/png"])
    mapped = {"integration.request.path.key": "method.request.path.key"}
    api.service("/files/{key}", "GET", "s3:path/files/{key}", None, service_verb="GET", map=mapped)
    put = {**mapped, "integration.request.header.Content-Type": "method.request.header.Content-Type"}
    api.service("/files/{key}", "PUT", "s3:path/files/{key}", None, service_verb="PUT", map=put)
    api.service("/files/{key}", "DELETE", "files.s3:path/{key}", None, service_verb="DELETE", map=mapped)
    api.deploy()
    raw = b"\x89PNG\r\n\x00\xff"
    place = "/prod/files/a%20b%2B%C3%A9.png"
    stored = neighbours.call(api.id, place, method="PUT", body=raw, headers={"Content-Type": "image/png"})
    assert stored.status == 200
    assert neighbours.client("s3").get_object(Bucket="files", Key="a b+é.png")["Body"].read() == raw
    assert neighbours.call(api.id, place, headers={"Accept": "image/png"}).body == raw
    assert neighbours.call(api.id, place).body == base64.b64encode(raw)
    assert neighbours.call(api.id, place, method="DELETE").status == 200
    assert "Contents" not in neighbours.client("s3").list_objects_v2(Bucket="files")


def test_streams_events_and_parameters(neighbours: Server) -> None:
    api = Direct(neighbours)
    record = '{"StreamName":"flow","PartitionKey":"p","Data":"$util.base64Encode($input.json(\'$\'))"}'
    api.service("/flow", "POST", "kinesis:action/PutRecord", record)
    event = '{"Entries":[{"Source":"s","DetailType":"d","Detail":"$util.escapeJavaScript($input.body)"}]}'
    api.service("/events", "POST", "events:action/PutEvents", event)
    api.service("/parameter", "GET", "ssm:action/GetParameter", '{"Name":"/a/b"}')
    api.deploy()
    assert ask(neighbours, api, "POST", "/flow", {"a": 1}).json["SequenceNumber"]
    assert ask(neighbours, api, "POST", "/events", {"a": "it"}).json["FailedEntryCount"] == 0
    assert ask(neighbours, api, "GET", "/parameter").json["Parameter"]["Value"] == "found"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("nosuch:action/Do", "AWS service nosuch is unknown"),
        ("dynamodb:action/Dance", "AWS service dynamodb has no action Dance"),
        ("s3:action/GetObject", "takes no actions"),
    ],
)
def test_what_there_is_not_is_refused_when_it_is_deployed(neighbours: Server, uri: str, message: str) -> None:
    api = Direct(neighbours)
    api.service("/x", "POST", uri, "{}")
    with pytest.raises(ClientError, match=message):
        api.deploy()
