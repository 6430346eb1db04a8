"""The directory from which Java functions run: AWS's own runtime client for Java, as its user has got it from Maven Central.

The jars are looked for in `<runtimes>/java`, where whatever lies is taken together, then in Maven's local repository, where
the newest of each is. They are copied, since a function does not see its gateway's home. Not here: finding a JVM
(interpreters). Blocks on the disk.

AWS: "Building Lambda functions with Java"; aws-lambda-java-libs on GitHub.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tempfile
from pathlib import Path
from typing import Final

MAIN: Final = "com.amazonaws.services.lambda.runtime.api.client.AWSLambda"
_CLIENT = "aws-lambda-java-runtime-interface-client"
_ARTIFACTS = (_CLIENT, "aws-lambda-java-core", "aws-lambda-java-serialization")
_GROUP = Path(".m2/repository/com/amazonaws")
_MACHINES = {"x86_64": "linux-x86_64", "aarch64": "linux-aarch_64"}
"""How the client's jars are called that hold the native part for one machine only."""


class NoClient(Exception):
    """AWS's runtime client is not on this machine; the message says what is missing, and where it is looked for."""


def find_jars(root: Path) -> list[Path]:
    """Raises NoClient."""
    own = sorted((root / "java").glob("*.jar"))
    if any(path.name.startswith(_CLIENT) for path in own):
        return own
    group = Path(os.path.expanduser("~")) / _GROUP  # noqa: PTH111 - pathlib's raises for a user without a home
    found = {artifact: _newest(group / artifact, artifact) for artifact in _ARTIFACTS}
    missing = [artifact for artifact, path in found.items() if path is None]
    if missing:
        raise NoClient(
            f"AWS's runtime client for Java is not here: get {', '.join(missing)} (com.amazonaws, Maven Central) with "
            f"`mvn dependency:get`, or put the jars into {root / 'java'}"
        )
    return [path for path in found.values() if path is not None]


def _newest(directory: Path, artifact: str) -> Path | None:
    here = _MACHINES.get(platform.machine(), "")
    jars = []
    for path in directory.glob("*/*.jar"):
        version = path.parent.name
        rest = path.name.removeprefix(f"{artifact}-{version}").removesuffix(".jar")
        if rest in ("", f"-{here}"):
            jars.append((tuple(map(int, re.findall(r"\d+", version))), rest, path))
    return max(jars)[2] if jars else None


def make_home(root: Path, jars: list[Path]) -> Path:
    """The home below `root` with these jars, made if it is not there. Raises OSError."""
    facts = [f"{path}\0{path.stat().st_size}\0{path.stat().st_mtime_ns}" for path in jars]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]
    home = root / f"java-{digest}"
    if not home.is_dir():
        _build(home, jars)
    return home


def _build(home: Path, jars: list[Path]) -> None:
    """Appears whole, by one rename; another gateway may be at it at the same time."""
    home.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".making-", dir=home.parent))
    try:
        work.chmod(0o755)
        (work / "lib").mkdir()
        for jar in jars:
            shutil.copy(jar, work / "lib" / jar.name)
        try:
            work.rename(home)
        except OSError:
            if not home.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def options(memory: int, debug_port: int) -> list[str]:
    """Of the JVM. AWS: the heap has the greater part of a function's memory; one thread collects, one compiler compiles."""
    debugger = f"-agentlib:jdwp=transport=dt_socket,server=y,suspend=n,quiet=y,address=127.0.0.1:{debug_port}"
    chosen = [f"-Xmx{memory * 85 // 100}m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
    return [*chosen, debugger] if debug_port else chosen
