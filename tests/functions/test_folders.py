"""Code in a folder: what is saved runs at the next call, and not one call sees what was there before."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functions.harness import Lab, blank_spec, lab, run
from tidegate.functions.folders import stamp
from tidegate.functions.spec import CatalogEntry, FunctionSpec


def serve(room: Lab, folder: Path, **spec: str) -> str:
    base = blank_spec()
    members = {name: getattr(base, name) for name in base.__slots__} | {"folder": str(folder)} | spec
    made = FunctionSpec(**members)
    room.service.replace(CatalogEntry(made))
    return made.arn


PYTHON = "import helper\ndef handler(event, context):\n    return [{}, helper.value]\n"


def test_every_call_after_a_save_sees_it(tmp_path: Path) -> None:
    """Same size, same second: Python's own compiled modules would not tell them apart."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "helper.py").write_text("value = 0")

    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = serve(room, folder)
            for turn in range(10, 30):
                (folder / "app.py").write_text(PYTHON.format(turn))
                assert await room.value(arn) == [turn, 0]
            for turn in range(1, 6):
                (folder / "helper.py").write_text(f"value = {turn}")
                assert await room.value(arn) == [29, turn]
            starts = room.service.stats().cold_starts
            for _ in range(20):
                assert await room.value(arn) == [29, 5]
            assert room.service.stats().cold_starts == starts, "nothing was saved, nothing is started"
            assert room.service.stats().workers == 1
            assert not list(folder.rglob("__pycache__"))
            (folder / "app.py").write_text("def handler(")
            assert (await room.error(arn))["errorType"] == "Runtime.UserCodeSyntaxError"
            (folder / "app.py").write_text(PYTHON.format(1))
            assert await room.value(arn) == [1, 5]

    run(work())


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_node_too(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = serve(room, tmp_path, runtime="nodejs20.x")
            for turn in range(10):
                (tmp_path / "app.js").write_text(f"exports.handler = async () => {turn}")
                assert await room.value(arn) == turn

    run(work())


def test_calls_under_way_end_on_the_old_code_and_all_later_ones_run_the_new(tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    source = "import os, time\ndef handler(event, context):\n    time.sleep(event)\n    return {}\n"
    (folder / "app.py").write_text(source.format(0))

    async def work() -> None:
        async with lab(tmp_path, workers_per_function=8, starting=8, patience=0.001) as room:
            arn = serve(room, folder)
            assert await room.value(arn, 0) == 0
            for turn in range(1, 8):
                held = [asyncio.ensure_future(room.value(arn, 0.05)) for _ in range(4)]
                await asyncio.sleep(0.02)
                (folder / "app.py").write_text(source.format(turn))
                assert await asyncio.gather(*(room.value(arn, 0) for _ in range(8))) == [turn] * 8
                assert set(await asyncio.gather(*held)) <= {turn - 1, turn}
            assert room.service.stats().crashes == 0

    run(work())


def remove(path: Path) -> None:
    path.unlink()


def touch_again(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def replaced(path: Path) -> None:
    fresh = path.with_name("fresh")
    fresh.write_bytes(path.read_bytes())
    fresh.replace(path)


@pytest.mark.parametrize("change", [remove, touch_again, replaced, lambda path: path.write_text("y = 1")])
@pytest.mark.parametrize("place", ["app.py", "deep/er/x.txt", "linked/x.py"])
def test_whatever_changes_the_tree_changes_its_stamp(
    tmp_path: Path, change: Callable[[Path], None], place: str
) -> None:
    folder, other = tmp_path / "code", tmp_path / "other"
    for name in ("app.py", "deep/er/x.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x = 1")
    other.mkdir()
    (other / "x.py").write_text("x = 1")
    (folder / "linked").symlink_to(other)
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere").symlink_to(folder / "missing")
    before = stamp(folder)
    assert stamp(folder) == before
    change(folder / place)
    assert stamp(folder) != before


def test_installed_packages_count_by_their_directories_and_what_tools_write_does_not(tmp_path: Path) -> None:
    for name in (
        "node_modules/a/lib/x.js",
        "node_modules/@s/b/x.js",
        "workspace/x.js",
        "__pycache__/x.pyc",
        ".git/HEAD",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    (tmp_path / "node_modules/@s/w").symlink_to(tmp_path / "workspace")
    before = stamp(tmp_path)
    for name in ("node_modules/a/lib/x.js", "__pycache__/x.pyc", ".git/HEAD"):
        (tmp_path / name).write_text("23")
        assert stamp(tmp_path) == before
    for name in ("node_modules/a/new.js", "node_modules/@s/b/new.js", "node_modules/@s/w/x.js"):
        (tmp_path / name).write_text("23")
        assert stamp(tmp_path) != before
        before = stamp(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    before = stamp(tmp_path / "code")
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").touch()
    assert stamp(tmp_path / "code") != before
