"""Resource policies of APIs as the management API takes and shows them.

Not here: what a policy allows (the request path). Source: *API Gateway resource policies*; shared facts,
rest-control-plane §13 (how a policy is shown).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tidegate.aws.policy import PolicyError
from tidegate.aws.policy.api_gateway import compile_resource_policy
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.core.arns import execute_api_arn
from tidegate.definition.json_text import decode_object
from tidegate.definition.records import RestApi

_MOST_BYTES = 8192
_SHORT = "execute-api:/"
_INVALID = "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."


def check_policy(policy: str | None) -> None:
    """Raises ControlError for a text that is no policy of a resource."""
    if policy is None:
        return
    if len(policy.encode()) > _MOST_BYTES:
        raise bad_request(f"Invalid policy document. At most {_MOST_BYTES} bytes are allowed.")
    document = decode_object(policy)
    if not isinstance(document, dict):
        raise bad_request(_INVALID)
    try:
        # Whose API it is does not matter to whether it can be read.
        compile_resource_policy(document, region="us-east-1", account="000000000000", api_id="api")
    except PolicyError:
        raise bad_request(_INVALID) from None


def _statements(document: object) -> list[Any]:
    found = document.get("Statement") if isinstance(document, dict) else None
    return found if isinstance(found, list) else [found] if isinstance(found, dict) else []


def with_policy_shown(context: Context, api: RestApi) -> RestApi:
    """An API whose policy is as AWS shows it: short resources as full ARNs, principals alone without their list, and the text
    escaped once more, quotes and slashes (which clients undo before they read it)."""
    if api.policy is None:
        return api
    document = json.loads(api.policy)
    for statement in _statements(document):
        for name in ("Resource", "NotResource"):
            if name in statement:
                statement[name] = _full(context, api.id, statement[name])
        for name in ("Principal", "NotPrincipal"):
            if isinstance(statement.get(name), dict):
                statement[name] = {kind: _alone(value) for kind, value in statement[name].items()}
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return replace(api, policy=json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"))


def _full(context: Context, api_id: str, resource: Any) -> Any:
    if isinstance(resource, list):
        return [_full(context, api_id, one) for one in resource]
    if isinstance(resource, str) and resource.startswith(_SHORT):
        return execute_api_arn(context.scope.region, context.scope.account, api_id, resource.removeprefix(_SHORT))
    return resource


def _alone(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value
