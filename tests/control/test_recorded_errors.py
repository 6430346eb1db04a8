"""Errors word by word, as they were recorded from AWS (shared facts, rest-control-plane §5 and §6; endpoints-domains).

One world that no case changes: every call of this page fails.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.test_rest_apis import error_of
from tests.support.patch_worlds import BALANCER, invocation
from tests.support.running import ApiBuilder, Server

ACCOUNT = "727272727272"
BAD, MISSING, CONFLICT = ("BadRequestException", 400), ("NotFoundException", 404), ("ConflictException", 409)
INVALID = ("ValidationException", 400)
Row = tuple[str, dict[str, Any], tuple[str, int], str]


@pytest.fixture(scope="module")
def names(server: Server) -> dict[str, str]:
    client = server.client("apigateway", key=ACCOUNT)
    builder = ApiBuilder.__new__(ApiBuilder)
    made = client.create_rest_api(name="n")
    builder.client, builder.id, builder.resources = client, made["id"], {"/": made["rootResourceId"]}
    api = {"restApiId": builder.id}
    builder.mock("/a", "GET", "{}", A="'a'")
    builder.resource("/v/{id}")
    builder.resource("/g/{proxy+}")
    builder.resource("/a/b")
    builder.method("/bare", "GET", {"type": "MOCK"})
    client.delete_integration(**api, resourceId=builder.resource("/bare"), httpMethod="GET")
    client.put_method_response(**api, resourceId=builder.resource("/bare"), httpMethod="GET", statusCode="200")
    builder.method("/http", "GET", {"type": "HTTP", "integrationHttpMethod": "GET", "uri": "http://example.com"})
    client.create_model(**api, name="Pet", contentType="application/json", schema='{"type":"object"}')
    client.put_method(
        **api,
        resourceId=builder.resources["/"],
        httpMethod="ANY",
        authorizationType="NONE",
        requestModels={"application/json": "Pet"},
    )
    client.put_integration(**api, resourceId=builder.resources["/"], httpMethod="ANY", type="MOCK")
    deployed = ApiBuilder.__new__(ApiBuilder)
    second = client.create_rest_api(name="deployed")
    deployed.client, deployed.id, deployed.resources = client, second["id"], {"/": second["rootResourceId"]}
    deployed.mock("/", "GET").deploy("prod")
    deployment = client.get_stage(restApiId=deployed.id, stageName="prod")["deploymentId"]
    empty = client.create_rest_api(name="empty")
    private = client.create_rest_api(name="p", endpointConfiguration={"types": ["PRIVATE"]})["id"]
    return {
        "api": builder.id,
        **{f"path:{path}": made_id for path, made_id in builder.resources.items()},
        "deployed": deployed.id,
        "deployed_root": deployed.resources["/"],
        "deployment": deployment,
        "empty": empty["id"],
        "private": private,
        "validator": client.create_request_validator(**api, name="v")["id"],
        "authorizer": client.create_authorizer(
            **api, name="t", type="TOKEN", authorizerUri=invocation("f"), identitySource="method.request.header.A"
        )["id"],
        "plan": client.create_usage_plan(name="p")["id"],
        "key": client.create_api_key(name="k")["id"],
        "account": ACCOUNT,
    }


def at(path: str, verb: str = "GET", **more: Any) -> dict[str, Any]:
    return {"restApiId": "<api>", "resourceId": f"<path:{path}>", "httpMethod": verb, **more}


def patch(op: str | None, path: str | None, value: str | None = None, source: str | None = None) -> dict[str, Any]:
    change = {"op": op, "path": path, "value": value, "from": source}
    return {"patchOperations": [{name: given for name, given in change.items() if given is not None}]}


API = {"restApiId": "<api>"}
NO_API = {"restApiId": "nope"}
NO_RESOURCE = "Invalid Resource identifier specified"
NO_METHOD = "Invalid Method identifier specified"
NO_INTEGRATION = "Invalid Integration identifier specified"
NO_STATUS = "Invalid Response status code specified"
UNKNOWN_API = "Invalid API identifier specified <account>:nope"
VERBS = "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY"
STAGED = {"restApiId": "<deployed>", "stageName": "prod"}
SIBLING = "A sibling ({}) of this resource already has a variable path part -- only one is allowed"
COPY = (
    "Invalid copy operation with path: {} and from {}. Valid copy:path are [/deploymentId, /variables] and valid copy:from are "
    "[/canarySettings/deploymentId, /canarySettings/stageVariableOverrides]"
)
AUTHORIZED = {"httpMethod": "POST", "authorizationType": "NONE"}


def invalid_path(path: str, op: str, known: str) -> str:
    return f"Invalid patch path  '{path}' specified for op '{op}'. Must be one of: [{known}]"


NOT_FOUND: list[Row] = [
    *(
        (operation, {**NO_API, **more}, MISSING, UNKNOWN_API)
        for operation, more in [
            ("get_rest_api", {}),
            ("delete_rest_api", {}),
            ("update_rest_api", patch("replace", "/name", "n")),
            ("get_resources", {}),
            ("get_models", {}),
            ("get_stages", {}),
            ("get_deployments", {}),
            ("get_authorizers", {}),
            ("get_documentation_parts", {}),
            ("get_documentation_versions", {}),
            ("get_gateway_responses", {}),
        ]
    ),
    *(
        (operation, {**NO_API, "resourceId": "nope", **more}, MISSING, NO_RESOURCE)
        for operation, more in [
            ("get_resource", {}),
            ("delete_resource", {}),
            ("update_resource", patch("replace", "/pathPart", "x")),
            ("get_method", {"httpMethod": "GET"}),
            ("delete_method", {"httpMethod": "GET"}),
            ("put_method", AUTHORIZED),
            ("get_integration", {"httpMethod": "GET"}),
            ("put_integration", {"httpMethod": "GET", "type": "MOCK"}),
            ("delete_integration", {"httpMethod": "GET"}),
        ]
    ),
    ("get_method", at("/a", "POST"), MISSING, NO_METHOD),
    ("delete_method", at("/a", "POST"), MISSING, NO_METHOD),
    ("update_method", at("/a", "POST") | patch("replace", "/operationName", "x"), MISSING, NO_METHOD),
    ("put_method_response", at("/a", "POST", statusCode="200"), MISSING, NO_METHOD),
    ("put_integration", at("/a", "POST", type="MOCK"), MISSING, NO_METHOD),
    ("get_integration", at("/bare"), MISSING, NO_INTEGRATION),
    ("delete_integration", at("/bare"), MISSING, NO_INTEGRATION),
    ("update_integration", at("/bare") | patch("replace", "/cacheNamespace", "x"), MISSING, NO_INTEGRATION),
    ("put_integration_response", at("/bare", statusCode="200"), MISSING, NO_INTEGRATION),
    ("get_method_response", at("/a", statusCode="404"), MISSING, NO_STATUS),
    ("delete_method_response", at("/a", statusCode="404"), MISSING, NO_STATUS),
    ("get_integration_response", at("/a", statusCode="404"), MISSING, NO_STATUS),
    ("delete_integration_response", at("/a", statusCode="404"), MISSING, NO_STATUS),
    ("put_integration_response", at("/a", statusCode="404"), MISSING, NO_STATUS),
    ("get_model", {**API, "modelName": "Nope"}, MISSING, "Invalid model name specified: Nope"),
    ("get_model_template", {**API, "modelName": "Nope"}, MISSING, "Invalid model name specified: Nope"),
    ("delete_model", {**API, "modelName": "Nope"}, MISSING, "Invalid model name specified: Nope"),
    (
        "get_request_validator",
        {**API, "requestValidatorId": "nope"},
        MISSING,
        "Invalid Request Validator identifier specified",
    ),
    (
        "get_documentation_part",
        {**API, "documentationPartId": "nope"},
        MISSING,
        "Invalid Documentation part identifier specified",
    ),
    ("get_usage_plan", {"usagePlanId": "nope"}, MISSING, "Invalid Usage Plan ID specified"),
    ("delete_usage_plan", {"usagePlanId": "nope"}, MISSING, "Invalid Usage Plan ID specified"),
    ("get_vpc_link", {"vpcLinkId": "nope"}, MISSING, "Invalid Vpc Link identifier specified"),
    ("delete_vpc_link", {"vpcLinkId": "nope"}, MISSING, "Invalid Vpc Link identifier specified"),
    ("get_authorizer", {**API, "authorizerId": "nope"}, MISSING, "Invalid Authorizer identifier specified"),
    ("delete_authorizer", {**API, "authorizerId": "nope"}, MISSING, "Invalid Authorizer identifier specified"),
    ("get_deployment", {**API, "deploymentId": "nope"}, MISSING, "Invalid Deployment identifier specified"),
    ("get_stage", {**API, "stageName": "nope"}, MISSING, "Invalid stage identifier specified"),
    ("delete_stage", {**API, "stageName": "nope"}, MISSING, "Invalid stage identifier specified"),
    ("get_api_key", {"apiKey": "nope"}, MISSING, "Invalid API Key identifier specified"),
    ("delete_api_key", {"apiKey": "nope"}, MISSING, "Invalid API Key identifier specified"),
    ("get_domain_name", {"domainName": "nope.example.com"}, MISSING, "Invalid domain name identifier specified"),
    (
        "update_integration",
        at("/a") | patch("remove", "/requestTemplates/text~1nope"),
        MISSING,
        "Content-Type specified was not found",
    ),
    (
        "update_integration_response",
        at("/a", statusCode="200") | patch("remove", "/responseTemplates/text~1nope"),
        MISSING,
        "Content-Type specified was not found",
    ),
    (
        "update_method_response",
        at("/a", statusCode="200") | patch("replace", "/responseParameters/method.response.header.X", "true"),
        MISSING,
        "Invalid parameter name specified",
    ),
    (
        "update_gateway_response",
        {**API, "responseType": "DEFAULT_4XX"}
        | patch("replace", "/responseParameters/gatewayresponse.header.X", "'x'"),
        MISSING,
        "Invalid parameter name specified",
    ),
    (
        "delete_gateway_response",
        {**API, "responseType": "DEFAULT_4XX"},
        MISSING,
        "Gateway response type not defined on api",
    ),
]
BAD_REQUESTS: list[Row] = [
    ("create_rest_api", {"name": "n", "description": ""}, BAD, "Description cannot be an empty string"),
    (
        "create_rest_api",
        {"name": "n", "minimumCompressionSize": -1},
        BAD,
        "Invalid minimum compression size, must be between 0 and 10485760",
    ),
    (
        "create_rest_api",
        {"name": "n", "minimumCompressionSize": 10485761},
        BAD,
        "Invalid minimum compression size, must be between 0 and 10485760",
    ),
    (
        "create_rest_api",
        {"name": "n", "endpointConfiguration": {"types": []}},
        BAD,
        "REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.",
    ),
    (
        "create_rest_api",
        {"name": "n", "endpointConfiguration": {"types": ["EDGE", "REGIONAL"]}},
        BAD,
        "Cannot create an api with multiple Endpoint Types.",
    ),
    (
        "create_rest_api",
        {"name": "n", "endpointConfiguration": {"types": ["PRIVATE"], "ipAddressType": "ipv4"}},
        BAD,
        "Only dualstack ipAddressType is supported for Private APIs.",
    ),
    (
        "update_rest_api",
        API | patch("replace", "/endpointConfiguration/types/EDGE", "NOWHERE"),
        BAD,
        "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE",
    ),
    (
        "update_rest_api",
        {"restApiId": "<private>"} | patch("replace", "/endpointConfiguration/ipAddressType", "ipv4"),
        BAD,
        "Only dualstack ipAddressType is supported for Private APIs.",
    ),
    (
        "update_rest_api",
        API | patch("replace", "/endpointConfiguration/ipAddressType", "ipv5"),
        BAD,
        "ipAddressType must be either ipv4 or dualstack.",
    ),
    ("update_rest_api", API | patch("replace", None, "x"), BAD, "Invalid patch path null"),
    ("update_method", at("/a") | patch("replace", None, "x"), BAD, "Invalid patch path null"),
    (
        "update_resource",
        {**API, "resourceId": "<path:/a>"} | patch("replace", "/x", "x"),
        BAD,
        invalid_path("/x", "replace", "/parentId, /pathPart"),
    ),
    (
        "update_model",
        {**API, "modelName": "Pet"} | patch("replace", "/x", "x"),
        BAD,
        invalid_path("/x", "replace", "/description, /schema"),
    ),
    (
        "update_request_validator",
        {**API, "requestValidatorId": "<validator>"} | patch("replace", "/x", "x"),
        BAD,
        invalid_path("/x", "replace", "/name, /validateRequestParameters, /validateRequestBody"),
    ),
    (
        "update_api_key",
        {"apiKey": "<key>"} | patch("replace", "/x", "x"),
        BAD,
        invalid_path("/x", "replace", "/description, /enabled, /name, /customerId"),
    ),
    (
        "update_model",
        {**API, "modelName": "Pet"} | patch("add", "/schema", "{}"),
        BAD,
        "Invalid patch operation specified. Must be one of: [replace]",
    ),
    (
        "update_method",
        at("/a") | patch("copy", "/requestParameters/method.request.header.A", "true", "/x"),
        BAD,
        "Invalid patch operation specified. Must be 'add'|'remove'|'replace'",
    ),
    (
        "update_model",
        {**API, "modelName": "Pet"} | patch("bad", "/schema", "{}"),
        INVALID,
        "1 validation error detected: Value 'bad' at 'updateModelInput.patchOperations.1.member.op' failed to satisfy "
        "constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]",
    ),
    (
        "update_resource",
        {**API, "resourceId": "<path:/>"} | patch("replace", "/pathPart", "x"),
        BAD,
        "Root resource cannot update its pathPart.",
    ),
    (
        "update_resource",
        {**API, "resourceId": "<path:/>"} | patch("replace", "/parentId", "<path:/a>"),
        BAD,
        "Root resource cannot update its parentId.",
    ),
    (
        "update_resource",
        {**API, "resourceId": "<path:/a>"} | patch("replace", "/parentId", "<path:/a/b>"),
        BAD,
        "Resources cannot be cyclical.",
    ),
    ("create_resource", {**API, "parentId": "<path:/v>", "pathPart": "{x}"}, BAD, SIBLING.format("{id}")),
    ("create_resource", {**API, "parentId": "<path:/v>", "pathPart": "{x+}"}, BAD, SIBLING.format("{id}")),
    ("create_resource", {**API, "parentId": "<path:/g>", "pathPart": "{dynamic}"}, BAD, SIBLING.format("{proxy+}")),
    (
        "create_resource",
        {**API, "parentId": "<path:/g/{proxy+}>", "pathPart": "x"},
        BAD,
        "Cannot create a child of a resource with a greedy path variable: {proxy+}",
    ),
    ("put_method", at("/a", "FETCH", authorizationType="NONE"), BAD, VERBS),
    ("put_method", at("/a", "get", authorizationType="NONE"), BAD, VERBS),
    (
        "put_method",
        at(
            "/a",
            "POST",
            authorizationType="NONE",
            requestParameters={"method.request.header.x": True, "method.request.querystring.x": True},
        ),
        BAD,
        "Parameter names must be unique across querystring, header and path",
    ),
    *(
        (
            "put_method",
            at("/a", "POST", authorizationType=kind, **more),
            BAD,
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid "
            "authorizer.",
        )
        for kind, more in [
            ("CUSTOM", {}),
            ("CUSTOM", {"authorizerId": "nope"}),
            ("COGNITO_USER_POOLS", {}),
            ("COGNITO_USER_POOLS", {"authorizerId": "<authorizer>"}),
        ]
    ),
    (
        "put_method",
        at("/a", "POST", authorizationType="NONE", requestValidatorId="nope"),
        BAD,
        "Invalid Request Validator identifier specified",
    ),
    (
        "put_method",
        at("/a", "POST", authorizationType="NONE", requestModels={"application/json": "Nope"}),
        BAD,
        "Invalid model identifier specified: Nope",
    ),
    (
        "put_method_response",
        at("/a", statusCode="201", responseModels={"application/json": "Nope"}),
        BAD,
        "Invalid model identifier specified: Nope",
    ),
    *(
        (
            "put_integration",
            at("/bare", type=kind, uri="http://example.com"),
            BAD,
            "Enumeration value for HttpMethod must be non-empty",
        )
        for kind in ("AWS", "HTTP", "HTTP_PROXY")
    ),
    *(
        ("put_integration", at("/bare", integrationHttpMethod="POST", type=kind, uri=uri), BAD, message)
        for kind, uri, message in [
            (
                "AWS_PROXY",
                "arn:aws:apigateway:us-east-1:sqs:path/1/q",
                "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
            ),
            ("HTTP", "not-a-url", "Invalid HTTP endpoint specified for URI"),
            ("HTTP_PROXY", "ftp://example.com", "Invalid HTTP endpoint specified for URI"),
            ("AWS", "http://example.com", "Invalid ARN specified in the request"),
            ("AWS", "arn:aws:apigateway:us-east-1:sqs:nothing", "AWS ARN for integration must contain path or action"),
        ]
    ),
    (
        "put_integration",
        at("/bare", type="MOCK", requestParameters={"integration.request.header.a": "method.request.nowhere.a"}),
        BAD,
        "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression "
        "specified: method.request.nowhere.a]",
    ),
    (
        "put_integration",
        at("/bare", type="MOCK", requestTemplates={"123": "{}"}),
        BAD,
        "Validation Result: warnings : [], errors : [Invalid content type specified: 123]",
    ),
    (
        "delete_deployment",
        {"restApiId": "<deployed>", "deploymentId": "<deployment>"},
        BAD,
        "Active stages pointing to this deployment must be moved or deleted",
    ),
    (
        "create_stage",
        {"restApiId": "<deployed>", "stageName": "x", "deploymentId": "nope"},
        BAD,
        "Deployment id does not exist",
    ),
    ("update_stage", STAGED | patch("replace", "/deploymentId", "nope"), BAD, "Deployment id does not exist"),
    ("create_deployment", {"restApiId": "<empty>"}, BAD, "The REST API doesn't contain any methods"),
    (
        "create_deployment",
        {"restApiId": "<deployed>", "canarySettings": {"percentTraffic": 5.0}},
        BAD,
        "Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. "
        "Provided value is null",
    ),
    (
        "create_deployment",
        {"restApiId": "<deployed>", "stageName": "new", "canarySettings": {"percentTraffic": 5.0}},
        BAD,
        "Invalid deployment content specified.Stage new must already be created before making a canary release deployment",
    ),
    *(
        (
            "update_stage",
            STAGED | patch(op, path, value),
            BAD,
            message,
        )
        for op, path, value, message in [
            (
                "remove",
                "/~1/GET",
                None,
                "Cannot remove method setting ~1/GET because there is no method setting for this method ",
            ),
            (
                "remove",
                "/*/*",
                None,
                "Cannot remove method setting */* because there is no method setting for this method ",
            ),
            (
                "replace",
                "/accessLogSettings/nope",
                "x",
                "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]",
            ),
            (
                "remove",
                "/accessLogSettings/format",
                None,
                "Invalid accessLogSettings path. Must be one of : [/accessLogSettings/destinationArn, /accessLogSettings/format]",
            ),
            ("replace", "/accessLogSettings/format", "", "Access Log value must not be empty"),
            (
                "add",
                "/canarySettings/deploymentId",
                "x",
                "Invalid add operation with path: /canarySettings/deploymentId",
            ),
        ]
    ),
    (
        "update_stage",
        STAGED | patch("copy", "/deploymentId", None, "/canarySettings/deploymentId"),
        BAD,
        "Promotion not available. Canary does not exist.",
    ),
    (
        "update_stage",
        STAGED | patch("copy", "/description", None, "/canarySettings/deploymentId"),
        BAD,
        COPY.format("/description", "/canarySettings/deploymentId"),
    ),
    *(
        ("create_model", {**API, "contentType": "application/json", "name": name, "schema": schema}, BAD, message)
        for name, schema, message in [
            ("", "{}", "Model name must be non-empty"),
            ("M", "{}", "Model schema must have at least 1 property or array items defined"),
        ]
    ),
    ("create_request_validator", {**API, "name": ""}, BAD, "Request Validator name cannot be blank"),
    ("create_request_validator", {**NO_API, "name": "n"}, BAD, "Invalid REST API identifier specified"),
    ("create_api_key", {"name": "x" * 1025}, BAD, "Invalid API Key name, can be at most 1024 characters."),
    ("create_api_key", {"name": "n", "value": "short"}, BAD, "API Key value should be at least 20 characters"),
    ("create_api_key", {"name": "n", "value": "x" * 129}, BAD, "API Key value exceeds maximum size of 128 characters"),
    (
        "update_usage_plan",
        {"usagePlanId": "<plan>"} | patch("add", "/apiStages", "nocolon"),
        BAD,
        "Invalid API Stage specified",
    ),
    ("create_vpc_link", {"name": "n", "targetArns": ["x"]}, BAD, "Invalid ARN. ARN is not well formed x"),
    ("create_vpc_link", {"name": "", "targetArns": [BALANCER]}, BAD, "Name cannot be empty"),
    ("import_rest_api", {"body": b"[]"}, BAD, "Unable to build importer with provided input."),
    ("put_rest_api", {**API, "body": b"{}"}, BAD, "Unable to build importer with provided input."),
]
CONFLICTS: list[Row] = [
    (
        "create_resource",
        {**API, "parentId": "<path:/>", "pathPart": "a"},
        CONFLICT,
        "Another resource with the same parent already has this name: a",
    ),
    (
        "create_model",
        {**API, "name": "Pet", "contentType": "application/json", "schema": '{"type":"object"}'},
        CONFLICT,
        "Model name already exists for this REST API",
    ),
    (
        "delete_model",
        {**API, "modelName": "Pet"},
        CONFLICT,
        "Cannot delete model 'Pet', is referenced in method request: //ANY",
    ),
    (
        "create_authorizer",
        {
            **NO_API,
            "name": "n",
            "type": "TOKEN",
            "authorizerUri": invocation("f"),
            "identitySource": "method.request.header.A",
        },
        CONFLICT,
        "Unable to complete operation due to concurrent modification. Please try again later.",
    ),
    ("put_method", at("/a", "GET", authorizationType="NONE"), CONFLICT, "Method already exists for this resource"),
    ("create_stage", {**STAGED, "deploymentId": "<deployment>"}, CONFLICT, "Stage already exists"),
]
ROWS = [*NOT_FOUND, *BAD_REQUESTS, *CONFLICTS]


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: filled(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, names) for inner in value]
    if isinstance(value, str):
        for name, real in names.items():
            value = value.replace(f"<{name}>", real)
    return value


@pytest.fixture(scope="module")
def client(server: Server) -> Any:
    return server.client("apigateway", key=ACCOUNT)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}-{row[3][:60]}")
def test_an_error(row: Row, client: Any, names: dict[str, str]) -> None:
    operation, arguments, (code, status), message = row
    answer = error_of(lambda: getattr(client, operation)(**filled(arguments, names)))
    assert answer == (code, filled(message, names), status)
