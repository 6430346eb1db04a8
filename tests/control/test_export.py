"""GetExport: what a deployed stage looks like as a file, and that importing the file gives the same API again."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV30SpecValidator

from tests.support.running import ApiBuilder, Server, lambda_uri

ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:pets"
VERSIONS = ("swagger", "oas30")
VALIDATORS = {"swagger": OpenAPIV2SpecValidator, "oas30": OpenAPIV30SpecValidator}


def export(server: Server, api: str, version: str = "oas30", stage: str = "prod", **parameters: str) -> Any:
    client = server.client("apigateway")
    answer = client.get_export(restApiId=api, stageName=stage, exportType=version, parameters=parameters)
    return json.loads(answer["body"].read())


def valid(document: dict[str, Any], version: str) -> dict[str, Any]:
    """The document, held against the specification; it does not know greedy parameters."""
    text = json.dumps(document).replace("+}", "}")
    VALIDATORS[version](json.loads(text)).validate()
    return document


def pets(server: Server) -> ApiBuilder:
    """An API with something of everything that can be deployed."""
    builder = ApiBuilder(
        server, "pets", description="All pets", version="1.2", binaryMediaTypes=["image/png", "application/zip"]
    )
    client, api = builder.client, builder.id
    base = f"https://apigateway.amazonaws.com/restapis/{api}/models"
    schemas: dict[str, Any] = {
        "Pet": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        "Owner": {
            "title": "Owner",
            "type": "object",
            "properties": {"pets": {"type": "array", "items": {"$ref": f"{base}/Pet"}}},
        },
        "Unused": {"type": "string", "enum": ["a", "b"]},
    }
    for name, schema in schemas.items():
        client.create_model(restApiId=api, name=name, contentType="application/json", schema=json.dumps(schema))
    # A circle, which takes two steps.
    schemas["Pet"]["properties"]["owner"] = {"$ref": f"{base}/Owner"}
    patch = [{"op": "replace", "path": "/schema", "value": json.dumps(schemas["Pet"])}]
    client.update_model(restApiId=api, modelName="Pet", patchOperations=patch)
    client.create_request_validator(
        restApiId=api, name="all of it", validateRequestBody=True, validateRequestParameters=True
    )
    client.create_authorizer(
        restApiId=api,
        name="tokens",
        type="TOKEN",
        authorizerUri=lambda_uri(FUNCTION),
        identitySource="method.request.header.X-Token",
        identityValidationExpression="[a-z]+",
        authorizerResultTtlInSeconds=60,
    )
    client.put_gateway_response(
        restApiId=api,
        responseType="DEFAULT_4XX",
        statusCode="418",
        responseParameters={"gatewayresponse.header.X-From": "'pets'"},
        responseTemplates={"application/json": '{"message": $context.error.messageString}'},
    )
    _methods(builder)
    return builder


def _methods(builder: ApiBuilder) -> None:
    builder.mock("/pets", "GET", '{"pets": []}', **{"X-Total": "'7'"})
    builder.method(
        "/pets",
        "POST",
        {
            "type": "HTTP_PROXY",
            "integrationHttpMethod": "POST",
            "uri": "http://backend.example/${stageVariables.pets}",
            "requestParameters": {"integration.request.header.X-Kind": "method.request.querystring.kind"},
            "timeoutInMillis": 5000,
            "passthroughBehavior": "NEVER",
            "tlsConfig": {"insecureSkipVerification": True},
            "cacheKeyParameters": ["method.request.querystring.kind"],
        },
        operationName="addPet",
        requestParameters={"method.request.querystring.kind": True, "method.request.header.X-Trace": False},
        requestModels={"application/json": "Pet"},
    )
    at = {"restApiId": builder.id, "resourceId": builder.resources["/pets"], "httpMethod": "POST", "statusCode": "201"}
    builder.client.put_method_response(**at, responseModels={"application/json": "Owner"})
    builder.method(
        "/pets/{id}/{rest+}",
        "ANY",
        {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": lambda_uri(FUNCTION)},
        requestParameters={"method.request.path.id": True, "method.request.path.rest": True},
    )


@pytest.fixture(scope="module")
def deployed(server: Server) -> str:
    return pets(server).deploy("prod", variables={"pets": "pets"})


@pytest.mark.parametrize("version", VERSIONS)
def test_the_plain_interface(server: Server, deployed: str, version: str) -> None:
    document = valid(export(server, deployed, version), version)
    assert "x-amazon" not in json.dumps(document).replace(ANY, "")
    assert document["info"] == {"title": "pets", "description": "All pets", "version": "1.2"}
    assert list(document["paths"]) == ["/pets", "/pets/{id}/{rest+}"]
    assert document["paths"]["/pets"]["post"]["operationId"] == "addPet"
    assert list(document["paths"]["/pets/{id}/{rest+}"]) == [ANY]


def test_a_method_of_swagger(server: Server, deployed: str) -> None:
    document = export(server, deployed, "swagger")
    assert (document["swagger"], document["schemes"], document["basePath"]) == ("2.0", ["https"], "/prod")
    assert document["host"] == f"{deployed}.execute-api.us-east-1.amazonaws.com"
    assert document["paths"]["/pets"]["post"] == {
        "operationId": "addPet",
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "parameters": [
            {"name": "kind", "in": "query", "required": True, "type": "string"},
            {"name": "X-Trace", "in": "header", "required": False, "type": "string"},
            {"in": "body", "name": "Pet", "required": True, "schema": {"$ref": "#/definitions/Pet"}},
        ],
        "responses": {"201": {"description": "201 response", "schema": {"$ref": "#/definitions/Owner"}}},
    }
    assert document["definitions"]["Owner"]["properties"]["pets"]["items"] == {"$ref": "#/definitions/Pet"}
    assert document["paths"]["/pets"]["get"]["responses"]["200"]["headers"] == {"X-Total": {"type": "string"}}


def test_a_method_of_openapi_3(server: Server, deployed: str) -> None:
    document = export(server, deployed, "oas30")
    assert document["openapi"] == "3.0.1"
    assert document["servers"] == [
        {
            "url": f"https://{deployed}.execute-api.us-east-1.amazonaws.com/{{basePath}}",
            "variables": {"basePath": {"default": "/prod"}},
        }
    ]
    method = document["paths"]["/pets"]["post"]
    assert method["parameters"][0] == {"name": "kind", "in": "query", "required": True, "schema": {"type": "string"}}
    schema = {"$ref": "#/components/schemas/Pet"}
    assert method["requestBody"] == {"content": {"application/json": {"schema": schema}}, "required": True}
    assert list(document["components"]["schemas"]) == ["Owner", "Pet", "Unused"]
    assert document["paths"]["/pets"]["get"]["responses"]["200"] == {
        "description": "200 response",
        "headers": {"X-Total": {"schema": {"type": "string"}}},
        "content": {},
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_extensions(server: Server, deployed: str, version: str) -> None:
    document = valid(export(server, deployed, version, extensions="integrations"), version)
    assert document["x-amazon-apigateway-binary-media-types"] == ["image/png", "application/zip"]
    assert document["x-amazon-apigateway-request-validators"] == {
        "all of it": {"validateRequestBody": True, "validateRequestParameters": True}
    }
    assert document["x-amazon-apigateway-gateway-responses"] == {
        "DEFAULT_4XX": {
            "statusCode": "418",
            "responseParameters": {"gatewayresponse.header.X-From": "'pets'"},
            "responseTemplates": {"application/json": '{"message": $context.error.messageString}'},
        }
    }
    assert document["paths"]["/pets"]["post"][INTEGRATION] == {
        "type": "http_proxy",
        "httpMethod": "POST",
        "uri": "http://backend.example/${stageVariables.pets}",
        "passthroughBehavior": "never",
        "timeoutInMillis": 5000,
        "cacheKeyParameters": ["method.request.querystring.kind"],
        "requestParameters": {"integration.request.header.X-Kind": "method.request.querystring.kind"},
        "tlsConfig": {"insecureSkipVerification": True},
    }
    assert document["paths"]["/pets"]["get"][INTEGRATION] == {
        "type": "mock",
        "passthroughBehavior": "when_no_match",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {
                "statusCode": "200",
                "responseParameters": {"method.response.header.X-Total": "'7'"},
                "responseTemplates": {"application/json": '{"pets": []}'},
            }
        },
    }


def test_authorizers_are_defined_when_asked_for(server: Server, deployed: str) -> None:
    def schemes(**parameters: str) -> Any:
        return export(server, deployed, "swagger", **parameters).get("securityDefinitions")

    assert schemes() is None and schemes(extensions="integrations") is None
    scheme = schemes(extensions="integrations, authorizers")["tokens"]
    assert scheme == schemes(extensions="apigateway")["tokens"]
    assert scheme == {
        "type": "apiKey",
        "name": "X-Token",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {
            "type": "token",
            "authorizerUri": lambda_uri(FUNCTION),
            "identityValidationExpression": "[a-z]+",
            "authorizerResultTtlInSeconds": 60,
        },
    }


def test_the_deployment_is_exported_not_the_draft(server: Server) -> None:
    builder = ApiBuilder(server, "before").mock("/a", "GET")
    builder.deploy()
    builder.mock("/b", "GET")
    rename = [{"op": "replace", "path": "/name", "value": "after"}]
    builder.client.update_rest_api(restApiId=builder.id, patchOperations=rename)
    document = export(server, builder.id)
    assert (document["info"]["title"], list(document["paths"])) == ("before", ["/a"])
    builder.deploy()
    assert list(export(server, builder.id)["paths"]) == ["/a", "/b"]


def test_without_a_version_the_creation_is_shown(server: Server) -> None:
    builder = ApiBuilder(server).mock("/", "GET")
    builder.deploy()
    made = builder.client.get_rest_api(restApiId=builder.id)["createdDate"]
    answer = builder.client.get_export(restApiId=builder.id, stageName="prod", exportType="swagger")
    document = json.loads(answer["body"].read())
    version = document["info"]["version"]
    assert yaml.safe_load(version) == made
    assert answer["contentType"] == "application/octet-stream"
    assert answer["contentDisposition"] == f'attachment; filename="swagger_{version}.json"'


def test_yaml_says_the_same(server: Server, deployed: str) -> None:
    client = server.client("apigateway")
    at = {"restApiId": deployed, "stageName": "prod", "exportType": "oas30", "parameters": {"extensions": "apigateway"}}
    answer = client.get_export(**at, accepts="application/yaml")
    text = answer["body"].read().decode()
    assert text.startswith('---\nopenapi: "3.0.1"\n') and answer["contentDisposition"].endswith('.yaml"')
    assert yaml.safe_load(text) == export(server, deployed, extensions="apigateway")


def test_the_aws_command_line(server: Server, deployed: str, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    command = [
        "aws",
        "--endpoint-url",
        server.url,
        "--region",
        "us-east-1",
        "apigateway",
        "get-export",
        "--rest-api-id",
    ]
    options = ["--stage-name", "prod", "--export-type", "swagger", "--parameters", "extensions=apigateway", str(out)]
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "PATH": os.environ["PATH"]}
    subprocess.run([*command, deployed, *options], check=True, env=credentials, capture_output=True)
    assert json.loads(out.read_text()) == export(server, deployed, "swagger", extensions="apigateway")


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "api": ({"restApiId": "nosuchapi0"}, "Invalid API identifier specified 000000000000:nosuchapi0"),
    "stage": ({"stageName": "nosuch"}, "Invalid stage identifier specified"),
    "type": ({"exportType": "wadl"}, "Invalid export type specified: wadl. Must be one of: [oas30, swagger]"),
    "accept": (
        {"accepts": "text/html"},
        "Invalid Accept header specified: text/html. Must be one of: [application/json, application/yaml]",
    ),
    "extension": (
        {"parameters": {"extensions": "integrations,nosuch"}},
        "Invalid extension specified: nosuch. Must be one of: [apigateway, authorizers, documentation, integrations]",
    ),
    "postman": (
        {"parameters": {"extensions": "postman"}},
        "Tidegate does not support the extension postman: Postman reads OpenAPI files as they are; export without it",
    ),
    "parameter": ({"parameters": {"nosuch": "x"}}, "Invalid export parameter specified: nosuch"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(server: Server, deployed: str, case: str) -> None:
    changed, message = REFUSED[case]
    with pytest.raises(ClientError) as caught:
        server.client("apigateway").get_export(
            **{"restApiId": deployed, "stageName": "prod", "exportType": "swagger", **changed}
        )
    error = caught.value.response
    assert error["Error"]["Message"] == message
    assert error["ResponseMetadata"]["HTTPStatusCode"] == (404 if case in ("api", "stage") else 400)


def test_models_that_are_not_json(server: Server) -> None:
    builder = ApiBuilder(server)
    schema = json.dumps({"type": "object", "properties": {"a": {"type": "string"}}})
    builder.client.create_model(restApiId=builder.id, name="Xml", contentType="application/xml", schema=schema)
    builder.method("/x", "POST", {"type": "MOCK"}, requestModels={"application/xml": "Xml"})
    builder.deploy()
    with pytest.raises(ClientError, match="Only found non-JSON body models for POST /x"):
        export(server, builder.id)


def again(server: Server, api: str, version: str, accepts: str, extensions: str = "apigateway") -> tuple[str, str]:
    """The API exported, imported as a new one, deployed, exported: both files, with the new id and date as the old ones."""
    client = server.client("apigateway")
    at = {"stageName": "prod", "exportType": version, "parameters": {"extensions": extensions}, "accepts": accepts}
    file = client.get_export(restApiId=api, **at)["body"].read()
    made = client.import_rest_api(body=file, failOnWarnings=True)
    client.create_deployment(restApiId=made["id"], stageName="prod", variables={"pets": "pets"})
    documented = yaml.safe_load(file).get("x-amazon-apigateway-documentation", {}).get("version")
    if documented:
        publish(client, made["id"], documented)
    copy = client.get_export(restApiId=made["id"], **at)["body"].read()
    return file.decode(), copy.decode().replace(made["id"], api)


def publish(client: Any, api: str, version: str) -> None:
    known = [item["version"] for item in client.get_documentation_versions(restApiId=api)["items"]]
    if version not in known:
        client.create_documentation_version(restApiId=api, documentationVersion=version)
    patch = [{"op": "replace", "path": "/documentationVersion", "value": version}]
    client.update_stage(restApiId=api, stageName="prod", patchOperations=patch)


@pytest.mark.parametrize("extensions", ["apigateway", "integrations", "integrations,authorizers"])
@pytest.mark.parametrize("accepts", ["application/json", "application/yaml"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_round_trip_is_a_fixed_point(
    server: Server, deployed: str, version: str, accepts: str, extensions: str
) -> None:
    file, copy = again(server, deployed, version, accepts, extensions)
    assert copy == file


@pytest.mark.parametrize("version", VERSIONS)
def test_documentation_goes_round(server: Server, version: str) -> None:
    builder = pets(server)
    builder.deploy("prod", variables={"pets": "pets"})
    texts: list[tuple[dict[str, str], dict[str, Any]]] = [
        ({"type": "API"}, {"info": {"description": "d"}}),
        ({"type": "METHOD", "path": "/pets", "method": "GET"}, {"summary": "All", "tags": ["pets"], "mine": 1}),
        ({"type": "RESPONSE", "statusCode": "200"}, {"description": "Fine"}),
        ({"type": "QUERY_PARAMETER", "path": "/", "name": "kind"}, {"description": "Which"}),
        ({"type": "RESOURCE", "path": "/pets"}, {"description": "Pets"}),
        ({"type": "MODEL", "name": "Pet"}, {"description": "A pet"}),
        ({"type": "AUTHORIZER", "name": "tokens"}, {"description": "By token"}),
        ({"type": "REQUEST_BODY", "path": "/pets", "method": "POST"}, {"description": "The pet"}),
        (
            {"type": "RESPONSE_HEADER", "path": "/pets", "method": "GET", "statusCode": "200", "name": "X-Total"},
            {"description": "n"},
        ),
    ]
    for location, properties in texts:
        builder.client.create_documentation_part(
            restApiId=builder.id, location=location, properties=json.dumps(properties)
        )
    assert "x-amazon-apigateway-documentation" not in export(server, builder.id, version, extensions="apigateway")
    publish(builder.client, builder.id, "1.0")
    document = valid(export(server, builder.id, version, extensions="documentation"), version)
    assert document["x-amazon-apigateway-documentation"]["version"] == "1.0"
    assert len(document["x-amazon-apigateway-documentation"]["documentationParts"]) == len(texts)
    method = document["paths"]["/pets"]["get"]
    assert (method["summary"], method["tags"], "mine" in method) == ("All", ["pets"], False)
    assert method["responses"]["200"]["description"] == "Fine"
    assert document["paths"]["/pets"]["post"]["parameters"][0]["description"] == "Which"
    assert "x-amazon" not in json.dumps(export(server, builder.id, version)).replace(ANY, "")
    file, copy = again(server, builder.id, version, "application/json")
    assert copy == file


@pytest.mark.parametrize("version", VERSIONS)
def test_a_closed_endpoint_stays_closed(server: Server, version: str) -> None:
    builder = ApiBuilder(server, "closed", version="1").mock("/a", "GET")
    patch = [{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "true"}]
    builder.client.update_rest_api(restApiId=builder.id, patchOperations=patch)
    builder.deploy()
    file, copy = again(server, builder.id, version, "application/json")
    assert copy == file
    holder = json.loads(file) if version == "swagger" else json.loads(file)["servers"][0]
    assert holder["x-amazon-apigateway-endpoint-configuration"] == {"disableExecuteApiEndpoint": True}
