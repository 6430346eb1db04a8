"""Tidegate with an HTTP_PROXY method: what the peers do, through a deployed REST API."""

from pathlib import Path
from typing import Any

from bench.contestants import tidegate
from bench.contestants.base import Ground, Running


class TidegateProxy:
    """Every setting at its default: access log to stdout, metrics on, the account's throttle on."""

    name = "tidegate"
    title = "Tidegate, HTTP_PROXY"
    flags = "`tidegate start`, default settings (access log to stdout, which is a file; metrics on)"
    cores = 1
    connections = 64

    def available(self) -> str | None:
        """Needs the tidegate command beside the running Python."""
        return tidegate.missing()

    def version(self) -> str:
        """Version, commit, event loop, Python."""
        return tidegate.version()

    def start(self, workdir: Path, ground: Ground) -> Running:
        """Start, build, deploy."""

        def build(gateway: Any, method: dict[str, str], _port: int) -> None:
            gateway.put_integration(
                **method,
                type="HTTP_PROXY",
                integrationHttpMethod="GET",
                uri=f"http://127.0.0.1:{ground.upstream}/pets",
            )

        return tidegate.serve(workdir, ground, self.cores, build)
