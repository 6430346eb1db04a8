"""Packages: what a zip may hold, what it may not, and that nothing half-made is ever left."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.functions.harness import zipped
from tidegate.functions import packages
from tidegate.functions.packages import PackageError, PackageStore

CORRUPT = "Could not unzip uploaded file. Please check your file, then try to upload again."


def entry(name: str, mode: int, kind: int = stat.S_IFREG) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | mode) << 16
    return info


def with_entries(*entries: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in entries:
            archive.writestr(info, content)
    return buffer.getvalue()


def link(name: str, target: str) -> tuple[zipfile.ZipInfo, bytes]:
    return entry(name, 0o777, stat.S_IFLNK), target.encode()


def leftovers(root: Path) -> list[str]:
    return [path.name for path in root.iterdir()]


def test_a_package_is_named_by_its_content(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    data = zipped({"app.py": "x = 1", "sub/data.txt": "ü"})
    package = store.add(data)
    assert package.code_sha256 == base64.b64encode(hashlib.sha256(data).digest()).decode()
    assert package.code_size == len(data)
    assert (store.path(package.code_sha256) / "sub/data.txt").read_text() == "ü"
    assert store.zip_path(package.code_sha256).read_bytes() == data
    assert store.add(data) == package
    assert len(leftovers(tmp_path)) == 1
    assert package.code_sha256 in PackageStore(tmp_path)


def test_executable_bits_are_kept_and_set_uid_is_not(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    sha = store.add(with_entries((entry("run", 0o4755), b""), (entry("read", 0o600), b""))).code_sha256
    assert stat.S_IMODE((store.path(sha) / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((store.path(sha) / "read").stat().st_mode) == 0o644


def test_links_inside_the_tree_are_kept(tmp_path: Path) -> None:
    store = PackageStore(tmp_path)
    sha = store.add(with_entries((entry("lib/a.so.1", 0o755), b"code"), link("lib/a.so", "a.so.1"))).code_sha256
    assert (store.path(sha) / "lib/a.so").read_bytes() == b"code"


HOSTILE = {
    "not a zip": b"hello",
    "empty bytes": b"",
    "cut short": zipped({"a": "b" * 1000})[:-30],
    "parent": with_entries((entry("../evil", 0o644), b"x")),
    "parent within": with_entries((entry("a/../../evil", 0o644), b"x")),
    "absolute": with_entries((entry("/tmp/evil", 0o644), b"x")),
    "link to the outside": with_entries(link("passwd", "/etc/passwd")),
    "link to the parent": with_entries(link("up", "..")),
    "link through a link": with_entries(link("p/q/r", "../.."), link("l", "p/q/r/../../../etc")),
    "file below a link": with_entries(link("d", "/tmp"), (entry("d/evil", 0o644), b"x")),
    "link below a link": with_entries((entry("a/b/c", 0o644), b""), link("d", "a/b"), link("d/e", "../../../x")),
    "file and directory": with_entries((entry("a", 0o644), b""), (entry("a/b", 0o644), b"")),
    "name too long": with_entries((entry("n" * 300, 0o644), b"")),
    "link with NUL": with_entries(link("z", "a\0b")),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_packages_are_refused_and_leave_nothing(tmp_path: Path, data: bytes) -> None:
    store = PackageStore(tmp_path / "store")
    with pytest.raises(PackageError) as caught:
        store.add(data)
    assert (caught.value.code, caught.value.message) == ("InvalidParameterValueException", CORRUPT)
    assert leftovers(tmp_path) == ["store"]
    assert leftovers(tmp_path / "store") == []


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    zeros = b"\0" * (32 * 1024 * 1024)
    bomb = with_entries(*[(entry(str(i), 0o644), zeros) for i in range(8)])
    with pytest.raises(PackageError, match="Unzipped size must be smaller than 262144000 bytes"):
        PackageStore(tmp_path).add(bomb)
    assert leftovers(tmp_path) == []


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "MAX_ENTRIES", 3)
    with pytest.raises(PackageError, match="at most 3 files"):
        PackageStore(tmp_path).add(zipped({str(i): "" for i in range(4)}))


def test_an_empty_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="Uploaded file must be a non-empty zip"):
        PackageStore(tmp_path).add(zipped({}))


@given(st.data())
def test_a_damaged_zip_is_refused_or_unpacked_never_more(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    good = bytearray(with_entries((entry("a/b.py", 0o644), b"print(1)" * 50), (entry("c", 0o755), b"x")))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    root = tmp_path_factory.mktemp("store")
    try:
        PackageStore(root).add(bytes(good))
    except PackageError:
        assert leftovers(root) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        with open("/dev/full", "wb", buffering=0) as target:
            target.write(b"x")

    monkeypatch.setattr(packages.shutil, "copyfileobj", full)
    with pytest.raises(PackageError, match="No space left") as caught:
        PackageStore(tmp_path).add(zipped({"a": "b"}))
    assert caught.value.code == "ServiceException"
    assert leftovers(tmp_path) == []


ADD = """
import sys
from pathlib import Path
from tests.functions.harness import zipped
from tidegate.functions.packages import PackageStore
store = PackageStore(Path(sys.argv[1]))
for number in range(1000):
    print(flush=True)
    store.add(zipped({f"{i}/{number}.txt": "x" * 100 for i in range(100)}))
"""


def test_a_killed_process_leaves_only_whole_packages(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        for _ in range(12):
            process.stdout.readline()
        process.kill()
    whole = [home for home in tmp_path.iterdir() if not home.name.startswith(".adding-")]
    assert len(whole) >= 10
    for home in whole:
        assert hashlib.sha256((home / "package.zip").read_bytes()).hexdigest() == home.name
        assert len(list((home / "code").glob("*/*.txt"))) == 100


def test_what_a_killed_process_left_goes_when_it_is_old(tmp_path: Path) -> None:
    for name, age in ((".adding-old", 7200), (".adding-young", 0)):
        (tmp_path / name).mkdir()
        made = (tmp_path / name).stat().st_mtime - age
        os.utime(tmp_path / name, (made, made))
    PackageStore(tmp_path)
    assert leftovers(tmp_path) == [".adding-young"]


def test_a_name_that_is_no_hash_leads_nowhere(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        PackageStore(tmp_path).path(base64.b64encode(b"../..").decode())
