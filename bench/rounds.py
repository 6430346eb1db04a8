"""The run itself: starts every contestant, checks its answer, loads them in turn, and ends them. Renders nothing."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from bench import answer, cpu, load
from bench.contestants.base import Contestant, Ground, Running
from bench.figures import Record, round_of
from bench.load import Load, LoadError
from bench.processes import StartError, stop

PATIENCE = 15.0
"""Seconds that a contestant may take to give its first right answer after it was started."""
PAUSE = 0.3
"""Seconds between two rounds, in which connections close and buffered log lines are written."""

LOGGED = 0.99
"""Share of the requests that the access log must hold; not all, as lines written while it is emptied are lost."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is to be measured."""

    rounds: int
    seconds: int
    warm_up: int
    """Seconds of load on each contestant before the first turn."""


@dataclass(slots=True)
class _Entry:
    """A contestant that is up."""

    contestant: Contestant
    running: Running
    record: Record


def run(contestants: Sequence[Contestant], ground: Ground, plan: Plan, workdir: Path, say: Say) -> list[Record]:
    """Measure the contestants in turn; one record for each, also for those that could not take part."""
    records = [_invite(contestant) for contestant in contestants]
    for record in records:
        if record.absent:
            say(f"{record.name}: skipped: {record.absent}")
    present = [pair for pair in zip(contestants, records, strict=True) if pair[1].absent is None]
    with _started(present, ground, workdir, say) as entries:
        for entry in entries:
            _warm(entry, ground, plan.warm_up, say)
        for turn in range(1, plan.rounds + 1):
            for entry in entries:
                _round(entry, ground, turn, plan.seconds, say)
    for entry in entries:
        _judge_log(entry)
    return records


def _invite(contestant: Contestant) -> Record:
    absent = contestant.available()
    return Record(
        name=contestant.name,
        title=contestant.title,
        flags=contestant.flags,
        version="" if absent else contestant.version(),
        cores=contestant.cores,
        connections=contestant.connections,
        absent=absent,
    )


@contextmanager
def _started(
    present: Sequence[tuple[Contestant, Record]], ground: Ground, workdir: Path, say: Say
) -> Iterator[list[_Entry]]:
    """All that come up and answer rightly; whatever was started is ended on leaving, in any case."""
    entries: list[_Entry] = []
    running: list[Running] = []
    try:
        for contestant, record in present:
            place = workdir / contestant.name
            place.mkdir()
            try:
                up = contestant.start(place, ground)
                running.append(up)
                answer.check(up.url, up.headers, PATIENCE)
            except (StartError, answer.WrongAnswer, ClientError, BotoCoreError, OSError) as error:
                _trouble(record, f"not measured: {error}", say)
                continue
            entries.append(_Entry(contestant, up, record))
        yield entries
    finally:
        for up in running:
            stop(up.child)


def _warm(entry: _Entry, ground: Ground, seconds: int, say: Say) -> None:
    """Load that is not counted: connections open, workers start, caches fill."""
    try:
        entry.record.logged_requests += _load(entry, ground, seconds).requests
    except LoadError as error:
        _trouble(entry.record, f"warming up: {error}", say)
    _count_log(entry)


def _round(entry: _Entry, ground: Ground, turn: int, seconds: int, say: Say) -> None:
    record, running, core = entry.record, entry.running, ground.gateway_core
    time.sleep(PAUSE)
    try:
        answer.check(running.url, running.headers)
        before, busy_before = cpu.usage(running.roots), cpu.busy_seconds(core)
        done = _load(entry, ground, seconds)
        after, busy_after = cpu.usage(running.roots), cpu.busy_seconds(core)
    except (LoadError, answer.WrongAnswer) as error:
        _trouble(record, f"turn {turn}: {error}", say)
        return
    finally:
        _count_log(entry)
    alone = entry.contestant.cores == 1 and ground.separate
    foreign = max(0.0, busy_after - busy_before - (after.cpu - before.cpu))
    measured = round_of(
        turn=turn, load=done, before=before, after=after, elsewhere=foreign / done.seconds if alone else None
    )
    record.rounds.append(measured)
    record.logged_requests += done.requests
    say(
        f"turn {turn} {record.name}: {done.rate:,.0f} requests/s, p50 {done.p50 * 1e3:.2f} ms, "
        f"p99 {done.p99 * 1e3:.2f} ms, {measured.cpu_us:.1f} µs CPU a request, {done.errors} errors"
    )


def _load(entry: _Entry, ground: Ground, seconds: int) -> Load:
    contestant, running = entry.contestant, entry.running
    shared = contestant.cores > 1
    return load.run(
        running.url,
        running.headers,
        seconds=seconds,
        connections=contestant.connections,
        threads=1 if shared else min(4, len(ground.load_cores)),
        cores=ground.cores(contestant.cores) if shared else ground.load_cores,
        script=running.script,
    )


def _trouble(record: Record, message: str, say: Say) -> None:
    record.troubles.append(" ".join(message.split()))
    say(f"{record.name}: {record.troubles[-1]}")


def _count_log(entry: _Entry) -> None:
    """Count the access log's lines and empty it: every writer appends, so a long run needs no more disk than a short one."""
    path = entry.running.access_log
    if path is not None:
        with path.open("rb+") as log:
            lines = sum(block.count(b"\n") for block in iter(lambda: log.read(1 << 20), b""))
            log.truncate(0)
        entry.record.log_lines = (entry.record.log_lines or 0) + lines


def _judge_log(entry: _Entry) -> None:
    """After the contestant has ended, and so written all it had: too few lines mean that it did not do its work."""
    _count_log(entry)
    record = entry.record
    if record.log_lines is not None and record.log_lines < LOGGED * record.logged_requests:
        record.troubles.append(f"{record.log_lines} access-log lines for {record.logged_requests} requests")
