"""Base path mappings and access associations of custom domains, through real boto3 against the running program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import ApiBuilder, Server

BAD, MISSING, CONFLICT = "BadRequestException", "NotFoundException", "ConflictException"
ACCOUNT = "444444444447"
EDGE_ARN = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/aaaa-1111"
REGIONAL_ARN = f"arn:aws:acm:eu-west-1:{ACCOUNT}:certificate/bbbb-2222"


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
    give = {"REGIONAL": regional, "PRIVATE": private}[kind]
    made = client.create_domain_name(**give("m.example.com"))
    names = {"domainName": made["domainName"]}
    if "domainNameId" in made:
        names["domainNameId"] = made["domainNameId"]
    yield names
    client.delete_domain_name(**names)


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
    place = f"domainname/m.example.com+{private_domain['domainNameId']}/vpcesource/vpce-0a1b2c3d"
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
            ("arn:aws:apigateway:eu-west-1::/domainnames/m.example.com",),
            "Invalid domain name ARN specified: arn:aws:apigateway:eu-west-1::/domainnames/m.example.com",
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
    client.update_domain_name(**private_domain, patchOperations=[op("replace", "/managementPolicy", denying)])
    denied = error_of(lambda: associate(client, arn))
    assert denied[1] == "Tidegate does not support management policies that deny access associations yet"


def test_one_endpoint_reaches_one_domain_of_a_name(client: Any, private_domain: dict[str, str]) -> None:
    twin = client.create_domain_name(**private("m.example.com"))
    made = associate(client, client.get_domain_name(**private_domain)["domainNameArn"])
    found = error_of(lambda: associate(client, twin["domainNameArn"]))
    message = "A domain name access association between m.example.com and vpce-0a1b2c3d already exists"
    assert found == (CONFLICT, message, 409)
    client.delete_domain_name_access_association(domainNameAccessAssociationArn=made["domainNameAccessAssociationArn"])
    client.delete_domain_name(domainName="m.example.com", domainNameId=twin["domainNameId"])


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
