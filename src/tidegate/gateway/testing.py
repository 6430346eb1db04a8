"""Test invocations: a request that runs through the pipeline beside the traffic, uncounted, and comes back with its log.

Source: *TestInvokeMethod*; shared facts, rest-control-plane §14. Not here: which method is tested (control).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tidegate.core.message import Pairs, Request
from tidegate.gateway.exchange import Host
from tidegate.gateway.execution_log import Line, all_headers
from tidegate.gateway.metrics import GatewayMetrics
from tidegate.gateway.rest import RestPipeline, Services
from tidegate.gateway.stories import Stories
from tidegate.plan.nodes import StagePlan

_HOST = Host.of(b"testPrefix.testDomainName", "https")
"""AWS: what a test invocation has for a domain."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What a client would have got, and how it came to be."""

    request_id: str
    status: int
    headers: Pairs
    body: bytes
    lines: list[Line]
    latency: int
    """Milliseconds."""


class MethodTester:
    """Uses the integrations of the traffic; access logs and figures see nothing of it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, stage: StagePlan, request: Request) -> Tested:
        quiet = replace(
            self._services, metrics=GatewayMetrics(), stories=Stories(), write_access_log=lambda _line: None
        )
        pipeline = RestPipeline(quiet)
        ex = pipeline.exchange(request, stage, _HOST, path=request.path, full_path=request.path)
        response = await pipeline.serve_rest(ex)
        body = response.body
        if not isinstance(body, bytes):
            body = b"".join([chunk async for chunk in body])
        return Tested(
            request_id=ex.request_id,
            status=response.status,
            headers=all_headers(response),
            body=body,
            lines=list(pipeline.execution_log(ex, response, bodies=True)),
            latency=ex.response_latency,
        )
