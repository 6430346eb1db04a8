"""Who gets in, and what is said to others: signatures and resource policies, on the running program."""

from __future__ import annotations

import json

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.running import Answer, ApiBuilder, Server


def signed(server: Server, api: str, path: str, *, key: str = "test", secret: str = "test") -> Answer:
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    request = AWSRequest(method="GET", url=f"https://{host}{path}", headers={"Host": host})
    botocore.auth.SigV4Auth(Credentials(key, secret), "execute-api", "us-east-1").add_auth(request)
    return server.call(api, path, headers=dict(request.headers.items()))


def test_a_signature_lets_in(server: Server) -> None:
    api = ApiBuilder(server).mock("/s", "GET", body="$context.identity.userArn")
    patch = [{"op": "replace", "path": "/authorizationType", "value": "AWS_IAM"}]
    api.client.update_method(restApiId=api.id, resourceId=api.resources["/s"], httpMethod="GET", patchOperations=patch)
    api.deploy()
    assert signed(server, api.id, "/prod/s").body == b"arn:aws:iam::000000000000:root"
    unsigned = server.call(api.id, "/prod/s")
    assert (unsigned.status, unsigned.json) == (403, {"message": "Missing Authentication Token"})
    wrong = signed(server, api.id, "/prod/s", secret="other")
    assert (wrong.status, wrong.header("x-amzn-ErrorType")) == (403, "InvalidSignatureException")
    unknown = signed(server, api.id, "/prod/s", key="AKIDNOBODY")
    assert (unknown.status, unknown.header("x-amzn-ErrorType")) == (403, "UnrecognizedClientException")
    # Another account's root needs a resource policy that lets it in.
    assert signed(server, api.id, "/prod/s", key="222222222222").status == 403


def test_a_resource_policy_decides_about_open_methods(server: Server) -> None:
    statements = [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
        {"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/prod/GET/shut"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    api = ApiBuilder(server, policy=policy).mock("/open", "GET", body="in").mock("/shut", "GET")
    api.deploy()
    assert server.call(api.id, "/prod/open").body == b"in"
    denied = server.call(api.id, "/prod/shut")
    assert denied.status == 403
    assert denied.json == {
        "Message": "User: anonymous is not authorized to perform: execute-api:Invoke on resource: "
        f"arn:aws:execute-api:us-east-1:********0000:{api.id}/prod/GET/shut with an explicit deny in a resource-based policy"
    }
