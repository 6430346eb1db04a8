"""The upstream behind every gateway: nginx with a constant answer, or a small server of our own where nginx is missing.

Run as `python -m bench.upstream PORT`, this module is that small server. It reads no more of a request than its end.
"""

import asyncio
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import uvloop

from bench.answer import BODY
from bench.peers import nginx_version, render
from bench.processes import Child, free_port, spawn, wait_for_port

_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


@dataclass(frozen=True, slots=True)
class Upstream:
    """The running upstream."""

    child: Child
    port: int


def kind() -> str:
    """Which of both it is here, with its version."""
    if shutil.which("nginx"):
        return f"{nginx_version()}, constant answer, access log off"
    return "bench/upstream.py (uvloop), because nginx is not installed: slower, so that gateways may wait for it"


def start(workdir: Path, cores: Sequence[int]) -> Upstream:
    """Start the upstream on the load side's cores."""
    port = free_port()
    if shutil.which("nginx"):
        render(
            "upstream.conf",
            workdir / "nginx.conf",
            PORT=str(port),
            BODY=BODY.decode(),
            WORKERS=str(min(4, len(cores))),
        )
        command = ["nginx", "-p", str(workdir), "-e", "error.log", "-c", "nginx.conf"]
    else:
        command = [sys.executable, "-m", "bench.upstream", str(port)]
    root = Path(__file__).resolve().parent.parent
    child = spawn(command, cores=cores, output=workdir / "output.txt", cwd=root)
    wait_for_port(child, port)
    return Upstream(child, port)


class _Constant(asyncio.Protocol):
    def __init__(self) -> None:
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not derive from asyncio's, so this cannot be an isinstance check.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        *heads, self._seen = (self._seen + data).split(b"\r\n\r\n")
        self._transport.write(_RESPONSE * len(heads))


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Constant, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
