"""Secrets at rest: sealed with a key of the data directory, so that the store's file alone gives nothing away.

AES-256-GCM. The key lies beside the store (`secret.key`, readable by its owner only), is made once, and has to be backed up
with it: what it sealed cannot be opened without it. Several nodes on one store share one key file.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_KEY_BYTES = 32
_NONCE_BYTES = 12


class SecretError(Exception):
    """Sealed text cannot be opened, or the key cannot be read; the message says why and holds no secret."""


class SecretBox:
    """Seals and opens. Safe to use from any thread."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, purpose: str) -> str:
        """URL-safe text. `purpose` has to be given again to open it: what was sealed for one thing is no good for another."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, secret, purpose.encode())
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, text: str, purpose: str) -> bytes:
        """Raises SecretError: altered, sealed for something else, or with another key."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], purpose.encode())
        except (InvalidTag, binascii.Error, ValueError):
            raise SecretError(f"what was sealed for {purpose} cannot be opened") from None

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """Bytes that only this key gives, always the same for one purpose."""
        return HKDFExpand(SHA256(), length, f"derived:{purpose}".encode()).derive(self._key)


def open_secret_box(path: Path) -> SecretBox:
    """The box of a key file, which is made if it is not there. Raises SecretError."""
    try:
        return SecretBox(_checked(path.read_bytes(), path))
    except FileNotFoundError:
        return SecretBox(_make(path))
    except OSError as error:
        raise SecretError(f"cannot read the key {path}: {error}") from error


def _make(path: Path) -> bytes:
    """Whole or not at all: written under another name, then linked; of several nodes that start at once, one wins."""
    key = secrets.token_bytes(_KEY_BYTES)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, key)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)
        except FileExistsError:
            return _checked(path.read_bytes(), path)
        finally:
            draft.unlink()
    except OSError as error:
        raise SecretError(f"cannot make the key {path}: {error}") from error
    return key


def _checked(key: bytes, path: Path) -> bytes:
    if len(key) != _KEY_BYTES:
        raise SecretError(f"the key {path} is {len(key)} bytes long, not {_KEY_BYTES}")
    return key
