"""The tables of providers against CloudFormation's own resource schemas, which cfn-lint carries: every property is known, what
replaces a resource there replaces it here, what Fn::GetAtt gives there it gives here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.neighbour_cases import SERVICES
from tidegate.deploy.resources.base import Table
from tidegate.deploy.resources.registry import PROVIDERS

schemas: Any = pytest.importorskip("cfnlint.schema.manager")

API_GATEWAY = sorted(
    name
    for name in schemas.PROVIDER_SCHEMA_MANAGER.get_resource_types("us-east-1")
    if name.startswith("AWS::ApiGateway::")
)
AROUND_DOMAINS = ["AWS::CertificateManager::Certificate", "AWS::Route53::RecordSet", "AWS::Route53::RecordSetGroup"]
OF_FUNCTIONS = [
    f"AWS::Lambda::{name}"
    for name in ("Alias", "EventInvokeConfig", "LayerVersion", "LayerVersionPermission", "Permission", "Url", "Version")
]
OF_USER_POOLS = [
    f"AWS::Cognito::UserPool{name}"
    for name in ("", "Client", "Domain", "Group", "ResourceServer", "User", "UserToGroupAttachment")
]
IN_NEIGHBOURS = sorted(kind for kind in PROVIDERS if kind.split("::")[1] in (*SERVICES, "CloudWatch"))
MORE_ATTRIBUTES = {
    "AWS::Events::EventBus": {"Name"},
    "AWS::SNS::Topic": {"TopicName"},
    "AWS::SQS::Queue": {"QueueName"},
    "AWS::SSM::Parameter": {"Type", "Value"},
}
"""Documented for Fn::GetAtt, and not read-only."""
OTHERS = {"AWS::Events::Rule": {"EventBusName"}}
"""AWS: a rule stays on its bus, though the schema does not say so."""
OF_AWS = {"WarmThroughputObject"}
"""Read-only, and nothing that is here."""
NEEDED = {
    "AWS::ApiGateway::DomainName": {"DomainName"},
    "AWS::ApiGateway::DomainNameV2": {"DomainName"},
    "AWS::ApiGateway::Stage": {"DeploymentId", "StageName"},
}
"""Not required by the schema, but by the operation that makes one."""


def names(schema: dict[str, Any], key: str) -> set[str]:
    return {pointer.removeprefix("/properties/") for pointer in schema.get(key, ())}


def known(table: Table) -> set[str]:
    parts = [set(table.handled), set(table.reported), set(table.refused)]
    together = set().union(*parts)
    assert sum(map(len, parts)) == len(together), "a property is in exactly one of handled, reported and refused"
    return together


def test_there_are_types() -> None:
    assert len(API_GATEWAY) == 22


@pytest.mark.parametrize("kind", [*API_GATEWAY, *AROUND_DOMAINS, *OF_FUNCTIONS, *OF_USER_POOLS])
def test_every_property_is_known(kind: str) -> None:
    schema: dict[str, Any] = schemas.PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    provider = PROVIDERS[kind]
    # What a schema calls Id beside its read-only members is the physical id, and nobody gives it.
    made = names(schema, "readOnlyProperties")
    assert known(provider.table) == schema["properties"].keys() - made - {"Id"}
    assert provider.table.replacing == names(schema, "createOnlyProperties")
    assert provider.table.required == set(schema.get("required", ())) | NEEDED.get(kind, set())
    assert provider.attributes == made


@pytest.mark.parametrize("kind", IN_NEIGHBOURS)
def test_every_property_of_what_is_made_in_neighbours_is_known(kind: str) -> None:
    schema: dict[str, Any] = schemas.PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    provider, made = PROVIDERS[kind], {name for name in names(schema, "readOnlyProperties") if "/" not in name}
    assert known(provider.table) == schema["properties"].keys() - made
    assert provider.table.replacing == names(schema, "createOnlyProperties") | OTHERS.get(kind, set())
    assert provider.table.required == set(schema.get("required", ()))
    assert provider.attributes == made - OF_AWS | MORE_ATTRIBUTES.get(kind, set())


def test_the_documents_name_every_type() -> None:
    page = (Path(__file__).parents[2] / "docs" / "templates.md").read_text()
    rows = [line.split("|")[1] for line in page.partition("## Types")[2].splitlines() if line.startswith("|")]
    assert set(re.findall(r"AWS::\w+::\w+", "".join(rows))) == PROVIDERS.keys()
