"""IAM's door: operations that need the vault or know of keys' use beside those that work on records alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from tidegate.aws.identifiers import account_of
from tidegate.aws.model import Params
from tidegate.aws.query import Query
from tidegate.aws.rest import Operation
from tidegate.aws.scope import Scope
from tidegate.control.access import Need
from tidegate.control.context import Context
from tidegate.control.iam import OPERATIONS, access_keys, permissions
from tidegate.control.service import ManagementService, Office
from tidegate.core.errors import ControlError
from tidegate.core.message import Request
from tidegate.core.vault import Vault
from tidegate.definition.records import GLOBAL, User
from tidegate.state.callers import Caller, LastUse

_REASON = "users, groups, roles, policies and access keys are what there is"


class Known(permissions.Identities, Protocol):
    def last_use(self, access_key: str) -> LastUse | None: ...


class IamService(ManagementService):
    def __init__(self, office: Office, protocol: Query, vault: Vault, known: Known) -> None:
        operations = OPERATIONS | {"CreateAccessKey": partial(access_keys.create, vault=vault)}
        super().__init__(office, protocol, operations, dict.fromkeys(protocol.operations, _REASON))
        self._known = known

    def needs(
        self, caller: Caller, form: Operation, labels: Mapping[str, str], params: Params, scope: Scope
    ) -> Sequence[Need]:
        return permissions.needs(form.name, params, caller, self._known)

    async def call_as(self, caller: Caller, form: Operation, params: Params, scope: Scope, request: Request) -> Any:
        scope = Scope(scope.account, GLOBAL)
        if form.name == "GetAccessKeyLastUsed":
            return await self._last_used(params["access_key_id"], scope)
        operation = self._operations.get(form.name)
        if operation is None:
            return await self.call(form, params, scope, request)
        return await self._office.run(scope, operation, params, caller=caller)

    async def _last_used(self, key_id: str, scope: Scope) -> dict[str, Any]:
        def work(context: Context, _params: Params) -> User | None:
            return access_keys.owner(context, key_id)

        user = await self._office.run(scope, work, {})
        if user is None and account_of(key_id) != scope.account:
            # AWS: of keys of other accounts nothing is told.
            raise ControlError("AccessDenied", f"The access key {key_id} is not of this account.", 403)
        return access_keys.last_used(user, key_id, self._known.last_use(key_id))
