"""The figures that a run yields: rounds, and what is drawn from several of them. Pure; renders nothing."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bench.cpu import Usage
from bench.load import Load

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of several figures, with the least and the greatest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Of at least one figure."""
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[0], ordered[-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of load on one contestant, and what its processes used meanwhile."""

    turn: int
    load: Load
    root_cpu: float
    """CPU seconds of the gateway's own process."""
    child_cpu: float
    """CPU seconds of the processes below it."""
    root_rss: int
    child_rss: int
    children: int
    elsewhere: float | None
    """Share of the contestant's own core, 0 to 1, that somebody else took during the round; None when it has none."""

    @property
    def cpu_us(self) -> float:
        """CPU microseconds for each completed request, the whole process tree."""
        return (self.root_cpu + self.child_cpu) / self.load.requests * 1e6

    @property
    def root_cpu_us(self) -> float:
        """CPU microseconds for each completed request, without the processes below the gateway's own."""
        return self.root_cpu / self.load.requests * 1e6

    @property
    def busy(self) -> float:
        """Cores that the contestant kept busy; near 1.0 a pinned one is at its limit, below it the load side is."""
        return (self.root_cpu + self.child_cpu) / self.load.seconds

    @property
    def rss_mb(self) -> float:
        """Resident megabytes (10⁶) of the whole tree at the end of the round."""
        return (self.root_rss + self.child_rss) / MEGABYTE


def round_of(*, turn: int, load: Load, before: Usage, after: Usage, elsewhere: float | None) -> Round:
    """A round from what was read before and after its load."""
    return Round(
        turn=turn,
        load=load,
        root_cpu=after.root_cpu - before.root_cpu,
        child_cpu=after.child_cpu - before.child_cpu,
        root_rss=after.root_rss,
        child_rss=after.child_rss,
        children=after.children,
        elsewhere=elsewhere,
    )


@dataclass(slots=True, kw_only=True)
class Record:
    """All that is known of one contestant when the run ends."""

    name: str
    title: str
    flags: str
    version: str = ""
    cores: int = 1
    connections: int = 64
    absent: str | None = None
    """Why it was skipped; None when it took part."""
    troubles: list[str] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    log_lines: int | None = None
    """Access-log lines written; None when it writes none. `logged_requests` is what they stand against."""
    logged_requests: int = 0

    @property
    def errors(self) -> int:
        """Wrong statuses and socket errors over all rounds."""
        return sum(each.load.errors for each in self.rounds)

    @property
    def clean(self) -> bool:
        """Whether its figures may be compared: it took part, with no error and nothing left out."""
        return bool(self.rounds) and not self.errors and not self.troubles

    def spread(self, figure: Callable[[Round], float]) -> Spread:
        """One figure over all rounds."""
        return Spread.of(figure(each) for each in self.rounds)


@dataclass(frozen=True, slots=True)
class Startup:
    """Tidegate by itself: seconds to `Ready.` in each start, and resident bytes while idle."""

    seconds: tuple[float, ...]
    root_rss: int
    child_rss: int


def paired_ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> Spread | None:
    """CPU per request against another contestant.

    The median is the ratio of both medians; the range is over the turns that both took part in, each ratio within one turn.
    None when they share no turn.
    """
    by_turn = {each.turn: each for each in theirs}
    ratios = [each.cpu_us / by_turn[each.turn].cpu_us for each in ours if each.turn in by_turn]
    if not ratios:
        return None
    medians = Spread.of(each.cpu_us for each in ours).median / Spread.of(each.cpu_us for each in theirs).median
    return Spread(medians, min(ratios), max(ratios))
