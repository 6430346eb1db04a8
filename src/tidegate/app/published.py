"""Whatever lives on beside the plans, brought up to date with what a commit changed.

Requests under way keep what they began with.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.functions.service import FunctionService
from tidegate.gateway.front import DataPlane
from tidegate.gateway.function_urls import FunctionUrls
from tidegate.gateway.guards.lambda_authorizer import LambdaAuthorizer
from tidegate.gateway.guards.user_pools import UserPools
from tidegate.gateway.metrics import GatewayMetrics
from tidegate.plan.planner import Publication
from tidegate.state.callers import Callers
from tidegate.state.keys import KeyRing
from tidegate.state.limiter import MemoryLimiter


@dataclass(frozen=True, slots=True)
class Published:
    data_plane: DataPlane
    function_urls: FunctionUrls
    functions: FunctionService
    keys: KeyRing
    callers: Callers
    limiter: MemoryLimiter
    metrics: GatewayMetrics
    authorizers: LambdaAuthorizer
    user_pools: UserPools
    _arns: set[str] = field(default_factory=set)

    def publish(self, publication: Publication) -> None:
        for arn, entry in publication.functions.items():
            if entry is None:
                self._arns.discard(arn)
                self.functions.remove(arn)
            else:
                self._arns.add(arn)
                self.functions.replace(entry)
        if publication.everything:
            self.keys.clear()
            self.callers.clear()
        self.callers.publish(publication.identities)
        for key_id, key in publication.keys.items():
            self.keys.put_key(key_id, key)
        for plan_id, plan in publication.usage_plans.items():
            self.keys.put_plan(plan_id, plan)
        if publication.urls is not None:
            self.function_urls.publish(publication.urls)
        if publication.snapshot is not None:
            self.data_plane.publish(publication.snapshot)
        for api_id, stage in publication.gone:
            self.limiter.forget(f"{api_id}/{stage}/")
            self.flush_authorizers((api_id, stage))
            self.metrics.forget((api_id, stage))

    def flush_authorizers(self, stage: tuple[str, str]) -> None:
        self.authorizers.answers.flush(stage)
        self.user_pools.answers.flush(stage)

    def forget_functions(self) -> None:
        for arn in list(self._arns):
            self.functions.remove(arn)
        self._arns.clear()
        self.functions.forget_logs()
