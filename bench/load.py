"""The load generator: runs wrk and reads what it prints. Knows nothing of gateways."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.processes import pinned

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class LoadError(Exception):
    """wrk did not run, or printed something that is not a result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One run of wrk. Latencies are seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    bad_status: int
    """Answers that were neither 2xx nor 3xx."""
    socket_errors: int
    """Connect, read, write errors and timeouts together."""

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def errors(self) -> int:
        """Everything that went wrong, of either kind."""
        return self.bad_status + self.socket_errors


def missing() -> str | None:
    """Why no load can be made here; None when it can."""
    return None if shutil.which("wrk") else "wrk is not installed (Debian: apt-get install wrk)"


def run(
    url: str,
    headers: Mapping[str, str],
    *,
    seconds: int,
    connections: int,
    threads: int,
    cores: Iterable[int],
    script: Path | None = None,
) -> Load:
    """Load one URL for whole seconds from the given cores."""
    command = ["wrk", "--latency", f"-d{seconds}s", f"-c{connections}", f"-t{threads}"]
    if script is not None:
        command += ["-s", str(script)]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    try:
        done = subprocess.run(
            pinned([*command, url], cores), capture_output=True, text=True, timeout=seconds + 30, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LoadError(f"wrk did not end {seconds + 30} s after it began") from error
    if done.returncode != 0:
        raise LoadError(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout).strip()}")
    return parse(done.stdout)


def parse(text: str) -> Load:
    """Read what `wrk --latency` prints. Raises LoadError when a figure is missing."""
    total = _find(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m|h),", text)
    non_2xx = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    sockets = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    requests, seconds = int(total[1]), float(total[2]) * _SECONDS[total[3]]
    if not requests:
        raise LoadError("wrk completed no request")
    return Load(
        requests=requests,
        seconds=seconds,
        p50=_percentile("50", text),
        p99=_percentile("99", text),
        bad_status=int(non_2xx[1]) if non_2xx else 0,
        socket_errors=sum(int(count) for count in sockets.groups()) if sockets else 0,
    )


def _percentile(percent: str, text: str) -> float:
    found = _find(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m|h)\s*$", text)
    return float(found[1]) * _SECONDS[found[2]]


def _find(pattern: str, text: str) -> re.Match[str]:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise LoadError(f"no /{pattern}/ in what wrk printed:\n{text}")
    return found
