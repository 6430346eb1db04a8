"""Whether a function's resource policy lets a service invoke it. Pure.

Not here: parsing or storing policies (control), policies of callers (the invocation then comes without an invoker).

AWS: "Using resource-based policies for Lambda"; an explicit deny wins, no matching statement is a denial.
"""

from __future__ import annotations

from tidegate.core.arns import arn_like, string_like
from tidegate.functions.spec import Invoker, Permission

_INVOKE = "lambda:invokefunction"


def may_invoke(permissions: tuple[Permission, ...], invoker: Invoker) -> bool:
    effects = {permission.effect for permission in permissions if _applies(permission, invoker)}
    return "Allow" in effects and "Deny" not in effects


def _applies(permission: Permission, invoker: Invoker) -> bool:
    return (
        any(principal in ("*", invoker.principal) for principal in permission.principals)
        and any(string_like(action.lower(), _INVOKE) for action in permission.actions)
        and (permission.source_arn is None or arn_like(permission.source_arn, invoker.source_arn))
        and permission.source_account in (None, invoker.source_account)
    )
