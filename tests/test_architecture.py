"""The documents that describe the code, held to it; and the rooms' sizes."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "tidegate"


def pipeline_steps() -> list[str]:
    tree = ast.parse((SOURCE / "gateway" / "rest.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    steps = [
        (node.lineno, node.args[0].value)
        for node in calls
        if isinstance(node.func, ast.Attribute) and node.func.attr == "at" and isinstance(node.args[0], ast.Constant)
    ]
    return [str(step) for _, step in sorted(steps)]


def test_the_life_of_a_request_is_as_documented() -> None:
    text = (ROOT / "docs" / "life-of-a-request.md").read_text()
    assert re.findall(r"^## `(\w+)`", text, re.MULTILINE) == pipeline_steps()


def test_every_file_the_documents_name_exists() -> None:
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]:
        for path in re.findall(r"`((?:src|tests|docs|examples|bench)/[\w./-]+)`", document.read_text()):
            assert (ROOT / path).exists(), f"{document.name} names {path}"


def test_every_module_says_what_it_is_for() -> None:
    for path in SOURCE.rglob("*.py"):
        text = path.read_text()
        assert not text.strip() or ast.get_docstring(ast.parse(text)), path


def test_what_is_refused_only_shrinks() -> None:
    text = (SOURCE / "plan" / "refusals.py").read_text()
    # Exactly what there is: who makes a feature work takes its refusal out, and lowers this number.
    assert len(re.findall(r"yield _refuse\(", text)) == 6
