"""How a declared runtime is run here: which interpreter, started how. The very version when the machine has it, else the
nearest of its family.

    python3.x          AWS's runtime client on a Python of its own (python_home)
    nodejs*            the `node` that is found, with a runtime client of ours (node/bootstrap.cjs)
    java*              the `java` that is found, with AWS's runtime client, where its user has got that (java_home)
    provided*, go1.x   an executable of the function's own, `bootstrap`

Not here: starting a worker (worker), the list of runtimes that AWS knows (control, from the service model).

AWS: "Lambda runtimes". Half of all public templates name a version that AWS has retired since.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tidegate.functions import java_home
from tidegate.functions.debugging import HOST
from tidegate.functions.interpreters import (
    OLDEST_JAVA,
    OLDEST_NODE,
    OLDEST_PYTHON,
    Interpreter,
    Version,
    every_java,
    every_node,
    every_python,
    probe_java,
    probe_node,
    probe_python,
    python_candidates,
)
from tidegate.functions.python_home import LAUNCHER, make_home, packages_of, python_of
from tidegate.functions.spec import FunctionSpec

_DECLARED = re.compile(r"(?P<family>python|nodejs|java)(?P<major>\d+)(?:\.(?P<minor>\d+|x|al2))?")
_FIRST_NAMES = {"nodejs": "nodejs0.10", "nodejs4.3-edge": "nodejs4.3"}
"""Names that do not follow the rule → those that would."""
_CUSTOM = ("provided", "provided.al2", "provided.al2023", "go1.x")
_NODE_CLIENT = Path(__file__).parent / "node" / "bootstrap.cjs"
_SUPPORTED = "python, nodejs, java, provided and go1.x are"
_INSTEAD = {
    "dotnet": "publish the function self-contained with Amazon.Lambda.RuntimeSupport as an executable named bootstrap, "
    "and declare provided.al2023",
    "ruby": "pack a bootstrap that starts aws_lambda_ric, and declare provided.al2023",
}
"""Families that are refused → what to do instead."""


class UnsupportedRuntime(Exception):
    """No interpreter of the family can run here. The message is for people."""


class InvalidEntrypoint(Exception):
    """A custom runtime's package holds nothing that can be started; the message is AWS's."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A runtime's name, taken apart."""

    name: str
    family: str
    """`python`, `nodejs`, `java` or `custom`."""
    version: Version


@dataclass(frozen=True, slots=True)
class Runtime:
    """A declared runtime on this machine."""

    declared: Declared
    directory: str
    """`LAMBDA_RUNTIME_DIR`."""
    interpreter: Interpreter | None = None
    python: str = ""
    """The interpreter inside its home."""

    @property
    def binaries(self) -> str:
        """The directory that takes the place of AWS's /var/lang/bin on PATH."""
        if self.python:
            return str(Path(self.python).parent)
        return "" if self.interpreter is None else str(Path(self.interpreter.executable).parent)

    @property
    def has_channel(self) -> bool:
        """Whether its client speaks through a channel."""
        return self.declared.family in ("python", "nodejs")

    @property
    def substitute(self) -> str | None:
        """What runs in place of the version asked for; None when it is that version."""
        wanted, found = self.declared, self.interpreter
        if found is None or _same(wanted, found.version):
            return None
        if wanted.family == "python":
            return f"python{found.version[0]}.{found.version[1]}"
        return f"{'node' if wanted.family == 'nodejs' else wanted.family} {found.version[0]}"

    def command(self, spec: FunctionSpec, task_root: str, opt: str, debug_port: int = 0) -> list[str]:
        """What to execute. `debug_port`: where its debugger listens; 0: it has none. Raises InvalidEntrypoint, and
        UnsupportedRuntime where there is no debugger.
        """
        if self.declared.family == "python":
            options = ["-X", "frozen_modules=off"] if debug_port else []
            wishes = [f"--debug={debug_port}:{_debugpy(spec)}"] if debug_port else []
            if spec.folder is not None:
                wishes.append("--fresh")
            return [self.python, *options, str(LAUNCHER), *wishes, spec.handler, opt, *spec.libraries]
        if self.declared.family == "java" and self.interpreter is not None:
            options = java_home.options(spec.memory, debug_port)
            where = f"{self.directory}/lib/*"
            return [self.interpreter.executable, *options, "-cp", where, java_home.MAIN, spec.handler]
        if self.interpreter is not None:
            options = [f"--inspect={HOST}:{debug_port}", "--inspect-publish-uid=http"] if debug_port else []
            return [self.interpreter.executable, *_heap(spec), *options, str(_NODE_CLIENT)]
        if debug_port:
            raise UnsupportedRuntime(f"there is no debugger for the runtime {spec.runtime}")
        return [_entrypoint(self.declared.name, spec.handler, task_root, opt)]


def _heap(spec: FunctionSpec) -> list[str]:
    """AWS tells V8 what it may take, as it would grow beyond the memory size before it looks for garbage; observed there: 90 %
    and 5 % of it. Who says something else in NODE_OPTIONS is not contradicted.
    """
    if "--max-old-space-size" in spec.environment.get("NODE_OPTIONS", ""):
        return []
    return [f"--max-old-space-size={spec.memory * 9 // 10}", f"--max-semi-space-size={max(1, spec.memory // 20)}"]


def _debugpy(spec: FunctionSpec) -> Path:
    """The debugger that is installed beside us."""
    found = find_spec("debugpy")
    if found is None or found.origin is None:
        raise UnsupportedRuntime("to debug Python, debugpy has to be installed: pip install 'tidegate[debug]'")
    return Path(found.origin).parent


def _same(wanted: Declared, found: Version) -> bool:
    return found == wanted.version if wanted.family == "python" else found[0] == wanted.version[0]


def _entrypoint(runtime: str, handler: str, task_root: str, opt: str) -> str:
    """AWS looks into the code first, then into the layers; a go1.x package names its executable by the handler."""
    names = [f"{task_root}/bootstrap", f"{opt}/bootstrap"]
    if runtime == "go1.x":
        names.insert(0, f"{task_root}/{handler}")
    for name in names:
        if Path(name).is_file():
            if not os.access(name, os.X_OK):
                raise InvalidEntrypoint(f"fork/exec {_on_aws(name, task_root, opt)}: permission denied")
            return name
    raise InvalidEntrypoint(
        f"Couldn't find valid bootstrap(s): [{' '.join(_on_aws(name, task_root, opt) for name in names)}]"
    )


def _on_aws(path: str, task_root: str, opt: str) -> str:
    for here, there in ((task_root, "/var/task"), (opt, "/opt")):
        if path.startswith(here + "/"):
            return there + path.removeprefix(here)
    return path


def parse_runtime(runtime: str) -> Declared:
    """`python3.9` → python, (3, 9). Raises UnsupportedRuntime for families that are not run here."""
    if runtime in _CUSTOM:
        return Declared(runtime, "custom", (0, 0))
    match = _DECLARED.fullmatch(_FIRST_NAMES.get(runtime, runtime))
    if match is None or (match["family"] == "python" and not (match["minor"] or "").isdigit()):
        advice = next((text for family, text in _INSTEAD.items() if runtime.startswith(family)), _SUPPORTED)
        raise UnsupportedRuntime(f"runtime {runtime} is not supported: {advice}")
    minor = match["minor"] or ""
    return Declared(runtime, match["family"], (int(match["major"]), int(minor) if minor.isdigit() else 0))


def require_installed(runtime: str) -> None:
    """A quick look, nothing is run: raises UnsupportedRuntime where the machine cannot have an interpreter for it."""
    family = parse_runtime(runtime).family
    if family == "nodejs" and next(every_node(), None) is None:
        raise _no_node(runtime)
    if family == "java" and next(every_java(), None) is None:
        raise _no_java(runtime)


def choose(declared: Declared, available: Mapping[Version, Interpreter]) -> Interpreter:
    """The declared version, else the nearest; of two equally near the newer one. Python 2 counts as older than any 3."""
    if not available:
        raise {"nodejs": _no_node, "java": _no_java, "python": _no_python}[declared.family](declared.name)
    wanted = declared.version

    def distance(version: Version) -> tuple[int, int, int]:
        if declared.family == "java":  # an older one does not run newer code
            return int(version[0] < wanted[0]), abs(version[0] - wanted[0]), 0
        if declared.family == "nodejs":  # a minor version of Node.js adds, and breaks nothing
            return abs(version[0] - wanted[0]), -version[0], -version[1]
        return abs((version[0] - wanted[0]) * 100 + version[1] - wanted[1]), -version[1], 0

    return available[min(available, key=distance)]


def find_python(declared: Declared) -> Interpreter:
    """The one that runs functions of this runtime here. Blocks. Raises UnsupportedRuntime."""
    available = _probed(python_candidates(declared.version), probe_python, declared.version)
    if declared.version not in available:
        available = _probed(every_python(), probe_python)
    return choose(declared, available)


def _no_node(runtime: str) -> UnsupportedRuntime:
    needed = f"Node.js {OLDEST_NODE[0]} or newer"
    return UnsupportedRuntime(f"runtime {runtime} needs {needed}: no `node` of that kind is on PATH; install it")


def _no_java(runtime: str) -> UnsupportedRuntime:
    return UnsupportedRuntime(
        f"runtime {runtime} needs Java {OLDEST_JAVA[0]} or newer: no `java` of that kind was found"
    )


def _no_python(runtime: str) -> UnsupportedRuntime:
    needed = f"Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer"
    return UnsupportedRuntime(f"runtime {runtime} needs {needed}, and none was found on this machine")


class Runtimes:
    """Finds interpreters, each probed once, when a runtime is first asked for."""

    def __init__(self, root: Path) -> None:
        """`root`: where the homes of interpreters are made, and where SDKs for Node.js may be installed."""
        self._root = root.absolute()
        self._found: dict[str, asyncio.Future[Runtime]] = {}

    async def find(self, runtime: str) -> Runtime:
        """Raises UnsupportedRuntime, or OSError when its home cannot be made."""
        future = self._found.get(runtime)
        if future is None:
            loop = asyncio.get_running_loop()
            future = self._found[runtime] = loop.run_in_executor(None, self._find, runtime)
        try:
            return await asyncio.shield(future)
        except (UnsupportedRuntime, OSError):
            self._found.pop(runtime, None)  # it may be installed before the next call
            raise

    def _find(self, runtime: str) -> Runtime:
        declared = parse_runtime(runtime)
        if declared.family == "python":
            return self._python(declared)
        if declared.family == "nodejs":
            interpreter = choose(declared, _probed(every_node(), probe_node))
            return Runtime(declared, str(self._root / "nodejs"), interpreter)
        if declared.family == "java":
            return self._java(declared)
        return Runtime(declared, "/var/runtime")

    def _java(self, declared: Declared) -> Runtime:
        interpreter = choose(declared, _probed(every_java(), probe_java))
        try:
            jars = java_home.find_jars(self._root)
        except java_home.NoClient as error:
            raise UnsupportedRuntime(f"runtime {declared.name} cannot be run: {error}") from None
        return Runtime(declared, str(java_home.make_home(self._root, jars)), interpreter)

    def _python(self, declared: Declared) -> Runtime:
        interpreter = find_python(declared)
        home = make_home(self._root, interpreter)
        return Runtime(declared, str(packages_of(home, interpreter)), interpreter, str(python_of(home)))


def _probed(
    commands: Iterable[str], probe: Callable[[str], Interpreter | None], enough: Version | None = None
) -> dict[Version, Interpreter]:
    """The first of each version; ends early once `enough` is found."""
    available: dict[Version, Interpreter] = {}
    for command in dict.fromkeys(commands):
        found = probe(command)
        if found is not None and found.version not in available:
            available[found.version] = found
            if found.version == enough:
                break
    return available
