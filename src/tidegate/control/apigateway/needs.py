"""What a call of API Gateway's management API has to be allowed: its HTTP verb, on the path that it is about.

Source: *Amazon API Gateway actions* (Service Authorization Reference: *Amazon API Gateway Management*), *Passing a role to a
service*. An AWS integration works with the rights of its role, so whoever names one has to be allowed to pass it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tidegate.aws.model import Params
from tidegate.aws.rest import Operation
from tidegate.aws.scope import Scope
from tidegate.control.access import PASS_ROLE, Need
from tidegate.definition.openapi import OpenApiError, read_document

_SERVICE = "apigateway.amazonaws.com"
_ROLE_PATCHES = ("/credentials", "/authorizerCredentials", "/cloudwatchRoleArn")
_ROLE_MEMBERS = ("credentials", "authorizerCredentials")
_IMPORTS = ("ImportRestApi", "PutRestApi")


def needs(form: Operation, labels: Mapping[str, str], params: Params, scope: Scope) -> Sequence[Need]:
    resource = f"arn:aws:apigateway:{scope.region}::{_path(form, labels)}"
    found = [Need(f"apigateway:{form.verb}", resource, _tags(params))]
    if _changes_policy(form.name, params, scope):
        found.append(Need("apigateway:UpdateRestApiPolicy", resource))
    return found + [
        Need(PASS_ROLE, role, {"iam:PassedToService": _SERVICE})
        for role in dict.fromkeys(_roles(form.name, params, scope))
        # AWS: this stands for the caller's own credentials, and passes nothing on.
        if not role.endswith(":user/*")
    ]


def _path(form: Operation, labels: Mapping[str, str]) -> str:
    """As the call was understood, whatever it was spelt like."""
    parts = (labels[part.strip("{}+")] if part.startswith("{") else part for part in form.segments)
    return "/" + "/".join(parts)


def _tags(params: Params) -> Mapping[str, str | Sequence[str]]:
    tags = params.get("tags") or {}
    found: dict[str, str | Sequence[str]] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    keys = list(tags) or params.get("tag_keys")
    return found | ({"aws:TagKeys": list(keys)} if keys else {})


def _changes_policy(operation: str, params: Params, scope: Scope) -> bool:
    if operation in _IMPORTS:
        return any(key == "x-amazon-apigateway-policy" for key, _ in _walk(_document(params, scope)))
    patched = any(str(patch.get("path", "")).startswith("/policy") for patch in params.get("patch_operations") or ())
    return operation in ("CreateRestApi", "UpdateRestApi") and (bool(params.get("policy")) or patched)


def _roles(operation: str, params: Params, scope: Scope) -> Iterator[str]:
    for member in ("credentials", "authorizer_credentials"):
        if params.get(member):
            yield params[member]
    for patch in params.get("patch_operations") or ():
        if patch.get("path") in _ROLE_PATCHES and patch.get("value"):
            yield patch["value"]
    if operation in _IMPORTS:
        yield from (
            value for key, value in _walk(_document(params, scope)) if key in _ROLE_MEMBERS and isinstance(value, str)
        )


def _document(params: Params, scope: Scope) -> Any:
    """What cannot be read is refused by the operation itself."""
    try:
        return read_document(params.get("body") or b"", account=scope.account, region=scope.region)
    except OpenApiError:
        return {}


def _walk(value: Any) -> Iterator[tuple[str, Any]]:
    waiting, seen = [value], set[int]()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:  # YAML lets one object stand in many places
            continue
        seen.add(id(one))
        if isinstance(one, Mapping):
            yield from one.items()
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
