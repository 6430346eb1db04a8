"""What user pools seal with the server's vault, as URL-safe text: keys, verifiers and client secrets at rest, and the tokens that
clients carry but cannot read (refresh tokens, sign-in sessions, authorization codes).
"""

from __future__ import annotations

import base64
import binascii

from tidegate.core.vault import Vault, VaultError


class SecretError(Exception):
    """Text that was not sealed by this server for this purpose."""


class SecretBox:
    """Seals and opens. Safe to use from any thread."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def seal(self, secret: bytes, purpose: str) -> str:
        """`purpose` has to be given again to open it: what was sealed for one thing is no good for another."""
        return base64.urlsafe_b64encode(self._vault.seal(f"cognito-idp/{purpose}", "", secret)).decode().rstrip("=")

    def open(self, text: str, purpose: str) -> bytes:
        """Raises SecretError."""
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            return self._vault.open(f"cognito-idp/{purpose}", "", sealed)
        except (VaultError, binascii.Error, ValueError):
            raise SecretError(f"no text that was sealed for {purpose}") from None

    def derive(self, purpose: str, length: int = 32) -> bytes:
        """Bytes that only this server's key gives, always the same for one purpose."""
        return self._vault.derive(f"cognito-idp/{purpose}", length)
