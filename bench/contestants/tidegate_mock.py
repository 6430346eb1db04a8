"""Tidegate with a MOCK method: the pipeline and a mapping template, with no upstream."""

from pathlib import Path
from typing import Any

from bench.answer import BODY
from bench.contestants import tidegate
from bench.contestants.base import Ground, Running


class TidegateMock:
    """Every setting at its default; the answer is a response template."""

    name = "tidegate-mock"
    title = "Tidegate, MOCK (no upstream)"
    flags = 'as HTTP_PROXY; request template `{"statusCode": 200}`, the body from a response template'
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
        return tidegate.serve(workdir, ground, self.cores, _build)


def _build(gateway: Any, method: dict[str, str], _port: int) -> None:
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    gateway.put_integration_response(**method, statusCode="200", responseTemplates={"application/json": BODY.decode()})
