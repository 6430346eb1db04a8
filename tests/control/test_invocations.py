"""TestInvokeMethod and TestInvokeAuthorizer, with boto3 against the running program."""

from __future__ import annotations

import json
import re

import pytest
from botocore.exceptions import ClientError

from tests.support.backend import Backend
from tests.support.running import ApiBuilder, Server, lambda_uri, make_function

_LINE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d UTC \d{4} : (.*)", re.DOTALL)


def texts(log: str) -> list[str]:
    first, *lines, last = log.split("\n")
    assert re.fullmatch(r"Execution log for request [0-9a-f-]{36}", first)
    assert last == ""
    found = [_LINE.fullmatch(line) for line in lines]
    assert all(found), lines
    return [line[2] for line in found if line]


def test_a_mock_method_of_the_draft_is_run_with_its_log(server: Server) -> None:
    api = ApiBuilder(server).mock("/pets/{id}", "GET", body="hello", status="202", X="'y'")
    answer = api.client.test_invoke_method(
        restApiId=api.id,
        resourceId=api.resources["/pets/{id}"],
        httpMethod="GET",
        pathWithQueryString="/pets/7?a=1&b=2",
        headers={"Accept": "text/plain"},
    )
    assert (answer["status"], answer["body"]) == (202, "hello")
    assert answer["headers"] == {"X": "y", "Content-Type": "application/json"}
    assert answer["multiValueHeaders"]["X"] == ["y"]
    assert answer["latency"] >= 0
    request_id = answer["log"].split("\n")[0].split(" ")[-1]
    assert texts(answer["log"]) == [
        f"Starting execution for request: {request_id}",
        "HTTP Method: GET, Resource Path: /pets/7",
        "Method request path: {id=7}",
        "Method request query string: {a=1, b=2}",
        "Method request headers: {Accept=text/plain}",
        "Method request body before transformations: ",
        "Method response body after transformations: hello",
        "Method response headers: {X=y, Content-Type=application/json}",
        "Successfully completed execution",
        "Method completed with status: 202",
    ]


def test_an_http_backend_is_really_called(server: Server, backend: Backend) -> None:
    api = ApiBuilder(server).proxy_to("/x", "POST", f"{backend.url}/deep?k=${{stageVariables.v}}")
    answer = api.client.test_invoke_method(
        restApiId=api.id,
        resourceId=api.resources["/x"],
        httpMethod="POST",
        body="the body",
        headers={"Content-Type": "text/plain", "Authorization": "Bearer 0123456789abcdef"},
        stageVariables={"v": "1"},
    )
    assert answer["status"] == 200
    log = texts(answer["log"])
    assert f"Endpoint request URI: {backend.url}/deep?k=1" in log
    assert "Endpoint request body after transformations: the body" in log
    assert any(line.startswith("Received response. Status: 200, Integration latency: ") for line in log)
    # AWS: an Authorization header is masked.
    headers = [line for line in log if line.startswith(("Method request headers", "Endpoint request headers"))]
    assert len(headers) == 2
    assert all("0123456789" not in line and "****abcdef" in line for line in headers)


def test_a_function_gets_the_event_of_a_test(server: Server) -> None:
    code = """import json
def handler(event, context):
    return {"statusCode": 201, "body": json.dumps(event)}
"""
    arn = make_function(server, "tested", code)
    api = ApiBuilder(server).function("/f", "ANY", arn)
    server.client("lambda").add_permission(
        FunctionName="tested", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    answer = api.client.test_invoke_method(
        restApiId=api.id,
        resourceId=api.resources["/f"],
        httpMethod="PATCH",
        body="{}",
        multiValueHeaders={"A": ["1", "2"]},
    )
    event = json.loads(answer["body"])
    assert answer["status"] == 201
    assert (event["httpMethod"], event["body"]) == ("PATCH", "{}")
    assert event["multiValueHeaders"]["A"] == ["1", "2"]
    assert event["requestContext"]["stage"] == "test-invoke-stage"
    assert event["requestContext"]["identity"]["sourceIp"] == "test-invoke-source-ip"


def test_failures_are_told_by_the_log(server: Server) -> None:
    api = ApiBuilder(server).proxy_to("/gone", "GET", "http://127.0.0.1:1/")
    answer = api.client.test_invoke_method(restApiId=api.id, resourceId=api.resources["/gone"], httpMethod="GET")
    assert answer["status"] == 504
    assert texts(answer["log"])[-1] == "Method completed with status: 504"
    assert "Successfully completed execution" not in answer["log"]


def test_what_is_guarded_is_tested_without_its_guards(server: Server) -> None:
    api = ApiBuilder(server).mock("/k", "GET", body="in")
    api.client.update_method(
        restApiId=api.id,
        resourceId=api.resources["/k"],
        httpMethod="GET",
        patchOperations=[
            {"op": "replace", "path": "/apiKeyRequired", "value": "true"},
            {"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"},
        ],
    )
    answer = api.client.test_invoke_method(restApiId=api.id, resourceId=api.resources["/k"], httpMethod="GET")
    assert (answer["status"], answer["body"]) == (200, "in")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"restApiId": "nope"}, "NotFoundException"),
        ({"resourceId": "nope"}, "NotFoundException"),
        ({"httpMethod": "PUT"}, "NotFoundException"),
        ({"pathWithQueryString": "/other"}, "BadRequestException"),
        ({"headers": {"A": "b\r\nC: d"}}, "BadRequestException"),
    ],
)
def test_bad_calls(server: Server, changed: dict[str, object], code: str) -> None:
    api = ApiBuilder(server).mock("/m", "GET")
    call = {"restApiId": api.id, "resourceId": api.resources["/m"], "httpMethod": "GET", **changed}
    with pytest.raises(ClientError) as caught:
        api.client.test_invoke_method(**call)
    assert caught.value.response["Error"]["Code"] == code


AUTHORIZER = """
def handler(event, context):
    if event["type"] == "REQUEST":
        token = event["headers"].get("Token") or event["queryStringParameters"]["token"]
    else:
        token = event["authorizationToken"]
    if token == "unauthorized":
        raise Exception("Unauthorized")
    if token == "broken":
        raise Exception("something else")
    if token == "odd":
        return {"principalId": "me", "policyDocument": {}, "context": {}}
    policy = {"Version": "2012-10-17", "Statement": [
        {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}]}
    return {"principalId": "principal", "policyDocument": policy, "context": {"n": 1, "t": True, "s": "x"}}
"""


@pytest.fixture(scope="module")
def authorizers(server: Server) -> dict[str, str]:
    """An API with a TOKEN and a REQUEST authorizer."""
    arn = make_function(server, "guard", AUTHORIZER)
    api = ApiBuilder(server, "guarded")
    server.client("lambda").add_permission(
        FunctionName="guard",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/authorizers/*",
    )
    made = {"api": api.id}
    for kind, extra in (
        ("TOKEN", {"identitySource": "method.request.header.Auth", "identityValidationExpression": "[a-z]+"}),
        ("REQUEST", {"identitySource": "method.request.querystring.token"}),
    ):
        made[kind] = api.client.create_authorizer(
            restApiId=api.id, name=kind, type=kind, authorizerUri=lambda_uri(arn), **extra
        )["id"]
    return made


@pytest.mark.parametrize(
    ("kind", "given", "status"),
    [
        ("TOKEN", {"headers": {"auth": "good"}}, 0),
        ("TOKEN", {"headers": {"Auth": "unauthorized"}}, 401),
        ("TOKEN", {"headers": {"Auth": "broken"}}, 500),
        ("TOKEN", {"headers": {"Auth": "odd"}}, 500),
        ("TOKEN", {"headers": {"Auth": "NOT-LOWER"}}, 401),
        ("TOKEN", {}, 401),
        ("REQUEST", {"pathWithQueryString": "/a?token=good"}, 0),
        ("REQUEST", {"pathWithQueryString": "/a"}, 401),
    ],
)
def test_authorizers(
    server: Server, authorizers: dict[str, str], kind: str, given: dict[str, object], status: int
) -> None:
    answer = server.client("apigateway").test_invoke_authorizer(
        restApiId=authorizers["api"], authorizerId=authorizers[kind], **given
    )
    assert answer["clientStatus"] == status
    assert answer["latency"] >= 0
    log = texts(answer["log"])
    assert log[0].startswith(f"Starting authorizer: {authorizers[kind]} for request: ")
    if status == 0:
        assert answer["principalId"] == "principal"
        assert json.loads(answer["policy"])["Statement"][0]["Effect"] == "Allow"
        assert answer["authorization"] == {"n": ["1"], "t": ["true"], "s": ["x"]}
        assert log[-1] == "Successfully completed authorizer execution"
    else:
        assert "principalId" not in answer
