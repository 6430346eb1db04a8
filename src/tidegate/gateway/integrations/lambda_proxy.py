"""AWS_PROXY to Lambda: an event goes in, the function's answer comes back by AWS's rules.

Source: *Set up Lambda proxy integrations in API Gateway*; shared facts, rest-data-plane §12.6, §12.7 and lambda §8.
"""

from __future__ import annotations

from base64 import b64encode

from tidegate.core.errors import Fault, GatewayError
from tidegate.core.message import Pairs, Response
from tidegate.functions.spec import Functions, InvokeError, Invoker, InvokeResult
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.execution_log import Received, Sent
from tidegate.gateway.headers import returned
from tidegate.gateway.responses import MALFORMED_PROXY_STATUS, configuration_error
from tidegate.mapping.lambda_proxy import BadBase64, MalformedResponse, build_event, read_response
from tidegate.plan.nodes import LambdaPlan, LambdaProxyPlan, LambdaStreamPlan

PRINCIPAL = "apigateway.amazonaws.com"


class LambdaProxy:
    def __init__(self, functions: Functions) -> None:
        self._functions = functions

    def outbound(self, exchange: Exchange, plan: LambdaProxyPlan) -> bytes:
        """The event."""
        return build_event(exchange)

    async def send(self, exchange: Exchange, plan: LambdaProxyPlan, outbound: bytes) -> InvokeResult:
        invoker = invoker_of(exchange, plan)
        try:
            return await self._functions.invoke(
                plan.function_arn, outbound, invoker=invoker, trace_header=exchange.trace_id, timeout=plan.timeout
            )
        except TimeoutError:
            raise timed_out(plan.timeout) from None
        except InvokeError as error:
            raise refused(error) from error

    def response(self, exchange: Exchange, plan: LambdaProxyPlan, inbound: InvokeResult) -> Response:
        exchange.integration_status = 200
        if inbound.function_error is not None:
            raise function_error(inbound.payload)
        try:
            result = read_response(inbound.payload, exchange.stage.binary, exchange.request.headers.get(b"accept"))
        except BadBase64 as error:
            raise configuration_error(str(error)) from error
        except MalformedResponse as error:
            raise bad_gateway(
                f"Execution failed due to configuration error: Malformed Lambda proxy response: {error}"
            ) from error
        return Response(result.status, returned(result.headers), result.body)

    def sent(self, exchange: Exchange, plan: LambdaProxyPlan, outbound: bytes) -> Sent:
        return sent_to_function(exchange, plan.function_arn, outbound)

    def received(self, inbound: InvokeResult) -> Received:
        return Received(200, invoked_headers(inbound), inbound.payload)


def invoker_of(
    exchange: Exchange, plan: LambdaProxyPlan | LambdaStreamPlan | LambdaPlan, arn: str | None = None
) -> Invoker | None:
    """In whose name the function's resource policy is asked; None: it does not decide. `arn`: with a qualifier. Raises
    GatewayError when the caller's own policies decide, and do not allow it."""
    may = exchange.caller_may
    if plan.by_caller and not (may and may("lambda:InvokeFunction", arn or plan.function_arn)):
        raise _not_allowed()
    if not plan.by_policy:
        return None
    before, after = plan.source_arn
    return Invoker(PRINCIPAL, f"{before}{exchange.verb}{after}", exchange.stage.account)


def sent_to_function(
    exchange: Exchange, function_arn: str, event: bytes, version: str = "2015-03-31", action: str = "invocations"
) -> Sent:
    region = exchange.stage.region
    uri = f"https://lambda.{region}.amazonaws.com/{version}/functions/{function_arn}/{action}"
    return Sent(uri, [(b"X-Amzn-Trace-Id", exchange.trace_id.encode())], event)


def invoked_headers(inbound: InvokeResult) -> Pairs:
    """What Lambda's Invoke answers beside the payload."""
    headers = [(b"X-Amz-Executed-Version", inbound.executed_version.encode())] if inbound.executed_version else []
    if inbound.log_tail:
        headers.append((b"X-Amz-Log-Result", b64encode(inbound.log_tail)))
    if inbound.function_error is not None:
        headers.append((b"X-Amz-Function-Error", inbound.function_error.encode()))
    return headers


def function_error(payload: bytes) -> GatewayError:
    text = payload[:1024].decode("utf-8", "replace")
    return bad_gateway(f"Lambda execution failed with status 200 due to customer function error: {text}")


def timed_out(seconds: float) -> GatewayError:
    detail = f"the function did not answer within {seconds} s"
    return GatewayError("INTEGRATION_TIMEOUT", Fault.INTEGRATION, detail, started=True)


def bad_gateway(detail: str) -> GatewayError:
    return GatewayError("DEFAULT_5XX", Fault.INTEGRATION, detail, status=MALFORMED_PROXY_STATUS, started=True)


def refused(error: InvokeError) -> GatewayError:
    """What an invocation that the service refuses means for the client."""
    if error.code == "AccessDeniedException":
        return _not_allowed()
    if error.status == 413:
        return GatewayError("REQUEST_TOO_LARGE", Fault.CLIENT, error.message)
    return configuration_error(f"Lambda refused the invocation: {error}")


def _not_allowed() -> GatewayError:
    return configuration_error("Execution failed due to configuration error: Invalid permissions on Lambda function")
