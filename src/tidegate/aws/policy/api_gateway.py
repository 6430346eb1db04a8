"""API Gateway's own rules about policies: short resources, method ARNs, who has to allow what, and how a denial reads.

Sources: *How API Gateway resource policies affect authorization workflow*; *Control access to a REST API with API Gateway
resource policies*; *Output from an Amazon API Gateway Lambda authorizer*; shared facts, access §3 and §4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.aws.policy.compiled import CompiledPolicy, compile_policy
from tidegate.aws.policy.decision import Decision, Effect, Policies, PolicyType, Reason, decide
from tidegate.aws.policy.document import Kind, read_json
from tidegate.aws.policy.request import Request
from tidegate.core.arns import execute_api_arn

INVOKE = "execute-api:Invoke"
_SHORT = "execute-api:/"


def method_arn(*, region: str, account: str, api_id: str, stage: str, method: str, path: str) -> str:
    """`path`: as it was asked for, not the template. The root's ARN ends in a slash."""
    return execute_api_arn(region, account, api_id, f"{stage}/{method}/{path.removeprefix('/')}")


def expanded(document: Mapping[str, Any], *, region: str, account: str, api_id: str) -> dict[str, Any]:
    """`execute-api:/{stage}/{VERB}/{path}` means this API's ARN."""

    def full(resource: Any) -> Any:
        if isinstance(resource, list):
            return [full(one) for one in resource]
        if isinstance(resource, str) and resource.startswith(_SHORT):
            return execute_api_arn(region, account, api_id, resource.removeprefix(_SHORT))
        return resource

    def statement(given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {name: full(value) if name in ("Resource", "NotResource") else value for name, value in given.items()}

    statements = document.get("Statement")
    if isinstance(statements, list):
        return {**document, "Statement": [statement(one) for one in statements]}
    return {**document, "Statement": statement(statements)}


def compile_resource_policy(
    document: str | Mapping[str, Any], *, region: str, account: str, api_id: str
) -> CompiledPolicy:
    """Raises PolicyError."""
    read = read_json(document) if isinstance(document, str) else document
    if isinstance(read, Mapping):
        read = expanded(read, region=region, account=account, api_id=api_id)
    return compile_policy(read, source_name=f"of API {api_id}", kind=Kind.RESOURCE)


def compile_authorizer_policy(document: str | Mapping[str, Any], *, source_name: str) -> CompiledPolicy:
    """What a Lambda authorizer answered. Raises PolicyError, which is the authorizer's fault and not the caller's."""
    return compile_policy(document, source_name=source_name, kind=Kind.AUTHORIZER)


@dataclass(frozen=True, slots=True)
class ApiRules:
    """Who may invoke the methods of one API. Requests of unsigned callers carry the principal ANONYMOUS."""

    account: str
    policy: CompiledPolicy | None
    private: bool = False

    def open(self, request: Request, *, trace: bool = False) -> Decision:
        """Authorization NONE: the policy alone, which has to allow."""
        if self.policy is None:
            return self._without_policy(request)
        return self._alone(request, trace=trace)

    def cognito(self, request: Request, *, trace: bool = False) -> Decision:
        """After the token was verified. AWS: the policy is then evaluated alone and has to allow."""
        return self.open(request, trace=trace)

    def before_authorizer(self, request: Request, *, trace: bool = False) -> Decision | None:
        """CUSTOM, phase 1: a denial, before the function is called; None when it may be called."""
        if self.policy is None:
            decision = self._without_policy(request)
            return None if decision.allowed else decision
        decision = self._alone(request, trace=trace)
        return decision if decision.effect is Effect.EXPLICIT_DENY else None

    def after_authorizer(self, request: Request, answered: CompiledPolicy, *, trace: bool = False) -> Decision:
        """CUSTOM, phase 2: Table A, the function's policy being the identity's."""
        return self._together(request, Policies(identity=(answered,)), trace=trace)

    def iam(self, request: Request, policies: Policies, *, trace: bool = False) -> Decision:
        """AWS_IAM, after the signature was verified. `policies`: the caller's own; Table A or B by the caller's account."""
        return self._together(request, policies, trace=trace)

    def _alone(self, request: Request, *, trace: bool) -> Decision:
        policies = Policies(resource=self.policy, resource_account=self.account, resource_must_allow=True)
        return decide(request, policies, trace=trace)

    def _together(self, request: Request, policies: Policies, *, trace: bool) -> Decision:
        if self.policy is None:
            if self.private:
                return self._without_policy(request)
            if request.principal.account == self.account:
                return decide(request, policies, trace=trace)
        together = Policies(policies.identity, policies.boundary, policies.session, self.policy, self.account)
        return decide(request, together, trace=trace)

    def _without_policy(self, request: Request) -> Decision:
        """AWS: a private API without a policy answers nobody."""
        if self.private:
            return Decision(Effect.IMPLICIT_DENY, Reason.NOT_ALLOWED, request.action, PolicyType.RESOURCE)
        return Decision(Effect.ALLOW, Reason.NO_POLICY, request.action)


def denial_message(decision: Decision, request: Request) -> str:
    """By resource policies, and of signed callers. The account is shown in part."""
    who = request.principal.arn or "anonymous"
    resource = _masked(request.resource)
    return f"User: {who} is not authorized to perform: {request.action} on resource: {resource}{decision.suffix}"


def authorizer_denial_message(decision: Decision, request: Request) -> str:
    """Of methods with a Lambda authorizer; what the API's own policy denies reads as everywhere."""
    if decision.policy_type is PolicyType.RESOURCE:
        return denial_message(decision, request)
    return f"User is not authorized to access this resource{decision.suffix}"


def _masked(arn: str) -> str:
    parts = arn.split(":", 5)
    return ":".join((*parts[:4], f"********{parts[4][-4:]}", *parts[5:])) if len(parts) == 6 else arn
