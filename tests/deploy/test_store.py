"""The store over HTTP, against a server of the standard library."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tidegate.deploy.errors import DeployError
from tidegate.deploy.state import HttpStackStore

kept: dict[str, Any] = {}


class Stacks(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/_tidegate/stacks":
            self.answer(200, [path.rpartition("/")[2] for path in kept])
        elif self.path in kept:
            self.answer(200, kept[self.path])
        else:
            self.answer(500 if "broken" in self.path else 404, {})

    def do_PUT(self) -> None:
        kept[self.path] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(200, {})

    def answer(self, status: int, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def store() -> Iterator[HttpStackStore]:
    kept.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stacks)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield HttpStackStore(f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
    server.server_close()
    thread.join()


def test_round_trip(store: HttpStackStore) -> None:
    assert store.get("demo") is None
    assert store.list() == []
    store.put("demo", {"a": 1})
    assert store.get("demo") == {"a": 1}
    assert store.list() == ["demo"]


def test_errors(store: HttpStackStore) -> None:
    with pytest.raises(DeployError, match="answers 500"):
        store.get("broken")
    with pytest.raises(DeployError, match="cannot be reached"):
        HttpStackStore("http://127.0.0.1:1").get("demo")
