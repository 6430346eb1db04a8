"""Figures, not a test: cold starts and warm invocations a second, straight at the function service.

python -m tests.functions.speed [python|node] …
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.functions.harness import Lab, lab, run

SOURCES: dict[str, tuple[str, dict[str, str | bytes]]] = {
    "python": ("python3.11", {"app.py": "def handler(event, context):\n    return {'hello': 'world'}\n"}),
    "node": ("nodejs20.x", {"app.js": "exports.handler = async () => ({hello: 'world'});\n"}),
}
CLIENTS = 16
SECONDS = 4.0
COLD_STARTS = 15


async def cold(room: Lab, family: str) -> list[float]:
    runtime, files = SOURCES[family]
    arns = [room.add(files, runtime=runtime, name=f"cold-{number}") for number in range(COLD_STARTS)]
    taken = []
    for arn in arns:
        began = time.perf_counter()
        await room.value(arn)
        taken.append((time.perf_counter() - began) * 1000)
    return taken[1:]


async def warm(room: Lab, family: str) -> float:
    runtime, files = SOURCES[family]
    arn = room.add(files, runtime=runtime, name="warm")
    await asyncio.gather(*(room.call(arn) for _ in range(CLIENTS)))
    done = 0
    until = time.perf_counter() + SECONDS

    async def client() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await room.call(arn)
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return done / (time.perf_counter() - began)


async def measure(family: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with lab(Path(directory)) as room:
            starts = await cold(room, family)
        async with lab(Path(directory)) as room:
            rates = [await warm(room, family) for _ in range(3)]
    print(
        f"{family}: cold start {statistics.median(starts):.0f} ms (max {max(starts):.0f}), "
        f"warm {statistics.median(rates):,.0f}/s at {CLIENTS} ({', '.join(f'{rate:,.0f}' for rate in rates)})"
    )


if __name__ == "__main__":
    for wanted in sys.argv[1:] or SOURCES:
        run(measure(wanted))
