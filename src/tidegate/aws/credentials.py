"""Whose keys sign requests to AWS's services: the account's own in local mode, or real ones by botocore's chain and STS.

Source: *Configuration and credential precedence*, *AssumeRole*. Not here: signing (sigv4).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidegate.aws.sigv4 import Credentials
from tidegate.core.clock import Clock

_EARLY = 300.0
"""Seconds before they expire that temporary credentials are replaced."""
_SESSION = "BackplaneAssumeRoleSession"
"""AWS: the session name that API Gateway assumes roles with."""


class LocalCredentials:
    """For neighbours that take any signature: the access key names the account, so that theirs and ours agree."""

    async def credentials(self, role: str | None, account: str) -> Credentials:
        return Credentials(role.split(":")[4] if role else account, "test")


class CredentialError(Exception):
    """There are no credentials, or the role may not be assumed; the message says why."""


@dataclass(frozen=True, slots=True)
class _Held:
    credentials: Credentials
    until: float


class ChainCredentials:
    """Real ones: botocore's chain, and the role of the integration by STS; held until shortly before they expire."""

    def __init__(self, clock: Clock, region: str, sts_endpoint: str | None = None) -> None:
        self._clock = clock
        self._region = region
        self._sts_endpoint = sts_endpoint
        self._held: dict[str | None, _Held] = {}
        self._fetching: dict[str | None, asyncio.Future[_Held]] = {}

    async def credentials(self, role: str | None, account: str) -> Credentials:
        """Raises CredentialError."""
        held = self._held.get(role)
        if held is not None and held.until > self._clock.time():
            return held.credentials
        fetching = self._fetching.get(role)
        if fetching is None:
            # One call however many requests wait for it.
            fetching = asyncio.ensure_future(asyncio.to_thread(self._fetch, role))
            self._fetching[role] = fetching
            fetching.add_done_callback(lambda _done: self._fetching.pop(role, None))
        held = self._held[role] = await asyncio.shield(fetching)
        return held.credentials

    def _fetch(self, role: str | None) -> _Held:
        import botocore.session
        from botocore.exceptions import BotoCoreError, ClientError

        session = botocore.session.Session()
        try:
            if role is not None:
                client = session.create_client("sts", region_name=self._region, endpoint_url=self._sts_endpoint)
                given = client.assume_role(RoleArn=role, RoleSessionName=_SESSION)["Credentials"]
                return self._temporary(given)
            found = session.get_credentials()
        except (BotoCoreError, ClientError) as error:
            raise CredentialError(f"no credentials{f' for {role}' if role else ''}: {error}") from error
        if found is None:
            raise CredentialError(
                "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
            )
        frozen = found.get_frozen_credentials()
        return _Held(Credentials(frozen.access_key, frozen.secret_key, frozen.token), self._clock.time() + _EARLY)

    @staticmethod
    def _temporary(given: dict[str, Any]) -> _Held:
        expires = given["Expiration"]
        until = expires.timestamp() if isinstance(expires, datetime) else float(expires)
        credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
        return _Held(credentials, until - _EARLY)
