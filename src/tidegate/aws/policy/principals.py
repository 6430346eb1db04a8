"""Who asks, and whom a statement names. Source: *Principal* and *NotPrincipal* (IAM JSON policy elements).

How exactly a statement names somebody decides what else limits the grant (*Policy evaluation logic*): a grant to the user or
the session itself stands alone, one to a role is limited by boundary and session policies, one to an account only delegates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Grade(IntEnum):
    """How closely a Principal element names the caller."""

    NOT = 0
    ACCOUNT = 1
    ROLE = 2
    ITSELF = 3


@dataclass(frozen=True, slots=True)
class Principal:
    """Make one by the class methods; ANONYMOUS is nobody in particular."""

    type: str
    """As `aws:PrincipalType` has it: Anonymous, Account, User, AssumedRole, FederatedUser; besides, Service and Federated."""
    arn: str | None = None
    account: str | None = None
    role_arn: str | None = None
    """Of a role's session: the role, with its path."""
    names: frozenset[str] = field(default_factory=frozenset)
    """Of services and identity providers."""
    canonical_user: str | None = None
    """S3's id of the account."""

    @classmethod
    def root(cls, account: str, *, partition: str = "aws") -> Principal:
        return cls("Account", f"arn:{partition}:iam::{account}:root", account)

    @classmethod
    def user(cls, arn: str) -> Principal:
        return cls("User", arn, _account(arn))

    @classmethod
    def role_session(cls, arn: str, role_arn: str) -> Principal:
        """`arn`: `arn:aws:sts::…:assumed-role/name/session`."""
        return cls("AssumedRole", arn, _account(arn), role_arn)

    @classmethod
    def federated_user(cls, arn: str) -> Principal:
        return cls("FederatedUser", arn, _account(arn))

    @classmethod
    def service(cls, *names: str) -> Principal:
        """`apigateway.amazonaws.com` …"""
        return cls("Service", names=frozenset(names))

    @classmethod
    def federated(cls, provider: str) -> Principal:
        """Who brings an identity provider's word, and has no role yet."""
        return cls("Federated", names=frozenset({provider}))

    @property
    def is_root(self) -> bool:
        return self.type == "Account"


ANONYMOUS = Principal("Anonymous")


def _account(arn: str) -> str:
    return arn.split(":", 5)[4]


@dataclass(frozen=True, slots=True)
class PrincipalSet:
    """A Principal element, ready to be asked."""

    everyone: bool
    accounts: frozenset[str]
    arns: frozenset[str]
    services: frozenset[str]
    federated: frozenset[str]
    canonical_users: frozenset[str]

    def grade(self, principal: Principal) -> Grade:
        if self.everyone:
            return Grade.ITSELF
        if principal.names:
            named = self.services if principal.type == "Service" else self.federated
            return Grade.NOT if named.isdisjoint(principal.names) and "*" not in named else Grade.ITSELF
        if principal.arn in self.arns or (principal.is_root and principal.account in self.accounts):
            return Grade.ITSELF
        if principal.role_arn in self.arns:
            return Grade.ROLE
        of_account = principal.account in self.accounts or principal.canonical_user in self.canonical_users
        return Grade.ACCOUNT if of_account else Grade.NOT


def principal_set(named: Mapping[str, tuple[str, ...]]) -> PrincipalSet:
    """`named`: type (AWS, Service, Federated, CanonicalUser) to names, checked."""
    aws = named.get("AWS", ())
    accounts = {name if ":" not in name else _account(name) for name in aws if name.isdigit() or name.endswith(":root")}
    return PrincipalSet(
        everyone="*" in aws,
        accounts=frozenset(accounts),
        arns=frozenset(name for name in aws if name.startswith("arn:") and not name.endswith(":root")),
        services=frozenset(named.get("Service", ())),
        federated=frozenset(named.get("Federated", ())),
        canonical_users=frozenset(named.get("CanonicalUser", ())),
    )
