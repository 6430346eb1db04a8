"""Whether the code in a folder is still what it was: a stamp over the tree, taken before every invocation.

A notification would come some time after the save, and never on some file systems (network, virtual machines); a look at
the tree cannot be late. Of node_modules and other installed packages only the packages' own directories are looked at,
which installing changes; one that is a link to a folder elsewhere (a workspace) counts as code.

Not here: what follows from a change (hot_reload). Blocks on the disk: some microseconds per file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

_SKIPPED = frozenset({"__pycache__", ".git", ".hg", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", ".aws-sam"})
"""Not code: what tools write beside it."""
_INSTALLED = frozenset({"node_modules", "site-packages"})


def stamp(folder: Path) -> bytes:
    """Differs whenever a file was saved, added, renamed or removed. A folder that is not there has a stamp too."""
    digest = blake2b(digest_size=16)
    for line in _lines(folder, set()):
        digest.update(line)
    return digest.digest()


def _lines(folder: Path, seen: set[tuple[int, int]]) -> Iterator[bytes]:
    try:
        here = folder.stat()
        if (here.st_dev, here.st_ino) in seen:  # links may lead in circles
            return
        seen.add((here.st_dev, here.st_ino))
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield _line(str(folder), type(error).__name__)
        return
    installed = folder.name in _INSTALLED
    for entry in entries:
        if entry.name in _SKIPPED:
            continue
        try:
            status, folderish = entry.stat(), entry.is_dir()
        except OSError as error:  # a link to nowhere, or just removed
            yield _line(entry.path, type(error).__name__)
            continue
        if not folderish:
            yield _line(entry.path, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        elif installed and not entry.is_symlink() and not entry.name.startswith("@"):
            yield _line(entry.path, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        else:
            yield _line(entry.path, status.st_ino)
            yield from (
                _scope(entry, seen) if installed and entry.name.startswith("@") else _lines(Path(entry.path), seen)
            )


def _scope(scope: os.DirEntry[str], seen: set[tuple[int, int]]) -> Iterator[bytes]:
    """`node_modules/@scope`: its packages, as those beside it."""
    try:
        with os.scandir(scope.path) as found:
            packages = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        yield _line(scope.path, type(error).__name__)
        return
    for package in packages:
        try:
            status = package.stat()
        except OSError as error:
            yield _line(package.path, type(error).__name__)
            continue
        yield _line(package.path, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        if package.is_symlink():
            yield from _lines(Path(package.path), seen)


def _line(path: str, *facts: object) -> bytes:
    return "\0".join((path, *map(str, facts), "\n")).encode("utf-8", "surrogateescape")
