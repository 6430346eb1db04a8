"""Mapping templates: Tidegate's engine beside airspeed, velocityjs and Apache Velocity in Java, on one template.

`python -m bench.vtl [--rounds N] [--seconds N] [--quick] [--out FILE]`. All render the console's template for all parameters
(`renderers/passthrough.vm`) for the same request; each has parsed it once and was warmed up. They are measured in turn by the
CPU time of their processes, garbage collectors and just-in-time compilers included: for a whole request, and for the template
alone.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import cpu, machine
from bench.__main__ import HERE, WORK, positive
from bench.processes import pinned
from bench.renderers.programs import RENDERERS, Absent, Program, Renderer, last_line
from bench.vtl_report import KINDS, Record, Results, Round, render

FILES = HERE / "renderers"
TEMPLATE, REQUEST, EXPECTED = (FILES / name for name in ("passthrough.vm", "request.json", "expected.json"))
PATIENCE = 30.0
"""Seconds that a renderer may take beyond the time that it was asked to work for."""


class Broken(Exception):
    """A renderer did not do what it was asked for; the message says what it did."""


class Child:
    """A renderer that runs."""

    def __init__(self, program: Program, core: int, errors: Path) -> None:
        self._errors = errors
        with errors.open("wb") as sink:
            self._process = subprocess.Popen(
                pinned([*program.command, str(TEMPLATE), str(REQUEST)], [core]),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                env={**os.environ, **program.env},
                text=True,
            )

    def rendered(self) -> str:
        """The text that it makes of the request: its first words."""
        text: str = json.loads(self._line(0))
        return text

    def work(self, kind: str, seconds: float) -> Round:
        """Let it do this kind of work for so long."""
        before = cpu.usage([self._process.pid]).cpu
        assert self._process.stdin is not None
        self._process.stdin.write(f"{kind} {seconds}\n")
        self._process.stdin.flush()
        count = int(self._line(seconds))
        return Round(kind, count, cpu.usage([self._process.pid]).cpu - before)

    def _line(self, seconds: float) -> str:
        """The next line of its output. One that comes too late is killed, and so says nothing."""
        assert self._process.stdout is not None
        killer = threading.Timer(seconds + PATIENCE, self._process.kill)
        killer.start()
        line = self._process.stdout.readline()
        killer.cancel()
        if not line:
            raise Broken(f"ended with {self._process.wait()}: {last_line(self._errors.read_text(errors='replace'))}")
        return line

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()


@dataclass(slots=True)
class Entry:
    """A renderer that takes part."""

    record: Record
    child: Child


def difference(rendered: str, expected: Any) -> str | None:
    """What is wrong with a text; None when it is the expected document, whatever its spaces."""
    try:
        document = json.loads(rendered)
    except json.JSONDecodeError as error:
        return f"rendered no JSON: {error}: {rendered[:200]!r}"
    return None if document == expected else f"rendered something else: {rendered[:200]!r}"


def invite(renderer: Renderer, core: int, work: Path) -> tuple[Record, Child | None]:
    """Start a renderer and look at what it renders."""
    record = Record(renderer.name, renderer.title)
    try:
        program = renderer.prepare(work)
    except Absent as error:
        record.absent = str(error)
        return record, None
    record.version = program.version
    child = Child(program, core, work / f"{renderer.name}.log")
    try:
        record.trouble = difference(child.rendered(), json.loads(EXPECTED.read_text()))
    except Broken as error:
        record.trouble = str(error)
    if record.trouble is None:
        return record, child
    child.stop()
    return record, None


def measure(options: "Options", core: int, work: Path) -> list[Record]:
    """All renderers, measured in turn."""
    invited = [invite(renderer, core, work) for renderer in RENDERERS]
    entries = [Entry(record, child) for record, child in invited if child is not None]
    try:
        for turn in range(options.rounds + 1):
            for kind in KINDS:
                for entry in entries:
                    if entry.record.trouble is None:
                        _round(entry, kind, turn, options)
    finally:
        for entry in entries:
            entry.child.stop()
    return [record for record, _ in invited]


def _round(entry: Entry, kind: str, turn: int, options: "Options") -> None:
    """Turn 0 is for warming up."""
    record = entry.record
    try:
        done = entry.child.work(kind, options.seconds if turn else options.warm_up)
    except Broken as error:
        record.trouble = str(error)
        return
    if turn:
        record.rounds.append(done)
    print(f"{record.name} {turn} {kind}: {done.cpu_us:.1f} µs", flush=True)


class Options(argparse.Namespace):
    """What is asked for."""

    rounds: int
    seconds: int
    warm_up: int
    out: Path


def parse(arguments: Sequence[str]) -> Options:
    """What is asked for; ends the program with a message when that makes no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.vtl", description="Mapping templates, measured side by side."
    )
    parser.add_argument("--rounds", type=positive, help="rounds of each renderer (7; 2 with --quick)")
    parser.add_argument("--seconds", type=positive, help="seconds of each round (2; 1 with --quick)")
    parser.add_argument("--quick", action="store_true", help="a smoke test; written to bench/.work/vtl.md")
    parser.add_argument("--out", type=Path, help="where the report goes (bench/VTL.md)")
    options = parser.parse_args(arguments, namespace=Options())
    options.rounds = options.rounds or (2 if options.quick else 7)
    options.seconds = options.seconds or (1 if options.quick else 2)
    options.warm_up = 2 if options.quick else 10
    options.out = options.out or (WORK / "vtl.md" if options.quick else HERE / "VTL.md")
    return options


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark. 0 when every renderer that is here was measured, 1 when one was not, 2 when none can be."""
    options = parse(arguments)
    if not shutil.which("taskset"):
        print("bench: taskset is not installed", file=sys.stderr)
        return 2
    WORK.mkdir(exist_ok=True)
    conditions = machine.look()
    core, _ = machine.split_cores()
    records = measure(options, core, WORK)
    results = Results(
        machine=conditions,
        core=core,
        seconds=options.seconds,
        warm_up=options.warm_up,
        command=shlex.join(["python", "-m", "bench.vtl", *arguments]),
        records=records,
    )
    options.out.write_text(render(results))
    print(f"written: {options.out}")
    return 0 if all(record.absent or record.trouble is None for record in records) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
