"""Stage: what serves a deployment. Source: shared facts, rest-control-plane §4, §5 (method settings) and §10."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec

from tidegate.aws.model import Params
from tidegate.control.apigateway.lookup import get_api, get_stage, not_found
from tidegate.control.apigateway.methods import VERBS
from tidegate.control.context import Context
from tidegate.control.patch import Apply, Draft, PatchOp, bad_request, boolean, entry, patch, rule, table, text
from tidegate.core.errors import ControlError
from tidegate.definition.freeze import thaw
from tidegate.definition.records import Deployment, DeploymentDocument, MethodSetting, Stage, setting_key

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]{0,512}")
_MOST = 2**31 - 1
_LOG_LEVELS = ("OFF", "ERROR", "INFO")


def check_stage_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise bad_request("Stage name only allows a-zA-Z0-9_-")


def check_variables(variables: dict[str, str] | None) -> None:
    for name, value in (variables or {}).items():
        if not _VARIABLE_NAME.fullmatch(name):
            raise bad_request(f"Stage variable name {name} is invalid: only A-Z, a-z, 0-9 and _ are allowed")
        if not _VARIABLE_VALUE.fullmatch(value):
            raise bad_request(f"Stage variable value of {name} is invalid: {value}")


def put_stage(context: Context, stage: Stage, document: DeploymentDocument | None = None) -> None:
    """Store a stage once its plan compiles. Raises DefinitionError."""
    if document is None:
        deployment = context.tx.get(Deployment, stage.api_id, stage.deployment_id)
        if deployment is None:
            raise bad_request("Deployment id does not exist")
        document = thaw(context.tx.document(deployment.document))
    if stage.documentation_version:
        # There are no documentation versions yet, so none that a stage could name.
        raise not_found("Invalid Documentation version identifier specified")
    _check_settings(stage, document)
    context.plans.check(document, stage, context.scope)
    context.tx.put(stage)


def _check_settings(stage: Stage, document: DeploymentDocument) -> None:
    """Settings are of methods that the deployment has; others would apply to nothing."""
    paths = {resource.id: resource.path for resource in document.resources}
    known = {setting_key(paths[method.resource_id], method.http_method) for method in document.methods} | {"*/*"}
    known |= {key.rpartition("/")[0] + f"/{verb}" for key in known if key.endswith("/ANY") for verb in VERBS}
    if unknown := sorted(stage.method_settings.keys() - known):
        raise bad_request(f"Invalid method setting: the deployment has no method {unknown[0]}")


def create_stage(context: Context, params: Params) -> Stage:
    api = get_api(context, params["rest_api_id"])
    name = params["stage_name"]
    check_stage_name(name)
    if context.tx.get(Stage, api.id, name) is not None:
        raise ControlError("ConflictException", "Stage already exists", 409)
    if params.get("canary_settings") is not None:
        raise bad_request("Tidegate does not support canary releases yet")
    check_variables(params.get("variables"))
    now = int(context.clock.time())
    stage = Stage(
        api_id=api.id,
        stage_name=name,
        deployment_id=params["deployment_id"],
        created_date=now,
        last_updated_date=now,
        description=params.get("description"),
        variables=params.get("variables") or None,
        documentation_version=params.get("documentation_version"),
        cache_cluster_enabled=bool(params.get("cache_cluster_enabled")),
        cache_cluster_size=params.get("cache_cluster_size"),
        tracing_enabled=bool(params.get("tracing_enabled")),
        tags=params.get("tags") or None,
    )
    put_stage(context, stage)
    return stage


def get_stage_operation(context: Context, params: Params) -> Stage:
    return get_stage(context, params["rest_api_id"], params["stage_name"])


def get_stages(context: Context, params: Params) -> dict[str, Any]:
    get_api(context, params["rest_api_id"])
    wanted = params.get("deployment_id")
    stages = context.tx.list(Stage, params["rest_api_id"])
    return {"item": [stage for stage in stages if wanted in (None, stage.deployment_id)]}


def update_stage(context: Context, params: Params) -> Stage:
    before = get_stage(context, params["rest_api_id"], params["stage_name"])
    stage = patch(before, params.get("patch_operations"), RULES)
    check_variables(stage.variables)
    stage = replace(stage, last_updated_date=int(context.clock.time()))
    put_stage(context, stage)
    return stage


def delete_stage(context: Context, params: Params) -> None:
    context.tx.delete(Stage, *get_stage(context, params["rest_api_id"], params["stage_name"]).key)


# --- patch rules -----------------------------------------------------------------------------------------------------


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


_SETTING_PATHS = ", ".join(
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
        raise bad_request(f"Invalid method setting path: {op.path}. Must be one of: [{_SETTING_PATHS}]")
    return setting_key(path, verb)


def _remove_setting(draft: Draft, op: PatchOp) -> None:
    settings = dict(draft.get("method_settings") or {})
    key = _setting_key(op)
    if key not in settings:
        # AWS: the message ends with a blank.
        raise bad_request(f"Cannot remove method setting {key} because there is no method setting for this method ")
    del settings[key]
    draft["method_settings"] = settings


def _access_log(field: str) -> Apply:
    def apply(draft: Draft, op: PatchOp) -> None:
        if not op.value:
            raise bad_request("Access Log value must not be empty")
        draft["access_log_settings"] = {**(draft.get("access_log_settings") or {}), field: op.value}

    return apply


def _remove_access_log(draft: Draft, op: PatchOp) -> None:
    draft["access_log_settings"] = None


RULES = table(
    rule("/deploymentId", "replace", text("deployment_id")),
    rule("/description", "replace", text("description")),
    rule("/documentationVersion", "replace", text("documentation_version")),
    rule("/cacheClusterEnabled", "replace", boolean("cache_cluster_enabled")),
    rule("/cacheClusterSize", "replace", text("cache_cluster_size")),
    rule("/clientCertificateId", "replace", text("client_certificate_id")),
    rule("/tracingEnabled", "replace", boolean("tracing_enabled")),
    rule("/accessLogSettings", "remove", _remove_access_log),
    rule("/accessLogSettings/destinationArn", "add replace", _access_log("destination_arn")),
    rule("/accessLogSettings/format", "add replace", _access_log("format")),
    rule("/variables/{variable_name}", "add replace remove", entry("variables")),
    *(rule(f"/{{resourcePath}}/{{httpMethod}}/{name}", "add replace", _setting(name)) for name in _SETTINGS),
    rule("/{resourcePath}/{httpMethod}", "remove", _remove_setting),
)

OPERATIONS = {
    "CreateStage": create_stage,
    "GetStage": get_stage_operation,
    "GetStages": get_stages,
    "UpdateStage": update_stage,
    "DeleteStage": delete_stage,
}
