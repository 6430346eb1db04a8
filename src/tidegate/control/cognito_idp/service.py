"""The service `cognito-idp`: which operations there are, whose pool a call is about, and where its costly parts run.

Users' own calls are not signed: what they name — a client, an access token — tells the pool, and with it account and region.
Source: *Amazon Cognito user pools API Reference*.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from tidegate.aws.json_rpc import JsonRpc
from tidegate.aws.model import Params
from tidegate.aws.rest import Operation as OperationForm
from tidegate.aws.scope import Scope
from tidegate.control.access import Need
from tidegate.control.cognito_idp import (
    clients,
    groups,
    pools,
    resource_servers,
    self_service,
    sessions,
    sign_in,
    sign_up,
    users,
)
from tidegate.control.cognito_idp.desk import Costly, Desk, Operation, Tools
from tidegate.control.cognito_idp.sealing import SecretError
from tidegate.control.context import Context
from tidegate.control.service import ManagementService, Office
from tidegate.core.errors import ControlError
from tidegate.core.message import Request
from tidegate.definition.records import ClientPool, Record, UserPool
from tidegate.state.callers import Caller

OPERATIONS: dict[str, Operation] = {
    **pools.OPERATIONS,
    **clients.OPERATIONS,
    **resource_servers.OPERATIONS,
    **groups.OPERATIONS,
    **users.OPERATIONS,
    **sign_up.OPERATIONS,
    **sign_in.OPERATIONS,
    **self_service.OPERATIONS,
}
log = logging.getLogger("tidegate.cognito")

_REASON = (
    "user pools sign in by password and SRP, without multi-factor authentication, devices or other identity providers"
)
_ANYWHERE = Scope("", "")
_MOST_WAITING = 200
"""Costly works at a time; a flood of sign-ins is turned away instead of filling the memory."""


class UserPoolWork:
    """Runs operations of user pools, step by step: for the service, and for the hosted endpoints."""

    def __init__(self, office: Office, tools: Tools, threads: Executor) -> None:
        """`threads`: for the costly works."""
        self._office = office
        self.tools = tools
        self._threads = threads
        self._waiting = 0

    async def run(self, scope: Scope, operation: Operation, params: Params) -> Any:
        """Raises ControlError."""
        try:
            return await self._steps(scope, operation, params)
        except SecretError as error:
            log.error("user pools: %s: the server's secret key is not the one that sealed it", error)
            raise ControlError("InternalErrorException", "A secret of the user pool cannot be read", 500) from error

    async def _steps(self, scope: Scope, operation: Operation, params: Params) -> Any:
        def first(context: Context, given: Params) -> Any:
            return operation(Desk(context, self.tools), given)

        result = await self._office.run(scope, first, params)
        while isinstance(result, Costly):
            value = await self._work(result)
            if result.then is None:
                return value
            result = await self._office.run(scope, _Step(self.tools, result, value), {})
        return result

    async def _work(self, costly: Costly) -> Any:
        if self._waiting >= _MOST_WAITING:
            raise ControlError("TooManyRequestsException", "Rate exceeded")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, costly.work)
        finally:
            self._waiting -= 1

    async def home(self, default: Scope, params: Params) -> Scope:
        """Whose pool the call of a user is about."""
        if "user_pool_id" in params:
            return default
        pool_id = sessions.pool_named(params["access_token"]) if "access_token" in params else None
        client_id = params.get("client_id")
        if pool_id is None and client_id is None:
            return default

        found = await (self.locate(UserPool, pool_id) if pool_id else self.locate(ClientPool, str(client_id)))
        return found or default

    async def locate(self, kind: type[Record], key: str) -> Scope | None:
        """Whose record that is, whatever the account and region."""

        def look(context: Context, _params: Params) -> Scope | None:
            return context.tx.locate(kind, key)

        found: Scope | None = await self._office.run(_ANYWHERE, look, {})
        return found


class _Step:
    """What follows a costly work, as an operation."""

    def __init__(self, tools: Tools, costly: Costly, value: Any) -> None:
        self._tools = tools
        self._costly = costly
        self._value = value

    def __call__(self, context: Context, _params: Params) -> Any:
        assert self._costly.then is not None
        return self._costly.then(Desk(context, self._tools), self._value)


class CognitoService(ManagementService):
    def __init__(
        self, office: Office, protocol: JsonRpc, work: UserPoolWork, keys_changed: Callable[[str], None]
    ) -> None:
        """`keys_changed`: told the id of a pool that was made or deleted."""
        unsupported = dict.fromkeys((name for name in protocol.operations if name not in OPERATIONS), _REASON)
        super().__init__(office, protocol, {}, unsupported)
        self._work = work
        self._keys_changed = keys_changed
        self._target = str(protocol.service.metadata["targetPrefix"])
        self._public = frozenset(
            name for name, form in protocol.operations.items() if form.model.auth_type == "none" and name in OPERATIONS
        )

    def is_public(self, request: Request) -> bool:
        """AWS: users sign in, and use their tokens, without credentials."""
        service, _, name = (request.headers.get(b"x-amz-target") or b"").decode("latin-1").partition(".")
        return service == self._target and name in self._public

    def needs(
        self, caller: Caller, form: OperationForm, labels: Mapping[str, str], params: Params, scope: Scope
    ) -> Sequence[Need]:
        resource = params.get("resource_arn") or "*"
        if "user_pool_id" in params:
            resource = f"arn:aws:cognito-idp:{scope.region}:{scope.account}:userpool/{params['user_pool_id']}"
        return (Need(f"cognito-idp:{form.name}", resource),)

    async def call(self, form: OperationForm, params: Params, scope: Scope, request: Request) -> Any:
        operation = OPERATIONS.get(form.name)
        if operation is None:
            return await super().call(form, params, scope, request)
        result = await self._work.run(await self._work.home(scope, params), operation, params)
        if form.name == "CreateUserPool":
            self._keys_changed(result["user_pool"]["id"])
        elif form.name == "DeleteUserPool":
            self._keys_changed(params["user_pool_id"])
        return result
