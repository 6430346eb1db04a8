"""Local code becomes Lambda packages, as `sam build` and `sam package` make them: folders are zipped, archives are taken as
they are, Python dependencies are installed, by the Python that will run them. A package is named by the hash of its content.

Not here: which properties of a template name code (`sam`).
AWS: Lambda Developer Guide, "Working with .zip file archives for Python Lambda functions"; SAM, "sam package".
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tidegate.functions.runtimes import UnsupportedRuntime, find_python, parse_runtime

BUCKET = "tidegate"
"""Packages appear in the translated template as objects of a bucket by this name; it exists nowhere."""
HOT_RELOAD = "hot-reload"
"""Folders that the server is to read itself appear as objects of this one, named by their paths."""

_SKIPPED_FOLDERS = frozenset({".aws-sam", ".git", ".mypy_cache", ".pytest_cache", ".venv", "__pycache__"})
_ARCHIVES = frozenset({".zip", ".jar"})
_PROVIDED = frozenset({"awslambdaric", "boto3", "botocore"})
"""What the runtime brings itself, as on AWS."""
_NODE_PROVIDED = re.compile(r"aws-sdk|@aws-sdk/.+|@smithy/.+")
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip can hold: the same content gives the same bytes, whenever it was written."""


class PackageError(Exception):
    """Code cannot be packed; the text names the file."""


class Packages:
    """The packages of one deployment, by the hash of their content."""

    __slots__ = ("_cache", "_known", "_zips")

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._known: dict[tuple[Path, str], str] = {}
        self._zips: dict[str, bytes] = {}

    def __getitem__(self, key: str) -> bytes:
        return self._zips[key]

    def __contains__(self, key: object) -> bool:
        return key in self._zips

    def add(self, path: Path, runtime: str = "") -> str:
        """Pack a folder or a file; returns the package's key. `runtime`: of the function, if it is one's. Raises PackageError."""
        path = path.resolve()
        if (path, runtime) not in self._known:
            content = self._pack(path, runtime)
            key = hashlib.sha256(content).hexdigest()
            self._zips[key] = content
            self._known[path, runtime] = key
        return self._known[path, runtime]

    def hot(self, path: Path, runtime: str = "") -> str | None:
        """A folder as it lies there, with that of its dependencies; None: it cannot run unpacked. Raises PackageError."""
        path = path.resolve()
        if not path.is_dir():
            return None
        _check_node_modules(path)
        return ":".join(map(str, filter(None, (path, self._dependencies(path, runtime)))))

    def _pack(self, path: Path, runtime: str) -> bytes:
        if not path.exists():
            raise PackageError(f"{path} does not exist")
        if path.is_file():
            return path.read_bytes() if path.suffix in _ARCHIVES else zip_of({path.name: path})
        _check_node_modules(path)
        files = dict(_files(path))
        if installed := self._dependencies(path, runtime):
            # The application's own files win over those of a dependency.
            files = dict(_files(installed)) | files
        return zip_of(files)

    def _dependencies(self, folder: Path, runtime: str) -> Path | None:
        """The folder with what requirements.txt asks for and the code's folder does not hold already."""
        wanted = _requirements(folder)
        if not wanted or (runtime and not runtime.startswith("python")):
            return None
        python, version = _python(runtime)
        stamp = "\n".join((version, sys.platform, *wanted))
        target = self._cache / "python" / hashlib.sha256(stamp.encode()).hexdigest()[:32]
        if not target.is_dir():
            _install(folder, wanted, target, python)
        return target


def text_package(name: str, code: str) -> bytes:
    """The package of inline code: one file."""
    return _written([(name, code.encode(), 0o644)])


def zip_of(files: dict[str, Path]) -> bytes:
    """A zip that depends on names, contents and the executable bit only."""
    entries = []
    for name, path in sorted(files.items()):
        executable = os.access(path, os.X_OK)
        entries.append((name, path.read_bytes(), 0o755 if executable else 0o644))
    return _written(entries)


def _written(entries: list[tuple[str, bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return buffer.getvalue()


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for directory, names, files in os.walk(folder, followlinks=True):
        names[:] = sorted(name for name in names if name not in _SKIPPED_FOLDERS)
        for file in sorted(files):
            path = Path(directory, file)
            if not file.endswith(".pyc") and path.is_file():
                yield path.relative_to(folder).as_posix(), path


def _requirements(folder: Path) -> list[str]:
    file = folder / "requirements.txt"
    if not file.is_file():
        return []
    lines = [line.strip() for line in file.read_text("utf-8").splitlines()]
    present = {_normal(path.name.split("-")[0]) for path in folder.glob("*.dist-info")}
    return [line for line in lines if line and not line.startswith("#") and _project(line) not in _PROVIDED | present]


def _project(requirement: str) -> str:
    match = _REQUIREMENT.match(requirement)
    return _normal(match[0]) if match else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _python(runtime: str) -> tuple[str, str]:
    """The interpreter that runs the function here, and its version; ours where the runtime does not say."""
    ours = sys.version_info[:2]
    try:
        found = find_python(parse_runtime(runtime)) if runtime else None
    except UnsupportedRuntime:  # which the server says, with everything else that it refuses
        found = None
    version = ours if found is None else found.version
    executable = sys.executable if found is None or version == ours else found.executable
    return executable, f"{version[0]}.{version[1]}"


def _pip(python: str) -> list[str]:
    """An interpreter's own pip knows it best; ours can install for one that has none."""
    own = [python, "-m", "pip"]
    if (
        python == sys.executable
        or subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0
    ):
        return own
    return [sys.executable, "-m", "pip", "--python", python]


def _install(folder: Path, wanted: list[str], target: Path, python: str) -> None:
    """Into a scratch folder first: a folder in the cache is always complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        listed = Path(scratch, "requirements.txt")
        listed.write_text("\n".join(wanted) + "\n", "utf-8")
        done = Path(scratch, "packages")
        command = [*_pip(python), "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        command += ["--target", str(done), "--requirement", str(listed)]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if result.returncode:
            reason = result.stderr.strip() or result.stdout.strip()
            raise PackageError(f"pip cannot install {folder / 'requirements.txt'}:\n{reason}")
        done.mkdir(exist_ok=True)
        shutil.move(done, target)


def _check_node_modules(folder: Path) -> None:
    manifest = folder / "package.json"
    if not manifest.is_file():
        return
    try:
        wanted = json.loads(manifest.read_text("utf-8")).get("dependencies", {})
    except (ValueError, AttributeError) as error:
        raise PackageError(f"{manifest} is not a package manifest") from error
    missing = [n for n in wanted if not _NODE_PROVIDED.fullmatch(n) and not (folder / "node_modules" / n).is_dir()]
    if missing:
        raise PackageError(f"{manifest} asks for {', '.join(sorted(missing))}: run `npm install` in {folder} first")
