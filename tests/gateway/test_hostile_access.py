"""What must not get in, on the running program: requests altered after they were signed, paths that mean one thing to a policy
and another behind it, addresses that a client only claims. Each set begins with a request that is let in.
"""

from __future__ import annotations

import json
import posixpath
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.backend import Backend
from tests.support.running import ApiBuilder, Server, lambda_uri, make_function


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def to(self, server: Server) -> tuple[int, dict[str, str], bytes]:
        lines = [f"{self.method} {self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        framing = "" if any(name.lower() == "content-length" for name, _ in self.headers) else f"{len(self.body)}"
        if framing:
            lines.append(f"Content-Length: {framing}")
        head = "\r\n".join((*lines, "Connection: close", "", "")).encode("latin-1")
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(head + self.body)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        top, _, body = answer.partition(b"\r\n\r\n")
        first, *fields = top.decode("latin-1").split("\r\n")
        found = dict(field.split(": ", 1) for field in fields)
        return int(first.split(" ")[1]), {name.lower(): value for name, value in found.items()}, body

    def changed(self, name: str, value: str | None) -> Sent:
        """Another value of a header; None: without it."""
        kept = [(key, old if key.lower() != name.lower() else value) for key, old in self.headers]
        return replace(self, headers=tuple((key, text) for key, text in kept if text is not None))

    def also(self, name: str, value: str) -> Sent:
        return replace(self, headers=(*self.headers, (name, value)))


@pytest.fixture(scope="module")
def judged() -> Iterator[Backend]:
    """The backend behind all APIs of this module."""
    running = Backend().start()
    yield running
    running.stop()


# --- signatures -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def guarded(server: Server, judged: Backend) -> str:
    """An API of which every method asks for a signature."""
    api = ApiBuilder(server)
    for path in ("/s", "/t", "/deep/{proxy+}"):
        integration = {"type": "HTTP_PROXY", "integrationHttpMethod": "ANY", "uri": f"{judged.url}{path}"}
        if "{" in path:
            integration["requestParameters"] = {"integration.request.path.proxy": "method.request.path.proxy"}  # type: ignore[assignment]
        options = {"requestParameters": {"method.request.path.proxy": True}} if "{" in path else {}
        api.method(path, "ANY", integration, authorizationType="AWS_IAM", **options)
    return api.deploy()


def signed(
    api: str,
    path: str = "/prod/deep/s",
    query: str = "a=1",
    *,
    method: str = "POST",
    service: str = "execute-api",
    region: str = "us-east-1",
    presign: int | None = None,
    ago: timedelta = timedelta(),
    key: str = "test",
    secret: str = "test",
    **headers: str,
) -> Sent:
    host = f"{api}.execute-api.us-east-1.amazonaws.com"
    body = b"" if presign else b"body"
    given = {"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = AWSRequest(method=method, url=f"https://{host}{path}?{query}", data=body, headers=given)
    moment = (datetime.now(UTC) - ago).replace(tzinfo=None)
    with patch("botocore.auth.get_current_datetime", lambda *_, **__: moment):
        if presign is None:
            botocore.auth.SigV4Auth(Credentials(key, secret), service, region).add_auth(request)
        else:
            botocore.auth.SigV4QueryAuth(Credentials(key, secret), service, region, expires=presign).add_auth(request)
    parts = urlsplit(request.url)
    return Sent(method, f"{parts.path}?{parts.query}", tuple(request.headers.items()), body)


def on_target(old: str, new: str) -> Callable[[Sent], Sent]:
    def change(sent: Sent) -> Sent:
        assert old in sent.target
        return replace(sent, target=sent.target.replace(old, new, 1))

    return change


def on_authorization(old: str, new: str) -> Callable[[Sent], Sent]:
    def change(sent: Sent) -> Sent:
        value = dict(sent.headers)["Authorization"]
        assert old in value
        return sent.changed("Authorization", value.replace(old, new, 1))

    return change


MISMATCH = "InvalidSignatureException"
INCOMPLETE = "IncompleteSignatureException"
ALTERED: dict[str, tuple[Callable[[Sent], Sent], str]] = {
    "another method": (lambda sent: replace(sent, method="DELETE"), MISMATCH),
    "another method by a header": (lambda sent: sent.also("X-HTTP-Method-Override", "DELETE"), MISMATCH),
    "another path": (on_target("/s?", "/t?"), MISMATCH),
    "a longer path": (on_target("/s?", "/s/t?"), MISMATCH),
    "another case": (on_target("/s?", "/S?"), MISMATCH),
    "another stage": (on_target("/prod/", "/PROD/"), "ForbiddenException"),
    "dots in the path": (on_target("/s?", "/t/../s?"), MISMATCH),
    "one dot in the path": (on_target("/deep/s?", "/./deep/s?"), "MissingAuthenticationTokenException"),
    "escaped dots": (on_target("/s?", "/t/%2e%2e/s?"), MISMATCH),
    "an escaped letter": (on_target("/s?", "/%73?"), MISMATCH),
    "an escaped slash": (on_target("/deep/s", "/deep%2Fs"), "MissingAuthenticationTokenException"),
    "a parameter of a segment": (on_target("/s?", "/s;x=1?"), MISMATCH),
    "a slash at the end": (on_target("/s?", "/s/?"), MISMATCH),
    "another argument": (on_target("a=1", "a=2"), MISMATCH),
    "an argument more": (on_target("a=1", "a=1&b=2"), MISMATCH),
    "an argument twice": (on_target("a=1", "a=1&a=1"), MISMATCH),
    "an argument behind a semicolon": (on_target("a=1", "a=1;b=2"), MISMATCH),
    "no query": (on_target("?a=1", ""), MISMATCH),
    "another body": (lambda sent: replace(sent, body=b"BODY"), MISMATCH),
    "no body": (lambda sent: replace(sent, body=b""), MISMATCH),
    "a body that claims to be unsigned": (
        lambda sent: replace(sent.also("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"), body=b"BODY"),
        MISMATCH,
    ),
    "a body that claims the old hash": (
        lambda sent: replace(
            sent.also("X-Amz-Content-SHA256", "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"),
            body=b"BODY",
        ),
        MISMATCH,
    ),
    "another value of a signed header": (lambda sent: sent.changed("X-Extra", "evil"), MISMATCH),
    "a signed header twice": (lambda sent: sent.also("X-Extra", "given"), MISMATCH),
    "a signed header left out": (lambda sent: sent.changed("X-Extra", None), MISMATCH),
    "a header less among the signed": (on_authorization(";x-extra", ""), MISMATCH),
    "a header more among the signed": (on_authorization("SignedHeaders=", "SignedHeaders=accept;"), MISMATCH),
    "no host among the signed": (on_authorization("SignedHeaders=host;", "SignedHeaders="), MISMATCH),
    "two hosts": (lambda sent: sent.also("Host", "evil.example.com"), ""),
    "another date": (lambda sent: sent.changed("X-Amz-Date", "20250101T000000Z"), MISMATCH),
    "no date": (lambda sent: sent.changed("X-Amz-Date", None), INCOMPLETE),
    "a date of another day": (on_authorization("/us-east-1/", "1/us-east-1/"), MISMATCH),
    "another region": (on_authorization("us-east-1", "eu-west-1"), MISMATCH),
    "another service": (on_authorization("execute-api", "s3"), MISMATCH),
    "another terminator": (on_authorization("aws4_request", "aws5_request"), MISMATCH),
    "another key": (on_authorization("Credential=test", "Credential=222222222222"), "AccessDeniedException"),
    "an unknown key": (on_authorization("Credential=test", "Credential=AKIDNOBODY"), "UnrecognizedClientException"),
    "another algorithm": (on_authorization("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"), INCOMPLETE),
    "no algorithm": (on_authorization("AWS4-HMAC-SHA256 ", ""), INCOMPLETE),
    "Signature Version 4A": (on_authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), INCOMPLETE),
    "an empty signature": (lambda sent: on_authorization(dict(sent.headers)["Authorization"][-64:], "")(sent), INCOMPLETE),
    "a shorter signature": (lambda sent: on_authorization(dict(sent.headers)["Authorization"][-8:], "")(sent), MISMATCH),
    "two signatures": (lambda sent: sent.also("Authorization", "AWS4-HMAC-SHA256 Credential=x"), INCOMPLETE),
    "a token beside the signature": (lambda sent: sent.also("authorization", "Bearer admin"), INCOMPLETE),
    "no signature": (lambda sent: sent.changed("Authorization", None), "MissingAuthenticationTokenException"),
    "a token instead": (lambda sent: sent.changed("Authorization", "Bearer abc"), INCOMPLETE),
}  # fmt: skip


@pytest.mark.parametrize("case", ALTERED)
def test_altered_after_signing(server: Server, guarded: str, judged: Backend, case: str) -> None:
    good = signed(guarded, X_Extra="given")
    change, kind = ALTERED[case]
    before = len(judged.received)
    status, headers, body = change(good).to(server)
    assert status in (400, 403), body
    assert headers.get("x-amzn-errortype", "") == kind
    assert len(judged.received) == before
    if case == "Signature Version 4A":
        assert b"Tidegate does not support Signature Version 4A" in body


def test_what_was_signed_gets_in(server: Server, guarded: str, judged: Backend) -> None:
    """And keeps its meaning: the backend sees what was signed, and nothing of the signature."""
    before = len(judged.received)
    for sent in (
        signed(guarded, X_Extra="given"),
        signed(guarded, ago=timedelta(minutes=4)),
        signed(guarded, ago=timedelta(minutes=-4)),
        signed(guarded, X_HTTP_Method_Override="DELETE"),
        signed(guarded, presign=60),
        signed(guarded, path="/prod/deep/a%20b/%C3%A9"),
        signed(guarded, path="/prod/s"),
    ):
        status, _, body = sent.to(server)
        assert status == 200, body
    seen = judged.received[before:]
    assert [call.method for call in seen] == ["POST", "POST", "POST", "DELETE", "POST", "POST", "POST"]
    assert all(call.header("Authorization") is None for call in seen)
    assert seen[5].target.startswith("/deep/a%20b/%C3%A9")


@pytest.mark.parametrize(
    ("ago", "message"),
    [
        (timedelta(minutes=5, seconds=30), "Signature expired: "),
        (timedelta(days=1), "Signature expired: "),
        (timedelta(minutes=-6), "Signature not yet current: "),
    ],
)
def test_replayed(server: Server, guarded: str, ago: timedelta, message: str) -> None:
    status, headers, body = signed(guarded, ago=ago).to(server)
    assert (status, headers["x-amzn-errortype"]) == (403, MISMATCH)
    assert json.loads(body)["message"].startswith(message)


@pytest.mark.parametrize(
    "scope", [{"region": "eu-west-1"}, {"service": "lambda"}, {"service": "s3"}, {"secret": "other"}]
)
def test_signed_for_something_else(server: Server, guarded: str, scope: dict[str, str]) -> None:
    status, headers, body = signed(guarded, **scope).to(server)  # type: ignore[arg-type]
    assert (status, headers["x-amzn-errortype"]) == (403, MISMATCH)
    if "secret" not in scope:
        assert json.loads(body)["message"].startswith("Credential should be scoped to ")


def argument(name: str, value: str | None) -> Callable[[Sent], Sent]:
    """Another value of an argument of the query; None: without it."""

    def change(sent: Sent) -> Sent:
        path, _, query = sent.target.partition("?")
        parts = [part if not part.startswith(f"{name}=") else value and f"{name}={value}" for part in query.split("&")]
        return replace(sent, target=f"{path}?{'&'.join(part for part in parts if part)}")

    return change


PRESIGNED: dict[str, Callable[[Sent], Sent]] = {
    "good for longer": argument("X-Amz-Expires", "604800"),
    "good for ever": argument("X-Amz-Expires", "99999999999999999999"),
    "good for less than nothing": argument("X-Amz-Expires", "-1"),
    "another date": argument("X-Amz-Date", "20250101T000000Z"),
    "no expiry": argument("X-Amz-Expires", None),
    "no signature": argument("X-Amz-Signature", None),
    "no algorithm": argument("X-Amz-Algorithm", None),
    "another key": argument("X-Amz-Credential", "other"),
    "other headers": argument("X-Amz-SignedHeaders", "x"),
    "another argument": argument("a", "2"),
    "a second expiry": on_target("?", "?X-Amz-Expires=600&"),
    "a second signature": on_target("?", "?X-Amz-Signature=00&"),
    "an escaped second signature": lambda sent: replace(sent, target=f"{sent.target}&X%2DAmz-Signature=00"),
    "a token beside": lambda sent: replace(sent, target=f"{sent.target}&X-Amz-Security-Token=x"),
    "another path": on_target("/s?", "/t?"),
    "another method": lambda sent: replace(sent, method="GET"),
    "another method by a header": lambda sent: sent.also("X-HTTP-Method-Override", "DELETE"),
    "a body": lambda sent: replace(sent, body=b"body"),
    "Signature Version 4A": argument("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256"),
    "a header of another kind": lambda sent: sent.also("Authorization", "Bearer abc"),
}


@pytest.mark.parametrize("case", PRESIGNED)
def test_altered_after_presigning(server: Server, guarded: str, judged: Backend, case: str) -> None:
    before = len(judged.received)
    status, headers, body = PRESIGNED[case](signed(guarded, presign=60)).to(server)
    assert status == 403, body
    assert (b"Signature Version 4A" in body) is (case == "Signature Version 4A")
    assert headers["x-amzn-errortype"] in (
        MISMATCH, INCOMPLETE, "UnrecognizedClientException", "MissingAuthenticationTokenException",
    )  # fmt: skip
    assert len(judged.received) == before


def test_presigned_requests_end(server: Server, guarded: str) -> None:
    for seconds, ago, status in ((600, 500, 200), (60, 61, 403)):
        assert signed(guarded, presign=seconds, ago=timedelta(seconds=ago)).to(server)[0] == status


# --- paths between authorizing and routing ----------------------------------------------------------------------------------

AUTHORIZER = """
def handler(event, context):
    base = event["methodArn"].split("/")[0]
    def statement(effect, *rests):
        return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": [base + "/" + rest for rest in rests]}
    some = {
        "open": [statement("Allow", "prod/GET/open/*")],
        "all but admin": [statement("Allow", "*"), statement("Deny", "*/admin", "*/admin/*", "*/DELETE/*")],
    }[event["authorizationToken"]]
    return {"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": some}}
"""


@pytest.fixture(scope="module")
def branching(server: Server, judged: Backend) -> str:
    """`/open/…`, `/admin`, `/admin/…`, one segment, and all the rest, each with its own place at the backend."""
    function = make_function(server, "branching", AUTHORIZER)
    server.client("lambda").add_permission(
        FunctionName="branching", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api = ApiBuilder(server)
    authorizer = api.client.create_authorizer(
        restApiId=api.id,
        name="a",
        type="TOKEN",
        authorizerUri=lambda_uri(function),
        identitySource="method.request.header.T",
    )["id"]
    for path in ("/open/{proxy+}", "/admin", "/admin/{proxy+}", "/{proxy+}"):
        integration: dict[str, Any] = {
            "type": "HTTP_PROXY",
            "integrationHttpMethod": "ANY",
            "uri": f"{judged.url}{path}",
        }
        options: dict[str, Any] = {"authorizationType": "CUSTOM", "authorizerId": authorizer}
        if "{" in path:
            integration["requestParameters"] = {"integration.request.path.proxy": "method.request.path.proxy"}
            options["requestParameters"] = {"method.request.path.proxy": True}
        api.method(path, "ANY", integration, **options)
    return api.deploy()


TRICKS = (
    "/admin /admin/ //admin /admin/x //admin/x ///admin/x /./admin/x /.//admin/x /open/../admin/x /open/./../admin/x "
    "/open//../admin/x /open/%2e%2e/admin/x /open/%2E%2e/admin/x /open/.%2e/admin/x /open/..%2fadmin/x /open/..%2Fadmin%2Fx "
    "/open/%2e%2e%2fadmin/x /%2e/admin/x /%2Fadmin/x /%2fadmin /admin%2Fx /admin%2fx/y /%61dmin/x /%61%64%6d%69%6e /admin//x "
    "/admin/./x /admin/y/../x /x/../admin/y /x/y/../../admin /open/x/../../admin /admin;a=1/x /admin;/x /;x/admin/y "
    "/open/..;/admin/x /open/..;a=1/admin/x /open/..%3b/admin/x /admin? /admin?x=/open/ /open/..?/../admin /open/../admin/ "
    "/open/../../admin/x /../admin/x /..%2fadmin /.%2fadmin/x /admin/%2e /admin/%2e%2e/admin /open%2f..%2fadmin "
    "/open%2fx /open%2F..%2F..%2Fadmin/x //open/../admin //open//..//admin "
    r"/open/..\admin/x /open/x\..\..\admin /open/..%5cadmin /admin\x /open/%2e%2e%5Cadmin"
).split()


def meanings(target: str) -> set[str]:
    """What a backend may take a target for: with dots resolved, decoded before or after, without parameters of segments."""
    path = urlsplit(target).path if target.startswith("/") and not target.startswith("//") else target.partition("?")[0]
    bare = "/".join(segment.partition(";")[0] for segment in path.split("/"))
    found = set[str]()
    for text in (path, bare):
        # Some servers take a backslash for a slash.
        slashed = (each.replace("\\", "/") for each in (text, unquote(text)))
        found |= {posixpath.normpath("/" + each.lstrip("/")) for each in slashed}
    return found


@pytest.mark.parametrize("path", TRICKS)
@pytest.mark.parametrize("token", ["open", "all but admin"])
def test_no_path_means_two_things(server: Server, branching: str, judged: Backend, path: str, token: str) -> None:
    host = f"{branching}.execute-api.us-east-1.amazonaws.com"
    before = len(judged.received)
    status, _, _ = Sent("GET", f"/prod{path}", (("Host", host), ("T", token))).to(server)
    seen = [meaning for call in judged.received[before:] for meaning in meanings(call.target)]
    assert (status == 200) is bool(seen)
    for meaning in seen:
        if token == "open":
            assert meaning == "/open" or meaning.startswith("/open/"), meaning
        assert meaning.partition("/")[2].partition("/")[0] != "admin", meaning


def test_what_is_allowed_gets_in(server: Server, branching: str) -> None:
    """The sets above are about something: these paths are served, the kept answer of one opens no other."""
    host = f"{branching}.execute-api.us-east-1.amazonaws.com"
    for path, token, status in (
        ("/open/x", "open", 200), ("/admin/x", "open", 403), ("/other", "open", 403), ("/open/x/", "open", 200),
        ("/open/a%2Fb", "open", 200), ("/open/a//b", "open", 200), ("/open/a;b", "open", 200), ("/open/a.b/.c", "open", 200),
        ("/other", "all but admin", 200), ("/administrators", "all but admin", 200), ("/admin/x", "all but admin", 403),
        ("/ADMIN/x", "open", 403), ("/Open/x", "open", 403),
    ):  # fmt: skip
        assert Sent("GET", f"/prod{path}", (("Host", host), ("T", token))).to(server)[0] == status, (path, token)


@pytest.mark.parametrize(
    ("method", "override", "token", "verb"),
    [
        ("GET", "DELETE", "open", None),
        ("GET", "DELETE", "all but admin", None),
        ("DELETE", "GET", "open", "GET"),
        ("DELETE", "POST", "all but admin", "POST"),
        ("DELETE", "get", "open", None),
        ("DELETE", "GET/open/", "open", None),
        ("GET", "GET ", "open", "GET"),
        ("DELETE", "delete", "all but admin", None),
        ("DELETE", "", "all but admin", None),
        ("DELETE", "*", "all but admin", None),
    ],
)
def test_a_verb_is_one_verb(
    server: Server, branching: str, judged: Backend, method: str, override: str, token: str, verb: str | None
) -> None:
    """What the policy was asked about is what the backend is asked for."""
    host = f"{branching}.execute-api.us-east-1.amazonaws.com"
    headers = (("Host", host), ("T", token), ("X-HTTP-Method-Override", override))
    before = len(judged.received)
    status, _, _ = Sent(method, "/prod/open/x", headers).to(server)
    assert [call.method for call in judged.received[before:]] == ([] if verb is None else [verb])
    assert status == (403 if verb is None else 200)


# --- resource policies ------------------------------------------------------------------------------------------------------

CLAIMS = (
    "X-Forwarded-For X-Real-IP X-Client-IP True-Client-IP CF-Connecting-IP X-Cluster-Client-IP X-Amzn-Source-Ip Forwarded"
).split()


@pytest.mark.parametrize("policy", ["allow", "deny"])
def test_an_address_is_that_of_the_socket(server: Server, policy: str) -> None:
    everybody = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    inside = {"aws:SourceIp": ["10.0.0.0/8", "::ffff:10.0.0.0/104"]}
    statements = (
        [{"Effect": "Allow", **everybody, "Condition": {"IpAddress": inside}}]
        if policy == "allow"
        else [{"Effect": "Allow", **everybody}, {"Effect": "Deny", **everybody, "Condition": {"NotIpAddress": inside}}]
    )
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    api = ApiBuilder(server, policy=document).mock("/", "GET")
    api.deploy()
    for claim in CLAIMS:
        value = "for=10.0.0.1" if claim == "Forwarded" else "10.0.0.1"
        assert server.call(api.id, "/prod/", headers={claim: value}).status == 403, claim
    for value in ("10.0.0.1, 127.0.0.1", "127.0.0.1, 10.0.0.1", "::ffff:10.0.0.1"):
        assert server.call(api.id, "/prod/", headers={"X-Forwarded-For": value}).status == 403, value


def test_an_address_mapped_into_ipv6_is_the_same(server: Server) -> None:
    everybody = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    for block in ("127.0.0.0/8", "::ffff:127.0.0.0/104", "::ffff:7f00:1"):
        shut = {"Effect": "Deny", **everybody, "Condition": {"IpAddress": {"aws:SourceIp": block}}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **everybody}, shut]})
        api = ApiBuilder(server, policy=document).mock("/", "GET")
        api.deploy()
        assert server.call(api.id, "/prod/").status == 403, block


def test_a_custom_domain_leads_around_no_policy(server: Server) -> None:
    """Policies name a method by its own path, whatever base path a domain serves it under."""
    everybody = {"Principal": "*", "Action": "execute-api:Invoke"}
    statements = [
        {"Effect": "Allow", **everybody, "Resource": "execute-api:/prod/GET/*"},
        {"Effect": "Deny", **everybody, "Resource": ["execute-api:/prod/GET/shut", "execute-api:/prod/GET/base/open"]},
    ]
    api = ApiBuilder(server, policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    for path in ("/open", "/shut"):
        api.mock(path, "GET")
    api.deploy()
    domain = {"domainName": "around.example.com", "endpointConfiguration": {"types": ["REGIONAL"]}}
    certificate = "arn:aws:acm:us-east-1:000000000000:certificate/11111111-2222-3333-4444-555555555555"
    api.client.create_domain_name(**domain, regionalCertificateArn=certificate)
    for base, stage in (("base", {"stage": "prod"}), ("any", {})):
        api.client.create_base_path_mapping(domainName="around.example.com", basePath=base, restApiId=api.id, **stage)
    for path, status in (
        ("/base/open", 200), ("/base/shut", 403), ("/base//shut", 403), ("/base/shut/", 403), ("/base/%73hut", 403),
        ("/base/./shut", 403), ("/base/x/../shut", 403), ("/base/../base/shut", 403), ("/base/shut;a", 403),
        ("/any/prod/open", 200), ("/any/prod/shut", 403), ("/any/prod//shut", 403),
    ):  # fmt: skip
        assert Sent("GET", path, (("Host", "around.example.com"),)).to(server)[0] == status, path


def test_a_method_that_is_too_long_to_name(server: Server, branching: str) -> None:
    """AWS: beyond 1,600 bytes of method ARN, the URI is too long, however it is encoded."""
    host = f"{branching}.execute-api.us-east-1.amazonaws.com"
    for path in ("x" * 1600, "%C3%A9" * 800, "%2F" * 600):
        status, headers, body = Sent("GET", f"/prod/open/{path}", (("Host", host), ("T", "open"))).to(server)
        assert (status, headers["x-amzn-errortype"]) == (414, "RequestURITooLongException")
        assert json.loads(body) == {"message": "Request URI too long"}
