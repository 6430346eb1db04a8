"""Account, VPC links and client certificates, through real boto3 against the running program."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import ApiBuilder, Server

BAD, MISSING = "BadRequestException", "NotFoundException"
ROLE = "arn:aws:iam::000000000000:role/service-role/logs"
BALANCER = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/net/mine/0123456789abcdef"


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    return server.client("apigateway", key="555555555555")


def op(name: str, path: str, value: str | None = None) -> dict[str, str]:
    return {"op": name, "path": path} | ({} if value is None else {"value": value})


# --- account ---------------------------------------------------------------------------------------------------------


def test_the_account(client: Any) -> None:
    fresh = {
        "throttleSettings": {"burstLimit": 5000, "rateLimit": 10000.0},
        "features": ["UsagePlans"],
        "apiKeyVersion": "4",
    }
    assert without_metadata(client.get_account()) == fresh
    with_role = without_metadata(client.update_account(patchOperations=[op("replace", "/cloudwatchRoleArn", ROLE)]))
    assert with_role == {**fresh, "cloudwatchRoleArn": ROLE}
    assert without_metadata(client.get_account()) == with_role
    # An empty value takes it away, as Terraform does.
    assert without_metadata(client.update_account(patchOperations=[op("replace", "/cloudwatchRoleArn", "")])) == fresh
    features = [op("add", "/features", "UsagePlans"), op("remove", "/features", "BlockedForRoutingRules")]
    assert without_metadata(client.update_account(patchOperations=features)) == fresh


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (op("replace", "/cloudwatchRoleArn", "x"), "Invalid ARN specified in the request"),
        (
            op("replace", "/cloudwatchRoleArn", "arn:aws:iam::000000000000:user/x"),
            "Invalid ARN specified in the request",
        ),
        (op("remove", "/features", "UsagePlans"), "Feature UsagePlans cannot be removed"),
        (op("remove", "/features", "X"), "Invalid feature specified: X. Must be one of: [BlockedForRoutingRules]"),
        (op("add", "/features", "X"), "Invalid feature specified: X. Must be one of: [UsagePlans]"),
        (op("remove", "/cloudwatchRoleArn"), "Invalid patch operation specified. Must be one of: [replace]"),
        (
            op("replace", "/throttleSettings", "1"),
            "Invalid patch path  '/throttleSettings' specified for op 'replace'. "
            "Must be one of: [/cloudwatchRoleArn, /features]",
        ),
    ],
)
def test_bad_patches_of_the_account(client: Any, operation: dict[str, str], message: str) -> None:
    assert error_of(lambda: client.update_account(patchOperations=[operation])) == (BAD, message, 400)


# --- VPC links -------------------------------------------------------------------------------------------------------


def test_a_link_is_pending_then_available(client: Any) -> None:
    made = without_metadata(client.create_vpc_link(name="l", description="d", targetArns=[BALANCER], tags={"a": "b"}))
    link = {"name": "l", "description": "d", "targetArns": [BALANCER], "tags": {"a": "b"}, "id": made["id"]}
    assert made == {**link, "status": "PENDING"}
    ready = {**link, "status": "AVAILABLE", "statusMessage": "Your vpc link is ready for use"}
    assert without_metadata(client.get_vpc_link(vpcLinkId=made["id"])) == ready
    assert client.get_vpc_links()["items"] == [ready]
    changes = [op("replace", "/name", "n"), op("replace", "/description", "e")]
    changed = client.update_vpc_link(vpcLinkId=made["id"], patchOperations=changes)
    assert without_metadata(changed) == {**ready, "name": "n", "description": "e"}
    assert client.delete_vpc_link(vpcLinkId=made["id"])["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert client.get_vpc_links()["items"] == []


def test_creation_of_a_link_is_accepted(client: Any) -> None:
    made = client.create_vpc_link(name="l", targetArns=[BALANCER])
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    client.delete_vpc_link(vpcLinkId=made["id"])


def test_links_come_in_pages(client: Any) -> None:
    made = sorted(client.create_vpc_link(name="l", targetArns=[BALANCER])["id"] for _ in range(3))
    pages = client.get_paginator("get_vpc_links").paginate(PaginationConfig={"PageSize": 2})
    assert [[item["id"] for item in page["items"]] for page in pages] == [made[:2], made[2:]]
    for link_id in made:
        client.delete_vpc_link(vpcLinkId=link_id)


def test_a_link_to_what_is_no_network_balancer_fails(client: Any) -> None:
    target = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/mine/0123456789abcdef"
    made = client.create_vpc_link(name="l", targetArns=[target])
    got = client.get_vpc_link(vpcLinkId=made["id"])
    assert (got["status"], got["statusMessage"]) == ("FAILED", "NLB ARN is malformed.")
    client.delete_vpc_link(vpcLinkId=made["id"])


LINK_ERRORS: dict[str, tuple[Callable[[Any, str], Any], tuple[str, str, int]]] = {
    "no name": (
        lambda client, _: client.create_vpc_link(name="", targetArns=[BALANCER]),
        (BAD, "Name cannot be empty", 400),
    ),
    "no target": (
        lambda client, _: client.create_vpc_link(name="l", targetArns=[]),
        (BAD, "No target arn specified for vpc link.", 400),
    ),
    "two targets": (
        lambda client, _: client.create_vpc_link(name="l", targetArns=[BALANCER, BALANCER]),
        (BAD, "More than one target arn specified for vpc link.", 400),
    ),
    "no ARN": (
        lambda client, _: client.create_vpc_link(name="l", targetArns=["x"]),
        (BAD, "Invalid ARN. ARN is not well formed x", 400),
    ),
    "unknown": (
        lambda client, _: client.get_vpc_link(vpcLinkId="nope"),
        (MISSING, "Invalid Vpc Link identifier specified", 404),
    ),
    "unknown, delete": (
        lambda client, _: client.delete_vpc_link(vpcLinkId="nope"),
        (MISSING, "Invalid Vpc Link identifier specified", 404),
    ),
    "name": (
        lambda client, link: client.update_vpc_link(vpcLinkId=link, patchOperations=[op("replace", "/name", "")]),
        (BAD, "Name cannot be empty", 400),
    ),
    "targets": (
        lambda client, link: client.update_vpc_link(vpcLinkId=link, patchOperations=[op("add", "/targetArns", "x")]),
        (BAD, "Target arns are not allowed to be changed/added.", 400),
    ),
    "path": (
        lambda client, link: client.update_vpc_link(vpcLinkId=link, patchOperations=[op("replace", "/x", "y")]),
        (BAD, "Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/name, /description]", 400),
    ),
}


@pytest.mark.parametrize("case", LINK_ERRORS)
def test_errors_of_links(client: Any, case: str) -> None:
    call, expected = LINK_ERRORS[case]
    link = client.create_vpc_link(name="l", targetArns=[BALANCER])["id"]
    assert error_of(lambda: call(client, link)) == expected
    client.delete_vpc_link(vpcLinkId=link)


def test_a_link_in_use_stays(server: Server) -> None:
    builder = ApiBuilder(server)
    link = builder.client.create_vpc_link(name="l", targetArns=[BALANCER])["id"]
    connection = {"connectionType": "VPC_LINK", "connectionId": link}
    builder.proxy_to("/a", "GET", "http://a.example/", **connection)
    found = error_of(lambda: builder.client.delete_vpc_link(vpcLinkId=link))
    assert found == (
        BAD,
        f"Cannot delete vpc link. Vpc link '{link}', is referenced in "
        f"[{builder.id}:GET:{builder.resources['/a']}] in format of [RESTApiId:Method:Resource].",
        400,
    )
    builder.client.delete_rest_api(restApiId=builder.id)
    builder.client.delete_vpc_link(vpcLinkId=link)


# --- client certificates ---------------------------------------------------------------------------------------------


def test_a_certificate_is_real(client: Any) -> None:
    made = without_metadata(client.generate_client_certificate(description="d", tags={"a": "b"}))
    assert made.keys() == {
        *("clientCertificateId", "description", "pemEncodedCertificate", "createdDate", "expirationDate", "tags"),
    }
    assert made["expirationDate"] - made["createdDate"] == timedelta(days=365)
    certificate = x509.load_pem_x509_certificate(made["pemEncodedCertificate"].encode())
    assert certificate.subject == certificate.issuer
    assert certificate.subject.rfc4514_string() == "CN=ApiGateway,L=Seattle,C=US"
    assert certificate.not_valid_before_utc == made["createdDate"]
    assert certificate.not_valid_after_utc == made["expirationDate"]
    key = certificate.public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 2048
    hashed = certificate.signature_hash_algorithm
    assert hashed is not None
    key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), hashed)
    assert without_metadata(client.get_client_certificate(clientCertificateId=made["clientCertificateId"])) == made
    other = client.generate_client_certificate()
    assert other["pemEncodedCertificate"] != made["pemEncodedCertificate"]
    pages = client.get_paginator("get_client_certificates").paginate(PaginationConfig={"PageSize": 1})
    ids = [item["clientCertificateId"] for page in pages for item in page["items"]]
    assert ids == sorted([made["clientCertificateId"], other["clientCertificateId"]])
    for certificate_id in ids:
        gone = client.delete_client_certificate(clientCertificateId=certificate_id)
        assert gone["ResponseMetadata"]["HTTPStatusCode"] == 202


def test_patching_a_certificate(client: Any) -> None:
    made = client.generate_client_certificate()["clientCertificateId"]
    described = op("replace", "/description", "new")
    changed = client.update_client_certificate(clientCertificateId=made, patchOperations=[described])
    assert changed["description"] == "new"
    found = error_of(
        lambda: client.update_client_certificate(clientCertificateId=made, patchOperations=[op("replace", "/x", "y")])
    )
    assert found[1] == "Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/description]"
    client.delete_client_certificate(clientCertificateId=made)
    unknown = (MISSING, "Invalid Client Certificate identifier specified", 404)
    assert error_of(lambda: client.get_client_certificate(clientCertificateId=made)) == unknown
    assert error_of(lambda: client.delete_client_certificate(clientCertificateId=made)) == unknown
    assert error_of(lambda: client.update_client_certificate(clientCertificateId=made, patchOperations=[])) == unknown


def test_a_certificate_in_use_stays(server: Server) -> None:
    builder = ApiBuilder(server).mock("/a", "GET")
    builder.deploy("prod")
    client = builder.client
    made = client.generate_client_certificate()["clientCertificateId"]
    attach = op("replace", "/clientCertificateId", made)
    client.update_stage(restApiId=builder.id, stageName="prod", patchOperations=[attach])
    found = error_of(lambda: client.delete_client_certificate(clientCertificateId=made))
    assert found == (
        BAD,
        f"Cannot delete Client Certificate {made} because there are API Stages associated with it, "
        f"including {builder.id}:prod",
        400,
    )
    client.delete_rest_api(restApiId=builder.id)
    client.delete_client_certificate(clientCertificateId=made)
