"""GetExport: a deployed stage as an OpenAPI file, written by `definition.openapi`. Source: rest-control-plane §12."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args

import yaml

from tidegate.aws.model import Params
from tidegate.aws.rest import Answer
from tidegate.control.apigateway.lookup import get_api, get_deployment, get_stage
from tidegate.control.context import Context
from tidegate.control.patch import bad_request
from tidegate.definition.freeze import thaw
from tidegate.definition.openapi import OpenApiError
from tidegate.definition.openapi.writer import EXTENSIONS, Version, created, write_openapi
from tidegate.definition.records import DocumentationPart, DocumentationVersion, Stage


def get_export(context: Context, params: Params) -> Answer:
    api = get_api(context, params["rest_api_id"])
    stage = get_stage(context, api.id, params["stage_name"])
    version = _version(params["export_type"])
    extension = _accepted(params.get("accepts"))
    wanted = _extensions(params.get("parameters") or {})
    # What is deployed is exported, not the draft.
    deployment = get_deployment(context, api.id, stage.deployment_id)
    try:
        written = write_openapi(
            thaw(context.tx.document(deployment.document)),
            stage,
            context.scope,
            version=version,
            extensions=wanted,
            documentation=_documentation(context, stage),
        )
    except OpenApiError as error:
        raise bad_request(str(error)) from error
    name = f"{version}_{created(api)}.{extension}"
    return Answer(
        _WRITERS[extension](written).encode(),
        # AWS: a file to be saved, whatever is in it.
        (
            (b"Content-Type", b"application/octet-stream"),
            (b"Content-Disposition", f'attachment; filename="{name}"'.encode()),
        ),
    )


def _documentation(context: Context, stage: Stage) -> list[DocumentationPart]:
    """AWS: what has been published for the stage; parts that no version of its has are a draft."""
    if stage.documentation_version is None:
        return []
    published = context.tx.get(DocumentationVersion, stage.api_id, stage.documentation_version)
    return [] if published is None else published.parts


def _version(name: str) -> Version:
    for version in get_args(Version):
        if version == name:
            return version  # type: ignore[no-any-return]
    raise bad_request(f"Invalid export type specified: {name}. Must be one of: [oas30, swagger]")


def _accepted(header: str | None) -> str:
    """The file name extension of the first format that the Accept header names and we write."""
    names = [part.partition(";")[0].strip().lower() for part in (header or "*/*").split(",")]
    for name in names:
        if name in _FORMATS:
            return _FORMATS[name]
    raise bad_request(
        f"Invalid Accept header specified: {header}. Must be one of: [application/json, application/yaml]"
    )


def _extensions(parameters: Mapping[str, str]) -> set[str]:
    if unknown := sorted(parameters.keys() - {"extensions"}):
        raise bad_request(f"Invalid export parameter specified: {unknown[0]}")
    wanted = {name.strip() for name in parameters.get("extensions", "").split(",")} - {""}
    if "postman" in wanted:
        raise bad_request(
            "Tidegate does not support the extension postman: Postman reads OpenAPI files as they are; export without it"
        )
    if unknown := sorted(wanted - EXTENSIONS.keys()):
        known = ", ".join(sorted(EXTENSIONS))
        raise bad_request(f"Invalid extension specified: {unknown[0]}. Must be one of: [{known}]")
    return wanted


def to_json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


class _Quoted(str):
    """A value that is text and must stay it, whatever it looks like."""

    __slots__ = ()


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Values that stand at two places are written twice. AWS: values are quoted, keys are not."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, data: str) -> yaml.ScalarNode:
        # Line breaks of all kinds survive in double quotes alone.
        quoted = isinstance(data, _Quoted) or not data.isprintable()
        node: yaml.ScalarNode = self.represent_scalar("tag:yaml.org,2002:str", str(data), style='"' if quoted else None)
        return node


_Dumper.add_representer(str, _Dumper.represent_text)
_Dumper.add_representer(_Quoted, _Dumper.represent_text)


def _quoted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _quoted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_quoted(inner) for inner in value]
    return _Quoted(value) if isinstance(value, str) else value


def to_yaml(document: dict[str, Any]) -> str:
    return yaml.dump(
        _quoted(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, explicit_start=True, width=1 << 30
    )


_FORMATS = {
    "application/json": "json",
    "application/*": "json",
    "*/*": "json",
    "application/yaml": "yaml",
}
"""Media type → file name extension."""

_WRITERS = {"json": to_json, "yaml": to_yaml}

OPERATIONS = {"GetExport": get_export}
