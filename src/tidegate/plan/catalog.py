"""From a function's records to what the function service runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.aws.policy import CompiledPolicy, Kind, compile_policy
from tidegate.aws.scope import Scope
from tidegate.core.arns import function_arn
from tidegate.definition.records import Function, FunctionAlias, FunctionUrl, FunctionVersion, Invocable, UrlCors
from tidegate.functions.spec import (
    LATEST,
    AliasEntry,
    CatalogEntry,
    EventPolicy,
    FunctionSpec,
    Invoker,
    Permission,
)
from tidegate.plan.urls import CorsPlan, UrlPlan, UrlRules


def catalog_entry(function: Function | FunctionVersion, scope: Scope) -> CatalogEntry:
    spec = FunctionSpec(
        name=function.function_name,
        account=scope.account,
        region=scope.region,
        version=function.version if isinstance(function, FunctionVersion) else LATEST,
        runtime=function.runtime,
        handler=function.handler,
        code_sha256=function.code_sha256,
        role=function.role,
        timeout=function.timeout,
        memory=function.memory_size,
        storage=function.ephemeral_storage,
        environment=function.environment or {},
        layers=tuple(layer.code_sha256 for layer in function.layers if layer.code_sha256),
        folder=function.folder,
        libraries=tuple(function.libraries),
    )
    return CatalogEntry(
        spec,
        _permissions(function),
        _events(function, function.dead_letter_target),
        function.reserved_concurrency if isinstance(function, Function) else None,
        function.provisioned_concurrency or 0,
    )


def alias_entry(alias: FunctionAlias) -> AliasEntry:
    function = alias.alias_arn.rpartition(":")[0]
    weights = alias.additional_version_weights or {}
    routes = [(version, share * 100) for version, share in weights.items()]
    routes.append((alias.function_version, 100 - sum(share for _, share in routes)))
    return AliasEntry(
        alias.alias_arn,
        tuple((function if version == LATEST else f"{function}:{version}", share) for version, share in routes),
        _permissions(alias),
        _events(alias),
        alias.provisioned_concurrency or 0,
    )


def qualified_arn(key: tuple[str, ...], scope: Scope) -> str:
    """Of a record's key: function and, for versions and aliases, qualifier."""
    return function_arn(scope.region, scope.account, *key)


def _events(record: Invocable, dead_letter: str | None = None) -> EventPolicy:
    given = record.event_invoke
    policy = EventPolicy(dead_letter=dead_letter)
    if given is None:
        return policy
    retries, age = given.maximum_retry_attempts, given.maximum_event_age_in_seconds
    return EventPolicy(
        retries=policy.retries if retries is None else retries,
        max_age=policy.max_age if age is None else age,
        on_success=given.on_success,
        on_failure=given.on_failure,
        dead_letter=dead_letter,
    )


def _permissions(record: Invocable) -> tuple[Permission, ...]:
    return tuple(map(_permission, record.policy))


_KNOWN = {
    ("ArnLike", "AWS:SourceArn"),
    ("StringEquals", "AWS:SourceAccount"),
    ("StringEquals", "lambda:FunctionUrlAuthType"),
    ("Bool", "lambda:InvokedViaFunctionUrl"),
}


def _permission(statement: Mapping[str, Any]) -> Permission:
    condition = statement.get("Condition", {})
    equals = condition.get("StringEquals", {})
    via_url = condition.get("Bool", {}).get("lambda:InvokedViaFunctionUrl")
    return Permission(
        effect=statement["Effect"],
        principals=_principals(statement["Principal"]),
        actions=_texts(statement["Action"]),
        source_arn=condition.get("ArnLike", {}).get("AWS:SourceArn"),
        source_account=equals.get("AWS:SourceAccount"),
        url_auth_type=equals.get("lambda:FunctionUrlAuthType"),
        via_url=None if via_url is None else via_url == "true",
        unmet=any((operator, key) not in _KNOWN for operator, keys in condition.items() for key in keys),
    )


def _principals(principal: str | Mapping[str, Any]) -> tuple[str, ...]:
    if isinstance(principal, str):
        return (principal,)
    return tuple(text for value in principal.values() for text in _texts(value))


def _texts(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def url_plan(url: FunctionUrl, scope: Scope, invocable: Invocable | None) -> UrlPlan:
    """`invocable`: what it is the address of; None: that is gone."""
    signed = url.auth_type == "AWS_IAM"
    return UrlPlan(
        url_id=url.url_id,
        region=scope.region,
        function_arn=url.function_arn,
        invoker=None if signed else Invoker("*", "", "", url_auth_type=url.auth_type),
        rules=UrlRules(scope.account, _policy(invocable, url.function_arn)) if signed else None,
        streams=url.invoke_mode == "RESPONSE_STREAM",
        cors=None if url.cors is None else _cors(url.cors),
    )


def _policy(invocable: Invocable | None, arn: str) -> CompiledPolicy | None:
    if invocable is None or not invocable.policy:
        return None
    document = {"Version": "2012-10-17", "Statement": invocable.policy}
    return compile_policy(document, source_name=f"of {arn}", kind=Kind.RESOURCE)


def _cors(cors: UrlCors) -> CorsPlan:
    return CorsPlan(
        origins=tuple(cors.allow_origins or ()),
        methods=",".join(cors.allow_methods or ()),
        headers=",".join(cors.allow_headers or ()),
        exposed=",".join(cors.expose_headers or ()),
        max_age=cors.max_age,
        credentials=bool(cors.allow_credentials),
    )
