"""Whether the processors have anything to spare."""

from __future__ import annotations

from pathlib import Path

from tidegate.functions.processors import Processors, idle_and_total


def line(busy: int, idle: int) -> str:
    return f"cpu  {busy} 0 0 {idle} 0 0 0 0 7 7\ncpu0 1 2 3\n"


def test_the_first_line_counts() -> None:
    assert idle_and_total(b"cpu  1 2 3 10 20 4 5 6 99 99\ncpu0 1 1 1 1\n") == (30, 51)


def test_what_is_seen_over_time(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text(line(0, 0))
    processors = Processors(stat)
    assert not processors.saturated(1000.0)
    stat.write_text(line(99, 1))
    assert not processors.saturated(1000.05), "not looked at again so soon"
    assert processors.saturated(1000.2)
    stat.write_text(line(149, 51))
    assert not processors.saturated(1000.4)
    stat.write_text(line(10_000, 51))
    assert not processors.saturated(1010.0), "too long ago to tell"


def test_a_machine_that_does_not_tell(tmp_path: Path) -> None:
    assert not Processors(tmp_path / "none").saturated(1.0)
