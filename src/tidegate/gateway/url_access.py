"""Function URLs with the authorization AWS_IAM: requests are signed, and policies allow both actions that a URL needs.

Source: *Control access to Lambda function URLs*, *Using AWS_IAM authorization*. Not here: whose keys there are (state.callers).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tidegate.aws.policy import Policies, Request, decide
from tidegate.aws.sigv4_verify import SignatureError, read_claim, verify
from tidegate.core.message import Request as HttpRequest
from tidegate.gateway.guards.iam import CallerSource
from tidegate.plan.urls import UrlPlan, UrlRules
from tidegate.state.callers import Caller

# AWS: since October 2025 a function URL needs both.
_ACTIONS = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")


class NotAdmitted(Exception):
    """`message`: what the client is told, None for AWS's text for whoever may not call; the text is for the log."""

    def __init__(self, why: str, message: str | None = None) -> None:
        super().__init__(why)
        self.message = message


class UrlAccess:
    def __init__(self, callers: CallerSource, now: Callable[[], datetime]) -> None:
        self._callers = callers
        self._now = now

    def admit(self, plan: UrlPlan, rules: UrlRules, request: HttpRequest) -> dict[str, Any]:
        """`requestContext.authorizer` of the event. Raises NotAdmitted."""
        try:
            claim = read_claim(request, service="lambda", region=plan.region, now=self._now())
            if claim is None:
                raise NotAdmitted("the request is not signed")
            caller = self._callers.find(claim.access_key, claim.token)
            if caller is None:
                raise SignatureError("UnrecognizedClient", "The security token included in the request is invalid.")
            verify(claim, request, caller.secret_key)
            self._callers.used(claim.access_key, claim.scope.service, claim.scope.region)
        except SignatureError as error:
            raise NotAdmitted(str(error), error.message) from error
        for action in _ACTIONS:
            _require(plan, rules, caller, action, _context(request, caller))
        return {"iam": _identity(claim.access_key, caller)}


def _require(plan: UrlPlan, rules: UrlRules, caller: Caller, action: str, context: Mapping[str, Any]) -> None:
    own = caller.policies
    together = Policies(own.identity, own.boundary, own.session, rules.policy, rules.account)
    decision = decide(Request(action, plan.function_arn, caller.principal, context), together)
    if not decision.allowed:
        raise NotAdmitted(decision.why)


def _context(request: HttpRequest, caller: Caller) -> dict[str, Any]:
    return {
        **caller.context,
        "aws:SourceIp": request.peer,
        "aws:SecureTransport": "true" if request.scheme == "https" else "false",
        "lambda:FunctionUrlAuthType": "AWS_IAM",
        "lambda:InvokedViaFunctionUrl": "true",
    }


def _identity(access_key: str, caller: Caller) -> dict[str, Any]:
    return {
        "accessKey": access_key,
        "accountId": caller.account,
        "callerId": caller.caller,
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": caller.principal.arn,
        "userId": caller.caller,
    }
