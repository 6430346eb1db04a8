"""What functions write, per function: the last part in memory, everything in a file of bounded size.

Not here: reading pipes (process), the `logs` service (control). Functions are told apart by account, region and name, which
are the parts of a log's key.

AWS: "Monitoring functions on the Lambda console": START, END, REPORT. Lines carry the time at which they were read.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from tidegate.core.clock import Clock

log = logging.getLogger("tidegate.functions")

TAIL_BYTES: Final = 4096
"""AWS: LogType Tail gives the last 4 KB of the log."""
MAX_EVENT: Final = 256 * 1024
"""AWS: the size of one log event; a longer line is cut into several."""
_FOLLOWER_LINES = 10_000
_FLUSH_SECONDS = 0.2
_PENDING_BYTES = 1024 * 1024
_OVERHEAD = 100
"""What an entry of the ring costs beside its text; without it, empty lines would be free."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    directory: Path | None = None
    """`<directory>/<account>/<region>/<function name>.log`; None: memory only."""
    ring_bytes: int = 512 * 1024
    """Per function, in memory."""
    file_bytes: int = 16 * 1024 * 1024
    """A longer file is renamed to `<name>.log.1`, whose predecessor goes."""


@dataclass(frozen=True, slots=True)
class LogLine:
    at: float
    """Seconds since the epoch."""
    text: bytes
    """Without the final line end; a traceback of the runtime client holds inner ones."""
    stream: str = ""
    """Name of the log stream, which is one worker's."""
    number: int = 0
    """Counted over all that the function has written."""

    def render(self) -> bytes:
        """As it stands in the file: `2026-01-31T12:00:00.000Z<blank>text`."""
        return b"%b%b\n" % (_timestamp(self.at), self.text)


def start_line(request_id: str, version: str) -> bytes:
    return f"START RequestId: {request_id} Version: {version}".encode()


def end_line(request_id: str) -> bytes:
    return f"END RequestId: {request_id}".encode()


def report_line(
    request_id: str,
    *,
    milliseconds: float,
    memory_size: int,
    memory_used: int,
    init_milliseconds: float | None = None,
) -> bytes:
    """Memory in MB; the init's duration stands only on a worker's first invocation. The blank at the end is a tab."""
    init = "" if init_milliseconds is None else f"Init Duration: {init_milliseconds:.2f} ms\t"
    return (
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
        f"Billed Duration: {math.ceil(milliseconds)} ms\tMemory Size: {memory_size} MB\t"
        f"Max Memory Used: {memory_used} MB\t{init}"
    ).encode()


@lru_cache(maxsize=64)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _timestamp(at: float) -> bytes:
    second = int(at)
    return f"{_second(second)}.{int((at - second) * 1000):03d}Z ".encode("ascii")


class FunctionLog:
    """One function's lines. `write` is cheap: the file is written some time later."""

    def __init__(self, key: str, settings: LogSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._ring: deque[tuple[float, bytes, str]] = deque()
        self._ring_size = 0
        self._written = 0
        self._pending: list[tuple[float, bytes, str]] = []
        self._pending_size = 0
        self._file = None if settings.directory is None else settings.directory / f"{key}.log"
        self._broken = False
        self._followers: set[_Follower] = set()

    def write(self, *lines: bytes, stream: str = "") -> None:
        at = self._clock.time()
        entries = [(at, text, stream) for text in lines]
        self._written += len(lines)
        size = sum(map(len, lines)) + _OVERHEAD * len(lines)
        self._ring.extend(entries)
        self._ring_size += size
        while self._ring_size > self._settings.ring_bytes:
            self._ring_size -= len(self._ring.popleft()[1]) + _OVERHEAD
        if self._file is not None:
            self._pending.extend(entries)
            self._pending_size += size
            if self._pending_size > _PENDING_BYTES:
                self.flush()
        for follower in self._followers:
            follower.put([LogLine(at, text, stream) for text in lines])

    def tail(self, count: int) -> list[LogLine]:
        """The last lines, oldest first."""
        if count <= 0:
            return []
        skipped, gone = max(0, len(self._ring) - count), self._written - len(self._ring)
        return [LogLine(at, text, stream, gone + i) for i, (at, text, stream) in enumerate(self._ring) if i >= skipped]

    def forget(self) -> None:
        """What is in memory. The file is the operator's."""
        self._ring.clear()
        self._ring_size = 0

    async def follow(self) -> AsyncIterator[LogLine]:
        """Every line from now on. Who reads too slowly misses the oldest of ten thousand."""
        follower = _Follower()
        self._followers.add(follower)
        try:
            while True:
                for line in await follower.take():
                    yield line
        finally:
            self._followers.discard(follower)

    def flush(self) -> None:
        """Append to the file what it does not have yet."""
        if not self._pending or self._file is None:
            return
        parts, last, stamp = [], -1.0, b""
        for at, text, _ in self._pending:
            if at != last:  # an invocation's last lines are written together
                last, stamp = at, _timestamp(at)
            parts.append(b"%b%b\n" % (stamp, text))
        data = b"".join(parts)
        self._pending.clear()
        self._pending_size = 0
        try:
            _append(self._file, data, self._settings.file_bytes)
            self._broken = False
        except OSError as error:
            if not self._broken:  # said once, not for every line
                log.error("cannot write %s: %s", self._file, error)
            self._broken = True


def _append(file: Path, data: bytes, limit: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("ab") as stream:
        stream.write(data)
        full = stream.tell() > limit
    if full:
        file.replace(file.with_name(file.name + ".1"))


class _Follower:
    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=_FOLLOWER_LINES)
        self._arrived = asyncio.Event()

    def put(self, lines: list[LogLine]) -> None:
        self._lines.extend(lines)
        self._arrived.set()

    async def take(self) -> list[LogLine]:
        await self._arrived.wait()
        self._arrived.clear()
        lines = list(self._lines)
        self._lines.clear()
        return lines


class Logs:
    """The logs of all functions."""

    def __init__(self, settings: LogSettings, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self._settings = settings
        self._clock = clock
        self._loop = loop
        self._logs: dict[str, FunctionLog] = {}
        """By key: `<account>/<region>/<function name>`."""
        self._timer: asyncio.TimerHandle | None = None

    def of(self, key: str) -> FunctionLog:
        found = self._logs.get(key)
        if found is None:
            found = self._logs[key] = FunctionLog(key, self._settings, self._clock)
        return found

    def tail(self, key: str, count: int) -> list[LogLine]:
        return self._logs[key].tail(count) if key in self._logs else []

    def follow(self, key: str) -> AsyncIterator[LogLine]:
        return self.of(key).follow()

    def forget(self, key: str) -> None:
        if key in self._logs:
            self._logs[key].forget()

    def clear(self) -> None:
        """All that is in memory. What workers that still run write is nobody's any more."""
        self.write_files()
        self._logs.clear()

    def start(self) -> None:
        if self._settings.directory is not None:
            self._timer = self._loop.call_later(_FLUSH_SECONDS, self._flush)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.write_files()

    def write_files(self) -> None:
        """Write what is not in the files yet."""
        for function_log in self._logs.values():
            function_log.flush()

    def _flush(self) -> None:
        self.write_files()
        self._timer = self._loop.call_later(_FLUSH_SECONDS, self._flush)


class LineSplitter:
    """Cuts one worker's output into lines for its function's log, and keeps the end of the running invocation's part."""

    __slots__ = ("_log", "_rest", "_stream", "_tail")

    def __init__(self, function_log: FunctionLog, stream: str = "") -> None:
        self._log = function_log
        self._stream = stream
        self._rest = b""
        self._tail: bytearray | None = None

    def feed(self, data: bytes) -> None:
        """`\\r` inside a line is the runtime client's way to keep a traceback together; it becomes a line end here."""
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        if lines:
            self._emit(lines)
        if len(self._rest) >= MAX_EVENT:
            self.finish_line()

    def finish_line(self) -> None:
        """What has no line end yet is a line of its own."""
        if self._rest:
            rest, self._rest = self._rest, b""
            self._emit([rest])

    def begin(self, start: bytes, *, tail: bool) -> None:
        self.finish_line()
        self._tail = bytearray() if tail else None
        self._write(start)

    def end(self, *lines: bytes) -> bytes:
        """The invocation's last lines; gives back its tail (empty unless asked for in `begin`)."""
        self.finish_line()
        self._write(*lines)
        tail = b"" if self._tail is None else bytes(self._tail[-TAIL_BYTES:])
        self._tail = None
        return tail

    def _emit(self, lines: list[bytes]) -> None:
        self._write(*[line.rstrip(b"\r").replace(b"\r", b"\n") for line in lines])

    def _write(self, *lines: bytes) -> None:
        self._log.write(*lines, stream=self._stream)
        if self._tail is not None:
            for line in lines[-TAIL_BYTES:]:
                self._tail += line + b"\n"
            if len(self._tail) > 4 * TAIL_BYTES:
                del self._tail[:-TAIL_BYTES]
