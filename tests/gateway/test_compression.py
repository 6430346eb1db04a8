"""Payload compression through the running program: answers by size and Accept-Encoding, requests before they are mapped."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backend import Backend, Received
from tests.support.running import Answer, ApiBuilder, Server, make_function

JSON = "application/json"
LEAST = 100
RAW = bytes(range(256)) * 4
ENCODED = gzip.compress(b"encoded by the backend" * 10, mtime=0)
CODE = """
import base64, gzip, json
def handler(event, context):
    if event["httpMethod"] == "POST":
        return {"statusCode": 200, "body": json.dumps({"body": event["body"], "binary": event["isBase64Encoded"]})}
    body = base64.b64encode(gzip.compress(b"z" * 1000)).decode()
    return {"statusCode": 200, "body": body, "isBase64Encoded": True, "headers": {"Content-Encoding": "gzip"}}
"""


def answer(received: Received) -> tuple[int, list[tuple[str, str]], bytes]:
    """By the path: `/size/{n}`, `/png`, `/encoded`, `/empty`, or what was received."""
    kind, _, rest = received.target.strip("/").partition("/")
    if kind == "size":
        return 200, [("Content-Type", "text/plain")], b"x" * int(rest)
    if kind == "png":
        return 200, [("Content-Type", "image/png")], RAW
    if kind == "encoded":
        return 200, [("Content-Encoding", "gzip"), ("Content-Type", "text/plain")], ENCODED
    if kind == "empty":
        return 204, [], b""
    told = {"body": base64.b64encode(received.body).decode(), "headers": dict(received.headers)}
    return 200, [("Content-Type", JSON)], json.dumps(told).encode()


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    running = Backend(answer=answer).start()
    yield running
    running.stop()


def build(server: Server, backend: Backend, **options: object) -> ApiBuilder:
    """`/p/{proxy+}` passes on; `/t` transforms; `/valid` wants a model; `/f` is a function."""
    api = ApiBuilder(server, **options)
    mapped = {"integration.request.path.proxy": "method.request.path.proxy"}
    declared = {"method.request.path.proxy": True}
    api.proxy_to(
        "/p/{proxy+}", "ANY", f"{backend.url}/{{proxy}}", backend_verb="ANY", declare=declared, requestParameters=mapped
    )
    custom = {"type": "HTTP", "integrationHttpMethod": "POST"}
    template = {JSON: '{"name":$input.json("$.name"),"size":$input.body.length()}'}
    api.method("/t", "POST", {**custom, "uri": f"{backend.url}/echo", "requestTemplates": template})
    api.answers("/t", "POST", {"200": {}})
    api.method("/png", "GET", {**custom, "uri": f"{backend.url}/png"})
    api.answers("/png", "GET", {"200": {"contentHandling": "CONVERT_TO_TEXT"}})
    schema = json.dumps({"type": "object", "required": ["name"]})
    api.client.create_model(restApiId=api.id, name="Named", contentType=JSON, schema=schema)
    validator = api.client.create_request_validator(restApiId=api.id, name="v", validateRequestBody=True)["id"]
    more = {"requestValidatorId": validator, "requestModels": {JSON: "Named"}}
    api.method("/valid", "POST", {"type": "MOCK", "requestTemplates": {JSON: '{"statusCode": 200}'}}, **more)
    api.answers("/valid", "POST", {"200": {"responseTemplates": {JSON: "valid"}}})
    return api


@pytest.fixture(scope="module")
def api(server: Server, backend: Backend) -> str:
    made = build(server, backend, minimumCompressionSize=LEAST, binaryMediaTypes=["image/png"])
    arn = make_function(server, "compressed", CODE)
    options = {"FunctionName": "compressed", "StatementId": "a", "Action": "lambda:InvokeFunction"}
    server.client("lambda").add_permission(**options, Principal="apigateway.amazonaws.com")
    return made.function("/f", "ANY", arn).deploy()


def get(server: Server, api: str, path: str, coding: str = "gzip", **headers: str) -> Answer:
    return server.call(api, f"/prod{path}", headers={"Accept-Encoding": coding, **headers})


def post(server: Server, api: str, path: str, body: bytes, coding: str, **headers: str) -> Answer:
    given = {"Content-Type": JSON, "Content-Encoding": coding, **headers}
    return server.call(api, f"/prod{path}", method="POST", body=body, headers=given)


@pytest.mark.parametrize(
    ("size", "coding"), [(0, None), (1, None), (LEAST - 1, None), (LEAST, "gzip"), (500_000, "gzip")]
)
def test_what_is_large_enough_is_compressed(server: Server, api: str, size: int, coding: str | None) -> None:
    given = get(server, api, f"/p/size/{size}")
    assert given.header("Content-Encoding") == coding
    assert given.header("Content-Length") == str(len(given.body))
    assert given.header("Content-Type") == "text/plain"
    assert (gzip.decompress(given.body) if coding else given.body) == b"x" * size


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("identity", None),
        ("br", None),
        ("gzip, deflate, br", "gzip"),
        ("br;q=1.0, gzip;q=0.8", None),
        ("br;q=0.1, deflate;q=0.9, gzip;q=0.8", "deflate"),
        ("identity;q=0.5, gzip;q=0.4", None),
        ("gzip;q=0", None),
        ("*", "gzip"),
        ("", None),
    ],
)
def test_the_coding_with_the_highest_quality_counts(server: Server, api: str, accept: str, coding: str | None) -> None:
    given = get(server, api, "/p/size/1000", accept)
    assert given.header("Content-Encoding") == coding
    plain = {"gzip": gzip.decompress, "deflate": zlib.decompress}.get(coding or "", bytes)(given.body)
    assert plain == b"x" * 1000


def test_without_accept_encoding_nothing_is_compressed(server: Server, api: str) -> None:
    # http.client says `identity` unless it is told otherwise.
    given = server.call(api, "/prod/p/size/1000", headers={"Accept-Encoding": "identity"})
    assert given.header("Content-Encoding") is None


def test_what_the_backend_has_encoded_stays_as_it_is(server: Server, api: str) -> None:
    for accept in ("gzip", "deflate", "identity"):
        given = get(server, api, "/p/encoded", accept)
        assert (given.header("Content-Encoding"), given.body) == ("gzip", ENCODED)
    given = get(server, api, "/f", Accept="image/png")
    assert given.all("Content-Encoding") == ["gzip"]
    assert gzip.decompress(given.body) == b"z" * 1000


def test_answers_without_a_body(server: Server, api: str) -> None:
    head = server.call(api, "/prod/p/size/1000", method="HEAD", headers={"Accept-Encoding": "gzip"})
    assert (head.status, head.header("Content-Encoding"), head.body) == (200, None, b"")
    empty = get(server, api, "/p/empty")
    assert (empty.status, empty.header("Content-Encoding"), empty.body) == (204, None, b"")


def test_binary_answers(server: Server, api: str) -> None:
    binary = get(server, api, "/p/png", Accept="image/png")
    assert binary.header("Content-Encoding") == "gzip"
    assert gzip.decompress(binary.body) == RAW
    # What is compressed is what content handling made of it.
    text = get(server, api, "/png", Accept="image/png")
    assert gzip.decompress(text.body) == base64.b64encode(RAW)


@pytest.mark.parametrize(
    ("coding", "encode"),
    [
        ("gzip", gzip.compress),
        ("GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("deflate, gzip", lambda body: gzip.compress(zlib.compress(body))),
    ],
)
def test_requests_are_decompressed_before_they_are_mapped(
    server: Server, api: str, coding: str, encode: object
) -> None:
    assert callable(encode)
    body = json.dumps({"name": "ann", "fill": "y" * 1000}).encode()
    seen = post(server, api, "/t", encode(body), coding).json
    assert base64.b64decode(seen["body"]) == b'{"name":"ann","size":%d}' % len(body)
    proxied = post(server, api, "/p/echo", encode(body), coding).json
    assert base64.b64decode(proxied["body"]) == body
    assert "Content-Encoding" not in proxied["headers"]
    assert proxied["headers"]["Content-Length"] == str(len(body))
    assert post(server, api, "/valid", encode(body), coding).body == b"valid"
    assert post(server, api, "/valid", encode(b"{}"), coding).status == 400
    assert post(server, api, "/f", encode(body), coding).json == {"body": body.decode(), "binary": False}
    image = post(server, api, "/f", encode(RAW), coding, **{"Content-Type": "image/png"}).json
    assert image == {"body": base64.b64encode(RAW).decode(), "binary": True}


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"no gzip", "gzip"),
        (gzip.compress(b"{}" * 100, mtime=0)[:-9], "gzip"),
        (gzip.compress(b"{}", mtime=0) + b"and more", "gzip"),
        (gzip.compress(b"{}", mtime=0), "deflate"),
        (b"{}", "br"),
        (b"{}", "gzip, br"),
    ],
)
@pytest.mark.parametrize("path", ["/t", "/p/echo", "/valid", "/f"])
def test_what_cannot_be_decompressed_is_415(server: Server, api: str, path: str, body: bytes, coding: str) -> None:
    given = post(server, api, path, body, coding)
    assert (given.status, given.json) == (415, {"message": "Unsupported Media Type"})
    assert given.header("x-amzn-ErrorType") == "UnsupportedMediaTypeException"


def test_bombs_are_refused_in_bounded_memory(server: Server, api: str) -> None:
    limit = 10 * 1024 * 1024
    fits = post(server, api, "/p/size/1", gzip.compress(b"0" * limit, 1), "gzip")
    assert fits.status == 200
    bomb = gzip.compress(b"0" * (10 * limit), 1)
    status = Path(f"/proc/{server.process.pid}/status")
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")

    def memory(what: str) -> int:
        found = re.search(rf"{what}:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) * 1024

    before = memory("VmRSS")
    for body, coding in (
        (bomb, "gzip"),
        (gzip.compress(bomb, 1), "gzip, gzip"),
        (gzip.compress(b"0" * (limit + 1)), "gzip"),
    ):
        given = post(server, api, "/t", body, coding)
        assert (given.status, given.json) == (413, {"message": "Request Too Long"})
    assert memory("VmHWM") - before < 60_000_000


def test_a_threshold_of_nothing_and_none_at_all(server: Server, backend: Backend) -> None:
    made = build(server, backend)
    api = made.deploy()
    packed = gzip.compress(b'{"name": 1}', mtime=0)
    assert get(server, api, "/p/size/1000").header("Content-Encoding") is None
    # Compression is not enabled: bodies go on as they are.
    assert base64.b64decode(post(server, api, "/p/echo", packed, "gzip").json["body"]) == packed
    assert post(server, api, "/valid", packed, "gzip").status == 400
    change = [{"op": "replace", "path": "/minimumCompressionSize", "value": "0"}]
    made.client.update_rest_api(restApiId=api, patchOperations=change)
    assert get(server, api, "/p/size/1000").header("Content-Encoding") is None, "it takes a deployment"
    made.deploy()
    assert get(server, api, "/p/size/0").header("Content-Encoding") is None
    one = get(server, api, "/p/size/1")
    assert (one.header("Content-Encoding"), gzip.decompress(one.body)) == ("gzip", b"x")
    assert post(server, api, "/valid", packed, "gzip").body == b"valid"
