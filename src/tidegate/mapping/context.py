"""`$context`: which variable is found where in an exchange, resolved when a plan is compiled.

Source: *API Gateway mapping template and access logging variable reference*; shared facts, rest-data-plane §16.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import attrgetter, methodcaller
from typing import Any

MAPPABLE = {
    "accountId": "stage.account",
    "apiId": "stage.api_id",
    "deploymentId": "stage.deployment_id",
    "domainName": "host.domain_name",
    "domainPrefix": "host.domain_prefix",
    "extendedRequestId": "extended_request_id",
    "httpMethod": "verb",
    "isCanaryRequest": "stage.is_canary",
    "identity.apiKey": "api_key_text",
    "identity.apiKeyId": "api_key_id",
    "identity.sourceIp": "source_ip",
    "identity.userAgent": "user_agent",
    "operationName": "method.operation_name",
    "path": "full_path",
    "protocol": "protocol",
    "requestId": "request_id",
    "requestTime": "request_time",
    "requestTimeEpoch": "request_time_epoch",
    "resourceId": "method.resource_id",
    "resourcePath": "method.resource_path",
    "stage": "stage.name",
}
"""Variables for parameter mapping (and templates) → attribute path in the exchange."""

EXPLAINING = MAPPABLE | {
    "error.message": "error_message",
    "error.messageString": "error_message_string",
    "error.responseType": "error_type",
    "error.validationErrorString": "validation_error",
}
"""What gateway responses may name besides."""

LOGGABLE = EXPLAINING | {
    "customDomain.basePathMatched": "base_path_matched",
    "integration.integrationStatus": "integration_status",
    "integration.latency": "integration_latency",
    "integration.responseTransferMode": "transfer_mode",
    "integration.status": "integration_status",
    "integration.timeToAllHeaders": "integration_latency",
    "integration.timeToFirstContent": "integration_latency",
    "integrationErrorMessage": "integration_error",
    "integrationLatency": "integration_latency",
    "integrationStatus": "integration_status",
    "responseLatency": "response_latency",
    "responseLength": "response_length",
    "status": "status",
    "xrayTraceId": "trace_id",
}
"""What an access log may name besides."""

_IDENTITY = (
    "accessKey accountId caller cognitoAuthenticationProvider cognitoAuthenticationType cognitoIdentityId "
    "cognitoIdentityPoolId principalOrgId user userArn vpcId vpceId"
).split()
_CLIENT_CERTIFICATE = "clientCertPem subjectDN issuerDN serialNumber validity.notBefore validity.notAfter".split()
_PHASES = ("authorize", "authenticate", "waf", "authorizer")

ABSENT = frozenset(
    "awsEndpointRequestId wafResponseCode webaclArn tlsVersion cipherSuite customDomain.routingRuleIdMatched".split()
    + [f"{phase}.{name}" for phase in _PHASES for name in ("error", "latency", "status")]
    + [f"identity.clientCert.{name}" for name in _CLIENT_CERTIFICATE]
)
"""Known variables that no request has yet, because the feature that would set them is refused when it is declared."""


_AUTHORIZER = re.compile(r"authorizer\.([A-Za-z0-9_.:-]+)")
_OF_IDENTITY = re.compile(rf"identity\.({'|'.join(_IDENTITY)})")


def call_of(name: str) -> str | None:
    """How an exchange is asked for a variable whose name is not fixed: the source of a call; None: no such variable."""
    if name in ABSENT:
        return None
    for pattern, method in ((_AUTHORIZER, "authorizer_value"), (_OF_IDENTITY, "identity_value")):
        if found := pattern.fullmatch(name):
            return f'{method}("{found[1]}")'
    return None


def getter(name: str, table: Mapping[str, str]) -> Callable[[Any], Any]:
    """A function from an exchange to the variable's value. Raises ValueError for an unknown name."""
    for pattern, method in ((_AUTHORIZER, "authorizer_value"), (_OF_IDENTITY, "identity_value")):
        if name not in ABSENT and (found := pattern.fullmatch(name)):
            return methodcaller(method, found[1])
    if name in table:
        return attrgetter(table[name])
    if name in ABSENT:
        return lambda _exchange: None
    raise ValueError(f"unknown context variable: context.{name}")
