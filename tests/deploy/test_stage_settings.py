"""A stage's settings as patches, and end to end: a template's throttling is enforced."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running import Server
from tidegate.deploy.resources.base import ResourceError
from tidegate.deploy.resources.stage_settings import check_settings, stage_patches, unenforced

ALL = {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 5, "LoggingLevel": "INFO"}
ONE = {"ResourcePath": "/~1pets", "HttpMethod": "GET", "ThrottlingBurstLimit": 2}


def paths(properties: dict[str, object], old: dict[str, object]) -> list[str]:
    return [
        f"{patch['op']} {patch['path']} {patch.get('value', '')}".strip() for patch in stage_patches(properties, old)
    ]


def test_patches() -> None:
    wanted: dict[str, object] = {
        "TracingEnabled": True,
        "AccessLogSetting": {"Format": "$context.requestId"},
        "MethodSettings": [ALL, ONE, {"ResourcePath": "/", "HttpMethod": "GET", "DataTraceEnabled": True}],
    }
    assert paths(wanted, {}) == [
        "replace /tracingEnabled true",
        "replace /accessLogSettings/format $context.requestId",
        "replace /*/*/logging/loglevel INFO",
        "replace /*/*/throttling/rateLimit 5",
        "replace /~1pets/GET/throttling/burstLimit 2",
        "replace /~1/GET/logging/dataTrace true",
    ]
    assert paths(wanted, wanted) == []
    assert paths({}, wanted) == [
        "replace /tracingEnabled false",
        "remove /accessLogSettings",
        "remove /*/*",
        "remove /~1pets/GET",
        "remove /~1/GET",
    ]


def test_a_setting_that_is_gone_begins_its_method_anew() -> None:
    less = {name: value for name, value in ALL.items() if name != "LoggingLevel"}
    assert paths({"MethodSettings": [less]}, {"MethodSettings": [ALL]}) == [
        "remove /*/*",
        "replace /*/*/throttling/rateLimit 5",
    ]


def test_settings_of_one_method_add_up() -> None:
    more = {"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True, "ThrottlingRateLimit": 6}
    assert paths({"MethodSettings": [ALL, more]}, {}) == [
        "replace /*/*/logging/loglevel INFO",
        "replace /*/*/metrics/enabled true",
        "replace /*/*/throttling/rateLimit 6",
    ]


def test_a_canary_comes_changes_and_goes() -> None:
    canary = {"PercentTraffic": 10, "StageVariableOverrides": {"a": 1, "b": 2}}
    first: dict[str, object] = {"DeploymentId": "one", "CanarySetting": canary}
    later = {"DeploymentId": "two", "StageVariableOverrides": {"b": 3}}
    second: dict[str, object] = {"DeploymentId": "one", "CanarySetting": later}
    assert paths(second, first) == [
        "replace /canarySettings/deploymentId two",
        "replace /canarySettings/percentTraffic 0.0",
        "remove /canarySettings/stageVariableOverrides/a",
        "replace /canarySettings/stageVariableOverrides/b 3",
    ]
    assert paths({"DeploymentId": "one"}, first) == ["remove /canarySettings"]


def test_what_is_said() -> None:
    properties = {
        "TracingEnabled": True,
        "AccessLogSetting": {"DestinationArn": "arn"},
    }
    said = list(unenforced(properties))
    assert [line.split(":")[0] for line in said] == [
        "TracingEnabled",
        "AccessLogSetting.DestinationArn",
    ]


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"MethodSettings": [ALL, {**ONE, "Nonsense": 1}]}, "MethodSettings.Nonsense"),
        ({"AccessLogSetting": {"Format": "$context.requestId", "Level": 1}}, "AccessLogSetting.Level"),
    ],
)
def test_what_no_stage_has_is_refused(properties: dict[str, object], name: str) -> None:
    with pytest.raises(ResourceError, match=f"Encountered unsupported property {name}"):
        check_settings(properties)


TEMPLATE = """
Resources:
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: throttled}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref Api
      ResourceId: !GetAtt Api.RootResourceId
      HttpMethod: GET
      AuthorizationType: NONE
      Integration:
        Type: MOCK
        RequestTemplates: {application/json: '{"statusCode": 200}'}
        IntegrationResponses: [{StatusCode: 200}]
      MethodResponses: [{StatusCode: 200}]
  Deployment: {Type: AWS::ApiGateway::Deployment, DependsOn: Get, Properties: {RestApiId: !Ref Api}}
  Stage:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref Api
      DeploymentId: !Ref Deployment
      StageName: prod
      AccessLogSetting: {Format: "mine $context.requestId $context.status"}
      MethodSettings: [{ResourcePath: "/*", HttpMethod: "*", ThrottlingRateLimit: 0.001, ThrottlingBurstLimit: 1}]
Outputs: {Id: {Value: !Ref Api}}
"""


def test_settings_of_a_template_are_enforced(server: Server, tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    command = [sys.executable, "-m", "tidegate.cli", "run", "--port", str(server.port), "--stack-name", "throttled"]
    done = subprocess.run([*command, str(template)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    api = next(line.split(" = ")[1] for line in done.stdout.splitlines() if line.startswith("  Id = "))
    assert [server.call(api, "/prod/").status for _ in range(2)] == [200, 429]
    server.wait_for("mine ", among=server.access_log)
