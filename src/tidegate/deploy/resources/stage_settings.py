"""A stage's settings that the management API takes only as patches: tracing, access log, method settings.

AWS: CloudFormation Template Reference, "AWS::ApiGateway::Stage MethodSetting", "… AccessLogSetting".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import Props

_METHOD_SETTINGS = {
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
}
_NOT_YET = {
    "DataTraceEnabled": "data tracing",
    "CachingEnabled": "caching",
    "CacheDataEncrypted": "caching",
    "CacheTtlInSeconds": "caching",
}
_WHERE = frozenset({"ResourcePath", "HttpMethod"})

Patch = dict[str, str]


def setting_patches(properties: Props, old: Props) -> Iterator[Patch]:
    """What turns the old settings into the new ones; for a new stage, `old` is empty."""
    if properties.get("TracingEnabled") != old.get("TracingEnabled"):
        yield _replace("/tracingEnabled", text(properties.get("TracingEnabled", False)))
    log, log_before = properties.get("AccessLogSetting") or {}, old.get("AccessLogSetting") or {}
    if log_before and not log:
        yield {"op": "remove", "path": "/accessLogSettings"}
    for name, field in (("Format", "format"), ("DestinationArn", "destinationArn")):
        if log.get(name) and log.get(name) != log_before.get(name):
            yield _replace(f"/accessLogSettings/{field}", text(log[name]))
    wanted, before = _by_method(properties), _by_method(old)
    for where in sorted(before.keys() - wanted.keys()):
        yield {"op": "remove", "path": where}
    for where, settings in wanted.items():
        for name, path in _METHOD_SETTINGS.items():
            if name in settings and settings[name] != before.get(where, {}).get(name):
                yield _replace(f"{where}/{path}", text(settings[name]))


def unenforced(properties: Props) -> Iterator[str]:
    """What a person has to be told: asked for, and without effect here."""
    if properties.get("TracingEnabled") in (True, "true"):
        yield "TracingEnabled: requests are marked as sampled, but there is no X-Ray to send traces to"
    if (properties.get("AccessLogSetting") or {}).get("DestinationArn"):
        yield "AccessLogSetting.DestinationArn: the access log goes to standard output"
    for settings in properties.get("MethodSettings") or ():
        for name, what in _NOT_YET.items():
            if settings.get(name) in (True, "true") or (name == "CacheTtlInSeconds" and name in settings):
                yield f"MethodSettings.{name}: {what} has no effect yet"


def unknown_settings(properties: Props) -> list[str]:
    known = _METHOD_SETTINGS.keys() | _NOT_YET.keys() | _WHERE
    return sorted({name for settings in properties.get("MethodSettings") or () for name in settings.keys() - known})


def _by_method(properties: Props) -> dict[str, Mapping[str, Any]]:
    """Settings by the patch path of their method: `/~1pets~1{id}/GET`, or `/*/*` for all."""
    return {
        f"{settings.get('ResourcePath', '/*')}/{settings.get('HttpMethod', '*')}": settings
        for settings in properties.get("MethodSettings") or ()
    }


def _replace(path: str, value: str) -> Patch:
    return {"op": "replace", "path": path, "value": value}
