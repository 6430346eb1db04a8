"""AWS with a Lambda function: the transformed body is the event; the result goes through an integration response.

Source: *Set up Lambda custom integrations in API Gateway*, *Set up asynchronous invocation of the backend Lambda function*,
*Handle Lambda errors in API Gateway*; shared facts, rest-data-plane §12.5 and §15.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass

import orjson

from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Headers, Response
from tidegate.functions.spec import Events, Functions, InvokeError, InvokeResult
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.execution_log import Received, Sent
from tidegate.gateway.integrations.lambda_proxy import invoked_headers, invoker_of, refused, sent_to_function
from tidegate.gateway.outbound import Inbound
from tidegate.gateway.responses import configuration_error
from tidegate.gateway.transform import outbound_body, respond
from tidegate.plan.nodes import LambdaPlan

_KEPT = InvokeResult(b"", None, "", "")
"""What Lambda answers when it keeps an event: neither a result nor the version that will run."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of Lambda's Invoke."""

    function_arn: str
    payload: bytes
    asynchronous: bool
    client_context: bytes | None
    tail: bool


class LambdaCustom:
    def __init__(self, functions: Functions, events: Events) -> None:
        self._functions = functions
        self._events = events

    def outbound(self, exchange: Exchange, plan: LambdaPlan) -> Invocation:
        payload = outbound_body(exchange, plan.request) or b"{}"
        try:
            orjson.loads(payload)
        except orjson.JSONDecodeError as error:
            # AWS: Lambda refuses the event, and the client is told why.
            text = f"Could not parse request body into json: {error}"
            raise GatewayError("BAD_REQUEST_BODY", Fault.CLIENT, text, message=text, started=True) from None
        headers = _headers(exchange, plan)
        kind = headers.get("x-amz-invocation-type") or "RequestResponse"
        if kind not in ("Event", "RequestResponse"):
            raise configuration_error(f"Tidegate does not support the invocation type {kind}")
        qualifier = exchange.overrides.querystring.get("Qualifier") or (plan.qualifier and plan.qualifier(exchange))
        return Invocation(
            f"{plan.function_arn}:{qualifier}" if qualifier else plan.function_arn,
            payload,
            kind == "Event",
            _client_context(headers.get("x-amz-client-context")),
            headers.get("x-amz-log-type") == "Tail",
        )

    async def send(self, exchange: Exchange, plan: LambdaPlan, outbound: Invocation) -> InvokeResult:
        invoker = invoker_of(exchange, plan, outbound.function_arn)
        try:
            async with asyncio.timeout(self._functions.patience(outbound.function_arn, plan.timeout)):
                if outbound.asynchronous:
                    await self._events.submit(
                        outbound.function_arn,
                        outbound.payload,
                        invoker=invoker,
                        trace_header=exchange.trace_id,
                        client_context=outbound.client_context,
                    )
                    return _KEPT
                return await self._functions.invoke(
                    outbound.function_arn,
                    outbound.payload,
                    invoker=invoker,
                    trace_header=exchange.trace_id,
                    client_context=outbound.client_context,
                    tail=outbound.tail,
                )
        except TimeoutError:
            detail = f"the function did not answer within {plan.timeout} s"
            raise GatewayError("INTEGRATION_TIMEOUT", Fault.INTEGRATION, detail, started=True) from None
        except InvokeError as error:
            raise refused(error) from error

    def response(self, exchange: Exchange, plan: LambdaPlan, inbound: InvokeResult) -> Response:
        exchange.integration_status = status = _status(inbound)
        candidate = None if inbound.function_error is None else _error_message(inbound.payload)
        headers = Headers.of(invoked_headers(inbound))
        return respond(exchange, plan.answer, candidate, Inbound(status, headers, inbound.payload))

    def sent(self, exchange: Exchange, plan: LambdaPlan, outbound: Invocation) -> Sent:
        return sent_to_function(exchange, outbound.function_arn, outbound.payload)

    def received(self, inbound: InvokeResult) -> Received:
        return Received(_status(inbound), invoked_headers(inbound), inbound.payload)


def _status(inbound: InvokeResult) -> int:
    return 202 if inbound is _KEPT else 200


def _headers(exchange: Exchange, plan: LambdaPlan) -> dict[str, str]:
    """Those of Invoke's that are mapped, or overridden by the template, by their lower-case names."""
    headers = {name: value for name, source in plan.headers if (value := source(exchange)) is not None}
    return headers | {name.lower(): value for name, value in exchange.overrides.header.items()}


def _client_context(text: str | None) -> bytes | None:
    if not text:
        return None
    try:
        decoded = base64.b64decode(text, validate=True)
        orjson.loads(decoded)
    except (binascii.Error, ValueError):
        raise configuration_error("Client context must be a valid Base64-encoded JSON object.") from None
    return decoded


def _error_message(payload: bytes) -> str:
    """What selection patterns are held against. AWS: only a failed function has one; success is always the default's."""
    try:
        document = orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload.decode("utf-8", "replace")
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return message if isinstance(message, str) else ""
