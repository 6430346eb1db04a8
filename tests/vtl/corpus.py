"""The corpus: templates with a name in `corpus/*.txt`, all rendered with `corpus/variables.json`; what Velocity made of them is
in `corpus/recorded.json`, written by `python -m tests.vtl.corpus`, so that it holds where there is no Java, too."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from tests.vtl.velocity import Velocity

HERE = Path(__file__).parent / "corpus"
RECORDED = HERE / "recorded.json"


@cache
def variables() -> dict[str, Any]:
    result: dict[str, Any] = json.loads((HERE / "variables.json").read_text())
    return result


@cache
def templates() -> dict[str, str]:
    """File and name → source. A line `=== name` begins a template; the last line break before the next one is not part of it."""
    found: dict[str, str] = {}
    for file in sorted(HERE.glob("*.txt")):
        for part in ("\n" + file.read_text()).split("\n=== ")[1:]:
            name, _, source = part.partition("\n")
            key = f"{file.stem}/{name}"
            assert key not in found, f"{key} is there twice"
            found[key] = source
    return found


def main() -> None:
    velocity = Velocity()
    recorded = {name: velocity.render(source, variables()) for name, source in templates().items()}
    velocity.close()
    # What is said of an error is of no interest, that there is one is.
    recorded = {name: (kind, text if kind == "output" else "") for name, (kind, text) in recorded.items()}
    RECORDED.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
