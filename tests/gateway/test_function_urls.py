"""Function URLs through the running program: addresses, events, results, CORS, who may call, streaming."""

from __future__ import annotations

import base64
import json
import shutil
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.running import Answer, Server, make_function, zip_of

_ECHO = "def handler(event, context):\n    return event\n"


def _open(server: Server, name: str, **options: Any) -> str:
    """A URL that everybody may call; gives back its id."""
    client = server.client("lambda")
    at = {key: value for key, value in options.items() if key == "Qualifier"}
    url = client.create_function_url_config(FunctionName=name, AuthType="NONE", **options)["FunctionUrl"]
    principal = {"FunctionName": name, "Principal": "*", **at}
    client.add_permission(**principal, StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE")
    client.add_permission(**principal, StatementId="invoke", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    return str(url.removeprefix("http://").partition(".")[0])


def _call(server: Server, url_id: str, target: str = "/", method: str = "GET", **options: Any) -> Answer:
    headers = {"Host": f"{url_id}.lambda-url.us-east-1.localhost:{server.port}", **options.pop("headers", {})}
    return server.request(method, target, headers=headers, **options)


@pytest.fixture(scope="module")
def echo(server: Server) -> str:
    make_function(server, "url-echo", _ECHO)
    return _open(server, "url-echo")


def test_life_of_a_url(server: Server) -> None:
    client = server.client("lambda")
    arn = make_function(server, "url-life", _ECHO)
    made = client.create_function_url_config(
        FunctionName="url-life", AuthType="NONE", Cors={"AllowOrigins": ["https://a.example"], "MaxAge": 60}
    )
    url_id = made["FunctionUrl"].removeprefix("http://").partition(".")[0]
    assert made["FunctionUrl"] == f"http://{url_id}.lambda-url.us-east-1.localhost:{server.port}/"
    assert (made["FunctionArn"], made["AuthType"], made["InvokeMode"]) == (arn, "NONE", "BUFFERED")
    with pytest.raises(client.exceptions.ResourceConflictException) as caught:
        client.create_function_url_config(FunctionName="url-life", AuthType="NONE")
    assert "FunctionUrlConfig exists for this Lambda function" in str(caught.value)
    found = client.get_function_url_config(FunctionName="url-life")
    assert found["Cors"] == {"AllowOrigins": ["https://a.example"], "MaxAge": 60}
    client.update_function_url_config(FunctionName="url-life", Cors={})
    assert "Cors" not in client.get_function_url_config(FunctionName="url-life")
    listed = client.list_function_url_configs(FunctionName="url-life")["FunctionUrlConfigs"]
    assert [one["FunctionUrl"] for one in listed] == [made["FunctionUrl"]]
    assert client.update_function_url_config(FunctionName="url-life", AuthType="AWS_IAM")["AuthType"] == "AWS_IAM"
    assert _call(server, url_id).status == 403
    client.delete_function_url_config(FunctionName="url-life")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_function_url_config(FunctionName="url-life")
    assert _call(server, url_id).status == 403


def test_a_url_goes_with_its_function(server: Server) -> None:
    make_function(server, "url-gone", _ECHO)
    url_id = _open(server, "url-gone")
    assert _call(server, url_id).status == 200
    server.client("lambda").delete_function(FunctionName="url-gone")
    assert _call(server, url_id).status == 403


def test_event(server: Server, echo: str) -> None:
    answer = _call(
        server,
        echo,
        "/a%20b/c?x=1&x=2&y=%26&z",
        "POST",
        body=b'{"k": 1}',
        headers={
            "Content-Type": "application/json",
            "Cookie": "one=1; two=2",
            "X-Many": "m",
            "User-Agent": "test",
        },
    )
    event = answer.json
    assert event["version"] == "2.0"
    assert (event["rawPath"], event["rawQueryString"]) == ("/a%20b/c", "x=1&x=2&y=%26&z")
    assert event["queryStringParameters"] == {"x": "1,2", "y": "&", "z": ""}
    assert event["cookies"] == ["one=1", "two=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"k": 1}', False)
    headers = event["headers"]
    assert (headers["x-many"], headers["x-forwarded-proto"], headers["user-agent"]) == ("m", "http", "test")
    assert headers["host"] == f"{echo}.lambda-url.us-east-1.on.aws"
    assert "cookie" not in headers
    context = event["requestContext"]
    assert context["http"] == {
        "method": "POST",
        "path": "/a%20b/c",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "test",
    }
    assert (context["accountId"], context["apiId"], context["domainPrefix"]) == ("anonymous", echo, echo)
    assert context["requestId"] == answer.header("x-amzn-requestid")


def test_bodies(server: Server, echo: str) -> None:
    binary = _call(server, echo, method="POST", body=b"\xff\x00", headers={"Content-Type": "image/png"}).json
    assert (binary["isBase64Encoded"], base64.b64decode(binary["body"])) == (True, b"\xff\x00")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert _call(server, echo, method="POST", body=b"a=1", headers=form).json["isBase64Encoded"] is True
    empty = _call(server, echo).json
    assert "body" not in empty
    assert empty["isBase64Encoded"] is False
    assert not {"cookies", "queryStringParameters"} & empty.keys()


def test_by_path(server: Server, echo: str) -> None:
    event = server.request("GET", f"/_aws/lambda-url/{echo}/deep/er?q=1").json
    assert (event["rawPath"], event["rawQueryString"]) == ("/deep/er", "q=1")
    assert server.request("GET", f"/_aws/lambda-url/{echo}").json["rawPath"] == "/"
    assert server.request("GET", "/_aws/lambda-url/nosuch/").status == 403
    elsewhere = {"Host": f"{echo}.lambda-url.eu-west-1.on.aws"}
    assert server.request("GET", "/", headers=elsewhere).status == 403


RESULTS: dict[str, tuple[str, int, str | None, bytes]] = {
    "whole": (
        "{'statusCode': 201, 'headers': {'Content-Type': 'text/plain', 'X-A': '1'}, 'body': 'text'}",
        201,
        "text/plain",
        b"text",
    ),
    "status only": ("{'statusCode': '204'}", 204, "application/json", b""),
    "object": ("{'a': [1]}", 200, "application/json", b'{"a": [1]}'),
    "string": ("'plain'", 200, "application/json", b"plain"),
    "null": ("None", 200, "application/json", b"null"),
    "base64": (
        "{'statusCode': 200, 'body': '/wA=', 'isBase64Encoded': True}",
        200,
        "application/json",
        b"\xff\x00",
    ),
    "no base64": ("{'statusCode': 200, 'body': '*', 'isBase64Encoded': True}", 502, None, b"Internal Server Error"),
    "no status": ("{'statusCode': 'x'}", 502, None, b"Internal Server Error"),
    "line break": (
        "{'statusCode': 200, 'headers': {'X-A': 'a\\r\\nX-B: b'}}",
        502,
        None,
        b"Internal Server Error",
    ),
    "failure": ("1 / 0", 502, None, b"Internal Server Error"),
}


@pytest.fixture(scope="module")
def results(server: Server) -> str:
    code = "def handler(event, context):\n    return eval(event['headers']['x-result'])\n"
    make_function(server, "url-results", code)
    return _open(server, "url-results")


@pytest.mark.parametrize("case", RESULTS)
def test_results(server: Server, results: str, case: str) -> None:
    expression, status, content_type, body = RESULTS[case]
    # A header holds no line break; the expression's own escapes make one.
    answer = _call(server, results, headers={"X-Result": expression.replace("\r", "\\r").replace("\n", "\\n")})
    assert (answer.status, answer.body) == (status, body)
    if content_type is not None:
        assert answer.header("content-type") == content_type


def test_cookies(server: Server, results: str) -> None:
    answer = _call(server, results, headers={"X-Result": "{'statusCode': 200, 'cookies': ['a=1; Secure', 'b=2']}"})
    assert answer.all("set-cookie") == ["a=1; Secure", "b=2"]


def test_who_may_call(server: Server) -> None:
    """AWS: two statements since October 2025."""
    client = server.client("lambda")
    make_function(server, "url-closed", _ECHO)
    url = client.create_function_url_config(FunctionName="url-closed", AuthType="NONE")["FunctionUrl"]
    url_id = url.removeprefix("http://").partition(".")[0]
    assert _call(server, url_id).status == 403
    open_to_all = {"FunctionName": "url-closed", "Principal": "*"}
    client.add_permission(
        **open_to_all, StatementId="url", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="NONE"
    )
    refused = _call(server, url_id)
    assert refused.status == 403
    assert refused.json["Message"].startswith("Forbidden.")
    server.wait_for("needs a policy that lets everybody do lambda:InvokeFunctionUrl and lambda:InvokeFunction")
    client.add_permission(
        **open_to_all, StatementId="invoke", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True
    )
    assert _call(server, url_id).status == 200


def test_alias(server: Server) -> None:
    client = server.client("lambda")
    make_function(server, "url-alias", "def handler(event, context):\n    return context.function_version\n")
    client.publish_version(FunctionName="url-alias")
    client.create_alias(FunctionName="url-alias", Name="live", FunctionVersion="1")
    url_id = _open(server, "url-alias", Qualifier="live")
    assert _call(server, url_id).body == b"1"
    with pytest.raises(client.exceptions.ClientError):
        client.create_function_url_config(FunctionName="url-alias:1", AuthType="NONE")
    client.delete_alias(FunctionName="url-alias", Name="live")
    assert _call(server, url_id).status == 403


def test_throttled(server: Server) -> None:
    make_function(server, "url-throttled", _ECHO)
    url_id = _open(server, "url-throttled")
    server.client("lambda").put_function_concurrency(FunctionName="url-throttled", ReservedConcurrentExecutions=0)
    answer = _call(server, url_id)
    assert answer.status == 429
    assert answer.json["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_cors(server: Server) -> None:
    code = (
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'headers': {'Access-Control-Allow-Origin': 'from-function'},\n"
        "            'body': event['requestContext']['http']['method']}\n"
    )
    make_function(server, "url-cors", code)
    cors = {
        "AllowOrigins": ["https://a.example"],
        "AllowMethods": ["GET", "PUT"],
        "AllowHeaders": ["x-a"],
        "ExposeHeaders": ["x-b"],
        "AllowCredentials": True,
        "MaxAge": 300,
    }
    url_id = _open(server, "url-cors", Cors=cors)
    ours = {"Origin": "https://a.example"}
    preflight = _call(server, url_id, method="OPTIONS", headers={**ours, "Access-Control-Request-Method": "PUT"})
    assert (preflight.status, preflight.body) == (200, b"")
    wanted = {
        "access-control-allow-origin": "https://a.example",
        "access-control-allow-methods": "GET,PUT",
        "access-control-allow-headers": "x-a",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "300",
    }
    assert {name: preflight.header(name) for name in wanted} == wanted
    answer = _call(server, url_id, headers=ours)
    assert answer.all("access-control-allow-origin") == ["https://a.example"]
    assert answer.header("access-control-expose-headers") == "x-b"
    other = _call(server, url_id, headers={"Origin": "https://b.example"})
    assert other.all("access-control-allow-origin") == ["from-function"]
    # What is no preflight goes to the function.
    assert _call(server, url_id, method="OPTIONS", headers=ours).body == b"OPTIONS"


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")
def test_streaming(server: Server) -> None:
    client = server.client("lambda")
    code = (
        "exports.handler = awslambda.streamifyResponse(async (event, stream) => {\n"
        "  const out = awslambda.HttpResponseStream.from(stream, {\n"
        "    statusCode: 202, headers: {'Content-Type': 'text/plain', 'X-A': '1'}, cookies: ['a=1'] });\n"
        "  for (const part of ['one ', 'two ', 'three']) out.write(part);\n"
        "  out.end();\n"
        "});\n"
    )
    client.create_function(
        FunctionName="url-stream",
        Runtime="nodejs22.x",
        Handler="index.handler",
        Role="arn:aws:iam::000000000000:role/r",
        Code={"ZipFile": zip_of({"index.js": code})},
    )
    url_id = _open(server, "url-stream", InvokeMode="RESPONSE_STREAM")
    answer = _call(server, url_id)
    assert (answer.status, answer.body) == (202, b"one two three")
    assert (answer.header("content-type"), answer.header("x-a")) == ("text/plain", "1")
    assert answer.header("set-cookie") == "a=1"
    make_function(server, "url-unstreamed", "def handler(event, context):\n    return {'a': 1}\n")
    whole = _call(server, _open(server, "url-unstreamed", InvokeMode="RESPONSE_STREAM"))
    assert (whole.status, json.loads(whole.body)) == (200, {"a": 1})


def _signed(server: Server, url_id: str, key: str, secret: str, service: str = "lambda") -> Answer:
    host = f"{url_id}.lambda-url.us-east-1.localhost:{server.port}"
    request = AWSRequest("GET", f"http://{host}/", headers={"Host": host})
    SigV4Auth(Credentials(key, secret), service, "us-east-1").add_auth(request)
    return server.request("GET", "/", headers=dict(request.headers.items()))


def test_signed_urls(server: Server) -> None:
    """The root of the account may; a user may what policies of its own or the function's say, and both actions are needed."""
    client, iam = server.client("lambda"), server.client("iam")
    arn = make_function(server, "url-signed", _ECHO)
    url = client.create_function_url_config(FunctionName="url-signed", AuthType="AWS_IAM")["FunctionUrl"]
    url_id = str(url.removeprefix("http://").partition(".")[0])
    assert _call(server, url_id).status == 403
    answer = _signed(server, url_id, "test", "test")
    assert (answer.status, answer.json["requestContext"]["accountId"]) == (200, "000000000000")
    assert answer.json["requestContext"]["authorizer"]["iam"]["userArn"] == "arn:aws:iam::000000000000:root"
    wrong = _signed(server, url_id, "test", "wrong")
    assert (wrong.status, "signature we calculated does not match" in wrong.json["message"]) == (403, True)
    assert _signed(server, url_id, "test", "test", service="execute-api").status == 403

    user = iam.create_user(UserName="url-user")["User"]
    key = iam.create_access_key(UserName="url-user")["AccessKey"]
    mine = (key["AccessKeyId"], key["SecretAccessKey"])
    assert _signed(server, url_id, *mine).status == 403
    permission = {"FunctionName": "url-signed", "Principal": user["Arn"]}
    client.add_permission(
        **permission, StatementId="u", Action="lambda:InvokeFunctionUrl", FunctionUrlAuthType="AWS_IAM"
    )
    assert _signed(server, url_id, *mine).status == 403
    client.add_permission(**permission, StatementId="i", Action="lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    told = _signed(server, url_id, *mine)
    assert (told.status, told.json["requestContext"]["authorizer"]["iam"]["userId"]) == (200, user["UserId"])
    client.remove_permission(FunctionName="url-signed", StatementId="u")
    assert _signed(server, url_id, *mine).status == 403
    statement = {"Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_user_policy(UserName="url-user", PolicyName="p", PolicyDocument=document)
    assert _signed(server, url_id, *mine).status == 200
