"""AWS's policy language as pure code: documents are compiled once, requests are decided in microseconds, with the reason.

`document` reads and checks, `compiled` prepares, `decision` combines identity, boundary, session and resource policies,
`api_gateway` holds API Gateway's own rules. Not here: where policies are stored, and who fills the request's context.
Source: *IAM JSON policy reference* (IAM User Guide). Service control policies are left out: there are no organizations.
"""

from tidegate.aws.policy.compiled import CompiledPolicy, StatementTrace, compile_policy
from tidegate.aws.policy.decision import Decision, Effect, Judge, Judgement, Policies, PolicyType, Reason, decide
from tidegate.aws.policy.document import Kind, PolicyError, parse_policy
from tidegate.aws.policy.principals import ANONYMOUS, Principal
from tidegate.aws.policy.request import Request

__all__ = [
    "ANONYMOUS",
    "CompiledPolicy",
    "Decision",
    "Effect",
    "Judge",
    "Judgement",
    "Kind",
    "Policies",
    "PolicyError",
    "PolicyType",
    "Principal",
    "Reason",
    "Request",
    "StatementTrace",
    "compile_policy",
    "decide",
    "parse_policy",
]
