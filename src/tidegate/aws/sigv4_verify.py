"""Verifying Signature Version 4: reading what a request claims, in AWS's order of checks, and proving it.

A request is signed by its Authorization header or by its query (presigned). What fails is a SignatureError with AWS's own
words. Comparing is constant in time. Source: *Signature Version 4 signing process*; shared facts, access §2. Not here: whose keys
there are (KeySource), what the caller may do (policy).
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from urllib.parse import unquote

from tidegate.aws.sigv4 import (
    ALGORITHM,
    EMPTY_HASH,
    UNSIGNED_PAYLOAD,
    SigningScope,
    canonical_query,
    canonical_request,
    canonical_uri,
    signature,
    string_to_sign,
)
from tidegate.core.message import Request

_SKEW = 15
"""Minutes that clocks may differ."""
_KNOWN = 1024
"""Spellings of headers, credentials and times that are kept ready: a client's requests say the same again."""
_SKEWS = {"execute-api": 5, "lambda": 5}
"""AWS: as the messages of these say: `(… - 5 min.)`."""
_STAMP = re.compile(r"\d{8}T\d{6}Z")
_STAMP_FORMAT = "%Y%m%dT%H%M%SZ"
_LONGEST = 604_800
"""Seconds that a presigned request may be good for: seven days."""
_REQUIRED = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
    "X-Amz-Expires",
)
_ARGUMENTS = frozenset({*_REQUIRED, "X-Amz-Security-Token"})
_OVERRIDE = "x-http-method-override"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
"""What SDKs sign of a payload that they send by https, with its checksum behind it."""
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and "
    "signing method. Consult the service documentation for details."
)


class SignatureError(Exception):
    """A request that is not proved to be its caller's. `code` is AWS's exception, without the word Exception."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Claim(NamedTuple):
    """Who a request says that it comes from, and the proof that it offers."""

    access_key: str
    scope: SigningScope
    timestamp: str
    signed: list[str]
    signature: str
    token: str | None
    presigned: bool


def read_claim(request: Request, *, service: str, region: str, now: datetime) -> Claim | None:
    """None: the request carries no signature at all. Raises SignatureError. `now`: UTC."""
    header = request.headers.get(b"authorization")
    if header is not None:
        if len(request.headers.get_all(b"authorization")) > 1:
            # Of two, one would be looked at here and the other behind.
            raise SignatureError("IncompleteSignature", "Authorization header requires to be sent once. ")
        text = header.decode("utf-8", "replace")
        return _checked(_of_header(request, text), request, service=service, region=region, now=now)
    if "X-Amz-Algorithm=" in request.query or "X-Amz-Signature=" in request.query:
        return _checked(_of_query(request), request, service=service, region=region, now=now)
    return None


class _Fields(NamedTuple):
    algorithm: str
    credential: str
    signed: str
    signature: str
    timestamp: str
    token: str | None
    seconds: int | None
    """How long a presigned request is good for."""


def _of_header(request: Request, text: str) -> _Fields:
    front, _, proof = text.rpartition("Signature=")
    before = front.rstrip(" ")
    if before.endswith(",") and "=" in before and "," not in proof:
        # What stands before it, a client says all day.
        algorithm, fields, broken = _parts(before[:-1])
        fields = {**fields, "Signature": proof.strip()}
    else:
        algorithm, fields, broken = _parts(text)
    _refuse_version_4a(algorithm)
    if broken:
        raise SignatureError(
            "IncompleteSignature",
            "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with "
            f"Base64): '{_hashed(text)}'.",
        )
    stamp = _header(request, b"x-amz-date") or _header(request, b"date")
    missing = "".join(
        f"Authorization header requires '{name}' parameter. "
        for name in ("Credential", "Signature", "SignedHeaders")
        if not fields.get(name)
    )
    if stamp is None:
        missing += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
    if missing:
        raise SignatureError(
            "IncompleteSignature",
            f"{missing}(Hashed with SHA-256 and encoded with Base64) Authorization={_hashed(text)}",
        )
    return _Fields(
        algorithm,
        fields["Credential"],
        fields["SignedHeaders"],
        fields["Signature"],
        stamp or "",
        _header(request, b"x-amz-security-token"),
        None,
    )


@lru_cache(maxsize=_KNOWN)
def _parts(text: str) -> tuple[str, Mapping[str, str], bool]:
    """Algorithm and fields of a header, and whether one is none."""
    algorithm, _, rest = text.strip().partition(" ")
    pairs = [part.strip().partition("=") for part in rest.split(",")]
    return algorithm, {name: value.strip() for name, _, value in pairs}, not all(equals for _, equals, _ in pairs)


def _refuse_version_4a(algorithm: str) -> None:
    if algorithm.startswith("AWS4-ECDSA"):
        raise SignatureError("IncompleteSignature", "Tidegate does not support Signature Version 4A")


def _of_query(request: Request) -> _Fields:
    given: dict[str, str] = {}
    for part in request.query.split("&"):
        name, _, value = part.partition("=")
        name = unquote(name)
        if name in given and name in _ARGUMENTS:
            # Of two neither can be meant for sure.
            raise SignatureError("IncompleteSignature", f"AWS query-string parameters must include '{name}' once. ")
        given.setdefault(name, unquote(value))
    _refuse_version_4a(given.get("X-Amz-Algorithm", ""))
    missing = [name for name in _REQUIRED if not given.get(name)]
    if missing:
        named = "".join(f"AWS query-string parameters must include '{name}'. " for name in missing)
        raise SignatureError("IncompleteSignature", f"{named}Re-examine the query-string parameters.")
    seconds = given["X-Amz-Expires"]
    if not (seconds.isascii() and seconds.isdigit()) or not 0 < int(seconds[:10]) <= _LONGEST:
        raise SignatureError("IncompleteSignature", f"X-Amz-Expires must be between 1 and {_LONGEST} seconds")
    return _Fields(
        given["X-Amz-Algorithm"],
        given["X-Amz-Credential"],
        given["X-Amz-SignedHeaders"],
        given["X-Amz-Signature"],
        given["X-Amz-Date"],
        given.get("X-Amz-Security-Token"),
        int(seconds),
    )


def _checked(fields: _Fields, request: Request, *, service: str, region: str, now: datetime) -> Claim:
    """AWS's order: date, expiry, signed host, algorithm, credential."""
    moment, stamp = _moment(fields.timestamp)
    _check_time(moment, fields.seconds, now, _SKEWS.get(service, _SKEW))
    signed = fields.signed.split(";")
    if "host" not in signed:
        raise SignatureError("InvalidSignature", "'Host' must be a 'SignedHeader' in the AWS Authorization.")
    if fields.algorithm != ALGORITHM:
        raise SignatureError(
            "IncompleteSignature", f"Unsupported AWS 'algorithm': '{fields.algorithm}' (only {ALGORITHM} for now). "
        )
    parts = fields.credential.split("/")
    if len(parts) != 5:
        raise SignatureError(
            "IncompleteSignature",
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got "
            f"'{fields.credential}'",
        )
    key, date, key_region, key_service, term = parts
    wrong = ""
    if key_region != region:
        wrong += f"Credential should be scoped to a valid region, not '{key_region}'. "
    if key_service != service:
        wrong += f"Credential should be scoped to correct service: '{service}'. "
    if term != "aws4_request":
        wrong += f"Credential should be scoped with a valid terminator: 'aws4_request', not '{term}'. "
    if date != stamp[:8]:
        wrong += (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date}' != '{stamp[:8]}', from '{stamp}'. "
        )
    if wrong:
        raise SignatureError("InvalidSignature", wrong)
    return Claim(
        key,
        SigningScope(date, key_region, key_service),
        stamp,
        signed,
        fields.signature,
        fields.token,
        fields.seconds is not None,
    )


@lru_cache(maxsize=_KNOWN)
def _moment(text: str) -> tuple[datetime, str]:
    """Also in the basic format. The requests of one second name the same."""
    form = _STAMP_FORMAT if _STAMP.fullmatch(text) else "%a, %d %b %Y %H:%M:%S GMT"
    try:
        moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError:
        raise SignatureError(
            "IncompleteSignature",
            f"Date must be in ISO-8601 'basic format'. Got '{text}'. See http://en.wikipedia.org/wiki/ISO_8601",
        ) from None
    return moment, moment.strftime(_STAMP_FORMAT)


def _check_time(moment: datetime, seconds: int | None, now: datetime, minutes: int) -> None:
    skew = _minutes(minutes)
    age = now - moment
    if age < -skew:
        later = _stamp(now + skew)
        raise SignatureError(
            "InvalidSignature",
            f"Signature not yet current: {_stamp(moment)} is still later than {later} ({_stamp(now)} + {minutes} min.)",
        )
    if seconds is not None:
        if age > timedelta(seconds=seconds):
            text = f"Signature expired: {_stamp(moment)} is now earlier than {_stamp(now)}"
            raise SignatureError("InvalidSignature", text)
    elif age > skew:
        earlier = _stamp(now - skew)
        raise SignatureError(
            "InvalidSignature",
            f"Signature expired: {_stamp(moment)} is now earlier than {earlier} ({_stamp(now)} - {minutes} min.)",
        )


@lru_cache
def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def _stamp(moment: datetime) -> str:
    return moment.strftime(_STAMP_FORMAT)


def verify(claim: Claim, request: Request, secret_key: str) -> None:
    """Raises SignatureError unless the claim is proved by the key."""
    if _says_more_than_is_signed(claim, request):
        raise SignatureError("InvalidSignature", _MISMATCH)
    given = claim.signature.encode("utf-8", "replace")
    query = request.query
    if hmac.compare_digest(_proof(claim, request, secret_key, query), given):
        return
    # A plus in a query means a blank: some clients sign it as it is, some as `%20`.
    if "+" in query and hmac.compare_digest(_proof(claim, request, secret_key, query.replace("+", "%20")), given):
        return
    raise SignatureError("InvalidSignature", _MISMATCH)


def _proof(claim: Claim, request: Request, secret_key: str, query: str) -> bytes:
    """What the signature has to be, if the query was signed as it is here."""
    names = _encoded_names(tuple(claim.signed))
    canonical = canonical_request(
        method=request.method,
        uri=canonical_uri(request.path, claim.scope.service),
        query=canonical_query(query, without="X-Amz-Signature" if claim.presigned else None),
        headers=[
            (lower.decode("latin-1"), value.decode("utf-8", "replace"))
            for lower, _, value in request.headers.entries
            if lower in names
        ],
        signed=claim.signed,
        payload_hash=_payload_hash(claim, request),
    )
    return signature(secret_key, claim.scope, string_to_sign(canonical, claim.timestamp, claim.scope)).encode()


@lru_cache(maxsize=_KNOWN)
def _encoded_names(signed: tuple[str, ...]) -> frozenset[bytes]:
    return frozenset(name.encode("latin-1", "replace") for name in signed)


def _says_more_than_is_signed(claim: Claim, request: Request) -> bool:
    """Of a request that was caught on its way, a signature would hold all the same: for another verb by the header that
    replaces it, and for another path, because the canonical one has its dots resolved and the one that is routed has not.
    """
    if _OVERRIDE.encode() in request.headers and _OVERRIDE not in claim.signed:
        return True
    path = request.path
    if "/." not in path and path[:1] != ".":
        return False
    return claim.scope.service != "s3" and not {".", ".."}.isdisjoint(path.split("/"))


def _payload_hash(claim: Claim, request: Request) -> str:
    """What is signed of the body: its hash, whatever the request says that it is. Only S3 lets a payload go unsigned.

    Raises SignatureError.
    """
    declared = _header(request, b"x-amz-content-sha256") or ""
    if claim.scope.service == "s3" and (claim.presigned or declared == UNSIGNED_PAYLOAD):
        return UNSIGNED_PAYLOAD
    if claim.scope.service == "s3" and declared == UNSIGNED_TRAILER:
        return UNSIGNED_TRAILER
    if declared.startswith("STREAMING-"):
        raise SignatureError("IncompleteSignature", f"Tidegate does not verify {declared} yet")
    return sha256(request.body).hexdigest() if request.body else EMPTY_HASH


def _header(request: Request, name: bytes) -> str | None:
    value = request.headers.get(name)
    return None if value is None else value.decode("utf-8", "replace")


def _hashed(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
