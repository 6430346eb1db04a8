"""AWS_IAM: the request is signed, and the caller's policies and the API's allow it.

Source: *Control access to a REST API with IAM permissions*; shared facts, access §2 and §3. Not here: whose keys there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tidegate.aws.policy import Policies, Principal
from tidegate.aws.sigv4_verify import SignatureError, read_claim, verify
from tidegate.core.errors import Fault, GatewayError
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.guards.access import policy_request, require, rules_of
from tidegate.plan.nodes import IamGuard

_KINDS = {
    "IncompleteSignature": "INCOMPLETE_SIGNATURE",
    "InvalidSignature": "INVALID_SIGNATURE",
    "UnrecognizedClient": "UNRECOGNIZED_CLIENT",
    "ExpiredToken": "EXPIRED_TOKEN",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key signed a request."""

    secret_key: str
    principal: Principal
    caller: str
    """`$context.identity.caller`: the id of the principal, for root users the account."""
    policies: Policies


class Callers(Protocol):
    def find(self, access_key: str, token: str | None) -> Caller | None:
        """None: no such key. Raises SignatureError (ExpiredToken, UnrecognizedClient)."""
        ...


class LocalCallers:
    """Local mode: `test` and every account's number, each with the secret `test`, are the root of their account."""

    def __init__(self, account: str) -> None:
        self._account = account

    def find(self, access_key: str, token: str | None) -> Caller | None:
        if access_key == "test":
            account = self._account
        elif len(access_key) == 12 and access_key.isascii() and access_key.isdigit():
            account = access_key
        else:
            return None
        return Caller("test", Principal.root(account), account, Policies())


class Iam:
    def __init__(self, callers: Callers, now: Callable[[], datetime]) -> None:
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
        asked = policy_request(
            exchange,
            principal,
            aws_PrincipalArn=principal.arn or "",
            aws_PrincipalAccount=principal.account or "",
            aws_PrincipalType=principal.type,
            aws_userid=caller.caller,
        )
        require(exchange, rules_of(exchange).iam(asked, caller.policies), asked)
