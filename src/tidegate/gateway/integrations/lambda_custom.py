"""AWS with a Lambda function: the transformed body is the event; the result goes through an integration response.

Source: *Set up Lambda custom integrations in API Gateway*, *Handle Lambda errors in API Gateway*; shared facts, rest-data-plane
§12.5 and §15.
"""

from __future__ import annotations

import asyncio

import orjson

from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Headers, Response
from tidegate.functions.spec import Events, Functions, InvokeError, Invoker, InvokeResult
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.execution_log import Received, Sent
from tidegate.gateway.integrations.lambda_proxy import PRINCIPAL, invoked_headers, refused, sent_to_function
from tidegate.gateway.outbound import Inbound
from tidegate.gateway.responses import configuration_error
from tidegate.gateway.transform import outbound_body, respond
from tidegate.plan.nodes import LambdaPlan


class LambdaCustom:
    def __init__(self, functions: Functions, events: Events) -> None:
        self._functions = functions
        self._events = events

    def outbound(self, exchange: Exchange, plan: LambdaPlan) -> bytes:
        return outbound_body(exchange, plan.request) or b"{}"

    async def send(self, exchange: Exchange, plan: LambdaPlan, outbound: bytes) -> InvokeResult:
        invoker = None
        if plan.by_policy:
            before, after = plan.source_arn
            invoker = Invoker(PRINCIPAL, f"{before}{exchange.verb}{after}", exchange.stage.account)
        kind = "RequestResponse" if plan.invocation_type is None else plan.invocation_type(exchange)
        for name, value in exchange.overrides.header.items():
            if name.lower() == "x-amz-invocation-type":
                kind = value
        try:
            orjson.loads(outbound)
        except orjson.JSONDecodeError as error:
            # AWS: Lambda refuses it with 400 InvalidRequestContentException, which the integration responses see.
            raise configuration_error(f"Could not parse request body into json: {error}") from None
        try:
            if kind == "Event":
                arn = plan.function_arn
                await self._events.submit(arn, outbound, invoker=invoker, trace_header=exchange.trace_id)
                return InvokeResult(b"", None, "$LATEST", exchange.request_id)
            async with asyncio.timeout(plan.timeout):
                return await self._functions.invoke(
                    plan.function_arn, outbound, invoker=invoker, trace_header=exchange.trace_id
                )
        except TimeoutError:
            detail = f"the function did not answer within {plan.timeout} s"
            raise GatewayError("INTEGRATION_TIMEOUT", Fault.INTEGRATION, detail, started=True) from None
        except InvokeError as error:
            raise refused(error) from error

    def response(self, exchange: Exchange, plan: LambdaPlan, inbound: InvokeResult) -> Response:
        exchange.integration_status = 200
        candidate = None
        if inbound.function_error is not None:
            candidate = _error_message(inbound.payload)
        return respond(
            exchange, plan.answer, candidate, Inbound(200, Headers.of(invoked_headers(inbound)), inbound.payload)
        )

    def sent(self, exchange: Exchange, plan: LambdaPlan, outbound: bytes) -> Sent:
        return sent_to_function(exchange, plan.function_arn, outbound)

    def received(self, inbound: InvokeResult) -> Received:
        return Received(200, invoked_headers(inbound), inbound.payload)


def _error_message(payload: bytes) -> str:
    """What selection patterns are held against. AWS: only a failed function has one; success is always the default's."""
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload.decode("utf-8", "replace")
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return message if isinstance(message, str) else ""
