"""HTTP_PROXY with responseTransferMode STREAM: what the backend sends is passed on as it comes, in bounded memory."""

from __future__ import annotations

import http.client
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.running import ApiBuilder, Server

WAIT = 20
LARGE = 200_000_000


@dataclass
class Conversation:
    """One request that the backend got, and what the test tells it to do."""

    peer: socket.socket
    go_on: threading.Event = field(default_factory=threading.Event)
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    stuck: threading.Event = field(default_factory=threading.Event)
    sent: int = 0

    def send(self, data: bytes) -> None:
        self.peer.sendall(data)

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%b\r\n" % (len(data), data))


CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\nX-Own: 1\r\n\r\n"


def in_two_parts(talk: Conversation) -> None:
    talk.send(CHUNKED)
    talk.chunk(b"data: first\n\n")
    talk.begun.set()
    talk.go_on.wait(WAIT)
    talk.chunk(b"data: last\n\n")
    talk.send(b"0\r\n\r\n")


def dying(talk: Conversation) -> None:
    talk.send(CHUNKED)
    talk.chunk(b"half")
    talk.go_on.wait(WAIT)


def dying_before_its_length(talk: Conversation) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    talk.go_on.wait(WAIT)


def without_a_length(talk: Conversation) -> None:
    talk.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")


def large(talk: Conversation) -> None:
    """As fast as it is taken; `stuck` is set when nothing is taken for a while."""
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGE)
    block = bytes(1_000_000)
    view = memoryview(block)
    talk.peer.settimeout(0.2)
    while talk.sent < LARGE:
        try:
            talk.sent += talk.peer.send(view[: LARGE - talk.sent])
        except TimeoutError:
            talk.stuck.set()


def endless(talk: Conversation) -> None:
    """Chunk after chunk, until the other side ends the connection."""
    talk.send(CHUNKED)
    talk.peer.settimeout(0.02)
    try:
        while True:
            talk.chunk(b"one")
            try:
                if not talk.peer.recv(1):
                    break
            except TimeoutError:
                continue
    except OSError:
        pass
    talk.ended.set()


def silent(talk: Conversation) -> None:
    talk.send(CHUNKED)
    talk.chunk(b"one")
    talk.peer.settimeout(WAIT)
    try:
        talk.peer.recv(1)
    except TimeoutError:
        return
    except OSError:
        pass
    talk.ended.set()


def no_body(talk: Conversation) -> None:
    talk.send(b"HTTP/1.1 204 No Content\r\nX-Own: 1\r\n\r\n")


def error(talk: Conversation) -> None:
    talk.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nContent-Encoding: br\r\n\r\nbusy")


WAYS: dict[str, Callable[[Conversation], None]] = {
    f"/{way.__name__}": way
    for way in (in_two_parts, dying, dying_before_its_length, without_a_length, large, endless, silent, no_body, error)
}


class Streams:
    """A backend that answers by the path that it is asked for, and closes the connection behind every answer."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.talks: dict[str, Conversation] = {}
        self.asked: dict[str, threading.Event] = {way: threading.Event() for way in WAYS}
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = peer.recv(65536)
            if not received:
                return
            head += received
        way = head.split(b" ")[1].decode()
        talk = self.talks[way] = Conversation(peer)
        self.asked[way].set()
        try:
            WAYS[way](talk)
        finally:
            peer.close()

    def talk(self, way: str) -> Conversation:
        assert self.asked[way].wait(WAIT)
        return self.talks[way]


@pytest.fixture(scope="module")
def streams() -> Iterator[Streams]:
    running = Streams()
    yield running
    running.listener.close()


@pytest.fixture(scope="module")
def api(server: Server, streams: Streams) -> str:
    options = {"responseTransferMode": "STREAM", "timeoutInMillis": 60_000}
    mapped = {"integration.request.path.way": "method.request.path.way"}
    api = ApiBuilder(server, minimumCompressionSize=0)
    api.proxy_to(
        "/{way}",
        "ANY",
        f"{streams.url}/{{way}}",
        backend_verb="ANY",
        declare={"method.request.path.way": True},
        requestParameters=mapped,
        **options,
    )
    return api.deploy()


@pytest.fixture
def client(server: Server) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT)
    yield connection
    connection.close()


def ask(
    client: http.client.HTTPConnection, api: str, way: Callable[[Conversation], None], verb: str = "GET"
) -> http.client.HTTPResponse:
    headers = {"Host": f"{api}.execute-api.us-east-1.amazonaws.com", "Accept-Encoding": "gzip"}
    client.request(verb, f"/prod/{way.__name__}", headers=headers)
    return client.getresponse()


def test_the_first_bytes_do_not_wait_for_the_last(
    streams: Streams, api: str, client: http.client.HTTPConnection
) -> None:
    answer = ask(client, api, in_two_parts)
    assert (answer.status, answer.headers["Content-Type"], answer.headers["X-Own"]) == (200, "text/event-stream", "1")
    assert answer.headers["x-amzn-RequestId"]
    assert answer.read1() == b"data: first\n\n"
    talk = streams.talk("/in_two_parts")
    assert not talk.go_on.is_set()
    talk.go_on.set()
    assert answer.read() == b"data: last\n\n"
    # AWS: what is streamed is never compressed; and the connection serves on.
    assert answer.headers["Content-Encoding"] is None
    assert ask(client, api, without_a_length).read() == b"until the end"


def test_what_ends_at_once(api: str, client: http.client.HTTPConnection) -> None:
    answer = ask(client, api, no_body)
    assert (answer.status, answer.headers["X-Own"], answer.read()) == (204, "1", b"")
    answer = ask(client, api, error)
    assert (answer.status, answer.headers["Content-Encoding"], answer.read()) == (503, "br", b"busy")


@pytest.mark.parametrize("way", [dying, dying_before_its_length])
def test_a_backend_that_dies_cuts_the_connection(
    streams: Streams, api: str, client: http.client.HTTPConnection, way: Callable[[Conversation], None]
) -> None:
    answer = ask(client, api, way)
    assert answer.status == 200
    assert answer.read1() == b"half"
    streams.talk(f"/{way.__name__}").go_on.set()
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        answer.read()


@pytest.mark.parametrize("way", [endless, silent])
def test_a_client_that_leaves_ends_the_backends_connection(
    streams: Streams, api: str, server: Server, way: Callable[[Conversation], None]
) -> None:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=WAIT)
    client.connect()
    if way is silent:
        # Who only ends its own side may still read; a reset says that it does not.
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    answer = ask(client, api, way)
    assert answer.read1() == b"one"
    answer.close()
    client.close()
    assert streams.talk(f"/{way.__name__}").ended.wait(WAIT)


def memory(server: Server, what: str) -> int:
    """VmRSS, or VmHWM (the highest ever), in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(rf"{what}:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def test_a_large_answer_in_bounded_memory(
    server: Server, streams: Streams, api: str, client: http.client.HTTPConnection
) -> None:
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
    before = memory(server, "VmRSS")
    answer = ask(client, api, large)
    talk = streams.talk("/large")
    # Nobody reads: the backend cannot go on, long before it is through.
    assert talk.stuck.wait(WAIT)
    assert talk.sent < LARGE / 4
    buffer = bytearray(1_000_000)
    size = 0
    while count := answer.readinto(buffer):
        size += count
    assert size == LARGE
    assert memory(server, "VmHWM") - before < 20_000_000
