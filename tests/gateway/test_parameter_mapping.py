"""Parameter mapping expressions: every source at every target, both ways, through the API.

Source: *Amazon API Gateway API request and response data mapping reference*; shared facts, rest-data-plane §13.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.support.backend import Backend, Received
from tests.support.running import Answer, ApiBuilder, Server

JSON = "application/json"
BODY = {
    "s": 'a "b" é',
    "n": 5,
    "d": 2.50,
    "t": True,
    "z": None,
    "l": [1, {"a": None}],
    "o": {"x": {"y": "deep"}},
    "a b": "blank",
}
REQUEST: dict[str, str | None] = {
    "method.request.path.id": "p/1",
    "method.request.querystring.q": "last",
    "method.request.multivaluequerystring.q": "first,last",
    "method.request.querystring.flag": "",
    "method.request.querystring.none": None,
    "method.request.header.X-One": "one",
    "method.request.multivalueheader.X-One": "one",
    "method.request.header.x-case": "any case",
    "method.request.header.None": None,
    "method.request.body.s": 'a "b" é',
    "method.request.body.n": "5",
    "method.request.body.d": "2.5",
    "method.request.body.t": "true",
    "method.request.body.z": None,
    "method.request.body.l": '[1,{"a":null}]',
    "method.request.body.o": '{"x":{"y":"deep"}}',
    "method.request.body.o.x.y": "deep",
    "method.request.body.l[0]": "1",
    "method.request.body.nosuch.deeper": None,
    "stageVariables.color": "blue",
    "stageVariables.nosuch": None,
    "context.stage": "prod",
    "context.httpMethod": "POST",
    "context.identity.sourceIp": "127.0.0.1",
    "context.identity.user": None,
    "context.authorizer.nosuch": None,
    "'literal text, with=all & sorts'": "literal text, with=all & sorts",
    "''": "",
}
"""Source → what it gives; None: nothing, and the parameter is left out."""
RESPONSE: dict[str, str | None] = {
    "integration.response.header.X-One": "1",
    "integration.response.header.x-one": "1",
    "integration.response.header.X-Many": "b",
    "integration.response.multivalueheader.X-Many": "a,b",
    "integration.response.header.None": None,
    "integration.response.body.s": 'a "b" Ã©',
    "integration.response.body.n": "5",
    "integration.response.body.l": '[1,{"a":null}]',
    "integration.response.body.l[1]": '{"a":null}',
    "integration.response.body.o.x.y": "deep",
    "integration.response.body.z": None,
    "integration.response.body.nosuch": None,
    "stageVariables.color": "blue",
    "stageVariables.nosuch": None,
    "context.requestId": "00000000-1111-2222-3333-444444444444",
    "context.resourcePath": "/r/{id}",
    "context.identity.user": None,
    "'literal'": "literal",
}


def answer(received: Received) -> tuple[int, list[tuple[str, str]], bytes]:
    headers = [("Content-Type", JSON), ("X-One", "1"), ("X-Many", "a"), ("X-Many", "b")]
    return 200, headers, b"no json" if "plain" in received.target else json.dumps(BODY).encode()


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    running = Backend(answer=answer).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def api(server: Server, backend: Backend) -> str:
    """`/r/{id}`: HTTP with all of it mapped both ways; `/proxy/{id}`: HTTP_PROXY with the request's."""
    made = ApiBuilder(server)
    parameters = {}
    for at, source in enumerate(REQUEST):
        for place in ("header", "querystring", "path"):
            parameters[f"integration.request.{place}.m{at}"] = source
    sources = [name.replace("multivalue", "") for name in REQUEST if name.startswith("method.request.")]
    declared = dict.fromkeys((name for name in sources if ".body" not in name), False)
    path = "/".join(f"{{m{at}}}" for at in range(len(REQUEST)))
    integration = {"integrationHttpMethod": "POST", "uri": f"{backend.url}/{path}", "requestParameters": parameters}
    mapped = {f"method.response.header.m{at}": source for at, source in enumerate(RESPONSE)}
    for resource, kind in (("/r/{id}", "HTTP"), ("/proxy/{id}", "HTTP_PROXY")):
        made.method(resource, "POST", {"type": kind, **integration}, requestParameters=declared)
    made.answers("/r/{id}", "POST", {"200": {"responseParameters": mapped}})
    plain = {"type": "HTTP", "integrationHttpMethod": "POST", "uri": f"{backend.url}/plain"}
    made.method(
        "/plain", "POST", {**plain, "requestParameters": {"integration.request.header.B": "method.request.body"}}
    )
    body = {
        "method.response.header.B": "integration.response.body",
        "method.response.header.X": "integration.response.body.x",
    }
    made.answers("/plain", "POST", {"200": {"responseParameters": body}})
    return made.deploy(variables={"color": "blue"})


def ask(server: Server, api: str, kind: str) -> Answer:
    headers = {"X-One": "one", "X-Case": "any case", "Content-Type": JSON}
    headers["x-amzn-RequestId"] = "00000000-1111-2222-3333-444444444444"
    body = json.dumps(BODY).encode()
    return server.call(api, f"/prod/{kind}/p%2F1?q=first&q=last&flag", method="POST", body=body, headers=headers)


@pytest.mark.parametrize("kind", ["r", "proxy"])
def test_every_source_at_every_target(server: Server, backend: Backend, api: str, kind: str) -> None:
    assert ask(server, api, kind).status == 200
    got = backend.received[-1]
    parts = urlsplit(got.target)
    arguments = parse_qs(parts.query, keep_blank_values=True)
    labels = parts.path.split("/")[1:]
    for at, (source, wanted) in enumerate(REQUEST.items()):
        header = got.header(f"m{at}")
        assert (None if header is None else header.encode("latin-1").decode()) == wanted, source
        assert arguments.get(f"m{at}") == (None if wanted is None else [wanted]), source
    # What is left out of a path is empty there; a slash in what replaces a segment is escaped where it was escaped.
    assert labels[0] == "p%2F1"
    assert len([label for label in labels if label == ""]) >= sum(wanted is None for wanted in REQUEST.values())
    assert "deep" in map(unquote, labels)


def test_every_source_of_answers(server: Server, api: str) -> None:
    got = ask(server, api, "r")
    for at, (source, wanted) in enumerate(RESPONSE.items()):
        assert got.header(f"m{at}") == wanted, source


def test_whole_bodies_and_those_that_are_no_json(server: Server, backend: Backend, api: str) -> None:
    got = server.call(
        api, "/prod/plain", method="POST", body=b"line\r\nX-Evil: 1", headers={"Content-Type": "text/plain"}
    )
    assert backend.received[-1].header("B") == "line  X-Evil: 1"
    assert backend.received[-1].header("X-Evil") is None
    assert (got.header("B"), got.header("X")) == ("no json", None)


@pytest.mark.parametrize(
    "source",
    [
        "method.request.cookie.a",
        "method.request.header.",
        "nonsense",
        "$.a",
        "'open",
        "context.nosuch",
        "integration.response.body",
    ],
)
def test_sources_that_are_none(server: Server, source: str) -> None:
    api = ApiBuilder(server)
    integration: dict[str, Any] = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://127.0.0.1:9/"}
    integration["requestParameters"] = {"integration.request.header.X": source}
    with pytest.raises(ClientError, match=r"Invalid mapping expression specified|unknown context variable"):
        api.method("/x", "GET", integration).deploy()


@pytest.mark.parametrize("kind", ["HTTP", "HTTP_PROXY"])
def test_mapping_that_would_take_long_ends(server: Server, backend: Backend, kind: str) -> None:
    """Looking through a body a thousand times, or sending it a hundred times; and half a character, which is no text to send."""
    made = ApiBuilder(server)
    maps = {
        "/search": {f"integration.request.querystring.m{at}": "method.request.body..nosuch" for at in range(1000)},
        "/repeat": {f"integration.request.querystring.m{at}": "method.request.body" for at in range(100)},
        "/half": dict.fromkeys(
            ("integration.request.querystring.m", "integration.request.header.m", "integration.request.path.m"),
            "method.request.body.half",
        ),
    }
    for path, parameters in maps.items():
        integration = {"type": kind, "integrationHttpMethod": "POST", "uri": f"{backend.url}/x/{{m}}"}
        if path != "/half":
            integration["uri"] = f"{backend.url}/x"
        made.method(path, "POST", {**integration, "requestParameters": parameters})
        if kind == "HTTP":
            made.answers(path, "POST", {"200": {}})
    api = made.deploy()

    def post(path: str, body: object) -> Answer:
        data = json.dumps(body).encode()
        return server.call(api, f"/prod{path}", method="POST", body=data, headers={"Content-Type": JSON})

    long = [{"a": [at]} for at in range(30_000)]
    assert post("/search", long).status == 500
    assert post("/repeat", long).status == 500
    assert post("/search", {"a": 1}).status == 200
    assert post("/repeat", {"a": 1}).status == 200
    assert post("/half", {"half": "a\ud800b"}).status == 200
    assert "/x/a%3Fb?m=a%3Fb" in backend.received[-1].target
