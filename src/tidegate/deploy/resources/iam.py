"""Identities of a template: AWS::IAM::Role, User, Group, Policy and ManagedPolicy, made through the server's own IAM.

A policy of AWS that the server does not know is left out, and said so: a template that was made for AWS still deploys. Access
keys are no part of this: what a stack's attributes hold is kept in the clear. AWS: CloudFormation Template Reference, "AWS
Identity and Access Management resource type reference".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from tidegate.deploy.resources.base import Context, Made, Props, Provider, Table, gone_is_fine, tag_map

_GONE = "NoSuchEntity"
_OF_AWS = "arn:aws:iam::aws:policy/"
_MOST_VERSIONS = 5


def _names(value: Any) -> list[str]:
    return [str(one) for one in value or ()]


def _document(value: Any) -> str:
    return json.dumps(value, default=str)


def _policies(properties: Props) -> dict[str, str]:
    """Inline ones by name."""
    return {str(one["PolicyName"]): _document(one["PolicyDocument"]) for one in properties.get("Policies") or ()}


class Holder:
    """A role, user or group on the server, as far as policies go."""

    def __init__(self, kind: str, name: str, context: Context) -> None:
        self._kind = kind
        self._named = {f"{kind.capitalize()}Name": name}
        self._context = context
        self._client = context.clients("iam")

    def call(self, operation: str, **more: Any) -> dict[str, Any]:
        """`operation`: boto3's name, with `{}` for the kind."""
        answer: dict[str, Any] = getattr(self._client, operation.format(self._kind))(**self._named, **more)
        return answer

    def put(self, name: str, document: str) -> None:
        self.call("put_{}_policy", PolicyName=name, PolicyDocument=document)

    def drop(self, names: Iterable[str]) -> None:
        for name in names:
            with gone_is_fine(_GONE):
                self.call("delete_{}_policy", PolicyName=name)

    def attach(self, arns: Iterable[str]) -> None:
        for arn in arns:
            try:
                self.call("attach_{}_policy", PolicyArn=arn)
            except ClientError as error:
                if error.response["Error"]["Code"] != _GONE or not arn.startswith(_OF_AWS):
                    raise
                self._context.warn(f"{arn} is not known here and is not attached")

    def detach(self, arns: Iterable[str]) -> None:
        for arn in arns:
            with gone_is_fine(_GONE):
                self.call("detach_{}_policy", PolicyArn=arn)

    def bring(self, properties: Props, old: Props) -> None:
        """Policies from what they were to what they are to be."""
        wanted, before = _policies(properties), _policies(old)
        for name, document in wanted.items():
            if before.get(name) != document:
                self.put(name, document)
        self.drop(before.keys() - wanted.keys())
        arns, old_arns = _names(properties.get("ManagedPolicyArns")), _names(old.get("ManagedPolicyArns"))
        self.attach(arn for arn in arns if arn not in old_arns)
        self.detach(arn for arn in old_arns if arn not in arns)

    def limit(self, boundary: Any, old: Any) -> None:
        if boundary and boundary != old:
            self.call("put_{}_permissions_boundary", PermissionsBoundary=str(boundary))
        elif old and not boundary:
            with gone_is_fine(_GONE):
                self.call("delete_{}_permissions_boundary")

    def tag(self, wanted: Mapping[str, str], old: Mapping[str, str]) -> None:
        if dropped := sorted(old.keys() - wanted.keys()):
            self.call("untag_{}", TagKeys=dropped)
        if changed := {key: value for key, value in wanted.items() if old.get(key) != value}:
            self.call("tag_{}", Tags=[{"Key": key, "Value": value} for key, value in changed.items()])

    def remove(self) -> None:
        """With all that is in the way of it."""
        with gone_is_fine(_GONE):
            self.drop(self.call("list_{}_policies").get("PolicyNames") or ())
            attached = self.call("list_attached_{}_policies").get("AttachedPolicies") or ()
            self.detach(policy["PolicyArn"] for policy in attached)
            self.call("delete_{}")


class _Identity(Provider):
    kind: ClassVar[str]
    longest: ClassVar[int] = 64
    """Characters of a name."""
    tagged: ClassVar[bool] = True

    @property
    def _member(self) -> str:
        return f"{self.kind.capitalize()}Name"

    def create(self, properties: Props, context: Context) -> Made:
        name = str(properties.get(self._member) or context.name(self.longest))
        holder = Holder(self.kind, name, context)
        path = str(properties.get("Path") or "/")
        answer = holder.call("create_{}", Path=path, **self.creation(properties))
        made = answer.get(self.kind.capitalize()) or {}
        arn = f"arn:aws:iam::{context.target.account}:{self.kind}{path}{name}"
        identifiers = {"RoleId": str(made.get("RoleId", ""))} if self.kind == "role" else {}
        try:
            holder.bring(properties, {})
            self.finish(name, properties, {}, context)
        except BaseException:
            with suppress(ClientError):
                self.delete(Made(name), properties, context)
            raise
        return Made(name, {"Arn": arn, **identifiers})

    def creation(self, properties: Props) -> dict[str, Any]:
        more: dict[str, Any] = {}
        if self.tagged and (tags := tag_map(properties)):
            more["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        if properties.get("PermissionsBoundary"):
            more["PermissionsBoundary"] = str(properties["PermissionsBoundary"])
        return more

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        holder = Holder(self.kind, made.physical_id, context)
        holder.bring(properties, old)
        if self.tagged:
            holder.limit(properties.get("PermissionsBoundary"), old.get("PermissionsBoundary"))
            holder.tag(tag_map(properties), tag_map(old))
        self.finish(made.physical_id, properties, old, context)
        return made

    def finish(self, name: str, properties: Props, old: Props, context: Context) -> None:
        """What the type has besides; `old` is empty for a new one."""

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        Holder(self.kind, made.physical_id, context).remove()

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        try:
            Holder(self.kind, made.physical_id, context).call("get_{}")
        except ClientError as error:
            if error.response["Error"]["Code"] == _GONE:
                return False
            raise
        return True


class Role(_Identity):
    type = "AWS::IAM::Role"
    kind = "role"
    attributes = frozenset({"Arn", "RoleId"})
    table = Table(
        handled=frozenset(
            {
                *("AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "Path"),
                *("PermissionsBoundary", "Policies", "RoleName", "Tags"),
            }
        ),
        required=frozenset({"AssumeRolePolicyDocument"}),
        replacing=frozenset({"Path", "RoleName"}),
        name="RoleName",
    )

    def creation(self, properties: Props) -> dict[str, Any]:
        more = super().creation(properties)
        more["AssumeRolePolicyDocument"] = _document(properties["AssumeRolePolicyDocument"])
        return more | _settings(properties)

    def finish(self, name: str, properties: Props, old: Props, context: Context) -> None:
        holder, trust = Holder("role", name, context), properties["AssumeRolePolicyDocument"]
        if old and trust != old.get("AssumeRolePolicyDocument"):
            context.clients("iam").update_assume_role_policy(RoleName=name, PolicyDocument=_document(trust))
        if old and _settings(properties) != _settings(old):
            holder.call("update_{}", **{"Description": "", "MaxSessionDuration": 3600, **_settings(properties)})


def _settings(properties: Props) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if properties.get("Description"):
        found["Description"] = str(properties["Description"])
    if properties.get("MaxSessionDuration"):
        found["MaxSessionDuration"] = int(properties["MaxSessionDuration"])
    return found


class User(_Identity):
    type = "AWS::IAM::User"
    kind = "user"
    attributes = frozenset({"Arn"})
    table = Table(
        handled=frozenset(
            {"Groups", "ManagedPolicyArns", "Path", "PermissionsBoundary", "Policies", "Tags", "UserName"}
        ),
        refused={"LoginProfile": "there are no passwords"},
        replacing=frozenset({"Path", "UserName"}),
        name="UserName",
    )

    def finish(self, name: str, properties: Props, old: Props, context: Context) -> None:
        client, wanted, before = context.clients("iam"), _names(properties.get("Groups")), _names(old.get("Groups"))
        for group in wanted:
            if group not in before:
                client.add_user_to_group(GroupName=group, UserName=name)
        for group in before:
            if group not in wanted:
                with gone_is_fine(_GONE):
                    client.remove_user_from_group(GroupName=group, UserName=name)

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        client = context.clients("iam")
        with gone_is_fine(_GONE):
            for group in client.list_groups_for_user(UserName=made.physical_id).get("Groups") or ():
                client.remove_user_from_group(GroupName=group["GroupName"], UserName=made.physical_id)
        super().delete(made, properties, context)


class Group(_Identity):
    type = "AWS::IAM::Group"
    kind = "group"
    longest = 128
    tagged = False
    attributes = frozenset({"Arn"})
    table = Table(
        handled=frozenset({"GroupName", "ManagedPolicyArns", "Path", "Policies"}),
        replacing=frozenset({"GroupName", "Path"}),
        name="GroupName",
    )


_HOLDERS = {"Groups": "group", "Roles": "role", "Users": "user"}


def _holders(properties: Props) -> list[tuple[str, str]]:
    """Kind and name of those that a policy is for."""
    return [(kind, name) for member, kind in _HOLDERS.items() for name in _names(properties.get(member))]


class Policy(Provider):
    """The same inline policy of several."""

    type = "AWS::IAM::Policy"
    attributes = frozenset({"Id"})
    table = Table(
        handled=frozenset({"Groups", "PolicyDocument", "PolicyName", "Roles", "Users"}),
        required=frozenset({"PolicyDocument", "PolicyName"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        self._put(properties, context)
        name = context.name(64)
        return Made(name, {"Id": name})

    @staticmethod
    def _put(properties: Props, context: Context) -> None:
        for kind, name in _holders(properties):
            Holder(kind, name, context).put(str(properties["PolicyName"]), _document(properties["PolicyDocument"]))

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        self._put(properties, context)
        same = properties["PolicyName"] == old.get("PolicyName")
        for kind, name in _holders(old):
            if not same or (kind, name) not in _holders(properties):
                Holder(kind, name, context).drop([str(old["PolicyName"])])
        return made

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        for kind, name in _holders(properties):
            Holder(kind, name, context).drop([str(properties["PolicyName"])])


class ManagedPolicy(Provider):
    type = "AWS::IAM::ManagedPolicy"
    attributes = frozenset({"PolicyArn"})
    table = Table(
        handled=frozenset(
            {"Description", "Groups", "ManagedPolicyName", "Path", "PolicyDocument", "Roles", "Users"},
        ),
        required=frozenset({"PolicyDocument"}),
        replacing=frozenset({"Description", "ManagedPolicyName", "Path"}),
        name="ManagedPolicyName",
    )

    def create(self, properties: Props, context: Context) -> Made:
        name, path = str(properties.get("ManagedPolicyName") or context.name(128)), str(properties.get("Path") or "/")
        more = {"Description": str(properties["Description"])} if properties.get("Description") else {}
        context.clients("iam").create_policy(
            PolicyName=name, Path=path, PolicyDocument=_document(properties["PolicyDocument"]), **more
        )
        made = Made(f"arn:aws:iam::{context.target.account}:policy{path}{name}")
        try:
            self._attach(made, properties, {}, context)
        except BaseException:
            with suppress(ClientError):
                self.delete(made, properties, context)
            raise
        return Made(made.physical_id, {"PolicyArn": made.physical_id})

    @staticmethod
    def _attach(made: Made, properties: Props, old: Props, context: Context) -> None:
        wanted, before = _holders(properties), _holders(old)
        for kind, name in wanted:
            if (kind, name) not in before:
                Holder(kind, name, context).attach([made.physical_id])
        for kind, name in before:
            if (kind, name) not in wanted:
                Holder(kind, name, context).detach([made.physical_id])

    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        if properties["PolicyDocument"] != old.get("PolicyDocument"):
            self._replace(made.physical_id, _document(properties["PolicyDocument"]), context.clients("iam"))
        self._attach(made, properties, old, context)
        return made

    @staticmethod
    def _replace(arn: str, document: str, client: Any) -> None:
        versions = client.list_policy_versions(PolicyArn=arn).get("Versions") or ()
        spare = [version["VersionId"] for version in versions if not version["IsDefaultVersion"]]
        if len(versions) >= _MOST_VERSIONS:
            client.delete_policy_version(PolicyArn=arn, VersionId=spare[-1])
        client.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)

    def delete(self, made: Made, properties: Props, context: Context) -> None:
        client, arn = context.clients("iam"), made.physical_id
        with gone_is_fine(_GONE):
            for kind, name in _holders(properties):
                Holder(kind, name, context).detach([arn])
            for version in client.list_policy_versions(PolicyArn=arn).get("Versions") or ():
                if not version["IsDefaultVersion"]:
                    client.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
            client.delete_policy(PolicyArn=arn)

    def exists(self, made: Made, properties: Props, context: Context) -> bool:
        try:
            context.clients("iam").get_policy(PolicyArn=made.physical_id)
        except ClientError as error:
            if error.response["Error"]["Code"] == _GONE:
                return False
            raise
        return True
