"""Custom domain names, what they map, and who may reach private ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.definition.records.base import Record
from tidegate.definition.records.rest_api import EndpointConfiguration


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualTls:
    truststore_uri: str | None = None
    truststore_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainName(Record):
    KEY = ("domain_name", "domain_name_id")

    domain_name: str
    domain_name_id: str = ""
    """Of private domains; empty for public ones."""
    domain_name_arn: str | None = None
    certificate_name: str | None = None
    certificate_arn: str | None = None
    certificate_upload_date: float | None = None
    regional_domain_name: str | None = None
    regional_hosted_zone_id: str | None = None
    regional_certificate_name: str | None = None
    regional_certificate_arn: str | None = None
    distribution_domain_name: str | None = None
    distribution_hosted_zone_id: str | None = None
    endpoint_configuration: EndpointConfiguration = field(default_factory=EndpointConfiguration)
    domain_name_status: str = "AVAILABLE"
    security_policy: str | None = None
    endpoint_access_mode: str | None = None
    mutual_tls_authentication: MutualTls | None = None
    ownership_verification_certificate_arn: str | None = None
    management_policy: str | None = None
    policy: str | None = None
    routing_mode: str | None = None
    tags: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePathMapping(Record):
    KEY = ("domain_name", "domain_name_id", "base_path")

    domain_name: str
    domain_name_id: str = ""
    base_path: str
    """`(none)` for the empty one."""
    rest_api_id: str
    stage: str | None = None
    """None: the first segment of the path after the base path names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedApi(Record):
    """Finds the mappings that lead to an API; kept in step with `BasePathMapping`."""

    KEY = ("api_id", "domain_name", "domain_name_id", "base_path")

    api_id: str
    domain_name: str
    domain_name_id: str = ""
    base_path: str
    stage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainNameAccessAssociation(Record):
    KEY = ("domain_name_access_association_arn",)

    domain_name_access_association_arn: str
    domain_name_arn: str
    access_association_source_type: str
    access_association_source: str
    tags: dict[str, str] | None = None
