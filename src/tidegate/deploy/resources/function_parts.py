"""What belongs to a function: versions, aliases, layers, URLs, the treatment of events.

AWS: CloudFormation Template Reference, "AWS::Lambda::Version" and its neighbours.
"""

from __future__ import annotations

import time
from typing import Any

from tidegate.deploy.package import BUCKET
from tidegate.deploy.resources.base import (
    Context,
    Made,
    Props,
    Provider,
    ResourceError,
    Table,
    found,
    gone_is_fine,
    undone_by,
)
from tidegate.deploy.resources.shapes import call

_WARM_SECONDS = 60.0
_LOOK_SECONDS = 0.1
"""How long workers may take to be up, and how often that is asked."""
_WARM = "ProvisionedConcurrencyConfig"
_EVERYTHING_OF_A_LAYER = frozenset(
    {"CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName", "LicenseInfo"}
)


class Version(Provider):
    type = "AWS::Lambda::Version"
    attributes = frozenset({"FunctionArn", "Version"})
    table = Table(
        handled=frozenset({"CodeSha256", "Description", "FunctionName", "ProvisionedConcurrencyConfig"}),
        reported={"RuntimePolicy": "has no effect; the runtime found nearest is taken"},
        refused={"FunctionScalingConfig": "is not supported"},
        required=frozenset({"FunctionName"}),
        replacing=frozenset(
            {"CodeSha256", "Description", "FunctionName", "ProvisionedConcurrencyConfig", "RuntimePolicy"}
        ),
    )

    def create(self, properties: Props, context: Context) -> Made:
        client = context.clients("lambda")
        name = properties["FunctionName"]
        pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        before = {version["Version"] for page in pages for version in page["Versions"]}
        given = {key: properties[key] for key in self.table.handled if key in properties}
        given.pop(_WARM, None)
        made = call(client, "PublishVersion", given)
        if made["Version"] in before:
            raise ResourceError(
                f"A version for this Lambda function exists ( {made['Version']} ). Modify the function to create a new "
                "version."
            )
        arn = made["FunctionArn"]
        with undone_by(lambda: client.delete_function(FunctionName=arn)):
            _keep_warm(client, name, made["Version"], properties, {})
        return Made(arn, {"FunctionArn": arn, "Version": made["Version"]})

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("lambda").delete_function(FunctionName=made.physical_id)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: context.clients("lambda").get_function_configuration(FunctionName=made.physical_id))


class Alias(Provider):
    type = "AWS::Lambda::Alias"
    attributes = frozenset({"AliasArn"})
    table = Table(
        handled=frozenset(
            {
                *("Description", "FunctionName", "FunctionVersion", "Name"),
                *("ProvisionedConcurrencyConfig", "RoutingConfig"),
            }
        ),
        required=frozenset({"FunctionName", "FunctionVersion", "Name"}),
        replacing=frozenset({"FunctionName", "Name"}),
        name="Name",
    )

    def create(self, properties: Props, context: Context) -> Made:
        client = context.clients("lambda")
        arn = call(client, "CreateAlias", _alias(properties))["AliasArn"]
        name, alias = properties["FunctionName"], properties["Name"]
        with undone_by(lambda: client.delete_alias(FunctionName=name, Name=alias)):
            _keep_warm(client, name, alias, properties, {})
        return Made(arn, {"AliasArn": arn})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        given = {"Description": "", "RoutingConfig": {"AdditionalVersionWeights": {}}, **_alias(properties)}
        client = context.clients("lambda")
        call(client, "UpdateAlias", given)
        _keep_warm(client, properties["FunctionName"], properties["Name"], properties, old)
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("lambda").delete_alias(FunctionName=properties["FunctionName"], Name=properties["Name"])

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        at = {"FunctionName": properties["FunctionName"], "Name": properties["Name"]}
        return found(lambda: context.clients("lambda").get_alias(**at))


def _alias(properties: Props) -> dict[str, Any]:
    """CloudFormation lists the weights that the API has as a map."""
    given = {key: properties[key] for key in Alias.table.handled if key in properties}
    given.pop(_WARM, None)
    if weights := (given.pop("RoutingConfig", None) or {}).get("AdditionalVersionWeights"):
        shares = {str(one["FunctionVersion"]): one["FunctionWeight"] for one in weights}
        given["RoutingConfig"] = {"AdditionalVersionWeights": shares}
    return given


def _keep_warm(client: Any, name: str, qualifier: str, properties: Props, old: Props) -> None:
    """CloudFormation waits until the workers are up. Raises ResourceError when they cannot be."""
    at = {"FunctionName": name, "Qualifier": qualifier}
    wanted = properties.get(_WARM)
    if wanted is None:
        if old.get(_WARM) is not None:
            client.delete_provisioned_concurrency_config(**at)
        return
    if wanted != old.get(_WARM):
        call(client, "PutProvisionedConcurrencyConfig", {**at, **wanted})
    until = time.monotonic() + _WARM_SECONDS
    while (found := client.get_provisioned_concurrency_config(**at))["Status"] != "READY":
        if found["Status"] == "FAILED" or time.monotonic() > until:
            reason = found.get("StatusReason") or f"not up within {_WARM_SECONDS:.0f} seconds"
            raise ResourceError(f"Provisioned Concurrency configuration failed to be applied. Reason: {reason}")
        time.sleep(_LOOK_SECONDS)


class LayerVersion(Provider):
    type = "AWS::Lambda::LayerVersion"
    attributes = frozenset({"LayerVersionArn"})
    table = Table(handled=_EVERYTHING_OF_A_LAYER, required=frozenset({"Content"}), replacing=_EVERYTHING_OF_A_LAYER)

    def create(self, properties: Props, context: Context) -> Made:
        name = properties.get("LayerName") or f"{context.target.stack_name}-{context.logical_id}"[:64]
        given = {**properties, "LayerName": name, "Content": stored_code(properties["Content"], context)}
        arn = call(context.clients("lambda"), "PublishLayerVersion", given)["LayerVersionArn"]
        return Made(arn, {"LayerVersionArn": arn})

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        layer, _, number = made.physical_id.rpartition(":")
        with gone_is_fine():
            context.clients("lambda").delete_layer_version(LayerName=layer, VersionNumber=int(number))

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: context.clients("lambda").get_layer_version_by_arn(Arn=made.physical_id))


class LayerVersionPermission(Provider):
    type = "AWS::Lambda::LayerVersionPermission"
    attributes = frozenset({"Id"})
    table = Table(
        handled=frozenset({"Action", "LayerVersionArn", "OrganizationId", "Principal"}),
        required=frozenset({"Action", "LayerVersionArn", "Principal"}),
        replacing=frozenset({"Action", "LayerVersionArn", "OrganizationId", "Principal"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        statement = context.name(100)
        given = {key: value for key, value in properties.items() if key != "LayerVersionArn"}
        place = _layer_place(properties)
        call(context.clients("lambda"), "AddLayerVersionPermission", {**given, **place, "StatementId": statement})
        identity = f"{properties['LayerVersionArn']}#{statement}"
        return Made(identity, {"Id": identity})

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        statement = made.physical_id.rpartition("#")[2]
        with gone_is_fine():
            context.clients("lambda").remove_layer_version_permission(**_layer_place(properties), StatementId=statement)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        return found(lambda: context.clients("lambda").get_layer_version_policy(**_layer_place(properties)))


def _layer_place(properties: Props) -> dict[str, Any]:
    layer, _, number = properties["LayerVersionArn"].rpartition(":")
    return {"LayerName": layer, "VersionNumber": int(number)}


class EventInvokeConfig(Provider):
    type = "AWS::Lambda::EventInvokeConfig"
    table = Table(
        handled=frozenset(
            {"DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"}
        ),
        required=frozenset({"FunctionName", "Qualifier"}),
        replacing=frozenset({"FunctionName", "Qualifier"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        call(context.clients("lambda"), "PutFunctionEventInvokeConfig", properties)
        return Made(f"{properties['FunctionName']}|{properties['Qualifier']}")

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        self.create(properties, context)
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("lambda").delete_function_event_invoke_config(**_at(properties, "FunctionName"))

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        at = _at(properties, "FunctionName")
        return found(lambda: context.clients("lambda").get_function_event_invoke_config(**at))


class Url(Provider):
    type = "AWS::Lambda::Url"
    attributes = frozenset({"FunctionArn", "FunctionUrl"})
    table = Table(
        handled=frozenset({"AuthType", "Cors", "InvokeMode", "Qualifier", "TargetFunctionArn"}),
        required=frozenset({"AuthType", "TargetFunctionArn"}),
        replacing=frozenset({"Qualifier", "TargetFunctionArn"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        made = call(context.clients("lambda"), "CreateFunctionUrlConfig", _url(properties))
        return Made(made["FunctionArn"], {name: made[name] for name in self.attributes})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        given = {"Cors": {}, "InvokeMode": "BUFFERED", **_url(properties)}
        call(context.clients("lambda"), "UpdateFunctionUrlConfig", given)
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        with gone_is_fine():
            context.clients("lambda").delete_function_url_config(**_at(properties, "TargetFunctionArn"))

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        at = _at(properties, "TargetFunctionArn")
        return found(lambda: context.clients("lambda").get_function_url_config(**at))


def _url(properties: Props) -> dict[str, Any]:
    given = {key: value for key, value in properties.items() if key not in ("TargetFunctionArn", "Qualifier")}
    return {**given, **_at(properties, "TargetFunctionArn")}


def _at(properties: Props, function: str) -> dict[str, Any]:
    """The function and, if given, its qualifier."""
    at = {"FunctionName": properties[function]}
    return at | ({"Qualifier": properties["Qualifier"]} if properties.get("Qualifier") else {})


def stored_code(code: Props, context: Context) -> dict[str, Any]:
    """Code that a template names by bucket and key: packed from local files before, or an object that the server fetches."""
    key = str(code.get("S3Key"))
    if code.get("S3Bucket") != BUCKET:
        return dict(code)
    if key not in context.packages:
        raise ResourceError(f"the package {key} is not there")
    return {"ZipFile": context.packages[key]}
