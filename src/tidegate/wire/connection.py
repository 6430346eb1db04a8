"""One HTTP/1.1 connection of a client: the bytes that come in, and in which order they become requests.

    IDLE ──first byte──▶ HEAD ──blank line──▶ BODY ──last byte──▶ BUSY ──answered──▶ IDLE, or CLOSING
      └───────── a whole request without a body in one read: the hot path ──────────▲

The bytes are cut at the ends of heads and bodies before llhttp sees them, so that it never runs into the next request: what
follows waits unparsed in `_rest` until its turn. So requests are served one by one and in order, memory is bounded by
pausing the socket, and a request line can be checked as it was sent. Reads here, `Responder` (the base class) writes.
"""

from __future__ import annotations

import asyncio
import logging

import httptools

from tidegate.core.message import Endpoint, Headers, Request
from tidegate.wire.body_stream import BodyStream
from tidegate.wire.client_socket import BODY, BUSY, CLOSING, FOREVER, HEAD, IDLE
from tidegate.wire.hub import Hub
from tidegate.wire.request_head import (
    LINE_FIXED,
    BadRequest,
    check_host,
    framing_fields,
    origin_form,
    plain_target,
    plausible,
    request_line,
    wants_keep_alive,
)
from tidegate.wire.responder import Responder, bare
from tidegate.wire.tls import HELLO, Handshake

log = logging.getLogger("tidegate.wire")

_PIECE = 8192
_HELD_MAX = 8
"""Pieces of pipelined bytes that wait for their turn before the socket is paused."""
_OVERHEAD_FACTOR = 16
"""Framing bytes per byte of content in a chunked body; one-byte chunks need five. Bounds chunk extensions and trailers."""


class Connection(Responder):
    """`data_received` is all of the reading side; see the module's picture."""

    __slots__ = (
        "_block",
        "_block_headers",
        "_chunks",
        "_endpoint",
        "_entries",
        "_fields_max",
        "_first",
        "_gained",
        "_head",
        "_head_max",
        "_host",
        "_overhead",
        "_oversized",
        "_parser",
        "_remaining",
        "_request",
        "_size",
        "_tail",
        "_ticks_ns",
        "_until",
    )

    def __init__(self, hub: Hub, scheme: str, socket: asyncio.Transport | None = None) -> None:
        super().__init__(hub, scheme, socket)
        self._parser = httptools.HttpRequestParser(self)
        self._entries: list[tuple[bytes, bytes, bytes]] = []
        self._first: dict[bytes, bytes] = {}
        self._head = bytearray()
        self._fields_max = hub.limits.head_fields
        self._head_max = hub.limits.head_bytes
        self._ticks_ns = hub.clock.ticks_ns
        self._host: bytes | None = None
        self._block = b""
        """The header fields of the last request, when it had no body and was wholly plain. A client that sends the same bytes
        again, as most do, has them understood already: nothing in them depends on the request line, which is looked at anew."""
        self._block_headers = Headers()
        self._request: Request | None = None
        self._endpoint: Endpoint | None = None
        self._chunks: list[bytes] = []
        self._size = 0
        self._gained = 0
        self._remaining = 0
        self._overhead = 0
        self._oversized = False
        self._tail = b""
        self._until = FOREVER

    # llhttp's callbacks

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        value = value.rstrip()
        self._entries.append((lower, name, value))
        self._first.setdefault(lower, value)

    def on_body(self, chunk: bytes) -> None:
        size = len(chunk)
        self._size += size
        self._gained += size
        if self._stream is not None:
            self._stream.feed(chunk)
        elif self._endpoint is not None and self._size > self._endpoint.max_body:
            self._oversized = True
        else:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        self._complete = True

    # bytes in

    def data_received(self, data: bytes) -> None:
        state = self._state
        if state == IDLE:
            size = len(data)
            if data.find(b"\r\n\r\n") == size - 4 and size <= self._head_max:
                line = request_line(data)
                if line is not None:
                    self._head_received(data, line)
                    return
        elif state == BUSY:
            self._rest.extend(_pieces(data))
            if len(self._rest) >= _HELD_MAX:
                self._pause_reading()
            return
        self._consume(data)

    def resume(self) -> None:
        """The last request is answered: on with what waited behind it."""
        while self._rest and self._state in (IDLE, HEAD, BODY):
            self._consume(self._rest.popleft())
        if self._eof and self._task is None:
            self._close()
        if len(self._rest) < _HELD_MAX:
            self._resume_reading()

    def _consume(self, data: bytes) -> None:
        while data:
            state = self._state
            if state == IDLE:
                if data[0] == HELLO and self._may_secure():
                    self._secure(data)
                    return
                data = data.lstrip(b"\r\n")
                if data:
                    self._state = HEAD
                    self.deadline = self._hub.loop.time() + self._hub.limits.header_timeout
            elif state == HEAD:
                data = self._consume_head(data)
            elif state == BODY:
                data = self._consume_body(data)
            elif state == BUSY:
                self._rest.extendleft(reversed(_pieces(data)))
                return
            else:
                return

    def _may_secure(self) -> bool:
        """Only the first byte of a plain connection can be that of a handshake."""
        return self._hub.secure is not None and self._request is None and self.scheme == "http"

    def _secure(self, hello: bytes) -> None:
        """The client speaks TLS: another has the socket from now on, and makes a connection of it in this one's stead."""
        hub, transport = self._hub, self._transport
        assert transport is not None
        self._transport = None
        self._state = CLOSING
        hub.deadlines.forget(self)
        Handshake(hub, transport, hello, lambda socket: Connection(hub, "https", socket))
        hub.leave(self)

    def _consume_head(self, data: bytes) -> bytes:
        """Returns what follows the head."""
        head = self._head
        begun = len(head)
        head += data
        end = head.find(b"\r\n\r\n", max(0, begun - 3)) + 4
        if end > self._hub.limits.head_bytes or (end < 4 and len(head) > self._hub.limits.head_bytes):
            self.refuse(431)
        elif end < 4:
            if not plausible(bytes(head)):
                self.refuse(400)
        else:
            self._head = bytearray()
            whole = bytes(head[:end])
            line = request_line(whole)
            if line is None:
                self.refuse(400)
            else:
                self._head_received(whole, line)
            return data[end - begun :]
        return b""

    def _feed(self, data: bytes | memoryview) -> bool:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            return self._ignore_upgrade()
        except httptools.HttpParserError:
            self._misframed()
            return False
        return True

    def _ignore_upgrade(self) -> bool:
        """llhttp takes a request with Upgrade for one without a body, and would read the body as the next request."""
        self._parser = httptools.HttpRequestParser(self)
        framing = framing_fields(Headers(self._entries))
        if not framing:
            return True
        entries, first = self._entries, self._first
        self._entries, self._first = [], {}
        self._complete = False
        good = self._feed(b"POST / HTTP/1.1\r\n%b\r\n" % framing)
        self._entries, self._first = entries, first
        return good

    def _misframed(self) -> None:
        """Nothing more can be read; an answer that is being made still goes out, as the last one."""
        if self._stream is None or self._task is None:
            self.refuse(400)
        else:
            self._body_broken("the request's body is malformed")

    # heads

    def _head_received(self, head: bytes, line: tuple[str, bytes, str]) -> None:
        method, target, version = line
        self._complete = False
        self._stream = None
        self._head_only = method == "HEAD"
        if method == "CONNECT":
            self.refuse(405)
            return
        block = head[len(method) + len(target) + LINE_FIXED - 2 :]
        if block == self._block and version == "1.1" and plain_target(target):
            headers = self._block_headers
            if headers.memo is None:
                headers.memo = {}
            self._keep = self._complete = True
            self._choose(method, target, version, headers, len(block) - 2)
            return
        entries: list[tuple[bytes, bytes, bytes]] = []
        first: dict[bytes, bytes] = {}
        self._entries = entries
        self._first = first
        try:
            self._parser.feed_data(head)
        except httptools.HttpParserUpgrade:
            if not self._ignore_upgrade():
                return
        except httptools.HttpParserError:
            self.refuse(400)
            return
        headers = Headers(entries, first)
        self._keep = version == "1.1"
        host = first.get(b"host")
        # A host that was found valid for the request before, and no field twice: the hot path has nothing more to check.
        if (
            host is None
            or host != self._host
            or len(first) != len(entries)
            or target[0] != 0x2F
            or len(first) > self._fields_max
        ):
            try:
                headers, target = self._check(headers, target)
            except BadRequest as error:
                self.refuse(error.status)
                return
        if b"connection" in first:
            self._keep = wants_keep_alive(headers, default=self._keep)
        if b"expect" in first and version == "1.1" and first[b"expect"].lower() != b"100-continue":
            self.refuse(417)
            return
        if self._complete and self._keep and target is line[1] and b"upgrade" not in first and b"expect" not in first:
            self._block = block
            self._block_headers = headers
        self._choose(method, target, version, headers, len(block) - 2)

    def _choose(self, method: str, target: bytes, version: str, headers: Headers, size: int) -> None:
        """The head is good: whoever answers it is found, and begins, or the body does."""
        request = Request(
            method=method,
            target=target,
            headers=headers,
            http_version=version,
            scheme=self.scheme,
            peer=self.peer,
            head_size=size,
            received_ns=self._ticks_ns(),
        )
        self._request = request
        try:
            endpoint = self._hub.front_door(request)
        except Exception:
            log.exception("no endpoint could be chosen for %s %s", method, request.path)
            self.refuse(500)
            return
        if self._complete and not endpoint.streams:
            self.start(request, endpoint.handle)
        else:
            self._body_begins(request, endpoint)

    def _check(self, headers: Headers, target: bytes) -> tuple[Headers, bytes]:
        """The rarer forms of a head. Raises BadRequest."""
        if len(headers.entries) > self._hub.limits.head_fields:
            raise BadRequest(431)
        if target[:1] != b"/":
            headers, target = origin_form(target, headers)
        check_host(headers, required=self._keep)
        self._host = headers.get(b"host")
        return headers, target

    # bodies

    def _body_begins(self, request: Request, endpoint: Endpoint) -> None:
        headers = request.headers
        length = headers.get(b"content-length")
        self._endpoint = endpoint
        self._entries, self._first = [], {}  # trailers go nowhere
        self._chunks = []
        self._size = self._overhead = 0
        self._oversized = False
        self._tail = b""
        self._remaining = -1 if length is None else int(length)
        self._continue = not self._complete and headers.get(b"expect") is not None and request.http_version == "1.1"
        self._state = BODY
        if endpoint.streams:
            self._stream_begins(request, endpoint)
        elif self._remaining > endpoint.max_body:
            self._too_large()
        else:
            self.stream_wanted()
        if self._state == BODY:
            self._watch_body(self._hub.limits.body_timeout)

    def _stream_begins(self, request: Request, endpoint: Endpoint) -> None:
        self._stream = request.stream = BodyStream(self)
        if self._complete:
            self._stream.end()
        self.start(request, endpoint.handle)
        self._state = BUSY if self._complete else BODY

    def _watch_body(self, timeout: float) -> None:
        now = self._hub.loop.time()
        self._gained = 0
        self._until = FOREVER if self._stream is not None else now + timeout
        self.deadline = min(self._until, now + self._hub.limits.body_progress_seconds)

    def _consume_body(self, data: bytes) -> bytes:
        """Returns what follows the body."""
        if self._remaining >= 0:
            part, rest = data[: self._remaining], data[self._remaining :]
            self._remaining -= len(part)
            good = self._feed(part)
        else:
            good, rest = self._feed_chunked(data)
        if self._oversized:
            self._too_large()
        elif good and self._complete:
            self._body_complete()
        return rest

    def _feed_chunked(self, data: bytes) -> tuple[bool, bytes]:
        """A chunked body ends in an empty line: stop after each until llhttp says that it was the end."""
        window = self._tail + data
        view, fed, before = memoryview(window), len(self._tail), self._size
        cut = window.find(b"\r\n\r\n") + 4
        while cut >= 4:
            if not self._feed(view[fed:cut]):
                return False, b""
            fed = cut
            if self._complete or self._oversized:
                return True, window[fed:]
            # The next empty line may begin with the line end of this one.
            cut = window.find(b"\r\n\r\n", cut - 2) + 4
        if fed < len(window) and not self._feed(view[fed:]):
            return False, b""
        self._tail = window[-3:]
        self._overhead += len(data) - (self._size - before)
        if self._overhead > _OVERHEAD_FACTOR * self._size + self._hub.limits.head_bytes:
            self._misframed()
            return False, b""
        return True, b""

    def _too_large(self) -> None:
        request, endpoint = self._request, self._endpoint
        assert request is not None and endpoint is not None
        self._chunks = []
        self._continue = False
        try:
            self.answer_now(endpoint.too_large(request))
        except Exception:
            log.exception("no answer to a body too large for %s %s", request.method, request.path)
            self.refuse(500)

    def _body_complete(self) -> None:
        self._continue = False
        if self._stream is not None:
            self._stream.end()
            self._state = BUSY
            self.deadline = FOREVER
            return
        request, endpoint = self._request, self._endpoint
        assert request is not None and endpoint is not None
        chunks, self._chunks = self._chunks, []
        request.body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self.start(request, endpoint.handle)

    # time

    def expire_reading(self) -> None:
        """The head, or the body, is late."""
        now = self._hub.loop.time()
        limits = self._hub.limits
        moving = self._gained >= limits.body_progress_bytes or self._reading_paused
        if self._state == BODY and now < self._until and moving:
            self._gained = 0
            self.deadline = min(self._until, now + limits.body_progress_seconds)
        elif self._stream is not None and self._task is not None:
            self._body_broken("the request's body stopped coming")
        else:
            self.answer_now(bare(408))


def _pieces(data: bytes) -> list[bytes]:
    """Small enough that taking one request off the front again and again copies little."""
    return [data] if len(data) <= _PIECE else [data[at : at + _PIECE] for at in range(0, len(data), _PIECE)]
