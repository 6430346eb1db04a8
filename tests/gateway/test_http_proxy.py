"""HTTP_PROXY: what a backend receives, and what of its answer a client gets (the tables of the facts)."""

from __future__ import annotations

import re
import socket
from urllib.parse import quote

import pytest

from tests.support.backend import Backend
from tests.support.running import ApiBuilder, Server


def test_what_the_backend_receives(server: Server, backend: Backend) -> None:
    api = ApiBuilder(server).proxy_to("/pets", "POST", f"{backend.url}/api/pets?fixed=1").deploy()
    answer = server.call(
        api,
        "/prod/pets?a=1&b=x%20y&a=2",
        method="POST",
        body=b'{"name":"Rex"}',
        headers={
            "Content-Type": "application/json",
            "X-Custom": "kept Case",
            "User-Agent": "test",
            "X-Forwarded-For": "9.9.9.9",
            "Via": "1.1 somebody",
            "Content-MD5": "x",
            "TE": "trailers",
            "Authorization": "Bearer t",
        },
    )
    assert answer.status == 200
    got = backend.received[0]
    assert (got.method, got.target, got.body) == ("POST", "/api/pets?fixed=1&a=1&b=x%20y&a=2", b'{"name":"Rex"}')
    assert got.header("Host") == backend.url.removeprefix("http://")
    assert got.header("X-Custom") == "kept Case"
    assert "X-Custom" in dict(got.headers)
    assert got.header("User-Agent") == "test"
    assert got.header("x-amzn-apigateway-api-id") == api
    assert got.header("X-Forwarded-For") == "9.9.9.9, 127.0.0.1"
    assert got.header("X-Forwarded-Proto") == "http"
    assert got.header("X-Forwarded-Port") == "80"
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}", got.header("X-Amzn-Trace-Id") or "")
    assert got.header("Authorization") == "Bearer t"
    for dropped in ("Via", "Content-MD5", "TE"):
        assert got.header(dropped) is None
    assert answer.header("X-Amzn-Trace-Id") == got.header("X-Amzn-Trace-Id")


def test_what_the_client_gets(server: Server, backend: Backend) -> None:
    backend.answer = lambda _: (
        201,
        [
            ("Content-Type", "text/x; charset=a"),
            ("X-Two", "1"),
            ("X-Two", "2"),
            ("Set-Cookie", "a=b"),
            ("Connection", "keep-alive"),
            ("WWW-Authenticate", "Basic"),
            ("Via", "1.1 x"),
            ("x-amzn-RequestId", "theirs"),
            ("ETag", '"e"'),
        ],
        b"made",
    )
    api = ApiBuilder(server).proxy_to("/p", "GET", backend.url).deploy()
    answer = server.call(api, "/prod/p")
    assert (answer.status, answer.body) == (201, b"made")
    assert answer.all("X-Two") == ["1", "2"]
    assert answer.header("Content-Type") == "text/x; charset=a"
    assert answer.header("ETag") == '"e"'
    assert answer.header("x-amzn-Remapped-Connection") == "keep-alive"
    assert answer.header("x-amzn-Remapped-WWW-Authenticate") == "Basic"
    assert answer.header("x-amzn-Remapped-x-amzn-RequestId") == "theirs"
    assert answer.header("x-amzn-Remapped-Date")
    assert answer.header("x-amzn-Remapped-Server")
    assert answer.header("x-amzn-Remapped-Content-Length") == "4"
    assert answer.header("Via") is None
    assert len(answer.all("Date")) == len(answer.all("Content-Length")) == len(answer.all("Connection")) == 1
    assert len(answer.all("x-amzn-RequestId")) == 1


def test_greedy_path_and_any(server: Server, backend: Backend) -> None:
    builder = ApiBuilder(server).proxy_to(
        "/{proxy+}",
        "ANY",
        f"{backend.url}/base/{{proxy}}",
        backend_verb="ANY",
        declare={"method.request.path.proxy": True},
        requestParameters={"integration.request.path.proxy": "method.request.path.proxy"},
    )
    api = builder.deploy()
    for method, target, expected in (
        ("GET", "/prod/a/b", "/base/a/b"),
        ("DELETE", "/prod/a//b/", "/base/a//b"),
        ("PATCH", "/prod/a%2Fb/c%20d", "/base/a%2Fb/c%20d"),
        ("GET", "/prod/" + quote("ü"), "/base/" + quote("ü")),
        ("HEAD", "/prod/h", "/base/h"),
    ):
        answer = server.call(api, target, method=method)
        assert answer.status == 200, target
        assert (backend.received[-1].method, backend.received[-1].target) == (method, expected)
    assert answer.body == b""


def test_mapped_parameters(server: Server, backend: Backend) -> None:
    builder = ApiBuilder(server).proxy_to(
        "/pets/{id}",
        "GET",
        f"{backend.url}/v2/{{petId}}",
        declare={
            "method.request.path.id": True,
            "method.request.querystring.q": False,
            "method.request.header.Nope": False,
        },
        requestParameters={
            "integration.request.path.petId": "method.request.path.id",
            "integration.request.querystring.search": "method.request.querystring.q",
            "integration.request.header.X-Static": "'fixed value'",
            "integration.request.header.X-Stage": "stageVariables.which",
            "integration.request.header.X-Api": "context.apiId",
            "integration.request.header.User-Agent": "'mapped'",
            "integration.request.header.X-Missing": "method.request.header.Nope",
        },
    )
    api = builder.deploy("prod", variables={"which": "blue"})
    server.call(api, "/prod/pets/7?q=a%26b&other=1", headers={"User-Agent": "client", "X-Static": "spoofed"})
    got = backend.received[0]
    assert got.target == "/v2/7?search=a%26b&q=a%26b&other=1"
    assert [value for name, value in got.headers if name.lower() == "x-static"] == ["fixed value"]
    assert (got.header("X-Stage"), got.header("X-Api"), got.header("User-Agent")) == ("blue", api, "mapped")
    assert got.header("X-Missing") is None


def test_stage_variables_in_the_uri(server: Server, backend: Backend) -> None:
    host = backend.url.removeprefix("http://")
    builder = ApiBuilder(server).proxy_to("/x", "GET", "http://${stageVariables.host}/v")
    api = builder.deploy("prod", variables={"host": host})
    assert server.call(api, "/prod/x").status == 200
    builder.deploy("unset")
    missing = server.call(api, "/unset/x")
    assert (missing.status, missing.body) == (500, b'{"message": "Internal server error"}')


def test_a_client_without_user_agent(server: Server, backend: Backend) -> None:
    api = ApiBuilder(server).proxy_to("/x", "GET", backend.url).deploy()
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        host = f"{api}.execute-api.us-east-1.amazonaws.com"
        client.sendall(f"GET /prod/x HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        while client.recv(65536):
            pass
    assert backend.received[0].header("User-Agent") == f"AmazonAPIGateway_{api}"
    assert backend.received[0].header("Content-Length") is None


def test_redirects_are_not_followed(server: Server, backend: Backend) -> None:
    backend.answer = lambda _: (302, [("Location", "http://elsewhere.example/")], b"")
    api = ApiBuilder(server).proxy_to("/x", "GET", backend.url).deploy()
    answer = server.call(api, "/prod/x")
    assert (answer.status, answer.header("Location")) == (302, "http://elsewhere.example/")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("what", ["refused", "silent", "garbage", "unresolvable"])
def test_failing_backends(server: Server, what: str) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = free_port() if what == "refused" else listener.getsockname()[1]
    uri = f"http://127.0.0.1:{port}/" if what != "unresolvable" else "http://no.such.host.invalid/"
    api = ApiBuilder(server).proxy_to("/x", "GET", uri, timeoutInMillis=200).deploy()
    if what == "garbage":
        import threading

        def answer() -> None:
            peer, _ = listener.accept()
            peer.recv(65536)
            peer.sendall(b"nonsense\r\n\r\n")
            peer.close()

        threading.Thread(target=answer, daemon=True).start()
    got = server.call(api, "/prod/x")
    listener.close()
    assert got.status == 504
    expected = "Endpoint request timed out" if what == "silent" else "Network error communicating with endpoint"
    assert got.body.decode() == f'{{"message": "{expected}"}}'
    assert got.header("x-amzn-ErrorType") == "InternalServerErrorException"


def test_a_mapped_value_cannot_add_a_header(server: Server, backend: Backend) -> None:
    api = (
        ApiBuilder(server)
        .proxy_to(
            "/x/{v}",
            "GET",
            backend.url,
            declare={"method.request.path.v": True},
            requestParameters={"integration.request.header.X-V": "method.request.path.v"},
        )
        .deploy()
    )
    server.call(api, "/prod/x/a%0d%0aX-Evil:%201")
    got = backend.received[0]
    assert got.header("X-Evil") is None
    assert got.header("X-V") == "a  X-Evil: 1"


def test_one_connection_to_two_methods_in_turn(server: Server, backend: Backend) -> None:
    """What is remembered of a connection's head belongs to one method: each gets its own headers."""
    builder = ApiBuilder(server)
    for name in ("a", "b"):
        mapped = {"integration.request.header.User-Agent": f"'{name}'"} if name == "a" else {}
        builder.proxy_to(f"/{name}", "GET", f"{backend.url}/{name}", requestParameters=mapped)
    api = builder.deploy()
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        for name in ("a", "a", "b", "a", "b", "b", "a"):
            client.sendall(f"GET /prod/{name} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: mine\r\n\r\n".encode())
            seen = b""
            while b"\r\n\r\n" not in seen or not seen.rstrip().endswith(b"}"):
                seen += client.recv(65536)
    assert [(got.target, got.header("User-Agent")) for got in backend.received] == [
        (f"/{name}", "a" if name == "a" else "mine") for name in ("a", "a", "b", "a", "b", "b", "a")
    ]


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_api_calls_another_by_its_name_at_aws(server: Server, scheme: str) -> None:
    called = ApiBuilder(server).mock("/", "GET", '{"scheme": "$context.domainName"}').deploy()
    name = f"{called}.execute-api.us-east-1.amazonaws.com"
    caller = ApiBuilder(server).proxy_to("/", "GET", f"{scheme}://{name}/prod/").deploy()
    answer = server.call(caller, "/prod/")
    assert (answer.status, answer.json) == (200, {"scheme": name})
