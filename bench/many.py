"""Many APIs in one server: what creating, deploying, calling and listing cost beside 10, 100, … 10,000 others.

`python -m bench.many [--most N] [--out FILE]`. One client, one kept-alive connection, against `tidegate start --data`; each
figure is the median over a few APIs made at that size. Beside them stands one API of 300 resources.
"""

import argparse
import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import machine
from bench.contestants import tidegate
from bench.processes import Child, free_port, stop, wait_for_line

HERE = Path(__file__).resolve().parent
_SCOPE = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, SignedHeaders=host, Signature=x"
_SAMPLES = 15
_RESOURCES = 300


class Client:
    """Management and invocation over one connection; the server's default mode takes any signature."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def manage(self, verb: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": _SCOPE, "Accept": "application/json", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        self._connection.request(verb, path, data, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{verb} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text) if text else None

    def call(self, api: str, path: str = "/prod/") -> bytes:
        self._connection.request("GET", path, headers={"Host": f"{api}.execute-api.us-east-1.amazonaws.com"})
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"GET {api}{path}: {answer.status} {text[:300]!r}")
        return text


def mock(client: Client, api: str, resource: str, text: str) -> None:
    """A MOCK method GET on a resource."""
    method = f"/restapis/{api}/resources/{resource}/methods/GET"
    client.manage("PUT", method, {"authorizationType": "NONE"})
    template = {"application/json": '{"statusCode": 200}'}
    client.manage("PUT", f"{method}/integration", {"type": "MOCK", "requestTemplates": template})
    client.manage("PUT", f"{method}/responses/200", {})
    client.manage("PUT", f"{method}/integration/responses/200", {"responseTemplates": {"application/json": text}})


def create(client: Client, name: str) -> str:
    made = client.manage("POST", "/restapis", {"name": name})
    mock(client, made["id"], made["rootResourceId"], name)
    return str(made["id"])


def deploy(client: Client, api: str) -> None:
    client.manage("POST", f"/restapis/{api}/deployments", {"stageName": "prod"})


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Milliseconds, and the result."""
    begun = time.perf_counter()
    result = work()
    return (time.perf_counter() - begun) * 1000, result


def resident(pid: int) -> float:
    """MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def measure(client: Client, pid: int, size: int, empty: float) -> list[str]:
    """The row of the table at a size, measured on APIs added to it."""
    memory = resident(pid)
    figures: dict[str, list[float]] = {name: [] for name in ("create", "deploy", "first", "again", "list")}
    for number in range(_SAMPLES):
        name = f"sample-{size}-{number}"
        took, api = timed(lambda name=name: create(client, name))  # type: ignore[misc]
        figures["create"].append(took)
        figures["deploy"].append(timed(lambda api=api: deploy(client, api))[0])  # type: ignore[misc]
        took, body = timed(lambda api=api: client.call(api))  # type: ignore[misc]
        assert body == name.encode()
        figures["first"].append(took)
        figures["again"] += [timed(lambda api=api: client.call(api))[0] for _ in range(20)]  # type: ignore[misc]
        figures["list"].append(timed(lambda: client.manage("GET", "/restapis?limit=100"))[0])
    middle = {name: statistics.median(values) for name, values in figures.items()}
    per_api = (memory - empty) * 1024 / size
    return [f"{size:,}", *(f"{middle[name]:.2f}" for name in figures), f"{per_api:.1f}"]


def large(client: Client) -> list[str]:
    """One API of 300 resources: making it, deploying it, calling its last resource."""
    made = client.manage("POST", "/restapis", {"name": "large"})
    api = made["id"]
    mock(client, api, made["rootResourceId"], "root")

    def grow() -> None:
        for number in range(1, _RESOURCES):
            child = client.manage(
                "POST", f"/restapis/{api}/resources/{made['rootResourceId']}", {"pathPart": f"r{number}"}
            )
            mock(client, api, child["id"], f"r{number}")

    grown = timed(grow)[0]
    deployed = statistics.median(timed(lambda: deploy(client, api))[0] for _ in range(5))
    path = f"/prod/r{_RESOURCES - 1}"
    first = timed(lambda: client.call(api, path))[0]
    again = statistics.median(timed(lambda: client.call(api, path))[0] for _ in range(200))
    return [f"{grown / (_RESOURCES * 5):.2f}", f"{deployed:.2f}", f"{first:.2f}", f"{again:.2f}"]


def restarted(place: Path, port: int) -> tuple[float, Child]:
    """Seconds until a server with all these APIs is ready, and the server."""
    # What an earlier start wrote would be taken for this one's.
    (place / "output.txt").unlink(missing_ok=True)
    began = time.perf_counter()
    child = tidegate.launch(place, port, tuple(os.sched_getaffinity(0)))
    wait_for_line(child, "Ready.", timeout=120)
    return time.perf_counter() - began, child


def fill(client: Client, have: int, size: int) -> None:
    for number in range(have, size):
        deploy(client, create(client, f"api-{number}"))


def run(place: Path, most: int) -> tuple[list[list[str]], list[str], float]:
    """The rows by size, the row of the large API, and the seconds of a start with all of them."""
    port = free_port()
    _, child = restarted(place, port)
    rows, have, size = [], 0, 10
    try:
        client = Client(port)
        create(client, "warm-up")
        empty = resident(child.pid)
        while size <= most:
            fill(client, have, size)
            rows.append(measure(client, child.pid, size, empty))
            print(" | ".join(rows[-1]), flush=True)
            have, size = size + _SAMPLES, size * 10
        row = large(client)
    finally:
        stop(child)
    seconds, child = restarted(place, port)
    stop(child)
    return rows, row, seconds


def report(rows: list[list[str]], row: list[str], restart: float, conditions: machine.Machine) -> str:
    lines = [
        "# Many APIs in one server",
        "",
        f"Measured {conditions.date} by `python -m bench.many` on {conditions.processor}, {conditions.cores} cores, Linux "
        f"{conditions.kernel}. Milliseconds over one kept-alive connection, medians of "
        f"{_SAMPLES} APIs added at each size; every write is on disk before it is acknowledged. An API is created by six calls.",
        "",
        "| APIs | create | deploy | first call | later calls | list 100 | KB of memory per API |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(f"| {' | '.join(cells)} |" for cells in rows),
        "",
        f"One API of {_RESOURCES} resources beside them: {row[0]} ms a management call while it grew, {row[1]} ms to deploy, "
        f"{row[2]} ms for the first call, {row[3]} ms for later ones. A start with all of them: {restart:.2f} s until ready.",
        "",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.many", description=__doc__)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=HERE / "MANY.md")
    options = parser.parse_args(arguments)
    conditions = machine.look()
    with tempfile.TemporaryDirectory() as directory:
        rows, row, restart = run(Path(directory), options.most)
    text = report(rows, row, restart, conditions)
    options.out.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
