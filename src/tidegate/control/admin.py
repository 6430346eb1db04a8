"""Tidegate's own interface below `/_tidegate/`: health, metrics, the certificate to trust, reset, the clock, function logs,
single requests, messages of user pools, packages, stacks."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote

import orjson
from prometheus_client import CollectorRegistry, generate_latest

from tidegate import __version__
from tidegate.aws.model import Params
from tidegate.aws.scope import Credential, Scope, read_credential
from tidegate.control.access import Mode, Need
from tidegate.control.cognito_idp.outbox import Outbox
from tidegate.control.context import Context
from tidegate.control.requests import Requests, simulate, why
from tidegate.control.service import Office
from tidegate.control.sites import of_another_site
from tidegate.core.arns import function_arn
from tidegate.core.clock import Clock
from tidegate.core.errors import ControlError
from tidegate.core.message import Request, Response
from tidegate.definition.records import Function, Stack

_FUNCTION_ARN = re.compile(r"arn:aws[\w-]*:lambda:(?P<region>[\w-]+):(?P<account>\d{12}):function:(?P<name>[\w-]+)")


class FunctionLogs(Protocol):
    def tail(self, arn: str, lines: int) -> list[str]: ...
    def follow(self, arn: str) -> AsyncIterator[str]: ...


class PackageFiles(Protocol):
    def zip_path(self, code_sha256: str) -> Path: ...


@dataclass(frozen=True, slots=True)
class Admin:
    office: Office
    clock: Clock
    scope: Scope
    """Of stacks: the default account and region."""
    registry: CollectorRegistry
    logs: FunctionLogs
    packages: PackageFiles
    reset: Callable[[], Awaitable[None]]
    requests: Requests
    authority: str
    """The local authority's certificate, PEM."""
    outbox: Outbox

    async def handle(self, request: Request) -> Response:
        for verb, pattern, handler in _ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and verb == request.method:
                try:
                    self._admit(request, handler)
                    return await handler(self, request, *map(unquote, found.groups()))
                except ControlError as error:
                    return _json(error.status, {"message": error.message})
        return _json(404, {"message": f"Nothing at {request.method} {request.path}"})

    def _admit(self, request: Request, handler: Callable[..., object]) -> None:
        """Who may: as with AWS's services, signed for `tidegate`, by a caller of the default account. Raises ControlError."""
        access = self.office.access
        if handler in _PUBLIC:
            return
        if of_another_site(request):
            raise ControlError("AccessDenied", "Requests from other sites are refused", 403)
        if access.mode is Mode.OFF:
            return
        named = read_credential(request)
        region = named.region if named else self.scope.region
        credential = Credential(named.access_key if named else "", region, "tidegate")
        caller = access.identify(request, credential, "rest-json")
        action = "".join(map(str.capitalize, handler.__name__.split("_")))
        need = Need(f"tidegate:{action}")
        access.require(caller, (need,), request, region, "rest-json")
        if access.mode is Mode.ENFORCE and caller.account != self.scope.account:
            raise ControlError("AccessDeniedException", "The server is managed from its own account", 403)

    async def _health(self, _request: Request) -> Response:
        return _json(200, {"status": "ok", "version": __version__})

    async def _authority(self, _request: Request) -> Response:
        return Response(200, [(b"Content-Type", b"application/x-pem-file")], self.authority.encode())

    async def _metrics(self, _request: Request) -> Response:
        return Response(200, [(b"Content-Type", b"text/plain; version=0.0.4")], generate_latest(self.registry))

    async def _reset(self, _request: Request) -> Response:
        await self.reset()
        return _json(200, {"status": "ok"})

    async def _move_clock(self, request: Request) -> Response:
        """`{"advance": seconds}` moves the clock on; `{"reset": true}` sets it right again."""
        given = _object(request)
        if given.get("reset"):
            self.clock.shift = 0.0
        elif isinstance(given.get("advance"), (int, float)):
            self.clock.shift += float(given["advance"])
        else:
            raise ControlError("BadRequest", 'give {"advance": SECONDS} or {"reset": true}')
        return _json(200, {"time": self.clock.time(), "shift": self.clock.shift})

    async def _function_logs(self, request: Request, name: str) -> Response:
        arn = await self._known_function(name)
        arguments = parse_qs(request.query)
        lines = self.logs.tail(arn, int(arguments.get("lines", ["1000"])[0]))
        head = [(b"Content-Type", b"text/plain; charset=utf-8")]
        if "follow" in arguments:
            return Response(200, head, _lines(lines, self.logs.follow(arn)))
        return Response(200, head, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))

    async def _known_function(self, name: str) -> str:
        """The ARN of what a name or an ARN names. Raises ControlError when that is no function, with the names that are."""
        scope = self.scope
        if found := _FUNCTION_ARN.fullmatch(name):
            scope, name = Scope(found["account"], found["region"]), found["name"]

        def work(context: Context, _params: Params) -> Any:
            return sorted(function.function_name for function in context.tx.list(Function))

        names = await self.office.run(scope, work, {})
        if name not in names:
            raise ControlError("NotFound", f"no function {name}; there are: {', '.join(names) or 'none'}", 404)
        return function_arn(scope.region, scope.account, name)

    async def _why(self, _request: Request, request_id: str) -> Response:
        return _json(200, why(self.requests, request_id))

    async def _simulate(self, request: Request) -> Response:
        return _json(200, await simulate(self.requests, _object(request), self.clock.ticks_ns()))

    async def _user_pool_messages(self, _request: Request, pool_id: str) -> Response:
        """What would have been sent by e-mail, the oldest first: confirmation codes, temporary passwords."""
        return _json(200, [asdict(message) for message in self.outbox.of_pool(pool_id)])

    async def _package(self, _request: Request, name: str) -> Response:
        path = self.packages.zip_path(name.replace("_", "/").replace("-", "+"))
        if not path.is_file():
            raise ControlError("NotFound", "no such package", 404)
        return Response(200, [(b"Content-Type", b"application/zip")], path.read_bytes())

    async def _list_stacks(self, _request: Request) -> Response:
        def work(context: Context, _params: Params) -> Any:
            return [stack.name for stack in context.tx.list(Stack)]

        return _json(200, await self.office.run(self.scope, work, {}))

    async def _get_stack(self, _request: Request, name: str) -> Response:
        def work(context: Context, _params: Params) -> Any:
            return context.tx.get(Stack, name)

        stack = await self.office.run(self.scope, work, {})
        if stack is None:
            raise ControlError("NotFound", f"no stack {name}", 404)
        return _json(200, stack.state)

    async def _put_stack(self, request: Request, name: str) -> Response:
        state = _object(request)

        def work(context: Context, _params: Params) -> Any:
            context.tx.put(Stack(name=name, state=state))

        await self.office.run(self.scope, work, {})
        return _json(200, {})

    async def _delete_stack(self, _request: Request, name: str) -> Response:
        def work(context: Context, _params: Params) -> Any:
            context.tx.delete(Stack, name)

        await self.office.run(self.scope, work, {})
        return _json(200, {})


_ROUTES: tuple[tuple[str, str, Callable[..., Awaitable[Response]]], ...] = (
    ("GET", "/_tidegate/health", Admin._health),
    ("GET", "/_tidegate/metrics", Admin._metrics),
    ("GET", "/_tidegate/ca.pem", Admin._authority),
    ("POST", "/_tidegate/reset", Admin._reset),
    ("POST", "/_tidegate/clock", Admin._move_clock),
    ("GET", "/_tidegate/functions/([^/]+)/logs", Admin._function_logs),
    ("GET", "/_tidegate/requests/([^/]+)", Admin._why),
    ("POST", "/_tidegate/simulate", Admin._simulate),
    ("GET", "/_tidegate/user-pools/([^/]+)/messages", Admin._user_pool_messages),
    ("GET", "/_tidegate/packages/([^/]+)", Admin._package),
    ("GET", "/_tidegate/stacks", Admin._list_stacks),
    ("GET", "/_tidegate/stacks/([^/]+)", Admin._get_stack),
    ("PUT", "/_tidegate/stacks/([^/]+)", Admin._put_stack),
    ("DELETE", "/_tidegate/stacks/([^/]+)", Admin._delete_stack),
)


_PUBLIC = (Admin._health, Admin._authority)
"""What nobody has to be known for."""


def _object(request: Request) -> dict[str, Any]:
    try:
        document = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise ControlError("BadRequest", f"the body is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise ControlError("BadRequest", "the body is no JSON object")
    return document


def _json(status: int, document: Any) -> Response:
    return Response(status, [(b"Content-Type", b"application/json")], orjson.dumps(document))


async def _lines(first: list[str], rest: AsyncIterator[str]) -> AsyncIterator[bytes]:
    for line in first:
        yield f"{line}\n".encode("utf-8", "replace")
    async for line in rest:
        yield f"{line}\n".encode("utf-8", "replace")
