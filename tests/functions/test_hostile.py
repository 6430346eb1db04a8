"""Handlers that crash, eat, spin, flood and fork, in every family of runtimes: each invocation ends as AWS ends it, the next one
is answered, and under load nobody gets an answer that is not theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

from tests.functions.harness import Lab, lab, run

PYTHON = """import os, signal, subprocess, sys, time
def handler(event, context):
    do = event["do"]
    if do == "exit": os._exit(3)
    if do == "kill": os.kill(os.getpid(), signal.SIGKILL)
    if do == "spin":
        while True: pass
    if do == "eat":
        hoard = []
        while True: hoard.append(bytearray(b"x" * 2**22))
    if do == "flood":
        for _ in range(200): print("x" * 10000)
    if do == "fork": subprocess.Popen(["sleep", "60"])
    return event["mark"]
"""
NODE = """const { spawn } = require('child_process');
exports.handler = async ({ do: what, mark }) => {
  if (what === 'exit') process.exit(3);
  if (what === 'kill') process.kill(process.pid, 'SIGKILL');
  if (what === 'spin') for (;;);
  if (what === 'eat') { const hoard = []; for (;;) { hoard.push(Buffer.alloc(2 ** 22, 1)); await null; } }
  if (what === 'flood') for (let i = 0; i < 200; i++) console.log('x'.repeat(10000));
  if (what === 'fork') spawn('sleep', ['60'], { stdio: 'ignore' }).unref();
  return mark;
};
"""
# A runtime of the user's own, in one file.
CUSTOM = """#!/usr/bin/python3
import http.client, json, os, sys
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
import app
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    request_id, event = answer.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(answer.read())
    result = json.dumps(app.handler(event, None))
    sys.stdout.flush()
    api.request("POST", f"/2018-06-01/runtime/invocation/{request_id}/response", result)
    api.getresponse().read()
"""
# AWS's client as it is, with its own compiled connection, over HTTP.
AWS_CLIENT = """#!/bin/sh
PYTHONPATH=$LAMBDA_TASK_ROOT exec /usr/bin/python3 -m awslambdaric app.handler
"""


def aws_client() -> dict[str, str | bytes]:
    """What `pip install --target . awslambdaric` leaves in a package."""
    found: dict[str, str | bytes] = {}
    for name in ("awslambdaric", "simplejson", "snapshot_restore_py"):
        installed = distribution(name)
        for file in installed.files or ():
            if file.suffix in (".py", ".so"):
                found[str(file)] = Path(str(installed.locate_file(file))).read_bytes()
    return found


def system_python() -> str:
    """Its version; empty: there is none."""
    command = ["/usr/bin/python3", "-c", "import sys; print(*sys.version_info[:2])"]
    with contextlib.suppress(OSError):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return ""


KINDS: dict[str, tuple[str, Mapping[str, str | bytes], Mapping[str, str | bytes]]] = {
    "python": ("python3.11", {"app.py": PYTHON}, {}),
    "node": ("nodejs20.x", {"app.js": NODE}, {}),
    "custom": ("provided.al2023", {"app.py": PYTHON}, {"bootstrap": CUSTOM}),
    "aws": ("provided.al2023", {"app.py": PYTHON, **aws_client()}, {"bootstrap": AWS_CLIENT}),
}
ENDS = {
    "exit": ("Runtime.ExitError", "Error: Runtime exited with error: exit status 3"),
    "kill": ("Runtime.ExitError", "Error: Runtime exited with error: signal: killed"),
    "eat": ("Runtime.ExitError", "Error: Runtime exited with error: signal: killed"),
    "spin": ("Sandbox.Timedout", "Error: Task timed out after 1.00 seconds"),
}
"""What is done → how the invocation ends; everything else is answered."""


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "node" and shutil.which("node") is None:
        pytest.skip("no node on this machine")
    if request.param == "aws" and system_python() != f"{sys.version_info[0]} {sys.version_info[1]}":
        pytest.skip("the compiled part of AWS's client is for another version than /usr/bin/python3")
    return str(request.param)


def add(room: Lab, kind: str, **spec: Any) -> str:
    runtime, files, executables = KINDS[kind]
    return room.add(
        files, executables=executables, runtime=runtime, name=kind, **{"timeout": 20, "memory": 256, **spec}
    )


async def check(room: Lab, arn: str, do: str, mark: object) -> None:
    """Calls it, and holds the end against what it has to be."""
    result = await room.call(arn, {"do": do, "mark": mark})
    if do in ENDS:
        kind, text = ENDS[do]
        assert result.function_error == "Unhandled"
        told = json.loads(result.payload)
        assert told == {"errorType": kind, "errorMessage": f"RequestId: {result.request_id} {text}"}
    else:
        assert (result.function_error, result.payload) == (None, b'"%b"' % str(mark).encode())


def workers(name: str) -> list[int]:
    """Our own child processes that run a function."""
    mark, found = f"AWS_LAMBDA_FUNCTION_NAME={name}".encode(), []
    for thread in Path("/proc/self/task").iterdir():
        for pid in (thread / "children").read_text().split():
            with contextlib.suppress(OSError):  # it has ended
                if mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                    found.append(int(pid))
    return found


def test_every_end_and_the_call_after_it(tmp_path: Path, kind: str) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = add(room, kind)
            for do in ("exit", "kill", "eat", "flood", "fork"):
                await check(room, arn, do, f"{do} itself")
                await check(room, arn, "echo", f"after {do}")
            arn = add(room, kind, timeout=1)
            await check(room, arn, "spin", "")
            await check(room, arn, "echo", "after spin")
            assert room.service.stats().workers == 1

    run(work())


def test_under_load_nothing_hangs_and_nobody_gets_anothers_answer(tmp_path: Path) -> None:
    """All families at once; what hurts is spread among calls that only echo. The seed makes a failure come again."""
    kinds = [kind for kind in KINDS if kind != "aws" and (kind != "node" or shutil.which("node"))]
    shuffled = random.Random(7)

    async def work() -> None:
        async with lab(tmp_path, workers_per_function=4, patience=0.005) as room:
            arns = {kind: add(room, kind) for kind in kinds}
            plans = [
                (arns[kind], do, f"{kind} {do} {number}")
                for kind in kinds
                for do, times in (("exit", 3), ("kill", 3), ("eat", 1), ("flood", 2), ("fork", 3), ("echo", 60))
                for number in range(times)
            ]
            shuffled.shuffle(plans)
            waiting = asyncio.Semaphore(24)

            async def one(arn: str, do: str, mark: str) -> None:
                async with waiting:
                    await check(room, arn, do, mark)

            await asyncio.gather(*(one(*plan) for plan in plans))
            stats = room.service.stats()
            assert (stats.invocations, stats.errors, stats.busy) == (len(plans), 7 * len(kinds), 0)

    run(work())


def test_workers_killed_from_outside_under_load(tmp_path: Path, kind: str) -> None:
    """As the kernel, or an operator, does it: whatever a worker held fails by its name, all else is answered."""

    async def work() -> None:
        async with lab(tmp_path, workers_per_function=3, patience=0.005) as room:
            arn = add(room, kind)
            ended = 0

            async def caller(number: int) -> None:
                nonlocal ended
                for turn in range(25):
                    mark = f"{number}.{turn}"
                    result = await room.call(arn, {"do": "echo", "mark": mark})
                    if result.function_error is None:
                        assert result.payload == b'"%b"' % mark.encode()
                    else:
                        assert b"signal: killed" in result.payload
                        ended += 1

            calls = asyncio.gather(*map(caller, range(8)))
            for _ in range(6):
                await room.call(arn, {"do": "echo", "mark": 0})
                for pid in workers(kind)[:1]:
                    os.kill(pid, signal.SIGKILL)
            await calls
            assert ended <= 6

    run(work())


CHANNEL = {
    "python": """import os, stat
def handler(event, context):
    sockets = [fd for fd in range(3, 1000) if os.path.exists(f"/proc/self/fd/{fd}") and stat.S_ISSOCK(os.fstat(fd).st_mode)]
    assert len(sockets) == 1, sockets
    os.write(sockets[0], event.encode("latin-1"))
    return "said"
""",
    "node": """const fs = require('fs');
exports.handler = async (event) => {
  const sockets = fs.readdirSync('/proc/self/fd').map(Number).filter((fd) => {
    try { return fs.fstatSync(fd).isSocket(); } catch { return false; }
  });
  if (sockets.length !== 1) throw new Error(sockets.join());
  fs.writeSync(sockets[0], Buffer.from(event, 'latin1'));
  return 'said';
};
""",
}


@pytest.mark.parametrize(
    "kind",
    [
        "python",
        pytest.param("node", marks=pytest.mark.skipif(not shutil.which("node"), reason="no node on this machine")),
    ],
)
def test_a_function_that_writes_to_its_channel_hurts_only_itself(tmp_path: Path, kind: str) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            runtime, files, _ = KINDS[kind]
            name = next(iter(files))
            arn = room.add({name: CHANNEL[kind]}, runtime=runtime, name="hostile", timeout=2)
            other = add(room, kind)
            for said in ("GET / HTTP/1.1\r\n\r\n", "\0" * 100, "N\0\0\0\0" * 9, "R\xff\xff\xff\xff", "I\0\0\0\0"):
                assert (await room.error(arn, said))["errorType"] in ("Runtime.ExitError", "Sandbox.Timedout")
                await check(room, other, "echo", "unharmed")
            assert (await room.call(arn, "R\0\0\0\x02{}")).payload == b"{}", "an answer of its own, however it is sent"
            await check(room, other, "echo", "unharmed")
            assert await room.value(arn, "") == "said"

    run(work())
