"""Cases that a line-by-line reading of the facts turned up: header tables both ways, MOCK's media types, odd addresses."""

from __future__ import annotations

import json

import pytest

from tests.support.backend import Backend
from tests.support.running import ApiBuilder, Server, make_function

ECHO = "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"
SIGNED = "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture(scope="module")
def echo(server: Server) -> str:
    arn = make_function(server, "review-echo", ECHO)
    server.client("lambda").add_permission(
        FunctionName="review-echo",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    return ApiBuilder(server).function("/x", "ANY", arn).deploy()


def test_what_an_event_does_not_carry(server: Server, echo: str) -> None:
    dropped = {
        "Content-MD5": "x", "Max-Forwards": "1", "Proxy-Authenticate": "x", "Server": "x", "TE": "trailers",
        "x-forwarded-proto": "https", "x-amzn-trace-id": "Self=1", "X-HTTP-Method-Override": "PUT", "Authorization": SIGNED,
    }  # fmt: skip
    headers = server.call(echo, "/prod/x", method="POST", body=b"{}", headers=dropped).json["headers"]
    lower = [name.lower() for name in headers]
    assert len(lower) == len(set(lower))
    assert headers["X-Forwarded-Proto"] == "http"
    gone = {
        "content-md5",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "x-http-method-override",
        "authorization",
    }
    assert not gone & set(lower)
    assert not {"connection", "content-length"} & set(lower)
    kept = server.call(echo, "/prod/x", headers={"Authorization": "Bearer t"}).json["headers"]
    assert kept["Authorization"] == "Bearer t"


def test_the_path_forms_have_the_api_s_own_domain(server: Server, echo: str) -> None:
    context = server.request("GET", f"/_aws/execute-api/{echo}/prod/x").json["requestContext"]
    assert (context["domainPrefix"], context["domainName"]) == (echo, f"{echo}.execute-api.us-east-1.amazonaws.com")


def test_hosts(server: Server, echo: str) -> None:
    upper = f"{echo.upper()}.EXECUTE-API.us-east-1.amazonaws.com"
    assert server.request("GET", "/prod/x", headers={"Host": upper}).status == 200
    elsewhere = f"{echo}.execute-api.eu-west-1.amazonaws.com"
    assert server.request("GET", "/prod/x", headers={"Host": elsewhere}).json == {"message": "Forbidden"}


def test_a_foreign_authorization_at_no_method(server: Server, echo: str) -> None:
    answer = server.call(echo, "/prod/no", headers={"Authorization": "Bearer abc"})
    assert (answer.status, answer.header("x-amzn-ErrorType")) == (403, "IncompleteSignatureException")
    assert answer.json["message"].startswith(
        "Invalid key=value pair (missing equal-sign) in Authorization header (hashed"
    )
    signed = server.call(echo, "/prod/no", headers={"Authorization": SIGNED})
    assert signed.json == {"message": "Missing Authentication Token"}


def test_too_large_has_its_ids(server: Server, echo: str) -> None:
    answer = server.call(echo, "/prod/x", method="POST", body=b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status == 413
    assert answer.header("x-amzn-RequestId")
    assert answer.header("x-amz-apigw-id")


def test_mapped_headers_stand_alone(server: Server, backend: Backend) -> None:
    mapped = {
        "Host": "'other.example'",
        "X-Amzn-Trace-Id": "'mine'",
        "X-Forwarded-For": "'me'",
        "Expect": "'100-continue'",
    }
    parameters = {f"integration.request.header.{name}": value for name, value in mapped.items()}
    api = ApiBuilder(server).proxy_to("/x", "GET", backend.url, requestParameters=parameters).deploy()
    assert server.call(api, "/prod/x", headers={"Authorization": SIGNED}).status == 200
    got = [(name.lower(), value) for name, value in backend.received[0].headers]
    assert [value for name, value in got if name == "host"] == ["other.example"]
    assert [value for name, value in got if name == "x-amzn-trace-id"] == ["mine"]
    assert [value for name, value in got if name == "x-forwarded-for"] == ["me"]
    assert not [name for name, _ in got if name in ("expect", "authorization")]


def test_escaped_slashes_stay_escaped(server: Server, backend: Backend) -> None:
    names = ("x", "proxy")
    api = ApiBuilder(server).proxy_to(
        "/h/{x}/{proxy+}", "GET", f"{backend.url}/{{x}}/end/{{proxy}}",
        declare={f"method.request.path.{name}": True for name in names},
        requestParameters={f"integration.request.path.{name}": f"method.request.path.{name}" for name in names},
    ).deploy()  # fmt: skip
    server.call(api, "/prod/h/a%2Fb/a/b")
    assert backend.received[0].target == "/a%2Fb/end/a/b"


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding"])
def test_forbidden_targets_fail_every_request(server: Server, backend: Backend, name: str) -> None:
    parameters = {f"integration.request.header.{name}": "'1'"}
    api = ApiBuilder(server).proxy_to("/x", "GET", backend.url, requestParameters=parameters).deploy()
    assert server.call(api, "/prod/x").json == {"message": "Internal server error"}
    assert not backend.received


def test_the_media_type_of_a_mock(server: Server) -> None:
    def api(behavior: str, *types: str) -> str:
        builder = ApiBuilder(server).mock("/x", "POST", "answered")
        at = {"restApiId": builder.id, "resourceId": builder.resources["/x"], "httpMethod": "POST"}
        changes = [{"op": "replace", "path": "/passthroughBehavior", "value": behavior}]
        changes += [{"op": "remove", "path": "/requestTemplates/application~1json"}]
        for kind in types:
            path = f"/requestTemplates/{kind.replace('/', '~1')}"
            changes.append({"op": "add", "path": path, "value": '{"statusCode": 200}'})
        builder.client.update_integration(**at, patchOperations=changes)
        return builder.deploy()

    for behavior, types, sent, status in (
        ("NEVER", ("application/xml",), "application/xml", 200),
        ("NEVER", ("application/xml",), "text/plain", 415),
        ("NEVER", (), "text/plain", 415),
        ("WHEN_NO_TEMPLATES", ("application/xml",), "text/plain", 415),
        ("WHEN_NO_TEMPLATES", (), "text/plain", 200),
        ("WHEN_NO_MATCH", ("application/xml",), "text/plain", 200),
    ):
        answer = server.call(api(behavior, *types), "/prod/x", method="POST", body=b"x", headers={"Content-Type": sent})
        assert answer.status == status, (behavior, types, sent)
        if status == 415:
            assert answer.json == {"message": "Unsupported Media Type"}


def test_a_mock_without_its_method_response(server: Server) -> None:
    builder = ApiBuilder(server).mock("/x", "GET", Upgrade="'x'")
    assert server.call(builder.deploy(), "/prod/x").header("x-amzn-Remapped-Upgrade") == "x"
    at = {"restApiId": builder.id, "resourceId": builder.resources["/x"], "httpMethod": "GET", "statusCode": "200"}
    builder.client.delete_method_response(**at)
    assert server.call(builder.deploy(), "/prod/x").status == 500


def test_settings_of_one_verb_of_any(server: Server) -> None:
    builder = ApiBuilder(server).mock("/", "ANY")
    api = builder.deploy()
    limits = {"rateLimit": "0.001", "burstLimit": "1"}
    changes = [
        {"op": "replace", "path": f"/~1/GET/throttling/{name}", "value": value} for name, value in limits.items()
    ]
    builder.client.update_stage(restApiId=api, stageName="prod", patchOperations=changes)
    assert [server.call(api, "/prod/").status for _ in range(2)] == [200, 429]
    assert server.call(api, "/prod/", method="POST").status == 200


def test_results_that_http_cannot_carry(server: Server) -> None:
    arn = make_function(server, "review-answer", "import json\ndef handler(e, c):\n    return json.loads(e['body'])\n")
    server.client("lambda").add_permission(
        FunctionName="review-answer",
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    api = ApiBuilder(server, binaryMediaTypes=["image/png"]).function("/", "POST", arn).deploy()
    for value, status in (
        ({"statusCode": 101}, 502),
        ({"statusCode": "2_01"}, 502),
        ({"statusCode": 200, "headers": {"bad(name": "x"}}, 502),
        (
            {
                "statusCode": 200,
                "body": "no base64!",
                "isBase64Encoded": True,
                "headers": {"Content-Type": "image/png"},
            },
            500,
        ),
    ):
        answer = server.call(api, "/prod/", method="POST", body=json.dumps(value).encode())
        assert (answer.status, answer.body) == (status, b'{"message": "Internal server error"}'), value
        assert answer.header("x-amzn-RequestId")
