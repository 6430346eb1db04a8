"""Resource policies of functions."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.functions.permissions import may_invoke
from tidegate.functions.spec import Invoker, Permission

API = "arn:aws:execute-api:us-east-1:000000000000:abc"
GATEWAY = Invoker("apigateway.amazonaws.com", f"{API}/prod/GET/pets", "000000000000")


def permission(**parts: Any) -> Permission:
    values: dict[str, Any] = {
        "effect": "Allow",
        "principals": ("apigateway.amazonaws.com",),
        "actions": ("lambda:InvokeFunction",),
    }
    return Permission(**{**values, **parts})


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ((), False),
        ((permission(),), True),
        ((permission(principals=("*",)),), True),
        ((permission(principals=("events.amazonaws.com",)),), False),
        ((permission(actions=("lambda:*",)),), True),
        ((permission(actions=("*",)),), True),
        ((permission(actions=("lambda:invokefunction",)),), True),
        ((permission(actions=("lambda:GetFunction",)),), False),
        ((permission(source_arn=f"{API}/*/GET/pets"),), True),
        ((permission(source_arn=f"{API}/*"),), True),
        ((permission(source_arn=f"{API}/*/*/*"),), True),
        ((permission(source_arn=f"{API}/*/POST/pets"),), False),
        ((permission(source_arn="arn:aws:execute-api:us-east-1:000000000000:other/*"),), False),
        ((permission(source_account="000000000000"),), True),
        ((permission(source_account="111111111111"),), False),
        ((permission(effect="Deny"),), False),
        ((permission(), permission(effect="Deny", source_arn=f"{API}/prod/*")), False),
        ((permission(), permission(effect="Deny", source_arn=f"{API}/test/*")), True),
    ],
)
def test_decisions(permissions: tuple[Permission, ...], allowed: bool) -> None:
    assert may_invoke(permissions, GATEWAY) is allowed
