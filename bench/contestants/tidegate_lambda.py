"""Tidegate with a Lambda proxy method: a hello in Python, in warm workers."""

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

from bench.answer import BODY
from bench.contestants import tidegate
from bench.contestants.base import Ground, Running

_SOURCE = f"""
BODY = {BODY.decode()!r}

def handler(event, context):
    return {{"statusCode": 200, "headers": {{"Content-Type": "application/json"}}, "body": BODY}}
"""


class TidegateLambda:
    """Every setting at its default; gateway, workers and wrk share two cores."""

    name = "tidegate-lambda"
    title = "Tidegate, Lambda proxy (Python)"
    flags = "default settings and workers; not pinned to one core: gateway, workers and wrk share two"
    cores = 2
    connections = 16

    def available(self) -> str | None:
        """Needs the tidegate command beside the running Python."""
        return tidegate.missing()

    def version(self) -> str:
        """Version, commit, event loop, Python."""
        return tidegate.version()

    def start(self, workdir: Path, ground: Ground) -> Running:
        """Start, make the function, build, deploy."""
        return tidegate.serve(workdir, ground, self.cores, _build)


def _build(gateway: Any, method: dict[str, str], port: int) -> None:
    functions = tidegate.client("lambda", port)
    arn = functions.create_function(
        FunctionName="hello",
        Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
        Role="arn:aws:iam::000000000000:role/hello",
        Handler="hello.handler",
        Code={"ZipFile": _package()},
    )["FunctionArn"]
    functions.add_permission(
        FunctionName="hello", StatementId="bench", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    path = f"lambda:path/2015-03-31/functions/{arn}/invocations"
    gateway.put_integration(
        **method, type="AWS_PROXY", integrationHttpMethod="POST", uri=f"arn:aws:apigateway:{tidegate.REGION}:{path}"
    )


def _package() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("hello.py", _SOURCE)
    return target.getvalue()
