"""AWS's tables through the API: content handling both ways, passthrough behavior by content type, selection patterns.

Source: *Content type conversions in API Gateway*, *Integration passthrough behaviors*, *PutIntegrationResponse*; shared facts,
rest-data-plane §10, §14 and §15.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.backend import Backend, Received
from tests.support.running import Answer, ApiBuilder, Server

JSON = "application/json"
RAW = b"\x89PNG\r\n\x00\xff"
TEXT = base64.b64encode(RAW)
SHOWN = RAW.decode("utf-8", "replace").encode()
KINDS = {"text": "text/plain", "binary": "image/png"}
HANDLING = (None, "CONVERT_TO_BINARY", "CONVERT_TO_TEXT")
DECODED = "decoded"


def answer(received: Received) -> tuple[int, list[tuple[str, str]], bytes]:
    """What the path asks for: `/binary` or `/text` (which is base64); `/bytes`: bytes called text; else what was received."""
    kind = received.target.strip("/")
    if kind in KINDS:
        return 200, [("Content-Type", KINDS[kind])], RAW if kind == "binary" else TEXT
    if kind == "bytes":
        return 200, [("Content-Type", "text/plain")], RAW
    return 200, [("Content-Type", JSON)], json.dumps({"got": base64.b64encode(received.body).decode()}).encode()


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    running = Backend(answer=answer).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def apis(server: Server, backend: Backend) -> dict[bool, str]:
    """By whether the API has binary media types. `/to/{n}`, `/template/{n}`: requests by handling; `/from/{n}/…`: answers."""
    made = {}
    for binary in (False, True):
        api = ApiBuilder(server, binaryMediaTypes=["image/png"] if binary else [])
        custom = {"type": "HTTP", "integrationHttpMethod": "POST"}
        for at, handling in enumerate(HANDLING):
            handled = {} if handling is None else {"contentHandling": handling}
            api.method(f"/to/{at}", "POST", {**custom, "uri": f"{backend.url}/echo", **handled})
            api.answers(f"/to/{at}", "POST", {"200": {}})
            templates = dict.fromkeys(KINDS.values(), '{"seen":"$input.body"}')
            seeing = {"uri": f"{backend.url}/echo", "requestTemplates": templates}
            api.method(f"/template/{at}", "POST", {**custom, **seeing, **handled})
            api.answers(f"/template/{at}", "POST", {"200": {}})
            for kind in (*KINDS, "bytes"):
                path = f"/from/{at}/{kind}"
                api.method(path, "GET", {**custom, "uri": f"{backend.url}/{kind}"}).answers(
                    path, "GET", {"200": handled}
                )
        made[binary] = api.deploy()
    return made


@pytest.mark.parametrize(
    ("payload", "content_type", "binary", "expected"),
    [
        # what is sent, its type, whether binary types are declared; what the backend gets by contentHandling
        (TEXT, "text", False, (TEXT, RAW, TEXT)),
        (TEXT, "binary", False, (TEXT, RAW, TEXT)),
        (TEXT, "text", True, (TEXT, RAW, TEXT)),
        (RAW, "binary", True, (RAW, RAW, TEXT)),
    ],
)
def test_requests(
    server: Server, apis: dict[bool, str], payload: bytes, content_type: str, binary: bool, expected: tuple[bytes, ...]
) -> None:
    headers = {"Content-Type": KINDS[content_type]}
    for at, wanted in enumerate(expected):
        got = server.call(apis[binary], f"/prod/to/{at}", method="POST", body=payload, headers=headers)
        assert base64.b64decode(got.json["got"]) == wanted, HANDLING[at]


@pytest.mark.parametrize(
    ("payload", "accept", "binary", "expected"),
    [
        ("text", "text", False, (TEXT, RAW, TEXT)),
        ("bytes", "text", False, (SHOWN, None, SHOWN)),
        ("text", "text", True, (TEXT, RAW, TEXT)),
        ("text", "binary", True, (RAW, RAW, TEXT)),
        ("bytes", "text", True, (SHOWN, None, SHOWN)),
        ("binary", "text", True, (TEXT, RAW, TEXT)),
        ("binary", "binary", True, (RAW, RAW, TEXT)),
    ],
)
def test_answers(
    server: Server, apis: dict[bool, str], payload: str, accept: str, binary: bool, expected: tuple[bytes | None, ...]
) -> None:
    """None: the payload is no base64, which is 500."""
    for at, wanted in enumerate(expected):
        # AWS: the first entry of Accept decides, and no other.
        for accepted in (KINDS[accept], f"{KINDS[accept]};q=0.1, application/xml, image/png, text/plain"):
            got = server.call(apis[binary], f"/prod/from/{at}/{payload}", headers={"Accept": accepted})
            assert (got.status, got.body) == ((200, wanted) if wanted is not None else (500, ERROR)), HANDLING[at]


ERROR = b'{"message": "Internal server error"}'


def test_what_cannot_be_decoded(server: Server, apis: dict[bool, str]) -> None:
    for binary in (False, True):
        headers = {"Content-Type": "text/plain"}
        got = server.call(apis[binary], "/prod/to/1", method="POST", body=b"no base64!", headers=headers)
        assert (got.status, got.body) == (500, ERROR)
        assert got.header("x-amzn-ErrorType") == "InternalServerErrorException"


def test_templates_see_text(server: Server, apis: dict[bool, str]) -> None:
    for kind, payload in (("text", TEXT), ("binary", RAW)):
        for at in range(3):
            headers = {"Content-Type": KINDS[kind]}
            got = server.call(apis[True], f"/prod/template/{at}", method="POST", body=payload, headers=headers)
            assert json.loads(base64.b64decode(got.json["got"])) == {"seen": TEXT.decode()}, (kind, at)


BEHAVIORS = ("WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER")
TEMPLATES: dict[str, dict[str, str]] = {
    "none": {},
    "json": {JSON: "json"},
    "xml": {"application/xml": "xml"},
    "both": {JSON: "json", "Application/XML": "xml"},
    "empty": {JSON: ""},
}
PASSED, REFUSED = "passed", "refused"
ROWS: list[tuple[str, str | None, tuple[str, str, str]]] = [
    # the templates; the request's type; what happens by behavior
    ("none", JSON, (PASSED, PASSED, REFUSED)),
    ("none", "text/x", (PASSED, PASSED, REFUSED)),
    ("none", None, (PASSED, PASSED, REFUSED)),
    ("json", JSON, ("json", "json", "json")),
    ("json", "application/json; charset=utf-8", ("json", "json", "json")),
    ("json", "APPLICATION/JSON", ("json", "json", "json")),
    ("json", None, ("json", "json", "json")),
    ("json", "text/x", (PASSED, REFUSED, REFUSED)),
    ("json", "application/json-patch+json", (PASSED, REFUSED, REFUSED)),
    ("json", "application/*", (PASSED, REFUSED, REFUSED)),
    ("xml", None, (PASSED, REFUSED, REFUSED)),
    ("xml", "application/xml", ("xml", "xml", "xml")),
    ("both", "application/xml;q=1", ("xml", "xml", "xml")),
    ("both", "text/plain", (PASSED, REFUSED, REFUSED)),
    ("empty", JSON, ("", "", "")),
]


@pytest.fixture(scope="module")
def passing(server: Server, backend: Backend) -> str:
    api = ApiBuilder(server)
    for name, templates in TEMPLATES.items():
        for behavior in BEHAVIORS:
            integration = {"type": "HTTP", "integrationHttpMethod": "POST", "uri": f"{backend.url}/echo"}
            api.method(
                f"/{name}/{behavior}",
                "POST",
                {**integration, "passthroughBehavior": behavior, "requestTemplates": templates},
            )
            api.answers(f"/{name}/{behavior}", "POST", {"200": {}})
    return api.deploy()


@pytest.mark.parametrize(("templates", "content_type", "expected"), ROWS)
def test_passing_through(
    server: Server, passing: str, templates: str, content_type: str | None, expected: tuple[str, str, str]
) -> None:
    for behavior, wanted in zip(BEHAVIORS, expected, strict=True):
        headers = {} if content_type is None else {"Content-Type": content_type}
        got = server.call(
            passing, f"/prod/{templates}/{behavior}", method="POST", body=PASSED.encode(), headers=headers
        )
        if wanted is REFUSED:
            assert (got.status, got.json) == (415, {"message": "Unsupported Media Type"}), behavior
        else:
            assert (got.status, base64.b64decode(got.json["got"]).decode()) == (200, wanted), behavior


def selecting(server: Server, patterns: dict[str, str | None], **more: Any) -> ApiBuilder:
    """A MOCK whose backend's status is the query's `s`; the answer is the status of the response that was chosen."""
    api = ApiBuilder(server)
    api.method("/x", "GET", {"type": "MOCK", "requestTemplates": {JSON: '{"statusCode": "$input.params(\'s\')"}'}})
    given = {
        status: {} if pattern is None else {"selectionPattern": pattern, **more} for status, pattern in patterns.items()
    }
    return api.answers("/x", "GET", given)


def chosen(server: Server, api: ApiBuilder, status: str) -> Answer:
    return server.call(api.id, f"/prod/x?s={status}")


SELECTIONS: list[tuple[dict[str, str | None], dict[str, int]]] = [
    ({"200": None, "400": "4\\d{2}", "500": "5\\d{2}"}, {"200": 200, "404": 400, "499": 400, "503": 500, "302": 200}),
    # The whole status has to match.
    ({"200": None, "400": "4", "401": "40", "402": "404|x"}, {"404": 402, "40": 401, "4": 400, "403": 200}),
    # Among several, the lowest status answers; an empty pattern is the default.
    ({"200": "", "405": ".*", "502": ".+"}, {"200": 405, "500": 405}),
    ({"201": "[1-3]\\d\\d", "200": "2.*", "500": ".*"}, {"250": 200, "302": 201, "404": 500}),
    # Nothing matches, and there is no default.
    ({"200": "200", "404": "404"}, {"200": 200, "404": 404, "500": 500}),
    ({"200": None, "400": "(?i)E\\d+|^4\\d\\d$"}, {"e12": 400, "412": 400, "4120": 200}),
    ({"200": None, "409": "\\Q4*9\\E", "410": "4\\*8"}, {"4*9": 409, "4*8": 410, "449": 200}),
]


@pytest.mark.parametrize(("patterns", "expected"), SELECTIONS)
def test_selection_patterns(server: Server, patterns: dict[str, str | None], expected: dict[str, int]) -> None:
    api = selecting(server, patterns)
    api.deploy()
    assert {status: chosen(server, api, status).status for status in expected} == expected


def test_a_pattern_that_never_ends_is_an_error(server: Server) -> None:
    api = selecting(server, {"200": None, "400": "(x|xx)+"})
    api.deploy()
    got = chosen(server, api, "x" * 60 + "!")
    assert (got.status, got.body) == (500, ERROR)
    server.wait_for("a selection pattern took too long")
    assert chosen(server, api, "200").status == 200
