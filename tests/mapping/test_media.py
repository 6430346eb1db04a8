"""Content handling: AWS's tables, row by row. Source: *Content type conversions in API Gateway*."""

from __future__ import annotations

import base64

import pytest

from tidegate.mapping.media import BinaryTypes, NotBase64, convert_request, convert_response

TEXT = base64.b64encode(b"\x00\xffraw")
RAW = b"\x00\xffraw"
SHOWN = "\x00\ufffdraw".encode()


@pytest.mark.parametrize(
    ("payload", "binary", "handling", "result"),
    [
        (TEXT, False, None, TEXT),
        (TEXT, False, "CONVERT_TO_BINARY", RAW),
        (TEXT, False, "CONVERT_TO_TEXT", TEXT),
        (RAW, True, None, RAW),
        (RAW, True, "CONVERT_TO_BINARY", RAW),
        (RAW, True, "CONVERT_TO_TEXT", TEXT),
    ],
)
def test_requests(payload: bytes, binary: bool, handling: str | None, result: bytes) -> None:
    assert convert_request(payload, binary=binary, handling=handling) == result


@pytest.mark.parametrize(
    ("payload", "binary", "wanted", "handling", "result"),
    [
        (TEXT, False, False, None, TEXT),
        (RAW, False, False, None, SHOWN),
        (TEXT, False, False, "CONVERT_TO_BINARY", RAW),
        (TEXT, False, False, "CONVERT_TO_TEXT", TEXT),
        (TEXT, False, True, None, RAW),
        (TEXT, False, True, "CONVERT_TO_BINARY", RAW),
        (TEXT, False, True, "CONVERT_TO_TEXT", TEXT),
        (RAW, True, False, None, TEXT),
        (RAW, True, False, "CONVERT_TO_BINARY", RAW),
        (RAW, True, False, "CONVERT_TO_TEXT", TEXT),
        (RAW, True, True, None, RAW),
        (RAW, True, True, "CONVERT_TO_BINARY", RAW),
        (RAW, True, True, "CONVERT_TO_TEXT", TEXT),
    ],
)
def test_responses(payload: bytes, binary: bool, wanted: bool, handling: str | None, result: bytes) -> None:
    assert convert_response(payload, binary=binary, wanted=wanted, handling=handling) == result


def test_what_is_no_base64_is_an_error() -> None:
    for body in (b"not base64!", b"abc", "é".encode()):
        with pytest.raises(NotBase64):
            convert_request(body, binary=False, handling="CONVERT_TO_BINARY")


def test_types_match_exactly_by_family_or_all() -> None:
    some = BinaryTypes.of(["image/png", "audio/*"])
    assert some.match("image/png; q=1") and some.match("audio/ogg") and some.match("IMAGE/PNG")
    assert not some.match("image/jpeg") and not some.match(None)
    assert BinaryTypes.of(["*/*"]).match("x/y")
    assert not BinaryTypes.of(None).match("x/y")
