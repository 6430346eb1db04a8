"""Functions that do harm: they crash, hang, flood, fork; and workers that are killed from outside."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from tests.functions.harness import Lab, blank_spec, lab, run
from tidegate.functions.spec import InvokeError

HARM = """
import os, sys, time, signal, subprocess
def handler(event, context):
    if event is None:
        return os.getpid()
    exec(event)
    return "done"
"""
ID = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


async def until_dead(pid: int) -> None:
    while alive(pid):
        await asyncio.sleep(0.005)


async def ends_with(room: Lab, arn: str, code: str, reason: str) -> None:
    error = await room.error(arn, code)
    assert error["errorType"] == "Runtime.ExitError"
    assert re.fullmatch(f"RequestId: {ID} Error: {re.escape(reason)}", error["errorMessage"])
    assert set(error) == {"errorType", "errorMessage"}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("sys.exit(1)", "Runtime exited with error: exit status 1"),
        ("os._exit(42)", "Runtime exited with error: exit status 42"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "Runtime exited with error: signal: killed"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
        ("print('last words'); sys.stdout.flush(); os._exit(7)", "Runtime exited with error: exit status 7"),
    ],
)
def test_a_crash_fails_one_invocation(tmp_path: Path, code: str, reason: str) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(HARM)
            await ends_with(room, arn, code, reason)
            assert f"Error: {reason}\nRuntime.ExitError\nEND RequestId: " in room.text()
            assert ("last words" in room.text()) == ("last words" in code)
            assert isinstance(await room.value(arn), int)
            assert room.service.stats().crashes == 1

    run(work())


def test_more_memory_than_the_function_has_is_the_end_of_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(HARM, timeout=20)
            greedy = "x = b'x' * (300 * 1024 * 1024); time.sleep(15)"
            await ends_with(room, arn, greedy, "Runtime exited with error: signal: killed")
            assert isinstance(await room.value(arn), int)

    run(work())


def test_timeout(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(HARM, timeout=1)
            child = "p = subprocess.Popen(['sleep', '60']); print('child', p.pid)\nwhile True: pass"
            spinning = asyncio.ensure_future(room.call(arn, child, tail=True))
            assert isinstance(await room.value(room.add(HARM, name="neighbour")), int)
            result = await spinning
            assert result.payload.decode() == (
                '{"errorType":"Sandbox.Timedout","errorMessage":'
                f'"RequestId: {result.request_id} Error: Task timed out after 1.00 seconds"}}'
            )
            assert result.function_error == "Unhandled"
            log = result.log_tail.decode()
            assert "Duration: 1000.00 ms\tBilled Duration: 1000 ms" in log
            moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
            assert re.search(rf"(?m)^{moment} {result.request_id} Task timed out after 1\.00 seconds$", log)
            found = re.search(r"child (\d+)", log)
            assert found
            await until_dead(int(found[1]))
            assert isinstance(await room.value(arn), int)

    run(work())


def test_init_that_takes_too_long_is_tried_again_within_the_timeout(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, init_seconds=0.3, isolated=False) as room:
            once = f"import os, time\nmark = {str(tmp_path / 'mark')!r}\n"
            once += "if not os.path.exists(mark):\n    open(mark, 'w').close()\n    time.sleep(60)\n"
            arn = room.add(once + HARM, name="once")
            assert isinstance(await room.value(arn), int)
            assert "Phase: init\tStatus: timeout" in room.text("once")
            never = room.add("import time\ntime.sleep(60)\n" + HARM, name="never", timeout=1)
            assert (await room.error(never))["errorType"] == "Sandbox.Timedout"

    run(work())


def test_a_flood_of_log_neither_blocks_nor_fills_memory(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, log_directory=tmp_path / "logs") as room:
            arn = room.add(HARM)
            result = await room.call(arn, "for i in range(50_000): print('%099d' % i)", tail=True)
            assert result.payload == b'"done"'
            assert b"%099d\nEND RequestId: " % 49_999 in result.log_tail
            assert len(result.log_tail) == 4096
            assert sum(len(line.text) for line in room.service.tail(blank_spec().arn, 100_000)) <= 512 * 1024
            assert await room.value(arn, "sys.stdout.write('x' * 5_000_000)") == "done"
        logged = (tmp_path / "logs/000000000000/us-east-1/f.log").read_bytes()
        assert all(b"%099d\n" % i in logged for i in (0, 1, 25_000, 49_999))
        assert logged.count(b"x") >= 5_000_000

    run(work())


def test_children_that_outlive_the_invocation_end_with_the_worker(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(HARM)
            fork = "pid = os.fork()\nif pid == 0:\n    time.sleep(60)\nprint('child', pid)"
            children = []
            for _ in range(2):
                result = await room.call(arn, fork, tail=True)
                assert result.payload == b'"done"'
                found = re.search(rb"child (\d+)", result.log_tail)
                assert found
                children.append(int(found[1]))
            assert all(map(alive, children))
            await ends_with(room, arn, "os._exit(1)", "Runtime exited with error: exit status 1")
            for child in children:
                await until_dead(child)

    run(work())


def test_a_child_with_a_session_of_its_own_ends_with_the_worker_too(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(HARM)
            daemon = "p = subprocess.Popen(['sleep', '60'], start_new_session=True)\nprint('child', p.pid)\nos._exit(1)"
            result = await room.call(arn, daemon, tail=True)
            found = re.search(rb"child (\d+)", result.log_tail)
            assert found
            await until_dead(int(found[1]))

    run(work())


GATEWAY = """
import sys, asyncio
from pathlib import Path
from tests.functions.harness import lab, run

SOURCE = '''
import os, time
def handler(event, context):
    print("pid", os.getpid())
    if event:
        time.sleep(60)
'''
async def work():
    async with lab(Path(sys.argv[1])) as room:
        arn = room.add(SOURCE)
        busy = asyncio.ensure_future(room.call(arn, 1))
        await asyncio.sleep(0.3)
        await room.call(arn, 0)
        print(room.text(), flush=True)
        await asyncio.sleep(60)
run(work())
"""


def test_workers_end_with_a_killed_gateway_or_with_the_next_one(tmp_path: Path) -> None:
    """An idle one ends by itself; one in the middle of an invocation is ended when the next gateway starts."""
    command = [sys.executable, "-c", GATEWAY, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as gateway:
        assert gateway.stdout is not None
        pids: list[int] = []
        while len(pids) < 2:
            pids += map(int, re.findall(rb"pid (\d+)", gateway.stdout.readline()))
        assert all(map(alive, pids))
        gateway.kill()

    async def next_gateway() -> None:
        async with lab(tmp_path):
            for pid in pids:
                await until_dead(pid)
            assert len(list((tmp_path / "scratch").iterdir())) == 1

    run(next_gateway())


def test_killed_workers_lose_only_what_they_held(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, workers_per_function=4, starting=4, patience=0.001) as room:
            arn = room.add(
                "import os, time\ndef handler(event, context):\n    time.sleep(0.002)\n    return os.getpid()\n"
            )
            pids: set[int] = set()
            failed = 0
            kills = 0

            async def client() -> None:
                nonlocal failed
                for _ in range(60):
                    result = await room.call(arn)
                    if result.function_error:
                        assert b"Runtime exited with error: signal: killed" in result.payload
                        failed += 1
                    else:
                        pids.add(int(result.payload))

            async def killer() -> None:
                nonlocal kills
                while kills < 6:
                    await asyncio.sleep(0.02)
                    for pid in [pid for pid in pids if alive(pid)][:1]:
                        os.kill(pid, signal.SIGKILL)
                        kills += 1
                    pids.clear()

            clients = [asyncio.ensure_future(client()) for _ in range(8)]
            killing = asyncio.ensure_future(killer())
            await asyncio.gather(*clients)
            killing.cancel()
            assert kills > 0
            assert failed <= kills
            assert room.service.stats().busy == 0
            assert isinstance(await room.value(arn), int)

    run(work())


def test_an_idle_worker_that_is_killed_is_not_used_again(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path) as room:
            arn = room.add(HARM)
            pid = await room.value(arn)
            os.kill(pid, signal.SIGKILL)
            while room.service.stats().workers:
                await asyncio.sleep(0.005)
            assert await room.value(arn) != pid

    run(work())


def test_idle_workers_are_reaped(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, idle_seconds=0.1) as room:
            arn = room.add(HARM)
            pid = await room.value(arn)
            await until_dead(pid)
            assert room.service.stats().workers == 0
            assert await room.value(arn) != pid

    run(work())


def test_more_workers_under_load_within_the_limit_and_429_beyond_the_queue(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, workers_per_function=2, queue=3, starting=2) as room:
            arn = room.add(HARM)
            calls = [asyncio.ensure_future(room.value(arn, "time.sleep(0.3)")) for _ in range(3)]
            await asyncio.sleep(0)
            with pytest.raises(InvokeError) as caught:
                await room.value(arn)
            assert (caught.value.code, caught.value.status) == ("TooManyRequestsException", 429)
            assert await asyncio.gather(*calls) == ["done"] * 3
            stats = room.service.stats()
            assert (stats.workers, stats.throttles, stats.invocations) == (2, 1, 3)

    run(work())


def test_a_caller_that_goes_away(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, workers_per_function=1) as room:
            arn = room.add(HARM)
            await room.value(arn)
            runs = asyncio.ensure_future(room.value(arn, "time.sleep(0.2); print('ran on')"))
            waits = asyncio.ensure_future(room.value(arn, "print('never')"))
            await asyncio.sleep(0.02)
            runs.cancel()
            waits.cancel()
            assert isinstance(await room.value(arn), int)
            assert "ran on" in room.text()
            assert "never" not in room.text()
            assert room.service.stats().workers == 1

    run(work())


def test_closing_ends_everything(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, workers_per_function=1) as room:
            arn = room.add(HARM)
            pid = await room.value(arn)
            busy = asyncio.ensure_future(room.value(arn, "time.sleep(60)"))
            waits = asyncio.ensure_future(room.value(arn))
            starts = asyncio.ensure_future(room.value(room.add(HARM, name="starting")))
            await asyncio.sleep(0.02)
        assert not alive(pid)
        for call in (busy, waits, starts):
            with pytest.raises(InvokeError) as caught:
                await call
            assert caught.value.code == "ServiceException"
        with pytest.raises(InvokeError):
            await room.value(arn)
        assert list((tmp_path / "scratch").iterdir()) == []

    run(work())


def test_what_a_killed_gateway_left_is_removed_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    dead = tmp_path / "scratch/gateway-dead"
    dead.mkdir(parents=True)
    (dead / ".lock").touch()

    async def work() -> None:
        async with lab(tmp_path), lab(tmp_path):
            assert not dead.exists()
            assert len(list((tmp_path / "scratch").iterdir())) == 2

    run(work())


def test_a_thousand_functions_cost_no_process_and_little_memory(tmp_path: Path) -> None:
    async def work() -> None:
        async with lab(tmp_path, idle_seconds=0.1) as room:
            tracemalloc.start()
            arns = [room.add("handler = lambda event, context: event", name=f"f{number}") for number in range(1000)]
            held, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert held < 1000 * 8192
            assert room.service.stats().workers == 0
            for number in (0, 500, 999):
                assert await room.value(arns[number], number) == number
            while room.service.stats().workers:
                await asyncio.sleep(0.01)

    run(work())
