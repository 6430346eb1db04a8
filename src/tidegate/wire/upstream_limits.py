"""How much the upstream pool keeps open, and for how long. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """Per origin; times are seconds, kept with the precision of `tick`."""

    connections: int = 512
    """Open at once to one origin; whoever comes later waits, and the waiting counts into the request's timeout."""
    idle: int = 128
    connect_timeout: float = 10.0
    idle_timeout: float = 60.0
    tick: float = 0.02
