"""What leads a function's calls under AWS names to this gateway: the names, and the certificates that it trusts.

AWS's names are always https, and code often makes them itself (`https://{api}.execute-api.{region}.amazonaws.com/…`). In a
function's process such a name means the gateway's address and port (python/launch.py, node/names.cjs), and the variables by
which the usual libraries find their certificates name a file that holds the local authority's beside the system's.

Not here: the authority, what answers. Blocks on the disk.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import botocore

AUTHORITY, BUNDLE = "ca.pem", "bundle.pem"
NAMES: Final = "_TIDEGATE_NAMES"
"""Variable: `HOST PORT PATTERN`. Taken away before the function's own code runs."""
TRUST: Final = "_TIDEGATE_TRUST"
"""Variable: the directory of certificates. In its stead a process gets those that name the files."""
_BUNDLE_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
_SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Of Debian, Fedora, SUSE, Alpine and macOS."""


def write_trust(directory: Path, certificate: str) -> None:
    """The two files of certificates, each put in place whole. `certificate`: the local authority's. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    _write(directory / AUTHORITY, certificate)
    _write(directory / BUNDLE, f"{_others()}\n{certificate}")


def outside(trust: Path, host: str, port: int, names: str) -> Mapping[str, str]:
    """What every function is to get. `trust`: where `write_trust` wrote. `names`: a pattern."""
    return {TRUST: str(trust.resolve()), NAMES: f"{host} {port} {names}"}


def told(base: Mapping[str, str], directory: str, *, looks_at_names: bool) -> dict[str, str]:
    """`base` in the form in which a process gets it. `directory`: what that of the certificates is called there; empty: as in
    `base`. `looks_at_names`: whether a runtime client of ours runs in it.
    """
    ours = {name: value for name, value in base.items() if name != TRUST and (looks_at_names or name != NAMES)}
    directory = directory or base.get(TRUST, "")
    if not directory:
        return ours
    # Node.js reads its file in addition to the certificates that are built in; all others in place of them.
    node = {"NODE_EXTRA_CA_CERTS": f"{directory}/{AUTHORITY}"}
    return {**dict.fromkeys(_BUNDLE_VARIABLES, f"{directory}/{BUNDLE}"), **node, **ours}


def _others() -> str:
    """The system's certificates, or else those that botocore brings along."""
    for path in (ssl.get_default_verify_paths().cafile, *_SYSTEM):
        if path is not None and os.access(path, os.R_OK):
            return Path(path).read_text("utf-8", "replace")
    return (Path(botocore.__file__).parent / "cacert.pem").read_text("utf-8")


def _write(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".making-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)
