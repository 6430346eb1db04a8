"""Java functions: the JVM, and AWS's runtime client where its user has got it.

That client comes from Maven Central, which tests do not reach: what is started in its place here is a class of its name that
speaks the Runtime API and tells how it was started.
"""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.functions.harness import lab, run
from tidegate.functions.interpreters import every_java, probe_java
from tidegate.functions.java_home import NoClient, find_jars
from tidegate.functions.runtimes import choose, parse_runtime
from tidegate.functions.spec import InvokeError

CLIENT, CORE, SERIALIZATION = (
    "aws-lambda-java-runtime-interface-client",
    "aws-lambda-java-core",
    "aws-lambda-java-serialization",
)
STAND_IN = """package com.amazonaws.services.lambda.runtime.api.client;
import java.net.*;
public class AWSLambda {
    public static void main(String[] arguments) throws Exception {
        String api = "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/";
        while (true) {
            HttpURLConnection next = (HttpURLConnection) new URL(api + "next").openConnection();
            String id = next.getHeaderField("Lambda-Runtime-Aws-Request-Id");
            next.getInputStream().readAllBytes();
            String told = String.join("|", arguments[0], System.getProperty("java.class.path"), System.getProperty("user.dir"),
                String.valueOf(Runtime.getRuntime().maxMemory() / 1048576), System.getenv("AWS_EXECUTION_ENV"));
            HttpURLConnection answer = (HttpURLConnection) new URL(api + id + "/response").openConnection();
            answer.setDoOutput(true);
            answer.getOutputStream().write(('"' + told + '"').getBytes());
            answer.getInputStream().readAllBytes();
        }
    }
}
"""


def fill(group: Path, **versions: str) -> None:
    for artifact, version in versions.items():
        name = {"client": CLIENT, "core": CORE, "serialization": SERIALIZATION}[artifact]
        path = group / name / version / f"{name}-{version}.jar"
        path.parent.mkdir(parents=True)
        path.touch()


def test_the_newest_of_mavens_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    group = tmp_path / ".m2/repository/com/amazonaws"
    with pytest.raises(NoClient, match=f"get {CLIENT}, {CORE}, {SERIALIZATION} "):
        find_jars(tmp_path)
    for version in ("2.9.0", "2.10.1"):
        fill(group, client=version)
    (group / CLIENT / "2.10.1" / f"{CLIENT}-2.10.1-sources.jar").touch()
    fill(group, core="1.2.3")
    with pytest.raises(NoClient, match=f"get {SERIALIZATION} "):
        find_jars(tmp_path)
    fill(group, serialization="1.1.5")
    assert [path.name for path in find_jars(tmp_path)] == [
        f"{CLIENT}-2.10.1.jar",
        f"{CORE}-1.2.3.jar",
        f"{SERIALIZATION}-1.1.5.jar",
    ]
    (tmp_path / "java").mkdir()
    for name in (f"{CLIENT}-2.3.1.jar", "else.jar"):
        (tmp_path / "java" / name).touch()
    assert {path.name for path in find_jars(tmp_path)} == {f"{CLIENT}-2.3.1.jar", "else.jar"}, "ours first, all of it"


def test_a_newer_java_is_taken_rather_than_an_older_one() -> None:
    found = {(version, 0): probe for version in (11, 17, 25) if (probe := f"java {version}")}
    for declared, taken in (("java8.al2", 11), ("java11", 11), ("java17", 17), ("java21", 25), ("java25", 25)):
        assert choose(parse_runtime(declared), found) == f"java {taken}"  # type: ignore[arg-type,comparison-overlap]


needs_java = pytest.mark.skipif(not any(map(probe_java, every_java())), reason="no java on this machine")


@needs_java
def test_without_the_client_it_is_said_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    async def work() -> None:
        async with lab(tmp_path) as room:
            told = f"runtime java21 cannot be run: AWS's runtime client for Java is not here: get {CLIENT}"
            assert str(await room.service.why_not("java21")).startswith(told)
            arn = room.add({"x": ""}, runtime="java21", handler="example.App::handle")
            with pytest.raises(InvokeError, match=told) as refused:
                await room.value(arn)
            assert (refused.value.code, refused.value.status) == ("InvalidRuntimeException", 502)

    run(work())


@needs_java
@pytest.mark.skipif(shutil.which("javac") is None, reason="no javac on this machine")
def test_the_jvm_runs_the_client_with_the_handler(tmp_path: Path) -> None:
    source = tmp_path / "AWSLambda.java"
    source.write_text(STAND_IN)
    subprocess.run(["javac", "-d", str(tmp_path / "classes"), str(source)], check=True)
    jars = tmp_path / "runtimes/java"
    jars.mkdir(parents=True)
    with zipfile.ZipFile(jars / f"{CLIENT}-2.10.1.jar", "w") as jar:
        for path in (tmp_path / "classes").rglob("*.class"):
            jar.write(path, path.relative_to(tmp_path / "classes"))

    async def work(isolated: bool) -> None:
        async with lab(tmp_path, isolated=isolated) as room:
            assert await room.service.why_not("java17") is None
            arn = room.add({"x": ""}, runtime="java17", handler="example.App::handle", memory=256)
            handler, path, directory, heap, environment = (await room.value(arn)).split("|")
            assert (handler, environment) == ("example.App::handle", "AWS_Lambda_java17")
            assert path.endswith(f"/lib/{CLIENT}-2.10.1.jar")
            assert 150 < int(heap) <= 256 * 0.85
            if isolated and directory == "/var/task":
                assert path.startswith("/var/runtime/lib/")

    run(work(isolated=True))
    run(work(isolated=False))
