"""The report: what it says, marks and refuses to judge."""

from dataclasses import replace

import pytest

from bench.figures import Record, Round, Spread, Startup
from bench.load import Load
from bench.machine import Machine, processor
from bench.report import Results, render, spread, table
from bench.rounds import Plan

MACHINE = Machine(
    date="2026-01-02 03:04 UTC",
    processor="Some CPU",
    cores=2,
    kernel="6.1.0",
    load=(0.25, 0.5, 0.75),
    busy=0.1,
    wrk="wrk 4.1.0",
    upstream="nginx/1.22.1",
)


def rounds(count: int, cpu_us: float, *, rate: int = 10_000, p99: float = 0.002, errors: int = 0) -> list[Round]:
    load = Load(requests=rate, seconds=1.0, p50=0.001, p99=p99, bad_status=errors, socket_errors=0)
    used = cpu_us * rate / 1e6
    return [
        Round(
            turn=turn,
            load=load,
            root_cpu=used,
            child_cpu=0.0,
            root_rss=50_000_000,
            child_rss=30_000_000,
            children=2,
            elsewhere=0.01,
        )
        for turn in range(1, count + 1)
    ]


def record(name: str, measured: list[Round], *, cores: int = 1, absent: str | None = None) -> Record:
    return Record(name=name, title=name.title(), flags="--flag", cores=cores, absent=absent, rounds=measured)


def results(*records: Record, count: int = 5) -> Results:
    return Results(
        machine=MACHINE,
        plan=Plan(rounds=count, seconds=1, warm_up=1),
        gateway_core=1,
        load_cores=[0],
        command="python -m bench",
        reference="envoy-limits",
        records=records,
        startup=Startup((0.5, 0.4, 0.6), 60_000_000, 0),
    )


def line(report: str, start: str) -> str:
    return next(each for each in report.splitlines() if each.startswith(start))


def test_a_spread_is_written_with_its_range_when_it_has_one() -> None:
    assert spread(Spread(0.0015, 0.001, 0.002), 2, 1e3) == "1.50 (1.00 to 2.00)"
    assert spread(Spread(12345.6, 12345.6, 12345.6)) == "12,346"
    assert spread(Spread(1.001, 1.0, 1.002), 1) == "1.0"


def test_a_table_has_one_line_for_each_row() -> None:
    assert table(["a", "b"], [["x", "1"]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"


def test_the_ratio_stands_against_envoy_with_limits() -> None:
    report = render(results(record("tidegate", rounds(5, 30.0)), record("envoy-limits", rounds(5, 40.0))))
    assert "| 30.0 | 0.75 |" in line(report, "| Tidegate |")
    assert "| 40.0 | 1.00 |" in line(report, "| Envoy-Limits |")
    assert line(report, "| HTTP_PROXY's CPU").endswith("| 0.75 | met |")


def test_a_contestant_on_two_cores_is_not_compared_with_one_on_one() -> None:
    report = render(
        results(record("tidegate-lambda", rounds(5, 90.0), cores=2), record("envoy-limits", rounds(5, 40.0)))
    )
    assert "| 90.0 | - |" in line(report, "| Tidegate-Lambda |")


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (rounds(5, 31.0), "**missed**"),
        (rounds(4, 20.0), "not judged: 4 of 5 rounds"),
        (rounds(5, 20.0, errors=3), "not judged: see ⚠ above"),
    ],
)
def test_the_cpu_target_is_judged_only_on_enough_clean_rounds(ours: list[Round], verdict: str) -> None:
    report = render(results(record("tidegate", ours), record("envoy-limits", rounds(5, 40.0))))
    assert line(report, "| HTTP_PROXY's CPU").endswith(f"| {verdict} |")


@pytest.mark.parametrize(
    ("rate", "p99", "verdicts"),
    [(4000, 0.0199, ("met", "met")), (3999, 0.020, ("**missed**", "**missed**"))],
)
def test_the_lambda_targets(rate: int, p99: float, verdicts: tuple[str, str]) -> None:
    report = render(results(record("tidegate-lambda", rounds(5, 90.0, rate=rate, p99=p99), cores=2)))
    assert line(report, "| Lambda proxy").endswith(f"| {verdicts[0]} |")
    assert line(report, "| the same").endswith(f"| {verdicts[1]} |")


def test_errors_mark_a_contestant() -> None:
    report = render(results(record("nginx", rounds(2, 10.0, errors=3))))
    assert line(report, "| Nginx ⚠").endswith("| 6 |")
    assert "- ⚠ Nginx: 6 answers that were not 2xx, 0 socket errors" in report


def test_what_is_missing_is_said_and_not_measured() -> None:
    absent = record("tidegate", [], absent="no such command")
    report = render(replace(results(absent), startup=None, startup_trouble="no such command"))
    assert "- Tidegate: skipped: no such command" in report
    assert "No contestant was measured." in report
    assert line(report, "| HTTP_PROXY's CPU").endswith("| - | not measured |")
    assert line(report, "| resident memory idle").endswith("| - | not measured |")
    assert "- Start and idle memory: not measured: no such command" in report


def test_the_start_is_judged_on_five_starts() -> None:
    whole = results(record("nginx", rounds(5, 10.0)))
    assert line(render(whole), "| `tidegate start`").endswith("| 0.50 (0.40 to 0.60) s | not judged: 3 of 5 rounds |")
    five = replace(whole, startup=Startup((0.5,) * 5, 101_000_000, 0))
    assert line(render(five), "| `tidegate start`").endswith("| 0.50 s | met |")
    assert line(render(five), "| resident memory idle").endswith("| 101.0 MB | **missed** |")


def test_the_conditions_are_told() -> None:
    report = render(results(record("nginx", rounds(2, 10.0)), count=2))
    for words in (
        "2026-01-02 03:04 UTC; Some CPU, 2 cores; Linux 6.1.0",
        "0.25, 0.50, 0.75",
        "wrk 4.1.0",
        "nginx/1.22.1",
    ):
        assert words in report
    assert "2 rounds are too few" in report


def test_the_processor_is_named_or_else_the_architecture() -> None:
    assert processor("vendor_id\t: X\nmodel name\t: A CPU\n") == "A CPU"
    assert processor("")
