"""Which interpreter runs a declared runtime."""

from __future__ import annotations

import logging
import sys

import pytest

from tests.functions.harness import run
from tidegate.functions.runtimes import Choice, Runtimes, UnsupportedRuntime, choose, probe

HERE = {(3, 9): "p9", (3, 11): "p11", (3, 13): "p13"}


@pytest.mark.parametrize(
    ("declared", "version"),
    [
        ("python3.11", (3, 11)),
        ("python3.9", (3, 9)),
        ("python3.8", (3, 9)),
        ("python3.6", (3, 9)),
        ("python2.7", (3, 9)),
        ("python3.10", (3, 11)),  # of two equally near the newer
        ("python3.12", (3, 13)),
        ("python3.14", (3, 13)),
        ("python3.99", (3, 13)),
    ],
)
def test_the_nearest_of_the_family(declared: str, version: tuple[int, int]) -> None:
    assert choose(declared, HERE) == Choice(HERE[version], version)


@pytest.mark.parametrize("runtime", ["nodejs20.x", "java21", "provided.al2023", "python", "python3", "python3.x", ""])
def test_other_families_are_refused_by_name(runtime: str) -> None:
    with pytest.raises(UnsupportedRuntime, match=f"runtime {runtime} "):
        choose(runtime, HERE)


def test_no_interpreter_at_all() -> None:
    with pytest.raises(UnsupportedRuntime, match="awslambdaric"):
        choose("python3.11", {})


def test_our_own_interpreter_can_run_functions_and_nonsense_cannot() -> None:
    assert probe(sys.executable) == Choice(sys.executable, (sys.version_info[0], sys.version_info[1]))
    assert probe("/bin/false") is None
    assert probe("/nonexistent/python") is None


def test_a_substitute_is_announced_once(caplog: pytest.LogCaptureFixture) -> None:
    runtimes = Runtimes()

    async def ask() -> None:
        for _ in range(2):
            await runtimes.interpreter("python2.7")

    with caplog.at_level(logging.WARNING, "tidegate.functions"):
        run(ask())
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("runtime python2.7: not on this machine, running on python3.")
