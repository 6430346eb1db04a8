"""The real Jayway JsonPath and json-smart as a child process, compiled and started on first use.

Jars come from Debian (libjsonpath-java, 2.0.0) or from a local Maven repository (the newest there); every version found is a
reference of its own.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SHIM = Path(__file__).parent / "java" / "JaywayShim.java"
DEBIAN = Path("/usr/share/java")
MAVEN = Path.home() / ".m2" / "repository"


@dataclass(frozen=True, slots=True)
class Answer:
    """What Jayway said: kind is value, missing, failed (while reading), invalid (path) or malformed (document)."""

    kind: str
    definite: bool = False
    text: str = ""
    printed: str = ""
    error: str = ""


class Jayway:
    """A running shim."""

    def __init__(self, version: str, jars: list[Path]) -> None:
        self.version = version
        self._classes = tempfile.TemporaryDirectory(prefix="jayway-")
        classpath = ":".join(map(str, jars))
        subprocess.run(
            ["javac", "-nowarn", "-Xlint:none", "-cp", classpath, "-d", self._classes.name, str(SHIM)],
            check=True,
            capture_output=True,
        )
        self._child = subprocess.Popen(
            [
                "java",
                "-Xss8m",
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                f"{self._classes.name}:{classpath}",
                "JaywayShim",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def ask(self, path: str, document: str) -> Answer:
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.write(json.dumps({"path": path, "document": document}).encode() + b"\n")
        self._child.stdin.flush()
        answer = Answer(**json.loads(self._child.stdout.readline()))
        assert answer.kind != "broken", answer.error
        return answer

    def close(self) -> None:
        self._child.kill()
        self._child.communicate()
        self._classes.cleanup()


def _newest(folder: Path, pattern: str) -> Path | None:
    def numbers(path: Path) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", path.name)]

    return max(folder.glob(pattern), key=numbers, default=None)


def _debian() -> tuple[str, list[Path]] | None:
    jar = _newest(DEBIAN, "json-path-[0-9]*.jar")
    jars = [jar, DEBIAN / "json-smart.jar", DEBIAN / "asm.jar", DEBIAN / "slf4j-api.jar"]
    return (jar.stem.removeprefix("json-path-"), jars) if jar and all(one and one.exists() for one in jars) else None


def _maven() -> tuple[str, list[Path]] | None:
    jar = _newest(MAVEN, "com/jayway/jsonpath/json-path/*/json-path-[0-9]*.jar")
    others = [
        _newest(MAVEN, pattern)
        for pattern in (
            "net/minidev/json-smart/*/json-smart-[0-9]*.jar",
            "net/minidev/accessors-smart/*/accessors-smart-[0-9]*.jar",
            "org/slf4j/slf4j-api/*/slf4j-api-[0-9]*.jar",
        )
    ]
    return (jar.parent.name, [jar, *others]) if jar and all(others) else None


@cache
def references() -> tuple[Jayway, ...]:
    """Every version of the library on this machine, oldest first. Empty without Java."""
    if not shutil.which("javac") or not shutil.which("java"):
        return ()
    return tuple(Jayway(*found) for found in (_debian(), _maven()) if found)


def close_references() -> None:
    if references.cache_info().currsize:
        for reference in references():
            reference.close()
        references.cache_clear()
