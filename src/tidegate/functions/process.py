"""One child process: started apart from the gateway, its output read without ever waiting, ended with all its kin.

Not here: what the process runs (worker), what becomes of its output (logs).
Linux only, as AWS's runtime clients are: exits are seen through a pidfd, so no signal handler is involved.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import resource
import signal
import socket
import subprocess
import termios
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_READ = 64 * 1024
_DRAIN = 16
"""Reads at most when draining: a pipe holds 64 KB, more can only come from a process that keeps on writing."""
_ZERO = bytes(4)
_NICENESS = 5
_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NOFILE: 1024,
}
_MOST_PROCESSES = 1024
_FIRST_TO_GO = b"1000"
"""Where the machine is out of memory, Linux ends a function, not the gateway."""
_FLOOD_PAUSE = 0.002
"""Seconds. A full read is followed by a pause, so a flood is held to some 30 MB/s; the writer waits, not the gateway."""


class ChildProcess:
    """`on_output` gets bytes as they come; `on_exit` is called once, after the last output, with the return code."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, on_output: Callable[[bytes], None], on_exit: Callable[[int], None]
    ) -> None:
        self._loop = loop
        self._on_output = on_output
        self._on_exit = on_exit
        self._process: subprocess.Popen[bytes] | None = None
        self._output = -1
        self._pidfd = -1
        self._resume: asyncio.TimerHandle | None = None

    def start(
        self,
        command: Sequence[str],
        *,
        cwd: Path,
        environment: Mapping[str, str],
        storage: int,
        inherits: socket.socket | None = None,
    ) -> None:
        """`storage`: MB that one file may have. `inherits`: under the same number. Raises OSError. No other descriptor of the
        gateway is inherited; the process leads a session and group of its own.
        """
        self._output, write_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(write_end, True)
        try:
            self._process = subprocess.Popen(
                command,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
                pass_fds=() if inherits is None else (inherits.fileno(),),
            )
            self._pidfd = os.pidfd_open(self._process.pid)
        except OSError:
            self._abandon()
            raise
        finally:
            os.close(write_end)
        _limit(self._process.pid, storage)
        _stand_back(self._process.pid)
        self._loop.add_reader(self._output, self._readable)
        self._loop.add_reader(self._pidfd, self._exited)

    def kill(self) -> None:
        """End the process and every child that is still in its group."""
        if self._process is not None and self._process.returncode is None:
            # While it has not been waited for, its number cannot be given to another process.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def drain(self) -> None:
        """Take what has been written so far."""
        for _ in range(_DRAIN):
            # After most invocations there is nothing: to be told so costs less than a read that fails.
            if self._output < 0 or fcntl.ioctl(self._output, termios.FIONREAD, _ZERO) == _ZERO or not self._read():
                return

    def resident_memory(self) -> int:
        """MB that the process and its children hold now; 0 when it cannot be told."""
        if self._process is None:
            return 0
        family = _family(self._process.pid)
        if len(family) == 1:
            return _resident(self._process.pid)
        # Pages that a child shares with its parent count once.
        return sum(map(_proportional, family)) // 1024

    def peak_memory(self) -> int:
        """MB, rounded up; 0 when it cannot be told."""
        if self._process is None:
            return 0
        try:
            with open(f"/proc/{self._process.pid}/status", "rb") as status:
                text = status.read()
            return -(-int(text.partition(b"VmHWM:")[2].split(None, 1)[0]) // 1024)
        except (OSError, IndexError, ValueError):
            return 0  # it is gone, or about to go

    def _readable(self) -> None:
        if self._read() == _READ and self._output >= 0:
            self._loop.remove_reader(self._output)
            self._resume = self._loop.call_later(_FLOOD_PAUSE, self._listen)

    def _listen(self) -> None:
        self._resume = None
        self._loop.add_reader(self._output, self._readable)

    def _read(self) -> int:
        if self._output < 0:
            return 0
        try:
            data = os.read(self._output, _READ)
        except BlockingIOError:
            return 0
        if data:
            self._on_output(data)
        else:
            self._close_output()
        return len(data)

    def _exited(self) -> None:
        assert self._process is not None
        self.kill()
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        code = self._process.wait()
        self.drain()
        self._close_output()
        self._on_exit(code)

    def _abandon(self) -> None:
        if self._process is not None:  # it runs, but cannot be watched
            self.kill()
            self._process.wait()
        os.close(self._output)
        self._output = -1

    def _close_output(self) -> None:
        if self._output < 0:
            return
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None
        else:
            self._loop.remove_reader(self._output)
        os.close(self._output)
        self._output = -1


def _family(pid: int) -> list[int]:
    """The process and all that descend from it and have not been orphaned."""
    family = [pid]
    for member in family:
        try:
            with open(f"/proc/{member}/task/{member}/children", "rb") as children:
                family += map(int, children.read().split())
        except (OSError, ValueError):
            continue  # it has gone
        if len(family) > _MOST_PROCESSES:
            break
    return family


def _resident(pid: int) -> int:
    """MB. Pages of files do not count: they can be had again, so that nobody is ever killed for them."""
    try:
        with open(f"/proc/{pid}/status", "rb") as status:
            text = status.read()
        return sum(int(text.partition(kind)[2].split(None, 1)[0]) for kind in (b"RssAnon:", b"RssShmem:")) // 1024
    except (OSError, IndexError, ValueError):
        return 0


def _proportional(pid: int) -> int:
    """KB as `_resident`, each shared page divided by those who share it."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as rollup:
            text = rollup.read()
        return sum(int(text.partition(kind)[2].split(None, 1)[0]) for kind in (b"\nPss_Anon:", b"\nPss_Shmem:"))
    except (OSError, IndexError, ValueError):
        return 0


def _limit(pid: int, storage: int) -> None:
    """What one process may take from all. AWS: "Lambda quotas"; a process of ours has some 100 of each open."""
    for kind, most in (*_LIMITS.items(), (resource.RLIMIT_FSIZE, storage * 1024 * 1024)):
        with contextlib.suppress(OSError, ValueError):  # it has ended, or our own limit is lower still
            resource.prlimit(pid, kind, (most, most))
    with contextlib.suppress(OSError), open(f"/proc/{pid}/oom_score_adj", "wb", buffering=0) as score:
        score.write(_FIRST_TO_GO)


def _stand_back(pid: int) -> None:
    """The gateway goes before its functions, so that one which spins does not slow every request down.

    Where Linux schedules by sessions (autogroup), a process's own niceness counts only inside its session. As a batch
    process it does not take the processor from whoever wakes it up: one switch fewer for every message (measured: 12 % more
    invocations on two cores).
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_BATCH, os.sched_param(0))
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, _NICENESS)
        with open(f"/proc/{pid}/autogroup", "wb", buffering=0) as autogroup:
            autogroup.write(b"%d" % _NICENESS)


def exit_reason(code: int) -> str:
    """As Lambda words it: `exit status 1`, `signal: killed`."""
    if code >= 0:
        return f"exit status {code}"
    return f"signal: {_SIGNAL_TEXTS.get(-code, f'signal {-code}')}"


# The words of the Go runtime, in which Lambda's supervisor is written.
_SIGNAL_TEXTS: dict[int, str] = {
    signal.SIGHUP: "hangup",
    signal.SIGINT: "interrupt",
    signal.SIGABRT: "aborted",
    signal.SIGKILL: "killed",
    signal.SIGSEGV: "segmentation fault",
    signal.SIGTERM: "terminated",
    signal.SIGBUS: "bus error",
    signal.SIGFPE: "floating point exception",
    signal.SIGILL: "illegal instruction",
    signal.SIGPIPE: "broken pipe",
    signal.SIGALRM: "alarm clock",
}
