"""An HTTP backend that tells what it received, or answers what it is told to."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass
class Backend:
    """`answer` decides what comes back; by default 200 with what was received, as JSON."""

    received: list[Received] = field(default_factory=list)
    arrivals: queue.SimpleQueue[Received] = field(default_factory=queue.SimpleQueue)
    answer: Callable[[Received], tuple[int, list[tuple[str, str]], bytes]] | None = None

    def start(self) -> Backend:
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                received = Received(self.command, self.path, list(self.headers.items()), self.rfile.read(length))
                backend.received.append(received)
                backend.arrivals.put(received)
                status, headers, body = (backend.answer or echo)(received)
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = serve  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def next(self) -> Received:
        """What nobody has asked for yet, as soon as it is there."""
        return self.arrivals.get(timeout=20)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def echo(received: Received) -> tuple[int, list[tuple[str, str]], bytes]:
    told = {
        "method": received.method,
        "target": received.target,
        "headers": dict(received.headers),
        "body": received.body.decode("latin-1"),
    }
    return 200, [("Content-Type", "application/json")], json.dumps(told).encode()
