"""What an import makes of every part of a file, and what merge and overwrite leave of what was there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.control.test_import import MOCK, document, load
from tests.definition.openapi.large import OPERATIONS, RESOURCES, large
from tests.support.running import Server

KEY = "222222222222"
FUNCTION = "arn:aws:lambda:us-east-1:222222222222:function:f"
AUTHORIZER_URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"


def scheme(**authorizer: Any) -> dict[str, Any]:
    return {
        "type": "apiKey",
        "name": "X-Token",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {"type": "token", "authorizerUri": AUTHORIZER_URI, **authorizer},
    }


def operation(**members: Any) -> dict[str, Any]:
    return {"responses": {"200": {}}, "x-amazon-apigateway-integration": MOCK, **members}


def swagger(paths: dict[str, Any], **root: Any) -> dict[str, Any]:
    return {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": paths, **root}


def state(client: Any, api: str) -> dict[str, Any]:
    """Everything that a file can change."""
    at = {"restApiId": api}
    shown = {
        "api": client.get_rest_api(**at),
        "resources": client.get_resources(**at, embed=["methods"], limit=500)["items"],
        "models": client.get_models(**at, limit=500)["items"],
        "authorizers": client.get_authorizers(**at)["items"],
        "validators": client.get_request_validators(**at)["items"],
        "responses": [item for item in client.get_gateway_responses(**at)["items"] if not item["defaultResponse"]],
        "documentation": client.get_documentation_parts(**at, limit=500)["items"],
        "versions": client.get_documentation_versions(**at)["items"],
    }
    shown["api"].pop("ResponseMetadata")
    return shown


def methods(state: dict[str, Any]) -> dict[str, Any]:
    return {
        f"{verb} {resource['path']}": method
        for resource in state["resources"]
        for verb, method in resource.get("resourceMethods", {}).items()
    }


def by_name(items: list[dict[str, Any]], key: str = "name") -> dict[str, dict[str, Any]]:
    return {item[key]: item for item in items}


@pytest.mark.parametrize("version", ["swagger", "oas30"])
def test_a_large_file(server: Server, version: str) -> None:
    client = server.client("apigateway", key=KEY)
    api = load(server, large(version), failOnWarnings=True)
    assert "warnings" not in api
    found = state(client, api["id"])
    made = methods(found)
    assert len(made) == OPERATIONS
    assert len(found["resources"]) == 1 + 2 * RESOURCES
    models = by_name(found["models"])
    assert set(models) >= {f"Thing{number}" for number in range(RESOURCES)} | {"Empty", "Error"}
    schema = json.loads(models["Thing7"]["schema"])
    url = f"https://apigateway.amazonaws.com/restapis/{api['id']}/models/"
    assert schema["properties"]["parent"] == {"$ref": f"{url}Thing7"}
    assert schema["properties"]["related"]["items"] == {"$ref": f"{url}Thing6"}
    authorizers, validators = by_name(found["authorizers"]), by_name(found["validators"])
    assert (authorizers["token"]["type"], authorizers["token"]["identitySource"]) == (
        "TOKEN",
        "method.request.header.X-Token",
    )
    assert made["PUT /things7/{id}"]["authorizerId"] == authorizers["token"]["id"]
    assert made["POST /things7"]["authorizerId"] == authorizers["pool"]["id"]
    assert made["POST /things7"]["requestValidatorId"] == validators["all"]["id"]
    assert made["POST /things7"]["requestModels"] == {"application/json": "Thing7"}
    assert made["GET /things7"]["requestValidatorId"] == validators["parameters"]["id"]
    assert made["ANY /things7/{id}"]["authorizationType"] == "AWS_IAM"
    resource = next(item for item in found["resources"] if item["path"] == "/things7/{id}")
    assert made["PUT /things7/{id}"]["methodIntegration"]["cacheNamespace"] == resource["id"]
    assert {item["responseType"]: item["statusCode"] for item in found["responses"]} == {
        "DEFAULT_4XX": "400",
        "DEFAULT_5XX": "500",
        "UNAUTHORIZED": "401",
    }
    assert len(found["documentation"]) == RESOURCES
    assert [item["version"] for item in found["versions"]] == ["1"]


@pytest.mark.parametrize("mode", ["merge", "overwrite"])
def test_importing_the_same_again_changes_nothing(server: Server, mode: str) -> None:
    client = server.client("apigateway", key=KEY)
    body = json.dumps(large("oas30"))
    api = client.import_rest_api(body=body)
    before = state(client, api["id"])
    client.put_rest_api(restApiId=api["id"], mode=mode, body=body)
    after = state(client, api["id"])
    for name in before:
        shown = [sorted(json.dumps(item, default=str) for item in each[name]) for each in (before, after)]
        if name == "documentation" and mode == "overwrite":
            assert len(shown[0]) == len(shown[1])
        else:
            assert shown[0] == shown[1], name


FIRST = swagger(
    {
        "/a": {
            "get": operation(operationId="old", security=[{"auth": []}], tags=["x"]),
            "post": operation(**{"x-amazon-apigateway-request-validator": "v"}),
        },
        "/b/c": {"get": operation()},
    },
    definitions={"Old": {"type": "object", "title": "old"}, "Both": {"type": "object", "title": "old"}},
    securityDefinitions={"auth": scheme(authorizerResultTtlInSeconds=10), "gone": scheme()},
    **{
        "x-amazon-apigateway-request-validators": {"v": {"validateRequestBody": True}, "w": {}},
        "x-amazon-apigateway-gateway-responses": {
            "THROTTLED": {"statusCode": 420},
            "UNAUTHORIZED": {"statusCode": 499},
        },
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "x-amazon-apigateway-documentation": {
            "documentationParts": [
                {"location": {"type": "RESOURCE", "path": "/a"}, "properties": {"description": "old"}},
                {"location": {"type": "RESOURCE", "path": "/b"}, "properties": {"description": "old"}},
            ]
        },
    },
)
SECOND = swagger(
    {"/a": {"get": operation()}, "/d": {"get": operation(security=[{"auth": []}])}},
    info={"title": "new", "version": "2"},
    definitions={"Both": {"type": "object", "title": "new"}, "New": {"type": "object", "title": "new"}},
    securityDefinitions={"auth": scheme(authorizerResultTtlInSeconds=20)},
    **{
        "x-amazon-apigateway-request-validators": {"v": {"validateRequestBody": False}},
        "x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": 421}},
        "x-amazon-apigateway-documentation": {
            "documentationParts": [
                {"location": {"type": "RESOURCE", "path": "/a"}, "properties": {"description": "new"}},
            ]
        },
    },
)


def test_merge_replaces_what_has_the_same_name_and_keeps_the_rest(server: Server) -> None:
    client = server.client("apigateway", key=KEY)
    api = load(server, FIRST)["id"]
    before = state(client, api)
    put = client.put_rest_api(restApiId=api, body=json.dumps(SECOND))
    after = state(client, api)
    assert (put["name"], put["version"], put["binaryMediaTypes"]) == ("new", "2", ["image/png"])
    made = methods(after)
    assert sorted(made) == ["GET /a", "GET /b/c", "GET /d", "POST /a"]
    # The method is replaced whole: nothing of the old one shines through.
    assert (made["GET /a"]["authorizationType"], "operationName" in made["GET /a"]) == ("NONE", False)
    assert made["POST /a"] == methods(before)["POST /a"]
    titles = {model["name"]: json.loads(model["schema"]).get("title") for model in after["models"]}
    assert {name: titles[name] for name in ("Old", "Both", "New")} == {"Old": "old", "Both": "new", "New": "new"}
    old, new = by_name(before["authorizers"]), by_name(after["authorizers"])
    assert sorted(new) == ["auth", "gone"]
    assert (new["auth"]["id"], new["auth"]["authorizerResultTtlInSeconds"]) == (old["auth"]["id"], 20)
    assert made["GET /d"]["authorizerId"] == old["auth"]["id"]
    validators = by_name(after["validators"])
    assert validators["v"]["id"] == by_name(before["validators"])["v"]["id"]
    assert {name: item["validateRequestBody"] for name, item in validators.items()} == {"v": False, "w": False}
    assert {item["responseType"]: item["statusCode"] for item in after["responses"]} == {
        "THROTTLED": "421",
        "UNAUTHORIZED": "499",
    }
    parts = {item["location"]["path"]: json.loads(item["properties"]) for item in after["documentation"]}
    assert parts == {"/a": {"description": "new"}, "/b": {"description": "old"}}


def test_overwrite_leaves_what_the_file_has_and_the_surroundings(server: Server) -> None:
    client = server.client("apigateway", key=KEY)
    api = load(server, FIRST, parameters={"endpointConfigurationTypes": "REGIONAL"})["id"]
    arn = f"arn:aws:apigateway:us-east-1::/restapis/{api}"
    client.tag_resource(resourceArn=arn, tags={"team": "pets"})
    client.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(document()))
    client.create_deployment(restApiId=api, stageName="s", variables={"a": "b"})
    before = state(client, api)
    put = client.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(SECOND))
    after = state(client, api)
    assert "binaryMediaTypes" not in put
    assert (put["endpointConfiguration"]["types"], put["tags"]) == (["REGIONAL"], {"team": "pets"})
    assert [item["path"] for item in after["resources"]] == ["/", "/a", "/d"]
    assert sorted(methods(after)) == ["GET /a", "GET /d"]
    assert sorted(model["name"] for model in after["models"]) == ["Both", "Empty", "Error", "New"]
    assert [item["name"] for item in after["authorizers"]] == ["auth"]
    assert [item["name"] for item in after["validators"]] == ["v"]
    assert [item["responseType"] for item in after["responses"]] == ["THROTTLED"]
    assert [item["location"]["path"] for item in after["documentation"]] == ["/a"]
    # Of what stays, the resource keeps its id; the stage goes on with what was deployed.
    assert by_name(after["resources"], "path")["/a"]["id"] == by_name(before["resources"], "path")["/a"]["id"]
    assert client.get_stage(restApiId=api, stageName="s")["variables"] == {"a": "b"}
    assert server.call(api, "/s/a/1").body == b"ok"


@pytest.mark.parametrize("mode", ["merge", "overwrite"])
@pytest.mark.parametrize(
    ("given", "options"),
    [
        (
            swagger({"/z": {"get": operation()}, "/x": {"get": operation(security=[{"nosuch": []}])}}),
            {"failOnWarnings": True},
        ),
        (
            swagger({"/z": {"get": operation()}, "/a": {"get": {"x-amazon-apigateway-integration": {"type": "http"}}}}),
            {},
        ),
    ],
    ids=["warnings", "errors"],
)
def test_what_fails_changes_nothing(server: Server, mode: str, given: dict[str, Any], options: dict[str, Any]) -> None:
    client = server.client("apigateway", key=KEY)
    api = load(server, FIRST)["id"]
    before = state(client, api)
    with pytest.raises(ClientError) as caught:
        client.put_rest_api(restApiId=api, mode=mode, body=json.dumps(given), **options)
    assert caught.value.response["Error"]["Code"] == "BadRequestException"
    assert state(client, api) == before


def test_an_authorizer_that_the_api_has_already_needs_no_definition(server: Server) -> None:
    client = server.client("apigateway", key=KEY)
    api = load(server, FIRST)["id"]
    bare = {name: value for name, value in scheme().items() if name != "x-amazon-apigateway-authorizer"}
    given = swagger({"/e": {"get": operation(security=[{"auth": []}])}}, securityDefinitions={"auth": bare})
    client.put_rest_api(restApiId=api, body=json.dumps(given))
    found = state(client, api)
    assert methods(found)["GET /e"]["authorizerId"] == by_name(found["authorizers"])["auth"]["id"]
    with pytest.raises(ClientError, match="Invalid authorizer ID specified"):
        load(server, given)


def test_parameters_of_the_call(server: Server) -> None:
    client = server.client("apigateway", key=KEY)
    given = {**document(), "basePath": "/v1/pets", "x-amazon-apigateway-documentation": {"version": "9"}}

    def paths(**parameters: str) -> list[str]:
        api = load(server, given, parameters=parameters)["id"]
        return [item["path"] for item in client.get_resources(restApiId=api)["items"]]

    assert paths() == ["/", "/a", "/a/{b}"]
    assert paths(basepath="ignore") == paths()
    assert paths(basepath="prepend") == ["/", "/v1", "/v1/pets", "/v1/pets/a", "/v1/pets/a/{b}"]
    assert paths(basepath="split") == ["/", "/pets", "/pets/a", "/pets/a/{b}"]
    api = load(server, given, parameters={"endpointConfigurationTypes": "REGIONAL", "ignore": "documentation"})
    assert api["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert client.get_documentation_versions(restApiId=api["id"])["items"] == []
    client.put_rest_api(restApiId=api["id"], body=json.dumps(given), parameters={"basepath": "prepend"})
    assert len(client.get_resources(restApiId=api["id"])["items"]) == 7
    assert [item["version"] for item in client.get_documentation_versions(restApiId=api["id"])["items"]] == ["9"]


def test_ignoring_documentation_leaves_what_is_there(server: Server) -> None:
    client = server.client("apigateway", key=KEY)
    api = load(server, FIRST)["id"]
    options = {"mode": "overwrite", "parameters": {"ignore": "documentation"}}
    client.put_rest_api(restApiId=api, body=json.dumps(SECOND), **options)
    assert len(state(client, api)["documentation"]) == 2


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"nonsense": "1"}, "Invalid import parameter specified: nonsense"),
        ({"basepath": "append"}, "Invalid basepath specified: append"),
        ({"ignore": "models"}, "Invalid value for the import parameter ignore: models"),
        (
            {"endpointConfigurationTypes": "LOCAL"},
            "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
        ),
        ({"endpointConfigurationTypes": "EDGE,REGIONAL"}, "Cannot create an api with multiple Endpoint Types."),
    ],
)
def test_parameters_that_are_wrong(server: Server, parameters: dict[str, str], told: str) -> None:
    with pytest.raises(ClientError, match=told):
        load(server, document(), parameters=parameters)


def test_vpc_endpoints_belong_to_private_apis(server: Server) -> None:
    given = document(**{"x-amazon-apigateway-endpoint-configuration": {"vpcEndpointIds": ["vpce-1"]}})
    private = load(server, given, parameters={"endpointConfigurationTypes": "PRIVATE"})
    assert private["endpointConfiguration"]["vpcEndpointIds"] == ["vpce-1"]
    with pytest.raises(ClientError, match="VPCEndpoint IDs can only be used with PRIVATE APIs"):
        load(server, given)


MAPPED = {**MOCK, "requestParameters": {"integration.request.header.A": "method.request.header.A"}}
SETS = {
    **MOCK,
    "responses": {"default": {"statusCode": "200", "responseParameters": {"method.response.header.A": "'a'"}}},
}
NO_AUTHORIZER = (
    "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid "
    "authorizer."
)
MAPPING = "Invalid mapping expression specified: Validation Result: warnings : [], errors : "

ERRORS: dict[str, tuple[dict[str, Any], str]] = {
    "a parameter that is not declared": (
        document(MAPPED),
        "Unable to put integration on 'GET' for resource at path '/a/{b}': "
        f"{MAPPING}[Invalid mapping expression parameter specified: method.request.header.A]",
    ),
    "a header that is not declared": (
        document(SETS),
        "Unable to put integration response on 'GET' for resource at path '/a/{b}': "
        f"{MAPPING}[Invalid mapping expression parameter specified: method.response.header.A]",
    ),
    "a model's name": (
        document(definitions={"a_b": {"type": "object"}}),
        "Unable to create model for 'a_b': Model name must be alphanumeric: a_b",
    ),
    "a model that says nothing": (
        document(definitions={"A": {}}),
        "Unable to create model for 'A': Model schema must have at least 1 property or array items defined",
    ),
    "no schema of draft 4": (
        document(definitions={"A": {"type": "object", "properties": {"b": {"type": "file"}}}}),
        "Unable to create model for 'A': Invalid model specified: Validation Result: warnings : [], errors : "
        "[Invalid model schema specified]",
    ),
    "two variable siblings": (
        swagger({"/a/{b}": {"get": operation()}, "/a/{c}/d": {"get": operation()}}),
        "Unable to create resource at path '/a/{c}/d': A sibling ({b}) of this resource already has a variable path part "
        "-- only one is allowed",
    ),
    "a child of a greedy one": (
        swagger({"/{a+}/b": {"get": operation()}}),
        "Unable to create resource at path '/{a+}/b': Cannot create a child of a resource with a greedy path variable: {a+}",
    ),
    "an authorizer's address": (
        document(securityDefinitions={"a": scheme(authorizerUri="http://example.com")}),
        "Unable to create authorizer 'a': Invalid Authorizer URI: http://example.com. Authorizer URI should be a valid API "
        "Gateway ARN that represents a Lambda function invocation.",
    ),
    "an authorizer that is not there": (
        swagger(
            {"/a": {"get": operation(security=[{"a": []}])}},
            securityDefinitions={"a": {"type": "apiKey", "x-amazon-apigateway-authtype": "custom"}},
        ),
        f"Unable to put method 'GET' on resource at path '/a': {NO_AUTHORIZER}",
    ),
    "a validator that is not there": (
        swagger({"/a": {"get": operation(**{"x-amazon-apigateway-request-validator": "v"})}}),
        "Unable to put method 'GET' on resource at path '/a': Invalid Request Validator identifier specified",
    ),
    "a validator without a name": (
        document(**{"x-amazon-apigateway-request-validators": {" ": {}}}),
        "Unable to create request validator ' ': Request Validator name cannot be blank",
    ),
    "a gateway response's status": (
        document(**{"x-amazon-apigateway-gateway-responses": {"THROTTLED": {"statusCode": "many"}}}),
        "Unable to put gateway response 'THROTTLED': Invalid status code specified: many",
    ),
    "a gateway response's type": (
        document(**{"x-amazon-apigateway-gateway-responses": {"TIRED": {}}}),
        "Unable to put gateway response 'TIRED': Invalid gateway response type specified: TIRED",
    ),
    "parameters of one name": (
        swagger({"/{a}": {"get": operation(parameters=[{"name": "a", "in": "path"}, {"name": "a", "in": "query"}])}}),
        "Unable to put method 'GET' on resource at path '/{a}': Parameter names must be unique across querystring, header "
        "and path",
    ),
    "a timeout": (
        document({**MOCK, "timeoutInMillis": 29001}),
        "Unable to put integration on 'GET' for resource at path '/a/{b}': Timeout should be between 50 ms and 29000 ms",
    ),
    "an ARN": (
        document({"type": "aws", "httpMethod": "POST", "uri": "nonsense"}),
        "Unable to put integration on 'GET' for resource at path '/a/{b}': Invalid ARN specified in the request",
    ),
    "no integration at all": (
        document("mock"),
        "Unable to parse API definition because of a malformed integration at path /a/{b}. (the integration of GET /a/{b} "
        "must be an object)",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_errors_in_the_words_of_aws(server: Server, case: str) -> None:
    given, told = ERRORS[case]
    client = server.client("apigateway", key="333333333334")
    with pytest.raises(ClientError) as caught:
        client.import_rest_api(body=json.dumps(given))
    assert caught.value.response["Error"]["Message"] == f"Errors found during import:\n\t{told}"
    assert client.get_rest_apis()["items"] == []


def test_one_answer_has_everything_that_is_wrong(server: Server) -> None:
    given = swagger(
        {
            "/a": {"get": {"x-amazon-apigateway-integration": MAPPED}, "post": operation(security=[{"no": []}])},
            "/b": [],
        },
        definitions={"a_b": {"type": "object"}},
    )
    with pytest.raises(ClientError) as caught:
        load(server, given)
    message = caught.value.response["Error"]["Message"]
    assert message == (
        "Errors found during import:\n"
        "\tUnable to create model for 'a_b': Model name must be alphanumeric: a_b\n"
        "\tInvalid OpenAPI input: path /b must be an object\n"
        f"\t{ERRORS['a parameter that is not declared'][1].replace('/a/{b}', '/a')}\n"
        "Additionally, these warnings were found:\n"
        "\tReference to security scheme 'no' not found. Ignoring. (POST /a is not guarded by it)"
    )
