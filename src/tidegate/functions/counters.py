"""What the function service counts.

Not here: how it is shown (metrics).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    invocations: int = 0
    errors: int = 0
    """Function errors: what `X-Amz-Function-Error` marks."""
    throttles: int = 0
    cold_starts: int = 0
    crashes: int = 0
    timeouts: int = 0


@dataclass(frozen=True, slots=True)
class FunctionStats:
    """Totals since the start; `workers` and `busy` are of now."""

    workers: int
    busy: int
    invocations: int
    errors: int
    throttles: int
    cold_starts: int
    crashes: int
    timeouts: int
