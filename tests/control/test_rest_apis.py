"""The apigateway management API through real boto3: shapes, defaults, errors and their messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.running import ApiBuilder, Server


def error_of(call: Callable[[], Any]) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as caught:
        call()
    response = caught.value.response
    return (
        response["Error"]["Code"],
        response["Error"]["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


def without_metadata(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def test_create_shows_the_defaults(server: Server) -> None:
    client = server.client("apigateway")
    made = without_metadata(client.create_rest_api(name="pets", description="d"))
    created = made.pop("createdDate")
    assert created.year >= 2026
    assert len(made.pop("id")) == 10
    assert len(made.pop("rootResourceId")) == 10
    assert made == {
        "name": "pets",
        "description": "d",
        "apiKeySource": "HEADER",
        "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
        "disableExecuteApiEndpoint": False,
    }


def test_get_list_update_delete(server: Server) -> None:
    client = server.client("apigateway", key="111111111111")
    ids = [client.create_rest_api(name=f"n{i}")["id"] for i in range(3)]
    assert {api["id"] for api in client.get_rest_apis()["items"]} == set(ids)
    pages = client.get_paginator("get_rest_apis").paginate(PaginationConfig={"PageSize": 1})
    assert [api["id"] for page in pages for api in page["items"]] == sorted(ids)
    changed = client.update_rest_api(
        restApiId=ids[0],
        patchOperations=[
            {"op": "replace", "path": "/name", "value": "other"},
            {"op": "add", "path": "/binaryMediaTypes/image~1png"},
            {"op": "replace", "path": "/endpointConfiguration/types/EDGE", "value": "REGIONAL"},
        ],
    )
    assert (changed["name"], changed["binaryMediaTypes"]) == ("other", ["image/png"])
    assert changed["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert client.get_rest_api(restApiId=ids[0])["tags"] == {}
    for api in ids:
        assert client.delete_rest_api(restApiId=api)["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert client.get_rest_apis()["items"] == []
    # Another account sees none of it.
    assert error_of(lambda: server.client("apigateway").get_rest_api(restApiId=ids[0]))[0] == "NotFoundException"


def test_custom_id_tag(server: Server) -> None:
    client = server.client("apigateway")
    made = client.create_rest_api(name="n", tags={"_custom_id_": "myfixedid1"})
    assert made["id"] == "myfixedid1"
    assert error_of(lambda: client.create_rest_api(name="n", tags={"_custom_id_": "myfixedid1"}))[2] == 409
    arn = "arn:aws:apigateway:us-east-1::/restapis/myfixedid1"
    client.tag_resource(resourceArn=arn, tags={"team": "a/b c"})
    assert client.get_tags(resourceArn=arn)["tags"] == {"_custom_id_": "myfixedid1", "team": "a/b c"}
    client.untag_resource(resourceArn=arn, tagKeys=["team", "_custom_id_"])
    assert client.get_tags(resourceArn=arn)["tags"] == {}
    client.delete_rest_api(restApiId="myfixedid1")


def test_resources_and_methods(server: Server) -> None:
    api = ApiBuilder(server)
    client = api.client
    child = client.create_resource(restApiId=api.id, parentId=api.resources["/"], pathPart="pets")
    assert {key: child[key] for key in ("parentId", "pathPart", "path")} == {
        "parentId": api.resources["/"],
        "pathPart": "pets",
        "path": "/pets",
    }
    assert len(child["id"]) == 6
    at = {"restApiId": api.id, "resourceId": child["id"], "httpMethod": "GET"}
    method = without_metadata(client.put_method(**at, authorizationType="NONE", operationName="list"))
    assert method == {
        "httpMethod": "GET",
        "authorizationType": "NONE",
        "apiKeyRequired": False,
        "operationName": "list",
    }
    made = without_metadata(
        client.put_integration(**at, type="HTTP_PROXY", integrationHttpMethod="GET", uri="http://x.example/")
    )
    assert made == {
        "type": "HTTP_PROXY",
        "httpMethod": "GET",
        "uri": "http://x.example/",
        "connectionType": "INTERNET",
        "passthroughBehavior": "WHEN_NO_MATCH",
        "timeoutInMillis": 29000,
        "cacheNamespace": child["id"],
        "cacheKeyParameters": [],
        "responseTransferMode": "BUFFERED",
    }
    client.put_method_response(**at, statusCode="200", responseModels={"application/json": "Empty"})
    client.put_integration_response(**at, statusCode="200", selectionPattern="2..")
    embedded = client.get_resource(restApiId=api.id, resourceId=child["id"], embed=["methods"])["resourceMethods"][
        "GET"
    ]
    assert embedded["methodIntegration"]["integrationResponses"]["200"]["selectionPattern"] == "2.."
    assert embedded["methodResponses"]["200"] == {"statusCode": "200", "responseModels": {"application/json": "Empty"}}
    assert client.get_resource(restApiId=api.id, resourceId=child["id"])["resourceMethods"] == {"GET": {}}
    updated = client.update_integration(
        **at,
        patchOperations=[
            {"op": "replace", "path": "/uri", "value": "http://y.example/"},
            {"op": "add", "path": "/requestParameters/integration.request.header.X", "value": "'1'"},
            {"op": "replace", "path": "/timeoutInMillis", "value": "1000"},
        ],
    )
    assert (updated["uri"], updated["timeoutInMillis"]) == ("http://y.example/", 1000)
    assert updated["requestParameters"] == {"integration.request.header.X": "'1'"}
    assert client.update_method_response(
        **at,
        statusCode="200",
        patchOperations=[{"op": "add", "path": "/responseParameters/method.response.header.A", "value": "true"}],
    )["responseParameters"] == {"method.response.header.A": True}
    assert client.delete_integration_response(**at, statusCode="200")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.delete_integration(**at)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.delete_method_response(**at, statusCode="200")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert client.delete_method(**at)["ResponseMetadata"]["HTTPStatusCode"] == 204
    client.delete_resource(restApiId=api.id, resourceId=child["id"])
    assert [item["path"] for item in client.get_resources(restApiId=api.id)["items"]] == ["/"]


def test_moving_a_resource_moves_what_is_below(server: Server) -> None:
    api = ApiBuilder(server)
    api.resource("/a/b/c")
    api.resource("/z")
    move = [{"op": "replace", "path": "/parentId", "value": api.resources["/z"]}]
    api.client.update_resource(restApiId=api.id, resourceId=api.resources["/a/b"], patchOperations=move)
    paths = [item["path"] for item in api.client.get_resources(restApiId=api.id)["items"]]
    assert paths == ["/", "/a", "/z", "/z/b", "/z/b/c"]
    cycle = [{"op": "replace", "path": "/parentId", "value": api.resources["/a/b/c"]}]
    assert (
        error_of(
            lambda: api.client.update_resource(
                restApiId=api.id, resourceId=api.resources["/a/b"], patchOperations=cycle
            )
        )[1]
        == "Resources cannot be cyclical."
    )


def test_stage_settings(server: Server) -> None:
    api = ApiBuilder(server).mock("/pets", "GET")
    api.deploy("dev", variables={"a": "1"})
    client = api.client
    stage = client.update_stage(
        restApiId=api.id,
        stageName="dev",
        patchOperations=[
            {"op": "replace", "path": "/variables/b", "value": "2"},
            {"op": "replace", "path": "/~1pets/GET/throttling/rateLimit", "value": "7.5"},
            {"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"},
            {"op": "replace", "path": "/tracingEnabled", "value": "true"},
        ],
    )
    assert stage["variables"] == {"a": "1", "b": "2"}
    assert stage["tracingEnabled"] is True
    assert stage["methodSettings"]["pets/GET"]["throttlingRateLimit"] == 7.5
    assert stage["methodSettings"]["*/*"]["loggingLevel"] == "INFO"
    assert stage["methodSettings"]["*/*"]["throttlingBurstLimit"] == 5000
    gone = client.update_stage(
        restApiId=api.id, stageName="dev", patchOperations=[{"op": "remove", "path": "/~1pets/GET"}]
    )
    assert list(gone["methodSettings"]) == ["*/*"]
    assert [found["stageName"] for found in client.get_stages(restApiId=api.id)["item"]] == ["dev"]
    in_use = client.get_stage(restApiId=api.id, stageName="dev")["deploymentId"]
    assert error_of(lambda: client.delete_deployment(restApiId=api.id, deploymentId=in_use)) == (
        "BadRequestException",
        "Active stages pointing to this deployment must be moved or deleted",
        400,
    )
    summary = client.get_deployment(restApiId=api.id, deploymentId=in_use, embed=["apisummary"])["apiSummary"]
    assert summary == {"/pets": {"GET": {"authorizationType": "NONE", "apiKeyRequired": False}}}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/*/*/throttling/rateLimit", "nan"),
        ("/*/*/throttling/rateLimit", "inf"),
        ("/*/*/throttling/burstLimit", str(2**70)),
        ("/*/*/throttling/burstLimit", "many"),
        ("/*/GET/throttling/rateLimit", "1"),
        ("/~1nosuch/GET/throttling/rateLimit", "1"),
        ("/~1pets/FETCH/throttling/rateLimit", "1"),
        ("/deploymentId", None),
        ("/deploymentId", "nosuch"),
        ("/variables/a b", "x"),
        ("/variables/a", "x y"),
    ],
)
def test_stage_values_that_cannot_be_kept(server: Server, path: str, value: str | None) -> None:
    api = ApiBuilder(server).mock("/pets", "GET")
    api.deploy("dev")
    before = without_metadata(api.client.get_stage(restApiId=api.id, stageName="dev"))
    operation = {"op": "replace", "path": path} | ({} if value is None else {"value": value})
    code, _, status = error_of(
        lambda: api.client.update_stage(restApiId=api.id, stageName="dev", patchOperations=[operation])
    )
    assert (code, status) == ("BadRequestException", 400)
    assert without_metadata(api.client.get_stage(restApiId=api.id, stageName="dev")) == before


def test_a_stage_cannot_name_a_documentation_version(server: Server) -> None:
    api = ApiBuilder(server).mock("/pets", "GET")
    api.deploy("dev")
    change = [{"op": "replace", "path": "/documentationVersion", "value": "1"}]
    code, _, status = error_of(
        lambda: api.client.update_stage(restApiId=api.id, stageName="dev", patchOperations=change)
    )
    assert (code, status) == ("NotFoundException", 404)


def make_errors() -> dict[str, tuple[Callable[[Any, ApiBuilder], Any], tuple[str, str, int]]]:
    bad, missing = "BadRequestException", "NotFoundException"

    def patch(path: str, op: str = "replace", value: str = "x") -> Callable[[Any, ApiBuilder], Any]:
        operation = [{"op": op, "path": path, "value": value}]
        return lambda client, api: client.update_rest_api(restApiId=api.id, patchOperations=operation)

    def child(part: str, parent: str = "/") -> Callable[[Any, ApiBuilder], Any]:
        return lambda client, api: client.create_resource(
            restApiId=api.id, parentId=api.resources[parent], pathPart=part
        )

    def integration(**given: Any) -> Callable[[Any, ApiBuilder], Any]:
        return lambda client, api: client.put_integration(
            restApiId=api.id, resourceId=api.resources["/pets"], httpMethod="GET", **given
        )

    return {
        "unknown api": (
            lambda client, _: client.get_rest_api(restApiId="nosuchapi1"),
            (missing, "Invalid API identifier specified 000000000000:nosuchapi1", 404),
        ),
        "unknown resource": (
            lambda client, api: client.get_resource(restApiId=api.id, resourceId="nosuch"),
            (missing, "Invalid Resource identifier specified", 404),
        ),
        "unknown method": (
            lambda client, api: client.get_method(restApiId=api.id, resourceId=api.resources["/"], httpMethod="PUT"),
            (missing, "Invalid Method identifier specified", 404),
        ),
        "unknown integration": (
            lambda client, api: client.get_integration(
                restApiId=api.id, resourceId=api.resources["/pets"], httpMethod="POST"
            ),
            (missing, "Invalid Integration identifier specified", 404),
        ),
        "unknown stage": (
            lambda client, api: client.get_stage(restApiId=api.id, stageName="no"),
            (missing, "Invalid stage identifier specified", 404),
        ),
        "empty description": (
            lambda client, _: client.create_rest_api(name="n", description=""),
            (bad, "Description cannot be an empty string", 400),
        ),
        "two endpoint types": (
            lambda client, _: client.create_rest_api(name="n", endpointConfiguration={"types": ["EDGE", "REGIONAL"]}),
            (bad, "Cannot create an api with multiple Endpoint Types.", 400),
        ),
        "compression": (
            lambda client, _: client.create_rest_api(name="n", minimumCompressionSize=10485761),
            (bad, "Invalid minimum compression size, must be between 0 and 10485760", 400),
        ),
        "unknown patch path": (
            patch("/nope"),
            (
                bad,
                "Invalid patch path  '/nope' specified for op 'replace'. Must be one of: [/name, /description, "
                "/apiKeySource, /disableExecuteApiEndpoint, /policy, /securityPolicy, /endpointAccessMode, "
                "/minimumCompressionSize, /binaryMediaTypes/{type}, /endpointConfiguration/types/{type}, "
                "/endpointConfiguration/vpcEndpointIds, /endpointConfiguration/ipAddressType]",
                400,
            ),
        ),
        "op not taken": (
            patch("/name", "add"),
            (bad, "Invalid patch operation specified. Must be one of: [replace]", 400),
        ),
        "op not in enum": (
            patch("/name", "frobnicate"),
            (
                "ValidationException",
                "1 validation error detected: Value 'frobnicate' at 'updateRestApiInput.patchOperations.1.member.op' failed "
                "to satisfy constraint: Member must satisfy enum value set: [add, remove, move, test, replace, copy]",
                400,
            ),
        ),
        "endpoint type": (
            patch("/endpointConfiguration/types/EDGE", value="LOCAL"),
            (bad, "Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE", 400),
        ),
        "duplicate sibling": (
            child("pets"),
            ("ConflictException", "Another resource with the same parent already has this name: pets", 409),
        ),
        "second variable": (
            child("{other}", "/pets"),
            (bad, "A sibling ({id+}) of this resource already has a variable path part -- only one is allowed", 400),
        ),
        "below greedy": (
            child("x", "/pets/{id+}"),
            (bad, "Cannot create a child of a resource with a greedy path variable: {id+}", 400),
        ),
        "path part": (
            child("a b"),
            (
                bad,
                "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the "
                "beginning and the end.",
                400,
            ),
        ),
        "verb": (
            lambda client, api: client.put_method(
                restApiId=api.id, resourceId=api.resources["/"], httpMethod="FETCH", authorizationType="NONE"
            ),
            (
                bad,
                "Invalid HttpMethod specified. Valid options are GET,PUT,POST,DELETE,PATCH,OPTIONS,HEAD,ANY",
                400,
            ),
        ),
        "parameter names": (
            lambda client, api: client.put_method(
                restApiId=api.id,
                resourceId=api.resources["/"],
                httpMethod="GET",
                authorizationType="NONE",
                requestParameters={"method.request.header.a": True, "method.request.querystring.a": True},
            ),
            (bad, "Parameter names must be unique across querystring, header and path", 400),
        ),
        "no integration verb": (
            integration(type="HTTP", uri="http://x.example"),
            (bad, "Enumeration value for HttpMethod must be non-empty", 400),
        ),
        "bad uri": (
            integration(type="HTTP_PROXY", integrationHttpMethod="GET", uri="ftp://x"),
            (bad, "Invalid HTTP endpoint specified for URI", 400),
        ),
        "bad arn": (
            integration(type="AWS_PROXY", integrationHttpMethod="POST", uri="arn:nonsense"),
            (bad, "Invalid ARN specified in the request", 400),
        ),
        "arn without path": (
            integration(type="AWS", integrationHttpMethod="POST", uri="arn:aws:apigateway:us-east-1:s3:bucket"),
            (bad, "AWS ARN for integration must contain path or action", 400),
        ),
        "proxy to another service": (
            integration(type="AWS_PROXY", integrationHttpMethod="POST", uri="arn:aws:apigateway:us-east-1:s3:path/b"),
            (
                bad,
                "Integrations of type 'AWS_PROXY' currently only supports Lambda function and Firehose stream invocations.",
                400,
            ),
        ),
        "mapping expression": (
            integration(
                type="HTTP_PROXY",
                integrationHttpMethod="GET",
                uri="http://x.example",
                requestParameters={"integration.request.header.A": "nonsense"},
            ),
            (
                bad,
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping "
                "expression specified: nonsense]",
                400,
            ),
        ),
        "undeclared response": (
            lambda client, api: client.put_integration_response(
                restApiId=api.id, resourceId=api.resources["/pets"], httpMethod="GET", statusCode="418"
            ),
            (missing, "Invalid Response status code specified", 404),
        ),
        "empty api": (
            lambda client, _: client.create_deployment(restApiId=client.create_rest_api(name="n")["id"]),
            (bad, "The REST API doesn't contain any methods", 400),
        ),
        "method without integration": (
            lambda client, api: client.create_deployment(restApiId=api.id, stageName="s"),
            (bad, "No integration defined for method", 400),
        ),
        "unknown deployment": (
            lambda client, api: client.create_stage(restApiId=api.id, stageName="s", deploymentId="nosuch"),
            (bad, "Deployment id does not exist", 400),
        ),
    }


@pytest.fixture(scope="module")
def api_with_pets(server: Server) -> ApiBuilder:
    api = ApiBuilder(server).mock("/pets", "GET")
    api.resource("/pets/{id+}")
    api.client.put_method(
        restApiId=api.id, resourceId=api.resources["/pets"], httpMethod="POST", authorizationType="NONE"
    )
    return api


@pytest.mark.parametrize("case", make_errors())
def test_errors(server: Server, api_with_pets: ApiBuilder, case: str) -> None:
    call, expected = make_errors()[case]
    assert error_of(lambda: call(api_with_pets.client, api_with_pets)) == expected


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "a listener behind a VPC link": (
        {},
        {
            "type": "HTTP_PROXY",
            "integrationHttpMethod": "GET",
            "uri": "http://private.example.com/",
            "connectionType": "VPC_LINK",
            "connectionId": "${stageVariables.link}",
            "integrationTarget": "arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/a/1/2",
        },
        "integration targets",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_done_is_refused_by_name(server: Server, case: str) -> None:
    method, integration, named = REFUSED[case]
    api = ApiBuilder(server).method("/x", "GET", integration, **method)
    code, message, status = error_of(lambda: api.deploy())
    assert (code, status) == ("BadRequestException", 400)
    assert named in message
    assert api.client.get_stages(restApiId=api.id)["item"] == []
    assert api.client.get_deployments(restApiId=api.id)["items"] == []


def test_every_operation_is_done_or_refused_by_name(server: Server) -> None:
    from tidegate.aws.model import load_service_model
    from tidegate.control.apigateway import OPERATIONS
    from tidegate.control.apigateway.service import RUN_HERE
    from tidegate.control.apigateway.unsupported import UNSUPPORTED

    every = set(load_service_model("apigateway").operation_names)
    assert not OPERATIONS.keys() & UNSUPPORTED.keys()
    assert OPERATIONS.keys() | UNSUPPORTED.keys() | RUN_HERE == every
    # The list only shrinks: whoever makes it shorter lowers this number.
    assert len(UNSUPPORTED) <= 3
    code, message, status = error_of(lambda: server.client("apigateway").get_sdk_types())
    assert (code, status) == ("UnsupportedOperationException", 501)
    assert "GetSdkTypes" in message
    code, message, _ = error_of(lambda: server.client("apigatewayv2").get_apis())
    assert code == "UnsupportedOperationException"
    assert "apigatewayv2" in message


def test_malformed_calls_get_an_error_and_no_traceback(server: Server) -> None:
    signed = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, Signature=x"
    }
    for method, target, body in (
        ("POST", "/restapis", b"{"),
        ("POST", "/restapis", b"[]"),
        ("POST", "/restapis", b'{"name": true}'),
        ("POST", "/restapis", b"{}"),
        ("GET", "/nosuch/path", b""),
        ("GET", "/restapis?limit=abc", b""),
        ("POST", "/restapis?mode=import", b"\xff\xfe: ["),
        ("PATCH", "/restapis/x", b'{"patchOperations": "x"}'),
    ):
        answer = server.request(method, target, body=body, headers=signed)
        assert 400 <= answer.status < 500, (target, body, answer)
        assert "Traceback" not in answer.body.decode()
        assert answer.header("x-amzn-ErrorType")
    assert server.request("GET", "/restapis").status == 403


def test_boto3_session_needs_no_special_care(server: Server) -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
    client = session.client("apigateway", endpoint_url=server.url)
    made = client.create_rest_api(name="regional")
    assert client.get_rest_api(restApiId=made["id"])["name"] == "regional"


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke"},
        {"Effect": "Maybe", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"},
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "*",
            "Condition": {"Nosuch": {"a": "b"}},
        },
        {"Effect": "Allow", "Principal": "*", "Action": 3, "Resource": "*"},
    ],
)
def test_policies_that_could_not_be_evaluated_are_refused(server: Server, statement: dict[str, Any]) -> None:
    client = server.client("apigateway")
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    with pytest.raises(client.exceptions.BadRequestException) as caught:
        client.create_rest_api(name="p", policy=policy)
    assert "Invalid policy document" in str(caught.value)
