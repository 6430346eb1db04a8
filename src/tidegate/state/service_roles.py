"""Roles that services assume: what a function works with, and an integration that names a role.

A role that does not trust the service gives nothing. Source: *Lambda execution role*, *API Gateway permissions model for
invoking an API's AWS service backend*, *The confused deputy problem*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tidegate.aws.credentials import CredentialError
from tidegate.aws.policy import Policies, Principal, Request, decide
from tidegate.aws.sigv4 import Credentials
from tidegate.state.callers import Callers, IdentityEntry
from tidegate.state.sessions import Sessions

FUNCTION_SECONDS = 43_200
"""How long what a function's process is given is good for; processes end before that (functions.pool)."""
_INTEGRATION_SECONDS = 3600
_EARLY = 300
"""Seconds before they expire that an integration's credentials are replaced."""
_SESSION = "BackplaneAssumeRoleSession"
"""AWS: the session name that API Gateway assumes roles with."""


class ServiceRoles:
    def __init__(self, callers: Callers, sessions: Sessions, now: Callable[[], float]) -> None:
        self._callers = callers
        self._sessions = sessions
        self._now = now
        self._held: dict[str, tuple[Credentials, str, float]] = {}
        """By role: credentials, the role's unique id, and until when."""

    def of_function(self, role: str, name: str, function_arn: str) -> Mapping[str, str]:
        """Environment variables; none for a role that does not exist or does not trust Lambda."""
        account = function_arn.split(":", 5)[4]
        entry = self._trusting(role, "lambda.amazonaws.com", account, {"aws:SourceArn": function_arn})
        if entry is None:
            return {}
        given = self._begin(role, entry, name, FUNCTION_SECONDS)
        return {
            "AWS_ACCESS_KEY_ID": given.access_key,
            "AWS_SECRET_ACCESS_KEY": given.secret_key,
            "AWS_SESSION_TOKEN": given.token or "",
        }

    async def credentials(self, role: str | None, account: str) -> Credentials:
        """Of an integration. Raises CredentialError."""
        if role is None:
            raise CredentialError("the integration names no role to work with")
        entry = self._trusting(role, "apigateway.amazonaws.com", account, {})
        if entry is None:
            raise CredentialError(f"{role} does not exist, or does not trust apigateway.amazonaws.com")
        held = self._held.get(role)
        if held is None or held[1] != entry.id or held[2] <= self._now():
            given = self._begin(role, entry, _SESSION, _INTEGRATION_SECONDS)
            held = self._held[role] = (given, entry.id, self._now() + _INTEGRATION_SECONDS - _EARLY)
        return held[0]

    def _trusting(self, role: str, service: str, account: str, source: Mapping[str, str]) -> IdentityEntry | None:
        """AWS: roles are passed within an account."""
        if role.split(":", 5)[4:5] != [account]:
            return None
        entry = self._callers.identity("Role", account, role.rpartition("/")[2].lower())
        if entry is None or entry.arn != role or entry.trust is None:
            return None
        asked = Request("sts:AssumeRole", role, Principal.service(service), {"aws:SourceAccount": account, **source})
        trust = Policies(resource=entry.trust, resource_account=account, resource_must_allow=True)
        return entry if decide(asked, trust).allowed else None

    def _begin(self, role: str, entry: IdentityEntry, name: str, seconds: int) -> Credentials:
        session = self._sessions.begin(
            account=role.split(":", 5)[4],
            now=self._now(),
            seconds=seconds,
            kind="Role",
            proved=True,
            identity=entry.name.lower(),
            identity_id=entry.id,
            name=name,
        )
        return Credentials(session.access_key, session.secret_key, self._sessions.token(session))
