"""The Lambda service's door: Invoke waits for a function and is answered here; all else runs as an operation."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import orjson

from tidegate.aws.event_stream import event
from tidegate.aws.model import Params
from tidegate.aws.rest import Answer, Operation, RestJson
from tidegate.aws.scope import Scope
from tidegate.control.access import Need
from tidegate.control.awslambda import OPERATIONS, provisioned, unsupported
from tidegate.control.awslambda.local_folders import LocalFolders
from tidegate.control.awslambda.lookup import get_configured, invalid, resolve_arn
from tidegate.control.awslambda.needs import needs
from tidegate.control.awslambda.objects import Objects, with_object
from tidegate.control.awslambda.settings import storage
from tidegate.control.service import ManagementService, Office
from tidegate.core.errors import ControlError
from tidegate.core.message import Request
from tidegate.functions.spec import STORAGE, Events, InvokeError, ManagedFunctions, StreamedResult
from tidegate.state.callers import Caller

_MAX_CLIENT_CONTEXT = 3583
"""Characters, encoded."""
_THROTTLED = 429
_TRACE = re.compile(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;[A-Za-z]+=[\w:|.-]{1,128}){0,8}", re.ASCII)


class LambdaService(ManagementService):
    def __init__(
        self,
        office: Office,
        protocol: RestJson,
        functions: ManagedFunctions,
        events: Events,
        objects: Objects,
        folders: LocalFolders,
    ) -> None:
        super().__init__(office, protocol, OPERATIONS, unsupported(list(protocol.operations)))
        self._functions = functions
        self._events = events
        self._objects = objects
        self._folders = folders

    def needs(
        self, caller: Caller, form: Operation, labels: Mapping[str, str], params: Params, scope: Scope
    ) -> Sequence[Need]:
        return needs(form.name, params, scope)

    async def call(self, form: Operation, params: Params, scope: Scope, request: Request) -> Any:
        if form.name == "Invoke":
            return await self._invoke(params, scope, self._trace(request))
        if form.name == "InvokeWithResponseStream":
            return await self._invoke_stream(params, scope, self._trace(request))
        await self._check_machine(form.name, params)
        params = await with_object(self._objects, self._folders, form.name, params, scope)
        if form.name in provisioned.OPERATIONS:
            return await self._provisioned(form, params, scope, request)
        return await super().call(form, params, scope, request)

    async def _check_machine(self, operation: str, params: Params) -> None:
        """Whether what a function is to have can be had here. Raises ControlError."""
        if operation not in ("CreateFunction", "UpdateFunctionConfiguration"):
            return
        if storage(params) != STORAGE and not await self._functions.limits_storage():
            raise invalid(
                f"Ephemeral storage other than {STORAGE} MB needs namespaces, which this machine does not let Tidegate make"
            )
        runtime = params.get("runtime") or ""
        if runtime.startswith("java") and (why_not := await self._functions.why_not(runtime)) is not None:
            raise invalid(why_not)

    async def _provisioned(self, form: Operation, params: Params, scope: Scope, request: Request) -> Any:
        if form.name == "PutProvisionedConcurrencyConfig":
            provisioned.check_room(params, self._functions)
        result = await super().call(form, params, scope, request)
        return provisioned.with_status(result, self._functions)

    def _trace(self, request: Request) -> str:
        """The caller's, which goes on in the function (SDKs send it wherever they run in a function themselves), or a new one."""
        header = request.headers.get(b"x-amzn-trace-id")
        if header is not None and _TRACE.fullmatch(given := header.decode("latin-1")):
            return given
        return self._office.ids.trace(int(self._office.clock.time()))

    async def _invoke(self, params: Params, scope: Scope, trace: str) -> Answer:
        """Source: *Invoke*; shared facts, lambda §5."""
        kind = params.get("invocation_type") or "RequestResponse"
        payload = _payload(params)
        arn, client_context = resolve_arn(scope, params), _client_context(params)
        if kind == "DryRun":
            await self._office.run(scope, lambda context, given: get_configured(context, given) and None, params)
            return Answer(b"", status=204)
        tail = params.get("log_type") == "Tail" and kind == "RequestResponse"
        try:
            if kind == "Event":
                accepted = await self._events.submit(arn, payload, trace_header=trace, client_context=client_context)
                return Answer(b"", ((b"X-Amzn-Trace-Id", trace.encode()),), status=202, request_id=accepted)
            result = await self._functions.invoke(
                arn, payload, trace_header=trace, client_context=client_context, tail=tail
            )
        except InvokeError as error:
            raise _control_error(error) from error
        headers = [
            (b"Content-Type", b"application/json"),
            (b"X-Amz-Executed-Version", result.executed_version.encode()),
            (b"X-Amzn-Trace-Id", trace.encode()),
        ]
        if result.function_error is not None:
            headers.append((b"X-Amz-Function-Error", result.function_error.encode()))
        if tail:
            headers.append((b"X-Amz-Log-Result", base64.b64encode(result.log_tail)))
        return Answer(result.payload, tuple(headers), request_id=result.request_id)

    async def _invoke_stream(self, params: Params, scope: Scope, trace: str) -> Answer:
        """Source: *InvokeWithResponseStream*: chunks as events, and at the end how it went."""
        arn, payload, client_context = resolve_arn(scope, params), _payload(params), _client_context(params)
        if params.get("invocation_type") == "DryRun":
            await self._office.run(scope, lambda context, given: get_configured(context, given) and None, params)
            return Answer(b"", status=204)
        tail = params.get("log_type") == "Tail"
        try:
            stream = await self._functions.invoke_stream(
                arn, payload, trace_header=trace, client_context=client_context, tail=tail
            )
        except InvokeError as error:
            raise _control_error(error) from error
        headers = (
            (b"Content-Type", b"application/vnd.amazon.eventstream"),
            (b"X-Amz-Executed-Version", stream.executed_version.encode()),
            (b"X-Amzn-Trace-Id", trace.encode()),
        )
        return Answer(_events(stream, tail=tail), headers, request_id=stream.request_id)


async def _events(stream: StreamedResult, *, tail: bool) -> AsyncIterator[bytes]:
    try:
        async for chunk in stream:
            yield event("PayloadChunk", chunk, "application/octet-stream")
        end: dict[str, str] = {}
        if stream.error is not None:
            end = {"ErrorCode": "Unhandled", "ErrorDetails": stream.error.decode("utf-8", "replace")}
        if tail:
            end["LogResult"] = base64.b64encode(stream.log_tail).decode()
        yield event("InvokeComplete", orjson.dumps(end), "application/json")
    finally:
        stream.close()


def _payload(params: Params) -> bytes:
    for member in ("tenant_id", "durable_execution_name"):
        if params.get(member):
            raise invalid(f"Tidegate does not support {member.replace('_', ' ')} yet")
    payload: bytes = params.get("payload") or b"{}"
    try:
        orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        message = f"Could not parse request body into json: {error}"
        raise ControlError("InvalidRequestContentException", message, extra={"Type": "User"}) from None
    return payload


def _control_error(error: InvokeError) -> ControlError:
    if error.reason is None and error.status != _THROTTLED:
        return ControlError(error.code, error.message, error.status, extra={"Type": "User"})
    # AWS: throttles have their message in lower case, beside a reason.
    reason = error.reason or "ConcurrentInvocationLimitExceeded"
    extra = {"Reason": reason, "Type": "User", "message": error.message}
    return ControlError(error.code, error.message, error.status, extra=extra, headers=((b"Retry-After", b"1"),))


def _client_context(params: Params) -> bytes | None:
    text = params.get("client_context")
    if not text:
        return None
    try:
        decoded = base64.b64decode(text, validate=True)
        orjson.loads(decoded)
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded or len(text) > _MAX_CLIENT_CONTEXT:
        raise invalid("Client context must be a valid Base64-encoded JSON object.")
    return decoded
