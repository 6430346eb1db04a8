"""Layers and their versions. Source: *Lambda layers*, *PublishLayerVersion* and its kin; shared facts, lambda §10."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.aws.rest import Answer
from tidegate.control.awslambda.lookup import conflict, invalid, not_found, package_location, page, timestamp
from tidegate.control.context import Context
from tidegate.core.errors import ControlError
from tidegate.definition.records import FunctionLayer, Layer, LayerVersion
from tidegate.functions.packages import PackageError

log = logging.getLogger("tidegate.control")

LAYER_ARN = re.compile(
    r"arn:aws[\w-]*:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):layer:(?P<name>[\w-]+)(?::(?P<version>\d+))?"
)
_INSIGHTS = "layer:LambdaInsightsExtension"
_MOST_LAYERS = 5
_MAX_POLICY = 20 * 1024


def used_layers(context: Context, arns: list[str]) -> list[FunctionLayer]:
    """The layers that a function names, in their order. Raises ControlError."""
    if len(arns) > _MOST_LAYERS:
        raise invalid(f"You cannot reference more than {_MOST_LAYERS} layers.")
    names = [arn.rpartition(":")[0] for arn in arns]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise invalid(
            f"Two different versions of the same layer are not allowed to be referenced in the same function. {twice}"
        )
    return [_used(context, arn) for arn in arns]


def _used(context: Context, arn: str) -> FunctionLayer:
    if _INSIGHTS in arn:
        log.warning("the layer %s is left out: there is no CloudWatch to send its metrics to", arn)
        return FunctionLayer(arn=arn, code_sha256="", code_size=0)
    found = LAYER_ARN.fullmatch(arn)
    if found is None or (found["region"], found["account"]) != (context.scope.region, context.scope.account):
        raise invalid(
            f"Tidegate does not support layers of other accounts or regions: {arn}. Download its zip "
            "(aws lambda get-layer-version-by-arn) and publish it here"
        )
    version = context.tx.get(LayerVersion, found["name"], found["version"] or "")
    if version is None:
        raise invalid(f"Layer version {arn} does not exist.")
    return FunctionLayer(arn=arn, code_sha256=version.code_sha256, code_size=version.code_size)


def _name(context: Context, text: str) -> str:
    """Of a layer given by name or ARN."""
    found = LAYER_ARN.fullmatch(text)
    if found is None:
        return text
    if (found["region"], found["account"]) != (context.scope.region, context.scope.account):
        raise not_found("The resource you requested does not exist.")
    return found["name"]


def _shown(version: LayerVersion) -> dict[str, Any]:
    return {
        "layer_arn": version.layer_arn,
        "layer_version_arn": f"{version.layer_arn}:{version.version}",
        "description": version.description,
        "created_date": version.created_date,
        "version": int(version.version),
        "compatible_runtimes": version.compatible_runtimes,
        "compatible_architectures": version.compatible_architectures,
        "license_info": version.license_info,
    }


def _with_content(context: Context, version: LayerVersion) -> dict[str, Any]:
    content = {
        "location": package_location(context, version.code_sha256),
        "code_sha256": version.code_sha256,
        "code_size": version.code_size,
    }
    return {**_shown(version), "content": content}


def publish_layer_version(context: Context, params: Params) -> dict[str, Any]:
    name = _name(context, params["layer_name"])
    data = params["content"].get("zip_file")
    if data is None:
        raise invalid("Uploaded file must be a non-empty zip")
    try:
        package = context.packages.add(data)
    except PackageError as error:
        raise invalid(error.message) from error
    layer = context.tx.get(Layer, name) or Layer(layer_name=name)
    number = layer.last_version + 1
    version = LayerVersion(
        layer_name=name,
        version=str(number),
        layer_arn=f"arn:aws:lambda:{context.scope.region}:{context.scope.account}:layer:{name}",
        code_sha256=package.code_sha256,
        code_size=package.code_size,
        created_date=timestamp(context),
        description=params.get("description") or "",
        compatible_runtimes=params.get("compatible_runtimes"),
        compatible_architectures=params.get("compatible_architectures"),
        license_info=params.get("license_info"),
    )
    context.tx.put(replace(layer, last_version=number))
    context.tx.put(version)
    return _with_content(context, version)


def _versions(context: Context, name: str, params: Params) -> list[LayerVersion]:
    """Those that suit what the caller asks for, the newest first."""
    runtime, architecture = params.get("compatible_runtime"), params.get("compatible_architecture")
    suiting = [
        version
        for version in context.tx.list(LayerVersion, name)
        if (runtime is None or runtime in (version.compatible_runtimes or ()))
        and (architecture is None or architecture in (version.compatible_architectures or ()))
    ]
    return sorted(suiting, key=lambda version: -int(version.version))


def list_layers(context: Context, params: Params) -> dict[str, Any]:
    layers = []
    for layer in context.tx.list(Layer):
        if versions := _versions(context, layer.layer_name, params):
            newest = versions[0]
            layers.append(
                {
                    "layer_name": layer.layer_name,
                    "layer_arn": newest.layer_arn,
                    "latest_matching_version": _shown(newest),
                }
            )
    found, marker = page(layers, params, lambda one: str(one["layer_name"]))
    return {"layers": found, "next_marker": marker}


def list_layer_versions(context: Context, params: Params) -> dict[str, Any]:
    versions = [_shown(one) for one in _versions(context, _name(context, params["layer_name"]), params)]
    found, marker = page(versions, params, lambda one: str(one["version"]))
    return {"layer_versions": found, "next_marker": marker}


def _get(context: Context, params: Params) -> LayerVersion:
    name, number = _name(context, params["layer_name"]), params["version_number"]
    if number < 1:
        raise invalid("Layer Version Cannot be less than 1.")
    version = context.tx.get(LayerVersion, name, str(number))
    if version is None:
        raise not_found("The resource you requested does not exist.")
    return version


def get_layer_version(context: Context, params: Params) -> dict[str, Any]:
    return _with_content(context, _get(context, params))


def get_layer_version_by_arn(context: Context, params: Params) -> dict[str, Any]:
    found = LAYER_ARN.fullmatch(params["arn"])
    if found is None or found["version"] is None:
        raise not_found("The resource you requested does not exist.")
    layer = params["arn"].rpartition(":")[0]
    return _with_content(context, _get(context, {"layer_name": layer, "version_number": int(found["version"])}))


def delete_layer_version(context: Context, params: Params) -> Answer:
    """AWS: functions that use it keep it; deleting what is not there is fine."""
    name, number = _name(context, params["layer_name"]), str(params["version_number"])
    if context.tx.get(LayerVersion, name, number) is not None:
        context.tx.delete(LayerVersion, name, number)
    return Answer(b"", status=204)


# The policy of a version says who may use it. All callers of this server may, so it is kept and shown, as AWS shows it.


def add_permission(context: Context, params: Params) -> dict[str, Any]:
    version = _get(context, params)
    _check_revision(version, params)
    if any(statement["Sid"] == params["statement_id"] for statement in version.policy):
        raise conflict(
            f"The statement id ({params['statement_id']}) provided already exists. Please provide a new statement id, or "
            "remove the existing statement."
        )
    account = params["principal"]
    statement: dict[str, Any] = {
        "Sid": params["statement_id"],
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"} if account.isdecimal() else account,
        "Action": params["action"],
        "Resource": f"{version.layer_arn}:{version.version}",
    }
    if params.get("organization_id"):
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": params["organization_id"]}}
    policy = [*version.policy, statement]
    if len(json.dumps(policy)) > _MAX_POLICY:
        raise ControlError("PolicyLengthExceededException", "The final policy size is bigger than the limit (20480).")
    revision = context.ids.request_id()
    context.tx.put(replace(version, policy=policy, policy_revision_id=revision))
    return {"statement": json.dumps(statement, separators=(",", ":")), "revision_id": revision}


def _check_revision(version: LayerVersion, params: Params) -> None:
    if params.get("revision_id") not in (None, version.policy_revision_id):
        raise ControlError(
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId. Call the GetLayerVersionPolicy API to retrieve "
            "the latest RevisionId",
            412,
            extra={"Type": "User"},
        )


def get_policy(context: Context, params: Params) -> dict[str, Any]:
    version = _get(context, params)
    if not version.policy:
        raise not_found("No policy is associated with the given resource.")
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": version.policy}
    return {"policy": json.dumps(policy, separators=(",", ":")), "revision_id": version.policy_revision_id}


def remove_permission(context: Context, params: Params) -> Answer:
    version = _get(context, params)
    _check_revision(version, params)
    rest = [statement for statement in version.policy if statement["Sid"] != params["statement_id"]]
    if len(rest) == len(version.policy):
        raise not_found(f"Statement {params['statement_id']} is not found in resource policy.")
    context.tx.put(replace(version, policy=rest, policy_revision_id=context.ids.request_id()))
    return Answer(b"", status=204)


OPERATIONS = {
    "PublishLayerVersion": publish_layer_version,
    "ListLayers": list_layers,
    "ListLayerVersions": list_layer_versions,
    "GetLayerVersion": get_layer_version,
    "GetLayerVersionByArn": get_layer_version_by_arn,
    "DeleteLayerVersion": delete_layer_version,
    "AddLayerVersionPermission": add_permission,
    "GetLayerVersionPolicy": get_policy,
    "RemoveLayerVersionPermission": remove_permission,
}
