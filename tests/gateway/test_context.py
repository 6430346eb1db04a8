"""Every documented `$context` variable through the API: in a template, in a mapped header, and in the access log.

Source: *API Gateway mapping template and access logging variable reference*.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.gateway.test_lambda_proxy import allow
from tests.support.backend import Backend
from tests.support.callers import allow as allowing
from tests.support.callers import invoke, make_user
from tests.support.pools import Pool
from tests.support.running import ApiBuilder, Server, lambda_uri, make_function

AUTHORIZER = """
def handler(event, context):
    statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
    return {"principalId": "who", "context": {"text": "it's", "number": 1.5, "truth": True},
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ID = "[a-z0-9]{6,10}"
MAPPABLE = {
    "accountId": "000000000000",
    "apiId": ID,
    "authorizer.number": "1.5",
    "authorizer.principalId": "who",
    "authorizer.text": "it's",
    "authorizer.truth": "true",
    "awsEndpointRequestId": "",
    "deploymentId": ID,
    "domainName": f"{ID}\\.execute-api\\.us-east-1\\.amazonaws\\.com",
    "domainPrefix": ID,
    "extendedRequestId": "[A-Za-z0-9+/_-]+=*",
    "httpMethod": "POST",
    "identity.accountId": "",
    "identity.apiKey": "a-key-of-twenty-letters",
    "identity.apiKeyId": ID,
    "identity.caller": "",
    "identity.clientCert.clientCertPem": "",
    "identity.clientCert.issuerDN": "",
    "identity.clientCert.serialNumber": "",
    "identity.clientCert.subjectDN": "",
    "identity.clientCert.validity.notAfter": "",
    "identity.clientCert.validity.notBefore": "",
    "identity.cognitoAuthenticationProvider": "",
    "identity.cognitoAuthenticationType": "",
    "identity.cognitoIdentityId": "",
    "identity.cognitoIdentityPoolId": "",
    "identity.principalOrgId": "",
    "identity.sourceIp": "127\\.0\\.0\\.1",
    "identity.user": "",
    "identity.userAgent": "the agent",
    "identity.userArn": "",
    "identity.vpcId": "",
    "identity.vpceId": "",
    "isCanaryRequest": "",
    "operationName": "MakeThing",
    "path": "/prod/things/a%20b",
    "protocol": "HTTP/1\\.1",
    "requestId": UUID,
    "requestTime": r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000",
    "requestTimeEpoch": r"\d{13}",
    "resourceId": ID,
    "resourcePath": "/things/\\{id\\}",
    "stage": "prod",
    "wafResponseCode": "",
    "webaclArn": "",
}
"""By name: what the value looks like; empty: this request has none."""
LOGGED = {
    "authorize.error": "-",
    "authorize.latency": "-",
    "authorize.status": "-",
    "authenticate.error": "-",
    "authenticate.latency": "-",
    "authenticate.status": "-",
    "authorizer.error": "-",
    "authorizer.integrationLatency": r"\d+",
    "authorizer.integrationStatus": "-|200",
    "authorizer.latency": r"-|\d+",
    "authorizer.requestId": f"-|{UUID}",
    "authorizer.status": "-|200",
    "cipherSuite": "-",
    "customDomain.basePathMatched": "-",
    "customDomain.routingRuleIdMatched": "-",
    "error.message": "-",
    "error.messageString": "-",
    "error.responseType": "-",
    "error.validationErrorString": "-",
    "integration.error": "-",
    "integration.integrationStatus": "200",
    "integration.latency": r"\d+",
    "integration.requestId": "-",
    "integration.responseTransferMode": "-|BUFFERED",
    "integration.status": "200",
    "integration.timeToAllHeaders": r"-|\d+",
    "integration.timeToFirstContent": r"-|\d+",
    "integrationErrorMessage": "-",
    "integrationLatency": r"\d+",
    "integrationStatus": "200",
    "responseLatency": r"\d+",
    "responseLength": r"\d+",
    "status": "200",
    "tlsVersion": "-",
    "waf.error": "-",
    "waf.latency": "-",
    "waf.status": "-",
    "xrayTraceId": "Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;.*)?",
}
UNKNOWN = ["nosuch", "identity.nosuch", "nosuch.deeper.still", "authorizer.nosuch", "error.message", "stage.nosuch"]


@pytest.fixture(scope="module")
def told(server: Server) -> dict[str, Any]:
    """One request, and what its template, its mapped headers and its line of the access log say."""
    backend = Backend().start()
    arn = make_function(server, "context-authorizer", AUTHORIZER)
    allow(server, "context-authorizer")
    api = ApiBuilder(server)
    create = api.client.create_authorizer
    options = {"authorizerUri": lambda_uri(arn), "identitySource": "method.request.header.Token"}
    authorizer = create(restApiId=api.id, name="a", type="REQUEST", **options)["id"]
    values = "".join(f'"{name}":"$context.{name}",' for name in [*MAPPABLE, *UNKNOWN])
    # Headers' names have no place for every name of a variable.
    headers = {f"integration.request.header.X-{at}": f"context.{name}" for at, name in enumerate(MAPPABLE)}
    api.method(
        "/things/{id}",
        "POST",
        {
            "type": "HTTP",
            "integrationHttpMethod": "POST",
            "uri": backend.url,
            "requestParameters": headers,
            "requestTemplates": {"application/json": "{" + values.rstrip(",") + "}"},
        },
        authorizationType="CUSTOM",
        authorizerId=authorizer,
        apiKeyRequired=True,
        operationName="MakeThing",
    )
    api.answers("/things/{id}", "POST", {"200": {}})
    api.deploy()
    names = [*MAPPABLE, *LOGGED]
    form = json.dumps({name: f"$context.{name}" for name in names})
    destination = "arn:aws:logs:us-east-1:000000000000:log-group:context"
    changes = {"/accessLogSettings/destinationArn": destination, "/accessLogSettings/format": form}
    api.client.update_stage(
        restApiId=api.id,
        stageName="prod",
        patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in changes.items()],
    )
    key = api.client.create_api_key(name="k", value="a-key-of-twenty-letters", enabled=True)["id"]
    plan = api.client.create_usage_plan(name="p", apiStages=[{"apiId": api.id, "stage": "prod"}])["id"]
    api.client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    answer = server.call(
        api.id,
        "/prod/things/a%20b?q=1",
        method="POST",
        body=b"{}",
        headers={
            "Token": "t",
            "X-Api-Key": "a-key-of-twenty-letters",
            "User-Agent": "the agent",
            "Content-Type": "application/json",
        },
    )
    backend.stop()
    assert answer.status == 200, answer.body
    got = backend.received[0]
    line = server.wait_for(answer.header("x-amzn-RequestId") or "", among=server.access_log)
    return {
        "template": json.loads(got.body),
        "mapped": {name: got.header(f"X-{at}") or "" for at, name in enumerate(MAPPABLE)},
        "logged": json.loads(line),
        "answer": answer,
        "api": api,
    }


@pytest.mark.parametrize("name", MAPPABLE)
def test_every_variable(told: dict[str, Any], name: str) -> None:
    for place in ("template", "mapped"):
        assert re.fullmatch(MAPPABLE[name], told[place][name]), (place, told[place][name])
    assert told["logged"][name] == (told["mapped"][name] or "-")
    assert told["template"][name] == told["mapped"][name]


@pytest.mark.parametrize("name", LOGGED)
def test_every_variable_of_access_logs(told: dict[str, Any], name: str) -> None:
    assert re.fullmatch(LOGGED[name], told["logged"][name]), told["logged"][name]


def test_the_ids_are_those_of_the_answer_and_the_api(told: dict[str, Any]) -> None:
    seen, answer, api = told["template"], told["answer"], told["api"]
    assert seen["requestId"] == answer.header("x-amzn-RequestId")
    assert seen["extendedRequestId"] == answer.header("x-amz-apigw-id")
    assert (seen["apiId"], seen["domainPrefix"]) == (api.id, api.id)
    assert seen["resourceId"] == api.resources["/things/{id}"]
    assert seen["deploymentId"] == api.client.get_stage(restApiId=api.id, stageName="prod")["deploymentId"]


def test_what_there_is_not_prints_nothing(told: dict[str, Any]) -> None:
    assert {name: told["template"][name] for name in UNKNOWN} == dict.fromkeys(UNKNOWN, "")


def test_who_signed(server: Server) -> None:
    keys = make_user(server.client("iam"), "context-user", allowing("execute-api:Invoke"))
    names = ("accountId", "accessKey", "caller", "user", "userArn", "principalOrgId", "apiKey")
    api = ApiBuilder(server).mock("/x", "GET", body="|".join(f"$context.identity.{name}" for name in names))
    patch = [{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}]
    api.client.update_method(restApiId=api.id, resourceId=api.resources["/x"], httpMethod="GET", patchOperations=patch)
    api.deploy()
    seen = dict(zip(names, invoke(server, api.id, "/prod/x", keys).body.decode().split("|"), strict=True))
    assert seen["caller"].startswith("AIDA")
    assert seen == {
        "accountId": "000000000000",
        "accessKey": keys["AccessKeyId"],
        "caller": seen["caller"],
        "user": seen["caller"],
        "userArn": "arn:aws:iam::000000000000:user/context-user",
        "principalOrgId": "",
        "apiKey": "",
    }


def test_claims_are_texts_and_stay_as_they_are(server: Server) -> None:
    pool = Pool(server)
    subject = pool.user("context-user")
    token = pool.sign_in(pool.client(), "context-user")["IdToken"]
    api = ApiBuilder(server)
    body = (
        "$context.authorizer.claims.sub|$context.authorizer.claims['cognito:username']|$context.authorizer.claims.token_use|"
        "$context.authorizer.claims.exp|$!context.authorizer.claims.none|$context.authorizer.principalId"
        "#set($context.authorizer.claims.sub = 'other')#set($ignore = $context.authorizer.claims.put('none', 'now'))"
    )
    api.mock("/x", "GET", body=body)
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="pool",
        type="COGNITO_USER_POOLS",
        providerARNs=[pool.arn],
        identitySource="method.request.header.Authorization",
    )["id"]
    changes = {"/authorizationType": "COGNITO_USER_POOLS", "/authorizerId": authorizer}
    api.client.update_method(
        restApiId=api.id,
        resourceId=api.resources["/x"],
        httpMethod="GET",
        patchOperations=[{"op": "replace", "path": path, "value": value} for path, value in changes.items()],
    )
    api.deploy()
    # What one request's template does to the claims, the next request does not see.
    for _ in range(2):
        seen = server.call(api.id, "/prod/x", headers={"Authorization": token}).body.decode()
        assert re.fullmatch(rf"{subject}\|context-user\|id\|.+\|\|", seen), seen


def test_a_canary_says_so(server: Server) -> None:
    api = ApiBuilder(server).mock("/x", "GET", body="[$context.isCanaryRequest]")
    api.deploy()
    assert server.call(api.id, "/prod/x").body == b"[]"
    api.client.create_deployment(restApiId=api.id, stageName="prod", canarySettings={"percentTraffic": 100})
    assert server.call(api.id, "/prod/x").body == b"[true]"
