"""No gateway at all: the upstream once more, on the gateway's core. It shows the ceiling of the load side."""

from pathlib import Path

from bench import upstream
from bench.contestants.base import Ground, Running


class Direct:
    """A second upstream in the gateway's place."""

    name = "direct"
    title = "no gateway (the upstream itself)"
    flags = "the upstream's configuration, once more, on the gateway's core"
    cores = 1
    connections = 64

    def available(self) -> str | None:
        """Always here, as the upstream is."""
        return None

    def version(self) -> str:
        """What the upstream is."""
        return upstream.kind()

    def start(self, workdir: Path, ground: Ground) -> Running:
        """Start another upstream."""
        there = upstream.start(workdir, ground.cores(self.cores))
        return Running(child=there.child, url=f"http://127.0.0.1:{there.port}/pets")
