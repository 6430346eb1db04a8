"""AWS integrations with a Lambda function: templates both ways, errors by pattern, asynchronous invocation; real functions."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.backend import Backend
from tests.support.running import Answer, ApiBuilder, Server, lambda_uri, make_function

JSON = "application/json"
ROLE = "arn:aws:iam::000000000000:role/caller"
CODE = """
import threading, urllib.request
def handler(event, context):
    do = event.get("do")
    if do == "fail":
        raise ValueError(event["why"])
    if do == "hang":
        threading.Event().wait()
    if do == "tell":
        urllib.request.urlopen(urllib.request.Request(event["url"], data=event["what"].encode())).read()
    if do == "text":
        return "no <document>"
    if do == "context":
        return context.client_context.custom
    print("seen")
    return event
"""


class Functions(ApiBuilder):
    """An API whose methods are AWS integrations with functions."""

    def custom(self, path: str, arn: str, responses: Mapping[str, Any] | None = None, **integration: Any) -> None:
        names = integration.get("requestParameters", {}).values()
        declared = {name: False for name in names if name.startswith("method.request.") and ".body" not in name}
        whole = {"type": "AWS", "integrationHttpMethod": "POST", "uri": lambda_uri(arn), "credentials": ROLE}
        whole |= integration
        self.method(path, "POST", {k: v for k, v in whole.items() if v}, requestParameters=declared)
        self.answers(path, "POST", responses or {"200": {}})


def templates(text: str) -> dict[str, dict[str, str]]:
    return {"responseTemplates": {JSON: text}}


FAILED = {
    "200": templates('{"fine":true}'),
    "404": {"selectionPattern": ".*no such.*", **templates('{"error":$input.json("$.errorMessage")}')},
    "400": {"selectionPattern": "4\\d\\d: .*", **templates("$input.path('$.errorType')")},
    "409": {"selectionPattern": "\\{.*", **templates("$util.parseJson($input.path('$.errorMessage')).reason")},
    "408": {"selectionPattern": ".*[Tt]imed out.*", **templates('$input.path("$.errorMessage")')},
    "500": {"selectionPattern": "(?s).+", **templates("#foreach($l in $input.path('$.stackTrace'))$l#end")},
}
EVENT = "integration.request.header.X-Amz-Invocation-Type"
BOTH = {
    "requestTemplates": {JSON: '{"name":$input.json("$.user.name"),"q":"$input.params(\'q\')","at":"$context.stage"}'}
}
MAPPED = {
    "method.response.header.Version": "integration.response.header.X-Amz-Executed-Version",
    "method.response.header.Name": "integration.response.body.name",
    "method.response.header.Error": "integration.response.header.X-Amz-Function-Error",
    "method.response.header.Log": "integration.response.header.X-Amz-Log-Result",
}
KEPT = templates('{"body":"$input.body","json":$input.json("$"),"x":"$input.path("$.x")"}')


@pytest.fixture(scope="module")
def api(server: Server) -> str:
    """Every way to call a function, each at its own path."""
    arn = make_function(server, "custom", CODE, Timeout=1)
    server.client("lambda").publish_version(FunctionName="custom")
    made = Functions(server)
    made.custom(
        "/both",
        arn,
        {"200": {"responseParameters": MAPPED, **templates("Hello $input.path('$.name')! $input.json('$')")}},
        **BOTH,
    )
    made.custom("/failed", arn, FAILED)
    made.custom("/unmatched", arn, {"200": templates("$input.body"), "404": {"selectionPattern": "no such"}})
    made.custom("/nodefault", arn, {"404": {"selectionPattern": "no such"}})
    made.custom("/text", arn, {"200": templates('[$input.json("$"),"$input.path(\'$.x\')",$input.body]')})
    made.custom("/slow", arn, timeoutInMillis=50)
    made.custom("/event", arn, {"200": {**KEPT, "responseParameters": MAPPED}}, requestParameters={EVENT: "'Event'"})
    kind = {EVENT: "method.request.header.InvocationType"}
    made.custom("/mapped", arn, {"200": {"responseParameters": MAPPED}}, requestParameters=kind)
    kind = "#set($context.requestOverride.header.X-Amz-Invocation-Type = 'Event')$input.body"
    made.custom("/overridden", arn, {"202": {}}, requestTemplates={JSON: kind})
    more = {
        "integration.request.header.X-Amz-Client-Context": "method.request.header.Client-Context",
        "integration.request.header.X-Amz-Log-Type": "'Tail'",
        "integration.request.querystring.Qualifier": "method.request.querystring.version",
    }
    made.custom("/more", arn, {"200": {"responseParameters": MAPPED}}, requestParameters=more)
    made.custom("/forbidden", arn, credentials=None)
    made.custom("/missing", arn.replace("custom", "nobody"))
    made.custom("/wrong", arn, integrationHttpMethod="GET")
    return made.deploy()


def ask(server: Server, api: str, path: str, body: Any = None, **headers: str) -> Answer:
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return server.call(api, f"/prod{path}", method="POST", body=data, headers={"Content-Type": JSON, **headers})


def test_templates_both_ways(server: Server, api: str) -> None:
    answer = ask(server, api, "/both?q=1", {"user": {"name": 'Zoë "Z"'}})
    assert answer.status == 200
    assert answer.body.decode() == 'Hello Zoë "Z"! {"name":"Zoë \\"Z\\"","q":"1","at":"prod"}'
    assert [answer.header(name) for name in ("Version", "Name", "Error", "Log")] == ["$LATEST", 'ZoÃ« "Z"', None, None]
    assert answer.header("X-Amzn-Trace-Id")


@pytest.mark.parametrize(
    ("why", "status", "body"),
    [
        ("there is no such thing", 404, '{"error":"there is no such thing"}'),
        ("404: no such thing", 400, "ValueError"),  # the lowest status of those that match
        ("400: \n", 500, None),  # a line break is not matched by a dot
        ('{"reason": "taken"}', 409, "taken"),
        ("a 400: in the middle", 500, None),  # the whole message has to match
        ("", 200, '{"fine":true}'),  # no pattern matches: the default answers
    ],
)
def test_errors_choose_the_response_by_their_message(
    server: Server, api: str, why: str, status: int, body: str | None
) -> None:
    answer = ask(server, api, "/failed", {"do": "fail", "why": why})
    assert answer.status == status
    if body is None:
        assert "raise ValueError" in answer.body.decode()
    else:
        assert answer.body.decode() == body


def test_what_no_pattern_takes(server: Server, api: str) -> None:
    # AWS: success goes to the default, whatever the patterns say.
    assert ask(server, api, "/failed", {"errorMessage": "no such"}).json == {"fine": True}
    answer = ask(server, api, "/unmatched", {"do": "fail", "why": "else"})
    assert answer.status == 200
    assert {"errorMessage": "else", "errorType": "ValueError"}.items() <= answer.json.items()
    assert answer.json["stackTrace"]
    for body in ({}, {"do": "fail", "why": "else"}):
        answer = ask(server, api, "/nodefault", body)
        assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
    assert ask(server, api, "/nodefault", {"do": "fail", "why": "no such"}).status == 404


def test_results_that_are_no_document(server: Server, api: str) -> None:
    assert ask(server, api, "/text", {"do": "text"}).json == ["no <document>", "", "no <document>"]
    assert ask(server, api, "/text", b"").body == b'[{},"",{}]'


def test_an_event_that_is_no_json_is_the_clients_fault(server: Server, api: str) -> None:
    answer = ask(server, api, "/text", b"a=b")
    assert answer.status == 400
    assert answer.json["message"].startswith("Could not parse request body into json: ")


def test_timeouts_of_the_integration_and_of_the_function(server: Server, api: str) -> None:
    slow = ask(server, api, "/slow", {"do": "hang"})
    assert (slow.status, slow.body) == (504, b'{"message": "Endpoint request timed out"}')
    # The function's own timeout is an error of the function.
    late = ask(server, api, "/failed", {"do": "hang"})
    assert late.status == 408
    assert "Task timed out after 1.00 seconds" in late.body.decode()


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/forbidden", "Invalid permissions on Lambda function"),
        ("/missing", "nobody"),
        ("/wrong", "needs integrationHttpMethod POST"),
    ],
)
def test_functions_that_cannot_be_invoked(server: Server, api: str, path: str, logged: str) -> None:
    answer = ask(server, api, path, {})
    assert (answer.status, answer.body) == (500, b'{"message": "Internal server error"}')
    server.wait_for(logged)


def test_without_a_role_the_functions_policy_decides(server: Server) -> None:
    arn = make_function(server, "guarded-event", CODE)
    made = Functions(server)
    made.custom("/a/{x}", arn, credentials=None)
    made.custom("/b", arn, credentials=None)
    api = made.deploy()
    server.client("lambda").add_permission(
        FunctionName="guarded-event",
        StatementId="a",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:000000000000:{api}/prod/POST/a/*",
    )
    assert ask(server, api, "/a/1", {"n": 1}).json == {"n": 1}
    assert ask(server, api, "/b", {}).status == 500


def test_events_run_after_the_answer(server: Server, api: str, backend: Backend) -> None:
    told: dict[str, Any] = {"do": "tell", "url": backend.url, "what": "static"}
    answer = ask(server, api, "/event", told)
    assert (answer.status, answer.json) == (200, {"body": "{}", "json": {}, "x": ""})
    assert answer.header("Version") is None
    assert ask(server, api, "/overridden", {**told, "what": "overridden"}).status == 202
    assert ask(server, api, "/mapped", {**told, "what": "mapped"}, InvocationType="Event").body == b""
    both = ask(server, api, "/mapped", {"n": 1}, InvocationType="RequestResponse")
    assert (both.json, both.header("Version")) == ({"n": 1}, "$LATEST")
    assert ask(server, api, "/mapped", {"n": 2}).json == {"n": 2}
    assert ask(server, api, "/mapped", {}, InvocationType="Perhaps").status == 500
    server.wait_for("does not support the invocation type Perhaps")
    bodies = {backend.next().body for _ in range(3)}
    assert bodies == {b"static", b"mapped", b"overridden"}


def test_what_else_invoke_takes(server: Server, api: str) -> None:
    context = base64.b64encode(b'{"custom": {"from": "client"}}').decode()
    answer = ask(server, api, "/more?version=1", {"do": "context"}, **{"Client-Context": context})
    assert answer.json == {"from": "client"}
    assert answer.header("Version") == "1"
    log = ask(server, api, "/more", {}).header("Log")
    assert log is not None
    assert "seen" in base64.b64decode(log).decode()
    assert ask(server, api, "/more", {}, **{"Client-Context": "no base64"}).status == 500
    assert ask(server, api, "/more?version=99", {}).status == 500
