"""bench/RESULTS.md from the figures of a run. Pure: text in, text out; measures nothing and leaves nothing out."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bench.figures import MEGABYTE, Record, Round, Spread, Startup, paired_ratio
from bench.machine import Machine
from bench.rounds import Plan

ENOUGH_ROUNDS = 5
"""Rounds below which a target is not judged."""
CPU_TARGET = 0.75
LAMBDA_RATE_TARGET = 4000
LAMBDA_P99_TARGET = 0.020
START_TARGET = 1.0
IDLE_TARGET_MB = 100

_FIGURES_HEAD = (
    "contestant|requests/s|p50 ms|p99 ms|CPU µs a request|"
    "CPU against Envoy with limits and log|cores busy|others|RSS MB|errors"
)
_READING = """\
Each figure is the median over the rounds, with the least and the greatest in brackets. CPU is what the gateway's whole process
tree used (user and system time, from `/proc`), divided by the requests that wrk completed; it includes the kernel's work for
its sockets. *Cores busy* says what held the rate back: near 1.00 the gateway on its one core, clearly below it wrk and the
upstream on theirs, and then the rate is a lower bound. Such a gateway also finds less work at each wake-up, and so its CPU per
request is rather overstated. wrk sends the next request when the answer is there (a closed loop), so latencies show queueing at
full load, not the delay that a lightly loaded gateway adds. *Others* is the share of the gateway's core that somebody else took
meanwhile, the hypervisor included: well above 0.02, mistrust rates and latencies. How fast the machine itself is changes
from hour to hour where it is virtual: compare ratios between reports, not microseconds, and see what the line without a
gateway costs. Memory counts pages that several processes
share once for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """All that a report tells."""

    machine: Machine
    plan: Plan
    gateway_core: int
    load_cores: Sequence[int]
    command: str
    reference: str
    """Name of the contestant that the others' CPU is held against."""
    records: Sequence[Record]
    startup: Startup | None
    """None when Tidegate could not be started by itself; `startup_trouble` says why."""
    startup_trouble: str = ""


def render(results: Results) -> str:
    """The whole report, Markdown."""
    sections = [
        "# Tidegate beside other gateways",
        f"Written by `{results.command}`. {_partial(results)}".strip(),
        "## Figures",
        _figures(results),
        *_troubles(results.records),
        "## Targets",
        _targets(results),
        "## Tidegate by itself",
        _alone(results),
        "## Conditions",
        _conditions(results),
        _contestants(results.records),
        "## How to read this",
        _READING,
        "## Every round",
        _rounds(results.records),
    ]
    return "\n\n".join(sections) + "\n"


def spread(figure: Spread, digits: int = 0, scale: float = 1.0) -> str:
    """`median (low to high)`, all three multiplied by `scale`; only the median when there is no range to tell."""
    median, low, high = (f"{value * scale:,.{digits}f}" for value in (figure.median, figure.low, figure.high))
    return median if low == high else f"{median} ({low} to {high})"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _partial(results: Results) -> str:
    if results.plan.rounds >= ENOUGH_ROUNDS:
        return ""
    return f"**A short run: {results.plan.rounds} rounds are too few to judge by.**"


def _find(records: Sequence[Record], name: str) -> Record | None:
    """A contestant's record, if it was measured."""
    return next((each for each in records if each.name == name and each.rounds), None)


def _figures(results: Results) -> str:
    measured = [each for each in results.records if each.rounds]
    if not measured:
        return "No contestant was measured."
    reference = _find(results.records, results.reference)
    return table(_FIGURES_HEAD.split("|"), [_row(each, reference) for each in measured])


def _row(record: Record, reference: Record | None) -> list[str]:
    return [
        record.title + ("" if record.clean else " ⚠"),
        spread(record.spread(lambda one: one.load.rate)),
        spread(record.spread(lambda one: one.load.p50), 2, 1e3),
        spread(record.spread(lambda one: one.load.p99), 2, 1e3),
        spread(record.spread(lambda one: one.cpu_us), 1),
        _against(record, reference),
        spread(record.spread(lambda one: one.busy), 2),
        _others(record.rounds),
        spread(record.spread(lambda one: one.rss_mb), 1),
        str(record.errors),
    ]


def _against(record: Record, reference: Record | None) -> str:
    """The ratio of CPU per request, for contestants that run under the reference's conditions."""
    if reference is None or record.cores != reference.cores:
        return "-"
    ratio = paired_ratio(record.rounds, reference.rounds)
    return "-" if ratio is None else spread(ratio, 2)


def _others(rounds: Sequence[Round]) -> str:
    shares = [each.elsewhere for each in rounds if each.elsewhere is not None]
    return spread(Spread.of(shares), 2) if shares else "-"


def _troubles(records: Sequence[Record]) -> list[str]:
    """One paragraph for everything that a reader must not overlook, if there is any."""
    lines = [f"- {each.title}: skipped: {each.absent}" for each in records if each.absent]
    for each in records:
        lines += [f"- ⚠ {each.title}: {trouble}" for trouble in each.troubles]
        if each.errors:
            wrong = sum(one.load.bad_status for one in each.rounds)
            lines.append(f"- ⚠ {each.title}: {wrong} answers that were not 2xx, {each.errors - wrong} socket errors")
    return ["\n".join(lines)] if lines else []


def _targets(results: Results) -> str:
    rows = [_cpu_target(results), *_lambda_targets(results), *_startup_targets(results)]
    return table(["target", "measured", "verdict"], rows)


def verdict(met: bool, rounds: int, sound: bool = True) -> str:
    """Whether a target is met, as far as it may be judged."""
    if rounds < ENOUGH_ROUNDS:
        return f"not judged: {rounds} of {ENOUGH_ROUNDS} rounds"
    if not sound:
        return "not judged: see ⚠ above"
    return "met" if met else "**missed**"


def _cpu_target(results: Results) -> list[str]:
    what = f"HTTP_PROXY's CPU per request ≤ {CPU_TARGET} times Envoy's with local rate limit and access log"
    ours, theirs = _find(results.records, "tidegate"), _find(results.records, results.reference)
    ratio = paired_ratio(ours.rounds, theirs.rounds) if ours and theirs else None
    if ratio is None or ours is None or theirs is None:
        return [what, "-", "not measured"]
    rounds = min(len(ours.rounds), len(theirs.rounds))
    return [what, spread(ratio, 2), verdict(ratio.median <= CPU_TARGET, rounds, ours.clean and theirs.clean)]


def _lambda_targets(results: Results) -> list[list[str]]:
    rate = f"Lambda proxy, 16 connections, two cores: ≥ {LAMBDA_RATE_TARGET:,} requests/s"
    slow = f"the same: p99 < {LAMBDA_P99_TARGET * 1e3:.0f} ms"
    record = _find(results.records, "tidegate-lambda")
    if record is None:
        return [[rate, "-", "not measured"], [slow, "-", "not measured"]]
    rates = record.spread(lambda one: one.load.rate)
    tails = record.spread(lambda one: one.load.p99)
    count = len(record.rounds)
    return [
        [rate, spread(rates), verdict(rates.median >= LAMBDA_RATE_TARGET, count, record.clean)],
        [slow, f"{spread(tails, 2, 1e3)} ms", verdict(tails.median < LAMBDA_P99_TARGET, count, record.clean)],
    ]


def _startup_targets(results: Results) -> list[list[str]]:
    start = f"`tidegate start` to `Ready.` ≤ {START_TARGET:.0f} s"
    memory = f"resident memory idle ≤ {IDLE_TARGET_MB} MB"
    startup = results.startup
    if startup is None:
        return [[start, "-", "not measured"], [memory, "-", "not measured"]]
    times = Spread.of(startup.seconds)
    resident = (startup.root_rss + startup.child_rss) / MEGABYTE
    return [
        [start, f"{spread(times, 2)} s", verdict(times.median <= START_TARGET, len(startup.seconds))],
        [memory, f"{resident:.1f} MB", "met" if resident <= IDLE_TARGET_MB else "**missed**"],
    ]


def _alone(results: Results) -> str:
    lines = [_startup_line(results)]
    record = _find(results.records, "tidegate-lambda")
    if record is not None:
        workers = Spread.of(each.children for each in record.rounds)
        lines.append(
            f"- Lambda proxy: {spread(record.spread(lambda one: one.root_cpu_us), 1)} of "
            f"{spread(record.spread(lambda one: one.cpu_us), 1)} CPU µs a request are the gateway's own process, the rest "
            "its workers'."
        )
        lines.append(
            f"- Its memory after a round: the gateway's own process {_megabytes(record, lambda one: one.root_rss)} MB, "
            f"{spread(workers)} processes below it together {_megabytes(record, lambda one: one.child_rss)} MB."
        )
    return "\n".join(lines)


def _startup_line(results: Results) -> str:
    startup = results.startup
    if startup is None:
        return f"- Start and idle memory: not measured: {results.startup_trouble}"
    children = f", and {startup.child_rss / MEGABYTE:.1f} MB in processes below it" if startup.child_rss else ""
    return (
        f"- `tidegate start` to `Ready.`, each time with an empty data directory: {spread(Spread.of(startup.seconds), 2)} s "
        f"over {len(startup.seconds)} starts; idle it holds {startup.root_rss / MEGABYTE:.1f} MB{children}."
    )


def _megabytes(record: Record, figure: Callable[[Round], float]) -> str:
    return spread(record.spread(figure), 1, 1 / MEGABYTE)


def _conditions(results: Results) -> str:
    machine, plan = results.machine, results.plan
    load_cores = ", ".join(str(core) for core in results.load_cores)
    shared = "" if results.gateway_core not in results.load_cores else " **(the same: this machine has only one)**"
    lines = [
        f"{machine.date}; {machine.processor}, {machine.cores} cores; Linux {machine.kernel}",
        "load average before the run: "
        + ", ".join(f"{value:.2f}" for value in machine.load)
        + f"; cores busy in the second before: {machine.busy:.2f}",
        f"{plan.rounds} rounds of {plan.seconds} s each, all contestants in turn, after {plan.warm_up} s of warming up each",
        f"gateways pinned to core {results.gateway_core}; wrk and the upstream on {load_cores}{shared}; HTTP/1.1 over loopback, "
        "kept alive on both sides",
        f"load: {machine.wrk}, `--latency`, connections as below",
        f"upstream: {machine.upstream}",
        "the answer (status 200 and the same body from all) is checked before every round, the access logs' lines are counted",
    ]
    return "\n".join(f"- {line}" for line in lines)


def _contestants(records: Sequence[Record]) -> str:
    rows = [
        [each.title, each.version or "-", each.flags, str(each.connections), _log(each)]
        for each in records
        if not each.absent
    ]
    return table(["contestant", "version", "configuration", "connections", "log lines / requests"], rows)


def _log(record: Record) -> str:
    return "-" if record.log_lines is None else f"{record.log_lines:,} / {record.logged_requests:,}"


def _rounds(records: Sequence[Record]) -> str:
    rows = [
        [
            record.name,
            str(each.turn),
            f"{each.load.requests:,}",
            f"{each.load.rate:,.0f}",
            f"{each.load.p50 * 1e3:.2f}",
            f"{each.load.p99 * 1e3:.2f}",
            f"{each.cpu_us:.1f}",
            "-" if each.elsewhere is None else f"{each.elsewhere:.2f}",
            f"{each.rss_mb:.1f}",
            str(each.load.errors),
        ]
        for record in records
        for each in record.rounds
    ]
    head = "name|turn|requests|requests/s|p50 ms|p99 ms|CPU µs|others|RSS MB|errors"
    return table(head.split("|"), sorted(rows, key=lambda row: int(row[1])))
