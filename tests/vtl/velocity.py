"""Apache Velocity 1.7 itself, as a child process: the reference that our engine is compared with.

Debian's packages `velocity` and `libjsonpath-java` have what is needed; the shim is compiled when it is first used.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tidegate.mapping.velocity import UTIL, Input
from tidegate.vtl import VELOCITY_17, JsonArray, TemplateError, TemplateSyntaxError, compile_template

SHIM = Path(__file__).parent / "java" / "Reference.java"
JARS = [
    Path("/usr/share/java") / f"{name}.jar"
    for name in "velocity commons-lang commons-collections3 json-path json-smart accessors-smart asm slf4j-api slf4j-nop".split()
]
PACKAGES = "velocity libjsonpath-java default-jdk-headless"


@cache
def missing() -> str | None:
    """Why Velocity cannot be asked here, or None when it can."""
    if not (shutil.which("java") and shutil.which("javac")):
        return f"no Java (apt-get install {PACKAGES})"
    absent = [jar.name for jar in JARS if not jar.exists()]
    return f"without {', '.join(absent)} (apt-get install {PACKAGES})" if absent else None


class Velocity:
    """The running engine."""

    def __init__(self) -> None:
        self._classes = tempfile.TemporaryDirectory(prefix="velocity-")
        classpath = ":".join(map(str, JARS))
        subprocess.run(
            ["javac", "-nowarn", "-cp", classpath, "-d", self._classes.name, str(SHIM)], check=True, capture_output=True
        )
        self._child = subprocess.Popen(
            [
                "java",
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                f"{self._classes.name}:{classpath}",
                "Reference",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def render(self, template: str, variables: dict[str, Any]) -> tuple[str, str]:
        """("output", text), ("syntax", message) or ("error", message)."""
        assert self._child.stdin is not None and self._child.stdout is not None
        self._child.stdin.write(json.dumps({"template": template, "variables": variables}).encode() + b"\n")
        self._child.stdin.flush()
        ((kind, text),) = json.loads(self._child.stdout.readline()).items()
        return kind, text

    def close(self) -> None:
        self._child.kill()
        self._child.wait()
        self._classes.cleanup()


def ours(template: str, variables: dict[str, Any]) -> tuple[str, str]:
    """The same of our engine, in the dialect of Velocity 1.7."""
    try:
        return "output", compile_template(template, dialect=VELOCITY_17).render(values(variables))
    except TemplateSyntaxError as error:
        return "syntax", str(error)
    except TemplateError as error:
        return "error", str(error)


def values(given: Any) -> Any:
    """The shim's way to write values, for us (see Reference.java)."""
    if isinstance(given, list):
        return JsonArray(map(values, given))
    if not isinstance(given, dict):
        return given
    if "@list" in given:
        return list(map(values, given["@list"]))
    if "@input" in given:
        return Input(SimpleNamespace(template_parameters=values(given["parameters"])), given["@input"].encode())
    if "@util" in given:
        return UTIL
    return {name: values(value) for name, value in given.items()}
