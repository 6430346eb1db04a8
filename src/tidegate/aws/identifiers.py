"""The unique ids of identities and keys: a prefix that tells the kind, and random characters behind it.

Source: *IAM identifiers* (unique ID prefixes). An access key id carries its account, as AWS's do: one bit that is set, forty
bits of account, thirty-nine random bits, in base32.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import string

_ALPHABET = string.ascii_uppercase + string.digits
_RANDOM_BITS = 39
_ACCOUNT_BITS = 40
_BODY = 16
_SECRET_ALPHABET = string.ascii_letters + string.digits + "+/"

USER, ROLE, GROUP, POLICY = "AIDA", "AROA", "AGPA", "ANPA"
LONG_TERM, TEMPORARY = "AKIA", "ASIA"


def unique_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(17))


def access_key_id(account: str, prefix: str = LONG_TERM) -> str:
    number = 1 << _ACCOUNT_BITS | int(account)
    bits = number << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return prefix + base64.b32encode(bits.to_bytes(_BODY * 5 // 8)).decode()


def account_of(key_id: str) -> str | None:
    """Whose account an access key id says it is of; None: it says nothing of the kind."""
    if key_id[:4] not in (LONG_TERM, TEMPORARY) or len(key_id) != 4 + _BODY:
        return None
    try:
        bits = int.from_bytes(base64.b32decode(key_id[4:]))
    except (binascii.Error, ValueError):
        return None
    account = bits >> _RANDOM_BITS & (1 << _ACCOUNT_BITS) - 1
    return f"{account:012d}" if account < 10**12 else None


def secret_access_key() -> str:
    """Forty characters."""
    return "".join(secrets.choice(_SECRET_ALPHABET) for _ in range(40))
