"""Tidegate with a MOCK method that validates the body and renders a request and a response template, with no upstream."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.contestants import tidegate
from bench.contestants.base import Ground, Running

_SENT = {"id": 1, "name": "Biscuit", "tags": ["friendly", "vaccinated"]}
_SCHEMA = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1},
        "name": {"type": "string", "minLength": 1},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
}
_REQUEST = """#set($pet = $input.path('$'))
#set($context.requestOverride.path.name = $pet.name)
{"statusCode": #if($context.httpMethod == "GET")200#{else}500#end}"""
_RESPONSE = (
    '#set($tags = ["friendly", "vaccinated"])'
    '{"id":1,"name":"$util.escapeJavaScript("Biscuit")","type":"dog","price":249.99,'
    '"tags":[#foreach($tag in $tags)"$tag"#if($foreach.hasNext),#end#end],"status":"available"}'
)


class TidegateTransform:
    """Every setting at its default."""

    name = "tidegate-transform"
    title = "Tidegate, MOCK with templates and body validation (no upstream)"
    flags = "as MOCK; a JSON body of 60 bytes held against a Draft 4 model, Velocity in both templates"
    cores = 1
    connections = 64

    def available(self) -> str | None:
        """Needs the tidegate command beside the running Python."""
        return tidegate.missing()

    def version(self) -> str:
        """Version, commit, event loop, Python."""
        return tidegate.version()

    def start(self, workdir: Path, ground: Ground) -> Running:
        """Start, build, deploy; wrk sends the body."""
        script = workdir / "body.lua"
        script.write_text(
            f'wrk.body = {json.dumps(json.dumps(_SENT))}\nwrk.headers["Content-Type"] = "application/json"\n'
        )
        return replace(tidegate.serve(workdir, ground, self.cores, _build), script=script)


def _build(gateway: Any, method: dict[str, str], _port: int) -> None:
    api = {"restApiId": method["restApiId"]}
    gateway.create_model(**api, name="Pet", contentType="application/json", schema=json.dumps(_SCHEMA))
    validator = gateway.create_request_validator(**api, name="body", validateRequestBody=True)["id"]
    patches = [
        {"op": "replace", "path": "/requestValidatorId", "value": validator},
        {"op": "add", "path": "/requestModels/application~1json", "value": "Pet"},
    ]
    gateway.update_method(**method, patchOperations=patches)
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration(**method, type="MOCK", requestTemplates={"application/json": _REQUEST})
    gateway.put_integration_response(**method, statusCode="200", responseTemplates={"application/json": _RESPONSE})
