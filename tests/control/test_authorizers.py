"""Authorizers and request validators: their life, every patch path, every message with its cause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import ApiBuilder, Server, lambda_uri

URI = lambda_uri("arn:aws:lambda:us-east-1:000000000000:function:auth")
POOL = "arn:aws:cognito-idp:us-east-1:000000000000:userpool/us-east-1_abc"
HEADER = "method.request.header.Authorization"
TOKEN = {"type": "TOKEN", "authorizerUri": URI, "identitySource": HEADER}
REQUEST = {"type": "REQUEST", "authorizerUri": URI, "identitySource": f"{HEADER},context.stage"}
COGNITO = {"type": "COGNITO_USER_POOLS", "providerARNs": [POOL], "identitySource": HEADER}


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[ApiBuilder]:
    made = ApiBuilder(server, "authorizers")
    yield made
    made.client.delete_rest_api(restApiId=made.id)


def authorizer(api: ApiBuilder, name: str, **settings: Any) -> dict[str, Any]:
    return without_metadata(api.client.create_authorizer(restApiId=api.id, name=name, **settings))


# --- authorizers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        (TOKEN, {"authType": "custom"}),
        (REQUEST, {"authType": "custom"}),
        (COGNITO, {"authType": "cognito_user_pools"}),
        ({**COGNITO, "providerARNs": ["${stageVariables.pool}", POOL], "authType": "mine"}, {"authType": "mine"}),
        ({"type": "REQUEST", "authorizerUri": URI, "authorizerResultTtlInSeconds": 0}, {"authType": "custom"}),
        (
            {
                **TOKEN,
                "authorizerUri": lambda_uri(
                    "arn:aws-cn:lambda:cn-north-1:000000000000:function:${stageVariables.fn}"
                ).replace("us-east-1", "cn-north-1"),
                "authorizerCredentials": "arn:aws:iam::000000000000:role/auth",
                "identityValidationExpression": "Bearer .*",
                "authorizerResultTtlInSeconds": 3600,
            },
            {"authType": "custom"},
        ),
    ],
)
def test_what_is_taken(server: Server, settings: dict[str, Any], shown: dict[str, Any]) -> None:
    api = ApiBuilder(server)
    made = authorizer(api, "auth", **settings)
    assert made == {"id": made["id"], "name": "auth", **settings, **shown}
    assert len(made["id"]) == 6
    assert without_metadata(api.client.get_authorizer(restApiId=api.id, authorizerId=made["id"])) == made
    assert api.client.get_authorizers(restApiId=api.id)["items"] == [made]
    gone = api.client.delete_authorizer(restApiId=api.id, authorizerId=made["id"])
    assert gone["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert api.client.get_authorizers(restApiId=api.id)["items"] == []


NO_URI = "Authorizer URI should be a valid API Gateway ARN that represents a Lambda function invocation."
NO_HEADER = "The source must be a method request header, matching 'method.request.header.[a-zA-Z0-9._-]+'."
TTL = "Invalid authorizer result TTL specified: {}. Must be between 0 and 3600 seconds"
MAPPING = (
    "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
    "[Invalid mapping expression specified: {}]"
)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({**TOKEN, "name": " "}, "Authorizer name must be non-empty"),
    "name taken": (
        {**TOKEN, "name": "taken"},
        "Authorizer name must be unique. Authorizer taken already exists in this RestApi.",
    ),
    "no URI": ({"type": "TOKEN", "identitySource": HEADER}, f"Invalid Authorizer URI: null. {NO_URI}"),
    "region that is none": (
        {**TOKEN, "authorizerUri": URI.replace("us-east-1", "region", 1)},
        f"Invalid Authorizer URI: {URI.replace('us-east-1', 'region', 1)}. {NO_URI}",
    ),
    "URI of a service": (
        {**REQUEST, "authorizerUri": "arn:aws:apigateway:us-east-1:sqs:path/x"},
        f"Invalid Authorizer URI: arn:aws:apigateway:us-east-1:sqs:path/x. {NO_URI}",
    ),
    "URI of a function": (
        {**TOKEN, "authorizerUri": "arn:aws:lambda:us-east-1:000000000000:function:f"},
        f"Invalid Authorizer URI: arn:aws:lambda:us-east-1:000000000000:function:f. {NO_URI}",
    ),
    "credentials": ({**TOKEN, "authorizerCredentials": "role"}, "Invalid ARN specified in the request"),
    "negative TTL": ({**TOKEN, "authorizerResultTtlInSeconds": -1}, TTL.format(-1)),
    "TTL over an hour": ({**COGNITO, "authorizerResultTtlInSeconds": 3601}, TTL.format(3601)),
    "token without a source": (
        {"type": "TOKEN", "authorizerUri": URI},
        f"Invalid token source expression: null. {NO_HEADER}",
    ),
    "token from the query": (
        {**TOKEN, "identitySource": "method.request.querystring.key"},
        f"Invalid token source expression: method.request.querystring.key. {NO_HEADER}",
    ),
    "two tokens": (
        {**COGNITO, "identitySource": f"{HEADER},{HEADER}"},
        f"Invalid token source expression: {HEADER},{HEADER}. {NO_HEADER}",
    ),
    "cached by nothing": ({"type": "REQUEST", "authorizerUri": URI}, "Invalid request input"),
    "cached by a blank": (
        {**REQUEST, "identitySource": "", "authorizerResultTtlInSeconds": 1},
        "Invalid request input",
    ),
    "path parameter": (
        {**REQUEST, "identitySource": f"{HEADER}, method.request.path.id"},
        MAPPING.format("method.request.path.id"),
    ),
    "no pool": (
        {**COGNITO, "providerARNs": []},
        "Authorizers of type COGNITO_USER_POOLS require at least one provider ARN",
    ),
    "pool that is none": (
        {**COGNITO, "providerARNs": [POOL, "arn:aws:cognito-idp:x"]},
        "Invalid ARN. ARN is not well formed arn:aws:cognito-idp:x",
    ),
    "JWT": (
        {
            "type": "JWT",
            "jwtConfiguration": {
                "issuers": [{"issuer": "https://i.example", "audiences": ["a"]}],
                "defaultAlgorithms": ["RS256"],
            },
        },
        "Tidegate does not support authorizers of type JWT yet",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(api: ApiBuilder, case: str) -> None:
    settings, message = REFUSED[case]
    if not any(found["name"] == "taken" for found in api.client.get_authorizers(restApiId=api.id)["items"]):
        authorizer(api, "taken", **TOKEN)
    given = {"name": "new", **settings}
    assert error_of(lambda: api.client.create_authorizer(restApiId=api.id, **given)) == (
        "BadRequestException",
        message,
        400,
    )


def test_unknown_ids(api: ApiBuilder) -> None:
    client = api.client
    unknown = ("NotFoundException", "Invalid Authorizer identifier specified", 404)
    at = {"restApiId": api.id, "authorizerId": "nope"}
    assert error_of(lambda: client.get_authorizer(**at)) == unknown
    assert error_of(lambda: client.update_authorizer(**at, patchOperations=[])) == unknown
    assert error_of(lambda: client.delete_authorizer(**at)) == unknown
    no_api = ("NotFoundException", "Invalid API identifier specified 000000000000:nope", 404)
    assert error_of(lambda: client.get_authorizers(restApiId="nope")) == no_api
    # AWS: no 404 when one is created.
    busy = "Unable to complete operation due to concurrent modification. Please try again later."
    assert error_of(lambda: client.create_authorizer(restApiId="nope", name="n", **TOKEN)) == (
        "ConflictException",
        busy,
        409,
    )
    code, message, status = error_of(lambda: client.create_authorizer(restApiId=api.id, name="n", type="MAGIC"))
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith("1 validation error detected: Value 'MAGIC' at 'createAuthorizerInput.type' failed")


PATCHES = [
    ("replace", "/name", "other", {"name": "other"}),
    ("replace", "/type", "REQUEST", {"type": "REQUEST"}),
    ("replace", "/authType", "mine", {"authType": "mine"}),
    ("replace", "/authorizerUri", URI.replace(":auth/", ":b/"), {"authorizerUri": URI.replace(":auth/", ":b/")}),
    ("replace", "/authorizerCredentials", "arn:aws:iam::000000000000:role/r", None),
    ("replace", "/authorizerCredentials", "", {}),
    ("replace", "/authorizerResultTtlInSeconds", "0", {"authorizerResultTtlInSeconds": 0}),
    ("replace", "/identityValidationExpression", "a.*", {"identityValidationExpression": "a.*"}),
    ("replace", "/identitySource", "method.request.header.X", {"identitySource": "method.request.header.X"}),
]


@pytest.mark.parametrize(("op", "path", "value", "changed"), PATCHES)
def test_patches(server: Server, op: str, path: str, value: str, changed: dict[str, Any] | None) -> None:
    api = ApiBuilder(server)
    made = authorizer(api, "auth", **TOKEN)
    at = {"restApiId": api.id, "authorizerId": made["id"]}
    after = api.client.update_authorizer(**at, patchOperations=[{"op": op, "path": path, "value": value}])
    expected = {path.removeprefix("/"): value} if changed is None else changed
    assert without_metadata(after) == {**made, **expected}
    assert without_metadata(api.client.get_authorizer(**at)) == without_metadata(after)


def test_patches_of_lists(server: Server) -> None:
    api = ApiBuilder(server)

    def patched(made: dict[str, Any], *operations: tuple[str, str, str]) -> dict[str, Any]:
        listed = [{"op": op, "path": path, "value": value} for op, path, value in operations]
        return dict(api.client.update_authorizer(restApiId=api.id, authorizerId=made["id"], patchOperations=listed))

    other = POOL.replace("abc", "def")
    cognito = authorizer(api, "pools", **COGNITO)
    assert patched(cognito, ("add", "/providerARNs", other))["providerARNs"] == [POOL, other]
    assert patched(cognito, ("remove", "/providerARNs", POOL))["providerARNs"] == [other]
    request = authorizer(api, "request", **REQUEST)
    source = "stageVariables.tenant"
    added = patched(request, ("add", "/identitySource", source))
    assert added["identitySource"] == f"{REQUEST['identitySource']},{source}"
    assert patched(request, ("add", "/identitySource", source))["identitySource"] == added["identitySource"]
    removed = patched(request, ("remove", "/identitySource", HEADER))
    assert removed["identitySource"] == f"context.stage,{source}"
    off = patched(
        request, ("replace", "/authorizerResultTtlInSeconds", "0"), ("remove", "/identitySource", "context.stage")
    )
    assert off["identitySource"] == source
    assert "identitySource" not in patched(request, ("remove", "/identitySource", source))
    moved = patched(
        request,
        ("replace", "/type", "COGNITO_USER_POOLS"),
        ("add", "/providerARNs", POOL),
        ("replace", "/identitySource", HEADER),
    )
    assert (moved["type"], moved["providerARNs"]) == ("COGNITO_USER_POOLS", [POOL])


KNOWN = (
    "/name, /type, /authType, /authorizerUri, /authorizerCredentials, /authorizerResultTtlInSeconds, "
    "/identityValidationExpression, /identitySource, /providerARNs"
)
REFUSED_PATCHES = [
    ("replace", "/nope", "x", f"Invalid patch path  '/nope' specified for op 'replace'. Must be one of: [{KNOWN}]"),
    ("add", "/name", "x", "Invalid patch operation specified. Must be one of: [replace]"),
    ("replace", "/providerARNs", POOL, "Invalid patch operation specified. Must be one of: [add, remove]"),
    ("replace", "/name", "", "Authorizer name must be non-empty"),
    (
        "replace",
        "/type",
        "JWT",
        "Invalid authorizer type specified. Valid options are TOKEN, REQUEST, COGNITO_USER_POOLS",
    ),
    ("replace", "/type", "COGNITO_USER_POOLS", REFUSED["no pool"][1]),
    ("replace", "/authorizerResultTtlInSeconds", "3601", TTL.format(3601)),
    (
        "replace",
        "/authorizerResultTtlInSeconds",
        "soon",
        "Invalid patch value  specified for path /authorizerResultTtlInSeconds: soon",
    ),
    ("replace", "/identitySource", "x", f"Invalid token source expression: x. {NO_HEADER}"),
    ("remove", "/identitySource", HEADER, f"Invalid token source expression: null. {NO_HEADER}"),
    ("replace", "/authorizerUri", "x", f"Invalid Authorizer URI: x. {NO_URI}"),
]


@pytest.mark.parametrize(("op", "path", "value", "message"), REFUSED_PATCHES)
def test_patches_that_are_refused(server: Server, op: str, path: str, value: str, message: str) -> None:
    api = ApiBuilder(server)
    made = authorizer(api, "auth", **TOKEN)
    at = {"restApiId": api.id, "authorizerId": made["id"]}
    first = {"op": "replace", "path": "/authType", "value": "changed"}
    patch = [first, {"op": op, "path": path, "value": value}]
    refused = ("BadRequestException", message, 400)
    assert error_of(lambda: api.client.update_authorizer(**at, patchOperations=patch)) == refused
    assert without_metadata(api.client.get_authorizer(**at)) == made


def test_methods_and_their_authorizers(server: Server) -> None:
    api = ApiBuilder(server)
    client = api.client
    token, pools = authorizer(api, "token", **TOKEN)["id"], authorizer(api, "pools", **COGNITO)["id"]
    at = {"restApiId": api.id, "resourceId": api.resource("/test"), "httpMethod": "GET"}
    invalid = (
        "BadRequestException",
        "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a "
        "valid authorizer.",
        400,
    )
    for kind, wrong in (
        ("CUSTOM", {}),
        ("CUSTOM", {"authorizerId": "nope"}),
        ("CUSTOM", {"authorizerId": pools}),
        ("COGNITO_USER_POOLS", {"authorizerId": token}),
    ):
        given = {**at, "authorizationType": kind, **wrong}
        assert error_of(lambda given=given: client.put_method(**given)) == invalid
    client.put_method(**at, authorizationType="CUSTOM", authorizerId=token)
    root = {**at, "resourceId": api.resources["/"], "httpMethod": "ANY"}
    scopes = ["pets/read", "pets/write"]
    client.put_method(**root, authorizationType="COGNITO_USER_POOLS", authorizerId=pools, authorizationScopes=scopes)
    for made, place in (
        (token, "'token', is referenced in method: GET//test"),
        (pools, "'pools', is referenced in method: ANY//"),
    ):
        assert error_of(lambda made=made: client.delete_authorizer(restApiId=api.id, authorizerId=made)) == (
            "ConflictException",
            f"Cannot delete authorizer {place}",
            409,
        )
    other_kind = [
        {"op": "replace", "path": "/type", "value": "COGNITO_USER_POOLS"},
        {"op": "add", "path": "/providerARNs", "value": POOL},
    ]
    change = {"restApiId": api.id, "authorizerId": token}
    assert error_of(lambda: client.update_authorizer(**change, patchOperations=other_kind)) == invalid
    assert client.get_authorizer(**change)["type"] == "TOKEN"
    to_pools = [
        {"op": "replace", "path": "/authorizationType", "value": "COGNITO_USER_POOLS"},
        {"op": "replace", "path": "/authorizerId", "value": pools},
        {"op": "add", "path": "/authorizationScopes", "value": "pets/read"},
    ]
    assert error_of(lambda: client.update_method(**at, patchOperations=to_pools[:1])) == invalid
    changed = client.update_method(**at, patchOperations=to_pools)
    assert (changed["authorizerId"], changed["authorizationScopes"]) == (pools, ["pets/read"])
    back = [
        {"op": "remove", "path": "/authorizationScopes", "value": "pets/read"},
        {"op": "replace", "path": "/authorizationType", "value": "NONE"},
        {"op": "replace", "path": "/authorizerId", "value": ""},
    ]
    assert client.update_method(**at, patchOperations=back).keys().isdisjoint({"authorizerId", "authorizationScopes"})
    client.delete_authorizer(restApiId=api.id, authorizerId=token)


# --- request validators ----------------------------------------------------------------------------------------------


def test_life_of_a_validator(server: Server) -> None:
    api = ApiBuilder(server)
    client = api.client
    made = without_metadata(client.create_request_validator(restApiId=api.id, name="v"))
    assert made == {"id": made["id"], "name": "v", "validateRequestBody": False, "validateRequestParameters": False}
    assert len(made["id"]) == 6
    at = {"restApiId": api.id, "requestValidatorId": made["id"]}
    for path, value, field, shown in (
        ("/name", "w", "name", "w"),
        ("/validateRequestBody", "true", "validateRequestBody", True),
        ("/validateRequestParameters", "TRUE", "validateRequestParameters", True),
        # AWS: what is not true is false, without a complaint.
        ("/validateRequestParameters", "perhaps", "validateRequestParameters", False),
    ):
        patch = [{"op": "replace", "path": path, "value": value}]
        assert client.update_request_validator(**at, patchOperations=patch)[field] == shown
    assert without_metadata(client.get_request_validator(**at)) == {
        "id": made["id"],
        "name": "w",
        "validateRequestBody": True,
        "validateRequestParameters": False,
    }
    client.create_request_validator(
        restApiId=api.id, name="x", validateRequestBody=True, validateRequestParameters=True
    )
    pages = client.get_paginator("get_request_validators").paginate(restApiId=api.id, PaginationConfig={"PageSize": 1})
    assert {found["name"] for page in pages for found in page["items"]} == {"w", "x"}
    assert client.delete_request_validator(**at)["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert [found["name"] for found in client.get_request_validators(restApiId=api.id)["items"]] == ["x"]


LIST = "/name, /validateRequestParameters, /validateRequestBody"
VALIDATOR_PATCHES = [
    ({"op": "replace", "path": "/name", "value": ""}, "Request Validator name cannot be blank"),
    ({"op": "replace", "path": "/name", "value": " "}, "Request Validator name cannot be blank"),
    ({"op": "replace", "path": "/name"}, "Request Validator name cannot be blank"),
    (
        {"op": "replace", "path": "/name", "value": "taken"},
        "Request Validator name must be unique. Request Validator 'taken' already exists in this REST API",
    ),
    ({"op": "add", "path": "/name", "value": "x"}, "Invalid patch operation specified. Must be one of: [replace]"),
    ({"op": "remove", "path": "/validateRequestBody"}, "Invalid patch operation specified. Must be one of: [replace]"),
    (
        {"op": "remove", "path": "/nope"},
        f"Invalid patch path  '/nope' specified for op 'remove'. Must be one of: [{LIST}]",
    ),
]


@pytest.mark.parametrize(("patch", "message"), VALIDATOR_PATCHES)
def test_validator_patches_that_are_refused(server: Server, patch: dict[str, str], message: str) -> None:
    api = ApiBuilder(server)
    api.client.create_request_validator(restApiId=api.id, name="taken")
    made = api.client.create_request_validator(restApiId=api.id, name="v")
    at = {"restApiId": api.id, "requestValidatorId": made["id"]}
    refused = ("BadRequestException", message, 400)
    first = {"op": "replace", "path": "/validateRequestBody", "value": "true"}
    assert error_of(lambda: api.client.update_request_validator(**at, patchOperations=[first, patch])) == refused
    assert without_metadata(api.client.get_request_validator(**at)) == without_metadata(made)


def test_validators_that_are_refused(api: ApiBuilder) -> None:
    client = api.client
    blank = ("BadRequestException", "Request Validator name cannot be blank", 400)
    assert error_of(lambda: client.create_request_validator(restApiId=api.id)) == blank
    assert error_of(lambda: client.create_request_validator(restApiId=api.id, name=" ")) == blank
    client.create_request_validator(restApiId=api.id, name="once")
    twice = "Request Validator name must be unique. Request Validator 'once' already exists in this REST API"
    assert error_of(lambda: client.create_request_validator(restApiId=api.id, name="once")) == (
        "BadRequestException",
        twice,
        400,
    )
    no_api = ("BadRequestException", "Invalid REST API identifier specified", 400)
    assert error_of(lambda: client.create_request_validator(restApiId="nope", name="v")) == no_api
    assert error_of(lambda: client.get_request_validators(restApiId="nope")) == no_api
    unknown = ("NotFoundException", "Invalid Request Validator identifier specified", 404)
    at = {"restApiId": api.id, "requestValidatorId": "nope"}
    assert error_of(lambda: client.get_request_validator(**at)) == unknown
    assert error_of(lambda: client.update_request_validator(**at, patchOperations=[])) == unknown
    assert error_of(lambda: client.delete_request_validator(**at)) == unknown


def test_methods_and_their_validators(server: Server) -> None:
    api = ApiBuilder(server)
    client = api.client
    validator = client.create_request_validator(restApiId=api.id, name="v")["id"]
    at = {"restApiId": api.id, "resourceId": api.resource("/a"), "httpMethod": "POST"}
    unknown = ("BadRequestException", "Invalid Request Validator identifier specified", 400)
    nope = {"authorizationType": "NONE", "requestValidatorId": "nope"}
    assert error_of(lambda: client.put_method(**at, **nope)) == unknown
    client.put_method(**at, authorizationType="NONE", requestValidatorId=validator)
    patch = [{"op": "replace", "path": "/requestValidatorId", "value": "nope"}]
    assert error_of(lambda: client.update_method(**at, patchOperations=patch)) == unknown
    in_use = "Cannot delete request validator 'v', is referenced in method request: /a/POST"
    assert error_of(lambda: client.delete_request_validator(restApiId=api.id, requestValidatorId=validator)) == (
        "ConflictException",
        in_use,
        409,
    )
    patch[0]["value"] = ""
    assert "requestValidatorId" not in client.update_method(**at, patchOperations=patch)
    client.delete_request_validator(restApiId=api.id, requestValidatorId=validator)
