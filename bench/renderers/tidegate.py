"""Tidegate's templates, rendered by the function that the gateway calls for a request, on an exchange of its own each time."""

from collections.abc import Callable
from typing import Any

from bench.renderers.loop import given, serve
from tidegate.core.message import Headers, Request
from tidegate.gateway.exchange import Exchange, Host
from tidegate.gateway.transform import render_request
from tidegate.mapping.logformat import LogFormat
from tidegate.mapping.media import BinaryTypes
from tidegate.mapping.velocity import variables_of
from tidegate.plan.nodes import BrokenPlan, MethodPlan, StagePlan
from tidegate.plan.routing import Router
from tidegate.vtl import compile_template


def exchanges(sample: Any) -> Callable[[], Exchange]:
    """Makes exchanges of requests like the sample. What is worked out before is what the gateway knows by then."""
    context, identity = sample["context"], sample["context"]["identity"]
    stage, method = plans(sample)
    host = Host.of(context["domainName"].encode(), "https")
    headers = Headers.of([(name.encode(), value.encode()) for name, value in sample["headers"]])
    request = Request(
        method=context["httpMethod"],
        target=f"{context['path']}?{sample['query']}".encode(),
        headers=headers,
        body=sample["body"].encode(),
        peer=identity["sourceIp"],
    )
    signed = {name: identity[name] for name in identity if name not in ("apiKey", "apiKeyId", "sourceIp", "userAgent")}

    def exchange() -> Exchange:
        made = Exchange(request, stage, host, path="/pets/42", full_path=request.path, ticks_ns=lambda: 0)
        made.arrived = context["requestTimeEpoch"] / 1000
        made.request_time = context["requestTime"]
        made.request_id, made.extended_request_id = context["requestId"], context["extendedRequestId"]
        made.method, made.raw_labels = method, sample["path"]
        made.identity, made.authorizer = signed, context["authorizer"]
        made.api_key, made.api_key_id = identity["apiKey"].encode(), identity["apiKeyId"]
        return made

    return exchange


def plans(sample: Any) -> tuple[StagePlan, MethodPlan]:
    """Of the stage and the method that the sample is addressed to."""
    context = sample["context"]
    stage = StagePlan(
        account=context["accountId"],
        region="us-east-1",
        api_id=context["apiId"],
        name=context["stage"],
        deployment_id=context["deploymentId"],
        router=Router([]),
        variables=sample["stageVariables"],
        binary=BinaryTypes(),
        access_log=LogFormat("$context.requestId"),
        sampled=False,
        open=True,
        key=(context["apiId"], context["stage"]),
    )
    method = MethodPlan(context["resourceId"], context["resourcePath"], context["httpMethod"], None, BrokenPlan(""))
    return stage, method


def main() -> None:
    template, sample = given()
    compiled = compile_template(template)
    exchange = exchanges(sample)
    ready = variables_of(exchange(), sample["body"].encode(), compiled.roots)
    serve(lambda: render_request(exchange(), compiled), lambda: compiled.render(ready))


if __name__ == "__main__":
    main()
