"""Why a request was answered as it was: the last ones are kept, and told when an operator asks for one by its id.

Keeping one costs references to what the exchange holds anyway; policies are gone through statement by statement only when
somebody asks. Bodies are not kept. Not here: who may ask (control).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tidegate.aws.policy import Judgement, StatementTrace
from tidegate.core.errors import GatewayError
from tidegate.gateway.exchange import Exchange

_STOPPED = 1000
_SERVED = 200
"""Fewer, so that what is let go for a new one is still in the processor's cache."""


class Story(NamedTuple):
    """What is kept of one request."""

    request_id: str
    extended_request_id: str
    arrived: float
    api: tuple[str, str]
    verb: str
    path: str
    resource: str | None
    status: int
    kind: str | None
    message: str | None
    detail: str | None
    trace: Sequence[tuple[str, int]]
    judgements: Sequence[Judgement]
    identity: Mapping[str, str | None] | None
    authorizer: Mapping[str, Any] | None
    api_key_id: str | None

    def told(self) -> dict[str, Any]:
        """As JSON."""
        stopped = self.kind is not None
        return {
            "requestId": self.request_id,
            "extendedRequestId": self.extended_request_id,
            "time": datetime.fromtimestamp(self.arrived, UTC).isoformat(timespec="milliseconds"),
            "api": self.api[0],
            "stage": self.api[1],
            "request": f"{self.verb} {self.path}",
            "resource": self.resource,
            "status": self.status,
            "stoppedAt": self.trace[-2][0] if stopped else None,
            "responseType": self.kind,
            "message": self.message,
            "reason": self.detail,
            "caller": self.identity,
            "authorizer": self.authorizer,
            "apiKeyId": self.api_key_id,
            "steps": [
                {"step": step, "microseconds": (after - begun) // 1000}
                for (step, begun), (_, after) in zip(self.trace, self.trace[1:], strict=False)
            ],
            "policies": [_judged(judgement) for judgement in self.judgements],
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that reached no stage."""

    request_id: str
    extended_request_id: str
    error: GatewayError
    status: int

    def told(self) -> dict[str, Any]:
        return {
            "requestId": self.request_id,
            "extendedRequestId": self.extended_request_id,
            "status": self.status,
            "stoppedAt": "address",
            "responseType": self.error.kind,
            "reason": self.error.detail,
            "steps": [],
            "policies": [],
        }


class Stories:
    """Of the last requests. A flood of one kind does not push out the other."""

    def __init__(self) -> None:
        self._stopped: deque[tuple[Any, ...]] = deque(maxlen=_STOPPED)
        self._served: deque[tuple[Any, ...]] = deque(maxlen=_SERVED)
        self._refused: deque[Refusal] = deque(maxlen=_STOPPED)

    def add(self, ex: Exchange) -> None:
        kept = self._served if ex.error_type is None else self._stopped
        # A bare tuple: every request makes one, and few are looked at.
        kept.append(
            (
                ex.request_id, ex.extended_request_id, ex.arrived, ex.stage.key, ex.request.method, ex.path,
                ex.method.resource_path, ex.status, ex.error_type, ex.error_message, ex.failure, ex.trace, ex.judgements,
                ex.identity, ex.authorizer, ex.api_key_id,
            )
        )  # fmt: skip

    def add_refusal(self, refusal: Refusal) -> None:
        self._refused.append(refusal)

    def clear(self) -> None:
        self._stopped.clear()
        self._served.clear()
        self._refused.clear()

    def find(self, request_id: str) -> dict[str, Any] | None:
        """The last one of this id (`x-amzn-RequestId` or `x-amz-apigw-id`); clients may choose the former."""
        for kept in (self._stopped, self._served):
            for story in reversed(kept):
                if request_id in story[:2]:
                    return Story._make(story).told()
        for refusal in reversed(self._refused):
            if request_id in (refusal.request_id, refusal.extended_request_id):
                return refusal.told()
        return None


def _judged(judgement: Judgement) -> dict[str, Any]:
    decision, request = judgement.explained(), judgement.request
    return {
        "action": request.action,
        "resource": request.resource,
        "principal": request.principal.arn or request.principal.type,
        "context": dict(request.context),
        "decision": decision.effect.value,
        "why": decision.why,
        "statements": [_statement(statement) for statement in decision.trace],
    }


def _statement(trace: StatementTrace) -> dict[str, Any]:
    return {
        "policy": trace.policy,
        "statement": trace.index,
        "sid": trace.sid,
        "effect": trace.effect,
        "matched": trace.matched,
        "failed": trace.failed,
        "detail": trace.detail,
    }
