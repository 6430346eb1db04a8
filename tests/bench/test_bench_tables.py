"""The tables of bench.access and bench.functions out of given figures."""

from __future__ import annotations

from bench import access, functions, machine


def _machine() -> machine.Machine:
    return machine.Machine(
        date="2026-01-01",
        processor="cpu",
        cores=2,
        kernel="6",
        load=(0.0, 0.0, 0.0),
        busy=0.0,
        wrk="wrk",
        upstream="none",
    )


def test_access_extras_are_differences_within_a_round() -> None:
    figures: access.Figures = {
        "open": (None, [access.Cost(10.0, 1.0), access.Cost(20.0, 2.0), access.Cost(30.0, 3.0)]),
        "signed": (60.0, [access.Cost(15.0, 4.0), access.Cost(24.0, 5.0), access.Cost(40.0, 6.0)]),
    }
    text = access.report(figures, "command", _machine())
    assert "| authorization NONE | 20.0 | 2.0 | +0.0 | +0.0 |  |" in text
    assert "policies asked | 24.0 | 5.0 | +5.0 | +8.0 | ≤ 60 |" in text
    assert "- 10,000 statements:" in text


def test_functions_ratios_and_absence() -> None:
    key = ("REST", 16, "1 KB")
    ours = functions.Figures({key: [300.0, 100.0, 200.0]}, {key: [1.0, 2.0, 3.0]}, [40.0, 50.0, 90.0])
    theirs = functions.Figures({key: [100.0]}, {key: [9.0]})
    text = functions.report({("python", "Tidegate"): ours, ("python", "peer"): theirs}, None, "command", _machine())
    assert "| REST | 16 | 1 KB | 200 (2.0) | 100 (9.0) | 2.00 |" in text
    assert "Cold start, Tidegate: median 50 ms, worst of 3: 90 ms." in text
    alone = functions.report({("python", "Tidegate"): ours}, "npm is not installed", "command", _machine())
    assert "serverless-offline is absent: npm is not installed" in alone
    assert "| REST | 16 | 1 KB | 200 (2.0) |\n" in alone
