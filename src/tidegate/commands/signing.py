"""Calls of a server's own interface, signed with the credentials that the environment has: `--iam enforce` asks for them.

A server that does not ask passes signatures over. Not here: what a call says, how its failure is told.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from urllib.parse import urlsplit

from tidegate.aws.sigv4 import Credentials, sign

_SERVICE = "tidegate"
_REGION = "us-east-1"
"""Of the signature; the interface belongs to none."""


def found_credentials() -> Credentials | None:
    """The SDKs' variables, and where they name a profile, the profile."""
    found = os.environ
    if found.get("AWS_ACCESS_KEY_ID") and found.get("AWS_SECRET_ACCESS_KEY"):
        token = found.get("AWS_SESSION_TOKEN") or None
        return Credentials(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], token)
    if not found.get("AWS_PROFILE"):
        return None
    import botocore.session

    given = botocore.session.get_session().get_credentials()
    if given is None:
        return None
    frozen = given.get_frozen_credentials()
    return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def signed(method: str, url: str, body: bytes | None = None) -> dict[str, str]:
    """Headers for a call; none when there are no credentials."""
    credentials = found_credentials()
    if credentials is None:
        return {}
    parts = urlsplit(url)
    return sign(
        credentials,
        region=_REGION,
        service=_SERVICE,
        now=datetime.now(UTC),
        method=method,
        path=parts.path,
        query=parts.query,
        headers={"Host": parts.netloc},
        body=body or b"",
    )
