"""Records as IAM shows them. AWS: lists leave out what Get tells besides: tags, boundaries, descriptions of policies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tidegate.aws.policy.managed import AwsManaged
from tidegate.control.context import Context
from tidegate.control.iam.lookup import arn
from tidegate.definition.records import AccessKey, Group, ManagedPolicy, PolicyDocument, Role, User

AWS_SINCE = datetime(2015, 2, 6, tzinfo=UTC).timestamp()
"""When AWS's own policies came."""


def user(context: Context, record: User, *, whole: bool = False) -> dict[str, Any]:
    shown = {
        "path": record.path,
        "user_name": record.name,
        "user_id": record.id,
        "arn": arn(context, record),
        "create_date": record.create_date,
    }
    return shown | (_more(record) if whole else {})


def group(context: Context, record: Group) -> dict[str, Any]:
    return {
        "path": record.path,
        "group_name": record.name,
        "group_id": record.id,
        "arn": arn(context, record),
        "create_date": record.create_date,
    }


def role(context: Context, record: Role, *, whole: bool = False) -> dict[str, Any]:
    shown = {
        "path": record.path,
        "role_name": record.name,
        "role_id": record.id,
        "arn": arn(context, record),
        "create_date": record.create_date,
        "assume_role_policy_document": document(record.trust),
        "description": record.description,
        "max_session_duration": record.max_session_duration,
    }
    return shown | (_more(record) if whole else {})


def _more(record: User | Role) -> dict[str, Any]:
    boundary = record.boundary and {"permissions_boundary_type": "Policy", "permissions_boundary_arn": record.boundary}
    return {"permissions_boundary": boundary, "tags": tags(record.tags) or None}


def tags(given: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in given.items()]


def tag_map(given: list[dict[str, str]] | None) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in given or ()}


def document(text: str) -> str:
    """AWS: documents come URL-encoded (RFC 3986)."""
    return quote(text, safe="-_.~")


def policy(record: ManagedPolicy, uses: tuple[int, int], *, whole: bool = False) -> dict[str, Any]:
    """`uses`: how many it is attached to, and whose boundary it is."""
    more = {"description": record.description, "tags": tags(record.tags)}
    return {
        "policy_name": record.name,
        "policy_id": record.id,
        "arn": record.arn,
        "path": record.path,
        "default_version_id": record.default_version_id,
        "attachment_count": uses[0],
        "permissions_boundary_usage_count": uses[1],
        "is_attachable": True,
        "create_date": record.create_date,
        "update_date": record.update_date,
        **(more if whole else {}),
    }


def aws_policy(managed: AwsManaged, uses: tuple[int, int], *, whole: bool = False) -> dict[str, Any]:
    return policy(as_record(managed), uses, whole=whole)


def as_record(managed: AwsManaged) -> ManagedPolicy:
    return ManagedPolicy(
        name=managed.name,
        path=managed.path,
        id=managed.id,
        arn=managed.arn,
        description=managed.description,
        create_date=AWS_SINCE,
        update_date=AWS_SINCE,
        versions=[PolicyDocument(version_id="v1", document=managed.document, create_date=AWS_SINCE)],
        default_version_id="v1",
        last_version=1,
    )


def version(record: ManagedPolicy, one: PolicyDocument, *, whole: bool = False) -> dict[str, Any]:
    return {
        "document": document(one.document) if whole else None,
        "version_id": one.version_id,
        "is_default_version": one.version_id == record.default_version_id,
        "create_date": one.create_date,
    }


def access_key(key: AccessKey, user_name: str) -> dict[str, Any]:
    return {
        "user_name": user_name,
        "access_key_id": key.id,
        "status": key.status,
        "create_date": key.create_date,
    }
