"""AWS::SSM::Parameter and AWS::SecretsManager::Secret: what functions read to know how to work.

AWS: CloudFormation Template Reference, "AWS::SSM::Parameter", "AWS::SecretsManager::Secret" and its "GenerateSecretString".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import Context, Made, Props, ResourceError, Table
from tidegate.deploy.resources.neighbour import InNeighbour, Tagging, listed, tags_of
from tidegate.deploy.resources.shapes import call

_PUT = ("AllowedPattern", "DataType", "Description", "Tier", "Type", "Value")
_KINDS = ("String", "StringList")


class Parameter(InNeighbour):
    """Ref gives the name."""

    type = "AWS::SSM::Parameter"
    service = "ssm"
    limit = 1011
    attributes = frozenset({"Arn", "Type", "Value"})
    tagging = Tagging(
        "AddTagsToResource", "RemoveTagsFromResource", "ResourceId", None, more={"ResourceType": "Parameter"}
    )
    table = Table(
        handled=frozenset({"AllowedPattern", "Description", "Name", "Tags", "Tier", "Type", "Value"}),
        reported={"DataType": "has no effect; values are not looked up"},
        refused={"Policies": "parameters do not expire"},
        required=frozenset({"Type", "Value"}),
        replacing=frozenset({"Name"}),
        name="Name",
        harmless={"DataType": ("text",)},
    )

    def create(self, properties: Props, context: Context) -> Made:
        client, name = context.clients(self.service), self.named(properties, context)
        tags = listed(client, "PutParameter", "Tags", tags_of(properties))
        self._put(name, properties, client, Tags=tags)
        return _parameter(name, properties, context)

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client = context.clients(self.service)
        if any(properties.get(name) != old.get(name) for name in _PUT):
            self._put(made.physical_id, properties, client, Overwrite=True)
        self.retag(made, properties, old, client)
        return _parameter(made.physical_id, properties, context)

    def look(self, physical_id: str, client: Any) -> Any:
        return client.get_parameter(Name=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        client.delete_parameter(Name=made.physical_id)

    def _put(self, name: str, properties: Props, client: Any, **more: Any) -> None:
        if properties["Type"] not in _KINDS:
            raise ResourceError(f"Type: {properties['Type']} is not one of {', '.join(_KINDS)}")
        pattern, value = properties.get("AllowedPattern"), text(properties["Value"])
        if pattern and not re.search(pattern, value):
            raise ResourceError(f"Parameter value, {value}, cannot be validated against allowedPattern: {pattern}")
        asked = {key: properties[key] for key in _PUT if key in properties}
        # AWS: an update without a description takes it away.
        call(client, "PutParameter", {"Name": name, "Description": "", **asked, **more})


class Secret(InNeighbour):
    """Ref gives the ARN, whose end AWS makes up."""

    type = "AWS::SecretsManager::Secret"
    service = "secretsmanager"
    limit = 505
    attributes = frozenset({"Id"})
    tagging = Tagging(target="SecretId", attribute=None)
    table = Table(
        handled=frozenset({"Description", "GenerateSecretString", "Name", "SecretString", "Tags"}),
        reported={"KmsKeyId": "has no effect; nothing is encrypted at rest"},
        refused={
            "ReplicaRegions": "secrets are not replicated",
            "Type": "secrets of other companies are not supported",
        },
        replacing=frozenset({"Name"}),
        name="Name",
    )

    def create(self, properties: Props, context: Context) -> Made:
        client, name = context.clients(self.service), self.named(properties, context)
        asked = {"Name": name, "Description": properties.get("Description", "")}
        tags = listed(client, "CreateSecret", "Tags", tags_of(properties))
        answer = call(client, "CreateSecret", {**asked, "SecretString": _content(properties, client), "Tags": tags})
        return Made(answer["ARN"], {"Id": answer["ARN"]})

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client = context.clients(self.service)
        changed: dict[str, Any] = {}
        if properties.get("Description") != old.get("Description"):
            changed["Description"] = properties.get("Description", "")
        if any(properties.get(name) != old.get(name) for name in ("GenerateSecretString", "SecretString")):
            changed["SecretString"] = _content(properties, client)
        if changed:
            call(client, "UpdateSecret", {"SecretId": made.physical_id, **changed})
        self.retag(made, properties, old, client)
        return made

    def look(self, physical_id: str, client: Any) -> Any:
        return client.describe_secret(SecretId=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        client.delete_secret(SecretId=made.physical_id, ForceDeleteWithoutRecovery=True)


def _parameter(name: str, properties: Props, context: Context) -> Made:
    target = context.target
    arn = f"arn:aws:ssm:{target.region}:{target.account}:parameter/{name.removeprefix('/')}"
    return Made(name, {"Arn": arn, "Type": properties["Type"], "Value": text(properties["Value"])})


def _content(properties: Props, client: Any) -> str:
    """What is in the secret: what is given, or what is made up by the rules given. AWS: with neither, a password."""
    given = properties.get("SecretString")
    rules = properties.get("GenerateSecretString")
    if given is not None and rules is not None:
        raise ResourceError("You can't specify both SecretString and GenerateSecretString.")
    return text(given) if given is not None else _generated(rules or {}, client)


def _generated(rules: Mapping[str, Any], client: Any) -> str:
    made_by = {"GenerateStringKey", "SecretStringTemplate"}
    asked = {name: value for name, value in rules.items() if name not in made_by}
    password = str(call(client, "GetRandomPassword", asked)["RandomPassword"])
    if not rules.keys() & made_by:
        return password
    if made_by - rules.keys():
        raise ResourceError("GenerateSecretString: SecretStringTemplate and GenerateStringKey need each other")
    try:
        template = json.loads(rules["SecretStringTemplate"])
    except ValueError as error:
        raise ResourceError(f"GenerateSecretString.SecretStringTemplate: is not JSON: {error}") from error
    return json.dumps({**template, str(rules["GenerateStringKey"]): password})
