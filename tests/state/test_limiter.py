"""The token bucket against its definition: never more than burst at once, never more than rate times time + burst in all."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tidegate.core.clock import ManualClock
from tidegate.state.limiter import MemoryLimiter


def test_burst_then_rate() -> None:
    clock = ManualClock()
    limiter = MemoryLimiter(clock.ticks_ns)
    assert [limiter.take("k", 2.0, 3) for _ in range(4)] == [True, True, True, False]
    clock.advance(0.5)
    assert [limiter.take("k", 2.0, 3) for _ in range(2)] == [True, False]
    clock.advance(100)
    assert [limiter.take("k", 2.0, 3) for _ in range(4)] == [True, True, True, False]
    assert limiter.take("other", 2.0, 3)
    limiter.forget("k")
    assert limiter.take("k", 2.0, 3)


@given(
    st.floats(0.1, 1000),
    st.integers(1, 50),
    st.lists(st.tuples(st.floats(0, 5), st.integers(1, 20)), min_size=1, max_size=30),
)
def test_never_more_than_it_promises(rate: float, burst: int, turns: list[tuple[float, int]]) -> None:
    clock = ManualClock()
    limiter = MemoryLimiter(clock.ticks_ns)
    elapsed, admitted = 0.0, 0
    for pause, calls in turns:
        clock.advance(pause)
        elapsed += pause
        admitted += sum(limiter.take("k", rate, burst) for _ in range(calls))
        assert admitted <= burst + rate * elapsed + 1e-3
