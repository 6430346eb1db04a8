"""The configurations of the other gateways. `@NAME@` in a template is replaced; nothing else is touched."""

import json
import re
import subprocess
from pathlib import Path

_HERE = Path(__file__).parent


def render(template: str, target: Path, **values: str) -> None:
    """Write a template of this directory to `target`, filled. Raises KeyError when it asks for a value not given."""
    text = (_HERE / template).read_text()
    target.write_text(re.sub(r"@([A-Z]+)@", lambda found: values[found[1]], text))


def nginx_version() -> str:
    """What nginx calls itself, for example `nginx/1.22.1`."""
    done = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True)
    return done.stderr.strip().removeprefix("nginx version: ")


def fragment(name: str) -> str:
    """A JSON file of this directory on one line, to stand inside a YAML template."""
    return json.dumps(json.loads((_HERE / name).read_text()))
