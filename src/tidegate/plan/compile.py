"""Compiling a stage: pure and total. Gives a plan, or every problem there is, each with a pointer to its place.

The same function serves CreateDeployment and UpdateStage (problems become a 400 before anything is committed) and start-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from tidegate.aws.scope import Scope
from tidegate.core.errors import DefinitionError, Problem
from tidegate.core.message import ClientIdentity
from tidegate.definition.records import DeploymentDocument, Method, MethodSetting, Stage, setting_key
from tidegate.mapping.logformat import DEFAULT_FORMAT, LogFormat
from tidegate.mapping.media import BinaryTypes
from tidegate.plan.gateway_responses import compile_gateway_responses
from tidegate.plan.guards import compile_guard, compile_rules
from tidegate.plan.integrations import Surroundings, compile_integration
from tidegate.plan.nodes import UNLIMITED, Canary, ExecutionLogging, MethodPlan, StagePlan, Throttle
from tidegate.plan.refusals import (
    api_refusals,
    integration_refusals,
    stage_refusals,
)
from tidegate.plan.routing import Router
from tidegate.plan.validation import Validations

_DEFAULT_LOG = LogFormat(DEFAULT_FORMAT)


def compile_stage(
    document: DeploymentDocument,
    stage: Stage,
    scope: Scope,
    *,
    canary: DeploymentDocument | None = None,
    certificate: ClientIdentity | None = None,
    links: Mapping[str, str | None] = MappingProxyType({}),
) -> StagePlan:
    """`canary`: what the canary's deployment froze, on a stage that has one. `certificate`: the stage's client certificate.
    `links`: the account's VPC links (see `integrations.common`).

    Raises DefinitionError.
    """
    plan = _compile(document, stage, scope, certificate, links)
    settings = stage.canary_settings
    if canary is None or settings is None:
        return plan
    variables = {**(stage.variables or {}), **(settings.stage_variable_overrides or {})}
    variant = replace(stage, deployment_id=settings.deployment_id or "", variables=variables or None)
    other = replace(_compile(canary, variant, scope, certificate, links), is_canary="true")
    return replace(plan, canary=Canary(settings.percent_traffic, other), is_canary="false")


def _compile(
    document: DeploymentDocument,
    stage: Stage,
    scope: Scope,
    certificate: ClientIdentity | None,
    links: Mapping[str, str | None],
) -> StagePlan:
    problems = [*api_refusals(document.api), *stage_refusals(stage)]
    variables = stage.variables or {}
    around = Surroundings(
        api_id=document.api.id,
        stage_name=stage.stage_name,
        account=scope.account,
        region=scope.region,
        variables=variables,
        # AWS: streams of edge-optimized APIs may pause for 30 seconds, all others for five minutes.
        idle=30.0 if "EDGE" in document.api.endpoint_configuration.types else 300.0,
        certificate=certificate,
        links=links,
        problems=problems,
    )
    paths = {resource.id: resource.path for resource in document.resources}
    validations = Validations(document, problems)
    routes = []
    for method in document.methods:
        path = paths[method.resource_id]
        plan = _method(method, path, stage, around, validations, document)
        routes.append((path, method.http_method, plan))
        routes += _verbs_of_any(method, path, stage, plan)
    access_log = _access_log(stage, problems)
    rules = compile_rules(document, around)
    gateway_responses = compile_gateway_responses(document.gateway_responses, variables, problems)
    if not document.methods:
        problems.append(Problem("", "The REST API doesn't contain any methods"))
    if problems:
        raise DefinitionError(problems)
    return StagePlan(
        account=scope.account,
        region=scope.region,
        api_id=document.api.id,
        name=stage.stage_name,
        deployment_id=stage.deployment_id,
        router=Router(sorted(routes, key=lambda route: route[2].http_method != "ANY")),
        variables=variables,
        binary=BinaryTypes.of(document.api.binary_media_types),
        access_log=access_log,
        sampled=stage.tracing_enabled,
        open=not document.api.disable_execute_api_endpoint,
        rules=rules,
        keys_by_authorizer=document.api.api_key_source == "AUTHORIZER",
        min_compression=document.api.minimum_compression_size,
        key=(document.api.id, stage.stage_name),
        gateway_responses=gateway_responses,
    )


def _method(
    method: Method,
    path: str,
    stage: Stage,
    around: Surroundings,
    validations: Validations,
    document: DeploymentDocument,
) -> MethodPlan:
    pointer = f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method.http_method}"
    at = f"{pointer}/integration"
    if method.method_integration is not None:
        around.problems += integration_refusals(method.method_integration, at)
    setting = _setting(method, path, stage)
    return MethodPlan(
        resource_id=method.resource_id,
        resource_path=path,
        http_method=method.http_method,
        operation_name=method.operation_name,
        integration=compile_integration(method, path, around, at),
        throttle=_throttle(setting, f"{method.api_id}/{stage.stage_name}/{method.http_method}{path}"),
        guard=compile_guard(method, document, around, pointer),
        key_required=method.api_key_required,
        path_and_verb=f"{path}/{method.http_method}",
        validation=validations.compile(method, pointer),
        traced=method.method_integration is not None and method.method_integration.type != "MOCK",
        logging=_logging(setting),
    )


def _verbs_of_any(method: Method, path: str, stage: Stage, plan: MethodPlan) -> list[tuple[str, str, MethodPlan]]:
    """Settings of single verbs of an ANY method become methods of their own, unless such are declared beside it."""
    if method.http_method != "ANY":
        return []
    prefix = setting_key(path, "")
    verbs = [
        key.removeprefix(prefix)
        for key in stage.method_settings
        if key.startswith(prefix) and "/" not in key[len(prefix) :]
    ]
    made = []
    for verb in verbs:
        if verb != "ANY":
            setting = stage.method_settings[prefix + verb]
            throttle = _throttle(setting, f"{method.api_id}/{stage.stage_name}/{verb}{path}")
            made.append((path, verb, replace(plan, throttle=throttle, logging=_logging(setting))))
    return made


def _setting(method: Method, path: str, stage: Stage) -> MethodSetting | None:
    """The method's own settings, else those of `*/*`."""
    return stage.method_settings.get(setting_key(path, method.http_method)) or stage.method_settings.get("*/*")


def _throttle(setting: MethodSetting | None, key: str) -> Throttle:
    if setting is None or setting.throttling_rate_limit < 0:
        # AWS: -1 in CloudFormation and Terraform stands for "not limited here".
        return UNLIMITED
    return Throttle(key, setting.throttling_rate_limit, setting.throttling_burst_limit)


def _logging(setting: MethodSetting | None) -> ExecutionLogging | None:
    if setting is None or setting.logging_level not in ("INFO", "ERROR"):
        return None
    return ExecutionLogging(all=setting.logging_level == "INFO", bodies=setting.data_trace_enabled)


def _access_log(stage: Stage, problems: list[Problem]) -> LogFormat:
    settings = stage.access_log_settings
    if settings is None or not settings.format:
        return _DEFAULT_LOG
    try:
        return LogFormat(settings.format)
    except ValueError as error:
        problems.append(Problem("/accessLogSettings/format", str(error)))
        return _DEFAULT_LOG
