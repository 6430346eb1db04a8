"""The Secure Remote Password protocol, server side, as the clients of user pools speak it.

SRP-6a in the 3072-bit group of RFC 5054, SHA-256, and Cognito's own key derivation and proof. Numbers are hashed as signed
big-endian bytes: with a zero byte in front where the first bit is set. Source: RFC 5054; *SRP-based authentication* (Amazon
Cognito Developer Guide); AWS's client libraries as observed.

`verifier`, `challenge` and `prove` cost some milliseconds each, in which no other thread of the process runs.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

_N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B"
    "302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE6"
    "49286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB9ED529077096966D"
    "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3BE39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7D"
    "B3970F85A6E1E4C7ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
_G = 2
_INFO = b"Caldera Derived Key\x01"
_KEY_BYTES = 16
_SECRET_BITS = 256
"""RFC 5054: the server's secret has at least 256 bits."""


class SrpError(ValueError):
    """The client's public value is none."""


@dataclass(frozen=True, slots=True)
class Challenge:
    secret: int
    public: int
    """B, which the client gets."""


def new_salt() -> str:
    """Sixteen bytes in hexadecimal; the first is not zero, because some clients read salts as numbers."""
    return f"{secrets.randbits(128) | 1 << 120:032x}"


def verifier(pool_id: str, username: str, password: str, salt: str) -> int:
    inner = hashlib.sha256(f"{_pool_name(pool_id)}{username}:{password}".encode()).digest()
    x = _hash(_signed(int(salt, 16)) + inner)
    return pow(_G, x, _N)


def challenge(stored: int) -> Challenge:
    """`stored`: the user's verifier."""
    while True:
        secret = secrets.randbits(_SECRET_BITS) | 1 << (_SECRET_BITS - 1)
        public = (_K * stored + pow(_G, secret, _N)) % _N
        if public:
            return Challenge(secret, public)


def read_public(text: str) -> int:
    """The client's A, from hexadecimal. Raises SrpError: with such a number, no password would be needed."""
    try:
        public = int(text, 16)
    except ValueError:
        raise SrpError("SRP_A is no hexadecimal number") from None
    if public % _N == 0 or not 0 < public < _N:
        raise SrpError("SRP_A is out of range")
    return public


def prove(client_public: int, mine: Challenge, stored: int, message: bytes, pool_id: str, username: str) -> bytes:
    """The signature that a client who knows the password gives. `message`: the secret block and the timestamp."""
    u = _hash(_signed(client_public) + _signed(mine.public))
    shared = pow(client_public * pow(stored, u, _N), mine.secret, _N)
    pseudo_random = hmac.digest(_signed(u), _signed(shared), "sha256")
    key = hmac.digest(pseudo_random, _INFO, "sha256")[:_KEY_BYTES]
    return hmac.digest(key, f"{_pool_name(pool_id)}{username}".encode() + message, "sha256")


def _pool_name(pool_id: str) -> str:
    """`abc` of `us-east-1_abc`."""
    return pool_id.partition("_")[2]


def _signed(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1)


def _hash(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest())


_K = _hash(_signed(_N) + bytes([_G]))
