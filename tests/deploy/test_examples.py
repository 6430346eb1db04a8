"""The examples against the running program: every console line of their READMEs, literally."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.running import Server

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_template(server: Server, example: str, *parameters: str) -> str:
    """`tidegate run`; returns the URL of the API's stage."""
    return api_of(run_output(server, example, *parameters))


def run_output(server: Server, example: str, *parameters: str) -> str:
    """`tidegate run`; returns what it prints."""
    given = [word for parameter in parameters for word in ("--parameter", parameter)]
    command = [sys.executable, "-m", "tidegate.cli", "run", "--port", str(server.port), *given]
    command.append(str(EXAMPLES / example / "template.yaml"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def api_of(printed: str) -> str:
    found = re.search(r"here: (\S+/_aws/execute-api/\w+/\w+)", printed)
    assert found, printed
    return found[1]


def console(example: str) -> list[tuple[str, str]]:
    """Commands and what they print, from the README's console blocks."""
    text = (EXAMPLES / example / "README.md").read_text("utf-8")
    pairs: list[tuple[str, str]] = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = step.partition("\n")
            pairs.append((command, output.rstrip("\n")))
    return pairs


def play(example: str, api: str, **environment: str) -> None:
    steps = console(example)
    assert len(steps) >= 5
    for command, output in steps:
        done = subprocess.run(
            ["bash", "-c", command],
            capture_output=True,
            text=True,
            check=False,
            cwd=EXAMPLES / example,
            env={**os.environ, "API": api, **environment},
        )
        assert (command, done.stdout.rstrip("\n")) == (command, output)


def play_in_one_shell(example: str, **variables: str) -> None:
    """For READMEs whose lines build on variables of the lines before."""
    steps, mark = console(example), "--- step"
    assert len(steps) >= 5
    script = "".join(f"{command}\necho; echo '{mark}'\n" for command, _ in steps)
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, env={**os.environ, **variables}
    )
    printed = [text.strip("\n") for text in done.stdout.split(f"{mark}\n")]
    assert [(command, said) for (command, _), said in zip(steps, printed, strict=False)] == steps, done.stderr


@pytest.fixture
def pets() -> Iterator[str]:
    """The pet store's own backend, on a port that the system chooses."""
    script = EXAMPLES / "petstore" / "backend.py"
    announce = "import runpy; m = runpy.run_path(%r); s = m['ThreadingHTTPServer'](('127.0.0.1', 0), m['PetStore']); "
    code = announce % str(script) + "print(s.server_port, flush=True); s.serve_forever()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    process.terminate()
    process.wait()
    process.stdout.close()


@dataclass(frozen=True)
class Parties:
    """The third parties of the authorizers' example: what they say that they are, and how to deploy for them."""

    environment: dict[str, str]
    parameters: list[str]


@pytest.fixture
def parties() -> Iterator[Parties]:
    process = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "authorizers" / "providers.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    export, run = (shlex.split(process.stdout.readline()) for _ in range(2))
    yield Parties(dict(word.split("=", 1) for word in export[1:]), [word for word in run if "=" in word])
    process.terminate()
    process.wait()
    process.stdout.close()


def test_crud(server: Server) -> None:
    api = run_template(server, "crud")
    play("crud", api)
    tables = server.client("dynamodb").list_tables()["TableNames"]
    assert [name for name in tables if name.startswith("crud-ItemsTable-")]


def test_the_lines_that_the_demo_prints(server: Server) -> None:
    """What `make demo` shows to be copied works as it stands, in the order in which it is shown."""
    command = [sys.executable, "-m", "tidegate.cli", "run", "--port", str(server.port)]
    command.append(str(EXAMPLES / "crud" / "template.yaml"))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = re.findall(r"here: (curl .*)", done.stdout)
    said = [subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout for line in lines]
    teapot = '{"id": "pot", "name": "Teapot", "price": %d}'
    assert said == [teapot % 30, teapot % 30, f'{{"items": [{teapot % 30}]}}', teapot % 25, ""]


def test_a_second_run_changes_nothing_and_keeps_the_url(server: Server) -> None:
    assert run_template(server, "crud") == run_template(server, "crud")


def test_petstore(server: Server, pets: str) -> None:
    play("petstore", run_template(server, "petstore", f"Backend={pets}"))


def test_dynamodb_direct(server: Server) -> None:
    play("dynamodb-direct", run_template(server, "dynamodb-direct"))


def test_transform(server: Server) -> None:
    play("transform", run_template(server, "transform"))


def test_authorizers(server: Server, parties: Parties) -> None:
    play("authorizers", run_template(server, "authorizers", *parties.parameters), **parties.environment)


def test_cognito(server: Server) -> None:
    printed = run_output(server, "cognito")
    outputs = dict(re.findall(r"^  (\w+) = (\S+)$", printed, re.MULTILINE))
    assert outputs["Issuer"] == f"https://cognito-idp.us-east-1.amazonaws.com/{outputs['Pool']}"
    play_in_one_shell("cognito", API=api_of(printed), POOL=outputs["Pool"], CLIENT=outputs["Client"])
