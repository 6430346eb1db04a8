"""`credentials: arn:aws:iam::*:user/*`: integrations that are called with what the client signed with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.backend import Backend
from tests.support.running import Answer, ApiBuilder, Server, lambda_uri, make_function

CALLER = "arn:aws:iam::*:user/*"
TEMPLATE = {"application/json": "{}"}


@pytest.fixture(scope="module")
def queue() -> Iterator[Backend]:
    running = Backend().start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory, queue: Backend) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("signing"), environment={"AWS_ENDPOINT_URL_SQS": queue.url}).start()
    yield running
    running.stop()


def user(server: Server, name: str, *actions: str) -> Credentials:
    """A user that may do these, with a key."""
    iam = server.client("iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": ["execute-api:Invoke", *actions], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def call(server: Server, api: str, path: str, credentials: Credentials) -> Answer:
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    request = AWSRequest(method="POST", url=f"https://{host}/prod{path}", headers={"Host": host}, data=b"{}")
    botocore.auth.SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(request)
    return server.call(api, f"/prod{path}", method="POST", body=b"{}", headers=dict(request.headers.items()))


@pytest.fixture(scope="module")
def built(signing: Server) -> ApiBuilder:
    arn = make_function(
        signing, "called", "def handler(event, context):\n    return {'statusCode': 200, 'body': 'ran'}\n"
    )
    api = ApiBuilder(signing)
    signed: dict[str, Any] = {"authorizationType": "AWS_IAM"}
    whole = {"integrationHttpMethod": "POST", "credentials": CALLER, "requestTemplates": TEMPLATE}
    service = "arn:aws:apigateway:us-east-1:sqs:path/000000000000/q"
    api.method("/sqs", "POST", {"type": "AWS", "uri": service, **whole}, **signed)
    api.method("/open", "POST", {"type": "AWS", "uri": service, **whole})
    api.method("/custom", "POST", {"type": "AWS", "uri": lambda_uri(arn), **whole}, **signed)
    del whole["requestTemplates"]
    api.method("/proxy", "POST", {"type": "AWS_PROXY", "uri": lambda_uri(arn), **whole}, **signed)
    for path in ("/sqs", "/open", "/custom"):
        api.answers(path, "POST", {"200": {}})
    api.deploy()
    return api


def test_a_service_is_called_with_the_callers_keys(signing: Server, queue: Backend, built: ApiBuilder) -> None:
    ann = user(signing, "ann")
    assert call(signing, built.id, "/sqs", ann).status == 200
    got = queue.received[-1]
    assert f"Credential={ann.access_key}/" in (got.header("Authorization") or "")
    assert len([name for name, _ in got.headers if name.lower() == "authorization"]) == 1


def test_the_callers_policies_say_which_functions(signing: Server, built: ApiBuilder) -> None:
    may, may_not = user(signing, "may", "lambda:InvokeFunction"), user(signing, "may-not")
    for path in ("/custom", "/proxy"):
        assert call(signing, built.id, path, may).status == 200, path
        refused = call(signing, built.id, path, may_not)
        assert (refused.status, refused.body) == (500, b'{"message": "Internal server error"}'), path
    signing.wait_for("Invalid permissions on Lambda function")
    root = Credentials("000000000000", "test")
    assert call(signing, built.id, "/proxy", root).body == b"ran"


def test_without_a_signature_there_is_nothing_to_pass_on(signing: Server, queue: Backend, built: ApiBuilder) -> None:
    queue.received.clear()
    assert signing.call(built.id, "/prod/open", method="POST", body=b"{}").status == 500
    assert signing.call(built.id, "/prod/sqs", method="POST", body=b"{}").status == 403
    tested = built.client.test_invoke_method(
        restApiId=built.id, resourceId=built.resources["/sqs"], httpMethod="POST", body="{}"
    )
    assert tested["status"] == 500
    assert queue.received == []
