"""Gateway responses: the defaults of all types, customised ones, every patch path, every message with its cause."""

from __future__ import annotations

from typing import Any

import pytest

from tests.control.test_rest_apis import error_of, without_metadata
from tests.support.running import ApiBuilder, Server

DEFAULT = {"application/json": '{"message":$context.error.messageString}'}
STATUS = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "DEFAULT_4XX": None,
    "DEFAULT_5XX": None,
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}


@pytest.fixture(scope="module")
def api(server: Server) -> ApiBuilder:
    return ApiBuilder(server, "gateway responses")


def shown(kind: str, **changed: Any) -> dict[str, Any]:
    status = {} if STATUS[kind] is None else {"statusCode": STATUS[kind]}
    rest = {"responseParameters": {}, "responseTemplates": DEFAULT, "defaultResponse": True}
    return {"responseType": kind, **status, **rest, **changed}


def test_defaults(server: Server) -> None:
    from tidegate.aws.model import load_service_model

    api = ApiBuilder(server)
    answer = api.client.get_gateway_responses(restApiId=api.id, limit=1)
    assert answer["items"] == [shown(kind) for kind in STATUS]
    assert "position" not in answer
    assert set(load_service_model("apigateway").shape_for("GatewayResponseType").enum) == STATUS.keys()
    for kind in STATUS:
        assert without_metadata(api.client.get_gateway_response(restApiId=api.id, responseType=kind)) == shown(kind)


def test_life_of_a_gateway_response(server: Server) -> None:
    api = ApiBuilder(server)
    client, at = api.client, {"restApiId": api.id, "responseType": "UNAUTHORIZED"}
    answer = client.put_gateway_response(
        **at,
        statusCode="418",
        responseParameters={
            "gatewayresponse.header.X": "'a'",
            "gatewayresponse.header.Y": "method.request.header.Origin",
        },
        responseTemplates={"text/plain": "$context.error.message"},
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
    made = without_metadata(answer)
    assert made == shown(
        "UNAUTHORIZED",
        statusCode="418",
        responseParameters={
            "gatewayresponse.header.X": "'a'",
            "gatewayresponse.header.Y": "method.request.header.Origin",
        },
        responseTemplates={"text/plain": "$context.error.message"},
        defaultResponse=False,
    )
    assert without_metadata(client.get_gateway_response(**at)) == made
    assert made in client.get_gateway_responses(restApiId=api.id)["items"]
    assert len(client.get_gateway_responses(restApiId=api.id)["items"]) == len(STATUS)
    # What is not given is as in the default.
    again = without_metadata(client.put_gateway_response(**at))
    assert again == shown("UNAUTHORIZED", defaultResponse=False)
    assert client.delete_gateway_response(**at)["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert without_metadata(client.get_gateway_response(**at)) == shown("UNAUTHORIZED")
    gone = ("NotFoundException", "Gateway response type not defined on api", 404)
    assert error_of(lambda: client.delete_gateway_response(**at)) == gone


MAPPING = (
    "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
    "[Invalid mapping expression specified: {}]"
)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no gateway response parameter": (
        {"responseParameters": {"method.response.header.X": "'*'"}},
        MAPPING.format("method.response.header.X"),
    ),
    "no name": ({"responseParameters": {"gatewayresponse.header.": "'*'"}}, MAPPING.format("gatewayresponse.header.")),
    "no expression": ({"responseParameters": {"gatewayresponse.header.X": "test-value"}}, MAPPING.format("test-value")),
    "line break": ({"responseParameters": {"gatewayresponse.header.X": "'a\r\nb'"}}, MAPPING.format("'a\r\nb'")),
    "body": (
        {"responseParameters": {"gatewayresponse.header.X": "method.request.body.a"}},
        MAPPING.format("method.request.body.a"),
    ),
    "empty expression": (
        {"responseParameters": {"gatewayresponse.header.X": ""}},
        "Invalid null or empty value in responseParameters",
    ),
    "empty template": (
        {"responseTemplates": {"application/json": ""}},
        "Invalid null or empty value in responseTemplates",
    ),
    "content type": (
        {"responseTemplates": {"json": "x"}},
        "Validation Result: warnings : [], errors : [Invalid content type specified: json]",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(api: ApiBuilder, case: str) -> None:
    given, message = REFUSED[case]
    assert error_of(lambda: api.client.put_gateway_response(restApiId=api.id, responseType="THROTTLED", **given)) == (
        "BadRequestException",
        message,
        400,
    )


@pytest.mark.parametrize(
    "value",
    ["'x'", "method.request.path.a", "method.request.multivalueheader.A", "context.requestId", "stageVariables.v"],
)
def test_what_is_taken(api: ApiBuilder, value: str) -> None:
    parameters = {"gatewayresponse.header.X": value}
    made = api.client.put_gateway_response(restApiId=api.id, responseType="THROTTLED", responseParameters=parameters)
    assert made["responseParameters"] == parameters


def test_front_end_validation(api: ApiBuilder) -> None:
    code, message, status = error_of(
        lambda: api.client.put_gateway_response(restApiId=api.id, responseType="NOPE", statusCode="99")
    )
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith("2 validation errors detected: ")
    assert "Value '99' at 'putGatewayResponseInput.statusCode' failed to satisfy constraint" in message


def test_unknown_api(api: ApiBuilder) -> None:
    no_api = ("NotFoundException", "Invalid API identifier specified 000000000000:nope", 404)
    client, at = api.client, {"restApiId": "nope", "responseType": "THROTTLED"}
    assert error_of(lambda: client.put_gateway_response(**at)) == no_api
    assert error_of(lambda: client.get_gateway_response(**at)) == no_api
    assert error_of(lambda: client.update_gateway_response(**at, patchOperations=[])) == no_api
    assert error_of(lambda: client.delete_gateway_response(**at)) == no_api
    assert error_of(lambda: client.get_gateway_responses(restApiId="nope")) == no_api


X, Y = "gatewayresponse.header.X", "gatewayresponse.header.Y"
PARAMETERS, TEMPLATES = {X: "'x'"}, {"text/plain": "t"}
PATCHES: list[tuple[str, str, str | None, dict[str, Any]]] = [
    ("replace", "/statusCode", "402", {"statusCode": "402"}),
    ("add", f"/responseParameters/{Y}", "'y'", {"responseParameters": {X: "'x'", Y: "'y'"}}),
    ("add", f"/responseParameters/{X}", "'y'", {"responseParameters": {X: "'y'"}}),
    ("replace", f"/responseParameters/{X}", "'y'", {"responseParameters": {X: "'y'"}}),
    ("remove", f"/responseParameters/{X}", None, {"responseParameters": {}}),
    ("add", "/responseParameters", f'{{"{Y}": "\'y\'"}}', {"responseParameters": {X: "'x'", Y: "'y'"}}),
    ("replace", "/responseParameters", f'{{"{Y}": "\'y\'"}}', {"responseParameters": {Y: "'y'"}}),
    ("remove", "/responseParameters", None, {"responseParameters": {}}),
    ("add", "/responseTemplates/a~1b", "u", {"responseTemplates": {**TEMPLATES, "a/b": "u"}}),
    ("replace", "/responseTemplates/text~1plain", "u", {"responseTemplates": {"text/plain": "u"}}),
    ("remove", "/responseTemplates/text~1plain", None, {"responseTemplates": DEFAULT}),
    ("add", "/responseTemplates", '{"a/b": "u"}', {"responseTemplates": {**TEMPLATES, "a/b": "u"}}),
    ("replace", "/responseTemplates", '{"a/b": "u"}', {"responseTemplates": {"a/b": "u"}}),
    ("remove", "/responseTemplates", None, {"responseTemplates": DEFAULT}),
]


@pytest.mark.parametrize(("op", "path", "value", "changed"), PATCHES)
def test_patches(server: Server, op: str, path: str, value: str | None, changed: dict[str, Any]) -> None:
    api = ApiBuilder(server)
    at = {"restApiId": api.id, "responseType": "DEFAULT_4XX"}
    made = api.client.put_gateway_response(**at, responseParameters=PARAMETERS, responseTemplates=TEMPLATES)
    patch = {"op": op, "path": path} | ({} if value is None else {"value": value})
    after = without_metadata(api.client.update_gateway_response(**at, patchOperations=[patch]))
    assert after == {**without_metadata(made), **changed}
    assert without_metadata(api.client.get_gateway_response(**at)) == after


def test_patching_a_default_customises_it(server: Server) -> None:
    api = ApiBuilder(server)
    patch = [{"op": "add", "path": f"/responseParameters/{X}", "value": "'x'"}]
    at = {"restApiId": api.id, "responseType": "QUOTA_EXCEEDED"}
    after = without_metadata(api.client.update_gateway_response(**at, patchOperations=patch))
    assert after == shown("QUOTA_EXCEEDED", responseParameters={X: "'x'"}, defaultResponse=False)


EVERY = "Invalid patch operation specified. Must be 'add'|'remove'|'replace'"
KNOWN = "/statusCode, /responseParameters, /responseParameters/{name}, /responseTemplates, /responseTemplates/{type}"
REFUSED_PATCHES: list[tuple[str, str, str | None, str, int]] = [
    ("add", "/statusCode", "400", "Invalid patch operation specified. Must be one of: [replace]", 400),
    ("copy", "/responseParameters", "x", EVERY, 400),
    ("move", "/responseTemplates/a~1b", "x", EVERY, 400),
    (
        "replace",
        "/nope",
        "x",
        f"Invalid patch path  '/nope' specified for op 'replace'. Must be one of: [{KNOWN}]",
        400,
    ),
    ("replace", "/statusCode", "600", "Invalid status code specified: 600", 400),
    ("add", f"/responseParameters/{Y}", None, "Invalid null or empty value in responseParameters", 400),
    ("add", f"/responseParameters/{Y}", "y", MAPPING.format("y"), 400),
    ("replace", f"/responseParameters/{Y}", "'y'", "Invalid parameter name specified", 404),
    ("remove", f"/responseParameters/{Y}", None, "Invalid parameter name specified", 404),
    ("add", "/responseTemplates/a~1b", "", "Invalid null or empty value in responseTemplates", 400),
    ("replace", "/responseTemplates/a~1b", "u", "Content-Type specified was not found", 404),
    ("remove", "/responseTemplates/a~1b", None, "Content-Type specified was not found", 404),
    ("replace", "/responseTemplates", None, "Invalid null or empty value in responseTemplates", 400),
    ("replace", "/responseTemplates", "[]", "Invalid patch value specified for path /responseTemplates: []", 400),
    (
        "replace",
        "/responseParameters",
        '{"a": 1}',
        'Invalid patch value specified for path /responseParameters: {"a": 1}',
        400,
    ),
]


@pytest.mark.parametrize(("op", "path", "value", "message", "status"), REFUSED_PATCHES)
def test_patches_that_are_refused(
    server: Server, op: str, path: str, value: str | None, message: str, status: int
) -> None:
    api = ApiBuilder(server)
    at = {"restApiId": api.id, "responseType": "UNAUTHORIZED"}
    made = api.client.put_gateway_response(**at, responseParameters=PARAMETERS, responseTemplates=TEMPLATES)
    patch = {"op": op, "path": path} | ({} if value is None else {"value": value})
    first = {"op": "replace", "path": "/statusCode", "value": "402"}
    code = "NotFoundException" if status == 404 else "BadRequestException"
    assert error_of(lambda: api.client.update_gateway_response(**at, patchOperations=[first, patch])) == (
        code,
        message,
        status,
    )
    assert without_metadata(api.client.get_gateway_response(**at)) == without_metadata(made)
