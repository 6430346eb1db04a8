"""API keys and their import, through real boto3 against the running program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import ApiBuilder, Server

BAD, MISSING, CONFLICT = "BadRequestException", "NotFoundException", "ConflictException"


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    """An account of its own, so that lists hold nothing but what these tests make."""
    return server.client("apigateway", key="333333333333")


@pytest.fixture(scope="module")
def api(server: Server) -> str:
    """An API of that account with the stages `prod` and `dev`."""
    builder = ApiBuilder(server)
    builder.client = server.client("apigateway", key="333333333333")
    made = builder.client.create_rest_api(name="keys")
    builder.id, builder.resources = made["id"], {"/": made["rootResourceId"]}
    builder.mock("/pets", "GET").deploy("prod")
    return builder.deploy("dev")


@pytest.fixture
def plan(client: Any, api: str) -> Any:
    made = client.create_usage_plan(
        name="plan",
        apiStages=[{"apiId": api, "stage": "prod"}],
        throttle={"rateLimit": 10.5, "burstLimit": 20},
        quota={"limit": 100, "period": "MONTH", "offset": 3},
    )
    yield made["id"]
    for stage in client.get_usage_plan(usagePlanId=made["id"])["apiStages"]:
        value = f"{stage['apiId']}:{stage['stage']}"
        client.update_usage_plan(usagePlanId=made["id"], patchOperations=[op("remove", "/apiStages", value)])
    client.delete_usage_plan(usagePlanId=made["id"])


@pytest.fixture
def key(client: Any) -> Any:
    made = client.create_api_key(name="k")
    yield made
    client.delete_api_key(apiKey=made["id"])


def op(name: str, path: str, value: str | None = None) -> dict[str, str]:
    return {"op": name, "path": path} | ({} if value is None else {"value": value})


# --- API keys --------------------------------------------------------------------------------------------------------


def test_a_key_is_made_disabled_with_a_value_of_its_own(client: Any) -> None:
    made = without_metadata(client.create_api_key(name="n", description="d", customerId="c", tags={"a": "b"}))
    assert len(made["id"]) == 10
    assert len(made["value"]) == 40
    assert made["value"].isalnum()
    assert made["createdDate"] == made["lastUpdatedDate"]
    shown = {name: made[name] for name in ("name", "description", "customerId", "enabled", "stageKeys", "tags")}
    assert shown == {
        "name": "n",
        "description": "d",
        "customerId": "c",
        "enabled": False,
        "stageKeys": [],
        "tags": {"a": "b"},
    }
    got = without_metadata(client.get_api_key(apiKey=made["id"]))
    assert got == {name: value for name, value in made.items() if name != "value"}
    assert client.get_api_key(apiKey=made["id"], includeValue=True)["value"] == made["value"]
    assert client.delete_api_key(apiKey=made["id"])["ResponseMetadata"]["HTTPStatusCode"] == 202


def test_empty_tags_show_on_single_gets_only(client: Any, key: dict[str, Any]) -> None:
    assert "tags" not in key
    assert client.get_api_key(apiKey=key["id"])["tags"] == {}
    assert all("tags" not in item for item in client.get_api_keys()["items"])


def test_lists_begin_with_the_newest_and_filter(client: Any) -> None:
    made = [client.create_api_key(name=f"list-{n}", customerId=f"c{n % 2}")["id"] for n in range(5)]
    other = client.create_api_key(name="List-5")["id"]
    newest = made[::-1]
    pages = list(client.get_paginator("get_api_keys").paginate(nameQuery="list-", PaginationConfig={"PageSize": 2}))
    assert [[item["id"] for item in page["items"]] for page in pages] == [newest[:2], newest[2:4], newest[4:]]
    assert [item["id"] for item in client.get_api_keys(limit=2)["items"]] == [other, newest[0]]
    assert [item["id"] for item in client.get_api_keys(customerId="c1")["items"]] == [made[3], made[1]]
    assert "position" not in client.get_api_keys(nameQuery="list-", limit=5)
    assert all("value" not in item for item in client.get_api_keys()["items"])
    assert all("value" in item for item in client.get_api_keys(includeValues=True)["items"])
    for key_id in [*made, other]:
        client.delete_api_key(apiKey=key_id)


def test_a_value_belongs_to_one_key_and_is_free_again_with_it(client: Any, server: Server) -> None:
    value = "a-value-of-20-or-more"
    first = client.create_api_key(value=value)
    assert first["value"] == value
    assert error_of(lambda: client.create_api_key(value=value)) == (CONFLICT, "API Key already exists", 409)
    # Another account may have the same.
    elsewhere = server.client("apigateway", key="333333333334")
    elsewhere.delete_api_key(apiKey=elsewhere.create_api_key(value=value)["id"])
    client.delete_api_key(apiKey=first["id"])
    client.delete_api_key(apiKey=client.create_api_key(value=value)["id"])


def test_stage_keys_are_shown_as_strings(client: Any, api: str) -> None:
    made = client.create_api_key(stageKeys=[{"restApiId": api, "stageName": "prod"}])
    assert made["stageKeys"] == [f"{api}/prod"]
    client.delete_api_key(apiKey=made["id"])


@pytest.mark.parametrize(
    ("path", "value", "member", "expected"),
    [
        ("/name", "other", "name", "other"),
        ("/description", "text", "description", "text"),
        ("/enabled", "true", "enabled", True),
        ("/enabled", "junk", "enabled", False),
        ("/customerId", "c9", "customerId", "c9"),
    ],
)
def test_patches_of_a_key(
    client: Any, key: dict[str, Any], path: str, value: str, member: str, expected: object
) -> None:
    changed = client.update_api_key(apiKey=key["id"], patchOperations=[op("replace", path, value)])
    assert changed[member] == expected
    assert "value" not in changed
    assert client.get_api_key(apiKey=key["id"])[member] == expected


def test_stages_of_a_key_are_added_and_removed(client: Any, key: dict[str, Any], api: str) -> None:
    added = client.update_api_key(apiKey=key["id"], patchOperations=[op("add", "/stages", f"{api}/prod")])
    assert added["stageKeys"] == [f"{api}/prod"]
    removed = client.update_api_key(apiKey=key["id"], patchOperations=[op("remove", "/stages", f"{api}/prod")])
    assert removed["stageKeys"] == []


KEY_ERRORS: dict[str, tuple[Callable[[Any, str], Any], tuple[str, str, int]]] = {
    "unknown": (
        lambda client, _: client.get_api_key(apiKey="nope"),
        (MISSING, "Invalid API Key identifier specified", 404),
    ),
    "unknown, update": (
        lambda client, _: client.update_api_key(apiKey="nope", patchOperations=[]),
        (MISSING, "Invalid API Key identifier specified", 404),
    ),
    "unknown, delete": (
        lambda client, _: client.delete_api_key(apiKey="nope"),
        (MISSING, "Invalid API Key identifier specified", 404),
    ),
    "case of the id": (
        lambda client, key: client.get_api_key(apiKey=key.upper()),
        (MISSING, "Invalid API Key identifier specified", 404),
    ),
    "long name": (
        lambda client, _: client.create_api_key(name="n" * 1025),
        (BAD, "Invalid API Key name, can be at most 1024 characters.", 400),
    ),
    "long name, patched": (
        lambda client, key: client.update_api_key(apiKey=key, patchOperations=[op("replace", "/name", "n" * 1025)]),
        (BAD, "Invalid API Key name, can be at most 1024 characters.", 400),
    ),
    "short value": (
        lambda client, _: client.create_api_key(value="v" * 19),
        (BAD, "API Key value should be at least 20 characters", 400),
    ),
    "long value": (
        lambda client, _: client.create_api_key(value="v" * 129),
        (BAD, "API Key value exceeds maximum size of 128 characters", 400),
    ),
    "stage key without stage": (
        lambda client, key: client.update_api_key(apiKey=key, patchOperations=[op("add", "/stages", "nope/prod")]),
        (MISSING, "Invalid API identifier specified 333333333333:nope", 404),
    ),
    "unknown path": (
        lambda client, key: client.update_api_key(apiKey=key, patchOperations=[op("replace", "/value", "x")]),
        (
            BAD,
            "Invalid patch path  '/value' specified for op 'replace'. "
            "Must be one of: [/description, /enabled, /name, /customerId]",
            400,
        ),
    ),
    "operation": (
        lambda client, key: client.update_api_key(apiKey=key, patchOperations=[op("add", "/name", "x")]),
        (BAD, "Invalid patch operation specified. Must be one of: [replace]", 400),
    ),
    "labels": (
        lambda client, key: client.update_api_key(apiKey=key, patchOperations=[op("add", "/labels", "x")]),
        (BAD, "Tidegate does not support labels of API keys yet", 400),
    ),
    "reserved tag": (
        lambda client, _: client.create_api_key(tags={"aws:x": "1"}),
        (BAD, "Invalid tag key: aws:x. The prefix aws: is reserved", 400),
    ),
}


@pytest.mark.parametrize("case", KEY_ERRORS)
def test_errors_of_keys(client: Any, key: dict[str, Any], case: str) -> None:
    call, expected = KEY_ERRORS[case]
    assert error_of(lambda: call(client, key["id"])) == expected


# --- import ----------------------------------------------------------------------------------------------------------

VALUES = ["imported-key-value-000", "imported-key-value-111"]


def imported(client: Any, *lines: str, **options: Any) -> Any:
    return client.import_api_keys(body="\n".join(lines).encode(), format="csv", **options)


def test_import_in_any_order_with_plans(client: Any, plan: str) -> None:
    other = client.create_usage_plan(name="second")["id"]
    made = imported(
        client,
        "Enabled,Name,KEY,Unknown,UsageplanIds,description",
        f'FALSE,one,{VALUES[0]},x,"{plan}, {other}",first',
        f",two,{VALUES[1]},,'{plan},{other}',",
        "",
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["warnings"] == []
    one, two = (client.get_api_key(apiKey=key_id, includeValue=True) for key_id in made["ids"])
    assert (one["name"], one["value"], one["enabled"], one["description"]) == ("one", VALUES[0], False, "first")
    assert (two["name"], two["value"], two["enabled"], two["description"]) == ("two", VALUES[1], True, "")
    for plan_id in (plan, other):
        assert {item["id"] for item in client.get_usage_plan_keys(usagePlanId=plan_id)["items"]} == set(made["ids"])
    # The same value again overwrites, under the same id.
    again = imported(client, "key,name", f"{VALUES[0]},renamed", f"{VALUES[0]},twice")
    assert again["ids"] == [made["ids"][0]]
    assert client.get_api_key(apiKey=made["ids"][0])["name"] == "twice"
    for key_id in made["ids"]:
        client.delete_api_key(apiKey=key_id)
    client.delete_usage_plan(usagePlanId=other)


def test_import_warns_of_bad_lines(client: Any) -> None:
    lines = ("name,key,usageplanids", "short,tooshort", f"good,{VALUES[0]},nope", f"{'n' * 1025},{VALUES[1]}")
    made = imported(client, *lines)
    assert made["warnings"] == [
        "Line 2: API Key value should be at least 20 characters",
        "Line 3: Invalid Usage Plan ID specified",
        "Line 4: Invalid API Key name, can be at most 1024 characters.",
    ]
    assert len(made["ids"]) == 1
    client.delete_api_key(apiKey=made["ids"][0])
    # On demand the whole is rolled back.
    code, message, status = error_of(lambda: imported(client, *lines, failOnWarnings=True))
    assert (code, status) == (BAD, 400)
    assert message == "; ".join(made["warnings"])
    assert client.get_api_keys(nameQuery="good")["items"] == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The file of API keys has no column Name"),
        (b"key,description\nx,y", "The file of API keys has no column Name"),
        (b"name,value\nx,y", "The file of API keys has no column Key"),
        (
            b"name,key\nx," + b"k" * 200_000,
            "The file of API keys cannot be read: field larger than field limit (131072)",
        ),
        (b"name,key\n\xff,\xfe", "The file of API keys must be encoded in UTF-8"),
    ],
)
def test_files_that_cannot_be_imported(client: Any, body: bytes, message: str) -> None:
    assert error_of(lambda: client.import_api_keys(body=body, format="csv")) == (BAD, message, 400)
