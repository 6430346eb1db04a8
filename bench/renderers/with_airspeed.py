"""airspeed, Velocity in Python. Needs its directory on PYTHONPATH."""

import json
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
        self._document = json.loads(body)
        self._parameters = parameters

    def json(self, path: str) -> str:
        """Enough JSONPath for the template: `$` and names."""
        value = self._document
        for name in path.split(".")[1:]:
            value = value[name]
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    def params(self) -> Map:
        return self._parameters


class Util:
    """`$util`."""

    def escapeJavaScript(self, text: str) -> str:  # noqa: N802 (AWS's name)
        return escape_javascript(text)


UTIL = Util()


def variables(sample: Any) -> dict[str, Any]:
    """Of a request like the sample."""
    parameters = Map(
        path=Map((name, unquote(value)) for name, value in sample["path"].items()),
        querystring=Map(parse_qsl(sample["query"], keep_blank_values=True)),
        header=Map(sample["headers"]),
    )
    return {
        "input": Input(sample["body"], parameters),
        "util": UTIL,
        "stageVariables": Map(sample["stageVariables"]),
        "context": {**sample["context"], "identity": {**sample["context"]["identity"]}},
    }


def main() -> None:
    template, sample = given()
    render = import_module("airspeed").Template(template).merge
    ready = variables(sample)
    serve(lambda: render(variables(sample)), lambda: render(ready))


if __name__ == "__main__":
    main()
