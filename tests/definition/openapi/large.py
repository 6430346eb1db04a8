"""A file as large API projects have it: 200 operations over 100 paths, with everything that API Gateway's extensions can say.

The same API as Swagger 2.0 and as OpenAPI 3.0; what differs is how the versions say it.
"""

from __future__ import annotations

from typing import Any

RESOURCES = 50
OPERATIONS = 4 * RESOURCES
URI = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function"
CORS = "gatewayresponse.header.Access-Control-Allow-Origin"


def large(version: str) -> dict[str, Any]:
    """`version`: swagger or oas30."""
    swagger = version == "swagger"
    root = "#/definitions/" if swagger else "#/components/schemas/"
    schemas = {name: schema for number in range(RESOURCES) for name, schema in _schemas(number, root).items()}
    document = {
        **({"swagger": "2.0", "basePath": "/prod"} if swagger else {"openapi": "3.0.1", "servers": [{"url": "/prod"}]}),
        "info": {"title": "Large", "version": "2026-01-01", "description": "Two hundred operations"},
        "x-amazon-apigateway-api-key-source": "HEADER",
        "x-amazon-apigateway-binary-media-types": ["image/png", "application/pdf"],
        "x-amazon-apigateway-request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True},
            "parameters": {"validateRequestBody": False, "validateRequestParameters": True},
        },
        "x-amazon-apigateway-request-validator": "parameters",
        "x-amazon-apigateway-gateway-responses": {
            kind: {
                "statusCode": status,
                "responseParameters": {CORS: "'*'"},
                "responseTemplates": {"application/json": '{"message": $context.error.messageString}'},
            }
            for kind, status in (("DEFAULT_4XX", "400"), ("DEFAULT_5XX", "500"), ("UNAUTHORIZED", "401"))
        },
        "x-amazon-apigateway-documentation": {
            "version": "1",
            "documentationParts": [
                {
                    "location": {"type": "METHOD", "path": f"/things{number}", "method": "GET"},
                    "properties": {"summary": f"All things {number}", "tags": [f"tag{number}"]},
                }
                for number in range(RESOURCES)
            ],
        },
        "paths": {path: item for number in range(RESOURCES) for path, item in _paths(number, root, swagger).items()},
    }
    if swagger:
        return {**document, "definitions": schemas, "securityDefinitions": _schemes()}
    return {**document, "components": {"schemas": schemas, "securitySchemes": _schemes()}}


def _schemas(number: int, root: str) -> dict[str, Any]:
    """A thing, which refers to its kind, itself and the thing before it."""
    before = {"$ref": f"{root}Thing{(number - 1) % RESOURCES}"}
    return {
        f"Kind{number}": {"type": "string", "enum": [f"k{number}", "other"]},
        f"Thing{number}": {
            "type": "object",
            "title": f"Thing {number}",
            "required": ["id", "kind"],
            "properties": {
                "id": {"type": "string", "pattern": "^[a-z0-9]+$", "maxLength": 36},
                "kind": {"$ref": f"{root}Kind{number}"},
                "parent": {"$ref": f"{root}Thing{number}"},
                "related": {"type": "array", "items": before, "maxItems": 10},
            },
        },
        f"Things{number}": {"type": "array", "items": {"$ref": f"{root}Thing{number}"}},
    }


def _schemes() -> dict[str, Any]:
    header = {"type": "apiKey", "in": "header"}
    return {
        "api_key": {**header, "name": "x-api-key"},
        "sigv4": {**header, "name": "Authorization", "x-amazon-apigateway-authtype": "awsSigv4"},
        "token": {
            **header,
            "name": "X-Token",
            "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {
                "type": "token",
                "authorizerUri": f"{URI}:auth/invocations",
                "authorizerResultTtlInSeconds": 0,
            },
        },
        "pool": {
            **header,
            "name": "Authorization",
            "x-amazon-apigateway-authtype": "cognito_user_pools",
            "x-amazon-apigateway-authorizer": {
                "type": "cognito_user_pools",
                "providerARNs": ["arn:aws:cognito-idp:eu-west-1:123456789012:userpool/eu-west-1_abc"],
            },
        },
    }


def _paths(number: int, root: str, swagger: bool) -> dict[str, Any]:
    thing, things = {"$ref": f"{root}Thing{number}"}, {"$ref": f"{root}Things{number}"}
    body = {"x-amazon-apigateway-request-validator": "all", **_body(thing, swagger)}
    return {
        f"/things{number}": {
            "get": {
                "operationId": f"list{number}",
                "parameters": [_parameter("query", "limit", swagger), _parameter("header", "X-Trace", swagger)],
                "responses": {"200": _response(things, swagger), "500": {"description": "500 response"}},
                "security": [{"api_key": []}],
                "x-amazon-apigateway-integration": _proxy(f"list{number}"),
            },
            "post": {
                "operationId": f"make{number}",
                **body,
                "responses": {"201": _response(thing, swagger)},
                "security": [{"pool": [f"things/{number}.write"]}],
                "x-amazon-apigateway-integration": _proxy(f"make{number}"),
            },
        },
        f"/things{number}/{{id}}": {
            "parameters": [_parameter("path", "id", swagger, required=True)],
            "put": {
                "operationId": f"put{number}",
                **body,
                "responses": {"200": _response(thing, swagger), "404": {"description": "404 response"}},
                "security": [{"token": []}],
                "x-amazon-apigateway-integration": _http(number),
            },
            "x-amazon-apigateway-any-method": {
                "responses": {"200": {"description": "200 response"}},
                "security": [{"sigv4": []}],
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 200}'},
                    "responses": {"default": {"statusCode": "200"}},
                },
            },
        },
    }


def _parameter(place: str, name: str, swagger: bool, *, required: bool = False) -> dict[str, Any]:
    typed = {"type": "string"} if swagger else {"schema": {"type": "string"}}
    return {"name": name, "in": place, "required": required, **typed}


def _body(schema: dict[str, Any], swagger: bool) -> dict[str, Any]:
    if swagger:
        return {"parameters": [{"name": "body", "in": "body", "schema": schema}]}
    return {"requestBody": {"content": {"application/json": {"schema": schema}}}}


def _response(schema: dict[str, Any], swagger: bool) -> dict[str, Any]:
    header = {"type": "string"} if swagger else {"schema": {"type": "string"}}
    body = {"schema": schema} if swagger else {"content": {"application/json": {"schema": schema}}}
    return {"description": "200 response", "headers": {"X-Count": header}, **body}


def _proxy(name: str) -> dict[str, Any]:
    return {"type": "aws_proxy", "httpMethod": "POST", "uri": f"{URI}:{name}/invocations", "timeoutInMillis": 5000}


def _http(number: int) -> dict[str, Any]:
    return {
        "type": "http",
        "httpMethod": "PUT",
        "uri": f"https://backend{number}.example.com/things/{{id}}",
        "requestParameters": {
            "integration.request.path.id": "method.request.path.id",
            "integration.request.header.X-Stage": "stageVariables.name",
        },
        "requestTemplates": {"application/json": f'#set($n = {number})\n{{"n": $n, "body": $input.json(\'$\')}}'},
        "passthroughBehavior": "when_no_templates",
        "cacheKeyParameters": ["method.request.path.id"],
        "responses": {
            "default": {
                "statusCode": "200",
                "responseParameters": {"method.response.header.X-Count": "integration.response.header.X-Total"},
                "responseTemplates": {"application/json": "$input.json('$.thing')"},
            },
            r"4\d{2}": {"statusCode": "404"},
        },
    }
