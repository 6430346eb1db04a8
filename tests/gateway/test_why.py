"""`tidegate why` and `tidegate simulate`: which step stopped a request, and why, from the running program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.support.backend import Backend
from tests.support.running import Answer, ApiBuilder, Server, lambda_uri, make_function

AUTHORIZER = """
def handler(event, context):
    token = event["authorizationToken"]
    if token == "unauthorized": raise Exception("Unauthorized")
    if token == "broken": raise Exception("else")
    if token == "none": return {"principalId": "p"}
    effect = "Deny" if token.startswith("deny") else "Allow"
    resource = event["methodArn"] if token.startswith("one") else event["methodArn"].split("/")[0] + "/*"
    return {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [
        {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}]}}
"""
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
        {
            "Sid": "NotHere",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/prod/GET/closed",
            "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}},
        },
    ],
}


@pytest.fixture(scope="module")
def api(server: Server) -> str:
    function = make_function(server, "why-authorizer", AUTHORIZER)
    server.client("lambda").add_permission(
        FunctionName="why-authorizer",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    builder = ApiBuilder(server, policy=json.dumps(POLICY))
    authorizer = builder.client.create_authorizer(
        restApiId=builder.id,
        name="a",
        type="TOKEN",
        authorizerUri=lambda_uri(function),
        identitySource="method.request.header.Token",
    )["id"]
    builder.mock("/open", "GET", "{}").mock("/closed", "GET", "{}")
    builder.method("/keyed", "GET", {"type": "MOCK"}, apiKeyRequired=True)
    builder.method("/signed", "GET", {"type": "MOCK"}, authorizationType="AWS_IAM")
    custom = {"authorizationType": "CUSTOM", "authorizerId": authorizer}
    builder.method("/custom", "GET", {"type": "MOCK"}, **custom)
    return builder.deploy()


def story(server: Server, answer: Answer) -> dict[str, Any]:
    found = server.request("GET", f"/_tidegate/requests/{answer.header('x-amzn-RequestId')}")
    assert found.status == 200
    told: dict[str, Any] = found.json
    assert told["status"] == answer.status
    by_extended_id = server.request("GET", f"/_tidegate/requests/{answer.header('x-amz-apigw-id')}").json
    assert by_extended_id == told
    return told


def tidegate(server: Server, *arguments: str) -> str:
    command = [sys.executable, "-m", "tidegate.cli", *arguments]
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    environment = {**os.environ, **keys, "TIDEGATE_ENDPOINT": server.url}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("target", "headers", "step", "kind"),
    [
        ("/prod/nothing", {}, "route", "MISSING_AUTHENTICATION_TOKEN"),
        ("/prod/closed", {}, "resource_policy", "ACCESS_DENIED"),
        ("/prod/custom", {}, "authorize", "UNAUTHORIZED"),
        ("/prod/custom", {"Token": "deny"}, "authorize", "ACCESS_DENIED"),
        ("/prod/signed", {}, "authorize", "MISSING_AUTHENTICATION_TOKEN"),
        ("/prod/keyed", {}, "api_key", "INVALID_API_KEY"),
        ("/other/open", {}, "address", "FORBIDDEN"),
    ],
)
def test_where_a_request_was_stopped(
    server: Server, api: str, target: str, headers: dict[str, str], step: str, kind: str
) -> None:
    answer = server.call(api, target, headers=headers)
    told = story(server, answer)
    assert (told["stoppedAt"], told["responseType"]) == (step, kind)
    assert told["reason"]
    if step != "address":
        assert told["steps"][-1]["step"] == step


def test_statement_by_statement(server: Server, api: str) -> None:
    answer = server.call(api, "/prod/closed")
    (judged,) = story(server, answer)["policies"]
    assert judged["decision"] == "explicitDeny"
    assert judged["context"]["aws:SourceIp"] == "127.0.0.1"
    allowed, denied = judged["statements"]
    assert (allowed["effect"], allowed["matched"]) == ("Allow", True)
    assert (denied["effect"], denied["sid"], denied["matched"]) == ("Deny", "NotHere", True)
    # What the client is told is AWS's text and no more.
    assert "NotHere" not in answer.body.decode()
    text = tidegate(server, "why", str(answer.header("x-amzn-RequestId")))
    assert "stopped at resource_policy: 403 ACCESS_DENIED" in text
    assert f"- of API {api}, statement 1 NotHere: Deny, matches" in text


def test_served_and_unknown(server: Server, api: str) -> None:
    told = story(server, server.call(api, "/prod/open"))
    assert (told["stoppedAt"], told["resource"]) == (None, "/open")
    assert told["policies"][0]["statements"][1]["failed"] == "Resource"
    assert "no request nosuch among the last ones" in tidegate(server, "why", "nosuch")


def test_simulation_calls_no_backend(server: Server, backend: Backend) -> None:
    api = ApiBuilder(server).proxy_to("/x/{id}", "POST", f"{backend.url}/y").deploy("prod")
    url = f"http://{api}.execute-api.localhost:{server.port}/prod/x/1?q=2"
    text = tidegate(server, "simulate", "POST", url, "-H", "X-A: b", "-d", "body")
    assert "not stopped" in text
    assert f"would be sent to {backend.url}/y?q=2" in text
    assert backend.received == []
    assert json.loads(tidegate(server, "simulate", "POST", url, "--json"))["wouldBeSent"]["body"] == ""


def test_simulated_refusals(server: Server, api: str) -> None:
    base = f"http://{api}.execute-api.localhost:{server.port}/prod"
    assert "stopped at resource_policy" in tidegate(server, "simulate", "GET", f"{base}/closed")
    assert "not stopped" in tidegate(server, "simulate", "GET", f"{base}/closed", "--source-ip", "10.0.0.1")
    assert "stopped at authorize: 403 MISSING" in tidegate(server, "simulate", "GET", f"{base}/signed")
    assert "not stopped" in tidegate(server, "simulate", "GET", f"{base}/signed", "--sign")
    assert "stopped at authorize: 403 ACCESS" in tidegate(
        server, "simulate", "GET", f"{base}/custom", "-H", "Token: deny"
    )
    assert "for no API" in tidegate(server, "simulate", "GET", f"{server.url}/nothing")
    assert "not an http address" in tidegate(server, "simulate", "GET", "nothing")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"url": "http://x/", "headers": 3}', b'{"url": "http://x/", "body": "?"}']
)
def test_bad_simulations(server: Server, body: bytes) -> None:
    assert server.request("POST", "/_tidegate/simulate", body=body).status == 400
