"""AWS's host names: whose they are, and which lead a function back to its gateway."""

from __future__ import annotations

import re

import pytest

from tidegate.aws.hosts import answered_here, elsewhere, service_of
from tidegate.aws.scope import read_credential
from tidegate.core.message import Headers, Request

OWN = ("apigateway", "lambda", "logs")

ENDPOINTS = {
    "cognito-idp.us-east-1.amazonaws.com": ("cognito-idp", "us-east-1"),
    "Dynamodb.EU-west-1.amazonaws.com:443": ("dynamodb", "eu-west-1"),
    "lambda.us-gov-west-1.amazonaws.com": ("lambda", "us-gov-west-1"),
    "sqs.cn-north-1.amazonaws.com.cn": ("sqs", "cn-north-1"),
    "ec2.us-east-1.api.aws": ("ec2", "us-east-1"),
    "kms-fips.us-east-1.amazonaws.com": ("kms", "us-east-1"),
    "streams.dynamodb.us-east-1.amazonaws.com": ("dynamodb", "us-east-1"),
    "123456789012.ddb.us-east-1.amazonaws.com": ("dynamodb", "us-east-1"),
    "email.us-east-1.amazonaws.com": ("ses", "us-east-1"),
    "abc.execute-api.us-east-1.amazonaws.com": ("execute-api", "us-east-1"),
    "sts.amazonaws.com": ("sts", "us-east-1"),
    "iam.amazonaws.com.": ("iam", "us-east-1"),
    "s3.amazonaws.com": ("s3", "us-east-1"),
    "bucket.s3.amazonaws.com": ("s3", "us-east-1"),
    "a.dotted.bucket.s3.ap-southeast-2.amazonaws.com": ("s3", "ap-southeast-2"),
    "bucket.s3-us-west-2.amazonaws.com": ("s3", "us-west-2"),
    "bucket.s3.dualstack.us-west-2.amazonaws.com": ("s3", "us-west-2"),
}
OTHERS = (
    "example.com",
    "amazonaws.com",
    "checkip.amazonaws.com",
    "ip-ranges.amazonaws.com",
    "web-1.elb.us-east-1.amazonaws.com",
    "web-1.us-east-1.elb.amazonaws.com",
    "ec2-1-2-3-4.us-west-2.compute.amazonaws.com",
    "db.abc.us-east-1.rds.amazonaws.com",
    "search-x.us-east-1.es.amazonaws.com",
    "lambda.us-east-1.amazonaws.com.evil.example",
    "lambda.us-east-1.notamazonaws.com",
    "lambda.moon.amazonaws.com",
    "localhost",
    "127.0.0.1",
    "[::1]:4566",
    "",
)


@pytest.mark.parametrize("host", ENDPOINTS)
def test_endpoints(host: str) -> None:
    assert service_of(host) == ENDPOINTS[host]


@pytest.mark.parametrize("host", OTHERS)
def test_other_names(host: str) -> None:
    assert service_of(host) is None


def leads_here(host: str, neighbours: tuple[str, ...] = (), real: tuple[str, ...] = ()) -> bool:
    name = host.partition(":")[0].rstrip(".")
    return re.fullmatch(answered_here(OWN, neighbours, real), name, re.IGNORECASE) is not None


def test_every_endpoint_leads_home_and_nothing_else() -> None:
    assert [host for host in ENDPOINTS if not leads_here(host)] == []
    assert [host for host in OTHERS if leads_here(host)] == []
    assert leads_here("abc123.lambda-url.us-east-1.on.aws")
    assert leads_here("shop.auth.us-east-1.amazoncognito.com")


def test_services_that_aws_itself_answers_do_not() -> None:
    real = elsewhere({"dynamodb": "https://dynamodb.eu-west-1.amazonaws.com", "sqs": "http://queues:9324"}.items())
    assert real == {"dynamodb"}
    away = {host for host in ENDPOINTS if not leads_here(host, ("dynamodb", "sqs"), tuple(real))}
    assert away == {host for host, (service, _) in ENDPOINTS.items() if service == "dynamodb"}
    s3 = {host for host in ENDPOINTS if not leads_here(host, (), ("s3", "kms", "sts"))}
    assert s3 == {host for host, (service, _) in ENDPOINTS.items() if service in ("s3", "kms", "sts")}


def test_where_all_others_are_aws_itself_only_what_has_a_place_leads_home() -> None:
    real = elsewhere(
        {"*": "https://sts.us-east-1.amazonaws.com", "ses": "http://mail:1", "s3": "http://minio:1"}.items()
    )
    assert real == {"*"}
    here = {host for host in ENDPOINTS if leads_here(host, ("*", "ses", "s3"), tuple(real))}
    assert here == {host for host, (service, _) in ENDPOINTS.items() if service in (*OWN, "execute-api", "ses", "s3")}
    assert leads_here("abc123.lambda-url.us-east-1.on.aws", (), tuple(real))
    assert leads_here("lambda.us-east-1.amazonaws.com", (), ("lambda",)), "our own are ours"
    assert not leads_here("shop.auth.us-east-1.amazoncognito.com", (), tuple(real))
    assert not leads_here("shop.auth.us-east-1.amazoncognito.com", (), ("cognito-idp",))


def asked(host: str, *fields: tuple[bytes, bytes]) -> str | None:
    request = Request(method="GET", target=b"/", headers=Headers.of([(b"Host", host.encode()), *fields]))
    credential = read_credential(request)
    return None if credential is None else f"{credential.service} {credential.region}".strip()


def test_a_host_names_the_service_where_nothing_else_does() -> None:
    assert asked("cognito-idp.eu-west-1.amazonaws.com") == "cognito-idp eu-west-1"
    assert asked("s3.amazonaws.com", (b"X-Amz-Target", b"DynamoDB_20120810.ListTables")) == "dynamodb"
    signed = b"AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-west-2/sqs/aws4_request, SignedHeaders=host, Signature=0"
    assert asked("s3.amazonaws.com", (b"Authorization", signed)) == "sqs us-west-2"
    assert asked("example.com") is None


@pytest.mark.parametrize("service", ["apigateway", "lambda", "logs", "iam"])
def test_a_host_does_not_make_up_for_a_signature_that_must_be(service: str) -> None:
    assert asked(f"{service}.us-east-1.amazonaws.com") is None
