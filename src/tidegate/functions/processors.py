"""Whether the machine's processors have anything to spare: where they have not, further workers only slow the others down.

Not here: what follows from it (scheduler). A container's own limit is not seen, only the whole machine.
"""

from __future__ import annotations

from pathlib import Path

_INTERVAL = 0.1
_TOO_OLD = 1.0
_SPARE = 0.1
"""Of all processor time in the interval: less than this idle is saturated."""


def idle_and_total(stat: bytes) -> tuple[int, int]:
    """From the first line of /proc/stat, in ticks; waiting for a disk counts as idle."""
    ticks = [int(field) for field in stat.split(b"\n", 1)[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


class Processors:
    """Looks at /proc/stat when asked, ten times a second at most."""

    __slots__ = ("_idle", "_looked", "_saturated", "_stat", "_total")

    def __init__(self, stat: Path = Path("/proc/stat")) -> None:
        self._stat = stat
        self._looked = float("-inf")
        self._idle = 0
        self._total = 0
        self._saturated = False

    def saturated(self, now: float) -> bool:
        """Over the last tenths of a second; False when nobody has asked for a while."""
        age = now - self._looked
        if age < _INTERVAL:
            return self._saturated
        try:
            idle, total = idle_and_total(self._stat.read_bytes())
        except (OSError, ValueError, IndexError):
            return False  # no such file here, or another form: then workers are started as if there were time to spare
        self._saturated = age < _TOO_OLD and idle - self._idle < _SPARE * (total - self._total)
        self._looked, self._idle, self._total = now, idle, total
        return self._saturated
