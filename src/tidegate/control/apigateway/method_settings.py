"""Method settings of a stage: `/{resourcePath}/{httpMethod}/throttling/rateLimit` and the like.

Source: *Patch operations*, table of Stage; shared facts, rest-control-plane §4 and §5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from tidegate.control.apigateway.methods import VERBS
from tidegate.control.patch import Apply, Draft, PatchOp, Rule, bad_request, rule
from tidegate.definition.records import MethodSetting, setting_key

_MOST = 2**31 - 1
_LOG_LEVELS = ("OFF", "ERROR", "INFO")
UNKNOWN_PATH = "Invalid method setting path: {path}. Must be one of: [{known}]"
"""AWS says this of every path of a stage that it does not know."""


def _number(convert: Callable[[str], float]) -> Callable[[str], float]:
    def read(value: str) -> float:
        try:
            number = convert(value)
        except ValueError:
            number = math.nan
        # AWS: -1 stands for "not set here".
        if not -1 <= number <= _MOST:
            raise bad_request(f"Invalid method setting value: {value}")
        return number

    return read


def _log_level(value: str) -> str:
    if value not in _LOG_LEVELS:
        raise bad_request(f"Invalid method setting value: {value}. Must be one of: [{', '.join(_LOG_LEVELS)}]")
    return value


_STRATEGIES = ("FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER")


def _strategy(value: str) -> str:
    if value not in _STRATEGIES:
        raise bad_request(f"Invalid method setting value: {value}. Must be one of: [{', '.join(_STRATEGIES)}]")
    return value


def _true(value: str) -> bool:
    return value.lower() == "true"


_SETTINGS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "metrics/enabled": ("metrics_enabled", _true),
    "logging/dataTrace": ("data_trace_enabled", _true),
    "logging/loglevel": ("logging_level", _log_level),
    "throttling/burstLimit": ("throttling_burst_limit", _number(int)),
    "throttling/rateLimit": ("throttling_rate_limit", _number(float)),
    "caching/enabled": ("caching_enabled", _true),
    "caching/ttlInSeconds": ("cache_ttl_in_seconds", _number(int)),
    "caching/dataEncrypted": ("cache_data_encrypted", _true),
    "caching/requireAuthorizationForCacheControl": ("require_authorization_for_cache_control", _true),
    "caching/unauthorizedCacheControlHeaderStrategy": ("unauthorized_cache_control_header_strategy", _strategy),
}


SETTING_PATHS = (
    ["/deploymentId", "/description", "/cacheClusterEnabled", "/cacheClusterSize", "/clientCertificateId"]
    + ["/accessLogSettings", "/accessLogSettings/destinationArn", "/accessLogSettings/format"]
    + [f"{where}/{name}" for where in ("/{resourcePath}/{httpMethod}", "/*/*") for name in _SETTINGS]
    + ["/variables/{variable_name}", "/tracingEnabled"]
)


def _setting(name: str) -> Apply:
    field, convert = _SETTINGS[name]

    def apply(draft: Draft, op: PatchOp) -> None:
        settings = dict(draft.get("method_settings") or {})
        key = _setting_key(op)
        settings[key] = {**(settings.get(key) or msgspec.to_builtins(MethodSetting())), field: convert(op.value or "")}
        draft["method_settings"] = settings

    return apply


def _setting_key(op: PatchOp) -> str:
    """`/~1pets~1{id}/GET/…` → `pets~1{id}/GET`; `/*/*/…` → `*/*`."""
    path, verb = op.names[0], op.names[1]
    if path == "*" and verb == "*":
        return "*/*"
    if verb not in VERBS or not path.startswith("/"):
        raise bad_request(UNKNOWN_PATH.format(path=op.path, known=", ".join(SETTING_PATHS)))
    return setting_key(path, verb)


def _remove_setting(draft: Draft, op: PatchOp) -> None:
    settings = dict(draft.get("method_settings") or {})
    key = _setting_key(op)
    if op.op != "remove":
        raise bad_request("Invalid patch operation specified. Must be one of: [remove]")
    if key not in settings:
        # AWS: the message ends with a blank.
        raise bad_request(f"Cannot remove method setting {key} because there is no method setting for this method ")
    del settings[key]
    draft["method_settings"] = settings


SETTING_RULES: tuple[Rule, ...] = (
    *(rule(f"/{{resourcePath}}/{{httpMethod}}/{name}", "add replace", _setting(name)) for name in _SETTINGS),
    rule("/{resourcePath}/{httpMethod}", "add remove replace", _remove_setting),
)
