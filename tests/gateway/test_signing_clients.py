"""AWS_IAM with the clients that people have: curl, requests with a signing library, botocore. Each signs by its own code."""

from __future__ import annotations

import json
import subprocess
from urllib.parse import quote

import botocore.auth
import botocore.httpsession
import pytest
import requests
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from requests_aws4auth import AWS4Auth

from tests.support.running import ApiBuilder, Server

ROOT = "arn:aws:iam::000000000000:root"


@pytest.fixture(scope="module")
def api(server: Server) -> str:
    """Every method asks for a signature, and answers who signed."""
    built = ApiBuilder(server)
    for path in ("/who", "/deep/{proxy+}"):
        for verb in ("GET", "POST"):
            built.mock(path, verb, body='{"who": "$context.identity.userArn", "path": "$context.path"}')
            built.client.update_method(
                restApiId=built.id,
                resourceId=built.resources[path],
                httpMethod=verb,
                patchOperations=[{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}],
            )
    return built.deploy()


def urls(server: Server, api: str) -> list[str]:
    """Forms of address that every client reaches without a resolver of its own."""
    return [
        f"{server.url}/_aws/execute-api/{api}/prod",
        f"{server.url}/restapis/{api}/prod/_user_request_",
        f"http://{api}.execute-api.us-east-1.localhost:{server.port}/prod",
    ]


def curl(*arguments: str, user: str = "test:test", scope: str = "aws:amz:us-east-1:execute-api") -> tuple[int, str]:
    command = ["curl", "-s", "--aws-sigv4", scope, "--user", user, "-w", "\n%{http_code}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def test_curl(server: Server, api: str) -> None:
    for url in urls(server, api):
        for rest in ("/who", "/who?a=1&b=2", "/deep/x/y.z"):
            for more in ((), ("-X", "POST", "--data", '{"a": 1}', "-H", "Content-Type: application/json")):
                status, body = curl(f"{url}{rest}", *more)
                assert (status, json.loads(body).get("who")) == (200, ROOT), (url, rest, more, body)
    url = f"{urls(server, api)[0]}/who"
    for wrong in (
        {"user": "test:other"},
        {"scope": "aws:amz:eu-west-1:execute-api"},
        {"scope": "aws:amz:us-east-1:s3"},
    ):
        status, body = curl(url, **wrong)
        assert (status, "message" in json.loads(body)) == (403, True), wrong
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    assert curl(f"http://{host}/prod/who", "--connect-to", f"{host}:80:127.0.0.1:{server.port}")[0] == 200


PATHS = ["/who", "/deep/a b/é", "/deep/a%2Fb", "/deep/a+b(c)*'!~", "/deep/x=y&z;w:v@u,t$"]
QUERIES = [{}, {"b": "2", "a": "1 +/=&é"}, {"a": ["2", "1"], "A": ""}]


def wire(path: str) -> str:
    return quote(path, safe="/%")


def test_requests_with_a_signing_library(server: Server, api: str) -> None:
    auth = AWS4Auth("test", "test", "us-east-1", "execute-api")
    for path in PATHS:
        for query in QUERIES:
            for options in ({}, {"json": {"a": "é"}}, {"data": b"\x00\xff", "headers": {"X-Amz-Meta": "a   b"}}):
                address = f"{urls(server, api)[0]}{wire(path)}"
                answer = requests.request("POST" if options else "GET", address, params=query, auth=auth, **options)
                assert (answer.status_code, answer.json().get("who")) == (200, ROOT), (path, query, answer.text)
    wrong = AWS4Auth("test", "other", "us-east-1", "execute-api")
    refused = requests.get(f"{urls(server, api)[0]}/who", auth=wrong)
    assert (refused.status_code, refused.headers["x-amzn-ErrorType"]) == (403, "InvalidSignatureException")


@pytest.mark.parametrize("presign", [False, True])
def test_botocore(server: Server, api: str, presign: bool) -> None:
    session = botocore.httpsession.URLLib3Session()
    credentials = Credentials("test", "test")
    signer = (
        botocore.auth.SigV4QueryAuth(credentials, "execute-api", "us-east-1", expires=60)
        if presign
        else botocore.auth.SigV4Auth(credentials, "execute-api", "us-east-1")
    )
    for url in urls(server, api)[:2]:
        for path in PATHS:
            request = AWSRequest(method="GET", url=f"{url}{wire(path)}", params={"q": "1 é", "a": "~"})
            prepared = request.prepare()
            request = AWSRequest(method="GET", url=prepared.url)
            signer.add_auth(request)
            answer = session.send(request.prepare())
            assert (answer.status_code, json.loads(answer.text).get("who")) == (200, ROOT), (path, answer.text)
