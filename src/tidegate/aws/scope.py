"""How a management request says who it is for: the credential scope of Signature Version 4, X-Amz-Target, or its host.

Only reads; verifying signatures is another matter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from tidegate.aws.hosts import service_of
from tidegate.core.message import Request

_NAME = re.compile(r"[a-z0-9-]+")
_FORM_VERSION = re.compile(rb"(?:^|&)Version=(\d{4}-\d\d-\d\d)(?:&|$)")
_LONGEST_SEARCH = 65_536
_CREDENTIAL = re.compile(rb"Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9.-]+)/aws4_request")

_TARGETS = {
    "AWSCognitoIdentityProviderService": "cognito-idp",
    "AWSEvents": "events",
    "AWSStepFunctions": "states",
    "AmazonSQS": "sqs",
    "AmazonSSM": "ssm",
    "DynamoDB": "dynamodb",
    "DynamoDBStreams": "dynamodb",
    "Kinesis": "kinesis",
    "Logs": "logs",
    "TrentService": "kms",
    "secretsmanager": "secretsmanager",
}
"""Prefixes of X-Amz-Target up to the underscore or dot → signing name; from botocore's `targetPrefix`."""

_ALWAYS_SIGNED = frozenset({"apigateway", "execute-api", "iam", "lambda", "logs"})
"""Services none of whose calls does without a signature: where there is none, the host does not make up for it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The account and region that records belong to."""

    account: str
    region: str


@dataclass(frozen=True, slots=True)
class Credential:
    access_key: str
    region: str
    service: str
    """The signing name, e.g. `apigateway`."""


_VERSIONS = {"2010-05-08": "iam", "2011-06-15": "sts"}
"""Versions of the services of ours that take forms → signing name; from botocore's `apiVersion`."""


def service_of_form(body: bytes) -> Credential | None:
    """What a call without credentials is meant for, by the version in its form."""
    found = _FORM_VERSION.search(body[:_LONGEST_SEARCH])
    service = None if found is None else _VERSIONS.get(found[1].decode())
    return None if service is None else Credential("", "", service)


def service_of_target(target: str) -> str | None:
    """The signing name of the service that an X-Amz-Target is of."""
    return _TARGETS.get(re.split(r"[_.]", target, maxsplit=1)[0])


def read_credential(request: Request) -> Credential | None:
    """From the Authorization header, a presigned query, X-Amz-Target, or, for what may be called without any of these (the
    keys of a user pool, a public object), AWS's own host name; None when the request names no service.
    """
    header = request.headers.get(b"authorization")
    if header is not None and (found := _CREDENTIAL.search(header)):
        return Credential(found[1].decode("latin-1"), found[3].decode("latin-1"), found[4].decode("latin-1"))
    if "X-Amz-Credential=" in request.query:
        parts = parse_qs(request.query)["X-Amz-Credential"][0].split("/")
        # Names of resources are made of the region: nothing else must pass for one.
        if len(parts) == 5 and _NAME.fullmatch(parts[2]):
            return Credential(parts[0], parts[2], parts[3])
    target = request.headers.get(b"x-amz-target")
    if target is not None:
        service = service_of_target(target.decode("latin-1"))
        if service is not None:
            return Credential("", "", service)
    named = service_of((request.headers.get(b"host") or b"").decode("latin-1"))
    return None if named is None or named[0] in _ALWAYS_SIGNED else Credential("", named[1], named[0])
