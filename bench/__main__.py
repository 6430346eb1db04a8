"""The command line of `make bench`: chooses, runs, writes the report."""

import argparse
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench import load, machine, rounds, startup, upstream
from bench.contestants import ALL, REFERENCE, tidegate
from bench.contestants.base import Contestant, Ground
from bench.figures import Startup
from bench.processes import StartError, stop
from bench.report import Results, render

HERE = Path(__file__).resolve().parent
WORK = HERE / ".work"


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark. 0 when every contestant that is here was measured, 1 when one was not, 2 when none can be."""
    options = parse(arguments)
    trouble = load.missing() or ("taskset is not installed" if not shutil.which("taskset") else None)
    if trouble:
        print(f"bench: {trouble}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    conditions = machine.look()
    gateway_core, load_cores = machine.split_cores()
    # Our own reading of logs and /proc must not be counted as somebody else's work on the gateway's core.
    os.sched_setaffinity(0, load_cores)
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as name:
        workdir = Path(name)
        alone, alone_trouble = _startup(workdir / "startup", [gateway_core, *load_cores])
        (workdir / "upstream").mkdir()
        behind = upstream.start(workdir / "upstream", load_cores)
        try:
            ground = Ground(behind.port, gateway_core, load_cores)
            records = rounds.run(options.only, ground, options.plan, workdir, _say)
        finally:
            stop(behind.child)
    results = Results(
        machine=conditions,
        plan=options.plan,
        gateway_core=gateway_core,
        load_cores=load_cores,
        command=shlex.join(["python", "-m", "bench", *arguments]),
        reference=REFERENCE,
        records=records,
        startup=alone,
        startup_trouble=alone_trouble,
    )
    options.out.write_text(render(results))
    _say(f"written: {options.out}")
    return 0 if all(record.absent or record.rounds for record in records) else 1


def _startup(workdir: Path, cores: Sequence[int]) -> tuple[Startup | None, str]:
    """Tidegate's start and idle memory, or why there is none."""
    trouble = tidegate.missing()
    if trouble is None:
        try:
            return startup.measure(workdir, cores), ""
        except StartError as error:
            trouble = " ".join(str(error).split())
    _say(f"start-up: not measured: {trouble}")
    return None, trouble


class Options(argparse.Namespace):
    """What is asked for."""

    only: list[Contestant]
    plan: rounds.Plan
    out: Path


def parse(arguments: Sequence[str]) -> Options:
    """What is asked for; ends the program with a message when that makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Tidegate measured beside other gateways.")
    parser.add_argument("--rounds", type=positive, help="rounds of each contestant (5; 2 with --quick)")
    parser.add_argument("--seconds", type=positive, help="seconds of each round (5; 1 with --quick)")
    parser.add_argument(
        "--only",
        type=_chosen,
        default=list(ALL),
        metavar="NAME,NAME",
        help=f"these contestants only, out of: {', '.join(each.name for each in ALL)}",
    )
    parser.add_argument("--quick", action="store_true", help="a smoke test; written to bench/.work/quick.md")
    parser.add_argument("--out", type=Path, help="where the report goes (bench/RESULTS.md)")
    options = parser.parse_args(arguments, namespace=Options())
    options.plan = rounds.Plan(
        rounds=options.rounds or (2 if options.quick else 5),
        seconds=options.seconds or (1 if options.quick else 5),
        warm_up=1 if options.quick else 2,
    )
    options.out = options.out or (WORK / "quick.md" if options.quick else HERE / "RESULTS.md")
    return options


def positive(text: str) -> int:
    """A whole number from 1 on, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is less than 1")
    return value


def _chosen(names: str) -> list[Contestant]:
    """The contestants named, in the order of a turn."""
    wanted = set(names.split(","))
    unknown = wanted - {each.name for each in ALL}
    if unknown:
        raise argparse.ArgumentTypeError(f"no such contestant: {', '.join(sorted(unknown))}")
    return [each for each in ALL if each.name in wanted]


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
