"""Tidegate by itself: how long it takes until `Ready.`, and how much memory it holds while idle."""

import time
from collections.abc import Sequence
from pathlib import Path

from bench import cpu
from bench.contestants import tidegate
from bench.figures import Startup
from bench.processes import free_port, stop, wait_for_line

SETTLE = 1.0
"""Seconds between `Ready.` and the reading of the memory."""


def measure(workdir: Path, cores: Sequence[int], times: int = 5) -> Startup:
    """Start it `times` times, each with an empty data directory; the memory is that of the last start."""
    seconds = []
    for attempt in range(times):
        place = workdir / str(attempt)
        place.mkdir(parents=True)
        began = time.perf_counter()
        child = tidegate.launch(place, free_port(), tuple(cores))
        try:
            wait_for_line(child, "Ready.")
            seconds.append(time.perf_counter() - began)
            time.sleep(SETTLE if attempt == times - 1 else 0)
            used = cpu.usage([child.pid])
        finally:
            stop(child)
    return Startup(tuple(seconds), used.root_rss, used.child_rss)
