"""Lambda proxy: the whole event, the rules for results, permissions; with real function processes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.support.running import ApiBuilder, Server, make_function

ECHO = "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
ANSWER = "import json\ndef handler(event, context):\n    return json.loads(event['body'])\n"


def allow(server: Server, name: str, source: str | None = None) -> None:
    extra = {"SourceArn": source} if source else {}
    server.client("lambda").add_permission(
        FunctionName=name,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        **extra,
    )


@pytest.fixture(scope="module")
def echo(server: Server) -> str:
    arn = make_function(server, "echo", ECHO)
    allow(server, "echo")
    builder = ApiBuilder(server, binaryMediaTypes=["image/png"])
    builder.function("/pets/{id}/{rest+}", "ANY", arn).function("/plain", "GET", arn)
    return builder.deploy("prod", variables={"color": "blue"})


def test_the_whole_event(server: Server, echo: str) -> None:
    answer = server.call(
        echo,
        "/prod/pets/a%20b/c/d/?q=1&q=2&e=%C3%BC+x&flag",
        method="POST",
        body=b'{"x":1}',
        headers={"X-Mixed-Case": "v", "User-Agent": "ua", "Content-Type": "application/json"},
    )
    assert answer.status == 200
    event = answer.json
    identity = event["requestContext"].pop("identity")
    context = event.pop("requestContext")
    headers = event.pop("headers")
    multi = event.pop("multiValueHeaders")
    assert event == {
        "resource": "/pets/{id}/{rest+}",
        "path": "/pets/a b/c/d/",
        "httpMethod": "POST",
        "queryStringParameters": {"q": "2", "e": "ü x", "flag": ""},
        "multiValueQueryStringParameters": {"q": ["1", "2"], "e": ["ü x"], "flag": [""]},
        "pathParameters": {"id": "a b", "rest": "c/d"},
        "stageVariables": {"color": "blue"},
        "body": '{"x":1}',
        "isBase64Encoded": False,
    }
    host = f"{echo}.execute-api.us-east-1.amazonaws.com"
    assert headers["X-Mixed-Case"] == "v"
    assert headers["Host"] == host
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Proto"] == "http"
    assert multi["X-Mixed-Case"] == ["v"]
    assert identity == {
        "cognitoIdentityPoolId": None, "accountId": None, "cognitoIdentityId": None, "caller": None, "sourceIp": "127.0.0.1",
        "principalOrgId": None, "accessKey": None, "cognitoAuthenticationType": None,
        "cognitoAuthenticationProvider": None, "userArn": None, "userAgent": "ua", "user": None,
    }  # fmt: skip
    for name in ("resourceId", "requestTime", "deploymentId", "extendedRequestId"):
        assert context.pop(name)
    assert context.pop("requestTimeEpoch") > 1_700_000_000_000
    assert context == {
        "resourcePath": "/pets/{id}/{rest+}",
        "httpMethod": "POST",
        "path": "/prod/pets/a%20b/c/d/",
        "accountId": "000000000000",
        "protocol": "HTTP/1.1",
        "stage": "prod",
        "domainPrefix": echo,
        "requestId": answer.header("x-amzn-RequestId"),
        "domainName": host,
        "apiId": echo,
    }


def test_absent_parts_are_null_and_binary_is_base64(server: Server, echo: str) -> None:
    event = server.call(echo, "/prod/plain").json
    for name in ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "body"):
        assert event[name] is None
    png = server.call(
        echo, "/prod/pets/1/x", method="PUT", body=b"\x89PNG\xff", headers={"Content-Type": "image/png; q=1"}
    ).json
    assert (png["isBase64Encoded"], base64.b64decode(png["body"])) == (True, b"\x89PNG\xff")
    text = server.call(echo, "/prod/pets/1/x", method="PUT", body=b"a\xff", headers={"Content-Type": "text/plain"}).json
    assert (text["isBase64Encoded"], text["body"]) == (False, "a\ufffd")


@pytest.fixture(scope="module")
def answering(server: Server) -> str:
    arn = make_function(server, "answering", ANSWER)
    allow(server, "answering")
    return ApiBuilder(server, binaryMediaTypes=["image/png"]).function("/", "POST", arn).deploy()


def result(server: Server, api: str, value: Any, **headers: str) -> Any:
    return server.call(api, "/prod/", method="POST", body=json.dumps(value).encode(), headers=headers)


@pytest.mark.parametrize(
    ("value", "status", "body"),
    [
        ({"statusCode": 201, "body": "x"}, 201, b"x"),
        ({"statusCode": "202", "body": "x"}, 202, b"x"),
        ({"headers": {"A": "b"}}, 200, b""),
        ({}, 200, b""),
        ({"statusCode": 200, "headers": None, "body": None}, 200, b""),
        ({"statusCode": 404, "body": "ünï"}, 404, "ünï".encode()),
        ({"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, b"aGk="),
        (
            {"statusCode": 200, "isBase64Encoded": True, "body": "aGk=", "headers": {"content-type": "image/png"}},
            200,
            b"hi",
        ),
    ],
)
def test_results(server: Server, answering: str, value: Any, status: int, body: bytes) -> None:
    answer = result(server, answering, value)
    assert (answer.status, answer.body) == (status, body)
    assert answer.header("Content-Type")


@pytest.mark.parametrize(
    "value",
    [
        "text",
        17,
        None,
        [1],
        {"statusCode": 200, "unknown": 1},
        {"statusCode": "abc"},
        {"statusCode": True},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "multiValueHeaders": {"A": "b"}},
        {"statusCode": 200, "headers": {"A": "b\r\nEvil: 1"}},
        {"statusCode": 200, "headers": {"A\r\nEvil": "b"}},
        {"statusCode": 200, "headers": []},
        {"statusCode": 99},
    ],
)
def test_malformed_results(server: Server, answering: str, value: Any) -> None:
    answer = result(server, answering, value)
    assert (answer.status, answer.body) == (502, b'{"message": "Internal server error"}')
    assert answer.header("x-amzn-ErrorType") == "InternalServerErrorException"
    assert answer.header("Evil") is None


def test_headers_of_results(server: Server, answering: str) -> None:
    answer = result(
        server,
        answering,
        {
            "statusCode": 200,
            "headers": {"X-One": True, "x-many": "3", "Content-Type": "text/html"},
            "multiValueHeaders": {"X-Many": ["1", "2"], "Set-Cookie": ["a=1", "b=2"]},
            "body": "<p>",
        },
    )
    assert answer.header("X-One") == "true"
    assert answer.all("X-Many") == ["1", "2", "3"]
    assert answer.all("Set-Cookie") == ["a=1", "b=2"]
    assert answer.header("Content-Type") == "text/html"
    assert answer.header("X-Amzn-Trace-Id")
    accepted = result(
        server, answering, {"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, Accept="image/png,*/*"
    )
    assert accepted.body == b"hi"


def test_permissions_are_enforced(server: Server) -> None:
    arn = make_function(server, "guarded", ECHO)
    api = ApiBuilder(server).function("/pets/{id}", "GET", arn).function("/any", "ANY", arn).deploy()
    refused = server.call(api, "/prod/pets/1")
    assert (refused.status, refused.body) == (500, b'{"message": "Internal server error"}')
    source = f"arn:aws:execute-api:us-east-1:000000000000:{api}/prod/GET/pets/*"
    allow(server, "guarded", source)
    assert server.call(api, "/prod/pets/1").status == 200
    assert server.call(api, "/prod/any").status == 500
    client = server.client("lambda")
    policy = json.loads(client.get_policy(FunctionName="guarded")["Policy"])
    assert policy["Statement"][0]["Condition"] == {"ArnLike": {"AWS:SourceArn": source}}
    client.remove_permission(FunctionName="guarded", StatementId="api")
    assert server.call(api, "/prod/pets/1").status == 500
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_policy(FunctionName="guarded")


def test_failures_of_functions(server: Server) -> None:
    arn = make_function(server, "raising", "def handler(event, context):\n    raise ValueError('secret text')\n")
    allow(server, "raising")
    api = ApiBuilder(server).function("/", "GET", arn).deploy()
    answer = server.call(api, "/prod/")
    assert (answer.status, answer.body) == (502, b'{"message": "Internal server error"}')
    server.wait_for("secret text")
    gone = "arn:aws:lambda:us-east-1:000000000000:function:nosuch"
    missing = ApiBuilder(server).function("/", "GET", gone).deploy()
    assert server.call(missing, "/prod/").status == 500
    slow = make_function(server, "slow", "import time\ndef handler(event, context):\n    time.sleep(5)\n", Timeout=1)
    allow(server, "slow")
    timed_out = ApiBuilder(server).function("/", "GET", slow).deploy()
    assert server.call(timed_out, "/prod/").status == 502
