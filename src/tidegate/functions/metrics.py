"""The function service's figures for Prometheus, read when somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

if TYPE_CHECKING:
    from tidegate.functions.counters import FunctionStats


class FunctionMetrics:
    """A Prometheus collector."""

    def __init__(self, stats: Callable[[], FunctionStats]) -> None:
        self._stats = stats

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        stats = self._stats()
        yield GaugeMetricFamily("tidegate_function_workers", "Function processes", stats.workers)
        yield GaugeMetricFamily("tidegate_function_workers_busy", "Function processes at work", stats.busy)
        for name in ("invocations", "errors", "throttles", "cold_starts", "crashes", "timeouts"):
            yield CounterMetricFamily(f"tidegate_function_{name}", f"Functions: {name}", getattr(stats, name))
