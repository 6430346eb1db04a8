"""Which interpreter runs a declared runtime, and what it finds."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest

from tests.functions.harness import blank_spec, lab, run
from tidegate.functions import interpreters
from tidegate.functions.interpreters import Interpreter, probe_node, probe_python
from tidegate.functions.python_home import make_home, packages_of, python_of
from tidegate.functions.runtimes import (
    InvalidEntrypoint,
    Runtime,
    Runtimes,
    UnsupportedRuntime,
    choose,
    parse_runtime,
    require_installed,
)
from tidegate.functions.spec import InvokeError

PYTHONS = {version: Interpreter(f"p{version[1]}", version) for version in ((3, 10), (3, 12), (3, 13))}
NODES = {version: Interpreter(f"n{version[0]}", version) for version in ((18, 20), (20, 1), (20, 9), (24, 0))}
OTHER_PYTHONS = [
    version
    for minor in range(10, 16)
    if (version := (3, minor)) != sys.version_info[:2]
    and any(probe_python(command) for command in interpreters.python_candidates(version))
]


@pytest.mark.parametrize(
    ("declared", "version"),
    [
        ("python3.10", (3, 10)),
        ("python3.9", (3, 10)),
        ("python3.6", (3, 10)),
        ("python2.7", (3, 10)),
        ("python3.11", (3, 12)),  # of two equally near the newer
        ("python3.14", (3, 13)),
        ("python3.99", (3, 13)),
        ("nodejs18.x", (18, 20)),
        ("nodejs20.x", (20, 9)),
        ("nodejs22.x", (24, 0)),
        ("nodejs", (18, 20)),
        ("nodejs4.3", (18, 20)),
        ("nodejs4.3-edge", (18, 20)),
        ("nodejs12.x", (18, 20)),
        ("nodejs26.x", (24, 0)),
    ],
)
def test_the_nearest_of_the_family(declared: str, version: tuple[int, int]) -> None:
    available = PYTHONS if declared.startswith("python") else NODES
    assert choose(parse_runtime(declared), available) == available[version]


@pytest.mark.parametrize(
    ("runtime", "advice"),
    [
        ("dotnet8", "Amazon.Lambda.RuntimeSupport"),
        ("dotnetcore3.1", "Amazon.Lambda.RuntimeSupport"),
        ("ruby3.3", "aws_lambda_ric"),
        ("python", "python, nodejs, java, provided and go1.x are"),
        ("python3", "python, nodejs, java, provided and go1.x are"),
        ("python3.x", "python, nodejs, java, provided and go1.x are"),
        ("", "python, nodejs, java, provided and go1.x are"),
    ],
)
def test_other_families_are_refused_by_name(runtime: str, advice: str) -> None:
    with pytest.raises(UnsupportedRuntime, match=f"runtime {runtime} is not supported: .*{advice}"):
        require_installed(runtime)


def test_no_interpreter_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRuntime, match=r"runtime python3.11 needs Python 3\.10 or newer"):
        choose(parse_runtime("python3.11"), {})
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for ask in (require_installed, lambda runtime: run(Runtimes(tmp_path).find(runtime))):
        with pytest.raises(UnsupportedRuntime, match=r"runtime nodejs22\.x needs Node\.js 18 or newer"):
            ask("nodejs22.x")


def test_what_version_managers_have_installed_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (".pyenv/versions/3.12.1/bin/python3.12", ".nvm/versions/node/v22.1.0/bin/node"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert list(interpreters.python_candidates((3, 12))) == [str(tmp_path / ".pyenv/versions/3.12.1/bin/python3.12")]
    assert list(interpreters.every_node()) == [str(tmp_path / ".nvm/versions/node/v22.1.0/bin/node")]


def test_our_own_interpreter_can_run_functions_and_nonsense_cannot() -> None:
    found = probe_python(sys.executable)
    assert found is not None
    assert found.version == sys.version_info[:2]
    for nonsense in ("/bin/false", "/bin/true", "/nonexistent/python"):
        assert probe_python(nonsense) is None
        assert probe_node(nonsense) is None


def test_a_home_is_made_once_and_is_whole(tmp_path: Path) -> None:
    own = probe_python(sys.executable)
    assert own is not None
    home = make_home(tmp_path / "homes", own)
    made = home.stat().st_mtime_ns
    assert make_home(tmp_path / "homes", own) == home
    assert home.stat().st_mtime_ns == made
    assert list((tmp_path / "homes").iterdir()) == [home]
    names = {entry.name for entry in packages_of(home, own).iterdir()}
    assert {"awslambdaric", "boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "simplejson"} <= names
    assert not {"tidegate", "httptools", "click", "sqlalchemy", "pip"} & names
    assert all(entry.exists() for entry in packages_of(home, own).iterdir())
    assert python_of(home).exists()


SEEN = """
import importlib.util, sys
import boto3, json, logging
def handler(event, context):
    return {
        "version": list(sys.version_info[:2]), "boto3": boto3.__version__,
        "ours": [name for name in ("tidegate", "httptools", "click", "pip") if importlib.util.find_spec(name)],
        "json": json.__file__, "echo": event,
    }
"""


@pytest.mark.parametrize("version", [sys.version_info[:2], *OTHER_PYTHONS])
def test_each_python_of_this_machine_runs_functions(tmp_path: Path, version: tuple[int, int]) -> None:
    """With AWS's own client where it fits, else with ours: results, errors, init failures."""
    runtime = f"python{version[0]}.{version[1]}"

    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(SEEN, runtime=runtime)
            for event in ("Grüße ☃", "x" * 300_000, None):
                seen = await room.value(arn, event)
                assert (tuple(seen["version"]), seen["ours"], seen["echo"]) == (version, [], event)
            harm = room.add(
                "import os\ndef handler(e, c):\n    if e: return eval(e)\n    1 / 0", runtime=runtime, name="harm"
            )
            assert (await room.error(harm))["errorType"] == "ZeroDivisionError"
            assert (await room.error(harm, "'x' * 7_000_000"))["errorType"] == "Function.ResponseSizeTooLarge"
            assert (await room.error(harm, "os._exit(3)"))["errorType"] == "Runtime.ExitError"
            assert await room.value(harm, "1") == 1
            broken = room.add("import nothing_like_it", runtime=runtime, name="broken")
            assert (await room.error(broken))["errorType"] == "Runtime.ImportModuleError"

    run(work())


def test_a_function_may_bring_modules_of_any_name(tmp_path: Path) -> None:
    """AWS's client has imported its own before the code comes onto the path, and what the code brings wins."""
    files: dict[str, str | bytes] = {
        "app.py": "import boto3\ndef handler(e, c):\n    return boto3.OWN",
        "boto3.py": "OWN = 'mine'",
        "runtime_client.py": "raise RuntimeError",
        "http.py": "raise RuntimeError",
        "bootstrap.py": "raise RuntimeError",
    }

    async def work() -> None:
        async with lab(tmp_path) as room:
            assert await room.value(room.add(files)) == "mine"
            assert await room.value(room.add(files, name="safe", environment={"PYTHONSAFEPATH": "1"})) == "mine"

    run(work())


def test_a_substitute_is_announced_once_per_function(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    hello = "def handler(event, context):\n    return 'hello'\n"

    async def work() -> None:
        async with lab(tmp_path) as room:
            for name in ("one", "two"):
                arn = room.add(hello, name=name, runtime="python2.7")
                assert await room.value(arn) == "hello"
                room.add(hello, name=name, runtime="python2.7", memory=256)
                assert await room.value(arn) == "hello"

    with caplog.at_level(logging.WARNING, "tidegate.functions"):
        run(work())
    starts = [message.partition(", running on python3.")[0] for message in caplog.messages]
    assert starts == [f"function {name}: python2.7 is not here" for name in ("one", "two")]


BOOTSTRAP = r"""#!/bin/sh
base="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  event=$(curl -sD "$TMPDIR/head" "$base/next")
  id=$(sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p' "$TMPDIR/head" | tr -d '\r')
  echo "handling $id" >&2
  if [ "$event" = '"fail"' ]; then
    curl -so /dev/null "$base/$id/error" -d '{"errorType": "Shell.Error", "errorMessage": "no luck"}'
  else
    curl -so /dev/null "$base/$id/response" -d "[$event, \"$_HANDLER\", \"$PWD\", \"$LAMBDA_TASK_ROOT\", \"$AWS_EXECUTION_ENV\"]"
  fi
done
"""


def test_a_custom_runtime_is_an_executable_of_its_own(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            executables = {"bootstrap": BOOTSTRAP}
            arn = room.add({}, executables=executables, runtime="provided.al2023", handler="my.handler")
            event, handler, folder, root, environment = await room.value(arn, {"a": 1})
            assert (event, handler, folder, environment) == ({"a": 1}, "my.handler", root, "")
            assert await room.error(arn, "fail") == {"errorType": "Shell.Error", "errorMessage": "no luck"}
            assert "handling " in room.text()
            go = room.add({}, executables={"main": BOOTSTRAP}, runtime="go1.x", handler="main", name="go")
            assert (await room.value(go))[4] == "AWS_Lambda_go1.x"

    run(work())


def test_a_custom_runtime_without_a_bootstrap(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            for files, reason in (
                ({"other": "x"}, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
                ({"bootstrap": BOOTSTRAP}, "fork/exec /var/task/bootstrap: permission denied"),
            ):
                error = await room.error(room.add(files, runtime="provided.al2", name=f"f{len(reason)}"))
                assert error["errorType"] == "Runtime.InvalidEntrypoint"
                assert error["errorMessage"].endswith(f" Error: {reason}")
            assert room.service.stats().workers == 0

    run(work())


def test_entrypoints(tmp_path: Path) -> None:
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/bootstrap").touch(0o755)
    runtime = Runtime(parse_runtime("provided"), "/var/runtime")
    roots = (str(tmp_path / "task"), str(tmp_path / "opt"))
    assert runtime.command(blank_spec(), *roots) == [str(tmp_path / "opt/bootstrap")]
    (tmp_path / "opt/bootstrap").chmod(0o644)
    with pytest.raises(InvalidEntrypoint, match="fork/exec /opt/bootstrap: permission denied"):
        runtime.command(blank_spec(), *roots)


def test_a_runtime_that_cannot_be_found_refuses_the_invocation(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            with pytest.raises(InvokeError, match=r"runtime ruby3\.3 is not supported") as caught:
                await room.value(room.add("", runtime="ruby3.3"))
            assert (caught.value.code, caught.value.status) == ("InvalidRuntimeException", 502)

    run(work())
