"""The interpreters that this machine has: where they may be, and what each one is.

Not here: which of them runs a declared runtime (runtimes). Everything blocks: callers on an event loop use a thread.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Version = tuple[int, int]

OLDEST_PYTHON: Version = (3, 10)
"""The oldest that AWS's runtime client for Python and boto3 declare to run on; 3.9 counts as one that is not here."""
OLDEST_NODE: Version = (18, 0)
OLDEST_JAVA: Version = (11, 0)
_KNOWN_MINORS = range(OLDEST_PYTHON[1], 20)
_PROBE_SECONDS = 20
_PATH = "/usr/local/bin:/usr/bin:/bin"
_PYTHON_PROBE = (
    "import sys, sysconfig; print(getattr(sys, '_base_executable', sys.executable), sys.version_info[0],"
    " sys.version_info[1], sysconfig.get_config_var('EXT_SUFFIX'), sep='\\n')"
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    executable: str
    version: Version
    extensions: str = ""
    """How the names of compiled modules end that it can load; Python only."""


def python_candidates(wanted: Version) -> Iterator[str]:
    """Commands that may be the version asked for: our own first, since nothing has to be looked for then."""
    if wanted == sys.version_info[:2]:
        yield sys.executable
    name = f"python{wanted[0]}.{wanted[1]}"
    if found := shutil.which(name):
        yield found
    yield from _managed(name, "python")


def every_python() -> Iterator[str]:
    for minor in _KNOWN_MINORS:
        yield from python_candidates((3, minor))


def every_node() -> Iterator[str]:
    """The one on PATH first, then those of version managers."""
    for name in ("node", "nodejs"):
        if found := shutil.which(name):
            yield found
    yield from _managed("node", "node")


def every_java() -> Iterator[str]:
    """Where JAVA_HOME leads and the one on PATH, then what distributions and SDKMAN have installed."""
    if home := os.environ.get("JAVA_HOME"):
        yield f"{home}/bin/java"
    if found := shutil.which("java"):
        yield found
    for root in (Path("/usr/lib/jvm"), Path(os.path.expanduser("~")) / ".sdkman/candidates/java"):  # noqa: PTH111
        yield from (str(path) for path in sorted(root.glob("*/bin/java")))


def _managed(name: str, family: str) -> Iterator[str]:
    """What pyenv, uv, nvm and fnm have installed for this user. A shim of theirs on PATH runs whatever is switched on."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - pathlib's raises for a user without a home
    roots = {
        "python": (home / ".pyenv/versions", home / ".local/share/uv/python"),
        "node": (home / ".nvm/versions/node", home / ".local/share/fnm/node-versions"),
    }[family]
    for root in roots:
        for pattern in (f"*/bin/{name}", f"*/installation/bin/{name}"):
            yield from (str(path) for path in sorted(root.glob(pattern)))


def probe_python(command: str) -> Interpreter | None:
    """Run it to see what it is; some tens of milliseconds. None: too old, or not what its name says."""
    lines = _output(command, "-c", _PYTHON_PROBE)
    try:
        executable, major, minor, extensions = lines[:4]
        found = Interpreter(executable, (int(major), int(minor)), extensions)
    except ValueError:
        return None
    return found if found.version >= OLDEST_PYTHON else None


def probe_node(command: str) -> Interpreter | None:
    lines = _output(command, "--version")
    try:
        major, minor, _ = lines[0].removeprefix("v").split(".")
        found = Interpreter(os.path.realpath(command), (int(major), int(minor)))
    except (ValueError, IndexError):
        return None
    return found if found.version >= OLDEST_NODE else None


def probe_java(command: str) -> Interpreter | None:
    """`openjdk 17.0.15 2025-04-15`. Java 8 does not know the option, and counts as not being there: newer ones run its code."""
    lines = _output(command, "--version")
    found = re.match(r"\w+ (\d+)", lines[0]) if lines else None
    if found is None or int(found[1]) < OLDEST_JAVA[0]:
        return None
    return Interpreter(os.path.realpath(command), (int(found[1]), 0))


def _output(*command: str) -> list[str]:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PROBE_SECONDS, env={"PATH": _PATH}, check=True
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return []
    return done.stdout.splitlines()
