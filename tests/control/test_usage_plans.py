"""Usage plans, their keys and usage, through real boto3 against the running program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import ApiBuilder, Server

BAD, MISSING, CONFLICT = "BadRequestException", "NotFoundException", "ConflictException"


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    """An account of its own, so that lists hold nothing but what these tests make."""
    return server.client("apigateway", key="333333333335")


@pytest.fixture(scope="module")
def api(server: Server) -> str:
    """An API of that account with the stages `prod` and `dev`."""
    builder = ApiBuilder(server)
    builder.client = server.client("apigateway", key="333333333335")
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


# --- usage plans -----------------------------------------------------------------------------------------------------


def test_a_plan_as_made(client: Any, api: str) -> None:
    made = without_metadata(
        client.create_usage_plan(
            name="gold",
            description="d",
            apiStages=[
                {"apiId": api, "stage": "prod", "throttle": {"/pets/GET": {"rateLimit": 1.5, "burstLimit": 2}}},
                {"apiId": api, "stage": "dev"},
            ],
            throttle={"rateLimit": 5.0, "burstLimit": 6},
            quota={"limit": 7, "period": "WEEK"},
        )
    )
    plan_id = made.pop("id")
    assert len(plan_id) == 6
    assert made == {
        "name": "gold",
        "description": "d",
        "apiStages": [
            {"apiId": api, "stage": "prod", "throttle": {"/pets/GET": {"rateLimit": 1.5, "burstLimit": 2}}},
            {"apiId": api, "stage": "dev"},
        ],
        "throttle": {"rateLimit": 5.0, "burstLimit": 6},
        "quota": {"limit": 7, "offset": 0, "period": "WEEK"},
    }
    got = without_metadata(client.get_usage_plan(usagePlanId=plan_id))
    assert got == {**made, "id": plan_id, "tags": {}}
    assert error_of(lambda: client.delete_usage_plan(usagePlanId=plan_id)) == (
        BAD,
        f"Cannot delete Usage Plan {plan_id} because there are API Stages associated with it, including {api}:prod",
        400,
    )
    gone = [op("remove", "/apiStages", f"{api}:{stage}") for stage in ("prod", "dev")]
    assert client.update_usage_plan(usagePlanId=plan_id, patchOperations=gone)["apiStages"] == []
    assert client.delete_usage_plan(usagePlanId=plan_id)["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert error_of(lambda: client.get_usage_plan(usagePlanId=plan_id))[:2] == (
        MISSING,
        "Invalid Usage Plan ID specified",
    )


AT = "/apiStages/{api}:prod/throttle"
LIMITS = {"rateLimit": 1.0, "burstLimit": 2}
PLAN_PATCHES: list[tuple[list[dict[str, str]], str, Any]] = [
    ([op("replace", "/name", "n")], "name", "n"),
    ([op("replace", "/description", "d")], "description", "d"),
    ([op("add", "/productCode", "p")], "productCode", "p"),
    ([op("replace", "/productCode", "p"), op("remove", "/productCode")], "productCode", None),
    ([op("remove", "/throttle")], "throttle", None),
    ([op("replace", "/throttle/rateLimit", "2.5")], "throttle", {"rateLimit": 2.5, "burstLimit": 20}),
    ([op("add", "/throttle/burstLimit", "9")], "throttle", {"rateLimit": 10.5, "burstLimit": 9}),
    (
        [op("remove", "/throttle"), op("add", "/throttle/rateLimit", "1")],
        "throttle",
        {"rateLimit": 1.0, "burstLimit": 0},
    ),
    ([op("remove", "/quota")], "quota", None),
    ([op("replace", "/quota/limit", "5")], "quota", {"limit": 5, "offset": 3, "period": "MONTH"}),
    ([op("replace", "/quota/offset", "27")], "quota", {"limit": 100, "offset": 27, "period": "MONTH"}),
    ([op("add", "/quota/period", "WEEK")], "quota", {"limit": 100, "offset": 3, "period": "WEEK"}),
    (
        [op("remove", "/quota"), op("add", "/quota/limit", "4"), op("add", "/quota/period", "DAY")],
        "quota",
        {"limit": 4, "offset": 0, "period": "DAY"},
    ),
    ([op("add", AT, json.dumps({"/pets/GET": LIMITS}))], "apiStages", {"/pets/GET": LIMITS}),
    (
        [op("add", AT, json.dumps({"/a/GET": LIMITS})), op("add", AT, json.dumps({"/b/GET": LIMITS}))],
        "apiStages",
        {"/a/GET": LIMITS, "/b/GET": LIMITS},
    ),
    (
        [op("add", AT, json.dumps({"/a/GET": LIMITS})), op("replace", AT, json.dumps({"/b/GET": LIMITS}))],
        "apiStages",
        {"/b/GET": LIMITS},
    ),
    ([op("add", AT, json.dumps({"/a/GET": LIMITS})), op("remove", AT)], "apiStages", None),
    (
        [
            op("add", AT + "/~1pets~1{{id}}/GET/rateLimit", "3"),
            op("replace", AT + "/~1pets~1{{id}}/GET/burstLimit", "4"),
        ],
        "apiStages",
        {"/pets/{id}/GET": {"rateLimit": 3.0, "burstLimit": 4}},
    ),
    (
        [
            op("add", AT + "/~1a/GET/rateLimit", "3"),
            op("add", AT + "/~1/ANY/burstLimit", "4"),
            op("remove", AT + "/~1a/GET"),
        ],
        "apiStages",
        {"//ANY": {"rateLimit": 0.0, "burstLimit": 4}},
    ),
]


@pytest.mark.parametrize("case", range(len(PLAN_PATCHES)))
def test_patches_of_a_plan(client: Any, api: str, plan: str, case: int) -> None:
    operations, member, expected = PLAN_PATCHES[case]
    given = [{**operation, "path": operation["path"].format(api=api)} for operation in operations]
    changed = client.update_usage_plan(usagePlanId=plan, patchOperations=given)
    got = client.get_usage_plan(usagePlanId=plan)
    for shown in (changed, got):
        assert (shown[member][0].get("throttle") if member == "apiStages" else shown.get(member)) == expected


def test_stages_of_a_plan_are_added_and_removed(client: Any, api: str, plan: str) -> None:
    patched = client.update_usage_plan(usagePlanId=plan, patchOperations=[op("add", "/apiStages", f"{api}:dev")])
    assert [stage["stage"] for stage in patched["apiStages"]] == ["prod", "dev"]
    patched = client.update_usage_plan(usagePlanId=plan, patchOperations=[op("remove", "/apiStages", f"{api}:prod")])
    assert [stage["stage"] for stage in patched["apiStages"]] == ["dev"]


PLAN_ERRORS: dict[str, tuple[list[dict[str, str]], tuple[str, str, int]]] = {
    "no colon": ([op("add", "/apiStages", "nope")], (BAD, "Invalid API Stage specified", 400)),
    "no value": ([op("remove", "/apiStages")], (BAD, "Invalid API Stage specified", 400)),
    "no such stage": ([op("add", "/apiStages", "{api}:nope")], (MISSING, "API Stage not found: {api}:nope", 404)),
    "JSON for a stage": (
        [op("add", "/apiStages", '{{"apiId": "x", "stage": "y"}}')],
        (MISSING, 'API Stage not found: {{"apiId": "x", "stage"', 404),
    ),
    "removing what is not there": (
        [op("remove", "/apiStages", "{api}:dev")],
        (MISSING, "API Stage not found: {api}:dev", 404),
    ),
    "a stage twice": (
        [op("add", "/apiStages", "{api}:prod")],
        (CONFLICT, "Duplicate API Stage specified for usageplan {plan}", 409),
    ),
    "throttle of a foreign stage": (
        [op("add", "/apiStages/{api}:dev/throttle/~1a/GET/rateLimit", "1")],
        (MISSING, "API Stage not found: {api}:dev", 404),
    ),
    "throttle that is not there": (
        [op("remove", AT + "/~1a/GET")],
        (MISSING, "There is no throttle for method /a/GET", 404),
    ),
    "throttle of no method": (
        [op("add", AT, json.dumps({"*/*": LIMITS}).replace("{", "{{").replace("}", "}}"))],
        (BAD, "Invalid method specified for throttle: */*. It must be of the form /path/VERB", 400),
    ),
    "throttle of no map": (
        [op("add", AT, "[]")],
        (BAD, f"Invalid patch value  specified for path {AT}: []", 400),
    ),
    "throttle of no limits": (
        [op("add", AT, '{{"/a/GET": 1}}')],
        (BAD, f'Invalid patch value  specified for path {AT}: {{{{"/a/GET": 1}}}}', 400),
    ),
    "negative throttle": (
        [op("replace", "/throttle/rateLimit", "-1")],
        (BAD, "Invalid throttle settings for Usage Plan: rateLimit and burstLimit must not be negative", 400),
    ),
    "throttle of many methods": (
        [op("add", AT + f"/~1{n}/GET/rateLimit", "1") for n in range(21)],
        (BAD, "At most 20 methods of an API stage can have a throttle of their own", 400),
    ),
    "no number": (
        [op("replace", "/throttle/burstLimit", "1.5")],
        (BAD, "Invalid patch value  specified for path /throttle/burstLimit: 1.5", 400),
    ),
    "rate without an end": (
        [op("replace", "/throttle/rateLimit", "inf")],
        (BAD, "Invalid patch value  specified for path /throttle/rateLimit: inf", 400),
    ),
    "rate that is no number": (
        [op("replace", "/throttle/rateLimit", "x")],
        (BAD, "Invalid patch value  specified for path /throttle/rateLimit: x", 400),
    ),
    "quota period": (
        [op("replace", "/quota/period", "YEAR")],
        (BAD, "Invalid quota period specified. Valid options are DAY,WEEK,MONTH", 400),
    ),
    "quota limit": (
        [op("replace", "/quota/limit", "0")],
        (BAD, "Usage Plan quota limit must be greater than zero", 400),
    ),
    "quota offset of a day": (
        [op("replace", "/quota/period", "DAY")],
        (BAD, "Usage Plan quota offset must be zero in the DAY period", 400),
    ),
    "quota offset of a week": (
        [op("replace", "/quota/period", "WEEK"), op("replace", "/quota/offset", "7")],
        (BAD, "Usage Plan quota offset must be between 0 and 6 inclusive in the WEEK period", 400),
    ),
    "quota offset of a month": (
        [op("replace", "/quota/offset", "28")],
        (BAD, "Usage Plan quota offset must be between 0 and 27 inclusive in the MONTH period", 400),
    ),
    "name": ([op("replace", "/name", "")], (BAD, "Usage Plan name cannot be empty", 400)),
    "path": (
        [op("remove", "/apiStages/{api}:prod")],
        (
            BAD,
            "Invalid patch path  '/apiStages/{api}:prod' specified for op 'remove'. Must be one of: [/apiStages, /quota, "
            "/throttle, /productCode, /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, "
            "/apiStages/<apidId:stageName>/throttle]",
            400,
        ),
    ),
    "operation": (
        [op("add", "/name", "x")],
        (BAD, "Invalid patch operation specified. Must be one of: [replace]", 400),
    ),
}


@pytest.mark.parametrize("case", PLAN_ERRORS)
def test_bad_patches_of_a_plan(client: Any, api: str, plan: str, case: str) -> None:
    operations, (code, message, status) = PLAN_ERRORS[case]
    given = [{name: text.format(api=api) for name, text in operation.items()} for operation in operations]
    before = client.get_usage_plan(usagePlanId=plan)["apiStages"]
    found = error_of(lambda: client.update_usage_plan(usagePlanId=plan, patchOperations=given))
    assert found == (code, message.format(api=api, plan=plan), status)
    assert client.get_usage_plan(usagePlanId=plan)["apiStages"] == before


def test_errors_of_creating_a_plan(client: Any, api: str) -> None:
    code, message, status = error_of(
        lambda: client.create_usage_plan(name="n", apiStages=[{"apiId": api, "stage": "nope"}])
    )
    assert (code, status) == (MISSING, 404)
    assert message.startswith(f"Invalid API Stage {{api: {api}, stage: nope}} specified for usageplan ")
    blank = error_of(lambda: client.create_usage_plan(name="n", apiStages=[{"apiId": api}]))
    assert blank == (BAD, "Invalid API Stage {api: %s, stage: %s} specified for usageplan %s", 400)
    no_period = error_of(lambda: client.create_usage_plan(name="n", quota={"limit": 3}))
    assert no_period == (BAD, "Invalid quota period specified. Valid options are DAY,WEEK,MONTH", 400)
    twice = [{"apiId": api, "stage": "prod"}] * 2
    assert error_of(lambda: client.create_usage_plan(name="n", apiStages=twice))[0] == CONFLICT


def test_plans_of_a_key(client: Any, key: dict[str, Any]) -> None:
    plans = sorted(client.create_usage_plan(name=f"p{n}")["id"] for n in range(3))
    for plan_id in plans[1:]:
        client.create_usage_plan_key(usagePlanId=plan_id, keyId=key["id"], keyType="API_KEY")
    listed = client.get_paginator("get_usage_plans").paginate(keyId=key["id"], PaginationConfig={"PageSize": 1})
    assert [item["id"] for page in listed for item in page["items"]] == plans[1:]
    assert set(plans) <= {item["id"] for item in client.get_usage_plans(limit=500)["items"]}
    assert client.get_usage_plans(keyId="nope")["items"] == []
    for plan_id in plans:
        client.delete_usage_plan(usagePlanId=plan_id)
    assert client.get_usage_plans(keyId=key["id"])["items"] == []


def test_deleting_stage_or_api_frees_the_plan(server: Server) -> None:
    builder = ApiBuilder(server).mock("/a", "GET")
    builder.deploy("one")
    builder.deploy("two")
    stages = [{"apiId": builder.id, "stage": stage} for stage in ("one", "two")]
    plan_id = builder.client.create_usage_plan(name="n", apiStages=stages)["id"]
    builder.client.delete_stage(restApiId=builder.id, stageName="one")
    assert builder.client.get_usage_plan(usagePlanId=plan_id)["apiStages"] == stages[1:]
    builder.client.delete_rest_api(restApiId=builder.id)
    assert builder.client.get_usage_plan(usagePlanId=plan_id)["apiStages"] == []
    builder.client.delete_usage_plan(usagePlanId=plan_id)


# --- keys of a plan --------------------------------------------------------------------------------------------------


def test_members_of_a_plan(client: Any, plan: str) -> None:
    keys = [client.create_api_key(name=name) for name in ("ab", "abc", "x")]
    for key in keys:
        made = without_metadata(client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY"))
        assert made == {"id": key["id"], "name": key["name"], "type": "API_KEY", "value": key["value"]}
        assert without_metadata(client.get_usage_plan_key(usagePlanId=plan, keyId=key["id"])) == made
    listed = client.get_paginator("get_usage_plan_keys").paginate(
        usagePlanId=plan, nameQuery="ab", PaginationConfig={"PageSize": 1}
    )
    assert {item["name"] for page in listed for item in page["items"]} == {"ab", "abc"}
    assert client.get_usage_plan_keys(usagePlanId="nope")["items"] == []
    client.delete_usage_plan_key(usagePlanId=plan, keyId=keys[0]["id"])
    client.delete_api_key(apiKey=keys[1]["id"])
    assert [item["name"] for item in client.get_usage_plan_keys(usagePlanId=plan)["items"]] == ["x"]
    for key in (keys[0], keys[2]):
        client.delete_api_key(apiKey=key["id"])
    assert client.get_usage_plan_keys(usagePlanId=plan)["items"] == []


def test_errors_of_members(client: Any, api: str, plan: str, key: dict[str, Any]) -> None:
    def add(plan_id: str = plan, key_id: str = key["id"], kind: str = "API_KEY") -> Any:
        return client.create_usage_plan_key(usagePlanId=plan_id, keyId=key_id, keyType=kind)

    assert error_of(lambda: add(plan_id="nope")) == (MISSING, "Invalid Usage Plan ID specified", 404)
    assert error_of(lambda: add(key_id="nope")) == (MISSING, "Invalid API Key identifier specified", 404)
    assert error_of(lambda: add(kind="X")) == (BAD, "Invalid key type specified: X. Must be one of: [API_KEY]", 400)
    no_member = (MISSING, "Invalid Usage Plan Key identifier specified", 404)
    assert error_of(lambda: client.get_usage_plan_key(usagePlanId=plan, keyId=key["id"])) == no_member
    assert error_of(lambda: client.delete_usage_plan_key(usagePlanId=plan, keyId=key["id"])) == no_member
    add()
    assert error_of(add) == (CONFLICT, f"API Key {key['id']} is in usage plan {plan} already", 409)
    # An API stage sees a key in one plan only, whichever of the two comes last.
    stages = [{"apiId": api, "stage": "prod"}]
    other = client.create_usage_plan(name="other", apiStages=stages)["id"]
    conflict = (CONFLICT, f"API Key {key['id']} is in usage plan {plan} for API Stage {api}:prod already", 409)
    assert error_of(lambda: add(plan_id=other)) == conflict
    remove, restore = (op(name, "/apiStages", f"{api}:prod") for name in ("remove", "add"))
    client.update_usage_plan(usagePlanId=other, patchOperations=[remove])
    add(plan_id=other)
    assert error_of(lambda: client.update_usage_plan(usagePlanId=other, patchOperations=[restore])) == conflict
    client.delete_usage_plan(usagePlanId=other)


def test_a_key_is_in_ten_plans_at_most(client: Any, key: dict[str, Any]) -> None:
    plans = [client.create_usage_plan(name=f"p{n}")["id"] for n in range(11)]
    for plan_id in plans[:10]:
        client.create_usage_plan_key(usagePlanId=plan_id, keyId=key["id"], keyType="API_KEY")
    found = error_of(lambda: client.create_usage_plan_key(usagePlanId=plans[10], keyId=key["id"], keyType="API_KEY"))
    assert found == (
        "LimitExceededException",
        f"API Key {key['id']} is in 10 usage plans already, which is the most",
        429,
    )
    for plan_id in plans:
        client.delete_usage_plan(usagePlanId=plan_id)


# --- usage -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def member(client: Any, plan: str, key: dict[str, Any]) -> str:
    client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return str(key["id"])


def test_usage_follows_the_quota(client: Any, plan: str, member: str) -> None:
    usage = without_metadata(client.get_usage(usagePlanId=plan, startDate="2020-01-30", endDate="2020-02-01"))
    assert usage == {
        "usagePlanId": plan,
        "startDate": "2020-01-30",
        "endDate": "2020-02-01",
        "items": {member: [[0, 100], [0, 100], [0, 100]]},
    }


def test_usage_of_the_first_period_and_what_is_granted(client: Any, plan: str, member: str) -> None:
    # The offset is taken off the period that the key was added in, which is this month.
    same = {"usagePlanId": plan, "keyId": member}
    granted = client.update_usage(**same, patchOperations=[])
    assert granted["items"] == {member: [[0, 97]]}
    granted = client.update_usage(**same, patchOperations=[op("replace", "/remaining", "250")])
    assert granted["items"] == {member: [[0, 250]]}
    today = granted["startDate"]
    assert granted["endDate"] == today
    assert client.get_usage(**same, startDate=today, endDate=today)["items"] == {member: [[0, 250]]}
    # It is for this period only, and goes with the membership.
    assert client.get_usage(**same, startDate="2020-01-01", endDate="2020-01-01")["items"] == {member: [[0, 100]]}
    client.delete_usage_plan_key(**same)
    client.create_usage_plan_key(**same, keyType="API_KEY")
    assert client.get_usage(**same, startDate=today, endDate=today)["items"] == {member: [[0, 97]]}


def test_usage_without_a_quota(client: Any, plan: str, member: str) -> None:
    client.update_usage_plan(usagePlanId=plan, patchOperations=[op("remove", "/quota")])
    assert client.get_usage(usagePlanId=plan, startDate="2020-01-01", endDate="2020-01-01").get("items", {}) == {}
    found = error_of(lambda: client.update_usage(usagePlanId=plan, keyId=member, patchOperations=[]))
    assert found == (BAD, f"Usage Plan {plan} has no quota", 400)


def test_usage_comes_in_pages(client: Any, plan: str) -> None:
    keys = [client.create_api_key()["id"] for _ in range(3)]
    for key_id in keys:
        client.create_usage_plan_key(usagePlanId=plan, keyId=key_id, keyType="API_KEY")
    pages = client.get_paginator("get_usage").paginate(
        usagePlanId=plan, startDate="2020-01-01", endDate="2020-01-01", PaginationConfig={"PageSize": 2}
    )
    found = [list(page["items"]) for page in pages]
    assert [len(page) for page in found] == [2, 1]
    assert sorted(key_id for page in found for key_id in page) == sorted(keys)
    for key_id in keys:
        client.delete_api_key(apiKey=key_id)


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2020-1-1", "2020-01-01", "Invalid startDate specified: 2020-1-1. It must be of the form YYYY-MM-DD"),
        ("2020-01-01", "2020-02-30", "Invalid endDate specified: 2020-02-30. It must be of the form YYYY-MM-DD"),
        ("2020-01-02", "2020-01-01", "Invalid date range specified: endDate must not be before startDate"),
        ("2020-01-01", "2020-04-01", "Invalid date range specified: at most 90 days are allowed"),
    ],
)
def test_bad_ranges_of_usage(client: Any, plan: str, start: str, end: str, message: str) -> None:
    found = error_of(lambda: client.get_usage(usagePlanId=plan, startDate=start, endDate=end))
    assert found == (BAD, message, 400)


def test_errors_of_usage(client: Any, plan: str, member: str) -> None:
    def grant(**operation: str) -> Any:
        return client.update_usage(usagePlanId=plan, keyId=member, patchOperations=[operation])

    day = {"startDate": "2020-01-01", "endDate": "2020-01-01"}
    unknown = error_of(lambda: client.get_usage(usagePlanId="nope", **day))
    assert unknown == (MISSING, "Invalid Usage Plan ID specified", 404)
    no_member = error_of(lambda: client.get_usage(usagePlanId=plan, keyId="nope", **day))
    assert no_member == (MISSING, "Invalid Usage Plan Key identifier specified", 404)
    for value in ("-1", "many"):
        found = error_of(lambda value=value: grant(op="replace", path="/remaining", value=value))
        assert found == (BAD, f"Invalid patch value  specified for path /remaining: {value}", 400)
    unknown_path = error_of(lambda: grant(op="replace", path="/used", value="1"))
    assert unknown_path[1] == "Invalid patch path  '/used' specified for op 'replace'. Must be one of: [/remaining]"
