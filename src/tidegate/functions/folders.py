"""Whether the code in a folder is still what it was: a stamp over the tree, taken before every invocation.

A notification would come some time after the save, and never on some file systems (network, virtual machines); a look at
the tree cannot be late. Files carry the time of a clock that ticks every few milliseconds, on old file systems every second
or two: of what was written that shortly before a look, the content counts too.

Of node_modules and other installed packages only the packages' own directories are looked at, which installing changes; one
that is a link to a folder elsewhere (a workspace) counts as code.

Not here: what follows from a change (hot_reload). Blocks on the disk: some microseconds per file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

_SKIPPED = frozenset({"__pycache__", ".git", ".hg", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", ".aws-sam"})
"""Not code: what tools write beside it."""
_INSTALLED = frozenset({"node_modules", "site-packages"})
_SECOND = 1_000_000_000
_TICK = _SECOND // 50
"""Nanoseconds: longer than the kernel's coarse clock takes for one tick (10 ms at most)."""
_OLD_TICK = 2 * _SECOND + _TICK
"""The same for file systems that keep whole seconds, or every other."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Two that are equal were taken from the same tree, as far as names, sizes and times can tell; see `changed`."""

    digest: bytes
    there: bool = field(compare=False)
    """Whether the folder itself can be read."""
    recent: frozenset[str] = field(compare=False)
    """Files so fresh that another save may not change their times."""
    contents: Mapping[str, bytes] = field(compare=False)
    """Of those, and of those asked for beside them: hashes of what they held."""


class _Look:
    """What one walk over a tree gathers beside its lines."""

    __slots__ = ("now", "recent", "seen")

    def __init__(self) -> None:
        self.now = time.time_ns()
        self.recent: set[str] = set()
        self.seen: set[tuple[int, int]] = set()
        """Folders, by device and number: links may lead in circles."""

    def note(self, path: str, status: os.stat_result) -> None:
        changed = status.st_ctime_ns
        if abs(self.now - changed) < (_TICK if changed % _SECOND else _OLD_TICK):
            self.recent.add(path)


def stamp(folder: Path, also: Iterable[str] = ()) -> Stamp:
    """Differs whenever a file was saved, added, renamed or removed. A folder that is not there has a stamp too.

    `also`: files whose content is wanted for a comparison.
    """
    digest, look = blake2b(digest_size=16), _Look()
    for line in _lines(folder, look):
        digest.update(line)
    contents = {path: _content(path) for path in {*look.recent, *also}}
    return Stamp(digest.digest(), folder.is_dir(), frozenset(look.recent), contents)


def changed(before: Stamp, now: Stamp) -> bool:
    """Whether code was saved between two stamps, the later one taken with the earlier one's `recent`."""
    return before != now or any(before.contents[path] != now.contents.get(path) for path in before.recent)


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return blake2b(file.read(), digest_size=16).digest()
    except OSError:
        return b""


def _lines(folder: Path, look: _Look) -> Iterator[bytes]:
    try:
        here = folder.stat()
        if (here.st_dev, here.st_ino) in look.seen:
            return
        look.seen.add((here.st_dev, here.st_ino))
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
            look.note(entry.path, status)
            yield _line(entry.path, status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        elif installed and not entry.is_symlink() and not entry.name.startswith("@"):
            yield _line(entry.path, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
        else:
            yield _line(entry.path, status.st_ino)
            yield from (
                _scope(entry, look) if installed and entry.name.startswith("@") else _lines(Path(entry.path), look)
            )


def _scope(scope: os.DirEntry[str], look: _Look) -> Iterator[bytes]:
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
            yield from _lines(Path(package.path), look)


def _line(path: str, *facts: object) -> bytes:
    return "\0".join((path, *map(str, facts), "\n")).encode("utf-8", "surrogateescape")
