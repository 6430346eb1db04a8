"""HTTP messages as every room passes them on, and the two protocols by which the wire meets them.

Not here: parsing or writing HTTP (wire), the meaning of any header (gateway, control).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

Pairs: TypeAlias = list[tuple[bytes, bytes]]
"""Header fields in order, names as they are to appear on the wire."""


class Headers:
    """An ordered multimap of header fields: names keep their case and order, look-ups ignore case.

    `entries` holds (lower-case name, name as sent, value) and is filled by the wire while it parses; `first` (lower-case
    name to first value) may be given by whoever has it anyway.
    """

    __slots__ = ("_first", "entries", "memo")

    def __init__(
        self, entries: list[tuple[bytes, bytes, bytes]] | None = None, first: dict[bytes, bytes] | None = None
    ) -> None:
        self.entries: list[tuple[bytes, bytes, bytes]] = [] if entries is None else entries
        self._first = first
        self.memo: dict[Any, Any] | None = None
        """Set when the same head came on the same connection before: what was worked out of it then may be kept here, by a
        key that is the reader's own. The fields of such an object are shared by requests and never changed."""

    @classmethod
    def of(cls, pairs: Pairs) -> Headers:
        return cls([(name.lower(), name, value) for name, value in pairs])

    def get(self, lower_name: bytes) -> bytes | None:
        """The first value of a field. The name must be given in lower case."""
        first = self._first
        if first is None:
            first = self._first = {lower: value for lower, _, value in reversed(self.entries)}
        return first.get(lower_name)

    def get_all(self, lower_name: bytes) -> list[bytes]:
        return [value for lower, _, value in self.entries if lower == lower_name]

    def __contains__(self, lower_name: bytes) -> bool:
        return self.get(lower_name) is not None


class Request:
    """One request, its head complete. `body` is whole unless the endpoint asked for a stream (then `stream` is set)."""

    __slots__ = (
        "body",
        "head_size",
        "headers",
        "http_version",
        "method",
        "path",
        "peer",
        "query",
        "received_ns",
        "scheme",
        "stream",
        "target",
    )

    def __init__(
        self,
        *,
        method: str,
        target: bytes,
        headers: Headers,
        body: bytes = b"",
        http_version: str = "1.1",
        scheme: str = "http",
        peer: str = "127.0.0.1",
        head_size: int = 0,
        received_ns: int = 0,
    ) -> None:
        self.method = method
        self.target = target
        path, _, query = target.partition(b"?")
        self.path = path.decode("latin-1")
        """As sent: percent-encoding untouched, without the query."""
        self.query = query.decode("latin-1")
        """As sent, without the question mark."""
        self.headers = headers
        self.body = body
        self.stream: AsyncIterator[bytes] | None = None
        self.http_version = http_version
        self.scheme = scheme
        self.peer = peer
        """The client's IP address as the socket says."""
        self.head_size = head_size
        """Bytes of all header fields, names, separators and line ends included."""
        self.received_ns = received_ns
        """`Clock.ticks_ns` when the head was complete."""


class Response:
    """What goes back to a client. `body` is bytes, or a stream of chunks (sent chunked unless a length is among the headers)."""

    __slots__ = ("body", "close", "encoded", "headers", "status")

    def __init__(
        self, status: int, headers: Pairs, body: bytes | AsyncIterator[bytes] = b"", *, close: bool = False
    ) -> None:
        self.status = status
        self.headers = headers
        """Without Content-Length, Connection, Transfer-Encoding and Date: the wire adds those."""
        self.encoded = b""
        """Further fields, ready for the wire: `\\r\\nName: value` each, none of them the wire's own. Only for fields in
        which no line break can be: ids, and what came in through a parser, which refuses them."""
        self.body = body
        self.close = close


Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who answers a request, chosen when its head is complete and before its body is read."""

    handle: Handler
    max_body: int
    """Bytes; a longer body is answered with `too_large` and the connection is closed."""
    too_large: Callable[[Request], Response]
    streams: bool = False
    """True: `handle` is called at once with `request.stream` set, and `max_body` is not looked at."""


class FrontDoor(Protocol):
    """What a listener asks for every request head."""

    def __call__(self, request: Request, /) -> Endpoint: ...


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """What a backend may ask for in the TLS handshake: a certificate and its key, PEM. `id` stands for both."""

    id: str
    certificate: str
    private_key: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an outbound connection goes. Connections are pooled per origin."""

    scheme: str
    """`http` or `https`."""
    host: str
    port: int
    verify: bool = True
    """False: who issued the certificate is not checked."""
    identity: ClientIdentity | None = None
    """Shown to backends that ask for a certificate."""
    server_name: str | None = None
    """Whom the certificate has to name, where that is not `host`."""
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        identity = self.identity and self.identity.id
        object.__setattr__(
            self, "_hash", hash((self.scheme, self.host, self.port, self.verify, identity, self.server_name))
        )

    def __hash__(self) -> int:
        """Worked out once: every request looks its pool up."""
        return self._hash

    @property
    def authority(self) -> str:
        """For the Host header: without the port where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"


class BodyChunks(Protocol):
    """A body on its way. Who does not want the rest has to close it."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def __anext__(self) -> bytes: ...

    async def aclose(self) -> None: ...


class UpstreamResponse:
    """A backend's answer. `body` is whole, or a stream when the caller asked for one."""

    __slots__ = ("body", "headers", "memo", "status", "stream")

    def __init__(self, status: int, headers: Pairs, body: bytes = b"", stream: BodyChunks | None = None) -> None:
        self.status = status
        self.headers = headers
        """Names as the backend sent them. Shared by the answers with the same head: never changed."""
        self.memo: dict[Any, Any] | None = None
        """As in `Headers`: set when the same head came on the same connection before."""
        self.body = body
        self.stream = stream


class UpstreamError(Exception):
    """A backend could not be reached or did not answer properly; the message is for the log, not for the client."""


class UpstreamTimeout(UpstreamError):
    """The total time given to `send` ran out."""


class UpstreamTooLarge(UpstreamError):
    """The answer's body passed `max_body`."""


class Upstream(Protocol):
    """The pool of client connections."""

    async def send(
        self,
        origin: Origin,
        head: bytes,
        body: bytes | AsyncIterator[bytes],
        *,
        timeout: float,
        head_only: bool = False,
        max_body: int = 10 * 1024 * 1024,
        stream: bool = False,
        retry: bool = True,
    ) -> UpstreamResponse:
        """Send one request and wait for the answer.

        `head`: request line and header fields, encoded, with the closing blank line; framing headers are the caller's
        (an iterator as `body` is sent as it comes, so the caller frames it: Content-Length or, chunked, pre-encoded chunks).
        `timeout`: seconds for everything: connecting, sending, and receiving (with `stream`: up to the answer's head, and
        between two chunks). `head_only`: the answer has no body whatever its headers say (HEAD). `retry`: whether the
        request may be sent a second time when a kept-alive connection turns out dead before the first byte of an answer
        (never for an iterator as body).

        Raises UpstreamTimeout, UpstreamTooLarge, UpstreamError.
        """
        ...
