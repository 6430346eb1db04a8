"""Who works on a data directory: servers together, or one command alone. The system takes a lock back however its holder ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

_FILE = "tidegate.lock"


class LockedError(OSError):
    """Somebody else has the directory."""


class DirectoryLock:
    def __init__(self, directory: Path, *, alone: bool) -> None:
        """Raises LockedError, OSError."""
        self._descriptor = os.open(directory / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise LockedError(f"{'a server' if alone else 'a command'} works on {directory}") from None

    def release(self) -> None:
        os.close(self._descriptor)
