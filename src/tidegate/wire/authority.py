"""A local certificate authority: made once, kept in a directory, trusted by whoever is told to.

It issues certificates for exact names. One key serves all of them: it lives as long as the process, on no disk.

Not here: which names may have a certificate (`local_certificates`); certificates of the operator's own. Blocks on the disk.
RFC 5280.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEY, CERTIFICATE = "ca.key", "ca.pem"
VALID: Final = timedelta(days=90)
"""Of what is issued. Clients of some kinds take no more than 398 days."""
_OWN_VALIDITY = timedelta(days=3650)
_BACKDATED = timedelta(days=1)
"""Clocks of other machines may be behind."""


class AuthorityError(Exception):
    """The authority on the disk cannot be used; the message says why, and what to do."""


class Authority:
    """`certificate`: its own, PEM; the one to trust."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, own: x509.Certificate) -> None:
        self.certificate = own.public_bytes(Encoding.PEM).decode("ascii")
        self._own = own
        self._key = key
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        self._leaf_key_pem = _pem(self._leaf_key)

    @classmethod
    def at(cls, directory: Path) -> Authority:
        """The one in the directory, which is made if it is not there. Raises AuthorityError, OSError."""
        if not directory.is_dir():
            _make(directory)
        try:
            key = load_pem_private_key((directory / KEY).read_bytes(), None)
            own = x509.load_pem_x509_certificate((directory / CERTIFICATE).read_bytes())
        except (ValueError, TypeError, FileNotFoundError) as error:
            raise _unusable(directory, str(error)) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != own.public_key():
            raise _unusable(directory, "key and certificate do not belong together")
        if own.not_valid_after_utc < datetime.now(UTC) + VALID:
            raise _unusable(directory, f"the certificate ends at {own.not_valid_after_utc:%Y-%m-%d}")
        return cls(key, own)

    def issue(self, names: Sequence[str]) -> bytes:
        """A key and a certificate for host names and addresses, PEM, valid from now for `VALID`."""
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(_name("Tidegate"))
            .issuer_name(self._own.subject)
            .public_key(self._leaf_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + VALID)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return self._leaf_key_pem + made.public_bytes(Encoding.PEM)


def _make(directory: Path) -> None:
    """Appears whole, by one rename: another gateway may be making one at the same time."""
    key = ec.generate_private_key(ec.SECP256R1())
    directory.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".making-", dir=directory.parent))
    try:
        for name, data in ((KEY, _pem(key)), (CERTIFICATE, _self_signed(key).public_bytes(Encoding.PEM))):
            descriptor = os.open(work / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
        try:
            work.rename(directory)
        except OSError:
            if not directory.is_dir():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    # Several of them may be trusted on one machine: each has a name of its own.
    name = _name(f"Tidegate local authority {os.urandom(4).hex()}")
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + _OWN_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _unusable(directory: Path, why: str) -> AuthorityError:
    return AuthorityError(
        f"the certificate authority in {directory} cannot be used: {why}; remove it, and another is made"
    )
