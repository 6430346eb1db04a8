"""Starting programs on given cores and ending them again, and only them."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import cpu


class StartError(Exception):
    """A program ended, or did not become ready in time; the message ends with what it printed last."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program of ours that runs, and the file that its output goes to."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def pid(self) -> int:
        """Its process id (taskset replaces itself by the program, so this is the program's)."""
        return self.process.pid

    def last_words(self) -> str:
        """The last line that it printed, for a message."""
        lines = self.output.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")


def pinned(command: Sequence[str], cores: Iterable[int]) -> list[str]:
    """The command, held on the given cores."""
    return ["taskset", "-c", ",".join(str(core) for core in sorted(set(cores))), *command]


def spawn(
    command: Sequence[str], *, cores: Iterable[int], output: Path, cwd: Path, env: Mapping[str, str] | None = None
) -> Child:
    """Start a program on the given cores; both its output streams are appended to one file."""
    with output.open("ab") as sink:
        process = subprocess.Popen(
            pinned(command, cores),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            cwd=cwd,
            env=None if env is None else dict(env),
            start_new_session=True,
        )
    return Child(process, output)


@contextlib.contextmanager
def ended_on_failure(child: Child) -> Iterator[None]:
    """Whatever goes wrong inside, an interruption too, the child does not outlive it."""
    try:
        yield
    except BaseException:
        stop(child)
        raise


def wait_for_port(child: Child, port: int, timeout: float = 15.0) -> None:
    """Return when something listens on the port. Otherwise end the child and raise StartError, at once when it has ended."""
    deadline = time.monotonic() + timeout
    with ended_on_failure(child):
        while not _listens(port):
            _still_starting(child, deadline)
            time.sleep(0.02)


def wait_for_line(child: Child, line: str, timeout: float = 30.0) -> None:
    """Return when a line of the child's output ends with `line`; otherwise as wait_for_port."""
    deadline = time.monotonic() + timeout
    with ended_on_failure(child):
        while not any(seen.rstrip().endswith(line) for seen in child.output.read_text(errors="replace").splitlines()):
            _still_starting(child, deadline)
            time.sleep(0.002)


def stop(child: Child, patience: float = 10.0) -> None:
    """End the child with SIGTERM; kill it and whatever it started when that is not enough."""
    family = cpu.descendants(cpu.processes(), [child.pid])
    child.process.terminate()
    try:
        child.process.wait(patience)
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.wait()
        for pid in family & cpu.processes().keys():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _still_starting(child: Child, deadline: float) -> None:
    code = child.process.poll()
    if code is not None:
        raise StartError(f"ended with {code}: {child.last_words()}")
    if time.monotonic() >= deadline:
        raise StartError(f"not ready in time: {child.last_words()}")
