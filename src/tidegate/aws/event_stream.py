"""AWS's event stream encoding: messages of headers and a payload, each with its checksums. Writing only.

Source: *Event stream encoding* (Amazon Transcribe Developer Guide, Smithy's `vnd.amazon.eventstream`).
"""

from __future__ import annotations

import struct
from zlib import crc32

_TEXT = 7
"""The type of header values that are strings."""


def event(kind: str, payload: bytes, content_type: str) -> bytes:
    """One message of type `event`. `kind`: the member of the stream's union."""
    headers = b"".join(
        struct.pack("!B", len(name)) + name + struct.pack("!BH", _TEXT, len(value)) + value
        for name, value in (
            (b":event-type", kind.encode()),
            (b":content-type", content_type.encode()),
            (b":message-type", b"event"),
        )
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack("!I", crc32(prelude)) + headers + payload
    return message + struct.pack("!I", crc32(message))
