"""A run with contestants that load nothing: what is skipped, what is checked, what is counted."""

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench import answer, load, rounds
from bench.contestants.base import Ground, Running
from bench.load import Load, LoadError
from bench.processes import Child, StartError, spawn

CORE = min(os.sched_getaffinity(0))
GROUND = Ground(upstream=1, gateway_core=CORE, load_cores=[CORE])
PLAN = rounds.Plan(rounds=3, seconds=1, warm_up=1)
DONE = Load(requests=10, seconds=1.0, p50=0.001, p99=0.002, bad_status=0, socket_errors=0)


@dataclass
class Sleeper:
    """A contestant whose process only sleeps, and whose log already holds some lines."""

    name: str = "sleeper"
    title: str = "Sleeper"
    flags: str = ""
    cores: int = 1
    connections: int = 1
    absent: str | None = None
    lines: int = 40
    fails: bool = False
    children: list[Child] = field(default_factory=list)

    def available(self) -> str | None:
        return self.absent

    def version(self) -> str:
        return "1"

    def start(self, workdir: Path, ground: Ground) -> Running:
        if self.fails:
            raise StartError("ended with 3:\n  no port")
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        child = spawn(command, cores=ground.cores(1), output=workdir / "output.txt", cwd=workdir)
        self.children.append(child)
        (workdir / "access.log").write_text("line\n" * self.lines)
        return Running(child=child, url=self.name, access_log=workdir / "access.log")


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Loads and checks nothing; what would have been loaded, in order."""
    loaded: list[str] = []

    def loading(url: str, _headers: object, **_how: object) -> Load:
        loaded.append(url)
        return DONE

    monkeypatch.setattr(load, "run", loading)
    monkeypatch.setattr(answer, "check", lambda *_: None)
    monkeypatch.setattr(rounds, "PAUSE", 0.0)
    return loaded


def ignore(_line: str) -> None:
    return


def test_contestants_take_turns(tmp_path: Path, turns: list[str]) -> None:
    both = [Sleeper(name="a"), Sleeper(name="b")]
    records = rounds.run(both, GROUND, PLAN, tmp_path, ignore)
    assert "".join(turns) == "ab" * (1 + PLAN.rounds)
    assert [[each.turn for each in record.rounds] for record in records] == [[1, 2, 3]] * 2
    assert all(record.clean for record in records)
    assert all(child.process.poll() is not None for one in both for child in one.children)


def test_one_that_is_absent_or_does_not_start_is_told_and_the_others_go_on(tmp_path: Path, turns: list[str]) -> None:
    said: list[str] = []
    three = [Sleeper(name="a", absent="not installed"), Sleeper(name="b", fails=True), Sleeper(name="c")]
    records = rounds.run(three, GROUND, PLAN, tmp_path, said.append)
    assert set(turns) == {"c"}
    assert records[0].absent == "not installed"
    assert records[1].troubles == ["not measured: ended with 3: no port"]
    assert records[2].clean
    assert said[:2] == ["a: skipped: not installed", "b: not measured: ended with 3: no port"]


def test_a_wrong_answer_costs_the_round(tmp_path: Path, turns: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def check(url: str, *_: object) -> None:
        asked.append(url)
        if len(asked) == 3:
            raise answer.WrongAnswer("answered 500 b''")

    monkeypatch.setattr(answer, "check", check)
    (record,) = rounds.run([Sleeper()], GROUND, PLAN, tmp_path, ignore)
    assert [each.turn for each in record.rounds] == [1, 3]
    assert record.troubles == ["turn 2: answered 500 b''"]
    assert len(turns) == 3


def test_a_load_that_fails_costs_the_round(tmp_path: Path, turns: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object, **__: object) -> Load:
        raise LoadError("wrk ended with 1")

    monkeypatch.setattr(load, "run", failing)
    (record,) = rounds.run([Sleeper()], GROUND, PLAN, tmp_path, ignore)
    assert not record.rounds
    assert len(record.troubles) == 1 + PLAN.rounds
    assert not turns


@pytest.mark.usefixtures("turns")
def test_an_access_log_with_too_few_lines_is_a_trouble(tmp_path: Path) -> None:
    (record,) = rounds.run([Sleeper(lines=39)], GROUND, PLAN, tmp_path, ignore)
    assert record.troubles == ["39 access-log lines for 40 requests"]
    assert not record.clean
