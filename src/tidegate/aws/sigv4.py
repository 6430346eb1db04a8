"""Signature Version 4: the canonical request, the string to sign, and the signature. Signing here, verifying from the same parts.

Source: *Create a signed AWS API request* (IAM User Guide). Not here: whose keys they are, nor what a signature allows.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote, unquote

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
_UNRESERVED = "-_.~"
_PLAIN_PATH = re.compile(r"(?:/[\w~-][\w.~-]*)+/?|/", re.ASCII)
"""Nothing in it to normalise or to encode."""


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key: str
    secret_key: str
    token: str | None = None
    """Of temporary credentials."""


@dataclass(frozen=True, slots=True)
class SigningScope:
    """What a signature is good for: one day, one region, one service."""

    date: str
    """`YYYYMMDD`."""
    region: str
    service: str
    """The signing name."""

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def canonical_uri(path: str, service: str) -> str:
    """`path`: as it goes over the wire. S3 takes it as it is; all others normalise it and encode it once more."""
    if service == "s3":
        return path or "/"
    if _PLAIN_PATH.fullmatch(path):
        return path
    segments: list[str] = []
    for segment in (path or "/").split("/"):
        if segment == "..":
            if segments:
                segments.pop()
        elif segment not in ("", "."):
            segments.append(segment)
    slash = "/" if segments and path.endswith("/") else ""
    return quote("/" + "/".join(segments) + slash, safe="/" + _UNRESERVED)


def canonical_query(query: str, *, without: str | None = None) -> str:
    """Arguments sorted by encoded name and value. `without`: an argument to leave out (X-Amz-Signature)."""
    if not query:
        return ""
    pairs = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if not part or name == without:
            continue
        pairs.append((_encoded(name), _encoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _encoded(text: str) -> str:
    """A plus stays one, as clients sign it: it means a blank, so it must not be taken for an encoded plus."""
    return "+".join(quote(unquote(piece), safe=_UNRESERVED) for piece in text.split("+"))


def canonical_headers(pairs: Iterable[tuple[str, str]], signed: Iterable[str]) -> str:
    """`pairs`: names in lower case. Values of one name are joined by commas, runs of blanks folded."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(" ".join(value.split()))
    return "".join(f"{name}:{','.join(values.get(name, []))}\n" for name in signed)


def canonical_request(
    *, method: str, uri: str, query: str, headers: Iterable[tuple[str, str]], signed: list[str], payload_hash: str
) -> str:
    """`uri` and `query`: canonical ones. `signed`: the names of the signed headers, sorted."""
    return "\n".join((method, uri, query, canonical_headers(headers, signed), ";".join(signed), payload_hash))


def string_to_sign(canonical: str, timestamp: str, scope: SigningScope) -> str:
    return "\n".join((ALGORITHM, timestamp, str(scope), hashlib.sha256(canonical.encode()).hexdigest()))


@lru_cache(maxsize=1024)
def signing_key(secret_key: str, scope: SigningScope) -> bytes:
    """Good for a day, so it is kept."""
    key = f"AWS4{secret_key}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signature(secret_key: str, scope: SigningScope, text: str) -> str:
    return hmac.digest(signing_key(secret_key, scope), text.encode(), "sha256").hex()


def sign(
    credentials: Credentials,
    *,
    region: str,
    service: str,
    now: datetime,
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, str]:
    """The headers that a signed request carries besides `headers` (which has Host, and is signed whole). `now`: UTC."""
    timestamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = SigningScope(timestamp[:8], region, service)
    payload_hash = hashlib.sha256(body).hexdigest() if body else EMPTY_HASH
    added = {"X-Amz-Date": timestamp}
    if credentials.token is not None:
        added["X-Amz-Security-Token"] = credentials.token
    if service == "s3":
        added["X-Amz-Content-SHA256"] = payload_hash
    pairs = [(name.lower(), value) for name, value in {**headers, **added}.items()]
    signed = sorted({name for name, _ in pairs})
    canonical = canonical_request(
        method=method,
        uri=canonical_uri(path, service),
        query=canonical_query(query),
        headers=pairs,
        signed=signed,
        payload_hash=payload_hash,
    )
    proof = signature(credentials.secret_key, scope, string_to_sign(canonical, timestamp, scope))
    added["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, SignedHeaders={';'.join(signed)}, Signature={proof}"
    )
    return added
