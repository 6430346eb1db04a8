"""Every paginator that boto3 has for API Gateway, page by page of one, against the whole; and number timestamps on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore import xform_name

from tests.control.test_hostile_calls import SERVICE, Caller
from tests.support.hostile import Call
from tests.support.patch_worlds import BALANCER, CERTIFICATE, invocation
from tests.support.running import ApiBuilder, Server

ACCOUNT = "757575757575"
NUMBERS = (1, 2, 3)


@pytest.fixture(scope="module")
def names(server: Server) -> dict[str, str]:
    """Three of everything that is listed."""
    client = server.client("apigateway", key=ACCOUNT)
    builder = ApiBuilder.__new__(ApiBuilder)
    made = client.create_rest_api(name="n")
    builder.client, builder.id, builder.resources = client, made["id"], {"/": made["rootResourceId"]}
    builder.mock("/", "GET").deploy("prod")
    api = {"restApiId": builder.id}
    plan = client.create_usage_plan(name="n")["id"]
    domain = f"{builder.id}.example.com"
    client.create_domain_name(domainName=domain, certificateArn=CERTIFICATE + "1")
    token = {"type": "TOKEN", "authorizerUri": invocation("f"), "identitySource": "method.request.header.A"}
    kinds = ("API", "AUTHORIZER", "MODEL")
    for number in NUMBERS:
        client.create_rest_api(name=f"n{number}")
        builder.resource(f"/r{number}")
        client.create_authorizer(**api, name=f"n{number}", **token)
        client.create_request_validator(**api, name=f"n{number}")
        client.create_model(**api, name=f"N{number}", contentType="application/json", schema='{"type":"object"}')
        location = {"type": kinds[number - 1], **({} if number == 1 else {"name": "Empty"})}
        client.create_documentation_part(**api, location=location, properties="{}")
        client.create_documentation_version(**api, documentationVersion=f"{number}")
        client.create_deployment(**api)
        client.create_usage_plan(name=f"n{number}")
        key = client.create_api_key(name=f"n{number}")["id"]
        client.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
        client.create_vpc_link(name=f"n{number}", targetArns=[BALANCER])
        client.generate_client_certificate()
        client.create_domain_name(domainName=f"{number}.{domain}", certificateArn=CERTIFICATE + "1")
        client.create_base_path_mapping(domainName=domain, basePath=f"b{number}", **api, stage="prod")
    return {"restApiId": builder.id, "usagePlanId": plan, "domainName": domain, "keyId": key}


# AWS: "The GatewayResponses collection does not support pagination and the limit does not apply here."
OTHERWISE = {"get_gateway_responses", "get_sdk_types", "get_tags", "get_domain_name_access_associations"}
LISTS = sorted(
    xform_name(name)
    for name in SERVICE.operation_names
    if name.startswith("Get") and "position" in SERVICE.operation_model(name).input_shape.members
)


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    return server.client("apigateway", key=ACCOUNT)


def arguments(client: Any, operation: str, names: dict[str, str]) -> dict[str, str]:
    shape = SERVICE.operation_model(client.meta.method_to_api_mapping[operation]).input_shape
    given = {name: names[name] for name in shape.required_members if name in names}
    if operation == "get_usage":
        given |= {"startDate": "2026-01-01", "endDate": "2026-01-31"}
    return given


@pytest.mark.parametrize("operation", [name for name in LISTS if name not in OTHERWISE])
def test_a_list_by_its_pages(operation: str, client: Any, names: dict[str, str]) -> None:
    given = arguments(client, operation, names)
    whole = getattr(client, operation)(**given, limit=500)
    pages = list(client.get_paginator(operation).paginate(**given, PaginationConfig={"PageSize": 1}))
    if operation == "get_usage":
        assert {key: days for page in pages for key, days in page["items"].items()} == whole["items"]
        return
    assert [item for page in pages for item in page["items"]] == whole["items"]
    assert len(pages) == len(whole["items"]) >= len(NUMBERS)
    assert all(len(page["items"]) == 1 for page in pages)
    assert "position" not in pages[-1]


def test_timestamps_are_numbers(server: Server, names: dict[str, str]) -> None:
    caller = Caller(server, ACCOUNT)
    _, body = caller.send(Call("GetRestApis", "GET", "/restapis", None, {"Accept": "application/json"}))
    caller.close()
    assert all(isinstance(api["createdDate"], int) for api in json.loads(body)["item"])
