"""Custom domain names, their mappings and access associations, through real boto3 against the running program."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import ApiBuilder, Server

BAD, MISSING, CONFLICT = "BadRequestException", "NotFoundException", "ConflictException"
ACCOUNT = "444444444444"
EDGE_ARN = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/aaaa-1111"
REGIONAL_ARN = f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/bbbb-2222"
OTHER_ARN = f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/cccc-3333"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*"}]})
ENHANCED = "SecurityPolicy_TLS13_1_3_2025_09"


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    return server.client("apigateway", key=ACCOUNT, region="eu-west-1")


@pytest.fixture(scope="module")
def api(client: Any, server: Server) -> str:
    """An API of that account and region with the stages `prod` and `dev`."""
    builder = ApiBuilder(server)
    builder.client = client
    made = client.create_rest_api(name="domains")
    builder.id, builder.resources = made["id"], {"/": made["rootResourceId"]}
    builder.mock("/pets", "GET").deploy("prod")
    return builder.deploy("dev")


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


@pytest.fixture
def private_domain(client: Any) -> Iterator[dict[str, str]]:
    yield from _made(client, "PRIVATE")


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


# --- mappings --------------------------------------------------------------------------------------------------------


def test_mappings(client: Any, api: str, regional_domain: dict[str, str]) -> None:
    made = client.create_base_path_mapping(**regional_domain, restApiId=api, stage="prod", basePath="v1")
    assert without_metadata(made) == {"basePath": "v1", "restApiId": api, "stage": "prod"}
    empty = without_metadata(client.create_base_path_mapping(**regional_domain, restApiId=api, stage="(none)"))
    assert empty == {"basePath": "(none)", "restApiId": api}
    assert without_metadata(client.get_base_path_mapping(**regional_domain, basePath="(none)")) == empty
    pages = client.get_paginator("get_base_path_mappings").paginate(**regional_domain, PaginationConfig={"PageSize": 1})
    assert [item["basePath"] for page in pages for item in page["items"]] == ["(none)", "v1"]
    gone = client.delete_base_path_mapping(**regional_domain, basePath="v1")
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 202
    unknown = error_of(lambda: client.get_base_path_mapping(**regional_domain, basePath="v1"))
    assert unknown == (MISSING, "Invalid base path mapping identifier specified", 404)


def test_a_mapping_serves(server: Server, client: Any, api: str, regional_domain: dict[str, str]) -> None:
    client.create_base_path_mapping(**regional_domain, restApiId=api, stage="prod", basePath="v1")
    headers = {"Host": regional_domain["domainName"]}
    assert server.request("GET", "/v1/pets", headers=headers).status == 200
    client.delete_base_path_mapping(**regional_domain, basePath="v1")
    assert server.request("GET", "/v1/pets", headers=headers).status == 403


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("/basepath", "v2", {"basePath": "v2", "stage": "prod"}),
        ("/basePath", "v2", {"basePath": "v2", "stage": "prod"}),
        ("/basepath", "", {"basePath": "(none)", "stage": "prod"}),
        ("/stage", "dev", {"basePath": "v1", "stage": "dev"}),
        ("/stage", "(none)", {"basePath": "v1"}),
        ("/restapiId", "{api}", {"basePath": "v1", "stage": "prod"}),
    ],
)
def test_patches_of_a_mapping(
    client: Any, api: str, regional_domain: dict[str, str], path: str, value: str, expected: dict[str, str]
) -> None:
    client.create_base_path_mapping(**regional_domain, restApiId=api, stage="prod", basePath="v1")
    operation = op("replace", path, value.format(api=api))
    changed = client.update_base_path_mapping(**regional_domain, basePath="v1", patchOperations=[operation])
    assert without_metadata(changed) == {**expected, "restApiId": api}
    assert client.get_base_path_mappings(**regional_domain)["items"] == [{**expected, "restApiId": api}]


SLASH = (
    "API Gateway V1 doesn't support the slash character (/) in base path mappings. "
    "To create a multi-level base path mapping, use API Gateway V2."
)
CHARACTERS = 'A base path may only contain letters, numbers, and one of "$-_.+!*\'()"'
MAPPING_ERRORS: dict[str, tuple[dict[str, str], tuple[str, str, int]]] = {
    "domain": ({"domainName": "nope.example.com"}, (MISSING, "Invalid domain name identifier specified", 404)),
    "API": ({"restApiId": "nope"}, (BAD, "Invalid REST API identifier specified", 400)),
    "stage": ({"stage": "nope"}, (BAD, "Invalid stage identifier specified", 400)),
    "twice": ({"basePath": "taken"}, (CONFLICT, "Base path already exists for this domain name", 409)),
    "empty twice": ({"basePath": ""}, (CONFLICT, "Base path already exists for this domain name", 409)),
    "levels": ({"basePath": "a/b"}, (BAD, SLASH, 400)),
    "characters": ({"basePath": "a b"}, (BAD, CHARACTERS, 400)),
    "long": ({"basePath": "a" * 301}, (BAD, CHARACTERS, 400)),
    "reserved": ({"basePath": "ping"}, (BAD, "Base path ping is reserved for health checks", 400)),
}


@pytest.mark.parametrize("case", MAPPING_ERRORS)
def test_errors_of_mappings(client: Any, api: str, regional_domain: dict[str, str], case: str) -> None:
    given, expected = MAPPING_ERRORS[case]
    for base_path in ("taken", "(none)"):
        client.create_base_path_mapping(**regional_domain, restApiId=api, basePath=base_path)
    call = {**regional_domain, "restApiId": api, "basePath": "new", "stage": "prod", **given}
    assert error_of(lambda: client.create_base_path_mapping(**call)) == expected
    # A patch is held to the same.
    patches = {"restApiId": "/restapiId", "stage": "/stage", "basePath": "/basepath"}
    for member in given.keys() & patches.keys():
        operations = [op("replace", patches[member], given[member])]
        client.create_base_path_mapping(**regional_domain, restApiId=api, basePath="new")
        found = error_of(
            lambda operations=operations: client.update_base_path_mapping(
                **regional_domain, basePath="new", patchOperations=operations
            )
        )
        assert found == expected


def test_other_errors_of_mappings(client: Any, api: str, private_domain: dict[str, str]) -> None:
    found = error_of(lambda: client.create_base_path_mapping(**private_domain, restApiId=api))
    assert found == (BAD, "Tidegate does not support base path mappings of private domain names yet", 400)
    unknown = (MISSING, "Invalid base path mapping identifier specified", 404)
    assert error_of(lambda: client.delete_base_path_mapping(**private_domain, basePath="x")) == unknown
    update = error_of(lambda: client.update_base_path_mapping(**private_domain, basePath="x", patchOperations=[]))
    assert update == unknown
    assert client.get_base_path_mappings(**private_domain)["items"] == []


def test_unknown_path_of_a_mapping(client: Any, api: str, regional_domain: dict[str, str]) -> None:
    client.create_base_path_mapping(**regional_domain, restApiId=api)
    found = error_of(
        lambda: client.update_base_path_mapping(
            **regional_domain, basePath="(none)", patchOperations=[op("replace", "/x", "y")]
        )
    )
    message = "Invalid patch path  '/x' specified for op 'replace'. Must be one of: [/basepath, /restapiId, /stage]"
    assert found == (BAD, message, 400)


def test_what_is_mapped_stays(server: Server) -> None:
    builder = ApiBuilder(server).mock("/a", "GET")
    builder.deploy("one")
    builder.deploy("two")
    client = builder.client
    names = ("y.example.com", "x.example.com")
    for name in names:
        client.create_domain_name(**edge(name))
        client.create_base_path_mapping(domainName=name, restApiId=builder.id, stage="one", basePath="v1")
    assert error_of(lambda: client.delete_rest_api(restApiId=builder.id)) == (
        BAD,
        f"Deleting RestApi {builder.id} failed. Please remove all base path mappings related to the RestApi in your "
        "domains: x.example.com, y.example.com",
        400,
    )
    assert error_of(lambda: client.delete_stage(restApiId=builder.id, stageName="one")) == (
        BAD,
        "Deleting Stage one failed. Please remove all base path mappings related to the Stage in your "
        "domains: x.example.com, y.example.com",
        400,
    )
    client.delete_stage(restApiId=builder.id, stageName="two")
    for name in names:
        # The mappings go with their domain.
        client.delete_domain_name(domainName=name)
    client.delete_rest_api(restApiId=builder.id)


# --- access associations ---------------------------------------------------------------------------------------------


def associate(client: Any, arn: str, source: str = "vpce-0a1b2c3d", **options: Any) -> Any:
    return client.create_domain_name_access_association(
        domainNameArn=arn, accessAssociationSourceType="VPCE", accessAssociationSource=source, **options
    )


def test_associations(client: Any, private_domain: dict[str, str]) -> None:
    arn = client.get_domain_name(**private_domain)["domainNameArn"]
    made = without_metadata(associate(client, arn, tags={"a": "b"}))
    place = f"domainname/a.example.com+{private_domain['domainNameId']}/vpcesource/vpce-0a1b2c3d"
    assert made == {
        "domainNameAccessAssociationArn": f"arn:aws:apigateway:eu-west-1:{ACCOUNT}:/domainnameaccessassociations/{place}",
        "domainNameArn": arn,
        "accessAssociationSourceType": "VPCE",
        "accessAssociationSource": "vpce-0a1b2c3d",
        "tags": {"a": "b"},
    }
    second = associate(client, arn, "vpce-2")["domainNameAccessAssociationArn"]
    first_page = client.get_domain_name_access_associations(limit=1)
    rest = client.get_domain_name_access_associations(position=first_page["position"])
    assert len(first_page["items"] + rest["items"]) == 2
    assert client.get_domain_name_access_associations(resourceOwner="OTHER_ACCOUNTS")["items"] == []
    held = error_of(lambda: client.delete_domain_name(**private_domain))
    assert held == (CONFLICT, f"Domain name {arn} has access associations, which must be deleted first", 409)
    for association in (made["domainNameAccessAssociationArn"], second):
        client.delete_domain_name_access_association(domainNameAccessAssociationArn=association)
    unknown = error_of(lambda: client.delete_domain_name_access_association(domainNameAccessAssociationArn=second))
    assert unknown == (MISSING, "Invalid domain name access association identifier specified", 404)


def test_errors_of_associations(client: Any, private_domain: dict[str, str]) -> None:
    arn = client.get_domain_name(**private_domain)["domainNameArn"]
    other_account = arn.replace(ACCOUNT, "999999999999")
    cases = [
        ((arn, "vpc-1"), "Invalid access association source specified: vpc-1"),
        (("x",), "Invalid ARN. ARN is not well formed x"),
        (
            ("arn:aws:apigateway:eu-west-1::/domainnames/a.example.com",),
            "Invalid domain name ARN specified: arn:aws:apigateway:eu-west-1::/domainnames/a.example.com",
        ),
        (
            (other_account,),
            "Tidegate does not support access associations with domain names of other accounts yet",
        ),
    ]
    for given, message in cases:
        assert error_of(lambda given=given: associate(client, *given)) == (BAD, message, 400)
    assert error_of(lambda: associate(client, arn + "x"))[:2] == (MISSING, "Invalid domain name identifier specified")
    denying = json.dumps({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*"}})
    patched(client, private_domain, op("replace", "/managementPolicy", denying))
    denied = error_of(lambda: associate(client, arn))
    assert denied[1] == "Tidegate does not support management policies that deny access associations yet"


def test_one_endpoint_reaches_one_domain_of_a_name(client: Any, private_domain: dict[str, str]) -> None:
    twin = client.create_domain_name(**private("a.example.com"))
    made = associate(client, client.get_domain_name(**private_domain)["domainNameArn"])
    found = error_of(lambda: associate(client, twin["domainNameArn"]))
    message = "A domain name access association between a.example.com and vpce-0a1b2c3d already exists"
    assert found == (CONFLICT, message, 409)
    client.delete_domain_name_access_association(domainNameAccessAssociationArn=made["domainNameAccessAssociationArn"])
    client.delete_domain_name(domainName="a.example.com", domainNameId=twin["domainNameId"])


def test_rejecting(client: Any, private_domain: dict[str, str]) -> None:
    arn = client.get_domain_name(**private_domain)["domainNameArn"]
    association = associate(client, arn)["domainNameAccessAssociationArn"]

    def reject(association_arn: str, domain_arn: str) -> Callable[[], Any]:
        return lambda: client.reject_domain_name_access_association(
            domainNameAccessAssociationArn=association_arn, domainNameArn=domain_arn
        )

    assert error_of(reject(association, arn)) == (
        BAD,
        "Domain name access associations of your own account cannot be rejected. Use DeleteDomainNameAccessAssociation",
        400,
    )
    assert error_of(reject(association, "x")) == (BAD, "Invalid domain name ARN specified: x", 400)
    assert error_of(reject("x", arn))[0] == MISSING
    client.delete_domain_name_access_association(domainNameAccessAssociationArn=association)
