"""Custom domain names in templates: another endpoint type, mutual TLS, stages that domains serve."""

from __future__ import annotations

from tests.deploy.apigateway_cases import ACM, HEAD
from tests.deploy.conftest import LiveBench
from tests.deploy.test_apigateway_types import actions
from tidegate.deploy.resources.apigateway_domains import DomainName


def test_a_domain_moves_to_another_endpoint_type(live: LiveBench) -> None:
    domain = "Resources: {It: {Type: AWS::ApiGateway::DomainName, Properties: {DomainName: moving.example.com, %s}}}\n"
    outputs = (
        "Outputs: {D: {Value: !GetAtt It.DistributionDomainName}, Z: {Value: !GetAtt It.DistributionHostedZoneId}}"
    )
    made = live.deploy(domain % f"CertificateArn: '{ACM}/1'" + outputs, "moving").outputs
    assert made["D"].endswith(".cloudfront.net")
    assert made["Z"] == "Z2FDTNDATAQYW2"
    regional = f"RegionalCertificateArn: '{ACM}/2', EndpointConfiguration: {{Types: [REGIONAL]}}"
    moved = live.deploy(domain % regional + "Outputs: {R: {Value: !GetAtt It.RegionalDomainName}}", "moving")
    assert actions(live)["It"] == "updated"
    found = live.apigateway.get_domain_name(domainName="moving.example.com")
    assert found["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert found["regionalDomainName"] == moved.outputs["R"]
    assert "certificateArn" not in found
    live.remove("moving")


def test_mutual_tls_of_a_domain() -> None:
    """The server refuses it so far, so the patches alone are looked at."""

    def steps(new: dict[str, str], old: dict[str, str]) -> list[list[str]]:
        given = ({"MutualTlsAuthentication": settings} if settings else {} for settings in (new, old))
        return [[f"{patch['op']} {patch['path']}" for patch in step] for step in DomainName().steps(*given)]

    store, version = "/mutualTlsAuthentication/truststoreUri", "/mutualTlsAuthentication/truststoreVersion"
    both = {"TruststoreUri": "s3://b/k", "TruststoreVersion": "1"}
    assert steps(both, {}) == [[f"add {store}", f"add {version}"]]
    assert steps({"TruststoreUri": "s3://b/l"}, both) == [[f"replace {store}", f"remove {version}"]]
    assert steps({}, both) == [[f"remove {store}", f"remove {version}"]]


def test_a_stage_that_a_domain_serves_is_renamed(live: LiveBench) -> None:
    domain = f"""
  Domain:
    Type: AWS::ApiGateway::DomainName
    Properties:
      DomainName: renamed.example.com
      RegionalCertificateArn: {ACM}/1
      EndpointConfiguration: {{Types: [REGIONAL]}}
  Mapping:
    Type: AWS::ApiGateway::BasePathMapping
    Properties: {{DomainName: !Ref Domain, RestApiId: !Ref Api, Stage: !Ref Stage}}
"""
    live.deploy(HEAD + domain, "renamed")
    live.deploy(HEAD.replace("StageName: prod", "StageName: live") + domain, "renamed")
    assert actions(live)["Mapping"] == "updated"
    mapping = live.apigateway.get_base_path_mapping(domainName="renamed.example.com", basePath="(none)")
    assert mapping["stage"] == "live"
    live.remove("renamed")
