"""What would become of a request: it goes through every step up to the backend, which is not called.

Lambda authorizers are asked for real, since only they know; throttles and quotas take nothing, and access logs
and figures see nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tidegate.core.message import Request, Response
from tidegate.gateway.exchange import Exchange
from tidegate.gateway.execution_log import Received, Sent
from tidegate.gateway.front import DataPlane
from tidegate.gateway.integrations import IntegrationKind
from tidegate.gateway.metrics import GatewayMetrics
from tidegate.gateway.rest import RestPipeline, Services
from tidegate.gateway.stories import Stories
from tidegate.plan.nodes import Snapshot


@dataclass(frozen=True, slots=True)
class _Unsent:
    """An integration up to the point where it would call its backend."""

    kind: IntegrationKind

    def outbound(self, exchange: Exchange, plan: Any) -> Any:
        return self.kind.outbound(exchange, plan)

    async def send(self, exchange: Exchange, plan: Any, outbound: Any) -> None:
        return None

    def response(self, exchange: Exchange, plan: Any, inbound: None) -> Response:
        return Response(200, [])

    def sent(self, exchange: Exchange, plan: Any, outbound: Any) -> Sent | None:
        return self.kind.sent(exchange, plan, outbound)

    def received(self, inbound: None) -> Received:
        return Received(200, [], b"")


class _Unlimited:
    def take(self, key: str, rate: float, burst: int) -> bool:
        return True


class _Caught(Stories):
    """Keeps the exchange itself: there is only one."""

    exchange: Exchange | None = None

    def add(self, ex: Exchange) -> None:
        self.exchange = ex
        super().add(ex)


class Simulator:
    """Answers for a request that was not sent, as `Stories` tell it."""

    def __init__(self, services: Services, snapshot: Callable[[], Snapshot]) -> None:
        unsent: dict[type, IntegrationKind] = {node: _Unsent(kind) for node, kind in services.integrations.items()}
        self._services = replace(services, limiter=_Unlimited(), integrations=unsent)
        self._snapshot = snapshot

    async def __call__(self, request: Request) -> dict[str, Any] | None:
        """None: the request is for no API."""
        caught = _Caught()
        services = replace(
            self._services, metrics=GatewayMetrics(), write_access_log=lambda _line: None, stories=caught
        )
        plane = DataPlane(RestPipeline(services))
        plane.publish(self._snapshot())
        endpoint = plane.endpoint(request)
        if endpoint is None:
            return None
        response = await endpoint.handle(request)
        request_id = next((value for name, value in _fields(response) if name == b"x-amzn-RequestId"), b"")
        story = caught.find(request_id.decode())
        if story is not None and caught.exchange is not None:
            story["wouldBeSent"] = self._outbound(caught.exchange)
        return story

    def _outbound(self, ex: Exchange) -> dict[str, Any] | None:
        if ex.outbound is None:
            return None
        sent = self._services.integrations[type(ex.method.integration)].sent(ex, ex.method.integration, ex.outbound)
        if sent is None:
            return None
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in sent.headers]
        return {"uri": sent.uri, "headers": headers, "body": sent.body.decode("utf-8", "replace")}


def _fields(response: Response) -> list[tuple[bytes, bytes]]:
    ready = [line.partition(b": ") for line in response.encoded.split(b"\r\n") if line]
    return [*response.headers, *((name, value) for name, _, value in ready)]
