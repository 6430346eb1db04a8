"""Documentation parts and versions: where parts may stand, filters, imports, snapshots, every message with its cause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import ApiBuilder, Server

TEXT = '{"description": "d"}'


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[ApiBuilder]:
    made = ApiBuilder(server, "documentation")
    yield made
    made.client.delete_rest_api(restApiId=made.id)


def document(api: ApiBuilder, location: dict[str, str], properties: str = TEXT) -> dict[str, Any]:
    made = api.client.create_documentation_part(restApiId=api.id, location=location, properties=properties)
    return without_metadata(made)


def locations(api: ApiBuilder, **filters: Any) -> list[dict[str, str]]:
    found = api.client.get_documentation_parts(restApiId=api.id, limit=500, **filters)["items"]
    return [part["location"] for part in found]


# --- parts -----------------------------------------------------------------------------------------------------------

TAKEN: list[dict[str, str]] = [
    {"type": "API"},
    {"type": "AUTHORIZER", "name": "a"},
    {"type": "MODEL", "name": "Pet"},
    {"type": "RESOURCE", "path": "/pets"},
    {"type": "RESOURCE"},
    {"type": "METHOD", "path": "/pets", "method": "GET"},
    {"type": "METHOD"},
    {"type": "PATH_PARAMETER", "path": "/pets/{id}", "method": "GET", "name": "id"},
    {"type": "QUERY_PARAMETER", "name": "page"},
    {"type": "REQUEST_HEADER", "method": "POST", "name": "X"},
    {"type": "REQUEST_BODY", "path": "/pets", "method": "POST"},
    {"type": "RESPONSE", "path": "/pets", "method": "GET", "statusCode": "200"},
    {"type": "RESPONSE_HEADER", "statusCode": "200", "name": "X"},
    {"type": "RESPONSE_BODY", "path": "/pets", "method": "*", "statusCode": "*"},
]


@pytest.mark.parametrize("location", TAKEN, ids=lambda location: location["type"])
def test_life_of_a_part(server: Server, location: dict[str, str]) -> None:
    api = ApiBuilder(server)
    made = document(api, location)
    assert len(made["id"]) == 6
    assert made == {"id": made["id"], "location": location, "properties": TEXT}
    at = {"restApiId": api.id, "documentationPartId": made["id"]}
    assert without_metadata(api.client.get_documentation_part(**at)) == made
    patch = [{"op": "replace", "path": "/properties", "value": '{"a": 1}'}]
    changed = without_metadata(api.client.update_documentation_part(**at, patchOperations=patch))
    assert changed == {**made, "properties": '{"a": 1}'}
    assert api.client.get_documentation_parts(restApiId=api.id)["items"] == [changed]
    assert api.client.delete_documentation_part(**at)["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert api.client.get_documentation_parts(restApiId=api.id)["items"] == []


INVALID = "Invalid documentation part location: {} is not valid for type '{}'"
MISSING = "Invalid documentation part location: name is required for type '{}'"
REFUSED: list[tuple[dict[str, str], str, str]] = [
    *(({"type": "API", field: "/a"}, TEXT, INVALID.format(field, "API")) for field in ("path", "method", "name")),
    ({"type": "API", "statusCode": "200"}, TEXT, INVALID.format("statusCode", "API")),
    ({"type": "MODEL", "name": "a", "path": "/a"}, TEXT, INVALID.format("path", "MODEL")),
    ({"type": "AUTHORIZER", "name": "a", "method": "GET"}, TEXT, INVALID.format("method", "AUTHORIZER")),
    ({"type": "RESOURCE", "path": "/a", "method": "GET"}, TEXT, INVALID.format("method", "RESOURCE")),
    ({"type": "METHOD", "statusCode": "200"}, TEXT, INVALID.format("statusCode", "METHOD")),
    ({"type": "METHOD", "name": "a"}, TEXT, INVALID.format("name", "METHOD")),
    ({"type": "REQUEST_HEADER", "name": "a", "statusCode": "*"}, TEXT, INVALID.format("statusCode", "REQUEST_HEADER")),
    ({"type": "RESPONSE", "name": "a"}, TEXT, INVALID.format("name", "RESPONSE")),
    ({"type": "RESPONSE_BODY", "name": "a"}, TEXT, INVALID.format("name", "RESPONSE_BODY")),
    *(
        ({"type": kind}, TEXT, MISSING.format(kind))
        for kind in ("AUTHORIZER", "MODEL", "PATH_PARAMETER", "QUERY_PARAMETER", "REQUEST_HEADER", "RESPONSE_HEADER")
    ),
    (
        {"type": "RESOURCE", "path": "pets"},
        TEXT,
        "Invalid documentation part location: path must begin with '/': pets",
    ),
    ({"type": "RESOURCE"}, "", "Documentation part properties must be non-empty"),
    ({"type": "RESOURCE"}, "{", "Documentation part properties must be a valid JSON object"),
    ({"type": "RESOURCE"}, "[1]", "Documentation part properties must be a valid JSON object"),
    ({"type": "RESOURCE"}, "[" * 100_000, "Documentation part properties must be a valid JSON object"),
]


@pytest.mark.parametrize(("location", "properties", "message"), REFUSED)
def test_what_is_refused(api: ApiBuilder, location: dict[str, str], properties: str, message: str) -> None:
    assert error_of(lambda: document(api, location, properties)) == ("BadRequestException", message, 400)


def test_front_end_validation(api: ApiBuilder) -> None:
    code, message, status = error_of(lambda: document(api, {"type": "PAGE", "statusCode": "999"}))
    assert (code, status) == ("ValidationException", 400)
    assert "Value 'PAGE' at 'createDocumentationPartInput.location.type' failed to satisfy constraint" in message
    assert "Value '999' at 'createDocumentationPartInput.location.statusCode' failed" in message


def test_one_part_in_one_place(server: Server) -> None:
    api = ApiBuilder(server)
    taken = "Documentation part already exists for the specified location: "
    document(api, {"type": "API"})
    assert error_of(lambda: document(api, {"type": "API"})) == ("ConflictException", f"{taken}type 'API'", 409)
    document(api, {"type": "METHOD", "path": "/a"})
    # What is not given means any.
    again = {"type": "METHOD", "path": "/a", "method": "*"}
    shown = "type 'METHOD', path '/a', method '*'"
    assert error_of(lambda: document(api, again)) == ("ConflictException", taken + shown, 409)
    document(api, {"type": "METHOD", "path": "/a", "method": "GET"})


PART_PATCHES = [
    ("replace", "/properties", "", "Documentation part properties must be non-empty"),
    ("replace", "/properties", None, "Documentation part properties must be non-empty"),
    ("replace", "/properties", "x", "Documentation part properties must be a valid JSON object"),
    ("add", "/properties", TEXT, "Invalid patch operation specified. Must be one of: [replace]"),
    ("remove", "/properties", None, "Invalid patch operation specified. Must be one of: [replace]"),
    (
        "replace",
        "/location",
        "x",
        "Invalid patch path  '/location' specified for op 'replace'. Must be one of: [/properties]",
    ),
]


@pytest.mark.parametrize(("op", "path", "value", "message"), PART_PATCHES)
def test_patches_that_are_refused(server: Server, op: str, path: str, value: str | None, message: str) -> None:
    api = ApiBuilder(server)
    made = document(api, {"type": "API"})
    at = {"restApiId": api.id, "documentationPartId": made["id"]}
    patch = {"op": op, "path": path} | ({} if value is None else {"value": value})
    refused = ("BadRequestException", message, 400)
    assert error_of(lambda: api.client.update_documentation_part(**at, patchOperations=[patch])) == refused
    assert without_metadata(api.client.get_documentation_part(**at)) == made


def test_unknown_ids(api: ApiBuilder) -> None:
    client = api.client
    unknown = ("NotFoundException", "Invalid Documentation part identifier specified", 404)
    at = {"restApiId": api.id, "documentationPartId": "nope"}
    assert error_of(lambda: client.get_documentation_part(**at)) == unknown
    assert error_of(lambda: client.update_documentation_part(**at, patchOperations=[])) == unknown
    assert error_of(lambda: client.delete_documentation_part(**at)) == unknown
    unknown = ("NotFoundException", "Invalid Documentation version identifier specified", 404)
    at = {"restApiId": api.id, "documentationVersion": "nope"}
    assert error_of(lambda: client.get_documentation_version(**at)) == unknown
    assert error_of(lambda: client.update_documentation_version(**at, patchOperations=[])) == unknown
    assert error_of(lambda: client.delete_documentation_version(**at)) == unknown
    no_api = ("NotFoundException", "Invalid API identifier specified 000000000000:nope", 404)
    there = {"restApiId": "nope"}
    part = {"location": {"type": "API"}, "properties": TEXT}
    assert error_of(lambda: client.create_documentation_part(**there, **part)) == no_api
    assert error_of(lambda: client.get_documentation_parts(**there)) == no_api
    assert error_of(lambda: client.import_documentation_parts(**there, body=b"{}")) == no_api
    assert error_of(lambda: client.create_documentation_version(**there, documentationVersion="1")) == no_api
    assert error_of(lambda: client.get_documentation_versions(**there)) == no_api


def test_filters_and_pages(server: Server) -> None:
    api = ApiBuilder(server)
    for location in TAKEN:
        document(api, location)
    assert locations(api, type="RESOURCE", path="/pets") == [{"type": "RESOURCE", "path": "/pets"}]
    assert {found["type"] for found in locations(api, path="/pets")} == {
        "RESOURCE",
        "METHOD",
        "REQUEST_BODY",
        "RESPONSE",
        "RESPONSE_BODY",
    }
    assert {found["type"] for found in locations(api, nameQuery="X")} == {"REQUEST_HEADER", "RESPONSE_HEADER"}
    assert locations(api, nameQuery="x") == []
    assert len(locations(api, locationStatus="DOCUMENTED")) == len(TAKEN)
    ids, position = [], {}
    while True:
        page = api.client.get_documentation_parts(restApiId=api.id, limit=5, **position)
        ids += [part["id"] for part in page["items"]]
        if "position" not in page:
            break
        position = {"position": page["position"]}
    assert ids == sorted(ids)
    assert len(set(ids)) == len(TAKEN)


def test_what_is_undocumented(server: Server) -> None:
    api = ApiBuilder(server)
    parameters = {"method.request.path.id": True, "method.request.querystring.page": False}
    parameters["method.request.header.X"] = False
    models = {"application/json": "Error"}
    api.method("/pets/{id}", "POST", {"type": "MOCK"}, requestParameters=parameters, requestModels=models)
    at = {"restApiId": api.id, "resourceId": api.resources["/pets/{id}"], "httpMethod": "POST"}
    headers = {"method.response.header.Y": True}
    api.client.put_method_response(**at, statusCode="200", responseModels=models, responseParameters=headers)
    api.client.create_authorizer(
        restApiId=api.id,
        name="pools",
        type="COGNITO_USER_POOLS",
        providerARNs=["arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc"],
        identitySource="method.request.header.A",
    )
    method = {"path": "/pets/{id}", "method": "POST"}
    every = [
        {"type": "API"},
        {"type": "AUTHORIZER", "name": "pools"},
        {"type": "METHOD", **method},
        {"type": "MODEL", "name": "Empty"},
        {"type": "MODEL", "name": "Error"},
        {"type": "PATH_PARAMETER", **method, "name": "id"},
        {"type": "QUERY_PARAMETER", **method, "name": "page"},
        {"type": "REQUEST_BODY", **method},
        {"type": "REQUEST_HEADER", **method, "name": "X"},
        {"type": "RESOURCE", "path": "/"},
        {"type": "RESOURCE", "path": "/pets"},
        {"type": "RESOURCE", "path": "/pets/{id}"},
        {"type": "RESPONSE", **method, "statusCode": "200"},
        {"type": "RESPONSE_BODY", **method, "statusCode": "200"},
        {"type": "RESPONSE_HEADER", **method, "statusCode": "200", "name": "Y"},
    ]
    assert locations(api, locationStatus="UNDOCUMENTED") == every
    for location in ({"type": "RESOURCE"}, {"type": "METHOD", **method}, {"type": "MODEL", "name": "Error"}):
        document(api, location)
    rest = [location for location in every if location not in ({"type": "RESOURCE", "path": "/"}, every[2], every[4])]
    assert locations(api, locationStatus="UNDOCUMENTED") == rest
    assert locations(api, locationStatus="UNDOCUMENTED", type="MODEL") == [{"type": "MODEL", "name": "Empty"}]
    first = api.client.get_documentation_parts(restApiId=api.id, locationStatus="UNDOCUMENTED", limit=1)
    assert first["items"] == [{"location": {"type": "API"}}]
    position = first["position"]
    second = api.client.get_documentation_parts(
        restApiId=api.id, locationStatus="UNDOCUMENTED", limit=1, position=position
    )
    assert second["items"] == [{"location": {"type": "AUTHORIZER", "name": "pools"}}]


# --- import ----------------------------------------------------------------------------------------------------------


def openapi(*parts: tuple[dict[str, str], Any]) -> bytes:
    listed = [{"location": location, "properties": properties} for location, properties in parts]
    extension = {"version": "1", "documentationParts": listed}
    return json.dumps({"openapi": "3.0.0", "x-amazon-apigateway-documentation": extension}).encode()


def texts(api: ApiBuilder) -> dict[str, Any]:
    found = api.client.get_documentation_parts(restApiId=api.id)["items"]
    return {part["location"]["type"]: json.loads(part["properties"]) for part in found}


def test_import_merges_or_overwrites(server: Server) -> None:
    api = ApiBuilder(server)
    known = document(api, {"type": "RESOURCE"}, '{"description": "old", "summary": "kept"}')
    document(api, {"type": "API"}, '{"title": "t"}')
    body = openapi(({"type": "RESOURCE", "path": "/"}, {"description": "new"}), ({"type": "METHOD"}, {"tags": ["ü"]}))
    answer = api.client.import_documentation_parts(restApiId=api.id, body=body)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert answer["ids"][0] == known["id"]
    assert "warnings" not in answer
    assert texts(api) == {
        "API": {"title": "t"},
        "RESOURCE": {"description": "new", "summary": "kept"},
        "METHOD": {"tags": ["ü"]},
    }
    answer = api.client.import_documentation_parts(restApiId=api.id, body=body, mode="overwrite")
    assert texts(api) == {"RESOURCE": {"description": "new"}, "METHOD": {"tags": ["ü"]}}
    listed = api.client.get_documentation_parts(restApiId=api.id)["items"]
    assert sorted(answer["ids"]) == sorted(part["id"] for part in listed)


def test_import_of_yaml(server: Server) -> None:
    api = ApiBuilder(server)
    body = b"""
swagger: "2.0"
x-amazon-apigateway-documentation:
  documentationParts:
    - location: {type: RESPONSE, statusCode: 200}
      properties: {description: fine}
"""
    api.client.import_documentation_parts(restApiId=api.id, body=body)
    assert locations(api) == [{"type": "RESPONSE", "statusCode": "200"}]


def test_warnings_of_an_import(server: Server) -> None:
    api = ApiBuilder(server)
    warning = "Invalid documentation part location: path is not valid for type 'API'. Ignoring."
    body = openapi(({"type": "API", "path": "/"}, {"a": 1}), ({"type": "API"}, {"b": 1}))
    assert error_of(
        lambda: api.client.import_documentation_parts(restApiId=api.id, body=body, failOnWarnings=True)
    ) == ("BadRequestException", f"Warnings found during import:\n\t{warning}", 400)
    assert texts(api) == {}
    answer = api.client.import_documentation_parts(restApiId=api.id, body=body)
    assert (len(answer["ids"]), answer["warnings"]) == (1, [warning])
    assert texts(api) == {"API": {"b": 1}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "Unable to build importer with provided input."),
        (b'{"openapi": "3.0.0"}', "Unable to build importer with provided input."),
        (b"{", "Invalid OpenAPI input: "),
        (openapi(({"type": "PAGE"}, {})), "Errors found during import:\n\tInvalid OpenAPI input: "),
        (openapi(({"type": "API"}, "x")), "Errors found during import:\n\tInvalid OpenAPI input: "),
    ],
)
def test_imports_that_are_refused(api: ApiBuilder, body: bytes, message: str) -> None:
    before = locations(api)
    code, told, status = error_of(
        lambda: api.client.import_documentation_parts(restApiId=api.id, body=body, mode="overwrite")
    )
    assert (code, status) == ("BadRequestException", 400)
    assert told.startswith(message)
    assert locations(api) == before


# --- versions --------------------------------------------------------------------------------------------------------


def test_life_of_a_version(server: Server) -> None:
    api = ApiBuilder(server).mock("/", "GET")
    api.deploy("prod")
    client = api.client
    document(api, {"type": "API"})
    made = without_metadata(
        client.create_documentation_version(restApiId=api.id, documentationVersion="1.0/a", description="d")
    )
    assert made == {"version": "1.0/a", "createdDate": made["createdDate"], "description": "d"}
    at = {"restApiId": api.id, "documentationVersion": "1.0/a"}
    assert without_metadata(client.get_documentation_version(**at)) == made
    patch = [{"op": "replace", "path": "/description", "value": "e"}]
    assert client.update_documentation_version(**at, patchOperations=patch)["description"] == "e"
    client.create_documentation_version(restApiId=api.id, documentationVersion="2", stageName="prod")
    assert client.get_stage(restApiId=api.id, stageName="prod")["documentationVersion"] == "2"
    listed = client.get_documentation_versions(restApiId=api.id)["items"]
    assert [version["version"] for version in listed] == ["1.0/a", "2"]
    in_use = "Cannot delete documentation version '2', is referenced in stage: prod"
    second = {"restApiId": api.id, "documentationVersion": "2"}
    assert error_of(lambda: client.delete_documentation_version(**second)) == ("ConflictException", in_use, 409)
    point = [{"op": "replace", "path": "/documentationVersion", "value": "1.0/a"}]
    assert (
        client.update_stage(restApiId=api.id, stageName="prod", patchOperations=point)["documentationVersion"]
        == "1.0/a"
    )
    assert client.delete_documentation_version(**second)["ResponseMetadata"]["HTTPStatusCode"] == 202
    point[0]["value"] = "2"
    assert error_of(lambda: client.update_stage(restApiId=api.id, stageName="prod", patchOperations=point)) == (
        "NotFoundException",
        "Invalid Documentation version identifier specified",
        404,
    )


def test_versions_that_are_refused(server: Server) -> None:
    api = ApiBuilder(server)
    client = api.client
    client.create_documentation_version(restApiId=api.id, documentationVersion="1")
    for name, code, message, status in (
        ("1", "ConflictException", "Documentation version already exists for the specified version: 1", 409),
        (" ", "BadRequestException", "Documentation version must be non-empty and printable", 400),
        ("a\x1fb", "BadRequestException", "Documentation version must be non-empty and printable", 400),
    ):
        given = {"restApiId": api.id, "documentationVersion": name}
        assert error_of(lambda given=given: client.create_documentation_version(**given)) == (code, message, status)
    no_stage = {"restApiId": api.id, "documentationVersion": "2", "stageName": "nope"}
    assert error_of(lambda: client.create_documentation_version(**no_stage)) == (
        "NotFoundException",
        "Invalid stage identifier specified",
        404,
    )
    assert [found["version"] for found in client.get_documentation_versions(restApiId=api.id)["items"]] == ["1"]
    at = {"restApiId": api.id, "documentationVersion": "1"}
    for op, path, message in (
        ("add", "/description", "Invalid patch operation specified. Must be one of: [replace]"),
        ("remove", "/description", "Invalid patch operation specified. Must be one of: [replace]"),
        (
            "replace",
            "/version",
            "Invalid patch path  '/version' specified for op 'replace'. Must be one of: [/description]",
        ),
    ):
        patch = [{"op": op, "path": path, "value": "x"}]
        refused = ("BadRequestException", message, 400)
        assert error_of(lambda patch=patch: client.update_documentation_version(**at, patchOperations=patch)) == refused


def test_a_version_is_a_snapshot(server: Server) -> None:
    """What a stage publishes is what was written when its version was made, whatever has been written since."""
    api = ApiBuilder(server).mock("/", "GET")
    api.deploy("prod")
    part = document(api, {"type": "API"}, '{"description": "before"}')
    api.client.create_documentation_version(restApiId=api.id, documentationVersion="1", stageName="prod")
    patch = [{"op": "replace", "path": "/properties", "value": '{"description": "after"}'}]
    at = {"restApiId": api.id, "documentationPartId": part["id"]}
    api.client.update_documentation_part(**at, patchOperations=patch)
    asked = {
        "restApiId": api.id,
        "stageName": "prod",
        "exportType": "oas30",
        "parameters": {"extensions": "documentation"},
    }

    def published() -> list[str]:
        body = json.loads(api.client.get_export(**asked)["body"].read())
        parts = body["x-amazon-apigateway-documentation"]["documentationParts"]
        return [part["properties"]["description"] for part in parts]

    assert published() == ["before"]
    api.client.create_documentation_version(restApiId=api.id, documentationVersion="2", stageName="prod")
    assert published() == ["after"]
