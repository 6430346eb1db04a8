"""What guards share: the request as policies see it, and how a denial is answered.

Source: *AWS condition keys that can be used in API Gateway resource policies*; shared facts, access §3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from urllib.parse import unquote

from tidegate.aws.policy import ANONYMOUS, Effect, Judge, Judgement, Principal, Request
from tidegate.aws.policy.api_gateway import INVOKE, ApiRules, authorizer_denial_message, denial_message, method_arn
from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Headers
from tidegate.gateway.exchange import Exchange

_ESCAPED_SLASH = re.compile("%2f", re.IGNORECASE)
_READ_OTHERWISE = re.compile(r"%2[ef]|%3b|%5c|/\.|//|;|\\|/$", re.IGNORECASE)
_LONGEST_ARN = 1600
"""Bytes. *Quotas*: method ARN of a REST API with a Lambda authorizer."""


def arn_of(ex: Exchange) -> str:
    """The method ARN: with the path as it was asked for, decoded, without a custom domain's base path.

    An escaped slash stays escaped, as for the router: `/a%2Fb` is one segment, and no path below `/a`.
    """
    path = ex.path
    if "%2" in path:
        path = _ESCAPED_SLASH.sub("%252F", path)
    return _arn(ex, unquote(path))


def _arn(ex: Exchange, path: str) -> str:
    stage = ex.stage
    arn = method_arn(
        region=stage.region,
        account=stage.account,
        api_id=stage.api_id,
        stage=stage.name,
        method=ex.verb,
        path=path.lstrip("/"),
    )
    # A character is four bytes at most.
    if len(arn) > _LONGEST_ARN // 4 and len(arn.encode()) > _LONGEST_ARN:
        raise GatewayError("REQUEST_URI_TOO_LONG", Fault.CLIENT, "the method ARN is too long")
    return arn


def is_plain(ex: Exchange) -> bool:
    """Whether nobody reads the path in another way than it stands."""
    return _READ_OTHERWISE.search(ex.path) is None


def readings(ex: Exchange, request: Request) -> Iterator[tuple[Request, bool]]:
    """A request by its method ARN, and by those that the router or a backend may take its path for: with escaped slashes
    decoded, without empty segments, the last slash and what follows a semicolon, with backslashes for slashes and its dots
    resolved.

    The flag: whether it has to be allowed so, too; otherwise only what is denied explicitly stays denied. Dots have to:
    nobody needs them, and a backend that resolves them would serve what the policies never saw.
    """
    yield request, True
    if is_plain(ex):
        return
    decoded = unquote(ex.path)
    resolved, dotted = _resolved(decoded)
    for arn, binding in {_arn(ex, decoded): False, _arn(ex, resolved): dotted}.items():
        if arn != request.resource:
            yield Request(request.action, arn, request.principal, request.context), binding


def _resolved(path: str) -> tuple[str, bool]:
    """Without dots, empty segments, the last slash and parameters of segments; and whether there were dots."""
    segments: list[str] = []
    # Some servers take a backslash for a slash.
    given = [segment.partition(";")[0] for segment in path.replace("\\", "/").split("/")]
    for segment in given:
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(segment)
    return "/".join(segments), not {".", ".."}.isdisjoint(given)


def rules_of(ex: Exchange) -> ApiRules:
    return ex.stage.rules or _without_policy(ex.stage.account)


@lru_cache(maxsize=256)
def _without_policy(account: str) -> ApiRules:
    return ApiRules(account, None)


_NOBODY: Mapping[str, str | Sequence[str]] = {}


def policy_request(
    ex: Exchange, principal: Principal = ANONYMOUS, caller: Mapping[str, str | Sequence[str]] = _NOBODY
) -> Request:
    """`caller`: condition keys that tell of the caller."""
    return request_for(ex, INVOKE, arn_of(ex), principal, caller)


def request_for(
    ex: Exchange,
    action: str,
    resource: str,
    principal: Principal = ANONYMOUS,
    caller: Mapping[str, str | Sequence[str]] = _NOBODY,
) -> Request:
    """Whatever somebody may do or not, under the circumstances of this request."""
    request = ex.request
    # Not the exchange itself: a judgement is kept longer than the body of its request.
    context = partial(_context, request.headers, request.scheme, ex.source_ip, ex.arrived, caller)
    return Request(action, resource, principal, context)


def _context(
    headers: Headers, scheme: str, source_ip: str, arrived: float, caller: Mapping[str, str | Sequence[str]]
) -> Mapping[str, str | Sequence[str]]:
    context = {
        **caller,
        "aws:SourceIp": source_ip,
        "aws:SecureTransport": "true" if scheme == "https" else "false",
        "aws:CurrentTime": datetime.fromtimestamp(arrived, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:EpochTime": str(int(arrived)),
    }
    for key, name in (("aws:UserAgent", b"user-agent"), ("aws:Referer", b"referer")):
        value = headers.get(name)
        if value is not None:
            context[key] = value.decode("utf-8", "replace")
    return context


def require(ex: Exchange, request: Request, judge: Judge, *, by_authorizer: bool = False) -> None:
    """Raises GatewayError for a denial. Clients are told what AWS tells them; the reason is for the operator."""
    if is_plain(ex):
        _hold(ex, request, judge, binding=True, by_authorizer=by_authorizer)
        return
    for reading, binding in readings(ex, request):
        _hold(ex, reading, judge, binding=binding, by_authorizer=by_authorizer)


def _hold(ex: Exchange, request: Request, judge: Judge, *, binding: bool, by_authorizer: bool) -> None:
    """`binding`: whether it has to be allowed; otherwise only what is denied explicitly is refused."""
    decision = judge(request)
    ex.judgements += (Judgement(request, judge),)
    if decision.allowed or not (binding or decision.effect is Effect.EXPLICIT_DENY):
        return
    ex.denial = decision.why
    message = authorizer_denial_message(decision, request) if by_authorizer else denial_message(decision, request)
    raise GatewayError("ACCESS_DENIED", Fault.CLIENT, f"{message}: {decision.why}", message=message)


def unauthorized(detail: str, message: str | None = None) -> GatewayError:
    return GatewayError("UNAUTHORIZED", Fault.CLIENT, detail, message=message)
