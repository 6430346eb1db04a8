"""The command line's options."""

from pathlib import Path

import pytest

from bench.__main__ import HERE, parse
from bench.contestants import ALL, REFERENCE
from bench.rounds import Plan


def test_by_default_everything_is_measured_in_five_rounds_and_written_beside_the_bench() -> None:
    options = parse([])
    assert (options.plan, options.out) == (Plan(rounds=5, seconds=5, warm_up=2), HERE / "RESULTS.md")
    assert options.only == list(ALL)


def test_a_quick_run_does_not_replace_the_results() -> None:
    options = parse(["--quick"])
    assert options.plan == Plan(rounds=2, seconds=1, warm_up=1)
    assert options.out.name == "quick.md"
    assert parse(["--quick", "--rounds", "3", "--out", "x.md"]).out == Path("x.md")


def test_contestants_are_chosen_by_name_and_keep_their_order() -> None:
    assert [each.name for each in parse(["--only", f"nginx,{REFERENCE}"]).only] == [REFERENCE, "nginx"]
    assert len({each.name for each in ALL}) == len(ALL)


@pytest.mark.parametrize("arguments", [["--only", "nobody"], ["--rounds", "0"], ["--seconds", "-1"]])
def test_nonsense_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse(arguments)
