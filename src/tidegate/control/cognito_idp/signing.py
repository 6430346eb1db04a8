"""The keys that sign tokens: made, sealed, opened once and kept, and shown as a JSON Web Key Set.

Source: *Verifying JSON web tokens* (Amazon Cognito Developer Guide), RFC 7517.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from tidegate.control.cognito_idp.sealing import SecretBox
from tidegate.definition.records import PoolKey

_BITS = 2048
_EXPONENT = 65537
_KEPT = 1000
_PURPOSE = "user pool signing key"


def make_key(secrets: SecretBox, kid: str) -> PoolKey:
    """Costs a tenth of a second."""
    private = rsa.generate_private_key(public_exponent=_EXPONENT, key_size=_BITS)
    numbers = private.public_key().public_numbers()
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return PoolKey(kid=kid, n=_number(numbers.n), e=_number(numbers.e), sealed_private=secrets.seal(der, _PURPOSE))


def web_keys(key: PoolKey) -> dict[str, Any]:
    """The JSON Web Key Set."""
    return {"keys": [{"alg": "RS256", "e": key.e, "kid": key.kid, "kty": "RSA", "n": key.n, "use": "sig"}]}


def public_key(key: PoolKey) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(_integer(key.e), _integer(key.n)).public_key()


class Signers:
    """Private keys, opened. Safe to use from any thread."""

    def __init__(self, secrets: SecretBox) -> None:
        self._secrets = secrets
        self._keys: OrderedDict[str, rsa.RSAPrivateKey] = OrderedDict()

    def sign(self, key: PoolKey, claims: Mapping[str, Any]) -> str:
        """A JSON Web Token. Raises SecretError."""
        private = self._keys.get(key.kid) or self._open(key)
        # AWS: the header holds `kid` and `alg`, and no `typ`.
        return jwt.encode(dict(claims), private, algorithm="RS256", headers={"kid": key.kid, "typ": None})

    def _open(self, key: PoolKey) -> rsa.RSAPrivateKey:
        der = self._secrets.open(key.sealed_private, _PURPOSE)
        # What we sealed is a key: checking its numbers again would cost more than a hundred signatures.
        private = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(private, rsa.RSAPrivateKey)
        self._keys[key.kid] = private
        if len(self._keys) > _KEPT:
            self._keys.popitem(last=False)
        return private


def _number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).decode().rstrip("=")


def _integer(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
