"""What the renderers in Python share: the sample they are given, and the loop that they are measured in.

A renderer is a program, `renderer TEMPLATE REQUEST`. It parses the template once, prints what it renders of the request as one
JSON string, and then, for every line `KIND SECONDS` that it reads, works for so long and prints how often it was done. The kinds
of work: `request`, making the variables of a request and rendering; `template`, rendering with variables that are there, the body
read already.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BATCH = 20
"""Renderings between two looks at the clock."""


def given() -> tuple[str, Any]:
    """The template's text, and the request."""
    template, request = sys.argv[1:]
    return Path(template).read_text(), json.loads(Path(request).read_text())


def serve(request: Callable[[], str], template: Callable[[], str]) -> None:
    """Work whenever asked to, until the input ends."""
    kinds = {"request": request, "template": template}
    print(json.dumps(request()), flush=True)
    for line in sys.stdin:
        kind, seconds = line.split()
        print(repeat(kinds[kind], float(seconds)), flush=True)


def repeat(render: Callable[[], str], seconds: float) -> int:
    """How often it was rendered in that time."""
    end = time.perf_counter() + seconds
    count = 0
    while time.perf_counter() < end:
        for _ in range(BATCH):
            render()
        count += BATCH
    return count
