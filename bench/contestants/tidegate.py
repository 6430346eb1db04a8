"""What the three Tidegate contestants share: starting the program with its defaults, and building an API by boto3 as on AWS."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from bench.contestants.base import Ground, Running
from bench.processes import Child, ended_on_failure, free_port, spawn, wait_for_line

REGION = "us-east-1"
STAGE = "bench"
PROGRAM = Path(sys.executable).parent / "tidegate"


def missing() -> str | None:
    """Why Tidegate cannot take part; None when its command runs."""
    if not PROGRAM.is_file():
        return f"{PROGRAM} does not exist"
    done = subprocess.run([str(PROGRAM), "start", "--help"], capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None
    return f"`tidegate start --help` fails: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"


def version() -> str:
    """The package's version and the commit of the checkout, marked when the sources differ from it."""
    names = 'import tidegate, uvloop; print(f"Tidegate {tidegate.__version__} on uvloop {uvloop.__version__}", end="")'
    said = subprocess.run([sys.executable, "-c", names], capture_output=True, text=True, check=True).stdout
    describe = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, capture_output=True, text=True, check=False).stdout.strip()
    return f"{said}, Python {sys.version.split()[0]}" + (f", commit {commit}" if commit else "")


def launch(workdir: Path, port: int, cores: tuple[int, ...], settings: Mapping[str, str] | None = None) -> Child:
    """`tidegate start` in an empty directory with nothing set that could change its defaults but `settings` (variables)."""
    command = [str(PROGRAM), "start", "--port", str(port), "--data", str(workdir / "data")]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TIDEGATE_", "AWS_"))}
    return spawn(command, cores=cores, output=workdir / "output.txt", cwd=workdir, env=env | dict(settings or {}))


def client(service: str, port: int) -> Any:
    """A boto3 client of the running Tidegate."""
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 0}),
    )


def serve(workdir: Path, ground: Ground, cores: int, build: Callable[[Any, dict[str, str], int], None]) -> Running:
    """Start Tidegate, make an API with `GET /pets`, let `build` give the method its integration, deploy it.

    `build` receives the apigateway client, the arguments that name the method, and the port.
    """
    port = free_port()
    child = launch(workdir, port, ground.cores(cores))
    with ended_on_failure(child):
        wait_for_line(child, "Ready.")
        api = _deploy(client("apigateway", port), port, build)
    return Running(
        child=child,
        url=f"http://127.0.0.1:{port}/{STAGE}/pets",
        headers={"Host": f"{api}.execute-api.{REGION}.amazonaws.com"},
        access_log=child.output,
    )


def _deploy(gateway: Any, port: int, build: Callable[[Any, dict[str, str], int], None]) -> str:
    api: str = gateway.create_rest_api(name="bench")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    pets = gateway.create_resource(restApiId=api, parentId=root, pathPart="pets")["id"]
    method = {"restApiId": api, "resourceId": pets, "httpMethod": "GET"}
    gateway.put_method(**method, authorizationType="NONE")
    build(gateway, method, port)
    gateway.create_deployment(restApiId=api, stageName=STAGE)
    return api
