"""DocumentationPart and DocumentationVersion: texts about an API's entities, and snapshots of all of them.

Source: *Representation of API documentation in API Gateway*, *Import API documentation*; shared facts, rest-control-plane §5
and §6. Which entities there are to describe is `documentable`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tidegate.aws.model import Params
from tidegate.control.apigateway.documentable import documentable
from tidegate.control.apigateway.lookup import get_api, get_documentation_part, get_documentation_version, get_stage
from tidegate.control.context import Context
from tidegate.control.pages import page, stored_page
from tidegate.control.patch import bad_request, patch, rule, table, text
from tidegate.core.errors import ControlError
from tidegate.definition.json_text import decode_object
from tidegate.definition.openapi.documentation import Documentation
from tidegate.definition.openapi.extensions import DOCUMENTATION
from tidegate.definition.openapi.imported import ImportedApi, Malformed, OpenApiError, failure
from tidegate.definition.openapi.loading import load
from tidegate.definition.records import DocumentationLocation, DocumentationPart, DocumentationVersion, Stage

# AWS: which fields a location may have beside its type.
_OF_METHODS = frozenset({"path", "method"})
_FIELDS: dict[str, frozenset[str]] = {
    "API": frozenset(),
    "AUTHORIZER": frozenset({"name"}),
    "MODEL": frozenset({"name"}),
    "RESOURCE": frozenset({"path"}),
    "METHOD": _OF_METHODS,
    "PATH_PARAMETER": _OF_METHODS | {"name"},
    "QUERY_PARAMETER": _OF_METHODS | {"name"},
    "REQUEST_HEADER": _OF_METHODS | {"name"},
    # A body has no name, but AWS's reference lists it.
    "REQUEST_BODY": _OF_METHODS | {"name"},
    "RESPONSE": _OF_METHODS | {"status_code"},
    "RESPONSE_HEADER": _OF_METHODS | {"status_code", "name"},
    "RESPONSE_BODY": _OF_METHODS | {"status_code"},
}
_NAMED = frozenset({"AUTHORIZER", "MODEL", "PATH_PARAMETER", "QUERY_PARAMETER", "REQUEST_HEADER", "RESPONSE_HEADER"})
_WIRE = {"path": "path", "method": "method", "status_code": "statusCode", "name": "name"}
_ANYWHERE = {"path": "/", "method": "*", "status_code": "*"}
"""AWS: what a field means that is not given."""

PART_RULES = table(rule("/properties", "replace", text("properties")))
VERSION_RULES = table(rule("/description", "replace", text("description")))


# --- parts -----------------------------------------------------------------------------------------------------------


def check_documentation_part(part: DocumentationPart) -> None:
    """Raises ControlError for what AWS refuses whatever else the API holds."""
    check_location(part.location)
    if not part.properties.strip():
        raise bad_request("Documentation part properties must be non-empty")
    if decode_object(part.properties) is None:
        raise bad_request("Documentation part properties must be a valid JSON object")


def check_location(location: DocumentationLocation) -> None:
    allowed = _FIELDS[location.type]
    for name, wire in _WIRE.items():
        if getattr(location, name) is not None and name not in allowed:
            raise bad_request(f"Invalid documentation part location: {wire} is not valid for type '{location.type}'")
    if location.type in _NAMED and location.name is None:
        raise bad_request(f"Invalid documentation part location: name is required for type '{location.type}'")
    if location.path is not None and not location.path.startswith("/"):
        raise bad_request(f"Invalid documentation part location: path must begin with '/': {location.path}")


def location_of(given: Params) -> DocumentationLocation:
    """Blank fields are the same as none."""
    fields = {name: (given.get(name) or "").strip() or None for name in _WIRE}
    return DocumentationLocation(type=given["type"], **fields)


def place(location: DocumentationLocation) -> tuple[str, ...]:
    """What a location stands for, with the fields that are not given filled in; two parts of one place are one too many."""
    values = {name: getattr(location, name) or _ANYWHERE.get(name, "") for name in _FIELDS[location.type]}
    return (location.type, *(values.get(name, "") for name in _WIRE))


def _shown(location: DocumentationLocation) -> str:
    fields = [(wire, getattr(location, name)) for name, wire in _WIRE.items()]
    return ", ".join(f"{wire} '{value}'" for wire, value in [("type", location.type), *fields] if value is not None)


def create_documentation_part(context: Context, params: Params) -> DocumentationPart:
    api = get_api(context, params["rest_api_id"])
    part = DocumentationPart(
        api_id=api.id,
        id=context.ids.child_id(),
        location=location_of(params["location"]),
        properties=params["properties"],
    )
    check_documentation_part(part)
    if place(part.location) in _places(context.tx.list(DocumentationPart, api.id)):
        message = f"Documentation part already exists for the specified location: {_shown(part.location)}"
        raise ControlError("ConflictException", message, 409)
    context.tx.put(part)
    return part


def _places(parts: Iterable[DocumentationPart]) -> dict[tuple[str, ...], DocumentationPart]:
    return {place(part.location): part for part in parts}


def _part(context: Context, params: Params) -> DocumentationPart:
    return get_documentation_part(context, params["rest_api_id"], params["documentation_part_id"])


def get_documentation_parts(context: Context, params: Params) -> dict[str, Any]:
    """AWS: parts with content, or on request (`UNDOCUMENTED`) locations of entities that have none."""
    api = get_api(context, params["rest_api_id"])
    parts = context.tx.list(DocumentationPart, api.id)
    if params.get("location_status") == "UNDOCUMENTED":
        documented = _places(parts)
        missing = [location for location in documentable(context, api.id) if place(location) not in documented]
        wanted = [location for location in missing if _matches(location, params)]
        result = page(sorted(wanted, key=_sorted), params, _sorted)
        return result | {"items": [{"location": location} for location in result["items"]]}
    return page([part for part in parts if _matches(part.location, params)], params, lambda part: part.id)


def _sorted(location: DocumentationLocation) -> str:
    return "\n".join(place(location))


def _matches(location: DocumentationLocation, params: Params) -> bool:
    filters = {"type": params.get("type"), "name": params.get("name_query"), "path": params.get("path")}
    return all(wanted in (None, getattr(location, name)) for name, wanted in filters.items())


def update_documentation_part(context: Context, params: Params) -> DocumentationPart:
    operations = params.get("patch_operations") or ()
    # A value that is not there is an empty one.
    filled = [{**op, "value": op.get("value") or ""} for op in operations]
    part = patch(_part(context, params), filled, PART_RULES)
    check_documentation_part(part)
    context.tx.put(part)
    return part


def delete_documentation_part(context: Context, params: Params) -> None:
    context.tx.delete(DocumentationPart, *_part(context, params).key)


# --- import ----------------------------------------------------------------------------------------------------------


def import_documentation_parts(context: Context, params: Params) -> dict[str, Any]:
    api = get_api(context, params["rest_api_id"])
    imported = _read(params["body"])
    fitting = []
    for part in imported.documentation:
        try:
            check_location(part.location)
        except ControlError as error:
            imported.warn(f"{error.message}. Ignoring.")
        else:
            fitting.append(part)
    if imported.errors:
        raise bad_request(failure(imported.errors, imported.warnings))
    if imported.warnings and params.get("fail_on_warnings"):
        raise bad_request("Warnings found during import:\n\t" + "\n\t".join(imported.warnings))
    ids = put_imported_parts(context, api.id, fitting, overwrite=params.get("mode") == "overwrite")
    return {"ids": ids, "warnings": imported.warnings or None}


def _read(body: bytes) -> ImportedApi:
    """The parts of a file's extension; nothing else of the file counts here."""
    imported = ImportedApi()
    try:
        root = load(body, {})
        if not isinstance(root.get(DOCUMENTATION), dict):
            raise OpenApiError("Unable to build importer with provided input.")
        documentation = Documentation(imported)
        documentation.read_extension(root[DOCUMENTATION])
        documentation.finish()
    except (OpenApiError, Malformed) as error:
        raise bad_request(str(error)) from error
    return imported


def put_imported_parts(
    context: Context, api_id: str, parts: Iterable[DocumentationPart], *, overwrite: bool
) -> list[str]:
    """Lay parts over those of an API; gives the ids. Merging: of a place that has a part, given properties replace its own."""
    if overwrite:
        context.tx.delete_all(DocumentationPart, api_id)
    there = _places(context.tx.list(DocumentationPart, api_id))
    ids = []
    for given in parts:
        known = there.get(place(given.location))
        if known is None:
            part = replace(given, api_id=api_id, id=context.ids.child_id())
        else:
            merged = {**json.loads(known.properties), **json.loads(given.properties)}
            part = replace(known, properties=json.dumps(merged, ensure_ascii=False))
        there[place(part.location)] = part
        context.tx.put(part)
        ids.append(part.id)
    return ids


# --- versions --------------------------------------------------------------------------------------------------------


def create_documentation_version(context: Context, params: Params) -> DocumentationVersion:
    api = get_api(context, params["rest_api_id"])
    name = params["documentation_version"]
    if not name.strip() or not name.isprintable():
        raise bad_request("Documentation version must be non-empty and printable")
    if context.tx.get(DocumentationVersion, api.id, name) is not None:
        message = f"Documentation version already exists for the specified version: {name}"
        raise ControlError("ConflictException", message, 409)
    stage = get_stage(context, api.id, params["stage_name"]) if params.get("stage_name") else None
    now = int(context.clock.time())
    version = DocumentationVersion(
        api_id=api.id,
        version=name,
        created_date=now,
        description=params.get("description"),
        parts=context.tx.list(DocumentationPart, api.id),
    )
    context.tx.put(version)
    if stage is not None:
        context.tx.put(replace(stage, documentation_version=name, last_updated_date=now))
    return version


def _version(context: Context, params: Params) -> DocumentationVersion:
    return get_documentation_version(context, params["rest_api_id"], params["documentation_version"])


def get_documentation_versions(context: Context, params: Params) -> dict[str, Any]:
    api = get_api(context, params["rest_api_id"])
    return stored_page(context.tx, DocumentationVersion, params, api.id)


def update_documentation_version(context: Context, params: Params) -> DocumentationVersion:
    version = patch(_version(context, params), params.get("patch_operations"), VERSION_RULES)
    context.tx.put(version)
    return version


def delete_documentation_version(context: Context, params: Params) -> None:
    version = _version(context, params)
    for stage in context.tx.list(Stage, version.api_id):
        if stage.documentation_version == version.version:
            message = (
                f"Cannot delete documentation version '{version.version}', is referenced in stage: {stage.stage_name}"
            )
            raise ControlError("ConflictException", message, 409)
    context.tx.delete(DocumentationVersion, *version.key)


OPERATIONS = {
    "CreateDocumentationPart": create_documentation_part,
    "GetDocumentationPart": _part,
    "GetDocumentationParts": get_documentation_parts,
    "UpdateDocumentationPart": update_documentation_part,
    "DeleteDocumentationPart": delete_documentation_part,
    "ImportDocumentationParts": import_documentation_parts,
    "CreateDocumentationVersion": create_documentation_version,
    "GetDocumentationVersion": _version,
    "GetDocumentationVersions": get_documentation_versions,
    "UpdateDocumentationVersion": update_documentation_version,
    "DeleteDocumentationVersion": delete_documentation_version,
}
