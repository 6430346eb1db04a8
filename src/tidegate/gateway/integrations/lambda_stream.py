"""AWS_PROXY to Lambda with STREAM: the function's answer begins with status and headers, and its body goes on as it comes.

Source: *Set up a Lambda proxy integration with payload response streaming in API Gateway*; shared facts, rest-data-plane §18.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tidegate.core.message import Pairs, Response
from tidegate.functions.prelude import Prelude, PreludeError, PreludeParser
from tidegate.functions.spec import Functions, InvokeError, StreamedResult
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.execution_log import Received, Sent
from tidegate.gateway.headers import returned
from tidegate.gateway.integrations.lambda_proxy import (
    bad_gateway,
    function_error,
    invoker_of,
    refused,
    sent_to_function,
    timed_out,
)
from tidegate.gateway.streaming import StreamedBody, function_body
from tidegate.mapping.lambda_proxy import MalformedResponse, build_event, header_pair
from tidegate.plan.nodes import LambdaStreamPlan


@dataclass(frozen=True, slots=True)
class Begun:
    """A stream whose status and headers have come."""

    status: int
    headers: Pairs
    body: StreamedBody
    executed_version: str


class LambdaStream:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def outbound(self, exchange: Exchange, plan: LambdaStreamPlan) -> bytes:
        """The event, the same as without streaming."""
        return build_event(exchange)

    async def send(self, exchange: Exchange, plan: LambdaStreamPlan, outbound: bytes) -> Begun:
        patience = self._functions.patience(plan.function_arn, plan.timeout)
        deadline = asyncio.get_running_loop().time() + patience
        try:
            async with asyncio.timeout_at(deadline):
                stream = await self._functions.invoke_stream(
                    plan.function_arn, outbound, invoker=invoker_of(exchange, plan), trace_header=exchange.trace_id
                )
                return await _begin(stream, deadline, plan.idle)
        except TimeoutError:
            raise timed_out(plan.timeout) from None
        except InvokeError as error:
            raise refused(error) from error

    def response(self, exchange: Exchange, plan: LambdaStreamPlan, inbound: Begun) -> Response:
        exchange.integration_status = 200
        exchange.transfer_mode = "STREAMED"
        return Response(inbound.status, returned(inbound.headers), inbound.body)

    def sent(self, exchange: Exchange, plan: LambdaStreamPlan, outbound: bytes) -> Sent:
        return sent_to_function(exchange, plan.function_arn, outbound, "2021-11-15", "response-streaming-invocations")

    def received(self, inbound: Begun) -> Received:
        return Received(200, [(b"X-Amz-Executed-Version", inbound.executed_version.encode())], b"")


async def _begin(stream: StreamedResult, deadline: float, idle: float) -> Begun:
    """Reads up to the end of the prelude. AWS: a result without one is malformed, and so is one that was not streamed."""
    chunks, begun = aiter(stream), False
    try:
        prelude, rest = await _prelude(chunks, stream)
        headers = [header_pair(name, value) for name, value in prelude.headers]
        headers += [header_pair("Set-Cookie", cookie) for cookie in prelude.cookies]
        begun = True
    except (PreludeError, MalformedResponse) as error:
        raise bad_gateway(
            f"Execution failed due to configuration error: Malformed Lambda streaming response: {error}"
        ) from error
    finally:
        if not begun:
            stream.close()
    body = function_body(chunks, stream, rest, deadline=deadline, idle=idle)
    return Begun(prelude.status, headers, body, stream.executed_version)


async def _prelude(chunks: AsyncIterator[bytes], stream: StreamedResult) -> tuple[Prelude, bytes]:
    """With what of the body has come already. Raises PreludeError, GatewayError."""
    parser, rest = PreludeParser(), b""
    async for chunk in chunks:
        rest = parser.feed(chunk)
        if parser.prelude is not None:
            return parser.prelude, rest
    if stream.error is not None:
        raise function_error(stream.error)
    return parser.end(), rest
