"""A stage's settings as patches: those that CreateStage does not take, and all of them for a stage that is there.

AWS: CloudFormation Template Reference, "AWS::ApiGateway::Stage" and its "MethodSetting", "AccessLogSetting", "CanarySetting".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.deploy.resources.base import Props, ResourceError
from tidegate.deploy.resources.patches import Patch, entries, replacement, scalars

METHOD_SETTINGS = {
    "CacheDataEncrypted": "caching/dataEncrypted",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CachingEnabled": "caching/enabled",
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
}
_WHERE = frozenset({"ResourcePath", "HttpMethod"})
_OWN = {
    "CacheClusterEnabled": "/cacheClusterEnabled",
    "CacheClusterSize": "/cacheClusterSize",
    "ClientCertificateId": "/clientCertificateId",
    "DeploymentId": "/deploymentId",
    "Description": "/description",
    "DocumentationVersion": "/documentationVersion",
    "TracingEnabled": "/tracingEnabled",
}
_RESET = {"CacheClusterEnabled": "false", "CacheClusterSize": "0.5", "TracingEnabled": "false"}
_CANARY = {
    "DeploymentId": "/canarySettings/deploymentId",
    "PercentTraffic": "/canarySettings/percentTraffic",
    "UseStageCache": "/canarySettings/useStageCache",
}
_CANARY_RESET = {"PercentTraffic": "0.0", "UseStageCache": "false"}


def stage_patches(properties: Props, old: Props) -> Iterator[Patch]:
    """What turns a stage's old properties into the new ones."""
    yield from scalars(_OWN, properties, old, reset=_RESET)
    yield from entries("/variables", properties.get("Variables"), old.get("Variables"))
    yield from _access_log(properties.get("AccessLogSetting") or {}, old.get("AccessLogSetting") or {})
    yield from _canary(properties, old)
    yield from _method_settings(properties, old)


def _access_log(log: Props, before: Props) -> Iterator[Patch]:
    if before and not log:
        yield {"op": "remove", "path": "/accessLogSettings"}
    for name, field in (("Format", "format"), ("DestinationArn", "destinationArn")):
        if log.get(name) and log.get(name) != before.get(name):
            yield replacement(f"/accessLogSettings/{field}", log[name])


def _canary(properties: Props, old: Props) -> Iterator[Patch]:
    wanted, before = properties.get("CanarySetting"), old.get("CanarySetting")
    if wanted is None:
        if before is not None:
            yield {"op": "remove", "path": "/canarySettings"}
        return
    # AWS: a canary that names no deployment has the stage's.
    reset = {**_CANARY_RESET, "DeploymentId": str(properties.get("DeploymentId", ""))}
    yield from scalars(_CANARY, wanted, before or {}, reset=reset)
    overrides = "StageVariableOverrides"
    yield from entries("/canarySettings/stageVariableOverrides", wanted.get(overrides), (before or {}).get(overrides))


def _method_settings(properties: Props, old: Props) -> Iterator[Patch]:
    wanted, before = _by_method(properties), _by_method(old)
    for where, settings in before.items():
        # One setting cannot be removed by itself: the method begins anew.
        if METHOD_SETTINGS.keys() & settings.keys() - wanted.get(where, {}).keys():
            yield {"op": "remove", "path": where}
            before[where] = {}
    for where, settings in wanted.items():
        for name, path in METHOD_SETTINGS.items():
            if name in settings and settings[name] != before.get(where, {}).get(name):
                yield replacement(f"{where}/{path}", settings[name])


def unenforced(properties: Props) -> Iterator[str]:
    """What a person has to be told: asked for, and without effect here."""
    if properties.get("TracingEnabled") in (True, "true"):
        yield "TracingEnabled: requests are marked as sampled, but there is no X-Ray to send traces to"
    if (properties.get("AccessLogSetting") or {}).get("DestinationArn"):
        yield "AccessLogSetting.DestinationArn: the access log goes to standard output"


def check_settings(properties: Props) -> None:
    """Raises ResourceError for members that no stage has; what CreateStage takes, its model checks."""
    log = properties.get("AccessLogSetting") or {}
    unknown = [f"AccessLogSetting.{name}" for name in sorted(log.keys() - {"DestinationArn", "Format"})]
    known = METHOD_SETTINGS.keys() | _WHERE
    for settings in properties.get("MethodSettings") or ():
        unknown += [f"MethodSettings.{name}" for name in sorted(settings.keys() - known)]
    if unknown:
        raise ResourceError(f"Encountered unsupported property {unknown[0]}")


def _by_method(properties: Props) -> dict[str, Mapping[str, Any]]:
    """Settings by the patch path of their method: `/~1pets~1{id}/GET`, or `/*/*` for all."""
    found: dict[str, Mapping[str, Any]] = {}
    for settings in properties.get("MethodSettings") or ():
        path = settings.get("ResourcePath", "/*")
        # AWS: slashes of the path are escaped in the template, but the root is written as one.
        where = f"{'/~1' if path == '/' else path}/{settings.get('HttpMethod', '*')}"
        found[where] = {**found.get(where, {}), **settings}
    return found
