"""Canary releases: the settings on a stage, the traffic that follows them, and promoting what was tried."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.running import ApiBuilder, Server


def patch(op: str, path: str, value: str | None = None, source: str | None = None) -> dict[str, str]:
    given = {"op": op, "path": path, "value": value, "from": source}
    return {name: text for name, text in given.items() if text is not None}


def update(api: ApiBuilder, *operations: dict[str, str]) -> Any:
    return api.client.update_stage(restApiId=api.id, stageName="prod", patchOperations=list(operations))


@pytest.fixture
def api(server: Server) -> ApiBuilder:
    """`prod` answers `old`; a second deployment, which answers `new`, is not staged."""
    built = ApiBuilder(server).mock("/", "GET", body="old")
    built.deploy(variables={"a": "stage", "b": "stage"})
    built.client.update_integration_response(
        restApiId=built.id,
        resourceId=built.resources["/"],
        httpMethod="GET",
        statusCode="200",
        patchOperations=[patch("replace", "/responseTemplates/application~1json", "new")],
    )
    return built


def answers(server: Server, api: ApiBuilder, calls: int = 60) -> set[bytes]:
    return {server.call(api.id, "/prod/").body for _ in range(calls)}


def test_a_canary_gets_its_part_of_the_traffic(server: Server, api: ApiBuilder) -> None:
    api.client.create_deployment(restApiId=api.id, stageName="prod", canarySettings={"percentTraffic": 50.0})
    stage = api.client.get_stage(restApiId=api.id, stageName="prod")
    assert stage["canarySettings"]["percentTraffic"] == 50.0
    assert stage["canarySettings"]["deploymentId"] != stage["deploymentId"]
    assert stage["canarySettings"]["useStageCache"] is False
    assert answers(server, api) == {b"old", b"new"}
    update(api, patch("replace", "/canarySettings/percentTraffic", "0.0"))
    assert answers(server, api) == {b"old"}
    update(api, patch("replace", "/canarySettings/percentTraffic", "100"))
    assert answers(server, api) == {b"new"}
    update(api, patch("remove", "/canarySettings"))
    assert answers(server, api) == {b"old"}
    assert "canarySettings" not in api.client.get_stage(restApiId=api.id, stageName="prod")


def test_promotion_copies_deployment_and_variables(server: Server, api: ApiBuilder) -> None:
    canary = {"percentTraffic": 10.0, "stageVariableOverrides": {"b": "canary", "c": "canary"}}
    api.client.create_deployment(restApiId=api.id, stageName="prod", canarySettings=canary)
    tried = api.client.get_stage(restApiId=api.id, stageName="prod")["canarySettings"]["deploymentId"]
    stage = update(
        api,
        patch("copy", "/deploymentId", source="/canarySettings/deploymentId"),
        patch("copy", "/variables", source="/canarySettings/stageVariableOverrides"),
        patch("remove", "/canarySettings"),
    )
    assert stage["deploymentId"] == tried
    assert stage["variables"] == {"a": "stage", "b": "canary", "c": "canary"}
    assert answers(server, api) == {b"new"}


def test_a_patch_begins_a_canary_of_the_stages_own_deployment(server: Server, api: ApiBuilder) -> None:
    own = api.client.get_stage(restApiId=api.id, stageName="prod")["deploymentId"]
    stage = update(api, patch("replace", "/canarySettings/percentTraffic", "25.5"))
    assert stage["canarySettings"] == {"percentTraffic": 25.5, "deploymentId": own, "useStageCache": False}
    update(api, patch("remove", "/canarySettings"))
    other = api.client.create_deployment(restApiId=api.id)["id"]
    stage = update(
        api,
        patch("replace", "/canarySettings/deploymentId", other),
        patch("replace", "/canarySettings/stageVariableOverrides/a", "x"),
        patch("replace", "/canarySettings/useStageCache", "true"),
    )
    assert stage["canarySettings"] == {
        "percentTraffic": 0.0,
        "deploymentId": other,
        "useStageCache": True,
        "stageVariableOverrides": {"a": "x"},
    }
    stage = update(api, patch("remove", "/canarySettings/stageVariableOverrides/a"))
    assert "stageVariableOverrides" not in stage["canarySettings"]


def test_the_access_log_knows_the_canary(server: Server, api: ApiBuilder) -> None:
    update(
        api,
        patch("replace", "/accessLogSettings/format", "$context.requestId canary=$context.isCanaryRequest"),
        patch("replace", "/canarySettings/percentTraffic", "100"),
    )
    answer = server.call(api.id, "/prod/")
    line = server.wait_for(answer.header("x-amzn-RequestId") or "", among=server.access_log)
    assert line.endswith("canary=true")


def test_deployments_in_use_by_a_canary_stay(api: ApiBuilder) -> None:
    other = api.client.create_deployment(restApiId=api.id)["id"]
    update(api, patch("replace", "/canarySettings/deploymentId", other))
    with pytest.raises(ClientError, match="Active stages pointing to this deployment must be moved or deleted"):
        api.client.delete_deployment(restApiId=api.id, deploymentId=other)


_PATHS = "[/deploymentId, /variables]"
_SOURCES = "[/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]"


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (
            patch("add", "/canarySettings/deploymentId", "x"),
            "Invalid add operation with path: /canarySettings/deploymentId",
        ),
        (
            patch("copy", "/deploymentId", source="/variables"),
            f"Invalid copy operation with path: /deploymentId and from /variables. Valid copy:path are {_PATHS} and valid "
            f"copy:from are {_SOURCES}",
        ),
        (
            patch("copy", "/deploymentId", source="/canarySettings/deploymentId"),
            "Promotion not available. Canary does not exist.",
        ),
        (patch("replace", "/canarySettings/deploymentId", "nope"), "Deployment id does not exist"),
        (patch("replace", "/canarySettings/percentTraffic", "101"), "Invalid percentTraffic specified: 101.0"),
        (patch("replace", "/canarySettings/percentTraffic", "x"), "Invalid percentTraffic specified: x"),
        (patch("replace", "/canarySettings/nope", "x"), "Invalid method setting path: /canarySettings/nope"),
        (
            patch("replace", "/accessLogSettings/nope", "x"),
            "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]",
        ),
        (
            patch("remove", "/accessLogSettings/format"),
            "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]",
        ),
        (patch("replace", "/variables", "[]"), "Invalid patch value specified for path /variables: []"),
    ],
)
def test_bad_patches_change_nothing(api: ApiBuilder, operation: dict[str, str], message: str) -> None:
    before = api.client.get_stage(restApiId=api.id, stageName="prod")
    with pytest.raises(ClientError) as caught:
        update(api, patch("replace", "/description", "changed"), operation)
    assert caught.value.response["Error"]["Code"] == "BadRequestException"
    assert message in caught.value.response["Error"]["Message"]
    after = api.client.get_stage(restApiId=api.id, stageName="prod")
    assert {**before, "ResponseMetadata": None} == {**after, "ResponseMetadata": None}


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (
            None,
            "Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. "
            "Provided value is null",
        ),
        (
            "nope",
            "Invalid deployment content specified.Stage nope must already be created before making a canary release deployment",
        ),
    ],
)
def test_canary_deployments_need_their_stage(api: ApiBuilder, stage: str | None, message: str) -> None:
    named = {} if stage is None else {"stageName": stage}
    with pytest.raises(ClientError) as caught:
        api.client.create_deployment(restApiId=api.id, canarySettings={"percentTraffic": 1.0}, **named)
    assert caught.value.response["Error"]["Message"] == message


def test_all_variables_at_once(api: ApiBuilder) -> None:
    assert update(api, patch("replace", "/variables", '{"x": "y"}'))["variables"] == {"x": "y"}
    assert "variables" not in update(api, patch("remove", "/variables"))


def test_flushing_needs_a_stage(api: ApiBuilder) -> None:
    for flush in (api.client.flush_stage_cache, api.client.flush_stage_authorizers_cache):
        assert flush(restApiId=api.id, stageName="prod")["ResponseMetadata"]["HTTPStatusCode"] == 202
        with pytest.raises(ClientError, match="Invalid stage identifier specified"):
            flush(restApiId=api.id, stageName="nope")
