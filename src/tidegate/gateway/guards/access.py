"""What guards share: the request as policies see it, and how a denial is answered.

Source: *AWS condition keys that can be used in API Gateway resource policies*; shared facts, access §3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tidegate.aws.policy import ANONYMOUS, Judge, Judgement, Principal, Request
from tidegate.aws.policy.api_gateway import INVOKE, ApiRules, authorizer_denial_message, denial_message, method_arn
from tidegate.core.errors import Fault, GatewayError
from tidegate.gateway.exchange import Exchange

_LONGEST_ARN = 1600
"""Bytes. *Quotas*: method ARN of a REST API with a Lambda authorizer."""


def arn_of(ex: Exchange) -> str:
    """The method ARN: with the path as it was asked for."""
    stage = ex.stage
    arn = method_arn(
        region=stage.region,
        account=stage.account,
        api_id=stage.api_id,
        stage=stage.name,
        method=ex.verb,
        path=ex.event_path,
    )
    if len(arn.encode()) > _LONGEST_ARN:
        raise GatewayError("REQUEST_URI_TOO_LONG", Fault.CLIENT, "the method ARN is too long")
    return arn


def rules_of(ex: Exchange) -> ApiRules:
    return ex.stage.rules or ApiRules(ex.stage.account, None)


_NOBODY: Mapping[str, str | Sequence[str]] = {}


def policy_request(
    ex: Exchange, principal: Principal = ANONYMOUS, caller: Mapping[str, str | Sequence[str]] = _NOBODY
) -> Request:
    """`caller`: condition keys that tell of the caller."""
    headers = ex.request.headers
    context = {
        **caller,
        "aws:SourceIp": ex.source_ip,
        "aws:SecureTransport": "true" if ex.request.scheme == "https" else "false",
        "aws:CurrentTime": datetime.fromtimestamp(ex.arrived, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(ex.arrived)),
    }
    for key, name in (("aws:UserAgent", b"user-agent"), ("aws:Referer", b"referer")):
        value = headers.get(name)
        if value is not None:
            context[key] = value.decode("utf-8", "replace")
    return Request(INVOKE, arn_of(ex), principal, context)


def require(ex: Exchange, request: Request, judge: Judge, *, by_authorizer: bool = False) -> None:
    """Raises GatewayError for a denial. Clients are told what AWS tells them; the reason is for the operator."""
    decision = judge(request)
    ex.judgements += (Judgement(request, judge),)
    if decision.allowed:
        return
    ex.denial = decision.why
    message = authorizer_denial_message(decision, request) if by_authorizer else denial_message(decision, request)
    raise GatewayError("ACCESS_DENIED", Fault.CLIENT, f"{message}: {decision.why}", message=message)


def unauthorized(detail: str, message: str | None = None) -> GatewayError:
    return GatewayError("UNAUTHORIZED", Fault.CLIENT, detail, message=message)
