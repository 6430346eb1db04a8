"""Verifying: what botocore signs is taken, whatever is altered afterwards is not, and every refusal has AWS's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from unittest.mock import patch
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.aws.sigv4_verify import SignatureError, read_claim, verify
from tidegate.core.message import Headers, Request

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def signed(
    method: str = "GET",
    path: str = "/prod/x",
    query: str = "",
    body: bytes = b"",
    *,
    headers: dict[str, str] | None = None,
    presign: int | None = None,
    token: str | None = None,
    service: str = "execute-api",
    region: str = "us-east-1",
    moment: datetime = NOW,
) -> Request:
    """A request as botocore signs it."""
    url = f"https://api.example.com{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, data=body, headers={"Host": "api.example.com", **(headers or {})})
    credentials = Credentials("AKID", SECRET, token)
    with patch("botocore.auth.get_current_datetime", lambda *_, **__: moment.replace(tzinfo=None)):
        if presign is None:
            botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
        else:
            botocore.auth.SigV4QueryAuth(credentials, service, region, expires=presign).add_auth(request)
    parts = urlsplit(request.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    pairs = [(name.encode(), str(value).encode()) for name, value in request.headers.items()]
    return Request(method=method, target=target.encode(), headers=Headers.of(pairs), body=body)


def check(request: Request, *, now: datetime = NOW, secret: str = SECRET) -> str:
    claim = read_claim(request, service="execute-api", region="us-east-1", now=now)
    assert claim is not None
    verify(claim, request, secret)
    return claim.access_key


words = st.text(max_size=6)


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=st.lists(st.text(min_size=1, max_size=5).filter(lambda text: text not in (".", "..")), max_size=4),
    query=st.lists(st.tuples(words.filter(bool), words), max_size=3),
    body=st.binary(max_size=12),
    value=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=8),
    token=st.none() | st.just("tok/en=="),
    presign=st.none() | st.just(300),
)
@settings(max_examples=200, deadline=None)
def test_what_botocore_signs_is_taken(
    method: str,
    path: list[str],
    query: list[tuple[str, str]],
    body: bytes,
    value: str,
    token: str | None,
    presign: int | None,
) -> None:
    if presign is not None:
        body = b""
    wire_path = "/" + "/".join(quote(segment, safe="") for segment in path)
    wire_query = "&".join(f"{quote(name, safe='-_.~')}={quote(text, safe='-_.~')}" for name, text in query)
    request = signed(method, wire_path, wire_query, body, headers={"X-Extra": value}, presign=presign, token=token)
    assert check(request) == "AKID"


def _change(**given: object) -> Callable[[Request], Request]:
    def change(request: Request) -> Request:
        headers = list(request.headers.entries)
        target = request.target
        if "header" in given:
            name, value = given["header"]  # type: ignore[misc]
            headers = [(lower, sent, value if lower == name else old) for lower, sent, old in headers]
        if "add" in given:
            name, value = given["add"]  # type: ignore[misc]
            headers.append((name, name, value))
        if "target" in given:
            target = given["target"]  # type: ignore[assignment]
        return Request(
            method=str(given.get("method", request.method)),
            target=target,
            headers=Headers(headers),
            body=given.get("body", request.body),  # type: ignore[arg-type]
        )

    return change


ALTERED = {
    "another method": _change(method="DELETE"),
    "another path": _change(target=b"/prod/y"),
    "a longer path": _change(target=b"/prod/x/y"),
    "a path of another case": _change(target=b"/PROD/x"),
    "an argument more": _change(target=b"/prod/x?a=1"),
    "another body": _change(body=b"other"),
    "another host": _change(header=(b"host", b"evil.example.com")),
    "another value of a signed header": _change(header=(b"x-extra", b"changed")),
    "a second value of a signed header": _change(add=(b"x-extra", b"more")),
    "another host beside": _change(add=(b"host", b"evil.example.com")),
}


@pytest.mark.parametrize("case", ALTERED)
def test_what_is_altered_is_not(case: str) -> None:
    request = signed("POST", body=b"body", headers={"X-Extra": "given"})
    assert check(request) == "AKID"
    with pytest.raises(SignatureError, match="does not match the signature you provided"):
        check(ALTERED[case](request))


def test_a_plus_is_a_blank_and_no_encoded_plus() -> None:
    """Clients sign a blank that they send as a plus in two ways; neither lets a plus become a blank on its way."""
    assert check(signed(query="a=1+2")) == "AKID"
    blank = signed(query="a=1%202")
    assert check(_change(target=b"/prod/x?a=1+2")(blank)) == "AKID"
    for query, altered in (("a=1%2B2", b"a=1+2"), ("a=1+2", b"a=1%2B2"), ("a=1%2B2", b"a=1%202")):
        with pytest.raises(SignatureError):
            check(_change(target=b"/prod/x?" + altered)(signed(query=query)))


def test_what_changes_the_meaning_has_to_be_signed() -> None:
    request = signed("POST", path="/prod/x")
    override = _change(add=(b"x-http-method-override", b"DELETE"))
    dots = _change(target=b"/prod/y/../x")
    twice = _change(add=(b"authorization", b"Bearer x"))
    for change in (override, dots, twice):
        with pytest.raises(SignatureError):
            check(change(request))
    assert check(signed("POST", headers={"X-HTTP-Method-Override": "DELETE"})) == "AKID"


def test_an_unsigned_payload_is_not_taken() -> None:
    request = signed("POST", body=b"body", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    with pytest.raises(SignatureError):
        check(ALTERED["another body"](request))


def test_another_secret_is_not() -> None:
    with pytest.raises(SignatureError):
        check(signed(), secret="other")


@pytest.mark.parametrize("minutes", [-4, 0, 4])
def test_clocks_may_differ_a_little(minutes: int) -> None:
    assert check(signed(), now=NOW + timedelta(minutes=minutes))


def test_dates_too_old_or_too_new() -> None:
    with pytest.raises(SignatureError) as old:
        check(signed(), now=NOW + timedelta(minutes=6))
    assert old.value.message == (
        "Signature expired: 20260304T050607Z is now earlier than 20260304T050707Z (20260304T051207Z - 5 min.)"
    )
    with pytest.raises(SignatureError, match="Signature not yet current: 20260304T050607Z is still later than"):
        check(signed(), now=NOW - timedelta(minutes=6))
    with pytest.raises(SignatureError, match="Signature expired"):
        check(signed(presign=60), now=NOW + timedelta(seconds=61))
    # Other services are more patient.
    request = signed(service="iam")
    for minutes, taken in ((-16, False), (-14, True), (14, True), (16, False)):
        moment = NOW + timedelta(minutes=minutes)
        if taken:
            assert read_claim(request, service="iam", region="us-east-1", now=moment) is not None
        else:
            with pytest.raises(SignatureError, match=r"[-+] 15 min\.\)"):
                read_claim(request, service="iam", region="us-east-1", now=moment)


def _with(authorization: str, **headers: str) -> Request:
    pairs = {"Host": "h", "Authorization": authorization, **headers}
    return Request(
        method="GET",
        target=b"/",
        headers=Headers.of([(name.replace("_", "-").encode(), value.encode()) for name, value in pairs.items()]),
    )


STAMP = {"X_Amz_Date": "20260304T050607Z"}
GOOD = "Credential=AKID/20260304/us-east-1/execute-api/aws4_request, SignedHeaders=host, Signature=00"
REFUSED = {
    "no equals sign": (_with("Bearer abc"), "IncompleteSignature", "Invalid key=value pair (missing equal-sign)"),
    "nothing in it": (
        _with("AWS4-HMAC-SHA256 a=b"),
        "IncompleteSignature",
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
        "Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a "
        "'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization=",
    ),
    "a date of another form": (
        _with(f"AWS4-HMAC-SHA256 {GOOD}", X_Amz_Date="2026-03-04"),
        "IncompleteSignature",
        "Date must be in ISO-8601 'basic format'. Got '2026-03-04'.",
    ),
    "an impossible date": (
        _with(f"AWS4-HMAC-SHA256 {GOOD}", X_Amz_Date="20261304T050607Z"),
        "IncompleteSignature",
        "Date must be in ISO-8601",
    ),
    "host not signed": (
        _with(f"AWS4-HMAC-SHA256 {GOOD.replace('=host', '=x-amz-date')}", **STAMP),
        "InvalidSignature",
        "'Host' must be a 'SignedHeader' in the AWS Authorization.",
    ),
    "another algorithm": (_with(f"NONE {GOOD}", **STAMP), "IncompleteSignature", "Unsupported AWS 'algorithm': 'NONE'"),
    "SigV4A": (_with(f"AWS4-ECDSA-P256-SHA256 {GOOD}", **STAMP), "IncompleteSignature", "Signature Version 4A"),
    "a short credential": (
        _with(f"AWS4-HMAC-SHA256 {GOOD.replace('/aws4_request', '')}", **STAMP),
        "IncompleteSignature",
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
        "'AKID/20260304/us-east-1/execute-api'",
    ),
    "another scope": (
        _with("AWS4-HMAC-SHA256 Credential=AKID/20260303/eu-west-1/s3/x, SignedHeaders=host, Signature=00", **STAMP),
        "InvalidSignature",
        "Credential should be scoped to a valid region, not 'eu-west-1'. Credential should be scoped to correct service: "
        "'execute-api'. Credential should be scoped with a valid terminator: 'aws4_request', not 'x'. Date in Credential "
        "scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260303' != '20260304', from "
        "'20260304T050607Z'. ",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals(case: str) -> None:
    request, code, message = REFUSED[case]
    with pytest.raises(SignatureError) as caught:
        read_claim(request, service="execute-api", region="us-east-1", now=NOW)
    assert caught.value.code == code
    assert caught.value.message.startswith(message) or message in caught.value.message


def test_presigned_requests_need_all_their_arguments() -> None:
    good = signed(presign=60)
    assert check(good) == "AKID"
    for name in ("X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"):
        query = "&".join(part for part in good.query.split("&") if not part.startswith(name))
        with pytest.raises(SignatureError, match=name):
            check(Request(method="GET", target=f"/prod/x?{query}".encode(), headers=good.headers))
    longer = good.query.replace("X-Amz-Expires=60", "X-Amz-Expires=600")
    with pytest.raises(SignatureError, match="does not match"):
        check(Request(method="GET", target=f"/prod/x?{longer}".encode(), headers=good.headers))


def test_without_any_signature_there_is_no_claim() -> None:
    request = Request(method="GET", target=b"/x?a=1", headers=Headers.of([(b"Host", b"h")]))
    assert read_claim(request, service="execute-api", region="us-east-1", now=NOW) is None
