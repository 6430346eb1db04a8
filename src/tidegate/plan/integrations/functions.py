"""Compiling integrations with Lambda functions: AWS_PROXY, and AWS with templates.

Source: *Set up Lambda integrations in API Gateway*; shared facts, rest-data-plane §12.5 and §12.6, lambda §8.
"""

from __future__ import annotations

import re

from tidegate.core.arns import execute_api_arn
from tidegate.definition.records import Integration, Method
from tidegate.plan.integrations.common import Surroundings, is_the_callers
from tidegate.plan.integrations.transforms import request_transform, response_transform
from tidegate.plan.nodes import BrokenPlan, LambdaPlan, LambdaProxyPlan, LambdaStreamPlan

_FUNCTION = re.compile(
    r"arn:aws[\w-]*:apigateway:[\w-]+:lambda:path/2015-03-31/functions/"
    r"(arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?)/invocations"
)
_STREAMED = re.compile(
    r"arn:aws[\w-]*:apigateway:[\w-]+:lambda:path/2021-11-15/functions/"
    r"(arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:[\w-]+(?::[\w$-]+)?)/response-streaming-invocations"
)
_OF_INVOKE = frozenset({"x-amz-invocation-type", "x-amz-client-context", "x-amz-log-type"})
"""Headers that Lambda's Invoke reads; whatever else is mapped, it ignores."""
_LABEL = re.compile(r"\{[^}]*\}")
_WRONG_VERB = BrokenPlan("a Lambda integration needs integrationHttpMethod POST")
"""AWS: functions are invoked with POST; another verb is accepted and fails on every call."""


def names_function(uri: str) -> bool:
    return _FUNCTION.fullmatch(uri) is not None


def function_proxy_plan(
    integration: Integration, uri: str, resource_path: str, around: Surroundings, pointer: str
) -> LambdaProxyPlan | LambdaStreamPlan | BrokenPlan:
    streams = integration.response_transfer_mode == "STREAM"
    found = (_STREAMED if streams else _FUNCTION).fullmatch(uri)
    if found is None:
        around.problem(f"{pointer}/uri", _wrong_proxy_uri(uri, streams=streams))
        return BrokenPlan("invalid function URI")
    if integration.http_method != "POST":
        return _WRONG_VERB
    source_arn, by_policy = _source_arn(resource_path, around), integration.credentials is None
    timeout, by_caller = integration.timeout_in_millis / 1000, is_the_callers(integration.credentials)
    if streams:
        return LambdaStreamPlan(found[1], source_arn, by_policy, timeout, around.idle, by_caller)
    return LambdaProxyPlan(found[1], source_arn, by_policy, timeout, by_caller)


def _wrong_proxy_uri(uri: str, *, streams: bool) -> str:
    if streams and names_function(uri):
        return (
            "The response transfer mode STREAM of an AWS_PROXY integration needs a URI of the form "
            f"…:lambda:path/2021-11-15/functions/{{arn}}/response-streaming-invocations: {uri}"
        )
    if _STREAMED.fullmatch(uri):
        return f"This URI needs the response transfer mode STREAM: {uri}"
    return (
        "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream "
        f"invocations; Tidegate takes the former: {uri}"
    )


def function_plan(
    method: Method, integration: Integration, uri: str, resource_path: str, around: Surroundings, pointer: str
) -> LambdaPlan | BrokenPlan:
    found = _FUNCTION.fullmatch(uri)
    if found is None or integration.http_method != "POST":
        return _WRONG_VERB
    mapped = around.mapped(integration, pointer)
    return LambdaPlan(
        function_arn=found[1],
        source_arn=_source_arn(resource_path, around),
        by_policy=integration.credentials is None,
        by_caller=is_the_callers(integration.credentials),
        headers=tuple((name.lower(), source) for name, source in mapped["header"] if name.lower() in _OF_INVOKE),
        qualifier=dict(mapped["querystring"]).get("Qualifier"),
        request=request_transform(integration, around, pointer),
        answer=response_transform(method, around, pointer),
        timeout=integration.timeout_in_millis / 1000,
    )


def _source_arn(resource_path: str, around: Surroundings) -> tuple[str, str]:
    # AWS: path parameters appear as `*` in the source ARN (shared facts, lambda §8).
    before = execute_api_arn(around.region, around.account, around.api_id, f"{around.stage_name}/")
    return before, _LABEL.sub("*", resource_path)
