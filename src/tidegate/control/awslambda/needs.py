"""What a call of the Lambda API has to be allowed. Source: *Actions, resources, and condition keys for AWS Lambda*.

Not here: the policies of functions (AddPermission), which let in services and other accounts (`functions.permissions`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.control.access import Need
from tidegate.control.awslambda.lookup import resolve_arn

_SERVICE = "lambda.amazonaws.com"
_ACTIONS = {
    "Invoke": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
    "GetLayerVersionByArn": "GetLayerVersion",
}
"""Operations whose permission has another name."""


def needs(operation: str, params: Params, scope: Scope) -> Sequence[Need]:
    action = f"lambda:{_ACTIONS.get(operation, operation)}"
    found = [Need(action, _resource(params, scope), _conditions(params))]
    if params.get("role"):
        found.append(Need("iam:PassRole", params["role"], {"iam:PassedToService": _SERVICE}))
    # AWS: the code of a layer is that of the function.
    found += [Need("lambda:GetLayerVersion", layer) for layer in params.get("layers") or ()]
    return found


def _resource(params: Params, scope: Scope) -> str:
    if params.get("function_name"):
        return resolve_arn(scope, params)
    if params.get("layer_name"):
        name = params["layer_name"].rpartition(":")[2]
        arn = f"arn:aws:lambda:{scope.region}:{scope.account}:layer:{name}"
        version = params.get("version_number")
        return arn if version is None else f"{arn}:{version}"
    return str(params.get("arn") or params.get("resource") or "*")


def _conditions(params: Params) -> Mapping[str, str | Sequence[str]]:
    found: dict[str, str | Sequence[str]] = {}
    for member, key in (
        ("function_url_auth_type", "lambda:FunctionUrlAuthType"),
        ("auth_type", "lambda:FunctionUrlAuthType"),
        ("principal", "lambda:Principal"),
    ):
        if params.get(member):
            found[key] = params[member]
    if params.get("layers"):
        found["lambda:Layer"] = list(params["layers"])
    tags = params.get("tags") or {}
    found |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    keys = list(tags) or params.get("tag_keys")
    return found | ({"aws:TagKeys": list(keys)} if keys else {})
