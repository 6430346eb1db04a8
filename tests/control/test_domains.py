"""Custom domain names, through real boto3 against the running program."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import Server

BAD, MISSING = "BadRequestException", "NotFoundException"
ACCOUNT = "444444444444"
EDGE_ARN = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/aaaa-1111"
REGIONAL_ARN = f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/bbbb-2222"
OTHER_ARN = f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/cccc-3333"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})
ENHANCED = "SecurityPolicy_TLS13_1_3_2025_09"


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    return server.client("apigateway", key=ACCOUNT, region="eu-west-1")


def edge(name: str, **options: Any) -> dict[str, Any]:
    return {"domainName": name, "certificateArn": EDGE_ARN, **options}


def regional(name: str, **options: Any) -> dict[str, Any]:
    types = {"types": ["REGIONAL"]}
    return {"domainName": name, "regionalCertificateArn": REGIONAL_ARN, "endpointConfiguration": types, **options}


def private(name: str, **options: Any) -> dict[str, Any]:
    types = {"types": ["PRIVATE"]}
    return {"domainName": name, "certificateArn": REGIONAL_ARN, "endpointConfiguration": types, **options}


def op(name: str, path: str, value: str | None = None) -> dict[str, str]:
    return {"op": name, "path": path} | ({} if value is None else {"value": value})


@pytest.fixture
def regional_domain(client: Any) -> Iterator[dict[str, str]]:
    yield from _made(client, "REGIONAL")


def _made(client: Any, kind: str) -> Iterator[dict[str, str]]:
    """What names a domain in a call."""
    give = {"EDGE": edge, "REGIONAL": regional, "PRIVATE": private}[kind]
    made = client.create_domain_name(**give("a.example.com"))
    names = {"domainName": made["domainName"]}
    if "domainNameId" in made:
        names["domainNameId"] = made["domainNameId"]
    yield names
    client.delete_domain_name(**names)


# --- domains ---------------------------------------------------------------------------------------------------------


def test_an_edge_domain(client: Any) -> None:
    made = without_metadata(client.create_domain_name(**edge("edge.example.com", tags={"a": "b"})))
    assert re.fullmatch(r"d[a-z0-9]{13}\.cloudfront\.net", made.pop("distributionDomainName"))
    made.pop("certificateUploadDate")
    assert made == {
        "domainName": "edge.example.com",
        "domainNameArn": "arn:aws:apigateway:eu-west-1::/domainnames/edge.example.com",
        "certificateArn": EDGE_ARN,
        "distributionHostedZoneId": "Z2FDTNDATAQYW2",
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
        "domainNameStatus": "AVAILABLE",
        "securityPolicy": "TLS_1_2",
        "routingMode": "BASE_PATH_MAPPING_ONLY",
        "tags": {"a": "b"},
    }
    assert client.delete_domain_name(domainName="edge.example.com")["ResponseMetadata"]["HTTPStatusCode"] == 202


def test_a_regional_domain(client: Any) -> None:
    made = without_metadata(client.create_domain_name(**regional("*.example.com", securityPolicy="TLS_1_0")))
    assert re.fullmatch(r"d-[a-z0-9]{10}\.execute-api\.eu-west-1\.amazonaws\.com", made["regionalDomainName"])
    assert without_metadata(client.get_domain_name(domainName="*.example.com")) == made
    made.pop("regionalDomainName")
    assert made == {
        "domainName": "*.example.com",
        "domainNameArn": "arn:aws:apigateway:eu-west-1::/domainnames/*.example.com",
        "regionalCertificateArn": REGIONAL_ARN,
        "regionalHostedZoneId": "ZLY8HYME6SFDD",
        "endpointConfiguration": {"types": ["REGIONAL"], "ipAddressType": "ipv4"},
        "domainNameStatus": "AVAILABLE",
        "securityPolicy": "TLS_1_0",
        "routingMode": "BASE_PATH_MAPPING_ONLY",
    }
    client.delete_domain_name(domainName="*.example.com")
    unknown = error_of(lambda: client.get_domain_name(domainName="*.example.com"))
    assert unknown == (MISSING, "Invalid domain name identifier specified", 404)


def test_private_domains_of_one_name(client: Any) -> None:
    first, second = (client.create_domain_name(**private("p.example.com", policy=POLICY)) for _ in range(2))
    assert first["domainNameId"] != second["domainNameId"]
    place = f"domainnames/p.example.com+{first['domainNameId']}"
    assert first["domainNameArn"] == f"arn:aws:apigateway:eu-west-1:{ACCOUNT}:/{place}"
    assert first["endpointConfiguration"] == {"types": ["PRIVATE"], "ipAddressType": "dualstack"}
    assert (first["policy"], first["certificateArn"]) == (POLICY, REGIONAL_ARN)
    assert "distributionDomainName" not in first
    assert "regionalDomainName" not in first
    # Without the id the public domain of that name is meant.
    assert error_of(lambda: client.get_domain_name(domainName="p.example.com"))[0] == MISSING
    client.create_domain_name(**regional("p.example.com"))
    assert "domainNameId" not in client.get_domain_name(domainName="p.example.com")
    pages = client.get_paginator("get_domain_names").paginate(PaginationConfig={"PageSize": 1})
    listed = [item.get("domainNameId") for page in pages for item in page["items"]]
    assert listed == [None, *sorted([first["domainNameId"], second["domainNameId"]])]
    assert client.get_domain_names(resourceOwner="OTHER_ACCOUNTS")["items"] == []
    assert len(client.get_domain_names(resourceOwner="SELF")["items"]) == 3
    client.delete_domain_name(domainName="p.example.com")
    for made in (first, second):
        client.delete_domain_name(domainName="p.example.com", domainNameId=made["domainNameId"])


def test_a_public_name_is_there_once(client: Any, server: Server) -> None:
    client.create_domain_name(**edge("once.example.com"))
    elsewhere = server.client("apigateway", key="444444444445")
    for other in (client, elsewhere):
        found = error_of(lambda other=other: other.create_domain_name(**edge("once.example.com")))
        assert found == (BAD, "The domain name you provided already exists.", 400)
    client.delete_domain_name(domainName="once.example.com")


def misspelt(name: str) -> tuple[dict[str, Any], str]:
    return edge(name), f"Invalid domain name specified: {name}"


CREATE_ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "upper case": misspelt("A.example.com"),
    "one label": misspelt("localhost"),
    "an address": misspelt("10.0.0.1"),
    "wildcard inside": misspelt("a.*.example.com"),
    "too long": misspelt("a." * 130 + "com"),
    "an API's host": misspelt("abc.execute-api.localhost"),
    "AWS's host": misspelt("apigateway.eu-west-1.amazonaws.com"),
    "private wildcard": (
        private("*.example.com"),
        "Wildcard custom domain names are not supported for private custom domain names",
    ),
    "no type": (
        edge("a.example.com", endpointConfiguration={"types": []}),
        "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
    ),
    "two types": (
        edge("a.example.com", endpointConfiguration={"types": ["EDGE", "REGIONAL"]}),
        "Cannot create a domain name with multiple Endpoint Types.",
    ),
    "endpoints": (
        private("a.example.com", endpointConfiguration={"types": ["PRIVATE"], "vpcEndpointIds": ["vpce-1"]}),
        "VPCEndpoint IDs are not supported for domain names",
    ),
    "ipv4 for a private one": (
        private("a.example.com", endpointConfiguration={"types": ["PRIVATE"], "ipAddressType": "ipv4"}),
        "Only dualstack ipAddressType is supported for private domain names.",
    ),
    "no certificate": (
        {"domainName": "a.example.com"},
        "A certificate ARN must be specified for the endpoint type EDGE",
    ),
    "no regional certificate": (
        regional("a.example.com", regionalCertificateArn=""),
        "A certificate ARN must be specified for the endpoint type REGIONAL",
    ),
    "no private certificate": (
        private("a.example.com", certificateArn=""),
        "A certificate ARN must be specified for the endpoint type PRIVATE",
    ),
    "uploaded certificate": (
        edge("a.example.com", certificateBody="x"),
        "Tidegate does not support uploading certificates (certificateBody) yet",
    ),
    "edge certificate for a regional one": (
        regional("a.example.com", certificateArn=EDGE_ARN),
        "Cannot import certificates for EDGE while REGIONAL is active.",
    ),
    "regional certificate for an edge one": (
        edge("a.example.com", regionalCertificateArn=REGIONAL_ARN),
        "Cannot import certificates for REGIONAL while EDGE is active.",
    ),
    "regional certificate for a private one": (
        private("a.example.com", regionalCertificateArn=REGIONAL_ARN),
        "Cannot import certificates for REGIONAL while PRIVATE is active.",
    ),
    "edge certificate elsewhere": (
        edge("a.example.com", certificateArn=REGIONAL_ARN),
        f"Invalid certificate ARN: {REGIONAL_ARN}. Certificate must be in 'us-east-1'.",
    ),
    "regional certificate elsewhere": (
        regional("a.example.com", regionalCertificateArn=EDGE_ARN),
        f"Invalid certificate ARN: {EDGE_ARN}. Certificate must be in 'eu-west-1'.",
    ),
    "no ARN": (edge("a.example.com", certificateArn="x"), "Invalid certificate ARN: x"),
    "no certificate's ARN": (
        edge("a.example.com", certificateArn="arn:aws:iam::1:certificate/x"),
        "Invalid certificate ARN: arn:aws:iam::1:certificate/x",
    ),
    "no ownership certificate": (
        regional("a.example.com", ownershipVerificationCertificateArn="x"),
        "Invalid certificate ARN: x",
    ),
    "mode missing": (
        regional("a.example.com", securityPolicy=ENHANCED),
        "Endpoint access mode is required for the specified security policy",
    ),
    "enhanced policy": (
        regional("a.example.com", securityPolicy=ENHANCED, endpointAccessMode="STRICT"),
        f"Tidegate does not support the security policy {ENHANCED} yet",
    ),
    "another type's policy": (
        edge("a.example.com", securityPolicy=ENHANCED, endpointAccessMode="BASIC"),
        f"The security policy {ENHANCED} is not supported for the endpoint type EDGE",
    ),
    "old policy for a private one": (
        private("a.example.com", securityPolicy="TLS_1_0"),
        "The security policy TLS_1_0 is not supported for the endpoint type PRIVATE",
    ),
    "mode without policy": (
        regional("a.example.com", endpointAccessMode="BASIC"),
        "/endpointAccessMode Invalid request input",
    ),
    "mutual TLS": (
        regional("a.example.com", mutualTlsAuthentication={"truststoreUri": "s3://b/k"}),
        "Tidegate does not support mutual TLS yet",
    ),
    "mutual TLS at the edge": (
        edge("a.example.com", mutualTlsAuthentication={"truststoreUri": "s3://b/k"}),
        "Mutual TLS is only supported for domain names with the endpoint type REGIONAL",
    ),
    "truststore": (
        regional("a.example.com", mutualTlsAuthentication={"truststoreUri": "https://b/k"}),
        "Invalid truststoreUri specified: https://b/k. It must be of the form s3://bucket-name/key-name",
    ),
    "routing rules": (
        regional("a.example.com", routingMode="ROUTING_RULE_ONLY"),
        "Tidegate does not support the routing mode ROUTING_RULE_ONLY yet",
    ),
    "policy of a public one": (
        regional("a.example.com", policy=POLICY),
        "policy is only supported for private custom domain names",
    ),
    "policy that is none": (private("a.example.com", policy="{}"), "Invalid policy document specified for policy"),
    "reserved tag": (
        edge("a.example.com", tags={"aws:x": "1"}),
        "Invalid tag key: aws:x. The prefix aws: is reserved",
    ),
}


@pytest.mark.parametrize("case", CREATE_ERRORS)
def test_errors_of_creating(client: Any, case: str) -> None:
    given, message = CREATE_ERRORS[case]
    assert error_of(lambda: client.create_domain_name(**given)) == (BAD, message, 400)
    assert client.get_domain_names()["items"] == []


def patched(client: Any, domain: dict[str, str], *operations: dict[str, str]) -> Any:
    return client.update_domain_name(**domain, patchOperations=list(operations))


def test_migration_and_back(client: Any, regional_domain: dict[str, str]) -> None:
    types, arn = "/endpointConfiguration/types", "/certificateArn"
    before = client.get_domain_name(**regional_domain)
    both = patched(
        client,
        regional_domain,
        op("add", types, "EDGE"),
        op("add", arn, EDGE_ARN),
        op("add", "/certificateName", "edge"),
    )
    assert both["endpointConfiguration"]["types"] == ["REGIONAL", "EDGE"]
    assert (both["certificateArn"], both["certificateName"]) == (EDGE_ARN, "edge")
    assert both["regionalDomainName"] == before["regionalDomainName"]
    assert both["distributionHostedZoneId"] == "Z2FDTNDATAQYW2"
    moved = patched(client, regional_domain, op("remove", types, "REGIONAL"), op("remove", "/regionalCertificateArn"))
    assert moved["endpointConfiguration"]["types"] == ["EDGE"]
    assert moved["distributionDomainName"] == both["distributionDomainName"]
    assert not {"regionalDomainName", "regionalHostedZoneId", "regionalCertificateArn"} & moved.keys()
    back = patched(
        client,
        regional_domain,
        op("add", types, "REGIONAL"),
        op("add", "/regionalCertificateArn", REGIONAL_ARN),
        op("add", "/regionalCertificateName", "regional"),
    )
    assert back["regionalCertificateName"] == "regional"
    gone = patched(
        client, regional_domain, op("remove", types, "EDGE"), op("remove", arn), op("remove", "/certificateName")
    )
    assert not {"distributionDomainName", "certificateArn", "certificateName", "certificateUploadDate"} & gone.keys()
    unnamed = patched(client, regional_domain, op("remove", "/regionalCertificateName"))
    assert "regionalCertificateName" not in unnamed


PATCHES: list[tuple[str, list[dict[str, str]], str, Any]] = [
    ("EDGE", [op("replace", "/certificateArn", EDGE_ARN + "0")], "certificateArn", EDGE_ARN + "0"),
    ("EDGE", [op("replace", "/certificateName", "n")], "certificateName", "n"),
    ("PRIVATE", [op("replace", "/certificateArn", OTHER_ARN)], "certificateArn", OTHER_ARN),
    ("REGIONAL", [op("replace", "/regionalCertificateArn", OTHER_ARN)], "regionalCertificateArn", OTHER_ARN),
    ("REGIONAL", [op("replace", "/regionalCertificateName", "n")], "regionalCertificateName", "n"),
    (
        "REGIONAL",
        [op("replace", "/endpointConfiguration/ipAddressType", "dualstack")],
        "endpointConfiguration",
        {"types": ["REGIONAL"], "ipAddressType": "dualstack"},
    ),
    ("REGIONAL", [op("replace", "/securityPolicy", "TLS_1_0")], "securityPolicy", "TLS_1_0"),
    ("REGIONAL", [op("replace", "/endpointAccessMode", "")], "endpointAccessMode", None),
    ("REGIONAL", [op("replace", "/routingMode", "BASE_PATH_MAPPING_ONLY")], "routingMode", "BASE_PATH_MAPPING_ONLY"),
    (
        "REGIONAL",
        [op("add", "/ownershipVerificationCertificateArn", EDGE_ARN)],
        "ownershipVerificationCertificateArn",
        EDGE_ARN,
    ),
    (
        "REGIONAL",
        [
            op("replace", "/ownershipVerificationCertificateArn", EDGE_ARN),
            op("remove", "/ownershipVerificationCertificateArn"),
        ],
        "ownershipVerificationCertificateArn",
        None,
    ),
    ("REGIONAL", [op("remove", "/mutualTlsAuthentication/truststoreUri")], "mutualTlsAuthentication", None),
    ("REGIONAL", [op("remove", "/mutualTlsAuthentication/truststoreVersion")], "mutualTlsAuthentication", None),
    ("PRIVATE", [op("replace", "/policy", POLICY)], "policy", POLICY),
    ("PRIVATE", [op("replace", "/policy", POLICY), op("replace", "/policy", "")], "policy", None),
    ("PRIVATE", [op("replace", "/managementPolicy", POLICY)], "managementPolicy", POLICY),
]


@pytest.mark.parametrize("case", range(len(PATCHES)))
def test_patches_of_a_domain(client: Any, case: int) -> None:
    kind, operations, member, expected = PATCHES[case]
    for domain in _made(client, kind):
        assert patched(client, domain, *operations).get(member) == expected
        assert client.get_domain_name(**domain).get(member) == expected


TYPES = "/endpointConfiguration/types"
PATCH_ERRORS: dict[str, tuple[str, list[dict[str, str]], str]] = {
    "both ways at once": (
        "REGIONAL",
        [op("add", TYPES, "EDGE"), op("add", "/certificateArn", EDGE_ARN), op("remove", TYPES, "REGIONAL")],
        f"Cannot add and remove {TYPES} in the same request",
    ),
    "certificate both ways at once": (
        "EDGE",
        [op("add", "/certificateArn", EDGE_ARN), op("remove", "/certificateArn")],
        "Cannot add and remove /certificateArn in the same request",
    ),
    "type without certificate": (
        "REGIONAL",
        [op("add", TYPES, "EDGE")],
        "A certificate ARN must be specified for the endpoint type EDGE",
    ),
    "certificate without type": (
        "REGIONAL",
        [op("add", "/certificateArn", EDGE_ARN)],
        "Cannot import certificates for EDGE while REGIONAL is active.",
    ),
    "certificate in use": (
        "REGIONAL",
        [op("remove", "/regionalCertificateArn")],
        "A certificate ARN must be specified for the endpoint type REGIONAL",
    ),
    "certificate that is not there": (
        "REGIONAL",
        [op("replace", "/certificateArn", EDGE_ARN)],
        "Cannot replace /certificateArn: there is none",
    ),
    "the last type": (
        "REGIONAL",
        [op("remove", TYPES, "REGIONAL")],
        "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
    ),
    "to private": (
        "REGIONAL",
        [op("add", TYPES, "PRIVATE")],
        "Domain names can only be migrated between the endpoint types EDGE and REGIONAL",
    ),
    "from private": (
        "PRIVATE",
        [op("add", TYPES, "REGIONAL")],
        "Domain names can only be migrated between the endpoint types EDGE and REGIONAL",
    ),
    "address type": (
        "REGIONAL",
        [op("replace", "/endpointConfiguration/ipAddressType", "ipv6")],
        "ipAddressType must be either ipv4 or dualstack.",
    ),
    "access mode": (
        "REGIONAL",
        [op("replace", "/endpointAccessMode", "STRICT")],
        "/endpointAccessMode Invalid request input",
    ),
    "enhanced policy": (
        "REGIONAL",
        [op("replace", "/securityPolicy", ENHANCED), op("replace", "/endpointAccessMode", "STRICT")],
        f"Tidegate does not support the security policy {ENHANCED} yet",
    ),
    "unknown policy": (
        "REGIONAL",
        [op("replace", "/securityPolicy", "TLS_0")],
        "Invalid security policy specified: TLS_0",
    ),
    "truststore": (
        "REGIONAL",
        [op("add", "/mutualTlsAuthentication/truststoreUri", "s3://b/k")],
        "Tidegate does not support mutual TLS yet",
    ),
    "truststore version": (
        "REGIONAL",
        [op("replace", "/mutualTlsAuthentication/truststoreVersion", "v")],
        "Invalid truststoreUri specified: None. It must be of the form s3://bucket-name/key-name",
    ),
    "routing mode": (
        "REGIONAL",
        [op("replace", "/routingMode", "ROUTING_RULE_THEN_BASE_PATH_MAPPING")],
        "Tidegate does not support the routing mode ROUTING_RULE_THEN_BASE_PATH_MAPPING yet",
    ),
    "no routing mode": (
        "REGIONAL",
        [op("replace", "/routingMode", "X")],
        "Invalid routing mode specified: X. Must be one of: "
        "[BASE_PATH_MAPPING_ONLY, ROUTING_RULE_ONLY, ROUTING_RULE_THEN_BASE_PATH_MAPPING]",
    ),
    "policy of a public one": (
        "EDGE",
        [op("replace", "/managementPolicy", POLICY)],
        "managementPolicy is only supported for private custom domain names",
    ),
    "policy that is none": (
        "PRIVATE",
        [op("replace", "/managementPolicy", "x")],
        "Invalid policy document specified for managementPolicy",
    ),
    "operation": (
        "EDGE",
        [op("add", "/securityPolicy", "TLS_1_2")],
        "Invalid patch operation specified. Must be one of: [replace]",
    ),
}


@pytest.mark.parametrize("case", PATCH_ERRORS)
def test_bad_patches_of_a_domain(client: Any, case: str) -> None:
    kind, operations, message = PATCH_ERRORS[case]
    for domain in _made(client, kind):
        before = without_metadata(client.get_domain_name(**domain))
        found = error_of(lambda domain=domain: patched(client, domain, *operations))
        assert found == (BAD, message, 400)
        assert without_metadata(client.get_domain_name(**domain)) == before
