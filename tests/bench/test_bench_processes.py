"""Programs started and ended, and the upstream of our own."""

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from bench import answer, processes, upstream

CORES = [min(os.sched_getaffinity(0))]


def python(source: str, place: Path) -> processes.Child:
    return processes.spawn([sys.executable, "-uc", source], cores=CORES, output=place / "output.txt", cwd=place)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_runs_only_on_its_cores(tmp_path: Path) -> None:
    child = python("import time; print('Ready.'); time.sleep(60)", tmp_path)
    processes.wait_for_line(child, "Ready.")
    assert os.sched_getaffinity(child.pid) == set(CORES)
    processes.stop(child)
    assert child.process.poll() is not None


def test_a_program_that_ends_too_early_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = python("import sys; sys.exit('no room')", tmp_path)
    with pytest.raises(processes.StartError, match="ended with 1: no room"):
        processes.wait_for_line(child, "Ready.")


def test_a_program_that_does_not_become_ready_is_ended(tmp_path: Path) -> None:
    child = python("import time; time.sleep(60)", tmp_path)
    with pytest.raises(processes.StartError, match="not ready in time"):
        processes.wait_for_port(child, processes.free_port(), timeout=0.1)
    assert child.process.poll() is not None


def test_one_that_ignores_the_signal_is_killed_with_its_children(tmp_path: Path) -> None:
    source = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(subprocess.Popen(["sleep", "60"], start_new_session=True).pid)
print("Ready.")
time.sleep(60)
"""
    child = python(source, tmp_path)
    processes.wait_for_line(child, "Ready.")
    below = int(child.output.read_text().split()[0])
    processes.stop(child, patience=0.1)
    assert child.process.poll() is not None
    deadline = time.monotonic() + 5
    while _runs(below):
        assert time.monotonic() < deadline, "the grandchild still runs"
        time.sleep(0.01)


def test_the_upstream_of_our_own_gives_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert "nginx is not installed" in upstream.kind()
    there = upstream.start(tmp_path, CORES)
    try:
        answer.check(f"http://127.0.0.1:{there.port}/pets", {})
    finally:
        processes.stop(there.child)


def test_a_wrong_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "fetch", lambda *_: (502, b"{}"))
    with pytest.raises(answer.WrongAnswer, match=r"answered 502 b'\{\}'"):
        answer.check("http://127.0.0.1:1/", {})
