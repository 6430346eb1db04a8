"""AWS's own host names: which service in which region a name is of, and which of them are answered here.

Names of things that people run on AWS (a database, a load balancer, an instance) are not names of services.
AWS: "AWS service endpoints"; for S3, "Virtual hosting of general purpose buckets". The prefixes are botocore's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

_REGION = r"[a-z]{2}(?:-[a-z]+)+-[0-9]+"
_SUFFIX = r"(?:amazonaws\.com(?:\.cn)?|api\.aws)"
_GLOBAL = "budgets|cloudfront|iam|importexport|route53|s3|savingsplans|sdb|sts|waf"
"""What has an endpoint without a region, in us-east-1."""
_NOT_SERVICES = ("elb", "dualstack")
"""What stands in a service's place without being one."""

_LONGEST = 253
"""Characters of a host name. RFC 1035."""
_HOST = re.compile(
    rf"(?:.+\.)?(?P<service>(?!(?:{'|'.join(_NOT_SERVICES)})\.)[a-z0-9-]+)\.(?:dualstack\.)?(?P<region>{_REGION})\.{_SUFFIX}"
    rf"|(?:.+\.)?s3-(?P<s3>{_REGION})\.amazonaws\.com"
    rf"|(?:.+\.)?(?P<everywhere>{_GLOBAL})\.amazonaws\.com"
)
_SIGNING = {"email": "ses", "ddb": "dynamodb", "s3-control": "s3", "oidc": "sso-oauth"}
"""Last labels before the region that differ from the signing name."""


def service_of(host: str) -> tuple[str, str] | None:
    """Signing name and region of an endpoint's host; None: it is none. A port does not matter."""
    name = host.lower().partition(":")[0].rstrip(".")
    found = _HOST.fullmatch(name) if len(name) <= _LONGEST else None
    if found is None:
        return None
    if found["s3"]:
        return "s3", found["s3"]
    if found["everywhere"]:
        return found["everywhere"], "us-east-1"
    service = found["service"].removesuffix("-fips")
    return _SIGNING.get(service, service), found["region"]


def elsewhere(endpoints: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Of services (`*`: all others) and their endpoints: those that are AWS's own."""
    return frozenset(service for service, url in endpoints if service_of(urlsplit(url).hostname or "") is not None)


def answered_here(own: Collection[str], neighbours: Collection[str], real: Collection[str]) -> str:
    """A pattern of the names that lead to this gateway, to be matched without case as a whole; for Python and JavaScript.

    By signing name, `own`: the gateway's services; `neighbours`: those that have a place; `real`: those that AWS itself
    answers (`*`: all but the rest).
    """
    away = {*real} - {*own}
    here = {*own, "execute-api"} | ({*neighbours} - away)

    def is_here(service: str) -> bool:
        return service in here if "*" in away else service not in away

    everywhere = [name for name in _GLOBAL.split("|") if is_here(name)]
    names = [
        rf"(?:[a-z0-9_.-]+\.)?{_label(here, away)}\.(?:dualstack\.)?{_REGION}\.{_SUFFIX}",
        rf"[a-z0-9]+\.lambda-url\.{_REGION}\.on\.aws",
    ]
    if is_here("cognito-idp"):
        names.append(rf"[a-z0-9-]+\.auth\.{_REGION}\.amazoncognito\.com")
    if is_here("s3"):
        names.append(rf"(?:[a-z0-9_.-]+\.)?s3(?:-{_REGION})?\.amazonaws\.com")
    if everywhere:
        names.append(rf"(?:{'|'.join(everywhere)})\.amazonaws\.com")
    return f"(?:{'|'.join(names)})"


def _label(here: Collection[str], away: Collection[str]) -> str:
    """A pattern of the last label before the region."""
    if "*" in away:
        return f"(?:{'|'.join(sorted(_labels(here)))})"
    return rf"(?!(?:{'|'.join([*sorted(_labels(away)), *_NOT_SERVICES])})(?:-fips)?\.)[a-z0-9-]+"


def _labels(services: Iterable[str]) -> set[str]:
    wanted = set(services)
    return {name for name in wanted if name != "*"} | {label for label, name in _SIGNING.items() if name in wanted}
