"""AWS's table of headers, line by line: what reaches a backend, and what of its answer reaches the client.

Source: *Amazon API Gateway important notes* (header table); shared facts, rest-data-plane §5. Columns: HTTP (with everything
mapped), HTTP_PROXY, Lambda proxy. P: passed on; D: dropped; M: renamed to `x-amzn-Remapped-…`; G: written by the gateway itself.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.test_lambda_proxy import allow
from tests.support.backend import Backend
from tests.support.running import ApiBuilder, Server, lambda_uri, make_function

REQUEST = """
Age P | Accept P | Accept-Charset P | Accept-Encoding P | Authorization P | Connection DDD | Content-Encoding PDP
Content-Length GGD | Content-MD5 D | Content-Type P | Date P | Expect D | Host GGP | Max-Forwards D | Pragma P
Proxy-Authenticate D | Range P | Referer P | Server D | TE D | Trailer D | Upgrade D | User-Agent P | Via DDP | Warn P
WWW-Authenticate D
"""
"""AWS passes Connection on to HTTP backends. It is about one connection only, and ours to a backend serves many clients."""
RESPONSE = """
Age P | Accept DPP | Accept-Charset P | Accept-Encoding P | Authorization M | Connection M | Content-Encoding P | Content-MD5 M
Content-Length M | Content-Type P | Date M | Expect MDD | Host MDD | Max-Forwards M | Pragma P | Proxy-Authenticate MDD | Range P
Referer P | Server M | TE D | Trailer MDD | Transfer-Encoding D | Upgrade MDD | User-Agent M | Via PDD | Warn P
WWW-Authenticate M | x-amzn-RequestId M | x-amz-apigw-id M | Keep-Alive D
"""
"""Content-Length and the ids as recorded. AWS [rec]: a mapping that says Expect, Host and the like gives another name."""
KINDS = ("HTTP", "HTTP_PROXY", "AWS_PROXY")


def rows(table: str) -> list[tuple[str, str, str]]:
    """Name, kind of integration, what happens."""
    found = []
    for row in table.replace("\n", "|").split("|"):
        if row.strip():
            name, said = row.split()
            found += [(name, kind, said[at if len(said) == 3 else 0]) for at, kind in enumerate(KINDS)]
    return found


def names(table: str) -> list[str]:
    return list(dict.fromkeys(name for name, _, _ in rows(table)))


ECHO = "import json\ndef handler(e, c):\n    return {'statusCode': 200, 'body': json.dumps(e['multiValueHeaders'])}\n"
ANSWER = "def handler(e, c):\n    return {'statusCode': 200, 'body': 'x', 'headers': %r}\n"
VALUES = {
    "Content-Type": "text/plain",
    "Content-Length": "2",
    "Expect": "100-continue",
    "Host": "h",
    "Connection": "close",
}


def value(name: str) -> str:
    return VALUES.get(name, f"v-{name.lower()}")


@pytest.fixture(scope="module")
def seen(server: Server) -> dict[str, dict[str, list[str]]]:
    """By the kind of integration: what its backend gets, by lower-case name."""
    backend = Backend().start()
    sent = {name: value(name) for name in names(REQUEST) if name not in ("Host", "Content-Length", "Connection")}
    # Forbidden targets (§5) are tested where they belong.
    mapped = [name for name in names(REQUEST) if name not in ("Host", "Content-Length")]
    arn = make_function(server, "headers-echo", ECHO)
    allow(server, "headers-echo")
    api = ApiBuilder(server)
    parameters = {f"integration.request.header.{name}": f"method.request.header.{name}" for name in mapped}
    declared = {f"method.request.header.{name}": False for name in mapped}
    uri = {"uri": backend.url, "integrationHttpMethod": "POST"}
    api.method("/HTTP", "POST", {"type": "HTTP", **uri, "requestParameters": parameters}, requestParameters=declared)
    api.answers("/HTTP", "POST", {"200": {}})
    api.method("/HTTP_PROXY", "POST", {"type": "HTTP_PROXY", **uri})
    api.function("/AWS_PROXY", "POST", arn)
    id_ = api.deploy()
    got: dict[str, dict[str, list[str]]] = {}
    for kind in KINDS:
        answer = server.call(id_, f"/prod/{kind}", method="POST", body=b"{}", headers={**sent, "Connection": "close"})
        assert answer.status == 200, answer.body
        told = got.setdefault(kind, {})
        if kind == "AWS_PROXY":
            told |= {name.lower(): values for name, values in answer.json.items()}
        else:
            for name, given in backend.received[-1].headers:
                told.setdefault(name.lower(), []).append(given)
    backend.stop()
    return got


@pytest.mark.parametrize(("name", "kind", "said"), rows(REQUEST))
def test_what_a_backend_gets(seen: dict[str, dict[str, list[str]]], name: str, kind: str, said: str) -> None:
    got = seen[kind].get(name.lower())
    if said == "P":
        assert got is not None and len(got) == 1
        assert name == "Host" or got == [value(name)]
    elif said == "D":
        assert got is None
    else:
        assert got is not None and len(got) == 1
        assert got != ["h"]


@pytest.fixture(scope="module")
def answers(server: Server) -> dict[str, list[tuple[str, str]]]:
    """By the kind of integration: the headers of the client's answer."""
    given = {
        name: value(name)
        for name in names(RESPONSE)
        if name not in ("Transfer-Encoding", "Content-Length", "Connection")
    }
    fields = [(name, text) for name, text in given.items() if name not in ("Date", "Server")]
    backend = Backend(answer=lambda _: (200, [*fields, ("Connection", "keep-alive")], b"x")).start()
    arn = make_function(
        server,
        "headers-answer",
        ANSWER % {**given, "Content-Length": "7", "Transfer-Encoding": "chunked", "Connection": "close"},
    )
    allow(server, "headers-answer")
    api = ApiBuilder(server)
    uri = {"uri": backend.url, "integrationHttpMethod": "GET"}
    api.method("/HTTP", "GET", {"type": "HTTP", **uri})
    parameters = {f"method.response.header.{name}": f"integration.response.header.{name}" for name in given}
    parameters |= {
        f"method.response.header.{name}": f"'{text}'"
        for name, text in (("Transfer-Encoding", "chunked"), ("Content-Length", "7"), ("Connection", "close"))
    }
    api.answers("/HTTP", "GET", {"200": {"responseParameters": parameters}})
    api.method("/HTTP_PROXY", "GET", {"type": "HTTP_PROXY", **uri})
    api.function("/AWS_PROXY", "GET", arn)
    id_ = api.deploy()
    got = {}
    for kind in KINDS:
        answer = server.call(id_, f"/prod/{kind}")
        assert (answer.status, answer.body) == (200, b"x")
        got[kind] = answer.headers
    backend.stop()
    return got


OWN = frozenset({"date", "content-length", "connection", "content-type", "x-amzn-requestid", "x-amz-apigw-id"})


@pytest.mark.parametrize(("name", "kind", "said"), rows(RESPONSE))
def test_what_a_client_gets(answers: dict[str, list[tuple[str, str]]], name: str, kind: str, said: str) -> None:
    plain = [text for each, text in answers[kind] if each.lower() == name.lower()]
    remapped = [text for each, text in answers[kind] if each.lower() == f"x-amzn-remapped-{name.lower()}"]
    if name.lower() in OWN:
        assert len(plain) == 1, "the gateway's own, once"
    else:
        assert len(plain) == (said == "P")
        assert not plain or plain == [value(name)]
    assert len(remapped) == (said == "M")


@pytest.mark.parametrize("where", ["mapped", "overridden", "gateway response"])
def test_no_header_that_frames_the_answer_can_be_set(server: Server, where: str) -> None:
    framing = {"Content-Length": "1", "Transfer-Encoding": "chunked", "Connection": "close", "Date": "now"}
    api = ApiBuilder(server)
    if where == "mapped":
        api.mock("/x", "GET", body="the whole body", **{name: f"'{text}'" for name, text in framing.items()})
    elif where == "overridden":
        sets = "".join(f"#set($context.responseOverride.header.{name} = '{text}')" for name, text in framing.items())
        api.mock("/x", "GET", body=sets + "the whole body")
    else:
        api.mock("/y", "GET")
        api.client.put_gateway_response(
            restApiId=api.id,
            responseType="MISSING_AUTHENTICATION_TOKEN",
            responseTemplates={"application/json": "the whole body"},
            responseParameters={f"gatewayresponse.header.{name}": f"'{text}'" for name, text in framing.items()},
        )
    answer = server.call(api.deploy(), "/prod/x")
    assert answer.body == b"the whole body"
    assert answer.all("Content-Length") == ["14"]
    assert answer.all("Transfer-Encoding") == []
    assert len(answer.all("Date")) == len(answer.all("Connection")) == 1
    assert answer.header("Date") != "now"
    assert answer.header("x-amzn-Remapped-Date") == (None if where == "gateway response" else "now")


def test_every_kind_tells_the_same_of_itself(answers: dict[str, Any]) -> None:
    for kind in KINDS:
        assert json.dumps(sorted({name.lower() for name, _ in answers[kind]} & OWN)) == json.dumps(sorted(OWN))


FORBIDDEN = ("Content-Length", "Transfer-Encoding")
FORBIDDEN_AT_AWS = (*FORBIDDEN, "Authorization", "Connection", "Expect", "Proxy-Authenticate", "te")


def test_targets_that_no_mapping_may_have(server: Server) -> None:
    """AWS [rec]: such an integration fails with every request."""
    backend = Backend().start()
    arn = make_function(server, "headers-forbidden", ECHO)
    allow(server, "headers-forbidden")
    uris = {
        "HTTP": backend.url,
        "HTTP_PROXY": backend.url,
        "AWS": lambda_uri(arn),
        "AWS_PROXY": lambda_uri(arn),
    }
    api = ApiBuilder(server)
    for kind, uri in uris.items():
        for name in FORBIDDEN_AT_AWS:
            mapped = {f"integration.request.header.{name}": "'x'"}
            integration = {"type": kind, "integrationHttpMethod": "POST", "uri": uri, "requestParameters": mapped}
            api.method(f"/{kind}/{name}", "POST", integration)
            if kind in ("HTTP", "AWS"):
                api.answers(f"/{kind}/{name}", "POST", {"200": {}})
    id_ = api.deploy()
    for kind in uris:
        for name in FORBIDDEN_AT_AWS:
            answer = server.call(id_, f"/prod/{kind}/{name}", method="POST", body=b"{}")
            forbidden = name in FORBIDDEN or kind.startswith("AWS")
            assert (answer.status == 500) == forbidden, (kind, name)
            if forbidden:
                assert answer.body == b'{"message": "Internal server error"}'
                assert answer.header("x-amzn-ErrorType") == "InternalServerErrorException"
    # What is dropped is not sent, and what is not forbidden arrives.
    assert not any(got.header(name) for got in backend.received for name in ("Expect", "Proxy-Authenticate", "TE"))
    assert [got.header("Authorization") for got in backend.received].count("x") == 2
    backend.stop()
