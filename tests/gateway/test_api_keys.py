"""API keys: which let a request in, live as soon as they are made, and the limits of their usage plans."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.running import Answer, ApiBuilder, Server

FORBIDDEN = {"message": "Forbidden"}


@pytest.fixture
def api(server: Server) -> ApiBuilder:
    """`GET /` needs a key, `GET /open` does not."""
    built = ApiBuilder(server).mock("/", "GET", body="$context.identity.apiKeyId").mock("/open", "GET", body="open")
    patch = [{"op": "replace", "path": "/apiKeyRequired", "value": "true"}]
    built.client.update_method(
        restApiId=built.id, resourceId=built.resources["/"], httpMethod="GET", patchOperations=patch
    )
    built.deploy()
    return built


def make_key(api: ApiBuilder, *plans: str, enabled: bool = True) -> tuple[str, str]:
    made = api.client.create_api_key(name="k", enabled=enabled)
    for plan in plans:
        api.client.create_usage_plan_key(usagePlanId=plan, keyId=made["id"], keyType="API_KEY")
    return made["id"], made["value"]


def make_plan(api: ApiBuilder, stage: str | None = "prod", **options: Any) -> str:
    stages = [] if stage is None else [{"apiId": api.id, "stage": stage, **options.pop("methods", {})}]
    return str(api.client.create_usage_plan(name="p", apiStages=stages, **options)["id"])


def get(server: Server, api: ApiBuilder, key: str | None, path: str = "/prod/") -> Answer:
    return server.call(api.id, path, headers={} if key is None else {"x-api-key": key})


def test_a_key_of_a_plan_of_the_stage_lets_in(server: Server, api: ApiBuilder) -> None:
    plan = make_plan(api)
    key_id, key = make_key(api, plan)
    answer = get(server, api, key)
    assert (answer.status, answer.body.decode()) == (200, key_id)
    assert get(server, api, None, "/prod/open").status == 200
    for wrong in (None, "", key[:-1], key + "x", key.swapcase(), "0" * 40):
        refused = get(server, api, wrong)
        assert (refused.status, refused.json) == (403, FORBIDDEN), wrong
        assert refused.header("x-amzn-ErrorType") == "ForbiddenException"


def test_changes_work_at_once(server: Server, api: ApiBuilder) -> None:
    plan = make_plan(api)
    key_id, key = make_key(api)
    assert get(server, api, key).status == 403
    api.client.create_usage_plan_key(usagePlanId=plan, keyId=key_id, keyType="API_KEY")
    assert get(server, api, key).status == 200
    for value, status in (("false", 403), ("true", 200)):
        api.client.update_api_key(
            apiKey=key_id, patchOperations=[{"op": "replace", "path": "/enabled", "value": value}]
        )
        assert get(server, api, key).status == status
    place = f"{api.id}:prod"
    for op, status in (("remove", 403), ("add", 200)):
        api.client.update_usage_plan(
            usagePlanId=plan, patchOperations=[{"op": op, "path": "/apiStages", "value": place}]
        )
        assert get(server, api, key).status == status
    api.client.delete_usage_plan_key(usagePlanId=plan, keyId=key_id)
    assert get(server, api, key).status == 403
    api.client.create_usage_plan_key(usagePlanId=plan, keyId=key_id, keyType="API_KEY")
    api.client.delete_api_key(apiKey=key_id)
    assert get(server, api, key).status == 403


def test_a_key_of_another_stage_or_api_does_not(server: Server, api: ApiBuilder) -> None:
    other = ApiBuilder(server).mock("/", "GET")
    other.deploy()
    api.client.create_deployment(restApiId=api.id, stageName="beta")
    _, key = make_key(api, make_plan(other), make_plan(api, "beta"))
    assert get(server, api, key).status == 403
    assert get(server, api, key, "/beta/").status == 200


def test_the_limits_of_a_plan_are_each_keys_own(server: Server, api: ApiBuilder) -> None:
    plan = make_plan(api, throttle={"rateLimit": 0.001, "burstLimit": 2})
    (_, first), (_, second) = make_key(api, plan), make_key(api, plan)
    assert [get(server, api, first).status for _ in range(3)] == [200, 200, 429]
    assert get(server, api, first).json == {"message": "Too Many Requests"}
    assert get(server, api, second).status == 200
    # A method without a key requirement is not the plan's.
    assert get(server, api, first, "/prod/open").status == 200


def test_a_method_may_have_a_limit_of_its_own(server: Server, api: ApiBuilder) -> None:
    plan = make_plan(api, methods={"throttle": {"//GET": {"rateLimit": 0.001, "burstLimit": 1}}})
    _, key = make_key(api, plan)
    assert [get(server, api, key).status for _ in range(2)] == [200, 429]


def test_keys_are_there_after_a_restart(tmp_path: Any) -> None:
    first = Server(tmp_path / "data").start()
    try:
        built = ApiBuilder(first).mock("/", "GET")
        patch = [{"op": "replace", "path": "/apiKeyRequired", "value": "true"}]
        built.client.update_method(
            restApiId=built.id, resourceId=built.resources["/"], httpMethod="GET", patchOperations=patch
        )
        built.deploy()
        _, key = make_key(built, make_plan(built))
    finally:
        first.stop()
    second = Server(tmp_path / "data").start()
    try:
        assert get(second, built, key).status == 200
        assert get(second, built, None).status == 403
    finally:
        second.stop()
