"""Customised gateway responses: which one answers, its status, headers and body; live with the next deployment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.running import ApiBuilder, Server, make_function

JSON = "application/json"


@pytest.fixture
def api(server: Server) -> ApiBuilder:
    built = ApiBuilder(server).mock("/a", "GET", body="ok")
    built.proxy_to("/gone", "GET", "http://127.0.0.1:1/")
    return built


def put(api: ApiBuilder, kind: str, **given: Any) -> None:
    api.client.put_gateway_response(restApiId=api.id, responseType=kind, **given)


def test_a_response_is_live_with_the_next_deployment(server: Server, api: ApiBuilder) -> None:
    api.deploy()
    put(api, "MISSING_AUTHENTICATION_TOKEN", statusCode="404", responseTemplates={JSON: '{"no":"way"}'})
    assert server.call(api.id, "/prod/x").status == 403
    api.deploy()
    answer = server.call(api.id, "/prod/x")
    assert (answer.status, answer.body) == (404, b'{"no":"way"}')
    assert answer.header("x-amzn-ErrorType") == "MissingAuthenticationTokenException"
    api.client.delete_gateway_response(restApiId=api.id, responseType="MISSING_AUTHENTICATION_TOKEN")
    api.deploy()
    assert server.call(api.id, "/prod/x").status == 403


def test_variables_and_parameters(server: Server, api: ApiBuilder) -> None:
    template = (
        '{"m":$context.error.messageString,"t":"$context.error.responseType","r":"$context.requestId",'
        '"v":"$stageVariables.v","q":"$method.request.querystring.q","v2":"$stageVariables.none","u":"$context.unknown",'
        '"money":"$5"}'
    )
    put(
        api,
        "MISSING_AUTHENTICATION_TOKEN",
        responseTemplates={JSON: template},
        responseParameters={
            "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            "gatewayresponse.header.Echo": "method.request.header.X-Given",
            "gatewayresponse.header.Absent": "method.request.header.X-Absent",
            "gatewayresponse.header.Stage": "context.stage",
            "gatewayresponse.header.V": "stageVariables.v",
            "gatewayresponse.header.Type": "context.error.responseType",
        },
    )
    api.deploy(variables={"v": "stage-value"})
    answer = server.call(api.id, "/prod/x?q=asked", headers={"X-Given": "given"})
    assert answer.json == {
        "m": "Missing Authentication Token",
        "t": "MISSING_AUTHENTICATION_TOKEN",
        "r": answer.header("x-amzn-RequestId"),
        "v": "stage-value",
        "q": "asked",
        "v2": "",
        "u": "$context.unknown",
        "money": "$5",
    }
    assert answer.header("Access-Control-Allow-Origin") == "*"
    assert (answer.header("Echo"), answer.header("Stage"), answer.header("V")) == ("given", "prod", "stage-value")
    assert answer.header("Absent") is None
    assert answer.header("Type") == "MISSING_AUTHENTICATION_TOKEN"


def test_defaults_stand_in_but_never_mix(server: Server, api: ApiBuilder) -> None:
    put(api, "DEFAULT_4XX", statusCode="418", responseTemplates={JSON: '{"d":4}'})
    put(api, "DEFAULT_5XX", responseParameters={"gatewayresponse.header.D": "'5'"})
    api.deploy()
    assert (server.call(api.id, "/prod/x").status, server.call(api.id, "/prod/x").body) == (418, b'{"d":4}')
    broken = server.call(api.id, "/prod/gone")
    # DEFAULT_5XX has no status of its own, so the type's stays.
    assert (broken.status, broken.header("D")) == (504, "5")
    assert broken.json == {"message": "Network error communicating with endpoint"}
    put(api, "MISSING_AUTHENTICATION_TOKEN", responseTemplates={JSON: '{"own":1}'})
    api.deploy()
    own = server.call(api.id, "/prod/x")
    assert (own.status, own.body) == (403, b'{"own":1}')


def test_a_failed_function_is_a_default_5xx(server: Server, api: ApiBuilder) -> None:
    arn = make_function(server, "fails", "def handler(event, context): raise ValueError()")
    server.client("lambda").add_permission(
        FunctionName="fails", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api.function("/f", "GET", arn)
    put(api, "DEFAULT_5XX", responseTemplates={JSON: '{"five":$context.error.messageString}'})
    api.deploy()
    answer = server.call(api.id, "/prod/f")
    assert (answer.status, answer.body) == (502, b'{"five":"Internal server error"}')


def test_accept_chooses_the_template(server: Server, api: ApiBuilder) -> None:
    put(api, "DEFAULT_4XX", responseTemplates={"text/html": "<p>no</p>", JSON: '{"no":1}'})
    api.deploy()
    for accept, content_type in (("text/html", "text/html"), ("image/png", JSON), (None, JSON)):
        headers = {} if accept is None else {"Accept": accept}
        answer = server.call(api.id, "/prod/x", headers=headers)
        assert answer.header("Content-Type") == content_type


def test_a_request_value_cannot_break_a_header(server: Server, api: ApiBuilder) -> None:
    put(api, "DEFAULT_4XX", responseParameters={"gatewayresponse.header.E": "method.request.querystring.q"})
    api.deploy()
    answer = server.call(api.id, "/prod/x?q=a%0d%0aInjected:%20yes")
    assert answer.header("Injected") is None
    assert answer.header("E") == "a  Injected: yes"


def test_before_an_api_is_known_nothing_is_customised(server: Server, api: ApiBuilder) -> None:
    put(api, "DEFAULT_4XX", statusCode="418")
    api.deploy()
    assert server.call(api.id, "/nostage/").status == 403
