"""User pools as declared (clients, domains, resource servers, groups) and what lives in them: users and their sessions.

Secrets (`sealed_…`) are sealed with the key of the data directory (core.vault), passwords are hashed besides. Nested
settings stay as they were given, with AWS's members in snake_case: they are shown, and read by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tidegate.definition.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolKey:
    """The pair of RSA keys that signs a pool's tokens."""

    kid: str
    n: str
    """The modulus as a JSON Web Key has it."""
    e: str
    sealed_private: str
    """PKCS #8, DER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPool(Record):
    KEY = ("id",)

    id: str
    name: str
    arn: str
    creation_date: float
    last_modified_date: float
    key_pair: PoolKey
    policies: dict[str, Any]
    schema_attributes: list[dict[str, Any]]
    auto_verified_attributes: list[str] | None = None
    alias_attributes: list[str] | None = None
    username_attributes: list[str] | None = None
    username_configuration: dict[str, Any] | None = None
    verification_message_template: dict[str, Any] | None = None
    email_verification_message: str | None = None
    email_verification_subject: str | None = None
    sms_verification_message: str | None = None
    sms_authentication_message: str | None = None
    """Texts of messages that are never sent: whatever would send one is refused."""
    email_configuration: dict[str, Any] | None = None
    admin_create_user_config: dict[str, Any]
    account_recovery_setting: dict[str, Any] | None = None
    mfa_configuration: str = "OFF"
    deletion_protection: str = "INACTIVE"
    user_pool_tier: str = "ESSENTIALS"
    user_pool_tags: dict[str, str] | None = None
    domain: str | None = None
    """The prefix of its hosted pages; kept in step with `UserPoolDomain`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPoolClient(Record):
    KEY = ("user_pool_id", "client_id")

    user_pool_id: str
    client_id: str
    client_name: str
    sealed_secret: str | None = None
    creation_date: float
    last_modified_date: float
    refresh_token_validity: int = 30
    access_token_validity: int | None = None
    id_token_validity: int | None = None
    token_validity_units: dict[str, str] | None = None
    read_attributes: list[str] | None = None
    write_attributes: list[str] | None = None
    explicit_auth_flows: list[str] | None = None
    supported_identity_providers: list[str] | None = None
    callback_urls: list[str] | None = None
    logout_urls: list[str] | None = None
    default_redirect_uri: str | None = None
    allowed_o_auth_flows: list[str] | None = None
    allowed_o_auth_scopes: list[str] | None = None
    allowed_o_auth_flows_user_pool_client: bool = False
    prevent_user_existence_errors: str | None = None
    enable_token_revocation: bool = True
    auth_session_validity: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPool(Record):
    """Finds the pool of a client: its users' calls name the client only."""

    KEY = ("client_id",)

    client_id: str
    user_pool_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPoolDomain(Record):
    KEY = ("domain",)

    domain: str
    user_pool_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPoolResourceServer(Record):
    KEY = ("user_pool_id", "identifier")

    user_pool_id: str
    identifier: str
    name: str
    scopes: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPoolGroup(Record):
    KEY = ("user_pool_id", "group_name")

    user_pool_id: str
    group_name: str
    description: str | None = None
    role_arn: str | None = None
    precedence: int | None = None
    creation_date: float
    last_modified_date: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolGroupMember(Record):
    """Finds the users of a group; `PoolUser.groups` is the other direction."""

    KEY = ("user_pool_id", "group_name", "username")

    user_pool_id: str
    group_name: str
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code that was sent to a user and waits for its use."""

    digest: str
    """Keyed hash; the code itself is not kept."""
    expires: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolUser(Record):
    KEY = ("user_pool_id", "username")

    user_pool_id: str
    username: str
    """As the pool knows the user; in pools that sign in by e-mail address it is the `sub`."""
    sub: str
    attributes: dict[str, str] = field(default_factory=dict)
    enabled: bool = True
    user_status: str = "UNCONFIRMED"
    user_create_date: float
    user_last_modified_date: float
    password_hash: str | None = None
    srp_salt: str | None = None
    """Hexadecimal."""
    sealed_srp_verifier: str | None = None
    """Sealed: unlike the hash, a verifier costs little to try passwords on."""
    password_expires: float | None = None
    """Of a temporary password."""
    groups: list[str] = field(default_factory=list)
    codes: dict[str, Code] = field(default_factory=dict)
    """By what they are for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAlias(Record):
    """Finds a user by an attribute that signs in, by `sub`, or by the folded name where case does not matter."""

    KEY = ("user_pool_id", "kind", "value")

    user_pool_id: str
    kind: str
    value: str
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSession(Record):
    """One sign-in: as long as it is there, its refresh token is good for new tokens."""

    KEY = ("user_pool_id", "username", "origin_jti")

    user_pool_id: str
    username: str
    origin_jti: str
    client_id: str
    auth_time: int
    expires: float
    scope: str = "aws.cognito.signin.user.admin"
    hosted: bool = False
    """Whether it came by the hosted endpoints: then its scopes choose what its tokens tell."""


USER_POOL_PARTS: tuple[type[Record], ...] = (
    UserPoolClient,
    UserPoolResourceServer,
    UserPoolGroup,
    PoolGroupMember,
    PoolUser,
    PoolAlias,
    PoolSession,
)
"""What goes with its pool: every kind whose key begins with the pool's id."""
