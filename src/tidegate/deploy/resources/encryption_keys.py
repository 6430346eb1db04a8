"""AWS::KMS::Key and AWS::KMS::Alias, made in the neighbour that holds the keys: code may encrypt and decrypt with them.

What other types encrypt with a key at rest is not encrypted here; they say so themselves.
AWS: CloudFormation Template Reference, "AWS KMS resource type reference".
"""

from __future__ import annotations

from typing import Any

from tidegate.deploy.intrinsics import text
from tidegate.deploy.resources.base import Context, Made, Props, ResourceError, Table, undone_by
from tidegate.deploy.resources.neighbour import InNeighbour, policy_text, tags_of
from tidegate.deploy.resources.shapes import call

_CREATED = ("Description", "KeySpec", "KeyUsage", "MultiRegion", "Origin")
_FIXED = ("KeySpec", "KeyUsage", "MultiRegion", "Origin")
_DEFAULT_WINDOW = 30
"""AWS: days that a key waits for its deletion."""


class Key(InNeighbour):
    """Ref gives the key's id."""

    type = "AWS::KMS::Key"
    service = "kms"
    attributes = frozenset({"Arn", "KeyId"})
    table = Table(
        handled=frozenset({*_CREATED, "EnableKeyRotation", "Enabled", "KeyPolicy", "PendingWindowInDays", "Tags"}),
        reported={
            "BypassPolicyLockoutSafetyCheck": "has no effect; policies of keys are not enforced",
            "RotationPeriodInDays": "has no effect; a key keeps its material",
        },
    )

    def create(self, properties: Props, context: Context) -> Made:
        client = context.clients(self.service)
        asked: dict[str, Any] = {name: properties[name] for name in _CREATED if name in properties}
        if policy := properties.get("KeyPolicy"):
            asked["Policy"] = policy_text(policy)
        key = call(client, "CreateKey", {**asked, "Tags": _tags(tags_of(properties))})["KeyMetadata"]
        made = Made(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})
        with undone_by(lambda: self.remove(made, properties, client)):
            self._switch(made, properties, {}, client)
        return made

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        client, key = context.clients(self.service), made.physical_id
        # AWS: such a change fails, rather than that the key is replaced.
        for name in _FIXED:
            if properties.get(name) != old.get(name):
                raise ResourceError(f"{name}: cannot be changed; what a key has encrypted would be lost")
        if properties.get("Description") != old.get("Description"):
            client.update_key_description(KeyId=key, Description=text(properties.get("Description", "")))
        if (policy := properties.get("KeyPolicy")) and policy != old.get("KeyPolicy"):
            client.put_key_policy(KeyId=key, PolicyName="default", Policy=policy_text(policy))
        self._switch(made, properties, old, client)
        self.retag(made, properties, old, client)
        return made

    def retag(self, made: Made, properties: Props, old: Props, client: Any) -> None:
        wanted, before = tags_of(properties), tags_of(old)
        if dropped := sorted(before.keys() - wanted.keys()):
            client.untag_resource(KeyId=made.physical_id, TagKeys=dropped)
        if changed := {name: value for name, value in wanted.items() if before.get(name) != value}:
            client.tag_resource(KeyId=made.physical_id, Tags=_tags(changed))

    def look(self, physical_id: str, client: Any) -> Any:
        return client.describe_key(KeyId=physical_id)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        if not super().exists(made, properties, context):
            return False
        described = self.look(made.physical_id, context.clients(self.service))
        return bool(described["KeyMetadata"]["KeyState"] != "PendingDeletion")

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        days = int(properties.get("PendingWindowInDays", _DEFAULT_WINDOW))
        client.schedule_key_deletion(KeyId=made.physical_id, PendingWindowInDays=days)

    def _switch(self, made: Made, new: Props, old: Props, client: Any) -> None:
        given = {"KeyId": made.physical_id}
        if _is(new, "Enabled", default=True) != _is(old, "Enabled", default=True):
            call(client, "EnableKey" if _is(new, "Enabled", default=True) else "DisableKey", given)
        if _is(new, "EnableKeyRotation") != _is(old, "EnableKeyRotation"):
            call(client, "EnableKeyRotation" if _is(new, "EnableKeyRotation") else "DisableKeyRotation", given)


class KeyAlias(InNeighbour):
    """Ref gives the name."""

    type = "AWS::KMS::Alias"
    service = "kms"
    table = Table(
        handled=frozenset({"AliasName", "TargetKeyId"}),
        required=frozenset({"AliasName", "TargetKeyId"}),
        replacing=frozenset({"AliasName"}),
        name="AliasName",
    )

    def create(self, properties: Props, context: Context) -> Made:
        asked = {name: properties[name] for name in ("AliasName", "TargetKeyId")}
        call(context.clients(self.service), "CreateAlias", asked)
        return Made(text(properties["AliasName"]))

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        asked = {"AliasName": made.physical_id, "TargetKeyId": properties["TargetKeyId"]}
        call(context.clients(self.service), "UpdateAlias", asked)
        return made

    def look(self, physical_id: str, client: Any) -> Any:
        return client.describe_key(KeyId=physical_id)

    def remove(self, made: Made, properties: Props, client: Any) -> None:
        client.delete_alias(AliasName=made.physical_id)


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    """AWS: KMS has its own words for them."""
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]


def _is(properties: Props, name: str, *, default: bool = False) -> bool:
    return text(properties.get(name, default)).lower() == "true"
