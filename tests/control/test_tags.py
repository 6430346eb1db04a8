"""Tags of everything that can have them, through real boto3 against the running program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.test_rest_apis import error_of
from tests.support.running import ApiBuilder, Server

BAD, MISSING = "BadRequestException", "NotFoundException"
ACCOUNT = "666666666666"
PLAIN = "arn:aws:apigateway:us-east-1::/"
TAGS = {"made": "with it"}
CERTIFICATE = f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/x"
BALANCER = f"arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:loadbalancer/net/n/1"


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    return server.client("apigateway", key=ACCOUNT)


@pytest.fixture(scope="module")
def arns(client: Any, server: Server) -> Iterator[dict[str, str]]:
    """One of each kind, made with a tag."""
    builder = ApiBuilder(server)
    builder.client = client
    made = client.create_rest_api(name="n", tags=TAGS)
    builder.id, builder.resources = made["id"], {"/": made["rootResourceId"]}
    builder.mock("/", "GET")
    deployment = client.create_deployment(restApiId=builder.id)["id"]
    client.create_stage(restApiId=builder.id, stageName="prod", deploymentId=deployment, tags=TAGS)
    public = {"domainName": "tags.example.com", "certificateArn": CERTIFICATE}
    private = client.create_domain_name(**public, endpointConfiguration={"types": ["PRIVATE"]}, tags=TAGS)
    association = client.create_domain_name_access_association(
        domainNameArn=private["domainNameArn"],
        accessAssociationSourceType="VPCE",
        accessAssociationSource="vpce-1",
        tags=TAGS,
    )
    link = client.create_vpc_link(name="n", targetArns=[BALANCER], tags=TAGS)["id"]
    found = {
        "RestApi": f"{PLAIN}restapis/{builder.id}",
        "Stage": f"{PLAIN}restapis/{builder.id}/stages/prod",
        "ApiKey": f"{PLAIN}apikeys/{client.create_api_key(tags=TAGS)['id']}",
        "UsagePlan": f"{PLAIN}usageplans/{client.create_usage_plan(name='n', tags=TAGS)['id']}",
        "ClientCertificate": (
            f"{PLAIN}clientcertificates/{client.generate_client_certificate(tags=TAGS)['clientCertificateId']}"
        ),
        "VpcLink": f"{PLAIN}vpclinks/{link}",
        "DomainName": client.create_domain_name(**public, tags=TAGS)["domainNameArn"],
        "private DomainName": private["domainNameArn"],
        "DomainNameAccessAssociation": association["domainNameAccessAssociationArn"],
    }
    yield found
    client.delete_domain_name(domainName="tags.example.com")


KINDS = (
    *("RestApi", "Stage", "ApiKey", "UsagePlan", "ClientCertificate", "VpcLink", "DomainName", "private DomainName"),
    "DomainNameAccessAssociation",
)


@pytest.mark.parametrize("kind", KINDS)
def test_tags_of_every_kind(client: Any, arns: dict[str, str], kind: str) -> None:
    arn = arns[kind]
    assert client.get_tags(resourceArn=arn)["tags"] == TAGS
    tagged = client.tag_resource(resourceArn=arn, tags={"made": "again", "Team": "a/b c", "é": "ü"})
    assert tagged["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.get_tags(resourceArn=arn)["tags"] == {"made": "again", "Team": "a/b c", "é": "ü"}
    untagged = client.untag_resource(resourceArn=arn, tagKeys=["Team", "é", "never there"])
    assert untagged["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.get_tags(resourceArn=arn)["tags"] == {"made": "again"}
    # Keys have case.
    client.untag_resource(resourceArn=arn, tagKeys=["MADE"])
    assert client.get_tags(resourceArn=arn, limit=1)["tags"] == {"made": "again"}


UNKNOWN = {
    "restapis/nope": f"Invalid API identifier specified {ACCOUNT}:nope",
    "restapis/nope/stages/x": f"Invalid API identifier specified {ACCOUNT}:nope",
    "apikeys/nope": "Invalid API Key identifier specified",
    "usageplans/nope": "Invalid Usage Plan ID specified",
    "clientcertificates/nope": "Invalid Client Certificate identifier specified",
    "vpclinks/nope": "Invalid Vpc Link identifier specified",
    "domainnames/nope.example.com": "Invalid domain name identifier specified",
    "domainnames/tags.example.com+nope": "Invalid domain name identifier specified",
    "domainnameaccessassociations/nope": "Invalid domain name access association identifier specified",
    "restapis/nope/resources/x": f"Invalid resource ARN specified {PLAIN}restapis/nope/resources/x",
}


@pytest.mark.parametrize("place", UNKNOWN)
def test_arns_of_what_is_not_there(client: Any, arns: dict[str, str], place: str) -> None:
    arn, expected = PLAIN + place, (MISSING, UNKNOWN[place], 404)
    assert error_of(lambda: client.get_tags(resourceArn=arn)) == expected
    assert error_of(lambda: client.tag_resource(resourceArn=arn, tags={"a": "b"})) == expected
    assert error_of(lambda: client.untag_resource(resourceArn=arn, tagKeys=["a"])) == expected


def test_arns_of_elsewhere(client: Any, arns: dict[str, str]) -> None:
    own = arns["ApiKey"]
    for arn in (
        "x",
        own.replace("us-east-1", "eu-west-1"),
        own.replace("apigateway", "lambda"),
        own.replace("us-east-1:", "us-east-1:999999999999"),
    ):
        found = error_of(lambda arn=arn: client.get_tags(resourceArn=arn))
        assert found == (MISSING, f"Invalid resource ARN specified {arn}", 404)


RULES: dict[str, tuple[dict[str, str], str]] = {
    "prefix": ({"aws:x": "1"}, "Invalid tag key: aws:x. The prefix aws: is reserved"),
    "prefix in capitals": ({"AWS:x": "1"}, "Invalid tag key: AWS:x. The prefix aws: is reserved"),
    "empty key": ({"": "1"}, "Invalid tag key: . Its length must be between 1 and 128 characters"),
    "long key": ({"k" * 129: "1"}, f"Invalid tag key: {'k' * 129}. Its length must be between 1 and 128 characters"),
    "long value": ({"k": "v" * 257}, "Invalid value of tag k. At most 256 characters are allowed"),
    "characters of a key": (
        {"k#": "v"},
        "Invalid tag k#. Only letters, digits, spaces and the characters + - = . _ : / @ are allowed",
    ),
    "characters of a value": (
        {"k": "v;"},
        "Invalid tag k. Only letters, digits, spaces and the characters + - = . _ : / @ are allowed",
    ),
    "many": ({f"k{n}": "v" for n in range(51)}, "Too many tags: at most 50 are allowed"),
}


@pytest.mark.parametrize("case", RULES)
def test_rules_of_tags(client: Any, arns: dict[str, str], case: str) -> None:
    tags, message = RULES[case]
    expected = (BAD, message, 400)
    private = {"types": ["PRIVATE"]}
    stage = {"restApiId": arns["RestApi"].rpartition("/")[2], "stageName": "other", "deploymentId": "x"}
    for create in (
        lambda: client.create_rest_api(name="n", tags=tags),
        lambda: client.create_stage(**stage, tags=tags),
        lambda: client.create_api_key(tags=tags),
        lambda: client.create_usage_plan(name="n", tags=tags),
        lambda: client.generate_client_certificate(tags=tags),
        lambda: client.create_vpc_link(name="n", targetArns=[BALANCER], tags=tags),
        lambda: client.create_domain_name(domainName="a.example.com", endpointConfiguration=private, tags=tags),
        lambda: client.create_domain_name_access_association(
            domainNameArn="x", accessAssociationSourceType="VPCE", accessAssociationSource="y", tags=tags
        ),
        lambda: client.tag_resource(resourceArn=arns["ApiKey"], tags=tags),
    ):
        assert error_of(create) == expected


def test_fifty_tags_in_all(client: Any, arns: dict[str, str]) -> None:
    arn = arns["UsagePlan"]
    client.tag_resource(resourceArn=arn, tags={f"k{n}": "v" for n in range(49)})
    found = error_of(lambda: client.tag_resource(resourceArn=arn, tags={"one": "more", "and": "another"}))
    assert found == (BAD, "Too many tags: at most 50 are allowed", 400)
