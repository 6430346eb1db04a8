"""What is still checked of a backend's certificate when its issuer is not: its name and its dates.

Source: *TlsConfig* (insecureSkipVerification): "API Gateway still performs basic certificate validation, which includes checking
the certificate's expiration date, hostname, and presence of a root certificate authority". Not here: the last of these; chains
that are verified (the ssl module).
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

from cryptography import x509


def problem_of(certificate: bytes, name: str) -> str | None:
    """Why a certificate (DER) is no good for a host name or address; None: it is."""
    try:
        read = x509.load_der_x509_certificate(certificate)
        now = datetime.now(UTC)
        if not read.not_valid_before_utc <= now <= read.not_valid_after_utc:
            return "its certificate has expired, or is not valid yet"
        return None if _names(read, name) else f"its certificate is not for {name}"
    except ValueError as error:
        return f"its certificate cannot be read: {error}"


def _names(certificate: x509.Certificate, name: str) -> bool:
    try:
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    try:
        return ipaddress.ip_address(name) in named.get_values_for_type(x509.IPAddress)
    except ValueError:
        wanted = name.lower().rstrip(".").encode("idna").decode()
        return any(_matches(pattern.lower(), wanted) for pattern in named.get_values_for_type(x509.DNSName))


def _matches(pattern: str, name: str) -> bool:
    """A star stands for the whole first label of at least three, and for no other."""
    first, _, rest = name.partition(".")
    return pattern == name or (first != "" and "." in rest and pattern == f"*.{rest}")
