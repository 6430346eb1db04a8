"""What debuggers need of the machine, and who gets one. Debuggers at work: tests/control/test_debugging.py."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.functions.harness import blank_spec, lab, run
from tidegate.functions.debugging import Debuggers
from tidegate.functions.spec import InvokeError


def test_without_debugpy_it_is_said_once_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "debugpy", None)
    told = "to debug Python, debugpy has to be installed: pip install 'tidegate[debug]'"

    async def work() -> None:
        async with lab(tmp_path, debug={"f": 0}) as room:
            arn = room.add("handler = lambda event, context: 1")
            for _ in range(2):
                with pytest.raises(InvokeError, match="debugpy has to be installed") as refused:
                    await room.value(arn)
                assert (refused.value.code, refused.value.status) == ("InvalidRuntimeException", 502)

    with caplog.at_level(logging.ERROR, "tidegate.functions"):
        run(work())
    assert [record.message for record in caplog.records] == [f"function f: {told}"]


@pytest.mark.parametrize(
    ("name", "wanted"), [("f", True), ("stack-f-1A2B3C", True), ("ff", False), ("f-other", False), ("other", False)]
)
def test_names_and_logical_ids(name: str, wanted: bool) -> None:
    assert Debuggers({"f": 0}).wants(replace(blank_spec(), name=name)) is wanted
