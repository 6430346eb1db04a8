"""Function logs: lines, the ring, the file, followers, and the tail of one invocation."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.functions.harness import run
from tidegate.core.clock import ManualClock
from tidegate.functions.logs import FunctionLog, LineSplitter, Logs, LogSettings, end_line, report_line, start_line


def memory_log(**settings: int) -> FunctionLog:
    return FunctionLog("f", LogSettings(**settings), ManualClock(0.0))


def texts(log: FunctionLog) -> list[bytes]:
    return [line.text for line in log.tail(1000)]


def test_the_lines_are_aws_own() -> None:
    assert start_line("id", "$LATEST") == b"START RequestId: id Version: $LATEST"
    assert end_line("id") == b"END RequestId: id"
    assert report_line("id", milliseconds=12.341, memory_size=128, memory_used=50) == (
        b"REPORT RequestId: id\tDuration: 12.34 ms\tBilled Duration: 13 ms\tMemory Size: 128 MB\tMax Memory Used: 50 MB\t"
    )
    first = report_line("id", milliseconds=1.0, memory_size=128, memory_used=50, init_milliseconds=100.0)
    assert first.endswith(
        b"Billed Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 50 MB\tInit Duration: 100.00 ms\t"
    )


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a", b"b\nc", b"\n"], [b"ab", b"c"]),
        ([b"no end"], [b"no end"]),
        ([b"trace\r  one\r  two\n"], [b"trace\n  one\n  two"]),
        ([b"windows\r\n"], [b"windows"]),
        ([b"\n\n"], [b"", b""]),
        (["ü".encode()[:1], "ü".encode()[1:] + b"\n"], ["ü".encode()]),
        ([], []),
    ],
)
def test_output_becomes_lines(chunks: list[bytes], lines: list[bytes]) -> None:
    log = memory_log()
    splitter = LineSplitter(log)
    for chunk in chunks:
        splitter.feed(chunk)
    splitter.finish_line()
    assert texts(log) == lines


def test_a_line_without_end_is_cut() -> None:
    log = memory_log(ring_bytes=10_000_000)
    splitter = LineSplitter(log)
    for _ in range(10):
        splitter.feed(b"x" * 100_000)
    splitter.finish_line()
    assert sum(map(len, texts(log))) == 1_000_000
    assert max(map(len, texts(log))) <= 256 * 1024 + 100_000


def test_the_ring_is_bounded_even_for_empty_lines() -> None:
    log = memory_log(ring_bytes=10_000)
    for number in range(1000):
        log.write(b"%d" % number, b"")
    assert texts(log)[-2:] == [b"999", b""]
    assert len(texts(log)) <= 100


def test_tail_of_an_invocation_is_its_own_last_four_kilobytes() -> None:
    log = memory_log()
    splitter = LineSplitter(log)
    splitter.feed(b"before\n")
    splitter.begin(b"START", tail=True)
    splitter.feed(b"said\n")
    assert splitter.end(b"END") == b"START\nsaid\nEND\n"
    splitter.begin(b"START", tail=True)
    splitter.feed(b"".join(b"%06d\n" % i for i in range(10_000)))
    tail = splitter.end(b"END")
    assert len(tail) == 4096
    assert tail.endswith(b"009998\n009999\nEND\n")
    splitter.begin(b"START", tail=False)
    assert splitter.end(b"END") == b""


def test_the_file_has_times_and_a_limit(tmp_path: Path) -> None:
    clock = ManualClock(1.25)
    log = FunctionLog("f", LogSettings(directory=tmp_path, file_bytes=100), clock)
    log.write(b"one")
    assert not (tmp_path / "f.log").exists()
    log.flush()
    assert (tmp_path / "f.log").read_bytes() == b"1970-01-01T00:00:01.250Z one\n"
    clock.advance(1)
    log.write(b"x" * 100)
    log.flush()
    log.write(b"new")
    log.flush()
    assert (tmp_path / "f.log").read_bytes() == b"1970-01-01T00:00:02.250Z new\n"
    assert (tmp_path / "f.log.1").read_bytes().startswith(b"1970-01-01T00:00:01.250Z one\n")


def test_a_file_that_cannot_be_written_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "f.log").mkdir()
    log = FunctionLog("f", LogSettings(directory=tmp_path), ManualClock())
    for _ in range(3):
        log.write(b"x")
        log.flush()
    assert len(caplog.messages) == 1
    assert len(texts(log)) == 3


def test_followers_see_what_comes() -> None:
    async def follow() -> list[bytes]:
        logs = Logs(LogSettings(), ManualClock(), asyncio.get_running_loop())
        logs.of("f").write(b"old")
        lines = logs.follow("f")
        first = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)
        logs.of("f").write(b"one", b"two")
        logs.of("g").write(b"other")
        seen = [(await first).text, (await anext(lines)).text]
        await lines.aclose()  # type: ignore[attr-defined]
        return seen

    assert run(follow()) == [b"one", b"two"]


def test_files_are_written_without_being_asked(tmp_path: Path) -> None:
    async def work() -> None:
        logs = Logs(LogSettings(directory=tmp_path), ManualClock(), asyncio.get_running_loop())
        logs.start()
        logs.of("f").write(b"line")
        while not (tmp_path / "f.log").exists():
            await asyncio.sleep(0.01)
        logs.of("f").write(b"last")
        logs.close()

    run(work())
    assert len(re.findall(rb"(?m) (line|last)$", (tmp_path / "f.log").read_bytes())) == 2
