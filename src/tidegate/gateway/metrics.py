"""Counters of the data plane, per stage: plain integers on the request path, rendered for Prometheus when somebody asks.

Names follow CloudWatch's for API Gateway (Count, 4XXError, 5XXError, Latency, IntegrationLatency).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

_BOUNDS_MS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000)


class StageMetrics:
    """One stage's figures."""

    __slots__ = ("buckets", "count", "errors_4xx", "errors_5xx", "integration_ms", "latency_ms")

    def __init__(self) -> None:
        self.count = 0
        self.errors_4xx = 0
        self.errors_5xx = 0
        self.latency_ms = 0
        self.integration_ms = 0
        self.buckets = [0] * (len(_BOUNDS_MS) + 1)

    def record(self, status: int, latency_ms: int, integration_ms: int) -> None:
        self.count += 1
        if status >= 500:
            self.errors_5xx += 1
        elif status >= 400:
            self.errors_4xx += 1
        self.latency_ms += latency_ms
        self.integration_ms += integration_ms
        self.buckets[bisect_left(_BOUNDS_MS, latency_ms)] += 1


class GatewayMetrics:
    """All stages' figures; a Prometheus collector."""

    def __init__(self) -> None:
        self.stages: dict[tuple[str, str], StageMetrics] = {}

    def of(self, key: tuple[str, str]) -> StageMetrics:
        """`key`: API id and stage name."""
        found = self.stages.get(key)
        if found is None:
            found = self.stages[key] = StageMetrics()
        return found

    def forget(self, key: tuple[str, str]) -> None:
        self.stages.pop(key, None)

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        labels = ["api", "stage"]
        counters = {
            name: CounterMetricFamily(f"tidegate_{name}", text, labels=labels)
            for name, text in (
                ("requests", "Requests answered"),
                ("errors_4xx", "Answers with a status of 400 to 499"),
                ("errors_5xx", "Answers with a status of 500 or more"),
                ("integration_milliseconds", "Time spent in integrations"),
            )
        }
        latency = HistogramMetricFamily("tidegate_latency_milliseconds", "From head to answer", labels=labels)
        for key, stage in self.stages.items():
            counters["requests"].add_metric(key, stage.count)
            counters["errors_4xx"].add_metric(key, stage.errors_4xx)
            counters["errors_5xx"].add_metric(key, stage.errors_5xx)
            counters["integration_milliseconds"].add_metric(key, stage.integration_ms)
            latency.add_metric(key, _cumulative(stage.buckets), stage.latency_ms)
        yield from counters.values()
        yield latency


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    total, out = 0, []
    for bound, count in zip((*map(str, _BOUNDS_MS), "+Inf"), buckets, strict=True):
        total += count
        out.append((bound, float(total)))
    return out
