"""What a process is started with beside the function's own variables, and that it does not outlive its credentials."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from tests.functions.harness import lab, run
from tidegate.functions import pool

TELLS = "import os\ndef handler(event, context): return [os.getpid(), os.environ['AWS_SESSION_TOKEN']]"


def test_every_process_has_credentials_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(1)

    async def work() -> None:
        given = {"own_environment": lambda spec: {"AWS_SESSION_TOKEN": f"{spec.name} {next(numbers)}"}}
        async with lab(tmp_path, **given) as room:
            arn = room.add(TELLS)
            first, again = await room.value(arn), await room.value(arn)
            assert (again, first[1]) == (first, "f 1")
            # AWS: environments are replaced every few hours.
            monkeypatch.setattr(pool, "_OLDEST", -1.0)
            before, after = await room.value(arn), await room.value(arn)
            assert before[0] != after[0]
            assert before[1] != after[1]

    run(work())
