"""Layers: how they lie over one another, and how functions find what is in them."""

from __future__ import annotations

import logging
import shutil
import sys
from pathlib import Path

import pytest

from tests.functions.harness import Lab, lab, run, zipped
from tidegate.functions.layers import Layers
from tidegate.functions.packages import PackageStore
from tidegate.functions.spec import InvokeError


def layer(
    packages: PackageStore, files: dict[str, str | bytes], executables: dict[str, str | bytes] | None = None
) -> str:
    return packages.add(zipped(files, executables)).code_sha256


def test_a_later_layer_wins(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    one = layer(store, {"a": "1", "b": "1", "d/x": "1", "file": "1", "folder/x": "1"})
    two = layer(store, {"b": "2", "d/y": "2", "file/x": "2", "folder": "2"}, {"bin/tool": "#!/bin/sh\n"})
    merged = Layers(store).opt((one, two))
    found = {str(path.relative_to(merged)): path.read_text() for path in merged.rglob("*") if path.is_file()}
    assert found == {
        "a": "1", "b": "2", "d/x": "1", "d/y": "2", "file/x": "2", "folder": "2", "bin/tool": "#!/bin/sh\n",
    }  # fmt: skip
    assert (merged / "bin/tool").stat().st_mode & 0o777 == 0o755
    assert Layers(store).opt((one, two)) == merged
    assert (Layers(store).opt((two, one)) / "b").read_text() == "1"
    assert (store.path(one) / "b").read_text() == "1", "the packages are left as they were"
    assert Layers(store).opt((one,)) == store.path(one)
    assert Layers(store).opt(()) == Path("/opt")
    with pytest.raises(FileNotFoundError):
        Layers(store).opt((one, "A" * 43 + "="))


def test_python_finds_modules_of_layers(tmp_path: Path) -> None:
    version = f"python3.{sys.version_info[1]}"
    source = (
        "import one, two, three, subprocess, ctypes.util\n"
        "def handler(e, c):\n    return [one.X, two.X, three.X, subprocess.check_output(['tool'], text=True)]"
    )

    async def work() -> None:
        async with lab(tmp_path) as room:
            layers = (
                layer(room.packages, {"python/one.py": "X = 1", "python/three.py": "X = 0"}),
                layer(room.packages, {f"python/lib/{version}/site-packages/two.py": "X = 2"}),
                layer(room.packages, {"python/three.py": "X = 3"}, {"bin/tool": "#!/bin/sh\necho tool"}),
            )
            assert await room.value(room.add(source, layers=layers)) == [1, 2, 3, "tool\n"]
            own = room.add({"app.py": source, "one.py": "X = 'own'"}, layers=layers, name="own")
            assert (await room.value(own))[0] == "own", "the function's own come first"
            gone = room.add(source, layers=("A" * 43 + "=",), name="gone")
            with pytest.raises(InvokeError, match="ServiceException"):
                await room.value(gone)

    run(work())


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_node_finds_modules_of_layers(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            layers = (
                layer(room.packages, {"nodejs/node_modules/one/index.js": "exports.x = 1"}),
                layer(room.packages, {"nodejs/node_modules/two/index.js": "exports.x = 2"}),
            )
            for number, files in enumerate(
                (
                    {
                        "app.js": "const a = require('one'), b = require('two'); exports.handler = async () => [a.x, b.x]"
                    },
                    {
                        "app.mjs": "import a from 'one'; import b from 'two'; export const handler = async () => [a.x, b.x]"
                    },
                )
            ):
                arn = room.add(files, runtime="nodejs20.x", layers=layers, name=f"f{number}")
                assert await room.value(arn) == [1, 2]

    run(work())


WRAPPER = '#!/bin/sh\nexport WRAPPED="$_HANDLER"\nexec "$@"\n'


def wrapped(room: Lab, **spec: object) -> str:
    source = "import os\ndef handler(e, c):\n    return os.environ.get('WRAPPED')"
    return room.add({"app.py": source}, executables={"wrap": WRAPPER}, **spec)


def test_a_wrapper_script_starts_the_runtime(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            tools = layer(room.packages, {}, {"tools/wrap": WRAPPER})
            for number, script in enumerate(("/opt/tools/wrap", "/var/task/wrap")):
                arn = wrapped(room, environment={"AWS_LAMBDA_EXEC_WRAPPER": script}, layers=(tools,), name=f"f{number}")
                assert await room.value(arn) == "app.handler"
            assert await room.value(wrapped(room, name="plain")) is None

    run(work())


def test_extensions_are_said_not_to_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            layers = (layer(room.packages, {}, {"extensions/agent": "#!/bin/sh\n"}),)
            assert await room.value(wrapped(room, layers=layers)) is None

    with caplog.at_level(logging.WARNING, "tidegate.functions"):
        run(work())
    assert caplog.messages == ["function f: extensions in layers are not run"]
