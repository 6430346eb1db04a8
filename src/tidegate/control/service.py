"""Runs management operations: one thread, one transaction each, and the plan follows every commit.

A management call never blocks the event loop; calls are serialised, so that two of them cannot corrupt a definition. What a
commit changed is published before the call is acknowledged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
from botocore.model import ServiceModel

from tidegate.aws.model import Params
from tidegate.aws.rest import Operation as OperationForm
from tidegate.aws.scope import Credential, Scope
from tidegate.control.access import Access, Mode, Need
from tidegate.control.context import Context, Operation, Packages
from tidegate.core.clock import Clock
from tidegate.core.errors import ControlError, DefinitionError
from tidegate.core.ids import Ids
from tidegate.core.message import Request, Response
from tidegate.definition.store import Commit, Store, StoreError
from tidegate.plan.planner import Planner, Publication
from tidegate.state.callers import Caller

log = logging.getLogger("tidegate.control")


@dataclass(frozen=True, slots=True)
class Office:
    """What all management services share."""

    store: Store
    planner: Planner
    thread: Executor
    """With one worker: the only thread that touches the store."""
    publish: Callable[[Publication], None]
    clock: Clock
    ids: Ids
    packages: Packages
    access: Access

    async def run(
        self, scope: Scope, operation: Operation, params: Params, base_url: str = "", caller: Caller | None = None
    ) -> Any:
        """Run an operation in the management thread and publish what it changed. Raises ControlError."""
        loop = asyncio.get_running_loop()
        result, publication = await loop.run_in_executor(
            self.thread, self._transact, scope, operation, params, base_url, caller
        )
        self.publish(publication)
        return result

    def _transact(
        self, scope: Scope, operation: Operation, params: Params, base_url: str, caller: Caller | None
    ) -> tuple[Any, Publication]:
        commit = Commit()
        try:
            with self.store.write(scope, commit) as tx:
                context = Context(tx, scope, self.clock, self.ids, self.planner, self.packages, base_url, caller)
                result = operation(context, params)
            return result, self.planner.follow(commit.changes)
        except DefinitionError as error:
            raise ControlError("BadRequestException", _explain(error)) from error
        except msgspec.ValidationError as error:
            raise ControlError("BadRequestException", f"Invalid value specified: {error}") from error
        finally:
            self.planner.discard_checked()


def _explain(error: DefinitionError) -> str:
    """AWS's own messages stand alone; several problems are listed with their places."""
    if len(error.problems) == 1:
        problem = error.problems[0]
        return f"{problem.message}: {problem.pointer}" if problem.pointer else problem.message
    return "Invalid API: " + "; ".join(f"{problem.message}: {problem.pointer}" for problem in error.problems)


class WireProtocol(Protocol):
    """How a service's calls look on the wire: `aws.rest`, `aws.json_rpc` or `aws.query`."""

    @property
    def service(self) -> ServiceModel: ...
    @property
    def style(self) -> str:
        """The protocol's name, as botocore's models have it."""
        ...

    def match(self, request: Request) -> tuple[OperationForm, dict[str, str]] | None: ...
    def parse(self, operation: OperationForm, labels: dict[str, str], request: Request, /) -> Params: ...
    def respond(self, operation: OperationForm, result: Any, request_id: str) -> Response: ...
    def respond_error(self, error: ControlError, request_id: str) -> Response: ...


class ManagementService:
    """One service's management API."""

    def __init__(
        self,
        office: Office,
        protocol: WireProtocol,
        operations: Mapping[str, Operation],
        unsupported: Mapping[str, str],
    ) -> None:
        self._office = office
        self._protocol = protocol
        self._operations = operations
        self._unsupported = unsupported

    async def handle(self, request: Request, credential: Credential, region: str) -> Response:
        """`region`: of calls whose credential names none."""
        request_id = self._office.ids.request_id()
        access, style = self._office.access, self._protocol.style
        try:
            public = self.is_public(request)
            caller = access.nobody() if public else access.identify(request, credential, style)
            scope = Scope(caller.account, credential.region or region)
            matched = self._protocol.match(request)
            if matched is None and request.path.startswith("/v2/"):
                text = "Tidegate does not support HTTP and WebSocket APIs (apigatewayv2) yet"
                raise ControlError("UnsupportedOperationException", text, 501)
            if matched is None:
                # AWS: what no operation answers is refused by its authorization, before anything else sees it.
                text = "Unable to determine service/operation name to be authorized"
                raise ControlError("AccessDeniedException", text, 403)
            form, labels = matched
            params = self._protocol.parse(form, labels, request)
            if access.mode is not Mode.OFF and not public:
                access.require(caller, self.needs(caller, form, labels, params, scope), request, scope.region, style)
            result = await self.call_as(caller, form, params, scope, request)
            return self.answer(form, labels, result, request, request_id)
        except ControlError as error:
            return self._protocol.respond_error(error, request_id)
        except StoreError as error:
            log.error("request %s: %s", request_id, error)
            return self._protocol.respond_error(
                ControlError("ServiceUnavailableException", str(error), 503), request_id
            )
        except Exception:  # The one catch-all of the management APIs: a traceback is for the log only.
            log.exception("request %s failed", request_id)
            failure = ControlError("InternalFailure", "Internal server error", 500)
            return self._protocol.respond_error(failure, request_id)

    def is_public(self, _request: Request) -> bool:
        """Whether a call is one that AWS takes without a signature."""
        return False

    def needs(
        self, caller: Caller, form: OperationForm, labels: Mapping[str, str], params: Params, scope: Scope
    ) -> Sequence[Need]:
        """What the caller has to be allowed. Source: *Service Authorization Reference*."""
        return (Need(f"{self._protocol.service.signing_name}:{form.name}"),)

    async def call_as(self, caller: Caller, form: OperationForm, params: Params, scope: Scope, request: Request) -> Any:
        """For services to which it matters who calls."""
        return await self.call(form, params, scope, request)

    def answer(
        self, form: OperationForm, _labels: Mapping[str, str], result: Any, _request: Request, request_id: str
    ) -> Response:
        """An operation's result as the protocol writes it."""
        return self._protocol.respond(form, result, request_id)

    async def call(self, form: OperationForm, params: Params, scope: Scope, request: Request) -> Any:
        operation = self._operations.get(form.name)
        if operation is None:
            reason = self._unsupported.get(form.name, "it is unknown to this version")
            text = f"Tidegate does not support the operation {form.name} yet: {reason}"
            raise ControlError("UnsupportedOperationException", text, 501)
        host = request.headers.get(b"host") or b"127.0.0.1"
        return await self._office.run(scope, operation, params, f"{request.scheme}://{host.decode('latin-1')}")
