"""Golden cases of reading: files of an OpenAPI file, dashes, and everything that is to come of it.

Defaults and empty parts are left out of what is expected; nothing else is. `options` there are those of the import.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from tidegate.definition.openapi import ImportedApi, OpenApiError, examine_openapi
from tidegate.definition.openapi.extensions import model_url
from tidegate.definition.openapi.imported import UNKNOWN_API
from tidegate.definition.records import Integration, Method

DASHES = "\n--------\n"
CASES = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
DEFAULTS: dict[type, Any] = {
    Integration: Integration(type=""),
    Method: Method(api_id="", resource_id="", http_method=""),
}


def read(text: str, options: dict[str, str]) -> dict[str, Any]:
    try:
        imported = examine_openapi(text.encode(), account="123456789012", region="eu-west-1", options=options)
    except OpenApiError as error:
        return {"unusable": str(error)}
    return told(imported)


def told(imported: ImportedApi) -> dict[str, Any]:
    schemas = {name: json.loads(short(model.schema or "")) for name, model in imported.models.items()}
    told = {
        "settings": plain(imported.settings),
        "vpc_endpoint_ids": imported.vpc_endpoint_ids,
        "methods": {
            f"{verb} {path}": plain(method)
            for path, methods in imported.operations.items()
            for verb, method in methods.items()
        },
        "paths": [path for path, methods in imported.operations.items() if not methods],
        "models": schemas,
        "authorizers": {name: plain(record, "name") for name, record in imported.authorizers.items()},
        "request_validators": {name: plain(record, "name") for name, record in imported.request_validators.items()},
        "gateway_responses": {
            kind: plain(record, "response_type") for kind, record in imported.gateway_responses.items()
        },
        "documentation": [[plain(part.location), json.loads(part.properties)] for part in imported.documentation],
        "documentation_version": imported.documentation_version,
        "errors": imported.errors,
        "warnings": imported.warnings,
        "notes": imported.notes,
    }
    return {key: value for key, value in told.items() if value}


def short(text: str) -> str:
    """References between models as `model:NAME`."""
    return text.replace(model_url(UNKNOWN_API, ""), "model:")


def plain(value: Any, *left_out: str) -> Any:
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not hasattr(value, "__dataclass_fields__"):
        return value
    default = DEFAULTS.get(type(value))
    given = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in left_out}
    return {
        name: plain(item)
        for name, item in given.items()
        if item not in (None, "", [], {}) and (default is None or item != getattr(default, name))
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_case(case: Path) -> None:
    text, expected = case.read_text().split(DASHES)
    wanted = yaml.safe_load(expected)
    assert read(text, wanted.pop("options", {})) == wanted


def test_there_are_cases() -> None:
    assert len(CASES) >= 40
