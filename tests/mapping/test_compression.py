"""Which coding an answer gets, and undoing a request's, within bounds."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.mapping.compression import BadEncoding, TooLarge, chosen_coding, compress, decompress


@pytest.mark.parametrize(
    ("accept", "coding"),
    [
        (None, None),
        (b"", None),
        (b"gzip", "gzip"),
        (b"deflate", "deflate"),
        (b"identity", None),
        (b"br", None),
        (b"br;q=1.0, gzip;q=0.8", None),
        (b"br;q=0.5, gzip;q=0.8", "gzip"),
        (b"gzip, deflate, br", "gzip"),
        (b"deflate;q=0.9,gzip;q=0.8", "deflate"),
        (b"GZIP ; q=0.1", "gzip"),
        (b"*", "gzip"),
        (b"gzip;q=0", None),
        (b"gzip;q=bad", None),
    ],
)
def test_the_best_coding_counts(accept: bytes | None, coding: str | None) -> None:
    assert chosen_coding(accept) == coding


@given(st.binary(max_size=5000), st.sampled_from(["gzip", "deflate"]))
def test_what_is_compressed_comes_back(body: bytes, coding: str) -> None:
    assert decompress(compress(body, coding), coding.encode(), 5000) == body


def test_several_codings_and_members() -> None:
    assert decompress(gzip.compress(zlib.compress(b"both")), b"deflate, gzip", 100) == b"both"
    assert decompress(gzip.compress(b"a") + gzip.compress(b"b"), b"gzip", 100) == b"ab"
    assert decompress(b"plain", b"identity", 100) == b"plain"
    assert decompress(b"", b"gzip", 100) == b""
    many = b"".join(gzip.compress(bytes([number % 256]) * 50_000) for number in range(100))
    assert decompress(many, b"gzip", 5_000_000) == b"".join(bytes([number % 256]) * 50_000 for number in range(100))
    noise = random.Random(1).randbytes(100_000)
    assert decompress(gzip.compress(noise) * 2, b"gzip", 200_000) == noise * 2


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (b"not gzip", b"gzip"),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], b"gzip"),
        (gzip.compress(b"x", mtime=0) + b"rest", b"gzip"),
        (b"x", b"br"),
        (b"x", b"compress"),
    ],
)
def test_what_cannot_be_undone_is_an_error(body: bytes, coding: bytes) -> None:
    with pytest.raises(BadEncoding):
        decompress(body, coding, 1000)


def test_a_bomb_does_not_go_off() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    with pytest.raises(TooLarge):
        decompress(bomb, b"gzip", 10 * 1024 * 1024)
    with pytest.raises(TooLarge):
        decompress(gzip.compress(b"0" * 1000) * 2000, b"gzip", 500_000)
    with pytest.raises(BadEncoding):
        decompress(gzip.compress(b"") * 500_000, b"gzip", 1000)
    with pytest.raises(TooLarge):
        decompress(gzip.compress(gzip.compress(b"\0" * 50_000_000)), b"gzip, gzip", 10 * 1024 * 1024)
