"""The programs in the order of a turn: how each is fetched and built, once, below `bench/.work`, and how it is started.

Each `prepare` takes that directory, and gives the program or raises Absent with the reason.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.contestants import tidegate

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
AIRSPEED = "0.7.1"
VELOCITYJS = "2.1.7"
JAVA_PACKAGES = "velocity libjsonpath-java default-jdk-headless"
JARS = tuple(
    Path("/usr/share/java") / f"{name}.jar"
    for name in "velocity commons-lang commons-collections3 json-path json-smart accessors-smart asm slf4j-api slf4j-nop".split()
)


class Absent(Exception):
    """A program cannot be run here; the message says why."""


@dataclass(frozen=True, slots=True)
class Program:
    """How a renderer is run."""

    command: Sequence[str]
    """Without the template and the request, which come last."""
    version: str
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Renderer:
    """One of those that are compared."""

    name: str
    title: str
    prepare: Callable[[Path], Program]


def _python(module: str, *paths: Path) -> tuple[list[str], dict[str, str]]:
    path = ":".join(map(str, (ROOT, *paths)))
    return [sys.executable, "-m", f"bench.renderers.{module}"], {"PYTHONPATH": path}


def _tidegate(_work: Path) -> Program:
    command, env = _python("tidegate")
    return Program(command, tidegate.version(), env)


def _airspeed(work: Path) -> Program:
    target = work / f"airspeed-{AIRSPEED}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _once(target, [*pip, "--target", "{}", f"airspeed=={AIRSPEED}"])
    command, env = _python("with_airspeed", target)
    return Program(command, f"airspeed {AIRSPEED}, Python {sys.version.split()[0]}", env)


def _velocityjs(work: Path) -> Program:
    node = _needed("node", "nodejs")
    target = work / f"velocityjs-{VELOCITYJS}"
    options = "--loglevel error --fetch-retries 1 --no-audit --no-fund".split()
    npm = [_needed("npm", "nodejs"), "install", *options]
    _once(target, [*npm, "--prefix", "{}", f"velocityjs@{VELOCITYJS}"])
    version = f"velocityjs {VELOCITYJS}, Node.js {_said([node, '--version'])}"
    return Program([node, str(HERE / "velocityjs.js")], version, {"NODE_PATH": str(target / "node_modules")})


def _velocity(work: Path) -> Program:
    java, javac = _needed("java", JAVA_PACKAGES), _needed("javac", JAVA_PACKAGES)
    absent = [jar.name for jar in JARS if not jar.exists()]
    if absent:
        raise Absent(f"{', '.join(absent)} not installed (apt-get install {JAVA_PACKAGES})")
    classpath = ":".join(map(str, JARS))
    source = HERE / "Velocity.java"
    target = work / f"velocity-{source.stat().st_mtime_ns}"
    _once(target, [javac, "-nowarn", "-cp", classpath, "-d", "{}", str(source)])
    version = f"Apache Velocity 1.7 and JsonPath of Debian, {_said([java, '-version'])}"
    return Program([java, "-cp", f"{target}:{classpath}", "Velocity"], version)


RENDERERS: Sequence[Renderer] = (
    Renderer("tidegate", "Tidegate", _tidegate),
    Renderer("airspeed", "airspeed", _airspeed),
    Renderer("velocityjs", "velocityjs", _velocityjs),
    Renderer("velocity", "Apache Velocity, Java", _velocity),
)


def _needed(program: str, packages: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise Absent(f"{program} is not installed (apt-get install {packages})")
    return found


def _once(target: Path, command: Sequence[str]) -> None:
    """Fill a directory by a command, in which `{}` stands for it, unless that was done before. Nothing is left half done."""
    if target.exists():
        return
    half = target.with_name(f"{target.name}.part")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    done = subprocess.run(
        [part.replace("{}", str(half)) for part in command], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        shutil.rmtree(half)
        raise Absent(f"could not be fetched or built: {' '.join((done.stderr or done.stdout).split())[:300]}")
    half.rename(target)


def _said(command: Sequence[str]) -> str:
    """The first line that a program prints, on either stream."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).partition("\n")[0]


def last_line(text: str) -> str:
    """The last line with something in it."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it printed nothing")
