"""CPU and memory of a process tree, out of a made-up /proc and out of the real one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import cpu


def stat_line(pid: int, parent: int, *, own: tuple[int, int], reaped: tuple[int, int], name: str = "python") -> str:
    before = f"{pid} ({name}) S {parent} 1 1 0 -1 4194304 10 20 30 40"
    return f"{before} {own[0]} {own[1]} {reaped[0]} {reaped[1]} 20 0 1 0 100 1000 200"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """10 is a gateway, 11 and 12 its workers, 13 a worker's child; 20 is somebody else."""

    def add(pid: int, parent: int, own: tuple[int, int], reaped: tuple[int, int], kilobytes: int) -> None:
        place = tmp_path / str(pid)
        place.mkdir()
        (place / "stat").write_text(stat_line(pid, parent, own=own, reaped=reaped))
        (place / "status").write_text(f"Name:\tx\nVmRSS:\t{kilobytes} kB\n")

    add(10, 1, (100, 50), (7, 3), 1000)
    add(11, 10, (10, 0), (0, 0), 200)
    add(12, 10, (20, 5), (1, 1), 300)
    add(13, 12, (2, 1), (0, 0), 50)
    add(20, 1, (9999, 9999), (0, 0), 9999)
    (tmp_path / "stat").write_text(
        "cpu  1 2 3 4 5 6 7 8 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\ncpu1 100 1 50 900 30 2 3 4 0 0\n"
    )
    return tmp_path


def test_a_command_name_may_hold_spaces_and_parentheses() -> None:
    stat = cpu.parse_stat(stat_line(7, 3, own=(11, 22), reaped=(33, 44), name="a) S 1 (b"))
    assert stat == cpu.Stat(pid=7, parent=3, own=33, reaped=77)


def test_the_tree_is_followed_to_its_leaves(proc: Path) -> None:
    assert cpu.descendants(cpu.processes(proc), [10]) == {11, 12, 13}


def test_roots_and_descendants_are_told_apart_and_the_dead_are_counted(proc: Path) -> None:
    used = cpu.usage([10], proc)
    assert used.root_cpu * cpu.TICKS_PER_SECOND == pytest.approx(150)
    assert used.child_cpu * cpu.TICKS_PER_SECOND == pytest.approx(10 + 10 + 27 + 3)
    assert used.cpu == pytest.approx(used.root_cpu + used.child_cpu)
    assert (used.root_rss, used.child_rss, used.rss) == (1000 * 1024, 550 * 1024, 1550 * 1024)
    assert used.children == 3


def test_a_root_that_is_another_roots_child_counts_once(proc: Path) -> None:
    together = cpu.usage([10, 12], proc)
    assert together.cpu == pytest.approx(cpu.usage([10], proc).cpu)
    assert together.children == 2


def test_a_process_that_is_gone_uses_nothing(proc: Path) -> None:
    assert cpu.usage([4711], proc).cpu == 0


def test_a_zombie_has_no_memory() -> None:
    assert cpu.parse_rss("Name:\tx\nState:\tZ (zombie)\n") == 0


def test_a_core_is_busy_with_all_but_idling_and_waiting(proc: Path) -> None:
    assert cpu.busy_seconds(1, proc) * cpu.TICKS_PER_SECOND == pytest.approx(160)
    with pytest.raises(LookupError):
        cpu.busy_seconds(2, proc)


def test_the_time_of_a_child_that_has_ended_is_not_lost() -> None:
    before = cpu.usage([os.getpid()]).cpu
    burn = "import time\nwhile time.process_time() < 0.1: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)
    assert cpu.usage([os.getpid()]).cpu - before >= 0.05
