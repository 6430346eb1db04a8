"""airspeed, Velocity in Python. Needs its directory on PYTHONPATH."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, unquote

from bench.renderers.loop import given, serve
from tidegate.mapping.velocity import escape_javascript


class Map(dict[str, Any]):
    """A map as templates know it: airspeed has no `keySet` of its own."""

    def keySet(self) -> list[str]:  # noqa: N802 (Java's name)
        return list(self)


class Input:
    """`$input`."""

    def __init__(self, body: str, parameters: Map) -> None:
        self._body = body
        self._parameters = parameters

    def json(self, path: str) -> str:
        """Enough JSONPath for the template: `$` and names."""
        value = json.loads(self._body)
        for name in path.split(".")[1:]:
            value = value[name]
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    def params(self) -> Map:
        return self._parameters


class Util:
    """`$util`."""

    def escapeJavaScript(self, text: str) -> str:  # noqa: N802 (AWS's name)
        return escape_javascript(text)


def renderer(template: str, sample: Any) -> Callable[[], str]:
    """Renders the template for a request like the sample."""
    parsed = import_module("airspeed").Template(template)

    def render() -> str:
        parameters = Map(
            path=Map((name, unquote(value)) for name, value in sample["path"].items()),
            querystring=Map(parse_qsl(sample["query"], keep_blank_values=True)),
            header=Map(sample["headers"]),
        )
        variables = {
            "input": Input(sample["body"], parameters),
            "util": Util(),
            "stageVariables": Map(sample["stageVariables"]),
            "context": {**sample["context"], "identity": {**sample["context"]["identity"]}},
        }
        text: str = parsed.merge(variables)
        return text

    return render


if __name__ == "__main__":
    serve(renderer(*given()))
