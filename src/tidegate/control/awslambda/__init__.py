"""The management API of Lambda (service `lambda`, 2015-03-31): functions, versions, aliases, layers, policies, Invoke."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.control.awslambda import (
    aliases,
    concurrency,
    constants,
    event_invoke,
    functions,
    layers,
    permissions,
    provisioned,
    urls,
    versions,
)
from tidegate.control.context import Operation

OPERATIONS: Mapping[str, Operation] = {
    **functions.OPERATIONS,
    **versions.OPERATIONS,
    **aliases.OPERATIONS,
    **permissions.OPERATIONS,
    **concurrency.OPERATIONS,
    **provisioned.OPERATIONS,
    **layers.OPERATIONS,
    **event_invoke.OPERATIONS,
    **urls.OPERATIONS,
    **constants.OPERATIONS,
}

_SUPPORTED_ELSEWHERE = frozenset({"Invoke", "InvokeWithResponseStream"})
"""Answered by `service.LambdaService` itself, because they wait for a function."""


def unsupported(operation_names: list[str]) -> dict[str, str]:
    """Every other operation of the model; each is refused by name."""
    done = OPERATIONS.keys() | _SUPPORTED_ELSEWHERE
    return dict.fromkeys((name for name in operation_names if name not in done), "it comes with a later release")
