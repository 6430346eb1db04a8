"""What a function's process can see and reach: namespaces of its own, where the machine lets an ordinary user have them.

Inside, the file system looks as on AWS: the code at /var/task, layers at /opt, the interpreter's home at /var/lang, a /tmp
of its own, all else read-only; the gateway's data, its user's home, and other functions' files are not there. Where
namespaces cannot be had (in most containers), functions run with the paths of the machine.

Not here: the system calls (enter.py, which runs in the function's process), limits (process).
What this protects from, and what not: docs/functions.md.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tidegate.functions.environment import Place
from tidegate.functions.python_home import provided_distributions
from tidegate.functions.runtimes import Runtime
from tidegate.functions.spec import STORAGE, FunctionSpec

log = logging.getLogger("tidegate.functions")

_ROOM = Path(__file__).parent
_ENTER = str(_ROOM / "enter.py")
_ALWAYS_HIDDEN = ("/var", "/opt", "/run")
_RESOLVER = "/etc/resolv.conf"
_PROBE_SECONDS = 20
TASK_ROOT, OPT, LANG, RUNTIME, TMP = "/var/task", "/opt", "/var/lang", "/var/runtime", "/tmp"  # noqa: S108 - a private one
TRUST = "/var/trust"


@dataclass(frozen=True, slots=True)
class Cell:
    """One process's way in, and what its world is called inside."""

    place: Place
    prefix: tuple[str, ...]
    """What is to be executed, with the command as its arguments."""
    binds: tuple[tuple[str, str], ...]

    def inside(self, path: str) -> str:
        """What a path of the machine is called inside."""
        for here, there in self.binds:
            if path == here or path.startswith(here + "/"):
                return there + path.removeprefix(here)
        return path


class Isolation:
    def __init__(self, hidden: Iterable[Path] = (), *, trust: Path | None = None, wanted: bool = True) -> None:
        """`hidden`: directories that no function has any business in. `trust`: of certificates, for all. Not `wanted`:
        functions see the machine as it is.
        """
        home = os.path.realpath(os.path.expanduser("~"))  # noqa: PTH111 - pathlib's raises for a user without a home
        hide = {*_ALWAYS_HIDDEN, *(os.path.realpath(path) for path in hidden), home}
        self._hidden = sorted(path for path in hide if Path(path).is_dir() and path not in ("/", "/usr", TMP))
        self._home = home
        self._wanted = wanted and sys.platform == "linux"
        self._available: bool | None = None
        self._python = os.path.realpath(sys.executable)
        self._ours = [str(_ROOM), *{os.path.realpath(str(found.locate_file(""))) for found in provided_distributions()}]
        self._ours.append(os.path.dirname(os.path.realpath(_RESOLVER)))  # noqa: PTH120
        self._trust = None if trust is None else os.path.realpath(trust)

    def available(self) -> bool:
        """Tried once; blocks some tens of milliseconds."""
        if self._available is None:
            self._available = self._wanted and self._try()
            if self._wanted and not self._available:
                log.info("functions run without namespaces of their own: this system does not let us make any")
        return self._available

    def cell(self, place: Place, runtime: Runtime, spec: FunctionSpec) -> Cell:
        """`place`: with the machine's paths. Code in a folder stays where it is, with all that surrounds it."""
        folder = spec.folder is not None
        binds = [] if folder else [(place.task_root, TASK_ROOT)]
        if place.opt != OPT:
            binds.append((place.opt, OPT))
        if self._trust is not None:
            binds.append((self._trust, TRUST))
        expose = list(self._ours)
        runtime_dir = place.runtime_dir
        if runtime.python:
            home = str(Path(runtime.python).parent.parent)
            binds.append((home, LANG))
            runtime_dir = LANG + runtime_dir.removeprefix(home)
        elif os.path.isdir(runtime_dir):  # noqa: PTH112
            binds.append((runtime_dir, RUNTIME))
            runtime_dir = RUNTIME
        if runtime.interpreter is not None:
            expose.append(str(Path(os.path.realpath(runtime.interpreter.executable)).parent.parent))
        hidden = self._hidden
        if folder:
            expose += (place.task_root, *spec.libraries)
            hidden = [path for path in hidden if path != self._home]
        task_root = place.task_root if folder else TASK_ROOT
        shown = [(path, path) for path in dict.fromkeys(expose) if _below(path, [*hidden, TMP])]
        prefix = self._enter(task_root, place.scratch, hidden, [*binds, *shown], spec.storage)
        cell = Cell(place, prefix, tuple(binds))
        inside = replace(
            place,
            task_root=task_root,
            opt=OPT,
            scratch=TMP,
            runtime_dir=runtime_dir,
            binaries=cell.inside(place.binaries),
            trust="" if self._trust is None else TRUST,
        )
        return replace(cell, place=inside)

    def _enter(
        self, cwd: str, tmp: str, hidden: list[str], binds: list[tuple[str, str]], storage: int = STORAGE
    ) -> tuple[str, ...]:
        words = [self._python, "-I", "-S", _ENTER, cwd, tmp]
        if storage != STORAGE:
            words += ("size", str(storage))
        for path in hidden:
            words += ("hide", path)
        for here, there in binds:
            words += ("bind", here, there)
        return (*words, "--")

    def _try(self) -> bool:
        command = [*self._enter("/", "/", self._hidden, []), "/bin/true"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS, env={}, check=False)
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def _below(path: str, roots: Iterable[str]) -> bool:
    return any(path == root or path.startswith(root + "/") for root in roots)
