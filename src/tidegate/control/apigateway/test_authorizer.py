"""TestInvokeAuthorizer: a Lambda authorizer called as for a request, with the log of what happened.

Source: *TestInvokeAuthorizer*; shared facts, access §4 and rest-control-plane §14.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tidegate.aws.model import Params
from tidegate.aws.policy import PolicyError
from tidegate.aws.policy.api_gateway import compile_authorizer_policy
from tidegate.control.apigateway.lookup import get_api, get_resource, not_found
from tidegate.control.apigateway.test_method import SOURCE_IP, render_log
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.core.arns import execute_api_arn
from tidegate.core.clock import Clock
from tidegate.definition.records import Authorizer
from tidegate.functions.spec import Functions, InvokeError, Invoker
from tidegate.mapping.lambda_authorizer import BadAuthorizerAnswer, read_answer, token_event
from tidegate.vtl import PatternError, compile_java

_STAGE = "ESTestInvoke-stage"
"""AWS: the stage in the method ARN of a test."""
_TIMEOUT = 29.0
_FUNCTION = re.compile(r":lambda:path/2015-03-31/functions/(arn:[^/]+)/invocations$")
_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")


@dataclass(frozen=True, slots=True)
class AuthorizerCall:
    """What is to be run."""

    authorizer: Authorizer
    account: str
    function_arn: str
    source_arn: str
    identity: str | None
    """The token or the identity sources' values; None: one of them is missing, so that no function is called."""
    event: bytes
    request_id: str


@dataclass(slots=True)
class _Log:
    clock: Clock
    lines: list[_Line] = field(default_factory=list)

    def add(self, text: str) -> None:
        self.lines.append(_Line(self.clock.time(), text))


@dataclass(frozen=True, slots=True)
class _Line:
    at: float
    text: str


def prepare(context: Context, params: Params) -> AuthorizerCall:
    """Runs in the management thread. Raises ControlError."""
    api = get_api(context, params["rest_api_id"])
    authorizer = context.tx.get(Authorizer, api.id, params["authorizer_id"])
    if authorizer is None:
        raise not_found("Invalid Authorizer identifier specified")
    if authorizer.type not in ("TOKEN", "REQUEST"):
        raise bad_request(f"Tidegate does not support testing authorizers of type {authorizer.type} yet")
    variables = params.get("stage_variables") or {}
    uri = _VARIABLE.sub(lambda found: variables.get(found[1], ""), authorizer.authorizer_uri or "")
    function = _FUNCTION.search(uri)
    if function is None:
        raise bad_request(f"Invalid Authorizer URI: {uri}")
    region, account = context.scope.region, context.scope.account
    path = "/" + (params.get("path_with_query_string") or "/").lstrip("/")
    headers = _headers(params)
    root = get_resource(context, api.id, api.root_resource_id)
    identity = _identity(authorizer, params, headers, path)
    method_arn = execute_api_arn(region, account, api.id, f"{_STAGE}/GET{path.partition('?')[0]}")
    request_id = context.ids.request_id()
    if authorizer.type == "TOKEN":
        event = token_event(identity or "", method_arn)
    else:
        event = _request_event(context, params, headers, path, method_arn, api.id, root.id, request_id)
    return AuthorizerCall(
        authorizer=authorizer,
        account=account,
        function_arn=function[1],
        source_arn=execute_api_arn(region, account, api.id, f"authorizers/{authorizer.id}"),
        identity=identity,
        event=event,
        request_id=request_id,
    )


def _headers(params: Params) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {
        name: list(values) for name, values in (params.get("multi_value_headers") or {}).items()
    }
    for name, value in (params.get("headers") or {}).items():
        headers.setdefault(name, [value])
    return headers


def _identity(authorizer: Authorizer, params: Params, headers: dict[str, list[str]], path: str) -> str | None:
    """The values of all identity sources, joined; None when one is missing."""
    by_name = {name.lower(): values[-1] for name, values in headers.items() if values}
    arguments = dict(parse_qsl(path.partition("?")[2], keep_blank_values=True))
    places = {
        "method.request.header.": lambda name: by_name.get(name.lower()),
        "method.request.querystring.": arguments.get,
        "stageVariables.": (params.get("stage_variables") or {}).get,
        "context.": (params.get("additional_context") or {}).get,
    }
    values = []
    for source in filter(None, re.split(r"\s*,\s*", authorizer.identity_source or "")):
        place = next((place for place in places if source.startswith(place)), None)
        value = None if place is None else places[place](source[len(place) :])
        if not value:
            return None
        values.append(value)
    return ",".join(values)


def _request_event(
    context: Context,
    params: Params,
    headers: dict[str, list[str]],
    path: str,
    method_arn: str,
    api_id: str,
    resource_id: str,
    request_id: str,
) -> bytes:
    arguments: dict[str, list[str]] = {}
    for name, value in parse_qsl(path.partition("?")[2], keep_blank_values=True):
        arguments.setdefault(name, []).append(value)
    plain = path.partition("?")[0]
    return orjson.dumps(
        {
            "type": "REQUEST",
            "methodArn": method_arn,
            "resource": "/",
            "path": plain,
            "httpMethod": "GET",
            "headers": {name: values[-1] for name, values in headers.items()},
            "multiValueHeaders": headers,
            "queryStringParameters": {name: values[-1] for name, values in arguments.items()},
            "multiValueQueryStringParameters": arguments,
            "pathParameters": {},
            "stageVariables": params.get("stage_variables") or {},
            "requestContext": {
                "accountId": context.scope.account,
                "apiId": api_id,
                "httpMethod": "GET",
                "identity": {"sourceIp": SOURCE_IP},
                "path": plain,
                "requestId": request_id,
                "resourceId": resource_id,
                "resourcePath": "/",
                "stage": _STAGE,
                **(params.get("additional_context") or {}),
            },
        }
    )


async def run(call: AuthorizerCall, functions: Functions, clock: Clock) -> dict[str, Any]:
    """The operation's answer. `clientStatus` is 0 when the authorizer succeeded."""
    log, begun = _Log(clock), clock.ticks_ns()
    log.add(f"Starting authorizer: {call.authorizer.id} for request: {call.request_id}")
    result = await _authorize(call, functions, log)
    return result | {
        "log": render_log(call.request_id, log.lines),
        "latency": (clock.ticks_ns() - begun) // 1_000_000,
    }


async def _authorize(call: AuthorizerCall, functions: Functions, log: _Log) -> dict[str, Any]:
    if call.identity is None:
        log.add("Unauthorized request: an identity source is missing")
        return {"client_status": 401}
    log.add(f"Incoming identity: {_masked(call.identity, 6)}")
    expression = call.authorizer.identity_validation_expression
    if call.authorizer.type == "TOKEN" and expression and not _matches(expression, call.identity):
        log.add(f"Unauthorized request: the token does not match {expression}")
        return {"client_status": 401}
    log.add(f"Endpoint request body after transformations: {call.event.decode()}")
    invoker = None
    if call.authorizer.authorizer_credentials is None:
        invoker = Invoker("apigateway.amazonaws.com", call.source_arn, call.account)
    try:
        async with asyncio.timeout(_TIMEOUT):
            invoked = await functions.invoke(call.function_arn, call.event, invoker=invoker)
    except TimeoutError:
        log.add("Execution failed due to a timeout error")
        return {"client_status": 500}
    except InvokeError as error:
        denied = error.code == "AccessDeniedException"
        reason = "Invalid permissions on Lambda function" if denied else str(error)
        log.add(f"Execution failed due to configuration error: {reason}")
        return {"client_status": 500}
    body = invoked.payload.decode("utf-8", "replace")
    log.add(f"Authorizer result body before parsing: {body}")
    if invoked.function_error is not None:
        # AWS: the one error message that means "not authorized"; every other is the authorizer's own fault.
        unauthorized = '"errorMessage":"Unauthorized"' in body.replace(" ", "")
        log.add(
            "Unauthorized request" if unauthorized else "Execution failed due to configuration error: Authorizer error"
        )
        return {"client_status": 401 if unauthorized else 500}
    try:
        answer = read_answer(invoked.payload)
        compile_authorizer_policy(answer.policy_document, source_name=f"of authorizer {call.authorizer.id}")
    except (BadAuthorizerAnswer, PolicyError) as error:
        log.add(f"Execution failed due to configuration error: Invalid JSON in response: {error}")
        return {"client_status": 500}
    log.add(
        f"Using valid authorizer policy for principal: {'*' * max(len(answer.principal_id) - 3, 0)}{answer.principal_id[-3:]}"
    )
    log.add("Successfully completed authorizer execution")
    return {
        "client_status": 0,
        "principal_id": answer.principal_id,
        "policy": orjson.dumps(answer.policy_document).decode(),
        "authorization": {name: [value] for name, value in answer.context.items()},
    }


def _matches(expression: str, token: str) -> bool:
    """As the gateway does: a Java expression; one that is none, or takes too long, matches nothing."""
    try:
        return compile_java(expression).matches(token)
    except PatternError:
        return False


def _masked(text: str, shown: int) -> str:
    """AWS: but for their last characters, identities are stars."""
    return "*" * max(len(text) - shown, 0) + text[-shown:]
