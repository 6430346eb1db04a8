"""From a function's record to what the function service runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.aws.scope import Scope
from tidegate.definition.records import Function
from tidegate.functions.spec import CatalogEntry, FunctionSpec, Permission


def catalog_entry(function: Function, scope: Scope) -> CatalogEntry:
    spec = FunctionSpec(
        name=function.function_name,
        account=scope.account,
        region=scope.region,
        version="$LATEST",
        runtime=function.runtime,
        handler=function.handler,
        code_sha256=function.code_sha256,
        role=function.role,
        timeout=function.timeout,
        memory=function.memory_size,
        environment=function.environment or {},
    )
    return CatalogEntry(spec, tuple(_permission(statement) for statement in function.policy))


def _permission(statement: Mapping[str, Any]) -> Permission:
    condition = statement.get("Condition", {})
    return Permission(
        effect=statement["Effect"],
        principals=_principals(statement["Principal"]),
        actions=_texts(statement["Action"]),
        source_arn=condition.get("ArnLike", {}).get("AWS:SourceArn"),
        source_account=condition.get("StringEquals", {}).get("AWS:SourceAccount"),
    )


def _principals(principal: str | Mapping[str, Any]) -> tuple[str, ...]:
    if isinstance(principal, str):
        return (principal,)
    return tuple(text for value in principal.values() for text in _texts(value))


def _texts(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
