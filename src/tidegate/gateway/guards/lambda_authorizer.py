"""CUSTOM: a Lambda function says who the caller is and what it may do; its answer is kept for all methods of the stage.

Source: *Use API Gateway Lambda authorizers*; shared facts, access §4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from tidegate.aws.policy import CompiledPolicy, Judge, Judgement, PolicyError
from tidegate.aws.policy.api_gateway import INVOKE, compile_authorizer_policy
from tidegate.core.errors import Fault, GatewayError
from tidegate.functions.spec import Functions, InvokeError, Invoker, InvokeResult
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.guards.access import (
    arn_of,
    is_plain,
    policy_request,
    request_for,
    require,
    rules_of,
    unauthorized,
)
from tidegate.mapping.lambda_authorizer import (
    BadAuthorizerAnswer,
    read_answer,
    request_event,
    token_event,
)
from tidegate.plan.nodes import LambdaGuard
from tidegate.state.answers import AnswerCache
from tidegate.vtl import JavaPattern, PatternError

_TIMEOUT = 29.0
_UNAUTHORIZED = "Unauthorized"
_KNOWN_PATHS = 64
_LONGEST_KNOWN = 256
"""Of one answer: paths whose admission is kept, and characters of one; paths are the caller's."""


@dataclass(frozen=True, slots=True)
class _Answer:
    policy: CompiledPolicy
    shown: dict[str, Any]
    """`requestContext.authorizer` of events. Shared by the requests with this answer: never changed."""
    usage_key: bytes | None
    size: int
    """Bytes."""
    admitted: dict[tuple[str, str], tuple[str, Judge]] = field(default_factory=dict)
    """Verb and path to the method ARN that is allowed and what allows it, where nothing else has a say."""


class LambdaAuthorizer:
    def __init__(self, functions: Functions, now: Callable[[], float], ticks_ns: Callable[[], int]) -> None:
        self._functions = functions
        self._now = now
        self._ticks_ns = ticks_ns
        self.answers: AnswerCache[_Answer] = AnswerCache(now, lambda answer: answer.size)

    async def authorize(self, exchange: Exchange, plan: LambdaGuard) -> None:
        values = tuple([source(exchange) for source in plan.identity])
        # AWS (CreateAuthorizer): whether answers are kept or not, each source that is named has to be there, not empty.
        for given in values:
            if not given or "" in given:
                raise unauthorized("an identity source of the authorizer is missing")
        token = _token(plan, values) if plan.kind == "TOKEN" else None
        if plan.ttl > 0:
            key = (exchange.stage.key, plan.kept_as, *values)
            answer = await self.answers.get(key, lambda: self._ask(exchange, plan, token))
        else:
            answer = (await self._ask(exchange, plan, token))[1]
        self._admit(exchange, answer)

    @staticmethod
    def _admit(ex: Exchange, answer: _Answer) -> None:
        """AWS: a kept policy is evaluated anew for every method that it is used for."""
        ex.authorizer = answer.shown
        ex.usage_key = answer.usage_key
        place, alone = (ex.verb, ex.path), ex.stage.rules is None
        known = answer.admitted.get(place) if alone else None
        if known is not None:
            arn, judge = known
            ex.judgements += (Judgement(request_for(ex, INVOKE, arn), judge),)
            return
        request = policy_request(ex)
        judge = partial(rules_of(ex).after_authorizer, answered=answer.policy)
        require(ex, request, judge, by_authorizer=True)
        lasting = alone and answer.policy.unconditional and is_plain(ex)
        if lasting and len(ex.path) <= _LONGEST_KNOWN and len(answer.admitted) < _KNOWN_PATHS:
            answer.admitted[place] = (request.resource, judge)

    async def _ask(self, ex: Exchange, plan: LambdaGuard, token: str | None) -> tuple[float, _Answer]:
        """`token`: None for REQUEST authorizers."""
        arn = arn_of(ex)
        event = request_event(ex, arn) if token is None else token_event(token, arn)
        begun = self._ticks_ns()
        invoked = await self._invoke(ex, plan, event)
        if invoked.function_error is not None:
            if _error_message(invoked.payload) == _UNAUTHORIZED:
                raise unauthorized("the authorizer said so")
            raise _failed(f"the authorizer failed: {invoked.payload[:512].decode('utf-8', 'replace')}")
        try:
            given = read_answer(invoked.payload)
            policy = compile_authorizer_policy(given.policy_document, source_name=f"of authorizer {plan.id}")
        except (BadAuthorizerAnswer, PolicyError) as error:
            raise _failed(str(error)) from error
        latency = (self._ticks_ns() - begun) // 1_000_000
        shown = {**given.context, "principalId": given.principal_id, "integrationLatency": latency}
        key = given.usage_identifier_key
        return self._now() + plan.ttl, _Answer(policy, shown, key.encode() if key else None, len(invoked.payload))

    async def _invoke(self, ex: Exchange, plan: LambdaGuard, event: bytes) -> InvokeResult:
        invoker = None
        if plan.by_policy:
            invoker = Invoker("apigateway.amazonaws.com", plan.source_arn, ex.stage.account)
        try:
            return await self._functions.invoke(
                plan.function_arn, event, invoker=invoker, trace_header=ex.trace_id, timeout=_TIMEOUT
            )
        except TimeoutError:
            raise _failed("the authorizer did not answer in time") from None
        except InvokeError as error:
            raise _failed(f"Execution failed due to configuration error: Authorizer error: {error}") from error


def _token(plan: LambdaGuard, values: tuple[tuple[str, ...], ...]) -> str:
    """Raises GatewayError."""
    tokens = values[0] if values else ()
    if len(tokens) != 1:
        # Of two tokens the function would see one and the backend another.
        raise unauthorized("one token is needed")
    if plan.pattern is not None and not _matches(plan.pattern, tokens[0]):
        raise unauthorized("the token does not match the authorizer's expression")
    return tokens[0]


def _matches(pattern: JavaPattern, token: str) -> bool:
    try:
        return pattern.matches(token)
    except PatternError:
        # A pattern that takes too long on a token does not match it.
        return False


def _error_message(payload: bytes) -> str | None:
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return None
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return message if isinstance(message, str) else None


def _failed(detail: str) -> GatewayError:
    return GatewayError("AUTHORIZER_CONFIGURATION_ERROR", Fault.CONFIGURATION, detail)
