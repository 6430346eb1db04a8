"""Every console example of the documents is run, line by line, against the running program, and its output compared.

A line beginning with `$` is a command (`>` goes on with it); what follows, up to the next command, is what it prints (`…` stands
for anything on its line; nothing stands for output that is not looked at). The commands of one page share one shell.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.running import Server

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page for page in (ROOT / "docs").glob("*.md") if re.search(r"^```console$", page.read_text(), re.MULTILINE)
)
_MARK = "--- example"


def examples(page: Path) -> list[tuple[str, list[str]]]:
    """(command, lines that it prints)."""
    found: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if line.startswith("> "):
                found[-1] = (f"{found[-1][0]}\n{line[2:]}", found[-1][1])
            elif line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def pattern(lines: list[str]) -> re.Pattern[str]:
    return re.compile("\n".join(re.escape(line).replace("…", "[^\n]*") for line in lines))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page(page: Path, server: Server, tmp_path: Path) -> None:
    steps = examples(page)
    script = "set -e\n" + "".join(f"{command}\necho '{_MARK}'\n" for command, _ in steps)
    done = subprocess.run(
        ["bash", "-c", script.replace("127.0.0.1:4566", f"127.0.0.1:{server.port}")],
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "AWS_PAGER": "",
            "ROOT": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    printed = done.stdout.split(f"{_MARK}\n")
    for (command, expected), output in zip(steps, printed, strict=False):
        if expected:
            assert pattern(expected).fullmatch(output.strip("\n")), f"$ {command}\n{output}\n{done.stderr}"
    assert done.returncode == 0, f"after {printed[-2:]}: {done.stderr}"
