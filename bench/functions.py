"""Functions measured: hello in Python and Node.js, invoked directly and through a REST method, beside serverless-offline.

`python -m bench.functions [--rounds N] [--seconds N] [--out FILE]`. Everybody shares all cores with wrk, in turn.
Serverless-offline (npm, with serverless 3) is installed into bench/.work; where that cannot be done it is reported as absent.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import load, machine
from bench.access import zipped
from bench.contestants import tidegate
from bench.processes import StartError, free_port, spawn, stop, wait_for_line, wait_for_port

HERE = Path(__file__).resolve().parent
PEER = HERE / ".work" / "serverless-offline"
_PACKAGES = ("serverless@3.40.0", "serverless-offline@13.9.0")
_CONNECTIONS = (1, 16, 64)
_COLD = 15
_SOURCES = {
    "python": ("hello.py", "def handler(event, context):\n    return {'statusCode': 200, 'body': 'hello'}\n"),
    "node": ("hello.js", "exports.handler = async (event) => ({statusCode: 200, body: 'hello'});\n"),
}
_ROLE = "arn:aws:iam::000000000000:role/r"
_SIGNED = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=x"
Way = str
"""`direct` (Lambda's Invoke) or `REST` (a proxy method)."""


@dataclass(frozen=True)
class Target:
    """Where to call hello of one language."""

    url: str
    headers: Mapping[str, str]


@dataclass
class Served:
    """A running contestant."""

    targets: dict[Way, Target]
    cold: Callable[[], float] | None = None
    """Milliseconds of one first call, of a function that nobody has called before; None: it cannot be told apart."""


@dataclass
class Figures:
    rates: dict[tuple[Way, int, str], list[float]] = field(default_factory=dict)
    """Requests a second, by way, connections and size of the payload."""
    p99: dict[tuple[Way, int, str], list[float]] = field(default_factory=dict)
    cold: list[float] = field(default_factory=list)


def runtime_of(language: str) -> str:
    if language == "python":
        return f"python{sys.version_info.major}.{sys.version_info.minor}"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    return f"nodejs{said.strip().removeprefix('v').partition('.')[0]}.x"


@contextmanager
def of_tidegate(place: Path, language: str) -> Iterator[Served]:
    port = free_port()
    child = tidegate.launch(place, port, tuple(os.sched_getaffinity(0)))
    try:
        wait_for_line(child, "Ready.")
        yield _tidegate_targets(port, language)
    finally:
        stop(child)


def _tidegate_targets(port: int, language: str) -> Served:
    functions, gateway = tidegate.client("lambda", port), tidegate.client("apigateway", port)
    made = iter(range(10_000))

    def create(name: str) -> str:
        settings = {"Runtime": runtime_of(language), "Handler": "hello.handler", "Role": _ROLE}
        code = {"ZipFile": zipped(*_SOURCES[language])}
        return str(functions.create_function(FunctionName=name, Code=code, **settings)["FunctionArn"])

    def cold() -> float:
        name = f"cold-{next(made)}"
        create(name)
        begun = time.perf_counter()
        functions.invoke(FunctionName=name)
        return (time.perf_counter() - begun) * 1000

    arn = create("hello")
    functions.add_permission(
        FunctionName="hello", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api = gateway.create_rest_api(name="bench")["id"]
    root = gateway.get_resources(restApiId=api)["items"][0]["id"]
    at = {"restApiId": api, "resourceId": root, "httpMethod": "POST"}
    gateway.put_method(**at, authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    gateway.put_integration(**at, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="bench")
    base = f"http://127.0.0.1:{port}"
    targets = {
        "direct": Target(f"{base}/2015-03-31/functions/hello/invocations", {"Authorization": _SIGNED}),
        "REST": Target(f"{base}/bench/", {"Host": f"{api}.execute-api.us-east-1.amazonaws.com"}),
    }
    return Served(targets, cold)


def install_peer() -> str | None:
    """Why serverless-offline is not here; None when it is."""
    if (PEER / "node_modules" / ".bin" / "serverless").exists():
        return None
    if shutil.which("npm") is None:
        return "npm is not installed"
    PEER.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", str(PEER), *_PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PEER, check=False)
    return None if done.returncode == 0 else f"npm install: {done.stderr.strip().splitlines()[-1:]}"


@contextmanager
def of_serverless_offline(place: Path, language: str) -> Iterator[Served]:
    port, direct = free_port(), free_port()
    name, source = _SOURCES[language]
    (place / name).write_text(source)
    (place / "node_modules").symlink_to(PEER / "node_modules")
    colds = [f"cold{number}" for number in range(_COLD)]
    configuration = {
        "service": "bench",
        "frameworkVersion": "3",
        "provider": {"name": "aws", "runtime": runtime_of(language), "region": "us-east-1"},
        "plugins": ["serverless-offline"],
        "custom": {
            "serverless-offline": {
                "host": "127.0.0.1",
                "httpPort": port,
                "lambdaPort": direct,
                "websocketPort": free_port(),
                "noPrependStageInUrl": True,
                "noTimeout": True,
            }
        },
        "functions": {
            each: {"handler": "hello.handler", "events": [{"http": {"path": each, "method": "post"}}]}
            for each in ("hello", *colds)
        },
    }
    (place / "serverless.json").write_text(json.dumps(configuration))
    env = {**os.environ, "SLS_TELEMETRY_DISABLED": "1", "SLS_NOTIFICATIONS_MODE": "off", "CI": "1"}
    child = spawn(
        [str(PEER / "node_modules" / ".bin" / "serverless"), "offline", "start"],
        cores=os.sched_getaffinity(0),
        output=place / "output.txt",
        cwd=place,
        env=env,
    )
    try:
        wait_for_port(child, port, timeout=60)
        yield _peer_targets(port, direct, colds)
    finally:
        stop(child)


def _peer_targets(port: int, direct: int, colds: list[str]) -> Served:
    waiting = iter(colds)

    def cold() -> float:
        return _timed(f"http://127.0.0.1:{port}/{next(waiting)}")

    base = f"http://127.0.0.1:{direct}/2015-03-31/functions"
    targets = {
        "direct": Target(f"{base}/bench-dev-hello/invocations", {}),
        "REST": Target(f"http://127.0.0.1:{port}/hello", {}),
    }
    return Served(targets, cold)


def _timed(url: str) -> float:
    begun = time.perf_counter()
    with urllib.request.urlopen(urllib.request.Request(url, b"{}"), timeout=60) as answer:
        answer.read()
    return (time.perf_counter() - begun) * 1000


def measure(served: Served, figures: Figures, place: Path, seconds: int) -> None:
    sizes = {"1 KB": 1024, "1 MB": 1024 * 1024}
    for way, target in served.targets.items():
        for size, length in sizes.items():
            script = place / f"{length}.lua"
            body = json.dumps({"text": "x" * (length - 13)})
            script.write_text(
                f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = {body!r}\n'
            )
            for connections in _CONNECTIONS if size == "1 KB" else (16,):
                done = _loaded(target, connections, seconds, script)
                key = (way, connections, size)
                figures.rates.setdefault(key, []).append(done.rate if not done.errors else 0.0)
                figures.p99.setdefault(key, []).append(done.p99 * 1000)


def _loaded(target: Target, connections: int, seconds: int, script: Path) -> load.Load:
    cores = os.sched_getaffinity(0)
    settings: dict[str, Any] = {"connections": connections, "threads": 1, "cores": cores, "script": script}
    load.run(target.url, target.headers, seconds=1, **settings)
    return load.run(target.url, target.headers, seconds=seconds, **settings)


def run(rounds: int, seconds: int, languages: Sequence[str]) -> tuple[dict[tuple[str, str], Figures], str | None]:
    trouble = install_peer()
    contestants: dict[str, Any] = {"Tidegate": of_tidegate}
    if trouble is None:
        contestants["serverless-offline"] = of_serverless_offline
    found = {(language, name): Figures() for language in languages for name in contestants}
    for number in range(rounds):
        for (language, name), figures in found.items():
            with tempfile.TemporaryDirectory() as directory:
                place = Path(directory)
                try:
                    with contestants[name](place, language) as served:
                        if number == 0 and served.cold is not None:
                            figures.cold = [served.cold() for _ in range(_COLD)][1:]
                        measure(served, figures, place, seconds)
                except (StartError, load.LoadError, OSError) as error:
                    print(f"round {number + 1}, {language}, {name}: {error}", file=sys.stderr)
            print(f"round {number + 1}, {language}, {name}: {_shown(figures)}", flush=True)
    return found, trouble


def _shown(figures: Figures) -> str:
    return ", ".join(f"{way}/{n}/{size} {values[-1]:,.0f}" for (way, n, size), values in figures.rates.items())


def report(
    found: dict[tuple[str, str], Figures], trouble: str | None, command: str, conditions: machine.Machine
) -> str:
    lines = [
        "# Functions",
        "",
        f"Measured {conditions.date} by `{command}` on {conditions.processor}, {conditions.cores} cores, Linux "
        f"{conditions.kernel}. Contestant, its workers and wrk share the cores; medians of rounds in turn. Requests a second "
        "(p99 in ms); the payload is what is sent. `direct` is Lambda's Invoke, `REST` a proxy method.",
        "",
    ]
    if trouble is not None:
        lines += [f"serverless-offline is absent: {trouble}", ""]
    for language in dict.fromkeys(language for language, _ in found):
        lines += _table({name: figures for (of, name), figures in found.items() if of == language}, language)
    return "\n".join(lines)


def _table(contestants: Mapping[str, Figures], language: str) -> Iterator[str]:
    names = list(contestants)
    yield f"## {language} ({runtime_of(language)})"
    yield ""
    yield f"| way | connections | payload | {' | '.join(names)} |{' ratio |' if len(names) == 2 else ''}"
    yield f"| --- | ---: | ---: |{' ---: |' * (len(names) + (len(names) == 2))}"
    for key in dict.fromkeys(key for figures in contestants.values() for key in figures.rates):
        medians = [statistics.median(figures.rates.get(key) or [0.0]) for figures in contestants.values()]
        tails = [statistics.median(figures.p99.get(key) or [0.0]) for figures in contestants.values()]
        cells = [f"{rate:,.0f} ({tail:.1f})" for rate, tail in zip(medians, tails, strict=True)]
        if len(medians) == 2:
            cells.append(f"{medians[0] / medians[1]:.2f}" if medians[1] else "—")
        yield f"| {key[0]} | {key[1]} | {key[2]} | {' | '.join(cells)} |"
    for name, figures in contestants.items():
        if figures.cold:
            middle, worst, count = statistics.median(figures.cold), max(figures.cold), len(figures.cold)
            yield ""
            yield f"Cold start, {name}: median {middle:.0f} ms, worst of {count}: {worst:.0f} ms."
    yield ""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.functions", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--languages", nargs="+", default=list(_SOURCES), choices=list(_SOURCES))
    parser.add_argument("--out", type=Path, default=HERE / "FUNCTIONS.md")
    options = parser.parse_args(arguments)
    if trouble := load.missing():
        print(f"bench: {trouble}", file=sys.stderr)
        return 2
    conditions = machine.look()
    found, trouble = run(options.rounds, options.seconds, options.languages)
    text = report(found, trouble, " ".join(["python -m bench.functions", *arguments]), conditions)
    options.out.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
