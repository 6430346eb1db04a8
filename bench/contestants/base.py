"""What every contestant offers to the run, and what it is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from bench.processes import Child


@dataclass(frozen=True, slots=True)
class Ground:
    """What all contestants share."""

    upstream: int
    """The upstream's port on the loopback address; it answers `GET /pets`."""
    gateway_core: int
    load_cores: Sequence[int]
    """Where wrk and the upstream run; the gateway's core itself on a machine that has only one."""

    @property
    def separate(self) -> bool:
        """Whether a gateway has its core to itself."""
        return self.gateway_core not in self.load_cores

    def cores(self, count: int) -> tuple[int, ...]:
        """The cores of a contestant that may use `count` of them; the first is the gateway's core."""
        return (self.gateway_core, *(core for core in self.load_cores if core != self.gateway_core))[:count]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A contestant that is up: what to load, what to account, what to end."""

    child: Child
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    access_log: Path | None = None
    """A file with at least one line for each request; None for a contestant that writes none."""
    script: Path | None = None
    """A Lua script for wrk, where the requests are more than a GET."""
    pids: Sequence[int] = ()
    """The processes to account, with all below them; the child itself when empty."""

    @property
    def roots(self) -> Sequence[int]:
        """The processes to account, with all below them."""
        return self.pids or (self.child.pid,)


class Contestant(Protocol):
    """One gateway in one configuration. All of them run with one worker."""

    @property
    def name(self) -> str:
        """What `--only` calls it."""

    @property
    def title(self) -> str:
        """What the report calls it."""

    @property
    def flags(self) -> str:
        """How it is configured, in one line of the report."""

    @property
    def cores(self) -> int:
        """On how many cores it may run: 1, pinned, or 2, shared with the load."""

    @property
    def connections(self) -> int:
        """How many connections wrk opens."""

    def available(self) -> str | None:
        """Why it cannot take part here; None when it can."""

    def version(self) -> str:
        """The program's version, in its own words."""

    def start(self, workdir: Path, ground: Ground) -> Running:
        """Start it in an empty directory; it may still need a moment until it answers. Ended by `processes.stop`."""
