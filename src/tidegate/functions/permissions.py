"""Whether a function's resource policy lets a service invoke it. Pure.

Not here: parsing or storing policies (control), policies of callers (the invocation then comes without an invoker).

AWS: "Using resource-based policies for Lambda"; an explicit deny wins, no matching statement is a denial.
"""

from __future__ import annotations

from tidegate.core.arns import arn_like, string_like
from tidegate.functions.spec import Invoker, Permission

_INVOKE = "lambda:invokefunction"
_INVOKE_URL = "lambda:invokefunctionurl"


def may_invoke(permissions: tuple[Permission, ...], invoker: Invoker) -> bool:
    # AWS: since October 2025 a function URL needs both actions.
    actions = (_INVOKE,) if invoker.url_auth_type is None else (_INVOKE_URL, _INVOKE)
    return all(_allowed(permissions, invoker, action) for action in actions)


def _allowed(permissions: tuple[Permission, ...], invoker: Invoker, action: str) -> bool:
    effects = {permission.effect for permission in permissions if _applies(permission, invoker, action)}
    return "Allow" in effects and "Deny" not in effects


def _applies(permission: Permission, invoker: Invoker, action: str) -> bool:
    return (
        not permission.unmet
        and any(principal in ("*", invoker.principal) for principal in permission.principals)
        and any(string_like(pattern.lower(), action) for pattern in permission.actions)
        and (permission.source_arn is None or arn_like(permission.source_arn, invoker.source_arn))
        and permission.source_account in (None, invoker.source_account)
        and permission.url_auth_type in (None, invoker.url_auth_type)
        and permission.via_url in (None, invoker.url_auth_type is not None)
    )
