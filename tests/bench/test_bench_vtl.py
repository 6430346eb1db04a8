"""The comparison of template engines: what is accepted as rendered, how programs are fetched and asked, what the report says."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench import vtl
from bench.machine import Machine
from bench.renderers import loop, programs, tidegate
from bench.renderers.programs import Absent, Program, Renderer
from bench.vtl_report import Record, Results, Round, render, times
from tidegate.gateway.transform import render_request
from tidegate.vtl import compile_template

MACHINE = Machine(
    date="2026-01-02 03:04 UTC",
    processor="Some CPU",
    cores=2,
    kernel="6.1.0",
    load=(0.25, 0.5, 0.75),
    busy=0.1,
    wrk="not installed",
    upstream="none",
)


def record(name: str, cpu_us: float, count: int = 5) -> Record:
    rounds = [Round(kind, 1000, cpu_us * share / 1000) for kind, share in (("request", 1), ("template", 0.5))]
    return Record(name, name.title(), rounds=rounds * count)


def results(*records: Record) -> Results:
    return Results(machine=MACHINE, core=1, seconds=2, warm_up=10, command="python -m bench.vtl", records=records)


def line(report: str, start: str) -> str:
    return next(each for each in report.splitlines() if each.startswith(start))


def test_the_gateways_own_engine_renders_what_is_expected() -> None:
    exchange = tidegate.exchanges(json.loads(vtl.REQUEST.read_text()))()
    text = render_request(exchange, compile_template(vtl.TEMPLATE.read_text()))
    assert vtl.difference(text, json.loads(vtl.EXPECTED.read_text())) is None


def test_texts_are_compared_as_documents() -> None:
    assert vtl.difference('{ "a" :\n1}', {"a": 1}) is None
    assert (vtl.difference('{"a":2}', {"a": 1}) or "").startswith("rendered something else")
    assert (vtl.difference('{"a":', {"a": 1}) or "").startswith("rendered no JSON")


def test_a_program_is_fetched_once_and_nothing_is_left_of_a_failure(tmp_path: Path) -> None:
    target = tmp_path / "peer"
    with pytest.raises(Absent, match="could not be fetched or built: no network"):
        programs._once(target, ["sh", "-c", "touch {}/half; echo no network >&2; exit 1"])
    assert not list(tmp_path.iterdir())
    programs._once(target, ["sh", "-c", "touch {}/whole"])
    assert [each.name for each in target.iterdir()] == ["whole"]
    programs._once(target, ["sh", "-c", "exit 1"])


@pytest.mark.parametrize("name", ["velocityjs", "velocity"])
def test_what_is_not_installed_is_absent(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (renderer,) = (each for each in programs.RENDERERS if each.name == name)
    invited, child = vtl.invite(renderer, 0, tmp_path)
    assert child is None
    assert "is not installed (apt-get install" in (invited.absent or "")


def invited_with(program: str, work: Path) -> tuple[Record, vtl.Child | None]:
    command = Program([sys.executable, "-c", program], "1.0")
    return vtl.invite(Renderer("one", "One", lambda _: command), min(vtl.os.sched_getaffinity(0)), work)


def test_a_renderer_is_started_checked_and_asked(tmp_path: Path) -> None:
    program = (
        "import json, sys\n"
        f"print(json.dumps(open({str(vtl.EXPECTED)!r}).read()), flush=True)\n"
        "for line in sys.stdin: print(int(float(line.split()[1]) * 100), flush=True)"
    )
    invited, child = invited_with(program, tmp_path)
    assert child is not None
    assert (invited.version, invited.trouble) == ("1.0", None)
    assert child.work("request", 0.5).count == 50
    child.stop()
    with pytest.raises((vtl.Broken, ValueError, BrokenPipeError)):
        child.work("request", 0.5)


@pytest.mark.parametrize(
    ("program", "trouble"),
    [
        ("import sys; sys.exit('no such module')", "ended with 1: no such module"),
        ("print('\"{}\"')", "rendered something else: '{}'"),
    ],
)
def test_a_renderer_that_does_not_do_its_work_is_told_of(program: str, trouble: str, tmp_path: Path) -> None:
    invited, child = invited_with(program, tmp_path)
    assert child is None
    assert invited.trouble == trouble
    assert f"- ⚠ One: {trouble}" in render(results(invited))


def test_renderings_are_counted() -> None:
    calls: list[None] = []

    def one() -> str:
        calls.append(None)
        return ""

    assert loop.repeat(one, 0.001) == len(calls) > 0


def test_ratios_are_those_of_a_turn() -> None:
    ours, theirs = record("tidegate", 10), record("airspeed", 0)
    theirs.rounds = [Round("template", 1, us / 1e6) for us in (100, 200, 300, 400, 500)]
    spread = times(theirs, ours, "template")
    assert (spread.median, spread.low) == (pytest.approx(60), pytest.approx(20))


@pytest.mark.parametrize(
    ("us", "count", "verdict"), [(200, 5, "met"), (199, 5, "**missed**"), (300, 4, "not judged: 4 of 5 rounds")]
)
def test_targets_are_judged_on_enough_rounds(us: float, count: int, verdict: str) -> None:
    report = render(results(record("tidegate", 10, count), record("airspeed", us, count), record("velocity", 3, count)))
    assert line(report, "| at least 20 times").endswith(f"| {us / 10:.2f} | {verdict} | {us / 10:.2f} | {verdict} |")
    assert line(report, "| faster than velocityjs").endswith("| - | not measured | - | not measured |")


@pytest.mark.parametrize(("us", "verdict"), [(4, "met"), (3, "**missed**")])
def test_java_may_be_three_times_as_fast(us: float, verdict: str) -> None:
    report = render(results(record("tidegate", 10), record("velocity", us)))
    assert line(report, "| at most 3 times").endswith(f"| {us / 10:.2f} | {verdict} | {us / 10:.2f} | {verdict} |")


def test_the_absent_and_the_conditions_are_told() -> None:
    absent = Record("airspeed", "airspeed", absent="pip failed: no network")
    report = render(results(record("tidegate", 10), absent))
    assert "- airspeed: absent: pip failed: no network" in report
    assert line(report, "| Tidegate") == "| Tidegate | 10.0 | 1 | 5.0 | 1 |"
    assert "5 rounds of 2 s each" in report
    assert "2026-01-02 03:04 UTC; Some CPU, 2 cores; Linux 6.1.0" in report
    assert "No engine was measured." in render(replace(results(absent)))


def test_a_quick_run_does_not_replace_the_results() -> None:
    assert (vtl.parse([]).rounds, vtl.parse([]).out) == (7, vtl.HERE / "VTL.md")
    assert (vtl.parse(["--quick"]).rounds, vtl.parse(["--quick"]).out.parent.name) == (2, ".work")
