"""Secrets at rest: one key of the operator or of the data directory, and what is sealed with it (AES-GCM, 256 bits).

A purpose and a name go into every seal, so that a sealed text is good for nothing but what it was made for. Whoever has the
key has the secrets; without it they are lost. Not here: what is sealed.
"""

from __future__ import annotations

import base64
import binascii
import os
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_FILE = "secret.key"
_KEY_BYTES = 32
_NONCE_BYTES = 12


class VaultError(Exception):
    """A key cannot be used, or a sealed text was not sealed by it; the message says which."""


class Vault:
    def __init__(self, key: bytes) -> None:
        if len(key) != _KEY_BYTES:
            raise VaultError(f"a secret key has {_KEY_BYTES} bytes, this one has {len(key)}")
        self._key = key
        self._ciphers: dict[str, AESGCM] = {}

    def seal(self, purpose: str, name: str, secret: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher(purpose).encrypt(nonce, secret, name.encode())

    def open(self, purpose: str, name: str, sealed: bytes) -> bytes:
        """Raises VaultError."""
        try:
            return self._cipher(purpose).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            raise VaultError(f"{purpose} {name} was not sealed with this secret key") from None

    def derive(self, purpose: str, length: int = _KEY_BYTES) -> bytes:
        """Bytes that only this key gives, always the same for one purpose."""
        return HKDF(SHA256(), length, salt=None, info=f"tidegate/derived/{purpose}".encode()).derive(self._key)

    def _cipher(self, purpose: str) -> AESGCM:
        """Each purpose has a key of its own, derived from the one."""
        cipher = self._ciphers.get(purpose)
        if cipher is None:
            derive = HKDF(SHA256(), _KEY_BYTES, salt=None, info=f"tidegate/{purpose}".encode())
            cipher = self._ciphers[purpose] = AESGCM(derive.derive(self._key))
        return cipher


def open_vault(data: Path, given: str | None) -> Vault:
    """`given`: the operator's key in base64; without it, that of the data directory, made once. Raises VaultError, OSError."""
    return Vault(_decoded(given, "the setting secret_key") if given else _kept(data / KEY_FILE))


def _kept(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    return _decoded(path.read_text(encoding="ascii", errors="replace").strip(), str(path))


def _make(path: Path) -> None:
    """Nobody else may read it at any moment, it is whole or not there, and of two that start at once one makes it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(_KEY_BYTES)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def _decoded(text: str, where: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VaultError(f"{where} is not base64") from None
    if len(key) != _KEY_BYTES:
        raise VaultError(f"{where} has {len(key)} bytes in place of {_KEY_BYTES}")
    return key
