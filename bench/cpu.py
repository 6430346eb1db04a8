"""What a process tree has used, read from Linux's /proc: CPU time and resident memory. Does not start or stop processes.

A process's entry holds its own time (utime, stime) and that of the children that it has already waited for (cutime, cstime);
living children hold their own. The sum of all four over the living tree therefore misses nothing that died on the way.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Stat:
    """One line of /proc/<pid>/stat, as far as it matters here. Times are clock ticks."""

    pid: int
    parent: int
    own: int
    reaped: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tree has used since it was started, apart for the processes named as roots and for their descendants."""

    root_cpu: float
    """CPU seconds."""
    child_cpu: float
    root_rss: int
    """Resident bytes."""
    child_rss: int
    children: int

    @property
    def cpu(self) -> float:
        """CPU seconds of the whole tree."""
        return self.root_cpu + self.child_cpu

    @property
    def rss(self) -> int:
        """Resident bytes of the whole tree; pages that are shared count once for each process."""
        return self.root_rss + self.child_rss


def parse_stat(text: str) -> Stat:
    """Read one stat line. The command's name stands in parentheses and may itself hold spaces and parentheses."""
    before, _, after = text.rpartition(")")
    fields = after.split()
    utime, stime, cutime, cstime = (int(field) for field in fields[11:15])
    return Stat(pid=int(before.split()[0]), parent=int(fields[1]), own=utime + stime, reaped=cutime + cstime)


def parse_rss(text: str) -> int:
    """Resident bytes from the text of /proc/<pid>/status; 0 for a process that has none (a zombie)."""
    for line in text.splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def processes(proc: Path = PROC) -> dict[int, Stat]:
    """Every process that is alive now, by id. One that dies while being read is left out."""
    found = {}
    for entry in proc.iterdir():
        if entry.name.isdecimal():
            try:
                stat = parse_stat((entry / "stat").read_text())
            except (FileNotFoundError, ProcessLookupError):
                continue
            found[stat.pid] = stat
    return found


def descendants(table: Mapping[int, Stat], roots: Iterable[int]) -> set[int]:
    """The ids below the roots, the roots themselves not included."""
    tops = set(roots)
    reached = set(tops)
    frontier = set(tops)
    while frontier:
        frontier = {stat.pid for stat in table.values() if stat.parent in frontier} - reached
        reached |= frontier
    return reached - tops


def usage(roots: Iterable[int], proc: Path = PROC) -> Usage:
    """What the trees below the given processes have used until now."""
    tops = set(roots)
    table = processes(proc)
    below = descendants(table, tops)
    alive = tops & table.keys()
    own = sum(table[pid].own for pid in alive)
    rest = sum(table[pid].reaped for pid in alive) + sum(table[pid].own + table[pid].reaped for pid in below)
    return Usage(
        root_cpu=own / TICKS_PER_SECOND,
        child_cpu=rest / TICKS_PER_SECOND,
        root_rss=sum(_rss(pid, proc) for pid in alive),
        child_rss=sum(_rss(pid, proc) for pid in below),
        children=len(below),
    )


def busy_seconds(core: int, proc: Path = PROC) -> float:
    """Seconds that a core has not been idle since boot, including what the hypervisor took from it for others."""
    for line in (proc / "stat").read_text().splitlines():
        name, *fields = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _iowait, irq, softirq, steal = (int(field) for field in fields[:8])
            return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND
    raise LookupError(f"no core {core} in {proc / 'stat'}")


def _rss(pid: int, proc: Path) -> int:
    try:
        return parse_rss((proc / str(pid) / "status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
