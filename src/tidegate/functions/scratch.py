"""The directory under which workers keep their temporary files: one per gateway process, removed with it.

What a killed gateway left is removed by the next: each holds a lock on its own directory for as long as it lives, and a
lock ends with its process, however that ended. Blocks on the disk.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from pathlib import Path

_PREFIX = "gateway-"
_LOCK = ".lock"


class Scratch:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.own = root / f"{_PREFIX}{uuid.uuid4().hex}"
        """This process's part."""
        self._lock = -1

    def open(self) -> None:
        """Make our own, remove what the dead have left."""
        self._root.mkdir(parents=True, exist_ok=True)
        for other in self._root.glob(_PREFIX + "*"):
            _remove_if_dead(other)
        self.own.mkdir(mode=0o700)
        self._lock = _locked(self.own)

    def close(self) -> None:
        shutil.rmtree(self.own, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _locked(directory: Path) -> int:
    """Raises BlockingIOError when somebody holds it."""
    descriptor = os.open(directory / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_if_dead(directory: Path) -> None:
    """Between another's mkdir and its lock there is a moment; an unlocked directory without a lock file is left alone."""
    if not (directory / _LOCK).exists():
        return
    try:
        descriptor = _locked(directory)
    except OSError:
        return
    shutil.rmtree(directory, ignore_errors=True)
    os.close(descriptor)
