"""Medians, ranges and ratios of rounds."""

import pytest

from bench.cpu import Usage
from bench.figures import Record, Round, Spread, paired_ratio, round_of
from bench.load import Load


def measured(turn: int, cpu_us: float, *, bad_status: int = 0) -> Round:
    load = Load(requests=100_000, seconds=2.0, p50=0.001, p99=0.002, bad_status=bad_status, socket_errors=0)
    before = Usage(root_cpu=1.0, child_cpu=2.0, root_rss=0, child_rss=0, children=0)
    after = Usage(1.0 + cpu_us / 10, 2.0, root_rss=60_000_000, child_rss=40_000_000, children=2)
    return round_of(turn=turn, load=load, before=before, after=after, elsewhere=0.01)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], Spread(3.0, 3.0, 3.0)),
        ([9.0, 1.0, 2.0], Spread(2.0, 1.0, 9.0)),
        ([4.0, 1.0, 2.0, 3.0], Spread(2.5, 1.0, 4.0)),
    ],
)
def test_a_spread_is_median_least_and_greatest(values: list[float], expected: Spread) -> None:
    assert Spread.of(values) == expected


def test_a_round_counts_only_what_was_used_meanwhile() -> None:
    one = measured(1, 22.0)
    assert one.cpu_us == pytest.approx(22.0)
    assert one.root_cpu_us == pytest.approx(22.0)
    assert one.busy == pytest.approx(1.1)
    assert one.rss_mb == pytest.approx(100.0)


def test_a_ratio_is_of_the_medians_and_its_range_is_within_turns() -> None:
    ours = [measured(1, 20.0), measured(2, 30.0), measured(3, 22.0)]
    theirs = [measured(1, 40.0), measured(2, 40.0), measured(3, 50.0)]
    ratio = paired_ratio(ours, theirs)
    assert ratio is not None
    assert (ratio.median, ratio.low, ratio.high) == pytest.approx((22 / 40, 22 / 50, 30 / 40))


def test_there_is_no_ratio_without_a_shared_turn() -> None:
    assert paired_ratio([measured(1, 20.0)], [measured(2, 40.0)]) is None


def test_a_record_with_an_error_or_a_trouble_is_not_clean() -> None:
    def record(*rounds: Round, troubles: tuple[str, ...] = ()) -> Record:
        return Record(name="x", title="X", flags="", rounds=list(rounds), troubles=list(troubles))

    assert record(measured(1, 20.0)).clean
    assert not record(measured(1, 20.0), measured(2, 20.0, bad_status=1)).clean
    assert not record(measured(1, 20.0), troubles=("turn 2: wrk ended with 1",)).clean
    assert not record().clean
