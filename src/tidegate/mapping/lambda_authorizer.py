"""Lambda authorizers: the event that a function receives, and what its answer has to be.

Source: *Input to* and *Output from an Amazon API Gateway Lambda authorizer*; shared facts, access §4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from tidegate.mapping.lambda_proxy import request_context, request_headers


class BadAuthorizerAnswer(ValueError):
    """The function's answer is not what API Gateway takes; the text is for the log."""


@dataclass(frozen=True, slots=True)
class AuthorizerAnswer:
    principal_id: str
    policy_document: Mapping[str, Any]
    context: Mapping[str, str]
    """Values as text: numbers and booleans arrive as strings."""
    usage_identifier_key: str | None = None


def token_event(token: str, method_arn: str) -> bytes:
    return orjson.dumps({"type": "TOKEN", "methodArn": method_arn, "authorizationToken": token})


def request_event(exchange: Any, method_arn: str) -> bytes:
    """Of REQUEST authorizers. AWS: empty maps are empty here, where proxy events have null."""
    single, multiple = request_headers(exchange)
    arguments = exchange.arguments
    return orjson.dumps(
        {
            "type": "REQUEST",
            "methodArn": method_arn,
            "resource": exchange.method.resource_path,
            "path": exchange.event_path,
            "httpMethod": exchange.verb,
            "headers": single,
            "multiValueHeaders": multiple,
            "queryStringParameters": {name: values[-1] for name, values in arguments.items()},
            "multiValueQueryStringParameters": arguments,
            "pathParameters": exchange.path_parameters,
            "stageVariables": dict(exchange.stage.variables),
            "requestContext": request_context(exchange),
        }
    )


def read_answer(payload: bytes) -> AuthorizerAnswer:
    """Raises BadAuthorizerAnswer."""
    try:
        answer = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise BadAuthorizerAnswer(f"the authorizer's answer is no JSON: {error}") from None
    if not isinstance(answer, dict):
        raise BadAuthorizerAnswer("the authorizer's answer is no object")
    principal, policy = answer.get("principalId"), answer.get("policyDocument")
    if not isinstance(principal, str) or not principal:
        raise BadAuthorizerAnswer("principalId is missing or no text")
    if not isinstance(policy, dict) or not isinstance(policy.get("Statement"), (list, dict)):
        raise BadAuthorizerAnswer("policyDocument is missing or has no Statement")
    usage = answer.get("usageIdentifierKey")
    if usage is not None and not isinstance(usage, str):
        raise BadAuthorizerAnswer("usageIdentifierKey is no text")
    return AuthorizerAnswer(principal, policy, _context(answer.get("context")), usage)


def _context(given: Any) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise BadAuthorizerAnswer("context is no object")
    context = {}
    for name, value in given.items():
        # AWS: a list or an object in the context makes the whole answer invalid.
        if isinstance(value, (dict, list)):
            raise BadAuthorizerAnswer(f"context.{name} is no text, number or boolean")
        if value is not None:
            context[name] = value if isinstance(value, str) else orjson.dumps(value).decode()
    return context
