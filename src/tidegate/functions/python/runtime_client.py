"""The module `runtime_client` that AWS's runtime client for Python speaks through: over the channel that the process has
inherited, in place of HTTP. The interface is that of the one that comes with awslambdaric.

Runs on every Python that functions run on, and imports nothing of ours; the messages are described in functions/channel.py.
"""

from __future__ import annotations

import os
import socket
from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAD = Struct(">IQHHHI")
_NO_CONTEXT = 0xFFFFFFFF
_LETTER = Struct(">cI")
_ROOM = 65536
_GONE = "The Lambda Runtime API has closed the connection."

_channel = socket.socket(fileno=int(os.environ.pop("_TIDEGATE_CHANNEL")))
_channel.set_inheritable(False)
_asked = False
"""Whether the last message has asked for an invocation already."""


def initialize_client(user_agent: str) -> None:
    """Nobody is told."""


def next() -> tuple[bytes, dict[str, Any]]:
    global _asked
    if not _asked:
        _channel.sendall(_LETTER.pack(b"N", 0))
    _asked = False
    data: bytes | bytearray = _channel.recv(_ROOM)
    while len(data) < _HEAD.size:
        data += _more(_ROOM)
    size, deadline, request_id, arn, trace, context = _HEAD.unpack_from(data)
    start = _HEAD.size
    arn_start = start + request_id
    trace_start = arn_start + arn
    context_start = trace_start + trace
    payload_start = context_start + (0 if context == _NO_CONTEXT else context)
    end = payload_start + size
    if len(data) < end:
        data = _whole(data, end)
    headers = {
        "Lambda-Runtime-Aws-Request-Id": data[start:arn_start].decode(),
        "Lambda-Runtime-Trace-Id": data[trace_start:context_start].decode(),
        "Lambda-Runtime-Invoked-Function-Arn": data[arn_start:trace_start].decode(),
        "Lambda-Runtime-Deadline-Ms": deadline,
        "Lambda-Runtime-Client-Context": None if context == _NO_CONTEXT else data[context_start:payload_start].decode(),
        "Content-Type": "application/json",
    }
    return bytes(memoryview(data)[payload_start:]), headers


def post_invocation_result(
    invoke_id: str, result: bytes, content_type: str = "application/json", invocation_id: str | None = None
) -> None:
    # A result that is too large is not kept by the gateway, but is an end of the invocation all the same.
    _answer(b"R", result)


def post_error(invoke_id: str, error: str, xray_fault: str, invocation_id: str | None = None) -> None:
    # X-Ray's cause is not sent on: nothing here reads it.
    _answer(b"E", error.encode("utf-8"))


def _answer(letter: bytes, body: bytes) -> None:
    """AWS's client asks for the next invocation right after its answer: one message says both."""
    global _asked
    _asked = True
    _channel.sendall(_LETTER.pack(letter, len(body)) + body)


def _whole(begun: bytes | bytearray, size: int) -> bytearray:
    data = bytearray(size)
    data[: len(begun)] = begun
    view, at = memoryview(data), len(begun)
    while at < size:
        got = _channel.recv_into(view[at:])
        if not got:
            raise RuntimeError(_GONE)
        at += got
    return data


def _more(room: int) -> bytes:
    data = _channel.recv(room)
    if not data:
        raise RuntimeError(_GONE)
    return data
