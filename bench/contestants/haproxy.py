"""HAProxy, with and without its log."""

import shutil
import subprocess
from pathlib import Path

from bench.contestants.base import Ground, Running
from bench.peers import render
from bench.processes import free_port, spawn, wait_for_port


class Haproxy:
    """One thread; with `log`, each request's line goes to stdout, which is a file."""

    cores = 1
    connections = 64

    def __init__(self, *, log: bool) -> None:
        self._log = log
        self.name = "haproxy-log" if log else "haproxy"
        self.title = "HAProxy, access log" if log else "HAProxy, no log"
        self.flags = f"nbthread 1, http-reuse always, {'httplog to stdout (a file)' if log else 'log off'}"

    def available(self) -> str | None:
        """Needs Debian's haproxy."""
        return None if shutil.which("haproxy") else "haproxy is not installed (Debian: apt-get install haproxy)"

    def version(self) -> str:
        """As `haproxy -v` says."""
        done = subprocess.run(["haproxy", "-v"], capture_output=True, text=True, check=True)
        return " ".join(done.stdout.split()[:3])

    def start(self, workdir: Path, ground: Ground) -> Running:
        """Start it in the foreground."""
        port = free_port()
        render(
            "haproxy.cfg",
            workdir / "haproxy.cfg",
            PORT=str(port),
            UPSTREAM=str(ground.upstream),
            GLOBALLOG="log stdout format raw local0" if self._log else "",
            PROXYLOG="log global\n    option httplog" if self._log else "",
        )
        output = workdir / "output.txt"
        command = ["haproxy", "-db", "-f", "haproxy.cfg"]
        child = spawn(command, cores=ground.cores(self.cores), output=output, cwd=workdir)
        wait_for_port(child, port)
        return Running(child=child, url=f"http://127.0.0.1:{port}/pets", access_log=output if self._log else None)
