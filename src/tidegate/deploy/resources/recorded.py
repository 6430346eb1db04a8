"""Types that are recorded in the stack and make nothing: log groups, alarms and dashboards, what surrounds a custom domain name
(certificates, DNS records), the CDK's metadata. Every one of them is named in the report as having no effect.

AWS: CloudFormation Template Reference, "AWS::Logs::LogGroup", "AWS::Route53::RecordSet",
"AWS::CertificateManager::Certificate".
"""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.deploy.resources.base import Context, Made, Props, Provider, Table


class _Recorded(Provider):
    def update(self, made: Made, properties: Props, old: Props, context: Context) -> Made:
        return made


class LogGroup(_Recorded):
    type = "AWS::Logs::LogGroup"
    attributes = frozenset({"Arn"})
    no_effect = "is recorded and has no effect; see `tidegate logs`"
    table = Table(
        handled=frozenset(
            {
                *("BearerTokenAuthenticationEnabled", "DataProtectionPolicy", "DeletionProtectionEnabled"),
                *("FieldIndexPolicies", "KmsKeyId", "LogGroupClass", "LogGroupName", "ResourcePolicyDocument"),
                *("RetentionInDays", "Tags"),
            }
        ),
        replacing=frozenset({"LogGroupName"}),
        name="LogGroupName",
    )

    def create(self, properties: Props, context: Context) -> Made:
        name = str(properties.get("LogGroupName") or context.name(512))
        # AWS: Fn::GetAtt gives the ARN with its closing wildcard.
        arn = f"arn:aws:logs:{context.target.region}:{context.target.account}:log-group:{name}:*"
        return Made(name, {"Arn": arn})


class Alarm(_Recorded):
    """Ref gives the name."""

    type = "AWS::CloudWatch::Alarm"
    attributes = frozenset({"Arn"})
    no_effect = "is recorded; nothing is watched and nobody alarmed"
    table = Table(
        handled=frozenset(
            {
                *("ActionConfiguration", "ActionsEnabled", "AlarmActions", "AlarmDescription", "AlarmName"),
                *("ComparisonOperator", "DatapointsToAlarm", "Dimensions", "EvaluateLowSampleCountPercentile"),
                *("EvaluationCriteria", "EvaluationInterval", "EvaluationPeriods", "EvaluationWindow"),
                *("ExtendedStatistic", "InsufficientDataActions", "MetricName", "Metrics", "Namespace", "OKActions"),
                *("Period", "Statistic", "Tags", "Threshold", "ThresholdMetricId", "TreatMissingData", "Unit"),
                "WarmUpConfiguration",
            }
        ),
        replacing=frozenset({"AlarmName"}),
        name="AlarmName",
    )

    def create(self, properties: Props, context: Context) -> Made:
        name = str(properties.get("AlarmName") or context.name(255))
        arn = f"arn:aws:cloudwatch:{context.target.region}:{context.target.account}:alarm:{name}"
        return Made(name, {"Arn": arn})


class Dashboard(_Recorded):
    """Ref gives the name."""

    type = "AWS::CloudWatch::Dashboard"
    no_effect = "is recorded and shown nowhere"
    table = Table(
        handled=frozenset({"DashboardBody", "DashboardName", "Tags"}),
        required=frozenset({"DashboardBody"}),
        replacing=frozenset({"DashboardName"}),
        name="DashboardName",
    )

    def create(self, properties: Props, context: Context) -> Made:
        return Made(str(properties.get("DashboardName") or context.name(255)))


class Certificate(_Recorded):
    """An ARN that custom domain names can name, from the beginning: nothing waits for its validation."""

    type = "AWS::CertificateManager::Certificate"
    attributes = frozenset({"CertificateArn"})
    no_effect = "is recorded; whoever ends TLS shows a certificate of their own"
    table = Table(
        handled=frozenset(
            {
                *("CertificateAuthorityArn", "CertificateExport", "CertificateTransparencyLoggingPreference"),
                *("DomainName", "DomainValidationOptions", "KeyAlgorithm", "SubjectAlternativeNames", "Tags"),
                "ValidationMethod",
            }
        ),
        required=frozenset({"DomainName"}),
        replacing=frozenset(
            {
                *("CertificateAuthorityArn", "CertificateExport", "DomainName", "DomainValidationOptions"),
                *("KeyAlgorithm", "SubjectAlternativeNames"),
            }
        ),
    )

    def create(self, properties: Props, context: Context) -> Made:
        arn = f"arn:aws:acm:{context.target.region}:{context.target.account}:certificate/{context.name(64)}"
        return Made(arn, {"CertificateArn": arn})


_RECORD_MEMBERS = frozenset(
    {
        *("AliasTarget", "CidrRoutingConfig", "Comment", "Failover", "GeoLocation", "GeoProximityLocation"),
        *("HealthCheckId", "HostedZoneId", "HostedZoneName", "MultiValueAnswer", "Name", "Region", "ResourceRecords"),
        *("SetIdentifier", "TTL", "Type", "Weight"),
    }
)
_NO_DNS = "is recorded; that the name leads to Tidegate is up to whoever keeps its DNS"


class RecordSet(_Recorded):
    """Ref gives the name."""

    type = "AWS::Route53::RecordSet"
    no_effect = _NO_DNS
    table = Table(
        handled=_RECORD_MEMBERS,
        required=frozenset({"Name", "Type"}),
        replacing=frozenset({"HostedZoneId", "HostedZoneName"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        return Made(str(properties["Name"]))


class RecordSetGroup(_Recorded):
    """SAM makes one for `Domain.Route53`."""

    type = "AWS::Route53::RecordSetGroup"
    attributes = frozenset({"Id"})
    no_effect = _NO_DNS
    table = Table(
        handled=frozenset({"Comment", "HostedZoneId", "HostedZoneName", "RecordSets"}),
        replacing=frozenset({"HostedZoneId", "HostedZoneName"}),
    )

    def create(self, properties: Props, context: Context) -> Made:
        name = context.name(128)
        return Made(name, {"Id": name})


class CdkMetadata(_Recorded):
    type = "AWS::CDK::Metadata"
    no_effect = "has no effect"
    table = Table(handled=frozenset({"Analytics", "Modules"}))

    def create(self, properties: Props, context: Context) -> Made:
        return Made(context.name(64))


RECORDED: Mapping[str, Provider] = {
    provider.type: provider
    for provider in (
        Alarm(),
        CdkMetadata(),
        Certificate(),
        Dashboard(),
        LogGroup(),
        RecordSet(),
        RecordSetGroup(),
    )
}
