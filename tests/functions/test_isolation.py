"""What a function can see, reach and use up: with namespaces of its own where this machine has them, and without."""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.functions.harness import blank_spec, lab, run, zipped
from tidegate.functions.isolation import Isolation
from tidegate.functions.spec import CatalogEntry, FunctionSpec

needs_namespaces = pytest.mark.skipif(not Isolation().available(), reason="no user namespaces on this machine")

EVAL = """
import glob, json, os, resource, signal, socket, subprocess, sys, threading, time
def tried(action):
    try:
        return action()
    except OSError as error:
        return type(error).__name__
def handler(event, context):
    return eval(event, globals())
"""


@needs_namespaces
def test_the_file_system_looks_as_on_aws(tmp_path: Path) -> None:
    secret = tmp_path / "data"
    secret.mkdir()
    (secret / "tidegate.db").write_text("secret")
    layer_files: dict[str, str | bytes] = {"python/thing.py": "X = __file__", "data.txt": "layer"}

    async def work() -> None:
        async with lab(tmp_path, hidden=(secret,)) as room:
            layer = room.packages.add(zipped(layer_files)).code_sha256
            arn = room.add(EVAL, layers=(layer,))

            async def ask(code: str) -> Any:
                return await room.value(arn, code)

            assert await ask("[os.getcwd(), __file__, os.environ['LAMBDA_TASK_ROOT']]") == [
                "/var/task",
                "/var/task/app.py",
                "/var/task",
            ]
            assert await ask("[open('/opt/data.txt').read(), __import__('thing').X]") == [
                "layer",
                "/opt/python/thing.py",
            ]
            assert (await ask("[p for p in sys.path if 'zip' not in p]"))[:3] == [
                "/var/task",
                f"/opt/python/lib/python3.{sys.version_info[1]}/site-packages",
                "/opt/python",
            ]
            assert await ask("__import__('boto3').__file__.startswith('/var/lang/lib/python3')")
            assert (await ask("sys.executable")).startswith("/var/lang/bin/python")

            # A checkout that lies in /tmp itself is needed there by the interpreter; nothing else of /tmp is seen.
            own = {Path(sys.prefix).parts[2]} if Path(sys.prefix).is_relative_to("/tmp") else set()
            assert await ask("os.environ['TMPDIR']") == "/tmp"
            assert set(await ask("os.listdir('/tmp')")) <= own
            assert await ask("open('/tmp/mine', 'w').write('x')") == 1
            assert set(await ask("os.listdir('/tmp')")) - own == {"mine"}, "it stays for the next invocation"
            other = room.add(EVAL, name="other")
            assert "mine" not in await room.value(other, "os.listdir('/tmp')")

            for path in (str(secret / "tidegate.db"), str(tmp_path / "packages"), str(Path("~/.bashrc").expanduser())):
                assert await ask(f"os.path.exists({path!r})") is False
            for path in ("/var/task/x", "/opt/x", "/etc/x", "/x", "/usr/x", str(Path("~/x").expanduser())):
                assert await ask(f"tried(lambda: open({path!r}, 'w'))") in ("OSError", "PermissionError"), path

    run(work())


@needs_namespaces
def test_the_gateway_and_its_powers_are_out_of_reach(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(EVAL)
            me = os.getpid()
            assert await room.value(arn, f"tried(lambda: open('/proc/{me}/environ', 'rb').read())") == "PermissionError"
            assert await room.value(arn, f"tried(lambda: open('/proc/{me}/mem', 'rb'))") == "PermissionError"
            assert await room.value(arn, f"tried(lambda: os.readlink('/proc/{me}/fd/0'))") == "PermissionError"
            powers = await room.value(arn, "[l for l in open('/proc/self/status') if l.startswith('CapEff')]")
            assert powers == ["CapEff:\t0000000000000000\n"]
            mount = "subprocess.run(['mount', '-t', 'tmpfs', 'x', '/mnt'], capture_output=True).returncode"
            assert await room.value(arn, mount) != 0

    run(work())


def scopes_signals() -> bool:
    """Landlock's sixth version does, from Linux 6.12 on."""
    return ctypes.CDLL(None).syscall(444, None, 0, 1) >= 6


@needs_namespaces
@pytest.mark.skipif(not scopes_signals(), reason="Landlock cannot scope signals on this machine")
def test_signals_reach_only_the_functions_own(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(EVAL)
            assert await room.value(arn, f"tried(lambda: os.kill({os.getpid()}, 0))") == "PermissionError"
            other = await room.value(room.add(EVAL, name="other"), "os.getpid()")
            assert await room.value(arn, f"tried(lambda: os.kill({other}, 9))") == "PermissionError"
            child = "(lambda p: (p.kill(), p.wait())[1])(subprocess.Popen(['sleep', '60']))"
            assert await room.value(arn, child) == -9

    run(work())


@pytest.mark.parametrize("isolated", [pytest.param(True, marks=needs_namespaces), False])
@pytest.mark.parametrize("runtime", ["python3.11", "nodejs20.x", "provided.al2023"])
def test_every_family_runs_in_both_worlds(tmp_path: Path, isolated: bool, runtime: str) -> None:
    if runtime.startswith("nodejs") and shutil.which("node") is None:
        pytest.skip("no node on this machine")
    files: dict[str, str | bytes] = {
        "app.py": "import os\ndef handler(e, c):\n    return os.environ['TMPDIR']",
        "app.js": "exports.handler = async () => process.env.TMPDIR",
    }
    bootstrap = (
        '#!/bin/sh\nbase="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"\n'
        'curl -sD "$TMPDIR/head" "$base/next" >/dev/null\n'
        "id=$(sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p' \"$TMPDIR/head\" | tr -d '\\r')\n"
        'curl -so /dev/null "$base/$id/response" -d "\\"$TMPDIR\\""\nsleep 60'
    )

    async def work() -> None:
        async with lab(tmp_path, isolated=isolated) as room:
            arn = room.add(files, executables={"bootstrap": bootstrap}, runtime=runtime)
            temporary = await room.value(arn)
            assert (temporary == "/tmp") == isolated

    run(work())


@needs_namespaces
def test_code_in_a_folder_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text(EVAL)

    async def work() -> None:
        async with lab(tmp_path) as room:
            base = blank_spec()
            members = {name: getattr(base, name) for name in base.__slots__} | {"folder": str(tmp_path / "code")}
            room.service.replace(CatalogEntry(FunctionSpec(**members)))
            seen = await room.value(base.arn, "[os.getcwd(), __file__, tried(lambda: open('x', 'w'))]")
            assert seen == [str(tmp_path / "code"), str(tmp_path / "code/app.py"), "OSError"]

    run(work())


def test_limits_of_a_process(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(EVAL)
            limits = await room.value(
                arn,
                "[resource.getrlimit(r) for r in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE)]",
            )
            assert limits == [[0, 0], [1024, 1024], [512 * 1024 * 1024] * 2]
            assert await room.value(arn, "open('/proc/self/oom_score_adj').read()") == "1000\n"
            many = "tried(lambda: [open('/dev/null') for _ in range(2000)])"
            assert await room.value(arn, many) == "OSError"

    run(work())


def test_memory_of_children_counts(tmp_path: Path) -> None:
    greedy = "import time; x = b'x' * (100 * 1024 * 1024); time.sleep(15)"
    code = f"[p.wait() for p in [subprocess.Popen([sys.executable, '-c', {greedy!r}]) for _ in range(3)]]"

    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(EVAL, memory=200, timeout=20)
            error = await room.error(arn, code)
            assert error["errorType"] == "Runtime.ExitError"
            assert error["errorMessage"].endswith("signal: killed")
            forked = "[os.waitpid(p, 0)[1] for p in [os.fork() or (time.sleep(0.8), os._exit(0)) for _ in range(6)]]"
            assert await room.value(arn, forked) == [0] * 6, "what they share with their parent counts once"

    run(work())


def test_descriptors_of_the_gateway_are_not_there(tmp_path: Path) -> None:
    """Not even those of connections to functions that run at the same time."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.set_inheritable(server.fileno(), True)

        async def work() -> None:
            async with lab(tmp_path) as room:
                arns = [room.add(EVAL, name=f"f{number}") for number in range(4)]
                for links in await asyncio.gather(
                    *(
                        room.value(arn, "[tried(lambda: os.readlink(f)) for f in glob.glob('/proc/self/fd/*')]")
                        for arn in arns
                    )
                ):
                    assert sum(link.startswith("socket:") for link in links) == 1, links

        run(work())


@pytest.mark.parametrize("runtime", ["python3.11", "nodejs20.x"])
def test_a_functions_children_do_not_inherit_its_channel(tmp_path: Path, runtime: str) -> None:
    if runtime.startswith("nodejs") and shutil.which("node") is None:
        pytest.skip("no node on this machine")
    command = "ls /proc/self/fd"
    files: dict[str, str | bytes] = {
        "app.py": f"import subprocess\ndef handler(e, c):\n    return subprocess.getoutput('{command}')",
        "app.js": f"exports.handler = async () => `${{require('child_process').execSync('{command}')}}`",
    }

    async def work() -> None:
        async with lab(tmp_path) as room:
            busy = [socket.socketpair() for _ in range(20)]
            listed = await room.value(room.add(files, runtime=runtime))
            assert listed.split() == ["0", "1", "2", "3"], "the last one is that of ls"
            for pair in busy:
                for each in pair:
                    each.close()

    run(work())


def test_without_namespaces_it_is_said_and_functions_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    isolation = Isolation()
    isolation._python = "/bin/false"
    with caplog.at_level(logging.INFO, "tidegate.functions"):
        assert not isolation.available()
        assert not isolation.available()
    assert len(caplog.messages) == 1
    assert not Isolation(wanted=False).available()


@needs_namespaces
def test_tmp_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    size = "(lambda s: s.f_blocks * s.f_frsize // 2**20)(os.statvfs('/tmp'))"
    take = "(lambda f: tried(lambda: os.posix_fallocate(f.fileno(), 0, {} * 2**20)))(open('/tmp/big', 'wb'))"

    async def work() -> None:
        async with lab(tmp_path) as room:
            assert await room.service.limits_storage()
            arn = room.add(EVAL, storage=700)
            assert await room.value(arn, size) == 700
            assert await room.value(arn, take.format(701)) == "OSError"
            assert await room.value(arn, "open('/tmp/small', 'w').write('x')") == 1
            assert await room.value(arn, "open('/tmp/small').read()") == "x"
            assert list((tmp_path / "scratch").rglob("small")) == []

    run(work())


def test_without_namespaces_tmp_has_no_size(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, isolated=False) as room:
            assert not await room.service.limits_storage()

    run(work())
