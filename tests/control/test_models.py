"""Models: their life, flattening, generated templates, and every message with its cause."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import ApiBuilder, Server

OBJECT = {"type": "object", "properties": {"name": {"type": "string"}}}


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[ApiBuilder]:
    made = ApiBuilder(server, "models")
    yield made
    made.client.delete_rest_api(restApiId=made.id)


def put(api: ApiBuilder, name: str, schema: Any, **options: Any) -> dict[str, Any]:
    """The model, made anew."""
    names = [model["name"] for model in api.client.get_models(restApiId=api.id, limit=500)["items"]]
    text = schema if isinstance(schema, str) else json.dumps(schema)
    if name in names:
        patch = [{"op": "replace", "path": "/schema", "value": text}]
        return dict(api.client.update_model(restApiId=api.id, modelName=name, patchOperations=patch))
    options = {"contentType": "application/json", **options}
    return dict(api.client.create_model(restApiId=api.id, name=name, schema=text, **options))


def ref(api: ApiBuilder, name: str) -> dict[str, str]:
    return {"$ref": f"https://apigateway.amazonaws.com/restapis/{api.id}/models/{name}"}


def test_every_api_begins_with_empty_and_error(server: Server) -> None:
    api = ApiBuilder(server)
    models = {model["name"]: model for model in api.client.get_models(restApiId=api.id)["items"]}
    assert sorted(models) == ["Empty", "Error"]
    for name, model in models.items():
        assert len(model["id"]) == 6
        assert model["contentType"] == "application/json"
        assert model["description"] == f"This is a default {name.lower()} schema model"
        assert json.loads(model["schema"])["title"] == f"{name} Schema"
    assert json.loads(models["Error"]["schema"])["properties"] == {"message": {"type": "string"}}
    for name in models:
        answer = api.client.delete_model(restApiId=api.id, modelName=name)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert api.client.get_models(restApiId=api.id)["items"] == []


def test_life_of_a_model(server: Server) -> None:
    api = ApiBuilder(server)
    client, text = api.client, json.dumps(OBJECT)
    made = without_metadata(
        client.create_model(restApiId=api.id, name="Pet", contentType="application/json", schema=text, description="d")
    )
    assert len(made.pop("id")) == 6
    assert made == {"name": "Pet", "contentType": "application/json", "schema": text, "description": "d"}
    other = json.dumps({"type": "array", "items": {"type": "string"}})
    changed = client.update_model(
        restApiId=api.id,
        modelName="Pet",
        patchOperations=[
            {"op": "replace", "path": "/description", "value": "e"},
            {"op": "replace", "path": "/schema", "value": other},
        ],
    )
    assert (changed["description"], changed["schema"]) == ("e", other)
    assert client.get_model(restApiId=api.id, modelName="Pet")["schema"] == other
    pages = client.get_paginator("get_models").paginate(restApiId=api.id, PaginationConfig={"PageSize": 1})
    assert [model["name"] for page in pages for model in page["items"]] == ["Empty", "Error", "Pet"]
    client.create_model(restApiId=api.id, name="Xml", contentType="application/xml", schema="<a/>")
    client.create_model(restApiId=api.id, name="Bare", contentType="text/plain")
    assert client.get_model(restApiId=api.id, modelName="Xml", flatten=True)["schema"] == "<a/>"
    client.delete_model(restApiId=api.id, modelName="Pet")
    assert error_of(lambda: client.get_model(restApiId=api.id, modelName="Pet"))[2] == 404
    client.delete_rest_api(restApiId=api.id)


INVALID = "Invalid model specified: Validation Result: warnings : [], errors : "
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "name empty": ({"name": ""}, "Model name must be non-empty"),
    "name with a dash": ({"name": "a-b"}, "Model name must be alphanumeric: a-b"),
    "name with a letter that is none of ASCII's": ({"name": "é"}, "Model name must be alphanumeric: é"),
    "content type": (
        {"contentType": "123"},
        "Validation Result: warnings : [], errors : [Invalid content type specified: 123]",
    ),
    "no schema": ({"schema": None}, "Model schema must have at least 1 property or array items defined"),
    "blank schema": ({"schema": " "}, "Model schema must have at least 1 property or array items defined"),
    "empty schema": ({"schema": "{}"}, "Model schema must have at least 1 property or array items defined"),
    "no JSON": ({"schema": "{"}, INVALID + "[Invalid model schema specified]"),
    "NaN": ({"schema": '{"minimum": NaN}'}, INVALID + "[Invalid model schema specified]"),
    "too deep": ({"schema": '{"not":' * 5000 + "{}" + "}" * 5000}, INVALID + "[Invalid model schema specified]"),
    "no object": ({"schema": "[1]"}, INVALID + "[Invalid model schema specified]"),
    "boolean": ({"schema": "true"}, INVALID + "[Invalid model schema specified]"),
    "unknown type": ({"schema": '{"type": "text"}'}, INVALID + "[Invalid model schema specified]"),
    "draft 3": (
        {"schema": '{"properties": {"a": {"required": true}}}'},
        INVALID + "[Invalid model schema specified]",
    ),
    "nothing required": ({"schema": '{"required": []}'}, INVALID + "[Invalid model schema specified]"),
    "draft 6": ({"schema": '{"exclusiveMinimum": 3}'}, INVALID + "[Invalid model schema specified]"),
    "unknown keyword": (
        {"schema": '{"$id": "x", "type": "object"}'},
        INVALID + '[Invalid model schema specified. Unsupported keyword(s): ["$id"]]',
    ),
    "unknown keywords inside": (
        {"schema": '{"properties": {"example": {"nullable": true}, "b": {"allOf": [{"example": 1}]}}}'},
        INVALID + '[Invalid model schema specified. Unsupported keyword(s): ["example","nullable"]]',
    ),
    "reference to a file": (
        {"schema": '{"$ref": "pet.json"}'},
        INVALID + "[Invalid model schema specified, Model reference must be in canonical form]",
    ),
    "reference to another API": (
        {"schema": '{"items": {"$ref": "https://apigateway.amazonaws.com/restapis/other/models/Error"}}'},
        INVALID + "[Invalid model schema specified, Model reference must be in canonical form]",
    ),
    "local reference to nothing": (
        {"schema": '{"$ref": "#/definitions/Pet"}'},
        INVALID + "[Invalid model schema specified, Model reference must be in canonical form]",
    ),
    "references to no models": (
        {"schema": '{"allOf": [{"$ref": "MODELS/A"}, {"$ref": "MODELS/B"}]}'},
        INVALID + "[Invalid model specified: A, Invalid model specified: B]",
    ),
    "reference into a model to nothing": (
        {"schema": '{"$ref": "MODELS/Error#/definitions/x"}'},
        INVALID + "[Invalid model specified: Error]",
    ),
    "too large": (
        {"schema": json.dumps({"description": "x" * 400 * 1024})},
        "Model schema exceeds the maximum size of 400 KB",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(api: ApiBuilder, case: str) -> None:
    options, message = REFUSED[case]
    given = {"name": "Pet", "contentType": "application/json", "schema": '{"type": "object"}', **options}
    if given["schema"] is None:
        del given["schema"]
    else:
        models = f"https://apigateway.amazonaws.com/restapis/{api.id}/models"
        given["schema"] = given["schema"].replace("MODELS", models)
    assert error_of(lambda: api.client.create_model(restApiId=api.id, **given)) == ("BadRequestException", message, 400)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"$schema": "http://json-schema.org/draft-04/schema#", "type": ["string", "null"], "enum": [{"example": 1}]},
        {"properties": {"$id": {"default": {"nullable": 1}}}, "patternProperties": {"^x-": {"type": "integer"}}},
        {"definitions": {"A": {"items": {"$ref": "#/definitions/A"}}}, "$ref": "#/definitions/A"},
        {"properties": {"next": {"$ref": "MODELS/Node"}}},
        {"properties": {"e": {"$ref": "MODELS/Error#/properties/message"}}},
    ],
)
def test_what_is_taken(server: Server, schema: Any) -> None:
    api = ApiBuilder(server)
    text = json.dumps(schema).replace("MODELS", f"https://apigateway.amazonaws.com/restapis/{api.id}/models")
    assert put(api, "Node", text)["schema"] == text


def test_unknown_models_and_apis(api: ApiBuilder) -> None:
    client = api.client
    unknown = ("NotFoundException", "Invalid model name specified: Nope", 404)
    at = {"restApiId": api.id, "modelName": "Nope"}
    assert error_of(lambda: client.get_model(**at)) == unknown
    assert error_of(lambda: client.get_model_template(**at)) == unknown
    assert error_of(lambda: client.update_model(**at, patchOperations=[])) == unknown
    assert error_of(lambda: client.delete_model(**at)) == unknown
    no_api = ("NotFoundException", "Invalid API identifier specified 000000000000:nope", 404)
    body = {"name": "A", "contentType": "application/json", "schema": "{}"}
    assert error_of(lambda: client.create_model(restApiId="nope", **body)) == no_api
    assert error_of(lambda: client.get_models(restApiId="nope")) == no_api


PATCHES = [
    (
        "replace",
        "/name",
        "x",
        "Invalid patch path  '/name' specified for op 'replace'. Must be one of: [/description, /schema]",
    ),
    (
        "add",
        "/nope",
        "x",
        "Invalid patch path  '/nope' specified for op 'add'. Must be one of: [/description, /schema]",
    ),
    ("remove", "/schema", None, "Invalid patch operation specified. Must be one of: [replace]"),
    ("add", "/description", "x", "Invalid patch operation specified. Must be one of: [replace]"),
    ("replace", "/schema", "", "Model schema must have at least 1 property or array items defined"),
    ("replace", "/schema", "nope", INVALID + "[Invalid model schema specified]"),
]


@pytest.mark.parametrize(("op", "path", "value", "message"), PATCHES)
def test_patches_that_are_refused(api: ApiBuilder, op: str, path: str, value: str | None, message: str) -> None:
    patch = {"op": op, "path": path} | ({} if value is None else {"value": value})
    before = without_metadata(api.client.get_model(restApiId=api.id, modelName="Error"))
    first = {"op": "replace", "path": "/description", "value": "changed"}
    assert error_of(
        lambda: api.client.update_model(restApiId=api.id, modelName="Error", patchOperations=[first, patch])
    ) == ("BadRequestException", message, 400)
    assert without_metadata(api.client.get_model(restApiId=api.id, modelName="Error")) == before


def test_names_are_taken_once(api: ApiBuilder) -> None:
    put(api, "Twice", OBJECT)
    again = {"restApiId": api.id, "name": "Twice", "contentType": "application/json", "schema": json.dumps(OBJECT)}
    message = "Model name already exists for this REST API"
    assert error_of(lambda: api.client.create_model(**again)) == ("ConflictException", message, 409)


def test_models_in_use_stay(server: Server) -> None:
    api = ApiBuilder(server)
    for name in ("Asked", "Root", "Answered", "Part"):
        put(api, name, OBJECT)
    put(api, "Whole", {"properties": {"part": ref(api, "Part")}})
    api.method("/a/b", "POST", {"type": "MOCK"}, requestModels={"application/json": "Asked"})
    api.method("/", "ANY", {"type": "MOCK"}, requestModels={"application/json": "Root"})
    at = {"restApiId": api.id, "resourceId": api.resources["/a/b"], "httpMethod": "POST"}
    api.client.put_method_response(**at, statusCode="200", responseModels={"application/json": "Answered"})
    users = {
        "Asked": "method request: /a/b/POST",
        "Root": "method request: //ANY",
        "Answered": "method response: /a/b/POST/200",
        "Part": "model: Whole",
    }
    for name, user in users.items():
        assert error_of(lambda name=name: api.client.delete_model(restApiId=api.id, modelName=name)) == (
            "ConflictException",
            f"Cannot delete model '{name}', is referenced in {user}",
            409,
        )
    api.client.delete_method(**at)
    api.client.delete_model(restApiId=api.id, modelName="Asked")


def test_methods_name_models_that_exist(api: ApiBuilder) -> None:
    put(api, "Body", OBJECT)
    api.method("/m", "POST", {"type": "MOCK"}, requestModels={"application/json": "Body"})
    at = {"restApiId": api.id, "resourceId": api.resources["/m"], "httpMethod": "POST"}
    unknown = ("BadRequestException", "Invalid model identifier specified: Nope", 400)
    client, models = api.client, {"application/json": "Nope"}
    request = [{"op": "add", "path": "/requestModels/text~1plain", "value": "Nope"}]
    response = [{"op": "add", "path": "/responseModels/application~1json", "value": "Nope"}]
    put_again = {**at, "httpMethod": "PUT", "authorizationType": "NONE"}
    assert error_of(lambda: client.put_method(**put_again, requestModels=models)) == unknown
    assert error_of(lambda: client.update_method(**at, patchOperations=request)) == unknown
    assert error_of(lambda: client.put_method_response(**at, statusCode="200", responseModels=models)) == unknown
    client.put_method_response(**at, statusCode="200", responseModels={"application/json": "Body"})
    assert error_of(lambda: client.update_method_response(**at, statusCode="200", patchOperations=response)) == unknown


def test_flattening(api: ApiBuilder) -> None:
    put(api, "Tag", {"type": "string"})
    local = {"type": "object", "properties": {"tag": ref(api, "Tag"), "own": {"$ref": "#/definitions/Own"}}}
    put(api, "Cat", {**local, "definitions": {"Own": {"type": "integer"}}})
    put(api, "Owner", OBJECT)
    # A circle: cats have owners, owners have cats.
    put(api, "Owner", {"properties": {"cats": {"type": "array", "items": ref(api, "Cat")}, "self": ref(api, "Owner")}})
    put(api, "Cat", {**local, "definitions": {"Own": {"type": "integer"}, "Tag": {}}, "not": ref(api, "Owner")})
    flat = json.loads(api.client.get_model(restApiId=api.id, modelName="Cat", flatten=True)["schema"])
    assert flat == {
        "type": "object",
        "properties": {"tag": {"$ref": "#/definitions/Tag2"}, "own": {"$ref": "#/definitions/Own"}},
        "not": {"$ref": "#/definitions/Owner"},
        "definitions": {
            "Own": {"type": "integer"},
            "Tag": {},
            "Tag2": {"type": "string"},
            "Owner": {
                "properties": {
                    "cats": {"type": "array", "items": {"$ref": "#/definitions/Cat"}},
                    "self": {"$ref": "#/definitions/Owner"},
                }
            },
            "Cat": {
                "type": "object",
                "properties": {
                    "tag": {"$ref": "#/definitions/Tag2"},
                    "own": {"$ref": "#/definitions/Cat/definitions/Own"},
                },
                "not": {"$ref": "#/definitions/Owner"},
                "definitions": {"Own": {"type": "integer"}, "Tag": {}},
            },
        },
    }
    stored = json.loads(api.client.get_model(restApiId=api.id, modelName="Cat")["schema"])
    assert stored["properties"]["tag"] == ref(api, "Tag")


HEAD = "#set($inputRoot = $input.path('$'))\n"
TEMPLATES: dict[str, tuple[Any, str]] = {
    "object": (
        {"type": "object", "properties": {"a": {"type": "number"}, "b": {"type": "string"}, "c": {"type": "boolean"}}},
        '{\n  "a" : 42,\n  "b" : "foo",\n  "c" : true\n}',
    ),
    "nothing inside": ({"type": "object"}, "{ }"),
    "scalar": ({"type": "integer"}, "42"),
    "enum": ({"enum": ["red", "green"]}, '"red"'),
    "nullable": ({"type": ["null", "string"]}, '"foo"'),
    "guessed": ({"properties": {"a": {"items": {}}, "b": {}, "c": {"pattern": "x"}}}, None),
    "array": (
        {"type": "array", "items": {"type": "object", "properties": {"age": {"type": "integer"}}}},
        "[\n##TODO: Update this foreach loop to reference array from input json\n"
        '#foreach($elem in $inputRoot)\n  {\n    "age" : 42\n  } \n#if($foreach.hasNext),#end\n#end\n]',
    ),
    "array in an object": (
        {"properties": {"tags": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}}},
        '{\n  "tags" : [\n'
        "  ##TODO: Update this foreach loop to reference array from input json\n"
        "  #foreach($elem in $inputRoot.tags)\n"
        "    [\n"
        "    ##TODO: Update this foreach loop to reference array from input json\n"
        "    #foreach($elem0 in $elem)\n"
        '      "foo" \n'
        "    #if($foreach.hasNext),#end\n"
        "    #end\n"
        "    ] \n"
        "  #if($foreach.hasNext),#end\n"
        "  #end\n"
        "  ]\n}",
    ),
    "allOf and oneOf": (
        {
            "allOf": [{"properties": {"a": {"type": "string"}}}, {"$ref": "MODELS/Error"}],
            "properties": {"b": {"oneOf": [{"type": "integer"}, {"type": "string"}]}},
        },
        '{\n  "a" : "foo",\n  "message" : "foo",\n  "b" : 42\n}',
    ),
    "circle": (
        {"properties": {"next": {"$ref": "#"}, "name": {"type": "string"}}},
        '{\n  "next" : {\n    "next" : { },\n    "name" : "foo"\n  },\n  "name" : "foo"\n}',
    ),
}
TEMPLATES["guessed"] = (
    TEMPLATES["guessed"][0],
    '{\n  "a" : [\n  ##TODO: Update this foreach loop to reference array from input json\n  #foreach($elem in $inputRoot.a)\n'
    '    "foo" \n  #if($foreach.hasNext),#end\n  #end\n  ],\n  "b" : { },\n  "c" : "foo"\n}',
)


@pytest.mark.parametrize("case", TEMPLATES)
def test_templates(api: ApiBuilder, case: str) -> None:
    schema, template = TEMPLATES[case]
    text = json.dumps(schema).replace("MODELS", f"https://apigateway.amazonaws.com/restapis/{api.id}/models")
    put(api, "Template", text)
    assert api.client.get_model_template(restApiId=api.id, modelName="Template")["value"] == HEAD + template


def test_no_template_without_json(api: ApiBuilder) -> None:
    put(api, "Plain", "x", contentType="text/plain")
    assert error_of(lambda: api.client.get_model_template(restApiId=api.id, modelName="Plain")) == (
        "BadRequestException",
        "Templates are only generated for JSON models, not for text/plain",
        400,
    )


def test_imported_models_are_held_to_the_same(server: Server) -> None:
    client = server.client("apigateway")
    file = {"openapi": "3.0.0", "info": {"title": "t", "version": "1"}, "paths": {}}
    body = json.dumps({**file, "components": {"schemas": {"Pet": {"type": "text"}}}})
    code, message, status = error_of(lambda: client.import_rest_api(body=body))
    assert (code, status) == ("BadRequestException", 400)
    told = f"Unable to create model for 'Pet': {INVALID}[Invalid model schema specified]"
    assert message == f"Errors found during import:\n\t{told}"
