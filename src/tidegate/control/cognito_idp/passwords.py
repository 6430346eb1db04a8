"""Passwords: the pool's policy, and what is kept of one: a slow hash, and an SRP verifier.

Source: *Adding user pool password requirements*; scrypt with the figures of OWASP's *Password Storage Cheat Sheet*. Everything
here that takes a password costs a tenth of a second of CPU and more, and belongs in the threads that are there for it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.control.cognito_idp import srp

SYMBOLS = frozenset("^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+- ")
_COST, _BLOCK, _LANES = 1 << 14, 8, 5
_MEMORY = 64 << 20
_SALT_BYTES = 16
_LONGEST = 256


@dataclass(frozen=True, slots=True)
class Digest:
    """What is kept of a password."""

    password_hash: str
    srp_salt: str
    srp_verifier: bytes
    """To be sealed before it is stored."""


def digest(pool_id: str, username: str, password: str) -> Digest:
    salt = srp.new_salt()
    number = srp.verifier(pool_id, username, password, salt)
    return Digest(_hashed(password, secrets.token_bytes(_SALT_BYTES)), salt, number.to_bytes(384))


def matches(stored: str | None, password: str) -> bool:
    """Takes the same time when there is nothing to compare with, so that nobody learns who exists."""
    if len(password) > _LONGEST:
        return False
    if stored is None:
        _hashed(password, bytes(_SALT_BYTES))
        return False
    salt = base64.b64decode(stored.split("$")[4])
    return hmac.compare_digest(_hashed(password, salt), stored)


def _hashed(password: str, salt: bytes) -> str:
    key = hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES, maxmem=_MEMORY, dklen=32)
    parts = ("scrypt", _COST, _BLOCK, _LANES, base64.b64encode(salt).decode(), base64.b64encode(key).decode())
    return "$".join(map(str, parts))


_RULES: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    ("require_uppercase", lambda c: c in string.ascii_uppercase, "uppercase"),
    ("require_lowercase", lambda c: c in string.ascii_lowercase, "lowercase"),
    ("require_numbers", lambda c: c in string.digits, "numeric"),
    ("require_symbols", lambda c: c in SYMBOLS, "symbol"),
)


def broken_rule(policy: Mapping[str, Any], password: str) -> str | None:
    """AWS's words for the first rule of a password policy that a password breaks."""
    if len(password) < policy["minimum_length"]:
        return "Password not long enough"
    for rule, belongs, noun in _RULES:
        if policy.get(rule) and not any(map(belongs, password)):
            return f"Password must have {noun} characters"
    if password != password.strip():
        return "Password must not have leading or trailing whitespace"
    return None


def temporary(policy: Mapping[str, Any]) -> str:
    """One that every policy is content with."""
    alphabet = string.ascii_letters + string.digits + "!@#%&"
    while True:
        password = "".join(secrets.choice(alphabet) for _ in range(max(12, policy["minimum_length"])))
        if broken_rule({"minimum_length": 0, **{rule: True for rule, _, _ in _RULES}}, password) is None:
            return password
