"""AWS_IAM: the request is signed, and the caller's policies and the API's allow it.

Source: *Control access to a REST API with IAM permissions*; shared facts, access §2 and §3. Not here: whose keys there are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Protocol

from tidegate.aws.policy import decide
from tidegate.aws.sigv4 import Credentials
from tidegate.aws.sigv4_verify import SignatureError, read_claim, verify
from tidegate.core.errors import Fault, GatewayError
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.guards.access import policy_request, request_for, require, rules_of
from tidegate.plan.nodes import IamGuard
from tidegate.state.callers import Caller

_KINDS = {
    "IncompleteSignature": "INCOMPLETE_SIGNATURE",
    "InvalidSignature": "INVALID_SIGNATURE",
    "UnrecognizedClient": "UNRECOGNIZED_CLIENT",
    "ExpiredToken": "EXPIRED_TOKEN",
}


class CallerSource(Protocol):
    def find(self, access_key: str, token: str | None) -> Caller | None:
        """None: no such key. Raises SignatureError (ExpiredToken, UnrecognizedClient)."""
        ...

    def used(self, access_key: str, service: str, region: str) -> None:
        """A request was proved to be of this key."""
        ...


class Iam:
    def __init__(self, callers: CallerSource, now: Callable[[], datetime]) -> None:
        self._callers = callers
        self._now = now

    async def authorize(self, exchange: Exchange, plan: IamGuard) -> None:
        request = exchange.request
        try:
            claim = read_claim(request, service="execute-api", region=exchange.stage.region, now=self._now())
            if claim is None:
                raise GatewayError("MISSING_AUTHENTICATION_TOKEN", Fault.CLIENT, "the request is not signed")
            caller = self._callers.find(claim.access_key, claim.token)
            if caller is None:
                raise SignatureError("UnrecognizedClient", "The security token included in the request is invalid.")
            verify(claim, request, caller.secret_key)
            self._callers.used(claim.access_key, claim.scope.service, claim.scope.region)
        except SignatureError as error:
            raise GatewayError(_KINDS[error.code], Fault.CLIENT, str(error), message=error.message) from error
        principal = caller.principal
        exchange.identity = {
            "accessKey": claim.access_key,
            "accountId": principal.account,
            "caller": caller.caller,
            "user": caller.caller,
            "userArn": principal.arn,
        }
        asked = policy_request(exchange, principal, caller.context)
        require(exchange, asked, partial(rules_of(exchange).iam, policies=caller.policies))
        exchange.signer = Credentials(claim.access_key, caller.secret_key, claim.token)
        exchange.caller_may = partial(_may, exchange, caller)


def _may(exchange: Exchange, caller: Caller, action: str, resource: str) -> bool:
    """Whether the caller of a method may do something else, by its own policies."""
    asked = request_for(exchange, action, resource, caller.principal, caller.context)
    return decide(asked, caller.policies).allowed
