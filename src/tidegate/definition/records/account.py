"""What an account has beside APIs: its settings, links into networks, client certificates."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.definition.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(Record):
    """One for an account and region; its key is empty."""

    cloudwatch_role_arn: str | None = None
    features: list[str] = field(default_factory=lambda: ["UsagePlans"])


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcLink(Record):
    KEY = ("id",)

    id: str
    name: str
    description: str | None = None
    target_arns: list[str]
    tags: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate(Record):
    """A key pair that HTTP backends can know the gateway by."""

    KEY = ("client_certificate_id",)

    client_certificate_id: str
    description: str | None = None
    pem_encoded_certificate: str
    private_key: str
    """PEM, PKCS #8. Never shown: the model has no such member."""
    created_date: float
    expiration_date: float
    tags: dict[str, str] | None = None
