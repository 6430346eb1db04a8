"""Which interpreter runs a declared runtime: the very version when it is here, else the nearest of its family.

Not here: starting a worker (worker), the list of runtimes that AWS knows (control, from the service model).

AWS: "Lambda runtimes". Half of all public templates name a version that AWS has retired since.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

log = logging.getLogger("tidegate.functions")

_PYTHON = re.compile(r"python(\d+)\.(\d+)")
_KNOWN_MINORS = range(8, 20)
_PROBE = "import sys, awslambdaric; print(sys.executable, sys.version_info[0], sys.version_info[1], sep='\\n')"
_PROBE_SECONDS = 20

Version = tuple[int, int]


class UnsupportedRuntime(Exception):
    """No interpreter of the family can run here. The message is for people."""


@dataclass(frozen=True, slots=True)
class Choice:
    executable: str
    version: Version


def declared_version(runtime: str) -> Version:
    """`python3.9` → (3, 9). Raises UnsupportedRuntime for every other family."""
    match = _PYTHON.fullmatch(runtime)
    if match is None:
        raise UnsupportedRuntime(f"runtime {runtime} is not supported yet: only python")
    return int(match[1]), int(match[2])


def choose(runtime: str, available: Mapping[Version, str]) -> Choice:
    """The declared version, else the nearest; of two equally near the newer one. Python 2 counts as older than any 3."""
    wanted = declared_version(runtime)
    if not available:
        raise UnsupportedRuntime(f"runtime {runtime}: no Python on this machine can import awslambdaric")

    def distance(version: Version) -> tuple[int, int]:
        return abs((version[0] - wanted[0]) * 100 + version[1] - wanted[1]), -version[1]

    nearest = min(available, key=distance)
    return Choice(available[nearest], nearest)


def probe(command: str) -> Choice | None:
    """Run an interpreter to see whether it has AWS's runtime client. Blocks; some tens of milliseconds."""
    try:
        done = subprocess.run(
            [command, "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
            check=True,
        )
        executable, major, minor = done.stdout.split("\n")[:3]
        return Choice(executable, (int(major), int(minor)))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


class Runtimes:
    """Finds interpreters on PATH, each probed once, when a runtime is first asked for."""

    def __init__(self) -> None:
        self._chosen: dict[str, asyncio.Future[str]] = {}
        self._announced: set[tuple[str, Version]] = set()

    async def interpreter(self, runtime: str) -> str:
        """The executable that runs it. Raises UnsupportedRuntime."""
        future = self._chosen.get(runtime)
        if future is None:
            declared_version(runtime)
            loop = asyncio.get_running_loop()
            future = self._chosen[runtime] = loop.run_in_executor(None, self._find, runtime)
        try:
            return await asyncio.shield(future)
        except UnsupportedRuntime:
            self._chosen.pop(runtime, None)  # a runtime client may be installed before the next call
            raise

    def _find(self, runtime: str) -> str:
        wanted = declared_version(runtime)
        available = _found([_name(wanted)]) or {}
        if wanted not in available:
            available = _found([_name((3, minor)) for minor in _KNOWN_MINORS])
        choice = choose(runtime, available)
        if choice.version != wanted and (runtime, choice.version) not in self._announced:
            self._announced.add((runtime, choice.version))
            log.warning("runtime %s: not on this machine, running on %s", runtime, _name(choice.version))
        return choice.executable


def _name(version: Version) -> str:
    return f"python{version[0]}.{version[1]}"


def _found(names: list[str]) -> dict[Version, str]:
    """Our own interpreter comes first: where it has the version asked for, nothing else is run."""
    available = {}
    own = (sys.version_info[0], sys.version_info[1])
    commands = [sys.executable] if len(names) > 1 or _name(own) in names else []
    for command in commands + [path for path in map(shutil.which, names) if path]:
        if (choice := probe(command)) is not None and choice.version not in available:
            available[choice.version] = choice.executable
            if len(names) == 1:
                break
    return available
