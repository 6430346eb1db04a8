"""What a call of CloudWatch Logs has to be allowed.

Source: *Actions, resources, and condition keys for Amazon CloudWatch Logs* (Service Authorization Reference).
"""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.control.access import Need
from tidegate.control.logs.groups import name_of


def needs(operation: str, params: Params, scope: Scope) -> Sequence[Need]:
    """AWS: what is about a group names its streams as well, so that `log-group:NAME:*` allows it."""
    named = params.get("log_group_name") or params.get("log_group_identifier") or params.get("resource_arn") or ""
    group, stream = name_of(named), params.get("log_stream_name") or ""
    resource = f"arn:aws:logs:{scope.region}:{scope.account}:log-group:{group}:log-stream:{stream}"
    return (Need(f"logs:{operation}", resource),)
