"""Who calls: identities made through IAM, clients with their keys, and requests signed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import boto3
import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from tests.support.running import Answer, Server

Keys = Mapping[str, str]
"""As CreateAccessKey and AssumeRole give them."""


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def deny(*actions: str, resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": list(actions), "Resource": resource, **more}


def trust(*principals: str, service: str | None = None, **more: Any) -> str:
    named: dict[str, Any] = {"AWS": list(principals)} if service is None else {"Service": service}
    return document({"Effect": "Allow", "Principal": named, "Action": ["sts:AssumeRole", "sts:TagSession"], **more})


def client(server: Server, service: str, keys: Keys, region: str = "us-east-1") -> Any:
    return boto3.client(
        service,
        endpoint_url=server.url,
        region_name=region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=Config(retries={"max_attempts": 0}),
    )


def make_user(iam: Any, name: str, *statements: Mapping[str, Any], **options: Any) -> Keys:
    """With an inline policy of the statements, if there are any."""
    iam.create_user(UserName=name, **options)
    if statements:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    keys: Keys = iam.create_access_key(UserName=name)["AccessKey"]
    return keys


def signed(
    server: Server,
    host: str,
    target: str,
    keys: Keys,
    *,
    service: str = "execute-api",
    method: str = "GET",
    body: bytes = b"",
    at: datetime | None = None,
    headers: Mapping[str, str] | None = None,
) -> AWSRequest:
    """`at`: when it says that it was signed."""
    request = AWSRequest(
        method=method, url=f"http://{host}{target}", data=body, headers={"Host": host, **(headers or {})}
    )
    credentials = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"))
    signer = botocore.auth.SigV4Auth(credentials, service, "us-east-1")
    if at is None:
        signer.add_auth(request)
        return request
    request.context["timestamp"] = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    signer._modify_request_before_signing(request)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text, request))
    return request


def send(server: Server, request: AWSRequest, target: str) -> Answer:
    return server.request(request.method, target, body=request.data or None, headers=dict(request.headers.items()))


def invoke(server: Server, api: str, target: str, keys: Keys, **options: Any) -> Answer:
    """A method of an API, signed."""
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    return send(server, signed(server, host, target, keys, **options), target)
