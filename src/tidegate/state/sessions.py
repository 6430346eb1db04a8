"""Session tokens: all that is known of temporary credentials, sealed, so that nothing has to be kept.

They outlive restarts as long as the secret key does, and end by their own time, or with the identity that they are of. The
access key id is part of the seal: a token is good with its own key only. Source: *Temporary security credentials in IAM*.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tidegate.aws.identifiers import TEMPORARY, access_key_id, secret_access_key
from tidegate.core.vault import Vault, VaultError

_PURPOSE = "session"
_MOST_BYTES = 64 * 1024
"""Of a token's text, and of what it unpacks to: policies and tags have limits of their own, far below."""


class NoSession(Exception):
    """The text is no token, or not that of the key it came with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    access_key: str
    secret_key: str = field(repr=False)
    account: str
    kind: str
    """`Role`, `User` or `Root`."""
    identity: str = ""
    """The key of the role or user."""
    identity_id: str = ""
    """Its unique id: another of the same name is another."""
    name: str = ""
    """Of a role's session."""
    issued: int
    expires: int
    """Seconds since the epoch."""
    policies: tuple[str, ...] = ()
    """Session policies: documents."""
    policy_arns: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()
    """Names of tags that go on to sessions made from this one."""
    source_identity: str | None = None
    proved: bool
    """Whether whoever asked for it had proved who they are (`--iam enforce`)."""

    @property
    def has_policies(self) -> bool:
        return bool(self.policies or self.policy_arns)


class Sessions:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def begin(self, *, account: str, now: float, seconds: int, kind: str, proved: bool, **more: Any) -> Session:
        """New temporary credentials. `more`: further fields of a session."""
        return Session(
            access_key=access_key_id(account, TEMPORARY),
            secret_key=secret_access_key(),
            account=account,
            kind=kind,
            issued=int(now),
            expires=int(now) + seconds,
            proved=proved,
            **more,
        )

    def token(self, session: Session) -> str:
        packed = zlib.compress(msgspec.json.encode(session), 6)
        return base64.b64encode(self._vault.seal(_PURPOSE, session.access_key, packed)).decode()

    def read(self, access_key: str, token: str) -> Session:
        """Raises NoSession. Whether it has expired is for the caller to see."""
        try:
            if len(token) > _MOST_BYTES:
                raise NoSession("too long")
            packed = self._vault.open(_PURPOSE, access_key, base64.b64decode(token, validate=True))
            unpacked = zlib.decompressobj().decompress(packed, _MOST_BYTES)
            return msgspec.json.decode(unpacked, type=Session)
        except (binascii.Error, VaultError, zlib.error, msgspec.DecodeError, ValueError) as error:
            raise NoSession(str(error)) from None
