"""Mapping templates, integration responses, overrides and validation, on MOCK and HTTP integrations of the running program."""

from __future__ import annotations

import base64
import json
import socket
from typing import Any

import pytest

from tests.support.backend import Backend
from tests.support.running import Answer, ApiBuilder, Server

JSON = "application/json"


def mock(
    server: Server, request: str | None = '{"statusCode": 200}', response: str = "", *, verb: str = "POST", **more: Any
) -> ApiBuilder:
    """An API whose `POST /{p}` is a MOCK with these two templates."""
    api = ApiBuilder(server, **more.pop("api", {}))
    at = {"restApiId": api.id, "resourceId": api.resource("/{p}"), "httpMethod": verb}
    templates = {} if request is None else {"requestTemplates": {JSON: request}}
    api.method("/{p}", verb, {"type": "MOCK", **templates, **more.pop("integration", {})}, **more.pop("method", {}))
    for status, (pattern, template) in {"200": (None, response), **more.pop("responses", {})}.items():
        api.client.put_method_response(**at, statusCode=status, responseParameters=more.get("declare", {}))
        given = {} if pattern is None else {"selectionPattern": pattern}
        api.client.put_integration_response(
            **at, statusCode=status, responseTemplates={JSON: template}, responseParameters=more.get("map", {}), **given
        )
    api.deploy(variables={"color": "blue"})
    return api


def post(server: Server, api: ApiBuilder, body: str | bytes = "", target: str = "/prod/x", **headers: str) -> Answer:
    data = body.encode() if isinstance(body, str) else body
    return server.call(api.id, target, method="POST", body=data, headers={"Content-Type": JSON, **headers})


def test_what_templates_can_name(server: Server) -> None:
    template = (
        '{"p":"$input.params(\'p\')","q":"$input.params(\'q\')","h":"$input.params().header.get(\'X-H\')",'
        '"all":"$input.params().path.p","v":"$stageVariables.color","stage":"$context.stage",'
        '"verb":"$context.httpMethod","ip":"$context.identity.sourceIp","none":"$context.authorizer.principalId",'
        '"path":"$context.resourcePath","body":"$input.body"}'
    )
    answer = post(server, mock(server, response=template), '{"a":1}', "/prod/seven?q=asked", **{"X-H": "head"})
    assert answer.json == {
        "p": "seven",
        "q": "asked",
        "h": "head",
        "all": "seven",
        "v": "blue",
        "stage": "prod",
        "verb": "POST",
        "ip": "127.0.0.1",
        "none": "",
        "path": "/{p}",
        # AWS: the client's body is not there for a MOCK's response template, and an empty one renders as {}.
        "body": "{}",
    }


def test_the_request_template_reads_the_body_and_overrides_reach_the_answer(server: Server) -> None:
    request = (
        "#set($context.requestOverride.path.body = $input.body)"
        "#set($context.responseOverride.header.X-Seen = $input.path('$.name'))"
        '{"statusCode": $input.path("$.code")}'
    )
    api = mock(
        server,
        request,
        "$context.requestOverride.path.body",
        responses={"201": ("201", "made"), "404": ("4\\d{2}", "#set($context.responseOverride.status = 410)gone")},
    )
    answer = post(server, api, '{"code": 200, "name": "ann"}')
    assert (answer.status, answer.body) == (200, b'{"code": 200, "name": "ann"}')
    assert answer.header("X-Seen") == "ann"
    assert post(server, api, '{"code": 201}').body == b"made"
    gone = post(server, api, '{"code": 404}')
    assert (gone.status, gone.body) == (410, b"gone")
    # No pattern matches: the default answers.
    assert post(server, api, '{"code": 503}').status == 200


@pytest.mark.parametrize("template", ["no json", "", "{}", '{"statusCode": }', "[200]"])
def test_a_request_template_without_a_status_fails(server: Server, template: str) -> None:
    answer = post(server, mock(server, template + "#if(false)#end"))
    assert (answer.status, answer.body) == (500, b'{"message": "Internal server error"}')


def test_errors_of_templates_answer_500_and_are_logged(server: Server) -> None:
    api = mock(server, response='#foreach($i in [1..5000])#foreach($j in [1..5000])$i#end#end"')
    answer = post(server, api)
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
    server.wait_for("Unable to transform response")


def test_an_invalid_template_is_refused_when_it_is_deployed(server: Server) -> None:
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError, match="Invalid mapping template"):
        mock(server, response="#if($x) never ended")


@pytest.mark.parametrize(
    ("behavior", "templates", "content_type", "status"),
    [
        ("WHEN_NO_MATCH", {}, JSON, 200),
        ("WHEN_NO_MATCH", {"text/x": "x"}, JSON, 200),
        ("WHEN_NO_TEMPLATES", {}, JSON, 200),
        ("WHEN_NO_TEMPLATES", {"text/x": "x"}, JSON, 415),
        ("WHEN_NO_TEMPLATES", {"text/x": "x"}, "text/x; charset=utf-8", 200),
        ("NEVER", {}, JSON, 415),
        ("NEVER", {"text/x": "x"}, JSON, 415),
        ("NEVER", {"text/x": "x"}, "TEXT/X", 200),
    ],
)
def test_passing_bodies_through(
    server: Server, backend: Backend, behavior: str, templates: dict[str, str], content_type: str, status: int
) -> None:
    api = http(server, backend, integration={"passthroughBehavior": behavior, "requestTemplates": templates})
    answer = post(server, api, "given", **{"Content-Type": content_type})
    assert answer.status == status
    if status == 415:
        assert answer.json == {"message": "Unsupported Media Type"}
    else:
        assert json.loads(answer.body)["body"] == ("x" if content_type.lower().split(";")[0] == "text/x" else "given")


def http(server: Server, backend: Backend, path: str = "/in", **more: Any) -> ApiBuilder:
    """An API whose `POST /{p}` is an HTTP integration."""
    api = ApiBuilder(server, **more.pop("api", {}))
    at = {"restApiId": api.id, "resourceId": api.resource("/{p}"), "httpMethod": "POST"}
    integration = {"type": "HTTP", "integrationHttpMethod": "POST", "uri": f"{backend.url}{path}"}
    api.method("/{p}", "POST", {**integration, **more.pop("integration", {})}, **more.pop("method", {}))
    responses = more.pop("responses", {"200": {}})
    for status, given in responses.items():
        declared = dict.fromkeys(given.get("responseParameters", {}), False)
        api.client.put_method_response(**at, statusCode=status, responseParameters=declared)
        api.client.put_integration_response(**at, statusCode=status, **given)
    api.deploy(variables={"color": "blue"})
    return api


def test_only_what_is_mapped_reaches_an_http_backend(server: Server, backend: Backend) -> None:
    names = ("method.request.path.p", "method.request.querystring.q", "method.request.header.X-H")
    names += ("method.request.querystring.none",)
    api = http(
        server,
        backend,
        "/in/{id}?fixed=1",
        method={"requestParameters": dict.fromkeys(names, False)},
        integration={
            "requestParameters": {
                "integration.request.path.id": "method.request.path.p",
                "integration.request.querystring.asked": "method.request.querystring.q",
                "integration.request.querystring.absent": "method.request.querystring.none",
                "integration.request.header.X-To": "method.request.header.X-H",
                "integration.request.header.X-Name": "method.request.body.user.name",
                "integration.request.header.X-List": "method.request.body.list",
                "integration.request.header.X-Var": "stageVariables.color",
                "integration.request.header.X-Static": "'fixed'",
            }
        },
    )
    body = json.dumps({"user": {"name": "ann"}, "list": [1, {"a": None}]})
    post(server, api, body, "/prod/a%2Fb?q=1%202&other=3", **{"X-H": "given", "X-Other": "no", "User-Agent": "mine"})
    seen = backend.received[-1]
    assert seen.target == "/in/a%2Fb?fixed=1&asked=1%202"
    headers = {name.lower(): value for name, value in seen.headers}
    assert (headers["x-to"], headers["x-name"], headers["x-var"]) == ("given", "ann", "blue")
    assert headers["x-list"] == '[1,{"a":null}]'
    assert "x-other" not in headers
    assert headers["user-agent"] == f"AmazonAPIGateway_{api.id}"
    assert headers["x-amzn-apigateway-api-id"] == api.id
    assert headers["accept"] == JSON
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert seen.body.decode() == body


def test_of_a_header_that_comes_twice_the_last_is_mapped(server: Server, backend: Backend) -> None:
    api = http(
        server,
        backend,
        integration={"requestParameters": {"integration.request.header.To": "method.request.header.X-Twice"}},
        method={"requestParameters": {"method.request.header.X-Twice": False}},
    )
    head = f"POST /prod/x HTTP/1.1\r\nHost: {api.id}.execute-api.localhost\r\nX-Twice: one\r\nX-Twice: two\r\n"
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        while connection.recv(65536):
            pass
    assert backend.received[-1].header("To") == "two"


def test_a_clients_text_becomes_no_header_of_its_own(server: Server, backend: Backend) -> None:
    every = "#set($all = $input.path('$'))#foreach($name in $all.keySet())#set($context.{}.header[$name] = $all.get($name))#end"
    outwards = http(server, backend, integration={"requestTemplates": {JSON: every.format("requestOverride")}})
    back = mock(server, every.format("responseOverride") + '{"statusCode": 200}', "$context.responseOverride.header")
    assert post(server, outwards, '{"X-Good": "1\\r\\nX-Bad: 2"}').status == 200
    assert backend.received[-1].header("X-Good") == "1  X-Bad: 2"
    assert post(server, back, '{"X-Good": "1\\r\\nX-Bad: 2"}').header("X-Good") == "1  X-Bad: 2"
    before = len(backend.received)
    for name in (
        "X-A: 1\\r\\nX-B",
        "X-A\\r\\n\\r\\nGET / HTTP/1.1\\r\\nHost",
        "Transfer-Encoding ",
        "X A",
        "",
        "\\u00e9",
    ):
        for api in (outwards, back):
            answer = post(server, api, f'{{"{name}": "v"}}')
            assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
            assert answer.header("x-amzn-RequestId")
    assert len(backend.received) == before


def test_overrides_of_the_request_win(server: Server, backend: Backend) -> None:
    template = (
        '#set($context.requestOverride.header.X-To = "over")'
        '#set($context.requestOverride.querystring.q = "a b")'
        '#set($context["requestOverride"].path["id"] = "else/where")'
        '$context.requestOverride.querystring.put("more", 5)'
        "#set($name = 'X-By-Name')#set($context.requestOverride.header[$name] = true)"
        '{"made":$input.json("$.a")}'
    )
    api = http(
        server,
        backend,
        "/in/{id}",
        integration={
            "requestTemplates": {JSON: template},
            "requestParameters": {
                "integration.request.header.X-To": "'mapped'",
                "integration.request.path.id": "'mapped'",
            },
        },
    )
    post(server, api, '{"a": [1, 2.50, "x"]}')
    seen = backend.received[-1]
    assert seen.target == "/in/else/where?q=a%20b&more=5"
    headers = dict(seen.headers)
    assert (headers["X-To"], headers["X-By-Name"]) == ("over", "true")
    assert seen.body == b'{"made":[1,2.5,"x"]}'


def test_responses_are_selected_and_mapped(server: Server, backend: Backend) -> None:
    backend.answer = lambda _: (
        404,
        [("X-Id", "7"), ("X-Many", "1"), ("X-Many", "2"), ("Content-Type", JSON)],
        b'{"why":"gone"}',
    )
    api = http(
        server,
        backend,
        responses={
            "200": {},
            "400": {
                "selectionPattern": "4\\d{2}",
                "responseTemplates": {
                    JSON: '{"error":$input.json("$.why")}',
                    "text/plain": "plain $input.path('$.why')",
                },
                "responseParameters": {
                    "method.response.header.Id": "integration.response.header.x-id",
                    "method.response.header.Many": "integration.response.multivalueheader.X-Many",
                    "method.response.header.Why": "integration.response.body.why",
                    "method.response.header.None": "integration.response.header.None",
                    "method.response.header.Stage": "context.stage",
                },
            },
        },
    )
    answer = post(server, api, "{}")
    assert (answer.status, answer.json) == (400, {"error": "gone"})
    assert [answer.header(name) for name in ("Id", "Many", "Why", "None", "Stage")] == [
        "7",
        "1,2",
        "gone",
        None,
        "prod",
    ]
    # AWS: what is not mapped does not come back.
    assert answer.header("X-Id") is None
    assert post(server, api, "{}", Accept="text/plain").body == b"plain gone"
    assert post(server, api, "{}", Accept="image/png").json == {"error": "gone"}
    backend.answer = lambda _: (200, [], b"fine")
    assert post(server, api, "{}").body == b"fine"


def test_without_a_response_for_the_status_the_answer_is_500(server: Server, backend: Backend) -> None:
    backend.answer = lambda _: (500, [], b"")
    api = http(server, backend, responses={"200": {"selectionPattern": "200"}})
    answer = post(server, api)
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
    server.wait_for(
        "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 500"
    )


def test_binary_payloads(server: Server, backend: Backend) -> None:
    raw = b"\x89PNG\r\n\x00\xff"
    api = http(
        server,
        backend,
        api={"binaryMediaTypes": ["image/png"]},
        integration={"contentHandling": "CONVERT_TO_TEXT"},
        responses={"200": {"contentHandling": "CONVERT_TO_BINARY"}},
    )
    backend.answer = lambda _: (200, [("Content-Type", "text/plain")], base64.b64encode(raw))
    answer = post(server, api, raw, **{"Content-Type": "image/png"})
    assert backend.received[-1].body == base64.b64encode(raw)
    assert answer.body == raw
    backend.answer = lambda _: (200, [("Content-Type", "text/plain")], b"no base64!")
    assert post(server, api).status == 500


def test_the_models_and_parameters_of_a_method_are_validated(server: Server) -> None:
    api = ApiBuilder(server)
    schema = {
        "$schema": "http://json-schema.org/draft-04/schema#",
        "type": "object",
        "required": ["bar"],
        "properties": {"bar": {"type": "integer"}},
        "additionalProperties": False,
    }
    api.client.create_model(restApiId=api.id, name="Thing", contentType=JSON, schema=json.dumps(schema))
    validator = api.client.create_request_validator(
        restApiId=api.id, name="all", validateRequestBody=True, validateRequestParameters=True
    )["id"]
    api.method(
        "/{p}",
        "POST",
        {"type": "MOCK", "requestTemplates": {JSON: '{"statusCode": 200}'}},
        requestValidatorId=validator,
        requestModels={JSON: "Thing"},
        requestParameters={
            "method.request.header.X-Need": True,
            "method.request.querystring.q": True,
            "method.request.querystring.optional": False,
            "method.request.path.p": True,
        },
    )
    at = {"restApiId": api.id, "resourceId": api.resources["/{p}"], "httpMethod": "POST"}
    api.client.put_method_response(**at, statusCode="200")
    api.client.put_integration_response(**at, statusCode="200")
    api.client.put_gateway_response(
        restApiId=api.id,
        responseType="BAD_REQUEST_BODY",
        responseTemplates={
            JSON: '{"message":$context.error.messageString,"why":"$context.error.validationErrorString"}'
        },
    )
    api.deploy()
    missing = post(server, api, '{"bar": 1}')
    assert missing.status == 400
    assert missing.json == {"message": "Missing required request parameters: [X-Need, q]"}
    given = {"target": "/prod/x?q=1", "X-Need": "here"}
    assert post(server, api, '{"bar": 1}', **given).status == 200
    bad = post(server, api, '{"foo": 1}', **given)
    assert bad.status == 400
    assert "Invalid request body" in bad.body.decode()
    assert 'object has missing required properties (["bar"])' in bad.body.decode()
    assert post(server, api, "{not json", **given).status == 400
    assert post(server, api, "", **given).status == 400
    # AWS: a type that no model is for is not validated.
    assert post(server, api, "anything", **given, **{"Content-Type": "text/plain"}).status == 200


def test_hostile_bodies_and_templates_end_in_time(server: Server, backend: Backend) -> None:
    api = http(
        server,
        backend,
        integration={
            "requestTemplates": {
                JSON: "#set($context.requestOverride.header.X = $input.path('$.x'))"
                "#set($context.requestOverride.querystring.q = $input.path('$.x')){\"x\":$input.json('$.x')}"
            }
        },
    )
    # Half a surrogate pair is text in JSON, and in nothing else.
    assert post(server, api, '{"x": "a\\ud800b"}').status == 200
    assert backend.received[-1].header("X") == "a?b"
    for body in ("[" * 100_000, "{" * 5_000_000, '{"x": ' + "9" * 5_000_000 + "}", '{"x": [' + "1," * 1_000_000):
        assert post(server, api, body).status in (200, 500)
    for template in (
        "#foreach($i in [1..100000])x#end",
        "#set($s = 'x')#foreach($i in [1..60])#set($s = \"$s$s\")#end$s",
        "#macro(m)#m()#end#m()",
        "$input.body.replaceAll('(x+x+)+y', '')" + "#set($a = [])$a.add($a)$a",
        "$input.class.forName('java.lang.Runtime')$input.__class__.__mro__$context.getClass().getClassLoader()",
    ):
        hostile = mock(server, response=template)
        assert post(server, hostile, "x" * 5000).status in (200, 500)
    assert server.call(api.id, "/prod/x", method="POST", body=b"{}", headers={"Content-Type": JSON}).status == 200
