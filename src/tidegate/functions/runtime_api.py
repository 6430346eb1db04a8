"""The Lambda Runtime API as one worker sees it, without sockets: a state machine from requests to verdicts.

Not here: HTTP parsing (runtime_server), messages of clients of ours (channel), what an answer means for the invocation
(worker, pool).

AWS: "Lambda runtime API" (version 2018-06-01). The states:

    INIT ──next──▶ READY ──begin()──▶ BUSY ──response|error──▶ DONE ──next──▶ READY
      └─init/error─▶ FAILED            └─open_stream()─▶ STREAMING ──end of the response──▶ DONE

Whatever else is asked for in a state is answered 403 InvalidStateTransition; an unknown invocation 400 InvalidRequestID.
`restore/*` belongs to SnapStart, which is never announced to a runtime here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

MAX_RESPONSE: Final = 6_291_556
"""Bytes. AWS: 6 MB and 100 bytes, as the error's text says."""

_BASE = b"/2018-06-01/runtime/"
_NEXT = _BASE + b"invocation/next"
_INVOCATION = _BASE + b"invocation/"
_INIT_ERROR = _BASE + b"init/error"


class State(Enum):
    INIT = auto()
    READY = auto()
    """Waits on `next`."""
    BUSY = auto()
    STREAMING = auto()
    """Its response has begun and is not over."""
    DONE = auto()
    """Has answered, and has not asked for more yet."""
    FAILED = auto()


class Told(Enum):
    """What a request means for whoever owns the worker."""

    NOTHING = auto()
    READY = auto()
    """The worker waits; its request is answered by `begin`."""
    ANSWERED = auto()
    """The body is the function's result."""
    FAILED = auto()
    """The body is the error that the invocation ends with."""
    STREAMED = auto()
    """The streamed response is over; an error of the function may be in its trailers."""
    TOO_LARGE = auto()
    """The invocation ends, its result was longer than MAX_RESPONSE."""
    INIT_FAILED = auto()
    """The body is the error; the process is about to exit."""


@dataclass(frozen=True, slots=True)
class Verdict:
    reply: bytes | None
    """The whole HTTP response; None: the request is held until there is an invocation."""
    told: Told


def http_reply(status: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return head + body


def _refusal(status: bytes, kind: bytes, message: bytes) -> bytes:
    return http_reply(status, b'{"errorType":"%b","errorMessage":"%b"}\n' % (kind, message))


_ACCEPTED = http_reply(b"202 Accepted", b'{"status":"OK"}\n')
_LARGE = _refusal(b"413 Request Entity Too Large", b"RequestEntityTooLarge", b"Exceeded maximum allowed payload size")

_HOLD = Verdict(None, Told.READY)
_TAKEN = Verdict(_ACCEPTED, Told.ANSWERED)
_STREAMED = Verdict(_ACCEPTED, Told.STREAMED)
_TAKEN_ERROR = Verdict(_ACCEPTED, Told.FAILED)
_TAKEN_INIT_ERROR = Verdict(_ACCEPTED, Told.INIT_FAILED)
_TOO_LARGE = Verdict(_LARGE, Told.TOO_LARGE)
_LARGE_ERROR = Verdict(_LARGE, Told.NOTHING)
_BAD_ID = Verdict(_refusal(b"400 Bad Request", b"InvalidRequestID", b"Invalid request ID"), Told.NOTHING)
_BAD_STATE = Verdict(_refusal(b"403 Forbidden", b"InvalidStateTransition", b"Transition is not allowed"), Told.NOTHING)
_NOT_FOUND = Verdict(_refusal(b"404 Not Found", b"NotFound", b"No such endpoint"), Told.NOTHING)

BAD_REQUEST: Final = _refusal(b"400 Bad Request", b"BadRequest", b"Not an HTTP/1.1 request")


def render_next(
    *,
    request_id: str,
    payload: bytes,
    function_arn: str,
    deadline_ms: int,
    trace_header: str,
    client_context: bytes | None = None,
) -> bytes:
    """The held request's response, body and all.

    `function_arn`: as addressed, with the qualifier if one was given. `deadline_ms`: of the wall clock that the child
    process sees. `client_context`: JSON.
    """
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        f"Lambda-Runtime-Aws-Request-Id: {request_id}\r\n"
        f"Lambda-Runtime-Deadline-Ms: {deadline_ms}\r\n"
        f"Lambda-Runtime-Invoked-Function-Arn: {function_arn}\r\n"
        f"Lambda-Runtime-Trace-Id: {_one_line(trace_header)}\r\n"
        f"Content-Length: {len(payload)}\r\n"
    ).encode()
    if client_context is not None:
        # A line end is blank space to JSON, but would end the header field.
        one_line = client_context.replace(b"\r", b" ").replace(b"\n", b" ")
        head = b"%bLambda-Runtime-Client-Context: %b\r\n" % (head, one_line)
    return b"%b\r\n%b" % (head, payload)


def _one_line(text: str) -> str:
    return text if text.isprintable() else "".join(c for c in text if c.isprintable())


class RuntimeApi:
    """One worker's conversation. Requests go into `ask`; the owner calls `begin` in READY, and `lost` if the poll breaks."""

    __slots__ = ("_error_path", "_response_path", "state")

    def __init__(self) -> None:
        self.state = State.INIT
        self._response_path = b""
        self._error_path = b""

    def begin(self, request_id: str) -> None:
        """An invocation is handed to the waiting runtime."""
        if self.state is not State.READY:
            raise RuntimeError(f"no runtime is waiting: {self.state}")
        self.state = State.BUSY
        prefix = b"%b%b/" % (_INVOCATION, request_id.encode("ascii"))
        self._response_path = prefix + b"response"
        self._error_path = prefix + b"error"

    def lost(self) -> None:
        """The connection on which `next` was held is gone, nobody waits any more."""
        if self.state is State.READY:
            self.state = State.DONE

    def open_stream(self, method: bytes, target: bytes) -> bool:
        """The head of a streaming response has come; False: it is not one for the invocation that runs."""
        if self.state is not State.BUSY or method != b"POST" or target != self._response_path:
            return False
        self.state = State.STREAMING
        return True

    def ask(self, method: bytes, target: bytes, *, too_large: bool = False) -> Verdict:
        """`too_large`: the body was longer than MAX_RESPONSE and has been thrown away."""
        if target == _NEXT and method == b"GET":
            return self._next()
        if method == b"POST":
            if target == self._response_path:
                if self.state is State.STREAMING:
                    self.state = State.DONE
                    return _STREAMED
                return self._end(_TOO_LARGE if too_large else _TAKEN)
            if target == self._error_path:
                return self._end(_TOO_LARGE if too_large else _TAKEN_ERROR)
            if target == _INIT_ERROR:
                return self._init_error(too_large)
            if target.startswith(_INVOCATION) and target.endswith((b"/response", b"/error")):
                return _BAD_ID
        return _NOT_FOUND

    def hear(self, letter: bytes, *, too_large: bool) -> Told:
        """The same for a message of the channel, without the asking for more that it may hold; NOTHING: it is out of turn."""
        if letter == b"R":
            return self._end(_TOO_LARGE if too_large else _TAKEN).told
        if letter == b"N":
            return self._next().told
        if letter in (b"E", b"F"):
            return self._end(_TOO_LARGE if too_large else _TAKEN_ERROR).told
        return self._init_error(too_large).told if letter == b"I" else Told.NOTHING

    def _next(self) -> Verdict:
        if self.state is State.INIT or self.state is State.DONE:
            self.state = State.READY
            return _HOLD
        return _BAD_STATE

    def _end(self, verdict: Verdict) -> Verdict:
        if self.state is not State.BUSY:
            return _BAD_STATE
        self.state = State.DONE
        return verdict

    def _init_error(self, too_large: bool) -> Verdict:
        if too_large:
            return _LARGE_ERROR
        if self.state is not State.INIT:
            return _BAD_STATE
        self.state = State.FAILED
        return _TAKEN_INIT_ERROR
