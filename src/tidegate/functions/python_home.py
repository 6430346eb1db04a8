"""The directory from which Python functions run: an interpreter, AWS's runtime client, boto3 — and nothing else of ours.

It is a virtual environment made of links: to the interpreter, and to those of our own distributions that AWS's runtime
brings along too. So it costs neither a download nor a copy, and what else Tidegate is made of cannot be imported by
accident.

Not here: finding interpreters (interpreters). Blocks on the disk.
AWS: "Building Lambda functions with Python", runtime-included SDK versions.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from tidegate.functions.interpreters import Interpreter

_PROVIDED = ("awslambdaric", "boto3")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
LAUNCHER = Path(__file__).parent / "python" / "launch.py"


def provided_distributions() -> list[Distribution]:
    """AWS's runtime client and SDK, and what they need, as they are installed beside us."""
    found: dict[str, Distribution] = {}
    wanted = list(_PROVIDED)
    while wanted:
        name = wanted.pop()
        if name.lower() in found:
            continue
        try:
            found[name.lower()] = installed = distribution(name)
        except PackageNotFoundError:
            continue  # an optional one, or one for other systems
        for requirement in installed.requires or ():
            match = _NAME.match(requirement)
            if match is not None and "extra ==" not in requirement:
                wanted.append(match[0])
    return [found[name] for name in sorted(found)]


def make_home(root: Path, interpreter: Interpreter) -> Path:
    """The home below `root` for this interpreter, made if it is not there. Raises OSError."""
    links = _links(interpreter)
    content = "\n".join([interpreter.executable, *(f"{name}={target}" for name, target in sorted(links.items()))])
    digest = hashlib.sha256(content.encode()).hexdigest()[:16]
    home = root / f"{_directory(interpreter)}-{digest}"
    if not home.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        _build(home, interpreter, links)
    return home


def python_of(home: Path) -> Path:
    return home / "bin" / "python"


def packages_of(home: Path, interpreter: Interpreter) -> Path:
    return home / "lib" / _directory(interpreter) / "site-packages"


def _directory(interpreter: Interpreter) -> str:
    return f"python{interpreter.version[0]}.{interpreter.version[1]}"


def _links(interpreter: Interpreter) -> dict[str, Path]:
    """Name in site-packages → what it is a link to."""
    links: dict[str, Path] = {}
    for installed in provided_distributions():
        for file in installed.files or ():
            name = file.parts[0]
            if name not in ("..", "__pycache__") and _loadable(name, interpreter):
                links[name] = Path(str(installed.locate_file(name))).absolute()
    return links


def _loadable(name: str, interpreter: Interpreter) -> bool:
    compiled = name.endswith(tuple(EXTENSION_SUFFIXES))
    return not compiled or name.endswith((interpreter.extensions, ".abi3.so"))


def _build(home: Path, interpreter: Interpreter, links: dict[str, Path]) -> None:
    """Appears whole, by one rename; another gateway may be at it at the same time."""
    work = Path(tempfile.mkdtemp(prefix=".making-", dir=home.parent))
    try:
        work.chmod(0o755)
        python = python_of(work)
        python.parent.mkdir()
        for name in ("python", "python3"):
            python.with_name(name).symlink_to(interpreter.executable)
        folder = Path(interpreter.executable).parent
        (work / "pyvenv.cfg").write_text(f"home = {folder}\ninclude-system-site-packages = false\n", "utf-8")
        packages = packages_of(work, interpreter)
        packages.mkdir(parents=True)
        for name, target in links.items():
            (packages / name).symlink_to(target)
        try:
            work.rename(home)
        except OSError:
            if not home.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
