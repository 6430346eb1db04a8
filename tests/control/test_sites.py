"""Web pages of other sites, open in a browser that reaches the server, manage nothing; here nothing else keeps them out."""

from __future__ import annotations

import json

import pytest

from tests.support.running import Server

OTHER = {"Origin": "https://evil.example"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
USER = "Version=2010-05-08&Action=CreateUser&UserName=mallory"


def signed(service: str) -> str:
    """What needs no header, and so no question before it (preflight)."""
    return f"X-Amz-Credential=test/20261127/us-east-1/{service}/aws4_request"


@pytest.mark.parametrize(
    ("method", "path", "headers", "body"),
    [
        ("POST", "/", {**OTHER, **FORM}, USER),
        ("POST", "/", {"Origin": "null", **FORM}, USER),
        ("POST", "/", {"Origin": "http://[", **FORM}, USER),
        ("GET", f"/?{signed('iam')}&{USER}", {"Sec-Fetch-Site": "cross-site"}, ""),
        ("GET", f"/?{signed('iam')}&{USER}", {"Sec-Fetch-Site": "same-site"}, ""),
        ("POST", f"/restapis?{signed('apigateway')}", {**OTHER, "Content-Type": "text/plain"}, '{"name": "theirs"}'),
        ("POST", f"/2015-03-31/functions?{signed('lambda')}", {**OTHER, "Content-Type": "text/plain"}, "{}"),
        # The neighbours would allow any header to any page.
        ("OPTIONS", f"/?{signed('dynamodb')}", {**OTHER, "Access-Control-Request-Headers": "authorization"}, ""),
        # A name that somebody else's name server says is this machine's.
        ("POST", f"/restapis?{signed('apigateway')}", {"Origin": "http://evil.example", "Host": "evil.example"}, "{}"),
        ("GET", "/_tidegate/stacks", {"Sec-Fetch-Site": "cross-site"}, ""),
    ],
)
def test_pages_of_other_sites(server: Server, method: str, path: str, headers: dict[str, str], body: str) -> None:
    answer = server.request(method, path, headers=headers, body=body.encode())
    assert (answer.status, answer.json["message"]) == (403, "Requests from other sites are refused")


def test_others_get_in(server: Server) -> None:
    """The server's own pages, a click on the open health page, and clients that are no browsers."""
    own = {"Origin": f"http://127.0.0.1:{server.port}", "Sec-Fetch-Site": "same-origin"}
    made = server.request(
        "POST", f"/restapis?{signed('apigateway')}", headers=own, body=json.dumps({"name": "a"}).encode()
    )
    assert made.status == 201
    typed = server.request("GET", f"/restapis?{signed('apigateway')}", headers={"Sec-Fetch-Site": "none"})
    assert typed.status == 200
    assert server.request("GET", "/_tidegate/health", headers={"Sec-Fetch-Site": "cross-site"}).status == 200
