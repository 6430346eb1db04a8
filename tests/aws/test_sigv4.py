"""Signing, held against botocore's own signer."""

from __future__ import annotations

from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.aws.sigv4 import Credentials, sign

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

segments = st.lists(st.text(min_size=0, max_size=6).filter(lambda text: text not in (".", "..")), max_size=4)
words = st.text(max_size=8)
header_values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)


def by_botocore(
    service: str, method: str, path: str, query: str, headers: dict[str, str], body: bytes, token: str | None
) -> str:
    url = f"https://host.example.com{path}" + (f"?{query}" if query else "")
    request = AWSRequest(method=method, url=url, data=body, headers=headers)
    kind = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    with patch("botocore.auth.get_current_datetime", lambda *_, **__: NOW.replace(tzinfo=None)):
        kind(BotoCredentials("AKID", SECRET, token), service, "eu-west-1").add_auth(request)
    return str(request.headers["Authorization"])


@given(
    service=st.sampled_from(["dynamodb", "s3", "execute-api", "sqs"]),
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=segments,
    query=st.lists(st.tuples(words, words), max_size=4),
    extra=st.dictionaries(st.from_regex(r"[Xx]-[A-Za-z]{1,8}", fullmatch=True), header_values, max_size=3),
    body=st.binary(max_size=20),
    token=st.none() | st.just("session/token=="),
)
@settings(max_examples=300, deadline=None)
def test_the_same_signature_as_botocores(
    service: str,
    method: str,
    path: list[str],
    query: list[tuple[str, str]],
    extra: dict[str, str],
    body: bytes,
    token: str | None,
) -> None:
    if len({name.lower() for name in extra}) < len(extra):
        return
    wire_path = "/" + "/".join(quote(segment, safe="") for segment in path)
    wire_query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query if name)
    headers = {"Host": "host.example.com", **extra}
    mine = sign(
        Credentials("AKID", SECRET, token),
        region="eu-west-1",
        service=service,
        now=NOW,
        method=method,
        path=wire_path,
        query=wire_query,
        headers=headers,
        body=body,
    )
    assert mine["Authorization"] == by_botocore(service, method, wire_path, wire_query, headers, body, token)


@pytest.mark.parametrize("path", ["/a/../b", "/a/./b//c", "/a%20b/", "//", "/..", "/%E1%88%B4"])
def test_paths_are_normalised_as_botocore_does(path: str) -> None:
    headers = {"Host": "host.example.com"}
    mine = sign(
        Credentials("AKID", SECRET),
        region="eu-west-1",
        service="execute-api",
        now=NOW,
        method="GET",
        path=path,
        query="",
        headers=headers,
        body=b"",
    )
    assert mine["Authorization"] == by_botocore("execute-api", "GET", path, "", headers, b"", None)
