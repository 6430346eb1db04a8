"""Sealed secrets: what opens them, and the key's file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidegate.definition.secrets import SecretBox, SecretError, open_secret_box


def test_only_the_same_key_and_purpose_open(tmp_path: Path) -> None:
    box = open_secret_box(tmp_path / "secret.key")
    sealed = box.seal(b"secret", "a key")
    assert open_secret_box(tmp_path / "secret.key").open(sealed, "a key") == b"secret"
    assert box.seal(b"secret", "a key") != sealed
    altered = ("B" if sealed[20] == "A" else "A").join([sealed[:20], sealed[21:]])
    for text, purpose in (
        (sealed, "another"),
        (altered, "a key"),
        (sealed[:-4], "a key"),
        ("é", "a key"),
        ("", "a key"),
    ):
        with pytest.raises(SecretError):
            box.open(text, purpose)
    with pytest.raises(SecretError):
        SecretBox(bytes(32)).open(sealed, "a key")
    assert box.derive("x") == box.derive("x") != box.derive("y")


def test_the_key_is_made_once_and_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    with ThreadPoolExecutor(8) as threads:
        boxes = list(threads.map(lambda _: open_secret_box(path), range(8)))
    assert len({box.derive("same") for box in boxes}) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secret.key"]
    path.write_bytes(b"short")
    with pytest.raises(SecretError, match="5 bytes long"):
        open_secret_box(path)
