"""nginx as a reverse proxy."""

import shutil
from pathlib import Path

from bench.contestants.base import Ground, Running
from bench.peers import nginx_version, render
from bench.processes import free_port, spawn, wait_for_port


class Nginx:
    """One worker, kept-alive upstream connections, access log."""

    name = "nginx"
    title = "nginx, access log"
    flags = "worker_processes 1, upstream keepalive 64, access log in the default format (unbuffered)"
    cores = 1
    connections = 64

    def available(self) -> str | None:
        """Needs Debian's nginx."""
        return None if shutil.which("nginx") else "nginx is not installed (Debian: apt-get install nginx-light)"

    def version(self) -> str:
        """As `nginx -v` says."""
        return nginx_version()

    def start(self, workdir: Path, ground: Ground) -> Running:
        """Start master and worker."""
        port = free_port()
        render("nginx.conf", workdir / "nginx.conf", PORT=str(port), UPSTREAM=str(ground.upstream))
        command = ["nginx", "-p", str(workdir), "-e", "error.log", "-c", "nginx.conf"]
        child = spawn(command, cores=ground.cores(self.cores), output=workdir / "output.txt", cwd=workdir)
        wait_for_port(child, port)
        return Running(child=child, url=f"http://127.0.0.1:{port}/pets", access_log=workdir / "access.log")
