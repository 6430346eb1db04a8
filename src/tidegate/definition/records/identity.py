"""Identities: users, groups, roles, managed policies and access keys. They are global: kept below the region GLOBAL.

AWS: names are not distinguished by case, so keys are in lower case. Secrets are sealed (`core.vault`); documents are kept as
they were given.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.definition.records.base import Record

GLOBAL = "aws-global"
"""In the place of a region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Record):
    """What users, groups and roles have in common."""

    name: str
    path: str = "/"
    id: str
    create_date: float
    inline: dict[str, str] = field(default_factory=dict)
    """Policy documents by name."""
    attached: list[str] = field(default_factory=list)
    """ARNs of managed policies."""

    @property
    def key(self) -> tuple[str, ...]:
        return (self.name.lower(),)


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Identity):
    boundary: str | None = None
    """ARN of a managed policy."""
    groups: list[str] = field(default_factory=list)
    """Keys of the groups that it is a member of."""
    access_keys: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Identity):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Role(Identity):
    boundary: str | None = None
    trust: str
    """The document that says who may assume it."""
    description: str | None = None
    max_session_duration: int = 3600
    """Seconds."""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMember(Record):
    """Finds the users of a group; the other direction is `User.groups`."""

    KEY = ("group", "user")

    group: str
    user: str
    """Their keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    version_id: str
    document: str
    create_date: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedPolicy(Record):
    name: str
    path: str = "/"
    id: str
    arn: str
    description: str | None = None
    create_date: float
    update_date: float
    versions: list[PolicyDocument]
    """The oldest first."""
    default_version_id: str
    last_version: int
    """Numbers are never given twice."""
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.name.lower(),)

    @property
    def default(self) -> PolicyDocument:
        return next(version for version in self.versions if version.version_id == self.default_version_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyUse(Record):
    """Finds whom a managed policy is attached to; the other direction is `attached` and `boundary`."""

    KEY = ("arn", "usage", "kind", "name")

    arn: str
    usage: str
    """`PermissionsPolicy` or `PermissionsBoundary`."""
    kind: str
    """`User`, `Group` or `Role`."""
    name: str
    """Its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey(Record):
    KEY = ("id",)

    id: str
    user: str
    """The key of its user."""
    status: str = "Active"
    create_date: float
    secret: str
    """Sealed, in base64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAlias(Record):
    KEY = ("alias",)

    alias: str


IDENTITIES: tuple[type[Record], ...] = (
    User,
    Group,
    Role,
    GroupMember,
    ManagedPolicy,
    PolicyUse,
    AccessKey,
    AccountAlias,
)
"""Every kind of this module."""
