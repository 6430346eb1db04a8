"""What a custom domain's endpoints are called, and which certificates they take.

The names are recorded as AWS would give them, so that whatever reads them (a DNS record in a template) finds them. They
promise nothing: the gateway serves a custom domain by the Host of the request, whatever name led to it. The same goes for
certificates: whoever ends TLS shows their own; there is no certificate manager that an ARN could lead to.
Source: *Amazon API Gateway endpoints and quotas* (hosted zones), *Set up a Regional custom domain name*; shared facts,
endpoints-domains §6.
"""

from __future__ import annotations

import re

from tidegate.control.context import Context
from tidegate.control.patch import Draft, bad_request
from tidegate.core.arns import Arn

EDGE_ZONE = "Z2FDTNDATAQYW2"
"""AWS: CloudFront's, in every Region."""
_EDGE_REGION = "us-east-1"

_REGIONAL_ZONES = {
    "af-south-1": "Z2DHW2332DAMTN",
    "ap-east-1": "Z3FD1VL90ND7K5",
    "ap-northeast-1": "Z1YSHQZHG15GKL",
    "ap-northeast-2": "Z20JF4UZKIW1U8",
    "ap-northeast-3": "Z22ILHG95FLSZ2",
    "ap-south-1": "Z3VO1THU9YC4UR",
    "ap-southeast-1": "ZL327KTPIQFUL",
    "ap-southeast-2": "Z2RPCDW04V8134",
    "ca-central-1": "Z19DQILCV0OWEC",
    "eu-central-1": "Z1U9ULNL0V5AJ3",
    "eu-north-1": "Z3UWIKFBOOGXPP",
    "eu-south-1": "Z3BT4WSQ9TDYZV",
    "eu-west-1": "ZLY8HYME6SFDD",
    "eu-west-2": "ZJ5UAJN8Y3Z2Q",
    "eu-west-3": "Z3KY65QIEKYHQQ",
    "me-south-1": "Z20ZBPC0SS8806",
    "sa-east-1": "ZCMLWB8V5SYIT",
    "us-east-1": "Z1UJRXOUMOOFQ8",
    "us-east-2": "ZOJJZC49E0EPZ",
    "us-west-1": "Z2MUQ32089INYE",
    "us-west-2": "Z2OJLYMUO9EFXC",
}
"""Other Regions' domains show none."""

_CERTIFICATE = re.compile(r"certificate/[\w-]+")
_OF_TYPE = {
    "EDGE": ("certificate_arn", "certificate_name", "distribution_domain_name", "distribution_hosted_zone_id"),
    "REGIONAL": (
        *("regional_certificate_arn", "regional_certificate_name"),
        *("regional_domain_name", "regional_hosted_zone_id"),
    ),
}
"""By public endpoint type: the certificate's ARN and name, the endpoint's name and zone."""


def settle_endpoints(context: Context, draft: Draft, before: Draft) -> None:
    """Give new endpoints their names, take those of endpoints that are gone; check that each has its certificate.

    `before`: the domain before a patch; empty for one that is made. Raises ControlError.
    """
    types = draft["endpoint_configuration"]["types"]
    if types == ["PRIVATE"]:
        _settle_private(context, draft)
        return
    for kind, (arn, _, name, zone) in _OF_TYPE.items():
        region = _EDGE_REGION if kind == "EDGE" else context.scope.region
        if draft.get(arn) and draft.get(arn) != before.get(arn):
            if kind not in types:
                raise bad_request(f"Cannot import certificates for {kind} while {types[0]} is active.")
            check_certificate(draft[arn], region)
        if kind in types and not draft.get(arn):
            raise bad_request(f"A certificate ARN must be specified for the endpoint type {kind}")
        if kind not in types:
            draft[name] = draft[zone] = None
        elif not draft.get(name):
            draft[name], draft[zone] = _edge(context) if kind == "EDGE" else _regional(context)
    if draft.get("certificate_arn") != before.get("certificate_arn"):
        draft["certificate_upload_date"] = int(context.clock.time()) if draft.get("certificate_arn") else None


def _settle_private(context: Context, draft: Draft) -> None:
    if draft.get("regional_certificate_arn") or draft.get("regional_certificate_name"):
        raise bad_request("Cannot import certificates for REGIONAL while PRIVATE is active.")
    if not draft.get("certificate_arn"):
        raise bad_request("A certificate ARN must be specified for the endpoint type PRIVATE")
    check_certificate(draft["certificate_arn"], context.scope.region)


def _edge(context: Context) -> tuple[str, str]:
    return f"d{context.ids.api_id()}{context.ids.child_id()[:3]}.cloudfront.net", EDGE_ZONE


def _regional(context: Context) -> tuple[str, str | None]:
    region = context.scope.region
    return f"d-{context.ids.api_id()}.execute-api.{region}.amazonaws.com", _REGIONAL_ZONES.get(region)


def check_certificate(text: str, region: str | None) -> None:
    """`region`: where it has to be; None: anywhere. AWS also wants it to be the caller's, which is not asked here: templates
    name certificates of the account that they are made for, and there is no certificate manager to look into."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise bad_request(f"Invalid certificate ARN: {text}") from None
    if arn.service != "acm" or not _CERTIFICATE.fullmatch(arn.resource):
        raise bad_request(f"Invalid certificate ARN: {text}")
    if region is not None and arn.region != region:
        raise bad_request(f"Invalid certificate ARN: {text}. Certificate must be in '{region}'.")
