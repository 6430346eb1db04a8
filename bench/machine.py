"""Where a run takes place: the cores to use, and what a reader must know of the machine to judge the figures."""

import datetime
import os
import platform
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench import cpu, upstream


@dataclass(frozen=True, slots=True)
class Machine:
    """The conditions that the machine sets."""

    date: str
    processor: str
    cores: int
    kernel: str
    load: tuple[float, float, float]
    """Load averages of 1, 5 and 15 minutes, read before the run."""
    busy: float
    """Cores that were busy, on average, in the second before the run."""
    wrk: str
    upstream: str


def look() -> Machine:
    """Read the conditions, now."""
    return Machine(
        date=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=processor(Path("/proc/cpuinfo").read_text()),
        cores=len(os.sched_getaffinity(0)),
        kernel=platform.release(),
        load=os.getloadavg(),
        busy=_busy(),
        wrk=_wrk(),
        upstream=upstream.kind(),
    )


def split_cores() -> tuple[int, list[int]]:
    """The gateway's core, the last one, and those of the load: the others, or the same where there is only one."""
    *others, last = sorted(os.sched_getaffinity(0))
    return last, others or [last]


def processor(cpuinfo: str) -> str:
    """The processor's model out of /proc/cpuinfo, or the architecture where that names none."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _busy(seconds: float = 1.0) -> float:
    cores = os.sched_getaffinity(0)
    before = sum(cpu.busy_seconds(core) for core in cores)
    time.sleep(seconds)
    return (sum(cpu.busy_seconds(core) for core in cores) - before) / seconds


def _wrk() -> str:
    """The first words of `wrk -v`, which it ends with status 1."""
    if not shutil.which("wrk"):
        return "not installed"
    done = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return " ".join(done.stdout.split()[:2])
