"""The directory under which workers keep their temporary files: one per gateway process, removed with it.

What a killed gateway left is removed by the next: each holds a lock on its own directory for as long as it lives, and a
lock ends with its process, however that ended. A worker's directory bears the name of its log stream, which is in its
environment: so a process can be told that has left the worker's process group, or has outlived the gateway. Blocks on the
disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import uuid
from pathlib import Path

_PREFIX = "gateway-"
_LOCK = ".lock"
_MARK = b"\0AWS_LAMBDA_LOG_STREAM_NAME="


class Scratch:
    def __init__(self, root: Path) -> None:
        self._root = root.absolute()  # functions run in a directory of their own
        self.own = self._root / f"{_PREFIX}{uuid.uuid4().hex}"
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
        _clear_all(self.own)
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
    _clear_all(directory)
    os.close(descriptor)


def clear(directory: Path) -> None:
    """Remove a worker's directory, and end every process that was started for it."""
    _end({os.fsencode(directory.name)})
    shutil.rmtree(directory, ignore_errors=True)


def _clear_all(gateway: Path) -> None:
    """Remove a gateway's directory, and end what was started for its workers."""
    with contextlib.suppress(FileNotFoundError):
        _end({os.fsencode(path.name) for path in gateway.iterdir() if path.is_dir()})
    shutil.rmtree(gateway, ignore_errors=True)


def _end(names: set[bytes]) -> None:
    """The processes whose log streams bear these names."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            _kill_if_marked(int(process.name), names)


def _kill_if_marked(pid: int, names: set[bytes]) -> None:
    """The descriptor is taken before the look, so that the number cannot come to mean another process in between."""
    pidfd = os.pidfd_open(pid)
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:
            _, found, rest = (b"\0" + environ.read()).partition(_MARK)
        if found and rest.partition(b"\0")[0].rpartition(b"]")[2] in names:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    finally:
        os.close(pidfd)
