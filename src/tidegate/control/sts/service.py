"""STS's door. Nothing of it touches the store: tokens hold what they stand for, identities are found where callers are.

Source: *GetCallerIdentity*, *GetSessionToken*, *GetAccessKeyInfo*, *AssumeRole* (STS API Reference).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.aws.identifiers import account_of
from tidegate.aws.model import Params
from tidegate.aws.query import Query
from tidegate.aws.rest import Operation
from tidegate.aws.scope import Scope
from tidegate.control.access import Need
from tidegate.control.service import ManagementService, Office
from tidegate.control.sts.assume_role import assume_role, credentials, invalid, refuse_members, shown
from tidegate.core.errors import ControlError
from tidegate.core.message import Request
from tidegate.state.callers import Caller, Callers
from tidegate.state.sessions import Sessions

_REASON = "there are neither federated identities nor MFA devices"
_FREE = frozenset({"AssumeRole", "GetCallerIdentity", "GetSessionToken"})
"""AWS: needs no permission; for AssumeRole that is part of the operation."""
_SESSION_SECONDS = 43_200
_LONGEST_ROOT_SESSION = 3600


class StsService(ManagementService):
    def __init__(self, office: Office, protocol: Query, known: Callers, sessions: Sessions) -> None:
        super().__init__(office, protocol, {}, dict.fromkeys(protocol.operations, _REASON))
        self._known = known
        self._sessions = sessions

    def needs(
        self, caller: Caller, form: Operation, labels: Mapping[str, str], params: Params, scope: Scope
    ) -> Sequence[Need]:
        return () if form.name in _FREE else (Need(f"sts:{form.name}"),)

    async def call_as(self, caller: Caller, form: Operation, params: Params, scope: Scope, request: Request) -> Any:
        if form.name == "GetCallerIdentity":
            return {"user_id": caller.caller, "account": caller.account, "arn": caller.principal.arn}
        if form.name == "GetAccessKeyInfo":
            return _key_info(params["access_key_id"])
        if form.name == "GetSessionToken":
            return self._session_token(caller, params)
        if form.name == "AssumeRole":
            return self._assume_role(caller, params, scope, request)
        return await self.call(form, params, scope, request)

    def _assume_role(self, caller: Caller, params: Params, scope: Scope, request: Request) -> Any:
        session = assume_role(
            params,
            caller,
            request,
            scope.region,
            access=self._office.access,
            known=self._known,
            sessions=self._sessions,
        )
        role = self._known.identity("Role", session.account, session.identity)
        if role is None:
            raise ControlError("AccessDenied", "The role is gone", 403)
        return shown(session, self._sessions.token(session), role)

    def _session_token(self, caller: Caller, params: Params) -> Any:
        refuse_members(params, ("SerialNumber", "TokenCode", "MinimumSessionTokenSize"))
        if caller.session is not None:
            raise ControlError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
        user, access = caller.identity, self._office.access
        seconds = params.get("duration_seconds") or _SESSION_SECONDS
        session = self._sessions.begin(
            account=caller.account,
            now=access.clock.time(),
            # AWS: sessions of an account's root last an hour at most.
            seconds=min(seconds, _LONGEST_ROOT_SESSION) if user is None else seconds,
            kind="Root" if user is None else "User",
            proved=access.proves,
            identity="" if user is None else user.name.lower(),
            identity_id="" if user is None else user.id,
        )
        return {"credentials": credentials(session, self._sessions.token(session))}


def _key_info(key_id: str) -> dict[str, str]:
    account = account_of(key_id)
    if account is None:
        raise invalid(f"{key_id} is no access key id")
    return {"account": account}
