"""What a call of the Lambda API has to be allowed. Source: *Actions, resources, and condition keys for AWS Lambda*.

Not here: the policies of functions (AddPermission), which let in services and other accounts (`functions.permissions`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tidegate.aws.model import Params
from tidegate.aws.scope import Scope
from tidegate.control.access import PASS_ROLE, Need
from tidegate.control.awslambda.layers import LAYER_ARN
from tidegate.control.awslambda.lookup import resolve_arn

_SERVICE = "lambda.amazonaws.com"
_SENDING = {
    "sqs": ("sqs:SendMessage",),
    "sns": ("sns:Publish",),
    "events": ("events:PutEvents",),
    "lambda": ("lambda:InvokeFunction",),
}
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
        found.append(Need(PASS_ROLE, params["role"], {"iam:PassedToService": _SERVICE}))
    found += [Need("s3:GetObject", arn) for arn in _objects(params)]
    found += [Need(action, target) for target in _targets(params) for action in _SENDING.get(target.split(":")[2], ())]
    # AWS: the code of a layer is that of the function.
    found += [Need("lambda:GetLayerVersion", layer) for layer in params.get("layers") or ()]
    return found


def _resource(params: Params, scope: Scope) -> str:
    if params.get("function_name"):
        return resolve_arn(scope, params)
    if params.get("layer_name"):
        named = LAYER_ARN.fullmatch(params["layer_name"])
        name = params["layer_name"] if named is None else named["name"]
        arn = f"arn:aws:lambda:{scope.region}:{scope.account}:layer:{name}"
        version = params.get("version_number")
        return arn if version is None else f"{arn}:{version}"
    if params.get("resource"):
        return resolve_arn(scope, {"function_name": params["resource"]})
    return str(params.get("arn") or "*")


def _objects(params: Params) -> Iterator[str]:
    """Code that lies in S3. AWS: whoever names it reads it."""
    for holder in (params, params.get("code") or {}, params.get("content") or {}):
        if holder.get("s3_bucket") and holder.get("s3_key"):
            yield f"arn:aws:s3:::{holder['s3_bucket']}/{holder['s3_key']}"


def _targets(params: Params) -> Iterator[str]:
    """Where results go. Ours: the server sends them itself, so whoever names a place has to be allowed to send there."""
    given = [one.get("destination") for one in (params.get("destination_config") or {}).values() if one]
    yield from (arn for arn in (*given, (params.get("dead_letter_config") or {}).get("target_arn")) if arn)


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
