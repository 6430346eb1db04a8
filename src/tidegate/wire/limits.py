"""How much a client may ask of a listener: sizes, counts and times. Numbers only; the connection enforces them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Times are seconds and are kept with the precision of `tick`; sizes are bytes."""

    head_bytes: int = 65_536
    """Request line and header fields together; beyond it 431 and close. (AWS's own 10,240 bytes are the gateway's to check.)"""
    head_fields: int = 200
    handshake_timeout: float = 10.0
    """From the first byte of a TLS handshake to its end; then the connection is cut."""
    header_timeout: float = 30.0
    """From the first byte of a head to its last; then 408 and close."""
    idle_timeout: float = 310.0
    """AWS: the client idle timeout of a REST API's keep-alive connection."""
    body_timeout: float = 300.0
    """For a whole buffered body; then 408 and close."""
    body_progress_seconds: float = 20.0
    body_progress_bytes: int = 1024
    """A body has to gain as many bytes in `body_progress_seconds`, or be complete; else 408 and close."""
    write_stall: float = 30.0
    """A client that reads nothing of its answer for so long is cut off."""
    half_closed: float = 10.0
    """A client that shut down its side may only have ended its request, or be gone: a streamed answer that says nothing for
    so long is given up then."""
    linger: float = 2.0
    """After an early answer, how long the rest of the request is thrown away, so that the client can read the answer
    before the kernel answers its unread bytes with a reset."""
    connections: int = 10_000
    """Open at once; a further one is answered 503 and closed."""
    tick: float = 0.5
