"""How a request finds its API and stage, and what it gets when it does not."""

from __future__ import annotations

import http.client
import json
import re

import pytest

from tests.support.running import ApiBuilder, Server

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def api(server: Server) -> str:
    builder = ApiBuilder(server).mock("/pets", "GET", '{"ok":true}').mock("/", "GET", "root")
    return builder.deploy("prod")


def test_every_form_of_address(server: Server, api: str) -> None:
    hosts = (
        f"{api}.execute-api.us-east-1.amazonaws.com",
        f"{api}.execute-api.localhost:{server.port}",
        f"{api}.execute-api.eu-west-1.my.own.suffix:8443",
    )
    for host in hosts:
        answer = server.request("GET", "/prod/pets", headers={"Host": host})
        assert (answer.status, answer.body) == (200, b'{"ok":true}'), host
    assert server.request("GET", f"/_aws/execute-api/{api}/prod/pets").body == b'{"ok":true}'
    assert server.request("GET", f"/restapis/{api}/prod/_user_request_/pets").body == b'{"ok":true}'
    assert server.request("GET", f"/restapis/{api}/prod/_user_request_").body == b"root"
    assert server.request("GET", "/prod/pets", headers={"x-apigw-api-id": api}).body == b'{"ok":true}'
    assert server.call(api, "/prod").body == b"root"
    assert server.call(api, "/prod/").body == b"root"


def test_headers_of_every_answer(server: Server, api: str) -> None:
    answer = server.call(api, "/prod/pets")
    assert re.fullmatch(UUID, answer.header("x-amzn-RequestId") or "")
    assert re.fullmatch(r"[\w-]{15}=", answer.header("x-amz-apigw-id") or "")
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Connection") == "keep-alive"
    assert answer.header("Content-Length") == "11"
    assert answer.header("Date")
    assert answer.header("X-Amzn-Trace-Id") is None  # AWS: not on MOCK
    given = "11111111-2222-3333-4444-555555555555"
    assert server.call(api, "/prod/pets", headers={"x-amzn-RequestId": given}).header("x-amzn-RequestId") == given
    assert server.call(api, "/prod/pets", headers={"x-amzn-RequestId": "mine"}).header("x-amzn-RequestId") != "mine"


@pytest.mark.parametrize(
    ("target", "method", "status", "error", "body"),
    [
        ("/nostage/pets", "GET", 403, "ForbiddenException", '{"message":"Forbidden"}'),
        ("/", "GET", 403, "ForbiddenException", '{"message":"Forbidden"}'),
        ("/prod/no", "GET", 403, "MissingAuthenticationTokenException", '{"message":"Missing Authentication Token"}'),
        ("/prod/pets", "PUT", 403, "MissingAuthenticationTokenException", '{"message":"Missing Authentication Token"}'),
        ("/prod/pets", "HEAD", 403, "MissingAuthenticationTokenException", ""),
        ("/prod/" + "x" * 11_000, "GET", 414, "RequestURITooLongException", '{"message":"Request URI too long"}'),
    ],
)
def test_refusals(server: Server, api: str, target: str, method: str, status: int, error: str, body: str) -> None:
    answer = server.call(api, target, method=method)
    assert (answer.status, answer.header("x-amzn-ErrorType"), answer.body.decode()) == (status, error, body)
    assert answer.header("x-amzn-RequestId")


def test_limits(server: Server, api: str) -> None:
    answer = server.call(api, "/prod/pets", headers={"X-Long": "x" * 11_000})
    assert answer.status == 431
    large = server.call(api, "/prod/pets", method="POST", body=b"x" * (10 * 1024 * 1024 + 1))
    assert (large.status, large.body) == (413, b"HTTP content length exceeded 10485760 bytes.")
    assert large.header("Content-Type") == "text/plain"
    just = server.call(api, "/prod/pets", method="GET", body=b"x" * (10 * 1024 * 1024))
    assert just.status == 200


def test_unknown_api(server: Server) -> None:
    assert server.call("nosuchapi0", "/prod/pets").json == {"message": "Forbidden"}


def test_disabled_default_endpoint(server: Server) -> None:
    api = ApiBuilder(server, disableExecuteApiEndpoint=True).mock("/", "GET").deploy()
    assert server.call(api, "/prod/").json == {"message": "Forbidden"}


def test_method_override(server: Server) -> None:
    api = ApiBuilder(server).mock("/x", "DELETE", "deleted").deploy()
    answer = server.call(api, "/prod/x", method="POST", headers={"X-HTTP-Method-Override": "DELETE"})
    assert answer.body == b"deleted"


def test_a_change_is_live_only_after_a_deployment(server: Server) -> None:
    builder = ApiBuilder(server).mock("/x", "GET", "one")
    api = builder.deploy()
    builder.client.update_integration_response(
        restApiId=api, resourceId=builder.resources["/x"], httpMethod="GET", statusCode="200",
        patchOperations=[{"op": "replace", "path": "/responseTemplates/application~1json", "value": "two"}],
    )  # fmt: skip
    assert server.call(api, "/prod/x").body == b"one"
    second = builder.client.create_deployment(restApiId=api)["id"]
    assert server.call(api, "/prod/x").body == b"one"
    move = [{"op": "replace", "path": "/deploymentId", "value": second}]
    builder.client.update_stage(restApiId=api, stageName="prod", patchOperations=move)
    assert server.call(api, "/prod/x").body == b"two"
    builder.client.delete_stage(restApiId=api, stageName="prod")
    assert server.call(api, "/prod/x").status == 403


def test_redeploying_under_traffic_drops_no_request(server: Server) -> None:
    builder = ApiBuilder(server).mock("/x", "GET", "0")
    api = builder.deploy()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    seen = []
    for turn in range(1, 6):
        builder.client.update_integration_response(
            restApiId=api, resourceId=builder.resources["/x"], httpMethod="GET", statusCode="200",
            patchOperations=[{"op": "replace", "path": "/responseTemplates/application~1json", "value": str(turn)}],
        )  # fmt: skip
        for _ in range(20):
            connection.request("GET", "/prod/x", headers={"Host": f"{api}.execute-api.us-east-1.amazonaws.com"})
            answer = connection.getresponse()
            assert answer.status == 200
            seen.append(int(answer.read()))
        builder.deploy()
    assert seen == sorted(seen)
    assert set(seen) == {0, 1, 2, 3, 4}


def test_throttling(server: Server) -> None:
    builder = ApiBuilder(server).mock("/x", "GET")
    api = builder.deploy()
    builder.client.update_stage(
        restApiId=api,
        stageName="prod",
        patchOperations=[
            {"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "0.001"},
            {"op": "replace", "path": "/*/*/throttling/burstLimit", "value": "2"},
        ],
    )
    answers = [server.call(api, "/prod/x") for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 429, 429]
    assert answers[2].json == {"message": "Too Many Requests"}
    assert answers[2].header("x-amzn-ErrorType") == "TooManyRequestsException"


def test_access_log(server: Server, api: str) -> None:
    answer = server.call(api, '/prod/pets?a="b')
    wanted = answer.header("x-amzn-RequestId") or "none"
    line = server.wait_for(wanted, among=server.access_log)
    logged = json.loads(line)
    assert {name: logged[name] for name in ("api", "stage", "httpMethod", "path", "resourcePath", "status")} == {
        "api": api,
        "stage": "prod",
        "httpMethod": "GET",
        "path": "/prod/pets",
        "resourcePath": "/pets",
        "status": 200,
    }
    builder = ApiBuilder(server).mock("/x", "GET")
    own = builder.deploy()
    log_format = "$context.requestId $context.status $context.identity.userAgent"
    change = [{"op": "replace", "path": "/accessLogSettings/format", "value": log_format}]
    builder.client.update_stage(restApiId=own, stageName="prod", patchOperations=change)
    wrong = log_format + " $context.error.responseType: $context.error.message"
    change[0]["value"] = wrong
    builder.client.update_stage(restApiId=own, stageName="prod", patchOperations=change)
    missing = server.call(own, "/prod/no").header("x-amzn-RequestId") or "none"
    told = server.wait_for(missing, among=server.access_log)
    assert told.endswith(" MISSING_AUTHENTICATION_TOKEN: Missing Authentication Token")
    change[0]["value"] = log_format
    builder.client.update_stage(restApiId=own, stageName="prod", patchOperations=change)
    answer = server.call(own, "/prod/x", headers={"User-Agent": "me/1"})
    wanted = answer.header("x-amzn-RequestId") or "none"
    assert server.wait_for(wanted, among=server.access_log) == f"{wanted} 200 me/1"


def test_metrics(server: Server, api: str) -> None:
    server.call(api, "/prod/pets")
    text = server.request("GET", "/_tidegate/metrics").body.decode()
    assert re.search(rf'tidegate_requests_total\{{api="{api}",stage="prod"\}} [1-9]', text)
    assert "tidegate_function_workers " in text


def test_health_and_foreign_sites(server: Server) -> None:
    assert server.request("GET", "/_tidegate/health").json["status"] == "ok"
    foreign = server.request("POST", "/_tidegate/reset", headers={"Origin": "https://evil.example"})
    assert foreign.status == 403
