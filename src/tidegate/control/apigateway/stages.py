"""Stage: what serves a deployment. Source: shared facts, rest-control-plane §4, §5 (method settings) and §10."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.base_path_mappings import refuse_while_mapped
from tidegate.control.apigateway.canary import (
    CANARY_RULES,
    canary_of,
    check_copies,
    promoted_deployment,
    promoted_variables,
)
from tidegate.control.apigateway.lookup import get_api, get_stage, not_found
from tidegate.control.apigateway.method_settings import SETTING_PATHS, SETTING_RULES, UNKNOWN_PATH
from tidegate.control.apigateway.methods import VERBS
from tidegate.control.apigateway.tags import check_tags
from tidegate.control.apigateway.usage_plans import forget_stages
from tidegate.control.context import Context
from tidegate.control.patch import (
    Apply,
    Draft,
    PatchOp,
    bad_request,
    boolean,
    entry,
    optional,
    patch,
    rule,
    table,
    text,
)
from tidegate.core.errors import ControlError
from tidegate.definition.freeze import thaw
from tidegate.definition.json_text import decode_object
from tidegate.definition.records import (
    ClientCertificate,
    Deployment,
    DeploymentDocument,
    DocumentationVersion,
    Stage,
    setting_key,
)

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]{0,512}")
_MOST_VARIABLES = 100


def check_stage_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise bad_request("Stage name only allows a-zA-Z0-9_-")


def check_variables(variables: dict[str, str] | None) -> None:
    if len(variables or ()) > _MOST_VARIABLES:
        raise bad_request(f"Stage variables exceed the limit of {_MOST_VARIABLES} per stage")
    for name, value in (variables or {}).items():
        if not _VARIABLE_NAME.fullmatch(name):
            raise bad_request(f"Stage variable name {name} is invalid: only A-Z, a-z, 0-9 and _ are allowed")
        if not _VARIABLE_VALUE.fullmatch(value):
            raise bad_request(f"Stage variable value of {name} is invalid: {value}")


def put_stage(context: Context, stage: Stage, document: DeploymentDocument | None = None) -> None:
    """Store a stage once its plan compiles. `document`: what its deployment froze, where the caller has it. Raises
    DefinitionError."""
    document = document or _document(context, stage.api_id, stage.deployment_id)
    canary = stage.canary_settings
    canary_document = None
    if canary is not None:
        check_variables(canary.stage_variable_overrides)
        canary_document = _document(context, stage.api_id, canary.deployment_id or "")
    if (
        stage.documentation_version
        and context.tx.get(DocumentationVersion, stage.api_id, stage.documentation_version) is None
    ):
        raise not_found("Invalid Documentation version identifier specified")
    if stage.client_certificate_id and context.tx.get(ClientCertificate, stage.client_certificate_id) is None:
        raise not_found("Invalid Client Certificate identifier specified")
    _check_settings(stage, document)
    context.plans.check(context.tx, document, stage, canary_document)
    context.tx.put(stage)


def _document(context: Context, api_id: str, deployment_id: str) -> DeploymentDocument:
    deployment = context.tx.get(Deployment, api_id, deployment_id)
    if deployment is None:
        raise bad_request("Deployment id does not exist")
    return thaw(context.tx.document(deployment.document))


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
    check_variables(params.get("variables"))
    check_tags(params.get("tags"))
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
        canary_settings=canary_of(params.get("canary_settings"), deployment_id=params["deployment_id"]),
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
    operations = params.get("patch_operations") or ()
    check_copies(operations)
    stage = patch(before, operations, RULES)
    check_variables(stage.variables)
    stage = replace(stage, last_updated_date=int(context.clock.time()))
    put_stage(context, stage)
    return stage


def flush_stage_cache(context: Context, params: Params) -> None:
    """Response caching cannot be enabled yet, so a stage that is there has nothing to flush. AWS answers 202 as well."""
    get_stage(context, params["rest_api_id"], params["stage_name"])


def flush_stage_authorizers_cache(context: Context, params: Params) -> None:
    """The stage has to be there; its answers are forgotten on the event loop (`service`)."""
    get_stage(context, params["rest_api_id"], params["stage_name"])


def delete_stage(context: Context, params: Params) -> None:
    stage = get_stage(context, params["rest_api_id"], params["stage_name"])
    refuse_while_mapped(context, stage.api_id, stage.stage_name)
    forget_stages(context, stage.api_id, stage.stage_name)
    context.tx.delete(Stage, *stage.key)


# --- patch rules -----------------------------------------------------------------------------------------------------


def _access_log(field: str) -> Apply:
    def apply(draft: Draft, op: PatchOp) -> None:
        if not op.value:
            raise bad_request("Access Log value must not be empty")
        draft["access_log_settings"] = {**(draft.get("access_log_settings") or {}), field: op.value}

    return apply


def _remove_access_log(draft: Draft, op: PatchOp) -> None:
    draft["access_log_settings"] = None


def _bad_access_log(draft: Draft, op: PatchOp) -> None:
    raise bad_request(
        "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]"
    )


def _variables(draft: Draft, op: PatchOp) -> None:
    """All of them: the value is a JSON map."""
    if op.op == "remove":
        draft["variables"] = None
        return
    given = decode_object(op.value)
    if given is None or not all(isinstance(value, str) for value in given.values()):
        raise bad_request(f"Invalid patch value specified for path {op.path}: {op.value}")
    draft["variables"] = given or None


RULES = table(
    rule("/deploymentId", "replace copy", promoted_deployment(text("deployment_id"))),
    rule("/description", "replace", text("description")),
    rule("/documentationVersion", "replace", optional("documentation_version")),
    rule("/cacheClusterEnabled", "replace", boolean("cache_cluster_enabled")),
    rule("/cacheClusterSize", "replace", text("cache_cluster_size")),
    rule("/clientCertificateId", "replace", optional("client_certificate_id")),
    rule("/tracingEnabled", "replace", boolean("tracing_enabled")),
    rule("/accessLogSettings", "remove", _remove_access_log),
    rule("/accessLogSettings/destinationArn", "add replace", _access_log("destination_arn")),
    rule("/accessLogSettings/format", "add replace", _access_log("format")),
    rule("/accessLogSettings/{name}", "add replace remove", _bad_access_log),
    rule("/variables", "replace remove copy", promoted_variables(_variables)),
    # AWS's table has replace and remove; add is taken in practice.
    rule("/variables/{variable_name}", "add replace remove", entry("variables")),
    *CANARY_RULES,
    *SETTING_RULES,
    listed=" ".join(SETTING_PATHS),
    unknown=UNKNOWN_PATH,
)

OPERATIONS = {
    "CreateStage": create_stage,
    "GetStage": get_stage_operation,
    "GetStages": get_stages,
    "UpdateStage": update_stage,
    "DeleteStage": delete_stage,
    "FlushStageCache": flush_stage_cache,
    "FlushStageAuthorizersCache": flush_stage_authorizers_cache,
}
