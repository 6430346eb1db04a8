"""bench/VTL.md from the figures of a run of `bench.vtl`. Pure: figures in, text out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.figures import Spread
from bench.machine import Machine
from bench.report import spread, table, verdict

OURS = "tidegate"
KINDS = ("request", "template")
"""What is measured; see `renderers.loop`."""
_READING = """\
Each figure is the median over the rounds, with the least and the greatest in brackets; the ratios are those of the rounds of one
turn. *A request* is all that one needs of its template: `$input` with the parameters decoded and the body read and written as
JSON, `$context`, `$stageVariables`, and the text. Tidegate does it by the function that its gateway calls. *The template alone*
is rendering with variables that are there already, the body read, too; short texts that were escaped once are remembered by
Tidegate, as the headers of clients are the same again and again, and so they are here. The others are given helpers
of the same kind: Jayway's JsonPath in Java; in airspeed and velocityjs the languages' own JSON, with no more JSONPath than the
template needs, and everywhere a copy of a finished `$context`, which is to their advantage. All texts were read as JSON and held
against `bench/renderers/expected.json` before the first round. CPU is that of the whole process, from `/proc`."""


@dataclass(frozen=True, slots=True)
class Round:
    """So many renderings in so many CPU seconds."""

    kind: str
    count: int
    cpu: float

    @property
    def cpu_us(self) -> float:
        """CPU microseconds of one rendering."""
        return self.cpu / self.count * 1e6


@dataclass(slots=True)
class Record:
    """All that is known of one renderer when the run ends."""

    name: str
    title: str
    version: str = ""
    absent: str | None = None
    """Why it is not here."""
    trouble: str | None = None
    """Why its figures are none."""
    rounds: list[Round] = field(default_factory=list)

    def of(self, kind: str) -> list[Round]:
        """The rounds of one kind."""
        return [each for each in self.rounds if each.kind == kind]

    @property
    def sound(self) -> bool:
        """Whether it has figures that count."""
        return bool(self.rounds) and self.trouble is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that a report tells."""

    machine: Machine
    core: int
    seconds: int
    warm_up: int
    command: str
    records: Sequence[Record]

    def find(self, name: str) -> Record | None:
        """A renderer's record, if it has figures that count."""
        return next((each for each in self.records if each.name == name and each.sound), None)


@dataclass(frozen=True, slots=True)
class Target:
    """What Tidegate is held to, against one other."""

    text: str
    name: str
    met: Callable[[float], bool]
    """Of the other's CPU time over Tidegate's."""


TARGETS = (
    Target("at least 20 times as fast as airspeed", "airspeed", lambda times: times >= 20),
    Target("faster than velocityjs", "velocityjs", lambda times: times > 1),
    Target("at most 3 times as slow as Apache Velocity in warmed-up Java", "velocity", lambda times: times >= 1 / 3),
)


def render(results: Results) -> str:
    """The whole report, Markdown."""
    machine = results.machine
    sections = [
        "# Mapping templates beside other engines",
        f"Written by `{results.command}`: the console's template *Method Request passthrough*, rendered for one request.",
        _figures(results),
        *_troubles(results.records),
        "## Targets",
        table(
            ["Tidegate is", "a request: times as fast", "verdict", "the template alone: times as fast", "verdict"],
            [_target(results, target) for target in TARGETS],
        ),
        "## Conditions",
        f"- {machine.date}; {machine.processor}, {machine.cores} cores; Linux {machine.kernel}\n"
        f"- load average before the run: {', '.join(f'{value:.2f}' for value in machine.load)}; cores busy in the second before: "
        f"{machine.busy:.2f}\n"
        f"- {_rounds(results.records)} rounds of {results.seconds} s each, in turn, after "
        f"{results.warm_up} s of warming up each; all on core {results.core}, one at a time",
        table(["engine", "version"], [[each.title, each.version] for each in results.records if each.version]),
        "## How to read this",
        _READING,
    ]
    return "\n\n".join(sections) + "\n"


def times(theirs: Record, ours: Record, kind: str) -> Spread:
    """How many times as much CPU they need, turn by turn."""
    return Spread.of(one.cpu_us / other.cpu_us for one, other in zip(theirs.of(kind), ours.of(kind), strict=True))


def _rounds(records: Sequence[Record]) -> int:
    return max((len(each.of(KINDS[0])) for each in records), default=0)


def _figures(results: Results) -> str:
    ours = results.find(OURS)
    rows = [
        [each.title, *(cell for kind in KINDS for cell in _cells(each, ours, kind))]
        for each in results.records
        if each.sound
    ]
    head = "engine|CPU µs a request|times Tidegate's|CPU µs the template alone|times Tidegate's"
    return table(head.split("|"), rows) if rows else "No engine was measured."


def _cells(record: Record, ours: Record | None, kind: str) -> list[str]:
    figure = spread(Spread.of(one.cpu_us for one in record.of(kind)), 1)
    return [figure, "1" if record is ours else spread(times(record, ours, kind), 2) if ours else "-"]


def _troubles(records: Sequence[Record]) -> list[str]:
    lines = [f"- {each.title}: absent: {each.absent}" for each in records if each.absent]
    lines += [f"- ⚠ {each.title}: {each.trouble}" for each in records if each.trouble]
    return ["\n".join(lines)] if lines else []


def _target(results: Results, target: Target) -> list[str]:
    ours, theirs = results.find(OURS), results.find(target.name)
    if ours is None or theirs is None:
        return [target.text, "-", "not measured", "-", "not measured"]
    return [target.text, *(cell for kind in KINDS for cell in _judged(target, theirs, ours, kind))]


def _judged(target: Target, theirs: Record, ours: Record, kind: str) -> list[str]:
    found = times(theirs, ours, kind)
    return [spread(found, 2), verdict(target.met(found.median), len(ours.of(kind)))]
